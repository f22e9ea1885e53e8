"""Which saved records break their form's rules: looked through in the background, afterwards only what changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from collect.editing import faults
from datasette_plugins.capture.viewing import plain

if TYPE_CHECKING:
    from collect.station import Station
    from forms.problems import Problem


@dataclass(slots=True)
class Checked:
    """How far the check of one ledger has come: `faulty`: record of the form -> its rows with what is wrong there.

    `arrival`: how much of the journal it has seen; `whole`: every record was looked at.
    """

    arrival: int = 0
    done: int = 0
    total: int = 0
    whole: bool = False
    running: bool = False
    faulty: dict[str, dict[str, tuple[Problem, ...]]] = field(default_factory=dict)

    def words(self, language: str) -> dict[str, str]:
        """Return what is wrong by row id, in words; a record also says what is wrong in rows below it."""
        found: dict[str, str] = {}
        for record, rows in self.faulty.items():
            for row, problems in rows.items():
                found[row] = "；".join(f"{each.place.name}：{plain(each, language)}" for each in problems[:3])
            found.setdefault(record, "；".join(found[row] for row in rows))
        return found


class Checks:
    """The checks of a running Datasette's station, by the table of whole records."""

    def __init__(self) -> None:
        self._found: dict[str, Checked] = {}
        self._lock = threading.Lock()

    def of(self, table: str) -> Checked:
        """Return what is known of a ledger so far."""
        return self._found.setdefault(table, Checked())

    def known(self, table: str) -> int | None:
        """Return how many records of a ledger have errors, None where they were never all looked at."""
        checked = self._found.get(table)
        return len(checked.faulty) if checked is not None and checked.whole else None

    def begin(self, station: Station, table: str) -> Checked:
        """Return what is known of a ledger, and let what changed be looked at in the background."""
        checked = self.of(table)
        with self._lock:
            if checked.running or (checked.whole and checked.arrival == station.journal.arrived()):
                return checked
            checked.running = True
        threading.Thread(target=_check, args=(station, table, checked), name="cunce-check", daemon=True).start()
        return checked


_CHECKS: WeakKeyDictionary[Any, Checks] = WeakKeyDictionary()


def checks_of(datasette: Any) -> Checks:
    """Return the checks of a running Datasette."""
    return _CHECKS.setdefault(datasette, Checks())


def _check(station: Station, table: str, checked: Checked) -> None:
    try:
        upto = station.journal.arrived()
        records = list(dict.fromkeys(_touched(station, table, checked)))
        checked.done, checked.total = 0, len(records)
        for record in records:
            rows = faults(station, table, record)
            if rows:
                checked.faulty[record] = rows
            else:
                checked.faulty.pop(record, None)
            checked.done += 1
        checked.arrival, checked.whole = upto, True
    finally:
        checked.running = False


def _touched(station: Station, table: str, checked: Checked) -> Iterator[str]:
    """The whole records to look at: all, or those that have changed since the last time."""
    ledgers = station.projection.ledgers
    if not checked.whole:
        yield from (row["_id"] for row in station.projection.rows(table))
        return
    holder = {row: record for record, rows in checked.faulty.items() for row in rows}
    for arrival in station.journal.since(checked.arrival):
        revision = arrival.revision
        ledger = ledgers.of(revision.table)
        if ledger is not None and ledger.form.form_id == ledgers[table].form.form_id:
            yield holder.get(revision.record) or _top(station, ledger.name, revision.record)


def _top(station: Station, table: str, row: str) -> str:
    ledgers = station.projection.ledgers
    while ledgers[table].parent:
        found = station.projection.record(table, row)
        if found is None:
            return row
        table, row = ledgers[table].parent, str(found["_parent"])
    return row
