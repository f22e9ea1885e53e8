"""What holds for every expression: only one kind of error, Python's arithmetic, node-sets in order without doubles."""

from __future__ import annotations

import math
import operator
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.expressions import Compiled, Context, ExpressionError, Scope, compile_expression
from forms.expressions.axes import reach
from forms.expressions.documents import read_document
from forms.expressions.functions import FUNCTIONS
from forms.expressions.operators import divide, remainder
from forms.expressions.parser import parse
from forms.expressions.syntax import AXES, NodeTest, Step
from forms.expressions.values import number_text, text_number
from tests.forms.expressions.household import CLOCK, REPEATS, household

WORDS = [
    *FUNCTIONS, *(f"{axis}::" for axis in sorted(AXES)), "/data/member/name", "/data/size", "..", ".", "/", "//", "*",
    "(", ")", "[", "]", ",", "+", "-", "div", "mod", "and", "or", "=", "!=", "<", ">=", "|",
    "'x'", "''", '"2026-03-17"', "1", "0", "2.5", "1e9", "-1", "@", "name", "age", "title", "node()",
    "text()", "current()",
    "true()", "today()", "::", "$",
    "“", "${a}", "中文", "\n", "'0 0;1 1'", "'(a+)+'", "\ufeff", "é",
]
BINARY = ["+", "-", "*", "div", "mod", "=", "!=", "<", "<=", ">", ">=", "and", "or", "|"]


def _calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda name, arguments: f"{name}({', '.join(arguments)})",
        st.sampled_from(sorted(FUNCTIONS)),
        st.lists(inner, max_size=4),
    )


LEAVES = st.sampled_from(
    ["/data/member/name", "/data/member", "/data/size", "../age", ".", "..", "//title", "'x'", "''", "1", "0", "-2.5",
     "1 div 0", "'2026-03-17'", "'0 0'", "'0 0;0 1;1 1'", "true()", "current()", "/data/nothing", "'a b'", "'SHA-1'"]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(BINARY), inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("/data/member[{}]/name".format, inner),
        _calls(inner),
        _calls(inner),
    ),
    max_leaves=10,
)


def _try(source: str, scope: Scope) -> None:
    tree = household()
    node = tree.find("/data/member[2]/age")
    assert node is not None
    context = Context(node, clock=CLOCK)
    try:
        compiled: Compiled = compile_expression(source, scope=scope)
    except ExpressionError:
        return
    for ask in (compiled.evaluate, compiled.string, compiled.number, compiled.boolean):
        try:
            ask(context)
        except ExpressionError:
            continue
    assert (context.node, context.position, context.size) == (node, 1, 1)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=30))
def test_garbage_raises_nothing_but_expression_errors(source: str) -> None:
    _try(source, Scope(context="/data/member/age", repeats=REPEATS))


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.booleans())
def test_well_formed_nonsense_raises_nothing_but_expression_errors(source: str, plain: bool) -> None:
    _try(source, Scope(plain=True) if plain else Scope(context="/data/member/age", repeats=REPEATS))


NUMBERS = st.floats(min_value=-1e6, max_value=1e6) | st.integers(-99, 99).map(float)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_doubles(a: float, b: float, c: float) -> None:
    context = Context(household().root, clock=CLOCK)
    written = [f"({number_text(one)})" if one < 0 else number_text(one) for one in (a, b, c)]
    x, y, z = (text_number(one.strip("()"), context) for one in written)

    def value(source: str) -> float:
        return compile_expression(source.format(*written)).number(context)

    assert (x, y, z) == (a, b, c)
    assert _same(value("{0} + {1} * {2}"), x + y * z)
    assert _same(value("({0} + {1}) * {2}"), (x + y) * z)
    assert _same(value("{0} - {1} - {2}"), x - y - z)
    assert _same(value("{0} div {1}"), divide(x, y))
    assert _same(value("{0} mod {1}"), remainder(x, y))
    assert _same(value("-{0}"), -x)
    if y:
        assert value("{0} div {1}") == x / y
        assert value("{0} mod {1}") == math.fmod(x, y)
    for symbol, apply in (("<", operator.lt), (">=", operator.ge), ("=", operator.eq), ("!=", operator.ne)):
        assert compile_expression(f"{written[0]} {symbol} {written[1]}").boolean(context) is apply(x, y)


