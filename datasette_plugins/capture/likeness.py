"""Likeness: records on this laptop that what is being typed may stand for already, told beside the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup, escape

from collect.ledgers import Ledger
from datasette_plugins.ui.language import say
from forms.tables import table_name

if TYPE_CHECKING:
    from collect.duplicates import Suspect
    from collect.station import Station
    from forms.instance import Instance

MOST = 3  # records told beside one question
_HOUSEHOLD = "household"
_Lines = dict[str, list[Markup]]


class Place(NamedTuple):
    """A record or row being typed: its ledger, its id ("" for none), its village, its position as in a ref."""

    ledger: Ledger
    record: str
    village: str
    at: str


class Likeness:
    """Looks for records like the one being filled in; by identity and phone number, through indexes.

    `record`: the one that is changed, or ""; `village`: its code where the form doesn't ask.
    """

    def __init__(self, station: Station, instance: Instance, *, record: str, village: str, language: str) -> None:
        self._station, self._instance = station, instance
        self._record, self._village, self._language = record, village, language
        form = instance.program.form
        root = table_name(form)
        ledgers = station.projection.ledgers
        self._ledgers = {name: one for name, one in ledgers.items() if root in (name, one.parent)}
        self._root = root if root in ledgers else ""
        self._told = {
            column.path
            for ledger in self._ledgers.values()
            for column in ledger.table.columns
            if self._tells(ledger, column.stored[0].name) or column.name == ledger.village_field
        }

    @staticmethod
    def _tells(ledger: Ledger, column: str) -> bool:
        return column in ledger.phones or any(column in together for together in ledger.identities)

    def watches(self, refs: Iterable[str]) -> bool:
        """Tell whether any of these questions tells records apart."""
        return any(re.sub(r"\[\d+\]", "", ref) in self._told for ref in refs)

    def found(self) -> dict[str, Markup]:
        """Return what is to be told, by the ref of the question it concerns."""
        if not self._root:
            return {}
        answers = self._instance.answers()
        root = self._ledgers[self._root]
        village = str(answers.get(root.village_field) or self._village) if root.village_field else self._village
        self._own = {self._record, *(str(row.get("_id")) for _, _, row in self._rows(answers))}
        told: _Lines = {}
        alone = {name: value for name, value in answers.items() if not isinstance(value, list)}
        self._tell(Place(root, self._record, village, ""), alone, told)
        for child, at, row in self._rows(answers):
            self._tell(Place(child, str(row.get("_id") or ""), village, at), row, told)
        for ref, what in self._twice(answers):
            told.setdefault(ref, []).insert(0, what)
        return {ref: Markup("").join(each[:MOST]) for ref, each in told.items() if each}

    def _rows(self, answers: Mapping[str, Any]) -> Iterator[tuple[Ledger, str, Mapping[str, Any]]]:
        """Every row of the form's repeats: its ledger, the position as in a ref, the answers."""
        for ledger in self._ledgers.values():
            for number, row in enumerate(answers.get(ledger.table.key) or (), start=1) if ledger.parent else ():
                yield ledger, f"[{number}]", row

    def _tell(self, place: Place, answers: Mapping[str, Any], told: _Lines) -> None:
        """Add the lines about one record or row."""
        duplicates, ledger = self._station.projection.duplicates(), place.ledger
        known: set[str] = set()
        for one in duplicates.of(ledger.name, answers, place.village, place.record):
            if one.record not in known:
                known |= {one.record, self._above(one)}
                told.setdefault(_ref(ledger, one.columns[-1], place.at), []).append(self._line(ledger, one))
        for phone in ledger.phones:
            number = str(answers.get(phone) or "")
            lines = told.setdefault(_ref(ledger, phone, place.at), [])
            for one in duplicates.reached(number, self._own) if number else ():
                if len(lines) >= MOST:
                    break  # a number that many share is looked up no further
                above = self._above(one)
                if above not in known and above != self._record:
                    known.add(above)
                    lines.append(self._line(ledger, one, phone))

    def _twice(self, answers: Mapping[str, Any]) -> Iterator[tuple[str, Markup]]:
        """Rows of this very form that hold the same identity."""
        for ledger in self._ledgers.values():
            for columns in ledger.identities if ledger.parent else ():
                seen: dict[tuple[Any, ...], int] = {}
                for number, row in enumerate(answers.get(ledger.table.key) or (), start=1):
                    values = tuple(row.get(column) for column in columns)
                    if any(value in (None, "") for value in values):
                        continue
                    if values in seen:
                        slots = {"what": self._what(ledger, columns), "number": seen[values]}
                        words = say("capture.alike_here", self._language, **slots)
                        line = Markup('<span class="alike">{}</span>').format(words)
                        yield _ref(ledger, columns[-1], f"[{number}]"), line
                    seen.setdefault(values, number)

    def _what(self, ledger: Ledger, columns: Iterable[str]) -> str:
        by_name = {each.stored[0].name: each for each in ledger.table.columns}
        labels = (by_name[name].question.label for name in columns if name in by_name)
        return "、".join(label.plain(self._instance.language) for label in labels)

    def _line(self, ledger: Ledger, found: Suspect, phone: str = "") -> Markup:
        """One record: what is the same, who it is, where, and the way to it in another window."""
        where = self._where(found)
        columns = [phone] if phone else [name for name in found.columns if name != "_village"]
        what = say("capture.alike", self._language, what=self._what(ledger, columns))
        link = Markup('<a href="{}" target="_blank" rel="noopener">{}</a>').format(self._address(found), found.label)
        return Markup('<span class="alike">{} {}{}</span>').format(what, link, escape(f"，{where}" if where else ""))

    def _above(self, found: Suspect) -> str:
        """The record that a row belongs to, or the record itself."""
        row = self._row(found.table, found.record)
        return str(row.get("_parent") or found.record)

    def _row(self, table: str, record: str) -> Mapping[str, Any]:
        return next(self._station.projection.labelled(table, "_id", record), {})

    def _where(self, found: Suspect) -> str:
        """Whose household, village and group."""
        row = self._row(found.table, found.record)
        parent = self._station.projection.ledgers[found.table].parent
        above = self._row(parent, str(row.get("_parent") or "")) if parent else row
        village = next((each.name for each in self._station.villages if each.code == found.village), "")
        of = str(above.get("head_name") or above.get("label") or "") if parent else ""
        place = " ".join(part for part in (village, str(above.get("group_name") or "")) if part)
        owner = say("capture.alike_of", self._language, name=of) if of and of != found.label else ""
        return "，".join(part for part in (owner, place) if part)

    def _address(self, found: Suspect) -> str:
        ledger = self._station.projection.ledgers[found.table]
        record, table = self._above(found) if ledger.parent else found.record, ledger.parent or found.table
        if table == _HOUSEHOLD:
            return f"/-/household/{quote(record, safe='')}"
        return f"/-/capture/{quote(ledger.form.form_id, safe='')}/{quote(record, safe='')}"


def _ref(ledger: Ledger, column: str, at: str) -> str:
    """The ref of a column's question, in the row it stands in."""
    path = next(each.path for each in ledger.table.columns if each.stored[0].name == column)
    if not ledger.parent:
        return path
    return f"{ledger.table.repeat_path}{at}{path.removeprefix(ledger.table.repeat_path)}"
