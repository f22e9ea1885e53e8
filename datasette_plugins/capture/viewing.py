"""Viewing: from the state of one node of a filled-in form to what the page shows of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from collect.blobs import media_type
from datasette_plugins.capture.controls import control_of
from datasette_plugins.capture.lookup import initials
from datasette_plugins.capture.markup import html_of
from datasette_plugins.capture.view import Medium, Option, View
from datasette_plugins.ui.language import say
from forms.definition import Form, Group, Question, Repeat
from forms.numbering import numbers_of
from forms.problems import Problem, message, shown

if TYPE_CHECKING:
    from forms.instance import Instance, NodeState

LISTED = frozenset({"radio", "check", "rank", "heads"})
_CONFIRMABLE = ("FORMS_VALUE_CONSTRAINT", "FORMS_STANDARD_")  # rules that a reason may set aside
TABLE_COLUMNS = 5  # questions of a row that still fit a line of a table
# A cell is as high as a line: choices are found by typing, several are written with 、 between them.
_IN_A_CELL = {"radio": "search", "check": "codes", "rank": "codes", "area": "text", "media": "readout"}
_SHOWN_PART = {"month": 7, "year": 4}  # of a date, where only that much is asked
_SHOWABLE = ("image/", "audio/", "video/")
_NO_MEDIA: Mapping[str, str] = {}
_NO_ASIDES: Mapping[str, Markup] = {}


@dataclass(frozen=True, slots=True)
class _Same:
    """A form that a digest beside it already tells from others."""

    form: Form = field(compare=False, hash=False)


class Viewing:
    """Makes the views of one filled-in form.

    `language`: zh or en, for our own words; the form's language is the instance's. `tried`: saving was tried, so what
    is required and missing is shown too. `media`: file name -> blob of what the form's labels show. `asides`: what is
    to be told beside questions, by ref. `tables`: repeats (refs) whose rows are shown as the lines of a table.
    """

    def __init__(
        self, instance: Instance, *, language: str, tried: bool,
        media: Mapping[str, str] = _NO_MEDIA, asides: Mapping[str, Markup] = _NO_ASIDES,
        tables: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.instance = instance
        self.language = language
        self._tried = tried
        self._media = media
        self._asides = asides
        self.tables = tables
        form = instance.program.form
        facts = _facts_by_digest(form.digest, _Same(form)) if form.digest else _facts(form)
        self._numbers, self._narrow, self._reasons = facts
        self._unsaid = _labels_of_calculations(form, instance.language)
        self._answers = {reason: answer for answer, reason in self._reasons.items()}

    def of(self, state: NodeState) -> View | None:
        """Return the view of any node but a row, whose name is made of what stands in it."""
        if isinstance(state.node, Question):
            return self.question(state)
        return self.frame(state.node, state.ref, state)

    def row(self, state: NodeState, views: Iterable[View]) -> View:
        """Return the view of a row: named by its first text, or where nothing is typed, by its first choice."""
        named = [view for view in views if view.kind in ("text", "search")]
        first = next((view for view in named if view.kind == "text"), next(iter(named), None))
        name = "" if first is None else first.shown or first.value  # never by what comes after
        return View(
            state.ref, "row", state.relevant, html_of(shown(name)), value=str(state.position), node=state.node
        )

    def frame(self, node: Group | Repeat, ref: str, state: NodeState | None) -> View:
        """Return the view of a group or repeat."""
        kind = "group" if isinstance(node, Group) else "repeat"
        label = state.label if state is not None else node.label.plain(self.instance.language)
        media = self._shown(state.media) if state is not None else ()
        return View(ref, kind, state is None or state.relevant, html_of(label), node=node, media=media)

    def question(self, state: NodeState) -> View | None:
        """Return the view of a question, None where the page shows nothing of it."""
        node = state.node
        assert isinstance(node, Question)
        choices = state.choices if state.relevant and node.itemset is not None else ()
        pictured = any(choice.media for choice in choices)
        kind = control_of(node, readonly=state.readonly, choices=len(choices), pictured=pictured)
        if self.tables and state.ref.rpartition("[")[0] in self.tables:
            kind = _IN_A_CELL.get(kind, kind)
        label = state.label or self._unsaid.get(node.name, "")
        if not kind or (node.type == "calculate" and not label):
            return None
        number = self._numbers.get(node.path, 0)
        if not state.relevant or (node.path in self._answers and not self._is_wanted(state)):
            # A table's head names the column also where its first row is not asked.
            head = html_of(label) if state.ref.rpartition("[")[0] in self.tables else Markup("")
            return View(state.ref, kind, False, head, node=node, number=number)
        value = "" if state.value is None else str(state.value)
        if kind == "datetime":
            value = value[:16].replace("T", " ")  # as people write it, and as the ledgers show it
        elif kind in _SHOWN_PART and re.match(r"\d{4}-\d\d-\d\d", value):
            value = value[: _SHOWN_PART[kind]]
        chosen = {value, *value.split()} if value and kind not in LISTED else set()
        labels = {choice.name: choice.label for choice in choices if choice.name in chosen} if chosen else {}
        if kind == "codes":
            value = _said(value, labels) or value
        problem = self._told(state)
        return View(
            state.ref, kind, True, html_of(label), self._hint(state), state.required, value,
            shown=_said(value, labels),
            options=tuple(
                Option(choice.name, html_of(choice.label), self._shown(choice.media), initials(choice.label))
                for choice in choices
            ) if kind in LISTED else (),
            problem=self._said(problem, node) if problem is not None else "",
            grave=problem is None or problem.severity == "error",
            node=node, number=number, media=self._shown(state.media), aside=self._asides.get(state.ref, Markup("")),
        )  # fmt: skip

    def along(self, ref: str) -> tuple[str, ...]:
        """Return what looks different with a question: the reason that is given for it, or what it is the reason of."""
        path = re.sub(r"\[\d+\]", "", ref)
        other = self._reasons.get(path) or self._answers.get(path)
        return (f"{ref.rpartition('/')[0]}/{other.rpartition('/')[2]}",) if other else ()

    def _is_wanted(self, state: NodeState) -> bool:
        """A reason is asked for where its answer breaks a rule, and shown where there is one."""
        if state.value:
            return True
        (ref,) = self.along(state.ref)
        answer = self.instance.state(ref)
        return bool(answer.value) and answer.problem is not None and answer.problem.code.startswith(_CONFIRMABLE)

    def _said(self, problem: Problem, node: Question) -> str:
        """A problem's words; where a reason may settle it, that it may, or that it has."""
        words = plain(problem, self.language)
        if node.path not in self._reasons or not problem.code.startswith(_CONFIRMABLE):
            return words
        return words + say("capture.confirmable" if problem.severity == "error" else "capture.confirmed", self.language)

    def settled_by(self, before: View | None, after: View | None) -> bool:
        """Tell whether a question that changed leaves everything else where it is: no table begins or ends with it."""
        if before is None or after is None:
            return before is after
        if before.on != after.on and self.instance.program.form.headings:
            return False
        if (before.on, before.kind, before.options) == (after.on, after.kind, after.options):
            return True
        return not any(re.sub(r"\[\d+\]", "", after.ref).startswith(f"{path}/") for path in self._narrow)

    def _hint(self, state: NodeState) -> Markup:
        parts = [html_of(text) for text in (state.hint, state.guidance) if text.strip()]
        return Markup("<br>").join(parts)

    def _shown(self, media: Mapping[str, str]) -> tuple[Medium, ...]:
        """What is shown beside a label, as far as it is here; a picture's large form is shown by opening it."""
        found = {kind: self._media.get(file.rpartition("/")[2], "") for kind, file in media.items()}
        shown = {kind: blob for kind, blob in found.items() if blob and media_type(blob).startswith(_SHOWABLE)}
        return tuple(Medium(kind, blob) for kind, blob in shown.items())

    def _told(self, state: NodeState) -> Problem | None:
        """What is missing is not held against someone who has not come to it yet."""
        problem = state.problem
        missing = state.required and state.value in ("", None)
        # What only reminds (a question newer than the record) is no reproach.
        return None if problem is not None and problem.severity == "error" and missing and not self._tried else problem


