"""Faults are found when an expression is compiled, each with its place and words in both languages."""

from __future__ import annotations

import pytest

from forms.expressions import ExpressionError, compile_expression
from forms.problems import Place


@pytest.mark.parametrize(
    ("source", "code", "position"),
    [
        ("", "EMPTY", 0),
        ("   ", "EMPTY", 0),
        ("a = “x”", "CURLY_QUOTE", 5),
        ("a = ‘x’", "CURLY_QUOTE", 5),
        ("if（a, b, c)", "FULL_WIDTH", 3),
        ("a = 'x", "UNCLOSED_QUOTE", 5),
        ("${a} + 1", "UNRESOLVED_NAME", 1),
        ("1 + $x", "VARIABLE", 5),
        ("a && b", "CHARACTER", 3),
        ("a == b", "SYNTAX", 4),
        ("a b", "SYNTAX", 3),
        ("(1", "UNCLOSED", 3),
        ("1 +", "ENDS_EARLY", 4),
        ("(" * 200, "TOO_DEEP", 101),
        ("a/sideways::b", "UNKNOWN_AXIS", 3),
        ("/data/no:such", "UNKNOWN_PREFIX", 1),
        ("1 + lenght(a)", "UNKNOWN_FUNCTION", 5),
        ("a or contains(b)", "ARGUMENT_COUNT", 6),
        ("1 + count('x')", "NOT_NODES", 5),
        ("regex(., '(')", "REGEX_SYNTAX", 1),
        ("regex(., '(a)\\1')", "REGEX_REFUSED", 1),
        ("regex(., '((a{1000}){1000}){1000}')", "REGEX_LARGE", 1),
    ],
)
def test_fault_has_its_code_and_place(source: str, code: str, position: int) -> None:
    from forms.expressions import Scope

    with pytest.raises(ExpressionError) as caught:
        compile_expression(source, scope=Scope(plain="no:such" in source))
    assert caught.value.code == f"FORMS_EXPRESSION_{code}"
    assert caught.value.problem.context["position"] == position
    assert caught.value.problem.context["source"] == source
    for language in ("zh", "en"):
        words = caught.value.problem.words(language)
        assert "?" not in words.replace("(?", "").replace("?:", "")


def test_nearest_function_is_named() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("string-lenght('a')")
    assert caught.value.problem.context["nearest"] == "string-length"


def test_fault_takes_the_place_of_its_row() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("1 +")
    assert caught.value.at(Place(sheet="survey", row=7)).place.row == 7


def test_long_chains_are_no_nesting() -> None:
    from forms.expressions import Context, Node, Tree

    context = Context(Tree(Node("data")).root)
    assert compile_expression(" + ".join(["1"] * 5000)).number(context) == 5000
    assert compile_expression(" or ".join(["false()"] * 5000)).boolean(context) is False
    assert compile_expression("-" * 5001 + "1").number(context) == -1
    assert compile_expression("/".join([".."] * 5000)).boolean(context) is False
