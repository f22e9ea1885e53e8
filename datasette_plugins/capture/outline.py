"""The outline of a form page: a filled-in form as parts, groups, repeats, rows and questions with what each shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from datasette_plugins.capture.controls import control_of
from datasette_plugins.capture.drawing import Part
from datasette_plugins.capture.markup import html_of
from datasette_plugins.capture.view import Block, Option, View
from datasette_plugins.ui.language import say
from forms.definition import Form, Group, Node, Question, Repeat
from forms.numbering import numbers_of
from forms.problems import Problem, message, shown

if TYPE_CHECKING:
    from forms.instance import Instance, NodeState

_LISTED = frozenset({"radio", "check", "rank"})
_TABLE_COLUMNS = 5
_TABLE_KINDS = frozenset({"text", "number", "decimal", "date", "time", "search", "point", "readout"})
# A section longer than this is opened into its own groups, so that the rail leads somewhere.
_LONG_PART = 40


@dataclass(frozen=True, slots=True)
class _Same:
    """A form that a digest beside it already tells from others."""

    form: Form = field(compare=False, hash=False)


class Outline:
    """What a page shows of one instance at one moment.

    `language`: zh or en, for our own words; the form's language is the instance's. `tried`: saving was tried, so what
    is required and missing is shown too.
    """

    def __init__(self, instance: Instance, *, language: str, tried: bool) -> None:
        self._states: dict[str, NodeState] = {state.ref: state for state in instance.walk()}
        self._rows = _rows(self._states.values())
        self._instance = instance
        self._language = language
        self._tried = tried
        form = instance.program.form
        self._numbers = _numbers(form)
        self._unsaid = _labels_of_calculations(form, instance.language)
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

    def first_text(self) -> str:
        """Return the first thing that was typed or chosen from a list, by which people know an unfinished record."""
        return next((view.shown or view.value for view in self.views() if view.value and view.kind == "text"), "")

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
        for node in nodes:
            ref = f"{base}/{node.name}"
            if isinstance(node, Question):
                view = self._question(node, ref)
                if view is not None:
                    yield view
            elif isinstance(node, Group):
                children = tuple(self._children(node.children, ref))
                if children:
                    yield Block(self._frame(node, ref, "group"), "group", children)
            else:
                yield self._repeat(node, ref)

    def _repeat(self, node: Repeat, ref: str) -> Block:
        rows = tuple(self._row(node, state) for state in self._rows.get(ref, ()))
        table = bool(rows) and all(_fits_table(row) for row in rows)
        series = self._states.get(ref)
        return Block(self._frame(node, ref, "repeat"), "repeat", rows, table, series is not None and series.can_add)

    def _row(self, node: Repeat, state: NodeState) -> Block:
        children = tuple(self._children(node.children, state.ref))
        view = View(state.ref, "row", state.relevant, value=str(state.position), node=node)
        block = Block(view, "row", children, open=state.can_remove)
        # Named by its first text, or where nothing is typed, by its first choice: never by what comes after.
        views = [view for view in block.views() if view.kind in ("text", "search")]
        first = next((view for view in views if view.kind == "text"), next(iter(views), None))
        name = "" if first is None else first.shown or first.value
        return replace(block, view=replace(block.view, label=Markup(html_of(shown(name)))))

    def _frame(self, node: Group | Repeat, ref: str, kind: str) -> View:
        state = self._states.get(ref)
        label = state.label if state is not None else node.label.plain(self._instance.language)
        return View(ref, kind, state is None or state.relevant, html_of(label), node=node)

    def _question(self, node: Question, ref: str) -> View | None:
        state = self._states.get(ref)
        if state is None:
            return None
        choices = state.choices if state.relevant and node.itemset is not None else ()
        kind = control_of(node, readonly=state.readonly, choices=len(choices))
        label = state.label or self._unsaid.get(node.name, "")
        if not kind or (node.type == "calculate" and not label):
            return None
        if not state.relevant:
            return View(ref, kind, False, node=node, number=self._numbers.get(node.path, 0))
        value = "" if state.value is None else str(state.value)
        if kind == "datetime":
            value = value[:16].replace("T", " ")  # as people write it, and as the ledgers show it
        chosen = {value, *value.split()} if value and kind not in _LISTED else set()
        labels = {choice.name: choice.label for choice in choices if choice.name in chosen} if chosen else {}
        problem = self._told(state)
        return View(
            ref, kind, True, html_of(label), html_of(state.hint), state.required, value,
            shown=_said(value, labels),
            options=tuple(Option(choice.name, html_of(choice.label)) for choice in choices) if kind in _LISTED else (),
            problem=plain(problem, self._language) if problem is not None else "",
            grave=problem is None or problem.severity == "error",
            node=node, number=self._numbers.get(node.path, 0),
        )  # fmt: skip

    def _told(self, state: NodeState) -> Problem | None:
        """What is missing is not held against someone who has not come to it yet."""
        problem = state.problem
        missing = state.required and state.value in ("", None)
        # What only reminds (a question newer than the record) is no reproach.
        return None if problem is not None and problem.severity == "error" and missing and not self._tried else problem


@lru_cache(maxsize=8)
def _numbers_by_digest(digest: str, form: _Same) -> Mapping[str, int]:
    return numbers_of(form.form)


def _numbers(form: Form) -> Mapping[str, int]:
    """The numbers on the paper form, worked out once a form."""
    return _numbers_by_digest(form.digest, _Same(form)) if form.digest else numbers_of(form)


def _labels_of_calculations(form: Form, language: str) -> Mapping[str, str]:
    """Labels that authors give calculations: an XForm has no place for them, the sheet has."""
    columns = (f"label::{language}", f"label:{language}", "label")
    found: dict[str, str] = {}
    for row in form.rows.get("survey", ()):
        if row.get("type", "").strip() == "calculate":
            label = next((row[column] for column in columns if row.get(column)), "")
            name = row.get("name", "")
            # The same name in two groups could be either.
            found[name] = "" if name in found else label
    return found


def plain(problem: Problem, language: str) -> str:
    """Return a problem's words for the page: what is wrong and what to do, without code or place."""
    entry = message(problem.code)[language]
    context = _Slots({key: shown(value) for key, value in problem.context.items()})
    parts = [entry["what"].format_map(context).strip()]
    # Words of the form's own, and that something is required, say what to do already.
    if not problem.code.endswith("_SAID") and problem.code != "FORMS_VALUE_REQUIRED":
        parts.append(entry["fix"].format_map(context).strip())
    return "。".join(parts) if language == "zh" else ". ".join(parts)


class _Slots(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


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
        len(views) == len(row.children) <= _TABLE_COLUMNS
        and all(view.on and (view.kind in _TABLE_KINDS or _brief(view)) for view in views)
    )  # fmt: skip


def _brief(view: View) -> bool:
    return view.kind == "radio" and len(view.options) <= 3 and all(len(option.label) <= 4 for option in view.options)


def _said(value: str, labels: Mapping[str, str]) -> str:
    if not labels or not value:
        return ""
    if value in labels:
        return labels[value]
    return "、".join(labels.get(code, code) for code in value.split())


def _name(label: Markup) -> str:
    return shown(label.striptags())
