"""Finding records from the start page: what is shown of each, and those saved here last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datasette_plugins.capture.sitting import title_of
from datasette_plugins.ui.language import say
from forms.definition import Form

if TYPE_CHECKING:
    from collect.search import Hit
    from collect.station import Station

MOST = 20
HOUSEHOLD = "household"
_LATELY = 6  # records saved last
_LOOKED = 100  # revisions looked at for them


def hits(station: Station, text: str, language: str) -> list[dict[str, str]]:
    """Return the records found, each with the page it is opened on, its group and a person's age."""
    if not text:
        return []
    about = _About(station, language)
    return [about.hit(hit.table, hit.record, hit.label, hit) for hit in station.find(text, limit=MOST)
            if hit.table in about.roots]  # fmt: skip


def lately(station: Station, language: str) -> list[dict[str, str]]:
    """Return the records that were saved on this machine last, the latest first, as far as they are still there."""
    about = _About(station, language)
    last = station.journal.held().get(station.id, 0)
    found: dict[str, dict[str, str]] = {}
    for revision in reversed(station.journal.suffix(station.id, max(0, last - _LOOKED))):
        if revision.table not in about.roots:
            continue
        table, record, row = about.top(revision.table, revision.record)
        if row and record not in found:
            found[record] = about.hit(table, record, str(row.get("label") or ""))
        if len(found) == _LATELY:
            break
    return list(found.values())


class _About:
    """What is said of records beside their names."""

    def __init__(self, station: Station, language: str) -> None:
        self._station, self._language = station, language
        self.roots = _roots(station)
        self._villages = {village.code: village.name for village in station.villages}

    def row(self, table: str, record: str) -> Mapping[str, Any]:
        """Return a record as links to it see it, empty where it is gone."""
        return next(iter(self._station.attachments.open(f"{table}.csv").lookup("_id", record)), {})

    def top(self, table: str, record: str) -> tuple[str, str, Mapping[str, Any]]:
        """Return the whole record that a row belongs to: its table, its id, itself; empty where it is gone."""
        row = self.row(table, record)
        for parent in self.roots[table][1]:
            table, record = parent, str(row.get("_parent") or "")
            row = self.row(table, record)
        return table, record, row

    def hit(self, table: str, record: str, label: str, found: Hit | None = None) -> dict[str, str]:
        """Return a record as the lists of the start page show it."""
        form, chain = self.roots[table]
        first = row = self.row(table, record)
        above = ""
        for parent in chain:
            record, row = str(row.get("_parent") or ""), self.row(parent, str(row.get("_parent") or ""))
            above = str(row.get("label") or "")
        home = row if form.form_id == HOUSEHOLD else self._home(row)
        village = found.village if found is not None else str(first.get("_village") or "")
        parts = [
            self._age(first) if chain else "", title_of(form, self._language), above,
            self._villages.get(village, ""), str(home.get("group_name") or ""),
        ]  # fmt: skip
        return {"name": label, "about": " · ".join(part for part in parts if part), "href": _href(form, record)}

    def _home(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        home = str(row.get(HOUSEHOLD) or "")
        return self.row(HOUSEHOLD, home) if home and HOUSEHOLD in self.roots else {}

    def _age(self, row: Mapping[str, Any]) -> str:
        age = str(row.get("age") or "")
        born = str(row.get("birth_date") or "")
        if not age and len(born) == 10:
            today = self._station.clock.now().date().isoformat()
            age = str(int(today[:4]) - int(born[:4]) - (today[5:] < born[5:]))
        return say("capture.start.age", self._language, age=age) if age else ""


def _href(form: Form, record: str) -> str:
    if form.form_id == HOUSEHOLD:
        return f"/-/household/{quote(record, safe='')}"
    return f"/-/capture/{quote(form.form_id, safe='')}/{quote(record, safe='')}"


def _roots(station: Station) -> dict[str, tuple[Form, tuple[str, ...]]]:
    """Table -> its form, and the tables between it and the form's own, nearest first."""
    found: dict[str, tuple[Form, tuple[str, ...]]] = {}
    for form in station.forms():
        parents = {table.name: table.parent for table in station.shelf.tables(form)}
        for name, parent in parents.items():
            chain: list[str] = []
            above = parent
            while above:
                chain.append(above)
                above = parents[above]
            found[name] = (form, tuple(chain))
    return found
