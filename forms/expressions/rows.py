"""An element over a row of text, whose cells become nodes only when they are read: ledgers have many columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forms.expressions.nodes import Node


class RowElement(Node):
    """An element whose children are the columns of a row; it is never to be changed."""

    __slots__ = ("_cells", "_row")

    def __init__(self, name: str, row: Mapping[str, str]) -> None:
        self._row = row
        self._cells: list[Node] | None = None
        super().__init__(name)
        self._named = {}

    @property
    def children(self) -> list[Node]:
        """All cells, in the row's order."""
        if self._cells is None:
            self._cells = [self._cell(column) for column in self._row]
        return self._cells

    @children.setter
    def children(self, cells: list[Node]) -> None:
        self._cells = cells or None

    def present(self) -> Sequence[Node]:
        """Return the cells that have been read so far."""
        return [cell for cells in (self._named or {}).values() for cell in cells]

    def named(self, name: str) -> list[Node]:
        """Return the cell of a column, the same node each time; the list must not be changed."""
        return [self._cell(name)] if name in self._row else []

    def _cell(self, column: str) -> Node:
        known = self._named = {} if self._named is None else self._named
        if column not in known:
            cell = Node(column, self._row[column])
            cell.parent = self
            cell.tree = self.tree
            cell.path = f"{self.path}/{column}"
            known[column] = [cell]
        return known[column][0]
