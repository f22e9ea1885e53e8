"""Duplicates decided: two records are told apart for good, or one is merged into the other, as one save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from uuid6 import uuid7

from collect.journal import Entry
from collect.outcomes import Saved
from collect.revision import DELETED, INTO, PARENT, Value, told_apart
from collect.saving import SaveError, Saving, SeenRow
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station

MERGE: Final = "merge:"  # what save ids of a merging begin with


def tell_apart(station: Station, table: str, one: str, other: str, *, author: str) -> Saved:
    """Note that two records are not the same one, so that they are suspected no more; undone like any save.

    Raises SaveError (COLLECT_SAME_RECORD, COLLECT_RECORD_UNKNOWN).
    """
    first, second = sorted((one, other))
    row = _rows(station, table, first, second)[first]
    entry = station.saving(table, author).change(table, first, {told_apart(second): 1}, row.village, row.heads)
    return Saved(first, station.write([entry]))


def merge_into(station: Station, table: str, kept: str, duplicate: str, *, author: str) -> Saved:
    """Merge a duplicate into the record that is kept, as one save, which `collect.undoing.undo` takes back.

    What the kept one leaves empty it takes from the duplicate; where both answer, the kept one's stands, and the
    duplicate's stays in its history. The duplicate's rows move, entries of other ledgers that name it name the kept
    one, and it is deleted, saying into which. Raises SaveError (COLLECT_SAME_RECORD, COLLECT_RECORD_UNKNOWN).
    """
    rows = _rows(station, table, kept, duplicate)
    saving = station.saving(table, author, f"{MERGE}{uuid7()}")
    entries = list(_filled(station, saving, table, kept, rows))
    home, going = rows[kept], rows[duplicate]
    for child, below in going.rows.items():
        for record, row in below.items():
            if not row.gone:
                entries.append(saving.change(child, record, {PARENT: kept}, home.village, row.heads))
                entries += saving.moved(row, home.village)
    entries += _relinked(station, saving, table, kept, duplicate)
    entries.append(saving.change(table, duplicate, {DELETED: True, INTO: kept}, going.village, going.heads))
    return Saved(kept, station.write(entries))


def _rows(station: Station, table: str, *records: str) -> Mapping[str, SeenRow]:
    """The records as they stand; raises SaveError for ones that are not there, or are one and the same."""
    station.catch_up()
    if len(set(records)) < len(records):
        raise SaveError(Problem("COLLECT_SAME_RECORD", context={"record": records[0]}))
    known = table in station.projection.ledgers
    found = {record: station.seeing.row(table, record, None) if known else None for record in records}
    missing = [record for record, row in found.items() if row is None or row.gone]
    if missing:
        raise SaveError(
            Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": record}) for record in missing
        )
    return {record: row for record, row in found.items() if row is not None}


def _filled(
    station: Station, saving: Saving, table: str, kept: str, rows: Mapping[str, SeenRow]
) -> Iterator[Entry]:
    """The entry that gives the kept record what it leaves empty; where it is stays as it is."""
    ledger = station.projection.ledgers[table]
    (other,) = (row for record, row in rows.items() if record != kept)
    home = rows[kept]
    taken: dict[str, Value] = {
        name: value
        for name, value in other.fields.items()
        if name in ledger.fields and name != ledger.village_field and home.fields.get(name) is None
    }
    if taken:
        yield saving.change(table, kept, taken, home.village, home.heads)


def _relinked(station: Station, saving: Saving, table: str, kept: str, duplicate: str) -> Iterator[Entry]:
    """Entries of other ledgers, and of this one, that name the duplicate and are to name the kept record."""
    ledgers = station.projection.ledgers
    for ledger in ledgers.values():
        links = [c for c in ledger.table.columns if ledgers.current(c.source.removesuffix(".csv")) == table]
        changes: dict[str, dict[str, Value]] = {}
        for column in links:
            for row in station.projection.naming(ledger, column, duplicate):
                names = str(row[column.stored[0].name]).split()
                now = dict.fromkeys(kept if name == duplicate else name for name in names)
                changes.setdefault(row["_id"], {})[column.name] = " ".join(now)
        for record, changed in changes.items():
            seen = station.seeing.row(ledger.name, record, None)
            if seen is not None and record not in (kept, duplicate):
                yield saving.of(ledger).change(ledger.name, record, changed, seen.village, seen.heads)
