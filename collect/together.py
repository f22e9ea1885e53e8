"""Several records saved as one press of "save": people who change household keep their record and its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from collect.deciding import refuse_erased
from collect.journal import Entry
from collect.saving import Saving, SeenRow
from forms.definition import Form

if TYPE_CHECKING:
    from collect.household import Plan
    from collect.revision import Revision
    from collect.station import Station


@dataclass(frozen=True, slots=True)
class Relink:
    """Answers to change in one record of another ledger, such as the household it is about."""

    table: str
    record: str
    changes: Mapping[str, Any]


def save_together(
    station: Station,
    form: Form,
    records: Mapping[str, Mapping[str, Any]],
    *,
    author: str,
    relinks: Sequence[Relink] = (),
    seen: Mapping[str, str] | None = None,
) -> tuple[Revision, ...]:
    """Save records of one form and changes elsewhere, all in one transaction under one save id.

    `records`: id -> answers; a row that stood under one of them and now stands under another moves there and keeps
    its id. What the form calculates is worked out anew. `seen`: as for `Station.save`, of all the records. Raises
    SaveError, DatabaseError and LockedError, when nothing was saved, and LedgersBehindError, when it was.
    """
    station.catch_up()
    root = station.shelf.tables(form)[0].name
    saving = station.saving(form, author)
    for record in records:
        refuse_erased(station, root, record)
    rows = {record: station.seeing.row(root, record, seen) for record in records}
    entries: list[Entry] = []
    for record, (answers, row) in _placed(station, saving, form, records, rows).items():
        entries += saving.entries(answers, record, row, None)
    # A row leaves one record and enters the other in the entries of the other: nothing is deleted in between.
    for link in relinks:
        row = station.seeing.row(link.table, link.record, None)
        if row is not None and not row.gone:
            entries.append(saving.of(station.projection.ledgers[link.table]).change(
                link.table, link.record, link.changes, row.village, row.heads
            ))  # fmt: skip
    return station.write(entries)


def _placed(
    station: Station,
    saving: Saving,
    form: Form,
    records: Mapping[str, Mapping[str, Any]],
    rows: Mapping[str, SeenRow | None],
) -> dict[str, tuple[Mapping[str, Any], SeenRow | None]]:
    """Answers with what is calculated, and each record as seen with the rows that will stand under it."""
    from forms.instance import Instance
    from forms.program import compile_form

    program = compile_form(form)
    given: dict[str, Mapping[str, Any]] = {}
    for record, answers in records.items():
        known = {**answers, "_id": record}
        loaded = Instance.load(program, known, clock=station.clock, attachments=station.attachments)
        given[record] = loaded.answers()
    where = _where(saving, given)
    found: dict[str, tuple[Mapping[str, Any], SeenRow | None]] = {}
    for record, answers in given.items():
        row = rows[record] or SeenRow({}, (), "")
        below = {name: dict(theirs) for name, theirs in row.rows.items()}
        for other, theirs in rows.items():
            if other == record or theirs is None:
                continue
            for name, each in theirs.rows.items():
                coming = {at: replace(it, above=other) for at, it in each.items() if where.get((name, at)) == record}
                below.setdefault(name, {}).update(coming)
        staying = {
            name: {at: it for at, it in theirs.items() if where.get((name, at), record) == record}
            for name, theirs in below.items()
        }
        found[record] = (answers, replace(row, rows=staying, fresh=rows[record] is None))
    return found


def _where(saving: Saving, given: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """(table, row) -> the record it stands under afterwards."""
    found: dict[tuple[str, str], str] = {}
    for table in saving.tables:
        if table.parent == saving.tables[0].name:
            for record, answers in given.items():
                rows = (row for row in _rows(answers.get(table.key)) if row.get("_id"))
                found |= {(saving.ledgers.current(table.name), row["_id"]): record for row in rows}
    return found


def _rows(value: Any) -> Iterable[Mapping[str, Any]]:
    return value or ()


def followers(station: Station, form: Form, plan: Plan) -> tuple[Relink, ...]:
    """Return what entries of other ledgers have to say so that they follow people and households of a plan.

    An entry about a person follows the person; one about a household that joined another follows it there, unless its
    ledger allows one entry a household and the other has one: that one stays, and is found in the old household.
    """
    root = station.shelf.tables(form)[0].name
    found: list[Relink] = []
    for ledger in station.projection.ledgers.values():
        homes = [c for c in ledger.table.columns if c.source == f"{root}.csv" and not c.multiple]
        people = [c for c in ledger.table.columns if c.source.startswith(f"{root}_") and not c.multiple]
        if not homes or ledger.parent:
            continue
        home = homes[0].name
        for person, record in plan.moved.items():
            for column in people:
                rows = station.projection.rows(ledger.name, column.name, person)
                found += [Relink(ledger.name, row["_id"], {home: record}) for row in rows if row[home] != record]
        single = homes[0].question.ledger.get("unique") and not people
        for old, new in plan.joined.items():
            if single and next(station.projection.rows(ledger.name, home, new), None) is not None:
                continue
            known = {link.record for link in found}
            rows = station.projection.rows(ledger.name, home, old)
            found += [Relink(ledger.name, row["_id"], {home: new}) for row in rows if row["_id"] not in known]
    return tuple(found)