class _Facts(NamedTuple):
    """What is worked out once a form: the numbers on paper, repeats that may be tables, reasons by their answers."""

    numbers: Mapping[str, int]
    narrow: tuple[str, ...]
    reasons: Mapping[str, str]


@lru_cache(maxsize=8)
def _facts_by_digest(digest: str, form: _Same) -> _Facts:
    return _facts(form.form)


def _facts(form: Form) -> _Facts:
    return _Facts(numbers_of(form), _narrow(form), form.reasons())


@lru_cache(maxsize=8)
def _unsaid_by_digest(digest: str, language: str, form: _Same) -> Mapping[str, str]:
    columns = (f"label::{language}", f"label:{language}", "label")
    found: dict[str, str] = {}
    for row in form.form.rows.get("survey", ()):
        if row.get("type", "").strip() == "calculate":
            label = next((row[column] for column in columns if row.get(column)), "")
            name = row.get("name", "")
            # The same name in two groups could be either.
            found[name] = "" if name in found else label
    return found


def _labels_of_calculations(form: Form, language: str) -> Mapping[str, str]:
    """Labels that authors give calculations: an XForm has no place for them, the sheet has."""
    return _unsaid_by_digest(form.digest, language, _Same(form)) if form.rows else {}


def _narrow(form: Form) -> tuple[str, ...]:
    """The repeats whose rows may be short enough for the lines of a table."""
    repeats = (node for node in form.walk() if isinstance(node, Repeat))
    return tuple(
        node.path
        for node in repeats
        if sum(1 for child in node.children if isinstance(child, Question) and child.shown) <= TABLE_COLUMNS
    )


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


def _said(value: str, labels: Mapping[str, str]) -> str:
    if not labels or not value:
        return ""
    if value in labels:
        return labels[value]
    return "、".join(labels.get(code, code) for code in value.split())
