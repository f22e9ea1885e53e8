"""The tree of one filled-in form: cells that expressions read as nodes and that know their place in the form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from forms.expressions import Node, Tree
from forms.program import Pattern, Spec
from forms.values import normalise


class Cell(Node):
    """A node of a filled-in form.

    `own`: its own relevance, without its ancestors'. `code`: what is wrong with its value's type, or ''. `row_id`: a
    repeat instance's identifier. `given`: its value came from outside, so that nothing derived replaces it at once.
    """

    __slots__ = ("code", "given", "own", "row_id", "spec")

    def __init__(self, spec: Spec, value: str = "") -> None:
        super().__init__(spec.name, value, prefix=spec.prefix)
        self.spec = spec
        self.own = True
        self.code = ""
        self.row_id = ""
        self.given = False
        self.path = spec.path

    @property
    def above(self) -> Cell | None:
        """The cell around, None for the root."""
        parent = self.parent
        return parent if isinstance(parent, Cell) else None

    @property
    def cells(self) -> list[Cell]:
        """The cells beneath in document order; not to be changed."""
        return cast("list[Cell]", self.children)

    def rows(self, spec: Spec) -> list[Cell]:
        """Return the cells of a node directly beneath, a repeat's instances in order; not to be changed."""
        return cast("list[Cell]", self.named(spec.name))

    def only(self, spec: Spec) -> Cell:
        """Return the one cell of a question or group directly beneath."""
        return self.rows(spec)[0]

    def put_rows(self, repeat: Spec, rows: list[Cell]) -> None:
        """Make `rows` the instances of a repeat directly beneath, in this order; they belong to this tree already."""
        before = [cell for cell in self.cells if cell.spec.index < repeat.index]
        after = [cell for cell in self.cells if cell.spec.index > repeat.index]
        self.children[:] = [*before, *rows, *after]
        self._named = None
        if self.tree is not None:
            self.tree.changed()

    @property
    def ref(self) -> str:
        """The absolute path with a position on every repeat."""
        parts: list[str] = []
        cell: Cell | None = self
        while cell is not None:
            spec = cell.spec
            step = f"{spec.prefix}:{spec.name}" if spec.prefix else spec.name
            parts.append(f"{step}[{cell.position()}]" if spec.kind == "repeat" else step)
            cell = cell.above
        return "/" + "/".join(reversed(parts))

    def attribute_node(self, name: str, prefix: str = "") -> Node:
        """Return an attribute's node, added with an empty value where there is none."""
        if self.attribute(name) is None:
            self.set_attribute(name, "", prefix=prefix)
        return next(one for one in self.attributes or () if one.name == name)

    def around(self, path: str) -> Cell:
        """Return the cell at `path` on the way up (itself included), the root where `path` is ''."""
        cell = self
        while cell.path != path:
            above = cell.above
            if above is None:
                return cell
            cell = above
        return cell

    def reach(self, steps: tuple[str, ...]) -> list[Cell]:
        """Return the cells beneath that a chain of names leads to, in document order."""
        found = [cast("Node", self)]
        for name in steps:
            one = len(found) == 1
            found = found[0].named(name) if one else [child for node in found for child in node.named(name)]
        return cast("list[Cell]", found)

    def everything(self) -> Iterator[Cell]:
        """Yield this cell and all beneath it in document order."""
        yield self
        for child in self.cells:
            yield from child.everything()


def build(pattern: Pattern, tree: Tree | None) -> Cell:
    """Return the cells of a pattern, attached to nothing yet but belonging to `tree`."""
    cell = Cell(pattern.spec, pattern.value)
    cell.tree = tree
    for name, value in pattern.attributes.items():
        prefix, _, bare = name.rpartition(":")
        cell.set_attribute(bare, value, prefix=prefix)
    if pattern.value and pattern.spec.value_kind != "string":
        cell.code = normalise(pattern.value, pattern.spec.data_type)[1]
    children = cell.children
    # The paths are the specs' own and nothing is attached yet: appending one by one would only compute both again.
    for below in pattern.children:
        child = build(below, tree)
        child.parent = cell
        children.append(child)
    return cell


def last_before(container: Cell, repeat: Spec) -> Cell | None:
    """Return the cell after which a repeat's next instance stands: its last one, or what precedes it in the form."""
    last: Cell | None = None
    for cell in container.cells:
        if cell.spec.index > repeat.index:
            break
        last = cell
    return last
