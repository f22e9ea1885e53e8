"""The outline of a form page: a filled-in form as parts, groups, repeats, rows and questions with what each shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from datasette_plugins.capture.drawing import Part
from datasette_plugins.capture.markup import html_of
from datasette_plugins.capture.view import Block, View
from datasette_plugins.capture.viewing import TABLE_COLUMNS, Viewing
from datasette_plugins.ui.language import say
from forms.definition import Group, Heading, Node, Question, Repeat
from forms.problems import shown

if TYPE_CHECKING:
    from forms.instance import NodeState

_TABLE_KINDS = frozenset({"text", "number", "decimal", "date", "month", "year", "time", "search", "point", "readout"})
# A section longer than this is opened into its own groups, so that the rail leads somewhere.
_LONG_PART = 40


class Outline:
    """What a page shows of one instance at one moment; everything is looked at once, when it is made."""

    def __init__(self, viewing: Viewing) -> None:
        instance = viewing.instance
        self._viewing = viewing
        self._states: dict[str, NodeState] = {state.ref: state for state in instance.walk()}
        self._rows = _rows(self._states.values())
        self._language = viewing.language
        form = instance.program.form
        self._headings = {heading.paths[0]: heading for heading in form.headings if heading.paths}
        self.blocks = tuple(self._children(form.children, f"/{form.root}"))

    def views(self) -> Iterator[View]:
        """Yield every view in document order."""
        for block in self.blocks:
            if isinstance(block, Block):
                yield from block.views()
            else:
                yield block

    def repeats(self) -> Mapping[str, Block]:
        """Return the repeats by ref, outer ones first."""
        found: dict[str, Block] = {}
        stack: list[View | Block] = list(reversed(self.blocks))
        while stack:
            block = stack.pop()
            if isinstance(block, Block):
                if block.form == "repeat":
                    found[block.view.ref] = block
                stack.extend(reversed(block.children))
        return found

    def named(self, row: str) -> str:
        """Return what people call a row: what it is and its name, or its number."""
        for repeat in self.repeats().values():
            for block in repeat.children:
                if isinstance(block, Block) and block.view.ref == row:
                    return f"{repeat.view.label.striptags()} {block.view.label.striptags() or block.view.value}".strip()
        return ""

    def parts(self) -> tuple[Part, ...]:
        """Return the page's sections: groups at the top (long ones opened), and what stands between them."""
        found: list[Part] = []
        loose: list[View | Block] = []
        for block in self.blocks:
            if isinstance(block, Block) and block.form == "group" and block.view.label:
                found += self._loose(loose)
                loose = []
                found += self._opened(block)
            else:
                loose.append(block)
        return (*found, *self._loose(loose))

    def _opened(self, block: Block) -> Iterator[Part]:
        inner = [child for child in block.children if isinstance(child, Block) and child.form == "group"]
        title = block.view.label
        if len(inner) < 2 or sum(1 for view in block.views() if view.kind) <= _LONG_PART:
            yield Part(_name(title), title, block.children, block.view.ref)
            return
        loose: list[View | Block] = []
        for child in block.children:
            if isinstance(child, Block) and child.form == "group" and child.view.label:
                yield from self._loose(loose, title)
                loose = []
                yield Part(_name(child.view.label), child.view.label, child.children, child.view.ref)
            else:
                loose.append(child)
        yield from self._loose(loose, title)

    def _loose(self, blocks: Sequence[View | Block], title: Markup | None = None) -> Iterator[Part]:
        if not blocks:
            return
        only = blocks[0]
        named = only.view.label if len(blocks) == 1 and isinstance(only, Block) else None
        name = title or named or Markup(say(self._part_name(blocks), self._language))
        yield Part(_name(name), title or Markup(""), tuple(blocks))

    def _part_name(self, blocks: Sequence[View | Block]) -> str:
        if all(isinstance(block, View) and block.kind == "readout" for block in blocks):
            return "capture.part_totals"
        return "capture.part" if blocks[0] is self.blocks[0] else "capture.part_other"

    def _children(self, nodes: Sequence[Node], base: str) -> Iterator[View | Block]:
        at = 0
        while at < len(nodes):
            heading = self._headings.get(nodes[at].path)
            end = at + 1
            while heading is not None and end < len(nodes) and nodes[end].path in heading.paths:
                end += 1
            found = [block for node in nodes[at:end] if (block := self._child(node, f"{base}/{node.name}"))]
            if heading is not None and found:
                yield self._headed(heading, found, f"{base}/#{nodes[at].name}")
            else:
                yield from found
            at = end

    def _child(self, node: Node, ref: str) -> View | Block | None:
        if isinstance(node, Question):
            state = self._states.get(ref)
            return self._viewing.question(state) if state is not None else None
        if isinstance(node, Repeat):
            return self._repeat(node, ref)
        children = tuple(self._children(node.children, ref))
        return Block(self._viewing.frame(node, ref, self._states.get(ref)), "group", children) if children else None

    def _headed(self, heading: Heading, found: Sequence[View | Block], ref: str) -> Block:
        """A group of the body that stands for no node: shown as long as anything beneath it is."""
        label = html_of(heading.label.plain(self._viewing.instance.language))
        on = any((block.view if isinstance(block, Block) else block).on for block in found)
        return Block(View(ref, "group", on, label), "group", tuple(found))

    def _repeat(self, node: Repeat, ref: str) -> Block:
        rows = tuple(self._row(node, state) for state in self._rows.get(ref, ()))
        table = bool(rows) and all(_fits_table(row) for row in rows)
        series = self._states.get(ref)
        can_add = series is not None and series.can_add
        flat = not table and not any(isinstance(each, Repeat) for each in _inside(node))
        grid = flat and ref in self._viewing.tables
        return Block(self._viewing.frame(node, ref, series), "repeat", rows, table, can_add, grid, flat)

    def _row(self, node: Repeat, state: NodeState) -> Block:
        children = tuple(self._children(node.children, state.ref))
        inside = (view for child in children for view in (child.views() if isinstance(child, Block) else (child,)))
        return Block(self._viewing.row(state, inside), "row", children, open=state.can_remove)


def first_text(views: Iterable[View]) -> str:
    """Return the first thing that was typed, by which people know an unfinished record."""
    return next((view.shown or view.value for view in views if view.value and view.kind == "text"), "")


def _inside(node: Repeat | Group) -> Iterator[Node]:
    """The nodes beneath a node."""
    for child in node.children:
        yield child
        if isinstance(child, Repeat | Group):
            yield from _inside(child)


def _rows(states: Iterable[NodeState]) -> dict[str, list[NodeState]]:
    """The rows of every series, in order."""
    found: dict[str, list[NodeState]] = {}
    for state in states:
        if state.kind == "row":
            found.setdefault(state.ref.rpartition("[")[0], []).append(state)
    return found


def _fits_table(row: Block) -> bool:
    views = [child for child in row.children if isinstance(child, View)]
    return (
        len(views) == len(row.children) <= TABLE_COLUMNS
        and all(view.on and (view.kind in _TABLE_KINDS or _brief(view)) for view in views)
    )  # fmt: skip


def _brief(view: View) -> bool:
    return view.kind == "radio" and len(view.options) <= 3 and all(len(option.label) <= 4 for option in view.options)


def _name(label: Markup) -> str:
    return shown(label.striptags())
