"""How a ledger's tables are shown: titles, column headers and choice labels from its form, in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collect.blobs import is_name
from collect.ledgers import Ledger as Kept
from collect.ledgers import language as language_in
from datasette_plugins.media.address import words as blob_words
from datasette_plugins.ui.language import say
from forms.definition import Form, Group, Repeat
from forms.tables import Column, Table

# The projection's own columns, shown quietly at the end (or not at all).
QUIET = ("_status", "_updated_at", "_updated_by", "_rev", "_village", "_parent", "_extra", "_id")
_SHOWN_QUIET = ("_updated_at", "_updated_by")
_FEW = 9  # columns a list shows until all are asked for
_CHOICES_OF_A_FILTER = 40
_POINT = {"_lat": "point.lat", "_lon": "point.lon", "_altitude": "point.altitude", "_accuracy": "point.accuracy"}


@dataclass(frozen=True, slots=True)
class Shown:
    """How one SQL column is shown.

    `kind`: text, note, number, date, choice, choices (several codes), village, record, point, shape, media or own (the
    projection's). `choices`: code -> label. `target`: the table a record's id points into. `question`: the Answers key.
    `section`: label of the group of questions it stands in.
    """

    name: str
    label: str
    kind: str = "text"
    choices: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    question: str = ""
    searched: bool = False
    section: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """One table as people know it.

    `label`: the column that names a record; `chosen`: what a list shows first; `kept`: the ledger as the projection
    keeps it, None for a table of no form.
    """

    table: str
    form_id: str
    title: str
    parent: str
    columns: Mapping[str, Shown]
    label: str
    chosen: tuple[str, ...]
    kept: Kept | None = None

    def shown(self, name: str) -> Shown:
        """Return how a column is shown, also one that the form does not know."""
        return self.columns.get(name) or Shown(name, name)

    def of_question(self, name: str) -> Shown:
        """Return how the column of an answer is shown (a point's first column, under the question's label)."""
        column = next((column for column in self.columns.values() if column.question == name), self.shown(name))
        if column.kind != "point":
            return column
        return replace(column, kind="text", label=column.label.partition(" · ")[0])

    def listed(self, present: Sequence[str], everything: bool = False) -> tuple[Shown, ...]:
        """Return the columns of a list in order: the naming one, the chosen ones, (all others,) the quiet ones."""
        there = set(present)
        chosen = [name for name in (self.label, *self.chosen) if name in there]
        if everything:
            chosen += [name for name in present if not name.startswith("_")]
        quiet = [name for name in _SHOWN_QUIET if name in there]
        return tuple(self.shown(name) for name in dict.fromkeys([*chosen, *quiet]))

    def answered(self, present: Sequence[str]) -> tuple[Shown, ...]:
        """Return the columns of a record's card: all the form's, in its order."""
        return tuple(self.shown(name) for name in present if not name.startswith("_"))

    @property
    def searched(self) -> tuple[str, ...]:
        """The columns a search looks into: those the form marks, else the naming one."""
        marked = tuple(name for name, column in self.columns.items() if column.searched)
        return marked or ((self.label,) if self.label != "_id" else ())

    @property
    def filters(self) -> tuple[Shown, ...]:
        """The columns that a list offers as drop-down filters: few choices, chosen ones first, at most four."""
        candidates = (*(self.shown(name) for name in self.chosen), *self.columns.values())
        fit = {
            column.name: column
            for column in candidates
            if column.kind in ("choice", "choices", "village") and 1 < len(column.choices) <= _CHOICES_OF_A_FILTER
        }
        return tuple(fit.values())[:4]

    @property
    def links(self) -> tuple[Shown, ...]:
        """The columns that point at records of other ledgers, and at the record above."""
        return tuple(column for column in self.columns.values() if column.kind == "record")


def ledgers_of(
    kept: Mapping[str, Kept],
    language: str,
    *,
    villages: Mapping[str, str],
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Ledger]:
    """Return a station's ledgers by table name, each repeat after its parent.

    `kept`: the projection's ledgers. `language`: zh or en. `villages`: code -> name. `chosen`: table -> columns that a
    list shows first.
    """
    found: dict[str, Ledger] = {}
    older = {name: table.name for table in kept.values() for name in table.table.older_names}
    for name, table in kept.items():
        ledger = _ledger(table, language, villages, older)
        wished = tuple(column for column in (chosen or {}).get(name, ()) if column in ledger.columns)
        found[name] = replace(ledger, chosen=wished) if wished else ledger
    return found


def _ledger(kept: Kept, language: str, villages: Mapping[str, str], older: Mapping[str, str]) -> Ledger:
    table, spoken = kept.table, language_in(kept.form, language)
    sections = _sections(kept.form, spoken)
    columns: dict[str, Shown] = {}
    for column in table.columns:
        section = next((sections[path] for path in _above(column.path) if path in sections), "")
        for shown in _shown(column, language, spoken, villages):
            columns[shown.name] = replace(shown, section=section, target=older.get(shown.target, shown.target))
    for name in QUIET:
        columns[name] = _quiet(name, table.parent, language, villages)
    label = kept.naming[0].stored[0].name if kept.naming else "_id"
    title = _title(kept.form, table, language, spoken)
    return Ledger(table.name, table.form_id, title, table.parent, columns, label, _usual(table, label), kept)


def _sections(form: Form, spoken: str) -> dict[str, str]:
    """Labels of the form's groups by path; a group without one is looked through."""
    labels = {node.path: node.label.plain(spoken).strip() for node in form.walk() if isinstance(node, Group)}
    return {path: label for path, label in labels.items() if label}


def _above(path: str) -> list[str]:
    """The paths above one, nearest first."""
    parts = path.split("/")
    return ["/".join(parts[:number]) for number in range(len(parts) - 1, 1, -1)]


def _quiet(name: str, parent: str, language: str, villages: Mapping[str, str]) -> Shown:
    label = say(f"column.{name}", language)
    if name == "_village":
        return Shown(name, label, "village", villages)
    return Shown(name, label, "record", target=parent) if name == "_parent" and parent else Shown(name, label, "own")


def _title(form: Form, table: Table, language: str, spoken: str) -> str:
    known = say(f"ledger.{table.name}", language)
    if language != "zh" and known != f"ledger.{table.name}":
        return known
    if not table.repeat_path:
        return form.title or form.form_id
    for node in form.walk():
        if isinstance(node, Repeat) and node.path == table.repeat_path:
            return node.label.plain(spoken) or node.name
    return table.name


def _shown(column: Column, language: str, spoken: str, villages: Mapping[str, str]) -> list[Shown]:
    question = column.question
    label = question.label.plain(spoken).strip() or _fallback(column.name, language)
    searched = bool(question.ledger.get("search"))
    if len(column.stored) > 1:
        suffixes = [stored.name[len(column.name) :] for stored in column.stored]
        return [
            Shown(stored.name, f"{label} · {say(_POINT[suffix], language)}", "point", question=column.name)
            for stored, suffix in zip(column.stored, suffixes, strict=True)
        ]
    kind, choices, target = _kind(column, spoken, villages)
    return [Shown(column.stored[0].name, label, kind, choices, target, column.name, searched)]


def _fallback(name: str, language: str) -> str:
    """Calculated columns carry no label of their own."""
    known = say(f"column.{name}", language)
    return name if known == f"column.{name}" else known


def _kind(column: Column, spoken: str, villages: Mapping[str, str]) -> tuple[str, Mapping[str, str], str]:
    question = column.question
    if question.ledger.get("standard") == "village" or column.source == "village.csv":
        return "village", villages, ""
    if column.source.endswith(".csv"):
        return "record", {}, column.source.removesuffix(".csv")
    choices = column.choices(spoken)
    if choices:
        return ("choices" if column.multiple else "choice"), choices, ""
    if question.data_type in ("geotrace", "geoshape"):
        return "shape", {}, ""
    if question.data_type in ("int", "integer", "decimal"):
        return "number", {}, ""
    if question.data_type in ("date", "dateTime", "time"):
        return "date", {}, ""
    if question.data_type == "binary":
        return "media", {}, ""
    return ("note" if "multiline" in question.appearance or question.name.endswith("note") else "text"), {}, ""


def _usual(table: Table, label: str) -> tuple[str, ...]:
    plain = [column.stored[0].name for column in table.columns if len(column.stored) == 1 and not _long(column)]
    return tuple(dict.fromkeys([label, *plain]))[:_FEW]


def _long(column: Column) -> bool:
    return column.question.data_type in ("geotrace", "geoshape", "binary") or "multiline" in column.question.appearance


def shown_value(column: Shown, value: Any, language: str) -> str:
    """Return a stored value as people read it; empty for none. Records' labels are the caller's to find."""
    if value is None or value == "":
        return ""
    text = str(value)
    if column.kind in ("choice", "village"):
        return column.choices.get(text, text)
    if column.kind == "choices":
        return say("list.comma", language).join(column.choices.get(code, code) for code in text.split())
    if column.kind == "shape":
        return say("shape.drawn", language)
    if column.kind == "media" and is_name(text):
        return blob_words(text, language)
    if column.kind == "number" and isinstance(value, float):
        return f"{value:.6g}"
    if column.kind == "point" and isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    if column.name == "_updated_at" or (column.kind == "date" and "T" in text):
        return text[:16].replace("T", " ")
    if column.name == "_status":
        return say(f"status.{text}", language)
    return text
