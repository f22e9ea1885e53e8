"""Secondary instances as the expression engine reads them: a document, and its items by a column's value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from weakref import WeakKeyDictionary

from forms.attachments import SecondaryRows
from forms.expressions import Node, Tree
from forms.expressions.documents import read_document
from forms.expressions.rows import RowElement

_ITEM_PATH = ("root", "item")


class Items:
    """A document of items (`root/item/column`), read when first wanted, with an index for every column asked for."""

    def __init__(self, read: Callable[[], Node]) -> None:
        self._read = read
        self._indexes: dict[tuple[tuple[str, ...], str], dict[str, list[Node]]] = {}

    @cached_property
    def document(self) -> Node:
        """The document node."""
        return self._read()

    def lookup(self, path: tuple[str, ...], column: str, value: str) -> list[Node] | None:
        """Return the elements at `path` whose child `column` is the text `value`, in document order."""
        index = self._indexes.get((path, column))
        if index is None:
            index = self._indexes[path, column] = {}
            for item in self._at(path):
                for cell in item.named(column):
                    found = index.setdefault(cell.text(), [])
                    if not found or found[-1] is not item:
                        found.append(item)
        return index.get(value, [])

    def _at(self, path: tuple[str, ...]) -> list[Node]:
        nodes = [self.document]
        for name in path:
            nodes = [child for node in nodes for child in node.named(name)]
        return nodes


class AttachedItems:
    """An attached file's rows as a document; it is built only where looking up single items is not enough."""

    def __init__(self, rows: SecondaryRows) -> None:
        self._rows = rows
        self._whole: Items | None = None
        self._found: dict[tuple[str, str], list[Node]] = {}

    @property
    def document(self) -> Node:
        """The document node, with every row."""
        return self._items().document

    def lookup(self, path: tuple[str, ...], column: str, value: str) -> list[Node] | None:
        """Return the items whose `column` is the text `value`, in order; None for another path than the items'."""
        if path != _ITEM_PATH:
            return None
        key = (column, value)
        if key not in self._found:
            if self._whole is not None:
                self._found[key] = self._whole.lookup(path, column, value) or []
            else:
                self._found[key] = _document(self._rows.lookup(column, value)).root.named("item")
        return self._found[key]

    def _items(self) -> Items:
        if self._whole is None:
            self._found.clear()
            self._whole = Items(lambda: _document(self._rows.rows()).document)
        return self._whole


_attached: WeakKeyDictionary[SecondaryRows, AttachedItems] = WeakKeyDictionary()


def attached_items(rows: SecondaryRows) -> AttachedItems:
    """Return the items of an attached file's rows, one for as long as the rows object lives."""
    try:
        known = _attached.get(rows)
        if known is None:
            known = _attached[rows] = AttachedItems(rows)
    except TypeError:
        # Rows that can't be remembered by identity (slots, unhashable) are read anew.
        return AttachedItems(rows)
    return known


@lru_cache(maxsize=256)
def internal_items(xml: str) -> Items:
    """Return the items of an internal secondary instance from its XML; shared, never to be changed."""
    return Items(lambda: read_document(xml, keep_space=False).document)


def _document(rows: Iterable[Mapping[str, str]]) -> Tree:
    root = Node("root")
    for row in rows:
        root.append(RowElement("item", row))
    return Tree(root)
