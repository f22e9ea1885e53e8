"""Regular expressions: the notation, whole texts only, and linear time whatever the pattern."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.expressions import ExpressionError
from forms.expressions.matching import matcher


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"1[3-9]\d{9}", "13800138000", True),
        (r"^1[3-9]\d{9}$", "1380013800", False),
        (r"b", "abc", False),
        (r"^a$|^b$", "b", True),
        (r"[一-龥]{2,4}(·[一-龥]+)?", "阿里木·买买提", True),
        (r"\p{IsHan}+", "张三丰", True),
        (r"\p{L}+", "Ωé中", True),
        (r"\P{L}", "7", True),
        (r"\p{Alpha}+", "é", False),
        (r"(?i)abc", "aBC", True),
        (r"a{2}", "aa", True),
        (r"a{2,}", "a", False),
        (r"a{,2}", "a{,2}", True),
        (r"a*?b+?", "aabb", True),
        (r"(?<year>\d{4})-(?:\d\d)", "2026-03", True),
        (r"\bfoo\b.*", "foo bar", True),
        (r"foo\b.*", "foobar", False),
        (r"foo\Bbar", "foobar", True),
        (r".", "\n", False),
        (r"[\s\S]", "\n", True),
        (r"[^a-c\d]+", "xyz", True),
        (r"[a-]+", "a-", True),
        (r"\u4e2d\x41\t", "中A\t", True),
        (r"\.\\\/", ".\\/", True),
        (r"(?=.*\d)(?!.*\s).{6,}", "abcdef1", True),
        (r"^(?=.*\d)(?!.*\s).{6,}$", "abc def1", False),
        (r"", "", True),
        (r"a|", "", True),
    ],
)
def test_notation(pattern: str, text: str, matches: bool) -> None:
    assert matcher(pattern)(text) is matches


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[", "[b-a]", "*", "a**b(", "a{3,1}", "\\", "(?=a", "a(?=b)", "(?<=a)b", r"(a)\1", "a++",
     "(?=a)b|c", r"\p{Nonsense}", r"\u12", "[a&&b]", "a{5000}", "(" * 60 + ")" * 60, "^*"],
)
def test_wrong_or_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError):
        matcher(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(a|aa)+b", "(.*a){12}b", "a*a*a*a*a*a*b"])
def test_hostile_pattern_takes_no_longer_than_others(pattern: str) -> None:
    began = time.perf_counter()
    assert matcher(pattern)("a" * 3000) is False
    assert time.perf_counter() - began < 2


def test_too_long_a_text_is_refused_instead_of_slow() -> None:
    with pytest.raises(ExpressionError) as caught:
        matcher("(a|b|c|d)*")("e" * 2_000_000)
    assert caught.value.code == "FORMS_EXPRESSION_REGEX_COSTLY"


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", "^", "$", r"\b"]),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, st.text(alphabet="ab1 ", max_size=6))
def test_agrees_with_a_backtracking_matcher(pattern: str, text: str) -> None:
    ours = pattern.replace("$", r"$")
    theirs = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert matcher(ours)(text) is bool(theirs.fullmatch(text))
