"""The tree that expressions read: documents, elements, attributes and text, mutable and light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum


class NodeKind(IntEnum):
    """The node types of XPath 1.0."""

    DOCUMENT = 0
    ELEMENT = 1
    ATTRIBUTE = 2
    NAMESPACE = 3
    TEXT = 4
    COMMENT = 5
    INSTRUCTION = 6


DOCUMENT, ELEMENT, ATTRIBUTE, NAMESPACE, TEXT, COMMENT, INSTRUCTION = NodeKind
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"


class Node:
    """A node of a tree; an element unless `kind` says otherwise.

    `name` is the local name, `prefix` and `ns` belong to it; `value` is a leaf's text (an attribute's, comment's or
    text's content) and may be assigned at any time. `relevant` is the *effective* relevance: whoever evaluates
    relevance sets it on every node beneath as well. An irrelevant node's text is "", and functions over node-sets
    (count, sum, join ...) leave it out.
    `children` holds elements and, in mixed content, text, comments and instructions: change it by `append`,
    `insert_after` and `remove` only. `path` is the absolute path without positions; set when the node is attached.
    `declared` maps the prefixes declared on an element to namespaces.
    """

    __slots__ = (
        "_named", "_text", "attributes", "children", "declared", "kind", "name", "ns", "order", "parent", "path",
        "prefix", "relevant", "tree", "value",
    )

    def __init__(self, name: str, value: str = "", *, ns: str = "", prefix: str = "", kind: NodeKind = ELEMENT) -> None:
        self.kind = kind
        self.name = name
        self.ns = ns
        self.prefix = prefix
        self.value = value
        self.parent: Node | None = None
        self.children: list[Node] = []
        self.attributes: list[Node] | None = None
        self.declared: Mapping[str, str] | None = None
        self.relevant = True
        self.path = ""
        self.tree: Tree | None = None
        self.order = 0
        self._named: dict[str, list[Node]] | None = None
        self._text: Node | None = None

    def __repr__(self) -> str:
        return f"<Node {self.kind.name.lower()} {self.path or self.qualified} {self.text()[:40]!r}>"

    @property
    def qualified(self) -> str:
        """The name with its prefix, as the XML writes it."""
        return f"{self.prefix}:{self.name}" if self.prefix else self.name

    def text(self) -> str:
        """Return the string value: a leaf's value, else the text of all descendants joined; "" where irrelevant."""
        if not self.relevant:
            return ""
        if not self.children:
            return self.value
        return "".join(
            node.value
            for node in self.descendants()
            if node.kind in (ELEMENT, TEXT) and not node.children and node.relevant
        )

    def named(self, name: str) -> list[Node]:
        """Return the child elements of that local name in document order; the list must not be changed."""
        index = self._named
        if index is None:
            index = self._named = {}
            for child in self.children:
                if child.kind is ELEMENT:
                    index.setdefault(child.name, []).append(child)
        return index.get(name) or _NONE

    def first(self, name: str) -> Node | None:
        """Return the first child element of that local name."""
        found = self.named(name)
        return found[0] if found else None

    def position(self) -> int:
        """Return the 1-based place among the parent's child elements of the same name.

        One that only stands in for a child still to come has the place after the last.
        """
        if self.parent is None or self.kind is not ELEMENT:
            return 1
        beside = self.parent.named(self.name)
        try:
            return beside.index(self) + 1
        except ValueError:
            return len(beside) + 1

    def ancestors(self) -> Iterator[Node]:
        """Yield the parent, its parent, and so on up to the document."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def descendants(self) -> Iterator[Node]:
        """Yield all nodes beneath in document order, without attributes."""
        stack = list(reversed(self.children))
        while stack:
            node = stack.pop()
            yield node
            if node.children:
                stack.extend(reversed(node.children))

    def child_nodes(self) -> list[Node]:
        """Return the children as XPath sees them, a leaf's text as a text node; the list must not be changed."""
        if self.children or not self.value or self.kind is not ELEMENT:
            return self.children
        if self._text is None:
            self._text = Node("", kind=TEXT)
            self._text.parent = self
            self._text.tree = self.tree
        self._text.value = self.value
        self._text.relevant = self.relevant
        return [self._text]

    def present(self) -> Sequence[Node]:
        """Return the children that stand as nodes already: all of them, except where they are made when read."""
        return self.children

    def attribute(self, name: str, ns: str = "") -> str | None:
        """Return an attribute's value, or None."""
        return next((one.value for one in self.attributes or () if one.name == name and one.ns == ns), None)

    def set_attribute(self, name: str, value: str, *, ns: str = "", prefix: str = "") -> None:
        """Set or add an attribute."""
        for one in self.attributes or ():
            if one.name == name and one.ns == ns:
                one.value = value
                return
        added = Node(name, value, ns=ns, prefix=prefix, kind=ATTRIBUTE)
        added.parent = self
        added.tree = self.tree
        self.attributes = [*(self.attributes or ()), added]

    def namespaces(self) -> dict[str, str]:
        """Return the prefixes in scope here and their namespaces; `xml` among them."""
        found: dict[str, str] = {}
        for node in (self, *self.ancestors()):
            for prefix, uri in (node.declared or {}).items():
                found.setdefault(prefix, uri)
        found.setdefault("xml", XML_NAMESPACE)
        return {prefix: uri for prefix, uri in found.items() if uri}

    def append(self, child: Node) -> Node:
        """Add a node (with all beneath it) as the last child, and return it."""
        return self._attach(child, len(self.children))

    def insert_after(self, sibling: Node | None, child: Node) -> Node:
        """Add a node after one of the children (None: as the first), and return it."""
        return self._attach(child, 0 if sibling is None else self.children.index(sibling) + 1)

    def remove(self, child: Node) -> None:
        """Take a child out, with all beneath it; raises ValueError when it is none."""
        self.children.remove(child)
        self._named = None
        child.parent = None
        if self.tree is not None:
            self.tree.changed()

    def clone(self) -> Node:
        """Return a copy with everything beneath it, attached to nothing."""
        copy = Node(self.name, self.value, ns=self.ns, prefix=self.prefix, kind=self.kind)
        copy.relevant = self.relevant
        copy.declared = self.declared
        for one in self.attributes or ():
            copy.set_attribute(one.name, one.value, ns=one.ns, prefix=one.prefix)
        for child in self.children:
            inner = child.clone()
            inner.parent = copy
            copy.children.append(inner)
        return copy

    def _attach(self, child: Node, place: int) -> Node:
        last = place == len(self.children)
        self.children.insert(place, child)
        if not last:
            self._named = None
        elif self._named is not None and child.kind is ELEMENT:
            self._named.setdefault(child.name, []).append(child)
        child.parent = self
        child._settle(self.tree, self.path)
        if self.tree is not None:
            self.tree.changed()
        return child

    def _settle(self, tree: Tree | None, above: str) -> None:
        """Give this node and all beneath it their tree and paths."""
        stack = [(self, above)]
        while stack:
            node, prefix = stack.pop()
            node.tree = tree
            node.path = f"{prefix}/{node.qualified}" if node.kind is ELEMENT else prefix
            for one in node.attributes or ():
                one.tree = tree
                one.path = f"{node.path}/@{one.qualified}"
            stack.extend((child, node.path) for child in node.present())


