"""A household as a tree, for trying expressions in the way that a form evaluates them."""

from __future__ import annotations

from datetime import UTC, datetime

from forms.clock import FixedClock
from forms.expressions import Context, Node, Scope, Tree, compile_expression
from forms.expressions.documents import read_document
from forms.expressions.values import Value

REPEATS = frozenset({"/data/member", "/data/member/job"})
CLOCK = FixedClock(datetime(2026, 3, 17, 8, 0, tzinfo=UTC))
XML = """<data><village>430</village><size>7</size><tags>x y</tags><meta><instanceID>u1</instanceID></meta>
<member><name>Li</name><age>40</age><job><title>smith</title></job><job><title>cook</title></job></member>
<member><name>Wang</name><age>12</age><job><title>pupil</title></job></member>
<member><name>Zhao</name><age/></member></data>"""


def household() -> Tree:
    """Return a fresh tree of three members with two, one and no jobs."""
    return read_document(XML, keep_space=False)


def evaluate(source: str, at: str, tree: Tree | None = None) -> Value:
    """Evaluate an expression of the node at a ref (`/data/member[2]/name`) under ODK's rules."""
    tree = tree or household()
    node = tree.find(at)
    assert node is not None
    compiled = compile_expression(source, scope=Scope(context=node.path, repeats=REPEATS))
    return compiled.evaluate(Context(node, clock=CLOCK))


def texts(value: Value) -> list[str]:
    """Return a node-set's string values."""
    assert isinstance(value, list)
    return [node.text() for node in value]


def leaf(name: str, value: str = "") -> Node:
    """Return an element with text."""
    return Node(name, value)
