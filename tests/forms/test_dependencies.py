"""What expressions read, found from their syntax; and the order of evaluation that follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.dependencies import Outline, Reference, references
from forms.expressions.parser import parse
from forms.ordering import circles, in_order

OUTLINE = Outline(
    {
        "": ("/data",),
        "/data": ("/data/a", "/data/g", "/data/r"),
        "/data/g": ("/data/g/b",),
        "/data/r": ("/data/r/x", "/data/r/y", "/data/r/n"),
        "/data/r/n": ("/data/r/n/z",),
    },
    frozenset({"/data/r", "/data/r/n"}),
)


@pytest.mark.parametrize(
    ("source", "context", "found"),
    [
        ("/data/a + 1", "/data/g/b", {("/data/a", "", "values")}),
        ("../../a", "/data/g/b", {("/data/a", "", "values")}),
        (". > 3", "/data/a", {("/data/a", "", "values")}),
        ("../x", "/data/r/y", {("/data/r/x", "/data/r", "values")}),
        ("/data/r/x", "/data/r/y", {("/data/r/x", "/data/r", "values")}),
        ("/data/r/x", "/data/a", {("/data/r/x", "", "values")}),
        ("../../r/x", "/data/r/y", {("/data/r/x", "", "values")}),
        ("/data/r[1]/x", "/data/r/y", {("/data/r/x", "", "values")}),
        ("position(..)", "/data/r/x", {("/data/r", "", "places")}),
        ("count(/data/r)", "/data/a", {("/data/r", "", "nodes")}),
        ("count(../n)", "/data/r/x", {("/data/r/n", "/data/r", "nodes")}),
        ("sum(../n/z)", "/data/r/x", {("/data/r/n/z", "/data/r", "values")}),
        ("instance('l')/root/item[name = current()/../x]/label", "/data/r/y", {("/data/r/x", "/data/r", "values")}),
        ("//z", "/data/a", {("/data/r/n/z", "", "values")}),
        ("jr:choice-name('1', '/data/a')", "/data/g/b", {("/data/a", "", "values")}),
        ("today()", "/data/a", set()),
    ],
)
def test_what_is_read(source: str, context: str, found: set[tuple[str, str, str]]) -> None:
    assert references(parse(source), OUTLINE, context) == {Reference(*one) for one in found}  # type: ignore[arg-type]


def test_a_group_stands_for_everything_beneath() -> None:
    found = references(parse("string(/data/g)"), OUTLINE, "/data/a")
    assert found == {Reference("/data/g", "", "nodes"), Reference("/data/g/b", "")}


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4)))
def test_each_stands_after_what_it_needs_unless_they_go_in_a_circle(needs: dict[int, list[int]]) -> None:
    keys = sorted({*needs, *(need for found in needs.values() for need in found)})
    order = in_order(keys, needs)
    assert sorted(order) == keys
    together = {key: number for number, circle in enumerate(circles(keys, needs)) for key in circle}
    if not together:
        assert all(order.index(need) < order.index(key) for key, found in needs.items() for need in found)
    for key, found in needs.items():
        assert key not in found or key in together


def test_circles_are_told_apart() -> None:
    needs = {"a": ["b"], "b": ["a"], "c": ["a"], "d": ["d"], "e": ["f"], "f": []}
    assert circles(list(needs), needs) == [["a", "b"], ["d"]]