@given(st.floats())
def test_numbers_are_written_so_that_they_can_be_read(number: float) -> None:
    context = Context(household().root, clock=CLOCK)
    text = number_text(number)
    assert "e" not in text.lower().replace("infinity", "")
    if math.isfinite(number):
        assert text_number(text, context) == number


STEPS = st.builds(
    "{}::{}".format,
    st.sampled_from(sorted(AXES)),
    st.sampled_from(["node()", "*", "name", "member", "title", "text()"]),
)
PATHS = st.builds("/data{}{}".format, st.sampled_from(["", "/member", "/member/job", "//node()"]),
                  st.lists(STEPS, max_size=3).map(lambda steps: "".join(f"/{step}" for step in steps)))


@settings(max_examples=200, deadline=None)
@given(PATHS, PATHS)
def test_node_sets_are_in_document_order_without_doubles(one: str, other: str) -> None:
    tree = household()
    context = Context(tree.document, clock=CLOCK)
    everything = compile_expression("/descendant-or-self::node()", scope=Scope(plain=True)).nodes(context)
    rank = {id(node): place for place, node in enumerate(everything)}

    def select(source: str) -> list[int]:
        nodes = compile_expression(source, scope=Scope(plain=True)).nodes(context)
        return [rank[id(node)] for node in nodes if id(node) in rank]

    mine, theirs, both = select(one), select(other), select(f"{one} | {other}")
    for found in (mine, theirs, both):
        assert found == sorted(set(found))
    assert set(both) == {*mine, *theirs}


@pytest.mark.parametrize("axis", sorted(AXES))
def test_axes_from_every_node_agree_with_their_definition(axis: str) -> None:
    document = read_document("<a><b><c/>t<d><e/></d></b><!--n--><f g='1'/></a>").document
    nodes = [document, *document.descendants()]
    to = reach(Step(axis, NodeTest("node")), {}, plain=True)
    place = {id(node): number for number, node in enumerate(nodes)}
    for node in nodes:
        found = [place[id(one)] for one in to(node) if id(one) in place]
        above = [place[id(one)] for one in node.ancestors()]
        below = [place[id(one)] for one in node.descendants()]
        here = place[id(node)]
        beside = [place[id(one)] for one in (node.parent.children if node.parent else [node])]
        expected = {
            "self": [here],
            "child": [place[id(one)] for one in node.children],
            "parent": above[:1],
            "ancestor": above,
            "ancestor-or-self": [here, *above],
            "descendant": below,
            "descendant-or-self": [here, *below],
            "following-sibling": [one for one in beside if one > here],
            "preceding-sibling": [one for one in reversed(beside) if one < here],
            "following": [one for one in range(here + 1, len(nodes)) if one not in below],
            "preceding": [one for one in range(here - 1, -1, -1) if one not in above],
            "attribute": [],
            "namespace": [],
        }[axis]
        assert found == expected


_ATOMS = (
    "/data/a", "/data/orx:meta/b", "/data", "/data/and", "/data/div/mod", "/data/text()", "/data/child::x", "/data/*",
    "/data/@x", "/", "//a/b", "a/b/c", "../x/y", "current()/../a/b", "instance('q')/root/item", "(/data/a)/b/c", "1",
    "/data/r[/data/n]/x", "/data/a[1]/b[2]", "/data/a/..", "/data/a//b", "/data/node()", "-/data/a", "/data/a.b",
)  # fmt: skip
_SIGNS = (" + ", " - ", "*", " * ", " and ", " or ", "=", "!=", "<", " div ", " mod ", "|")


@given(st.lists(st.tuples(st.sampled_from(_SIGNS), st.sampled_from(_ATOMS)), min_size=1, max_size=4))
def test_a_path_means_the_same_with_blanks_between_its_steps(parts: list[tuple[str, str]]) -> None:
    source = "".join(text for part in parts for text in part)[len(parts[0][0]) :]
    assert _shape(source) == _shape(re.sub(r"(?<!/)/(?!/)", " / ", source))


def _shape(source: str) -> str:
    """The syntax tree without the places in the source, or the fault."""
    try:
        return re.sub(r", plain='[^']*'", "", re.sub(r"offset=\d+", "", repr(parse(source))))
    except ExpressionError as error:
        return error.code
