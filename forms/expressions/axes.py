"""The thirteen axes of XPath 1.0 and the node tests, as closures from a node to the nodes it reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forms.expressions.errors import ExpressionError
from forms.expressions.nodes import (
    ATTRIBUTE,
    COMMENT,
    ELEMENT,
    INSTRUCTION,
    NAMESPACE,
    TEXT,
    XML_NAMESPACE,
    Node,
    NodeKind,
)
from forms.expressions.syntax import NodeTest, Step

Reach = Callable[[Node], list[Node]]
_KINDS: dict[str, NodeKind] = {"text": TEXT, "comment": COMMENT, "processing-instruction": INSTRUCTION}


def reach(step: Step, namespaces: Mapping[str, str], *, plain: bool) -> Reach:
    """Return the closure of a step without its predicates: nodes in axis order (nearest first on reverse axes).

    Raises ExpressionError for a prefix that stands for no namespace.
    """
    test = step.test
    if step.axis == "child" and test.type == "name" and test.local != "*":
        return _named_children(test, namespaces, plain=plain)
    axis = _AXES[step.axis]
    if test.type == "node":
        return axis
    matches = _matcher(step.axis, test, namespaces, plain=plain)
    return lambda node: [one for one in axis(node) if matches(one)]


def _named_children(test: NodeTest, namespaces: Mapping[str, str], *, plain: bool) -> Reach:
    local = test.local
    if not plain:
        return lambda node: node.named(local)
    uri = namespace(test.prefix, namespaces)
    return lambda node: [one for one in node.named(local) if one.ns == uri]


def _matcher(axis: str, test: NodeTest, namespaces: Mapping[str, str], *, plain: bool) -> Callable[[Node], bool]:
    local = test.local
    if test.type != "name":
        kind = _KINDS[test.type]
        if local == "*":
            return lambda node: node.kind is kind
        return lambda node: node.kind is kind and node.name == local
    principal = ATTRIBUTE if axis == "attribute" else NAMESPACE if axis == "namespace" else ELEMENT
    if local == "*" and not test.prefix:
        return lambda node: node.kind is principal
    if not test.prefix and (not plain or principal is NAMESPACE):
        return lambda node: node.kind is principal and node.name == local
    uri = namespace(test.prefix, namespaces) if test.prefix or principal is ELEMENT else ""
    if local == "*":
        return lambda node: node.kind is principal and node.ns == uri
    return lambda node: node.kind is principal and node.name == local and node.ns == uri


def namespace(prefix: str, namespaces: Mapping[str, str]) -> str:
    """Return the namespace of a prefix; raises ExpressionError where there is none."""
    uri = namespaces.get(prefix) or (XML_NAMESPACE if prefix == "xml" else None)
    if uri is None and prefix:
        raise ExpressionError("FORMS_EXPRESSION_UNKNOWN_PREFIX", prefix=prefix)
    return uri or ""


def _self(node: Node) -> list[Node]:
    return [node]


def _child(node: Node) -> list[Node]:
    return node.child_nodes()


def _parent(node: Node) -> list[Node]:
    return [] if node.parent is None else [node.parent]


def _ancestor(node: Node) -> list[Node]:
    return list(node.ancestors())


def _ancestor_or_self(node: Node) -> list[Node]:
    return [node, *node.ancestors()]


def _descendant(node: Node) -> list[Node]:
    found: list[Node] = []
    stack = list(reversed(node.child_nodes()))
    while stack:
        one = stack.pop()
        found.append(one)
        if one.kind is ELEMENT:
            stack.extend(reversed(one.child_nodes()))
    return found


def _descendant_or_self(node: Node) -> list[Node]:
    return [node, *_descendant(node)]


def _siblings(node: Node) -> tuple[list[Node], int]:
    """Return the nodes among which this one stands and its place there; attributes have no siblings."""
    if node.parent is None or node.kind in (ATTRIBUTE, NAMESPACE):
        return [node], 0
    beside = node.parent.child_nodes()
    return beside, beside.index(node)


def _following_sibling(node: Node) -> list[Node]:
    beside, place = _siblings(node)
    return beside[place + 1 :]


def _preceding_sibling(node: Node) -> list[Node]:
    beside, place = _siblings(node)
    return beside[:place][::-1]


def _following(node: Node) -> list[Node]:
    found: list[Node] = []
    if node.kind in (ATTRIBUTE, NAMESPACE) and node.parent is not None:
        # An attribute stands before its element's children, none of which descend from it.
        found.extend(_descendant(node.parent))
        node = node.parent
    for one in (node, *node.ancestors()):
        for sibling in _following_sibling(one):
            found.extend(_descendant_or_self(sibling))
    return found


def _preceding(node: Node) -> list[Node]:
    found: list[Node] = []
    if node.kind in (ATTRIBUTE, NAMESPACE) and node.parent is not None:
        node = node.parent
    for one in (node, *node.ancestors()):
        for sibling in _preceding_sibling(one):
            found.extend(reversed(_descendant_or_self(sibling)))
    return found


def _attribute(node: Node) -> list[Node]:
    return list(node.attributes or ())


def _namespace(node: Node) -> list[Node]:
    if node.kind is not ELEMENT:
        return []
    # The same nodes each time, so that a union has each only once.
    known = node.tree.namespaces.get(node) if node.tree is not None else None
    if known is not None:
        return known
    found = []
    for order, (prefix, uri) in enumerate(sorted(node.namespaces().items())):
        one = Node(prefix, uri, kind=NAMESPACE)
        one.parent, one.tree, one.order = node, node.tree, order
        found.append(one)
    if node.tree is not None:
        node.tree.namespaces[node] = found
    return found


_AXES: dict[str, Reach] = {
    "self": _self,
    "child": _child,
    "parent": _parent,
    "ancestor": _ancestor,
    "ancestor-or-self": _ancestor_or_self,
    "descendant": _descendant,
    "descendant-or-self": _descendant_or_self,
    "following-sibling": _following_sibling,
    "preceding-sibling": _preceding_sibling,
    "following": _following,
    "preceding": _preceding,
    "attribute": _attribute,
    "namespace": _namespace,
}