_NONE: list[Node] = []


class Tree:
    """One document: its nodes, their order, and where single nodes stand.

    `singles` remembers the node of a path that was looked up; every change of structure forgets it. `namespaces`
    holds the namespace nodes of elements that were asked for theirs.
    """

    __slots__ = ("_numbered", "document", "namespaces", "serial", "singles")
    _count = 0

    def __init__(self, root: Node | None = None) -> None:
        Tree._count += 1
        self.serial = Tree._count
        self.document = Node("", kind=DOCUMENT)
        self.document.tree = self
        self.singles: dict[str, Node] = {}
        self.namespaces: dict[Node, list[Node]] = {}
        self._numbered = False
        if root is not None:
            self.document.append(root)

    @property
    def root(self) -> Node:
        """The document element; raises IndexError for an empty document."""
        return next(iter(child for child in self.document.children if child.kind is ELEMENT))

    def changed(self) -> None:
        """Forget what a change of structure makes stale; `append`, `insert_after` and `remove` call it."""
        self.singles.clear()
        self._numbered = False

    def find(self, path: str) -> Node | None:
        """Return the first element at an absolute path; a step may carry a position (`/data/member[2]/name`)."""
        node = self.singles.get(path)
        if node is not None:
            return node
        found: Node | None = self.document
        for step in path.split("/")[1:]:
            if found is None:
                return None
            name, bracket, place = step.partition("[")
            siblings = found.named(name.rpartition(":")[2])
            number = place[:-1]
            index = 0 if not bracket else int(number) - 1 if number.isdecimal() and len(number) < 10 else -1
            found = siblings[index] if 0 <= index < len(siblings) else None
        if found is not None:
            self.singles[path] = found
        return found

    def number(self) -> None:
        """Number the nodes in document order, where a change has made the numbers stale."""
        if self._numbered:
            return
        self.document.order = 0
        for order, node in enumerate(self.document.descendants(), start=1):
            node.order = order
        self._numbered = True


def sort_key(node: Node) -> tuple[int, int, int, int]:
    """Return what sorts nodes into document order, across trees by their age."""
    tree = node.tree
    if tree is None:
        return (0, node.order, 0, 0)
    tree.number()
    owner = node.parent
    if node.kind is ATTRIBUTE and owner is not None:
        return (tree.serial, owner.order, 2, (owner.attributes or []).index(node))
    if node.kind is NAMESPACE and owner is not None:
        return (tree.serial, owner.order, 1, node.order)
    if node.kind is TEXT and owner is not None and owner._text is node:
        return (tree.serial, owner.order, 3, 0)
    return (tree.serial, node.order, 0, 0)


def in_order(nodes: list[Node]) -> list[Node]:
    """Return the nodes once each, in document order."""
    unique = list({id(node): node for node in nodes}.values())
    if len(unique) > 1:
        unique.sort(key=sort_key)
    return unique
