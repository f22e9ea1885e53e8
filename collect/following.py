"""Following at a hub: whoever changed a record without knowing that it had moved changed it where it is now.

Two laptops, one moves a household to another village, the other adds a member: that member belongs to the old village,
whose laptops see the household no more, and nobody of the new one would ever hear of it. The hub, which sees both, says
where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from collect.database import Connection, quoted
from collect.journal import Entry, Journal
from collect.ledgers import Ledger, heads_of
from collect.revision import PARENT, Revision, RevisionId

if TYPE_CHECKING:
    from collect.station import Station

Records = Mapping[str, Iterable[str]]  # table -> records
Stray = tuple[str, str, str, tuple[RevisionId, ...]]  # table, record, the village it belongs to, its heads


def follow(station: Station, revisions: Iterable[Revision], *, author: str) -> int:
    """Let what these revisions concern follow to the village where its record is; return how many did.

    Written as empty revisions of this station in the record's village, on top of all heads: they settle nothing, and
    take the whole past along (`Journal.since`). Raises DatabaseError.
    """
    current = station.projection.ledgers.current
    concerned = _by_table((current(each.table), each.record) for each in _doubtful(tuple(revisions)))
    followed = 0
    while concerned:
        entries: list[Entry] = []
        for table, record, village, heads in station.projection.strays(concerned):
            entries.append(station.saving(table, author).change(table, record, {}, village, heads))
        station.write(entries)
        followed += len(entries)
        concerned = _by_table((current(each.table), each.record) for each in entries)  # rows below what has just moved
    return followed


def _doubtful(revisions: tuple[Revision, ...]) -> Iterator[Revision]:
    """Those that may be astray: changes, and new rows whose record is not known to be new in the same village.

    Of a first push, all new, none is: that spares looking for tens of thousands of rows.
    """
    new = {(each.record, each.village) for each in revisions if not each.parents}
    for each in revisions:
        above = each.changes.get(PARENT)
        if each.parents or (above is not None and (above, each.village) not in new):
            yield each


def strays(db: Connection, journal: Journal, ledgers: Mapping[str, Ledger], records: Records) -> Iterator[Stray]:
    """Yield which of these records, and of the rows below them, are not where they belong, each once."""
    found: dict[tuple[str, str], Stray] = {}
    for table, ids in records.items():
        if table in ledgers:
            given = json.dumps(sorted(ids))
            above, below = ledgers[table].parent, [each for each in ledgers.values() if each.parent == table]
            pairs = [(table, above, "row")] if above else []
            pairs += [(each.name, table, "above") for each in below]
            for stray in (*_apart(db, pairs, given), *_split(db, journal, ledgers[table], given)):
                found.setdefault(stray[:2], stray)
    yield from found.values()


def _apart(db: Connection, pairs: Iterable[tuple[str, str, str]], given: str) -> Iterator[Stray]:
    """Rows in another village than the record above them; (table, table above, which of them is given)."""
    for table, above, named in pairs:
        for record, rev, village in db.rows(
            f"SELECT row._id, row._rev, above._village FROM {quoted(table)} AS row JOIN {quoted(above)} AS above"  # noqa: S608
            f" ON above._id = row._parent WHERE row._village <> above._village"
            f" AND {named}._id IN (SELECT value FROM json_each(?))",
            (given,),
        ):
            yield table, record, village, heads_of(rev)


def _split(db: Connection, journal: Journal, ledger: Ledger, given: str) -> Iterator[Stray]:
    """Records of which somebody wrote something in another village without knowing that they had moved."""
    for record, rev, village in db.rows(
        f"SELECT _id, _rev, _village FROM {quoted(ledger.name)} WHERE _id IN (SELECT value FROM json_each(?))"  # noqa: S608
        " AND _rev LIKE '% %'",
        (given,),
    ):
        heads = heads_of(rev)
        if {each.village for each in journal.of_record(record, ledger.names) if each.id in heads} != {village}:
            yield ledger.name, record, village, heads


def _by_table(keys: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, record in keys:
        found.setdefault(table, set()).add(record)
    return found
