"""Node-set functions."""

from __future__ import annotations

from typing import Any

from forms.expressions.context import Context
from forms.expressions.errors import ExpressionError
from forms.expressions.functions.registry import function
from forms.expressions.nodes import ELEMENT, Node, in_order
from forms.expressions.values import NAN, to_string


@function("count(nodes)", "number")
def count(context: Context, nodes: list[Node]) -> float:
    """Return the number of nodes."""
    return float(len(nodes))


@function("count-non-empty(nodes)", "number")
def count_non_empty(context: Context, nodes: list[Node]) -> float:
    """Return the number of nodes with text."""
    return float(sum(1 for node in nodes if node.text()))


@function("position(path?)", "number")
def position(context: Context, nodes: list[Node] | None = None) -> float:
    """Return the context position, or a node's place among its siblings of the same name."""
    if nodes is None:
        return float(context.position)
    return float(nodes[0].position()) if nodes else NAN


@function("last()", "number")
def last(context: Context) -> float:
    """Return the context size."""
    return float(context.size)


@function("current()", "nodes")
def current(context: Context) -> list[Node]:
    """Return the node whose expression is evaluated."""
    return [context.current]


@function("instance(string)", "nodes")
def instance(context: Context, key: str) -> list[Node]:
    """Return the document of a secondary instance."""
    secondary = context.instances(key) if context.instances is not None else None
    if secondary is None:
        raise ExpressionError("FORMS_EXPRESSION_UNKNOWN_INSTANCE", id=key)
    return [secondary.document]


@function("name(path?)", "string")
def name(context: Context, nodes: list[Node] | None = None) -> str:
    """Return the first node's name with its prefix."""
    node = _first(context, nodes)
    return "" if node is None else node.qualified


@function("local-name(path?)", "string")
def local_name(context: Context, nodes: list[Node] | None = None) -> str:
    """Return the first node's name without prefix."""
    node = _first(context, nodes)
    return "" if node is None else node.name


@function("namespace-uri(path?)", "string")
def namespace_uri(context: Context, nodes: list[Node] | None = None) -> str:
    """Return the namespace of the first node's name."""
    node = _first(context, nodes)
    return "" if node is None else node.ns


def _first(context: Context, nodes: list[Node] | None) -> Node | None:
    if nodes is None:
        return context.node
    return nodes[0] if nodes else None


@function("id(value)", "nodes")
def id_(context: Context, value: Any) -> list[Node]:
    """Return the elements whose `id` (or xml:id) is among the blank-separated ones given."""
    texts = [node.text() for node in value] if isinstance(value, list) else [to_string(value)]
    wanted = {one for text in texts for one in text.split()}
    found: list[Node] = []
    for node in context.root.descendants():
        if node.kind is ELEMENT and any(one.name == "id" and one.value in wanted for one in node.attributes or ()):
            found.append(node)
    return in_order(found)


@function("lang(string)", "boolean")
def lang(context: Context, language: str) -> bool:
    """Return whether the context node is in a language, by the nearest xml:lang (XPath 1.0, 4.3)."""
    for node in (context.node, *context.node.ancestors()):
        found = next((one.value for one in node.attributes or () if one.name == "lang" and one.prefix == "xml"), None)
        if found is not None:
            return f"{found.lower()}-".startswith(f"{language.lower()}-")
    return False
