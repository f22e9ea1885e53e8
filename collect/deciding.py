"""Deciding over saved records: deleting, bringing back, settling conflicts, erasing by law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from collect import forgetting
from collect.outcomes import Erased, Saved
from collect.projection import Conflict
from collect.revision import DELETED, ERASED, Value
from collect.saving import SaveError, SeenRow
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station


def delete(station: Station, table: str, record: str, *, author: str, seen: Mapping[str, str] | None = None) -> Saved:
    """Delete a record and, with it, its repeats' rows; `restore` brings all of them back."""
    station.catch_up()
    row = station.seeing.row(table, record, seen)
    if row is None or row.gone:
        raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": record}))
    return Saved(record, station.write(station.saving(table, author).deletion(table, record, row, True)))


def restore(station: Station, table: str, record: str, *, author: str) -> Saved:
    """Bring a deleted record back, with the rows that left with it."""
    station.catch_up()
    refuse_erased(station, table, record)
    row = station.seeing.row(table, record, None)
    if row is None:
        raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": record}))
    kept = [(table, record, row)] if row.gone or _deletion_contested(station, table, record) else []
    kept += [each for each in _below(row) if _deletion_contested(station, each[0], each[1])]
    saving = station.saving(table, author)
    return Saved(record, station.write(
        saving.change(name, at, {DELETED: None}, its.village, its.heads) for name, at, its in kept
    ))  # fmt: skip


def settle(station: Station, conflict: Conflict, value: Value, *, author: str) -> Saved:
    """Decide a conflict: write `value`, knowing all its candidates.

    For the field `_deleted`, true deletes and None keeps the record. A conflict that got more candidates since it
    was shown stays open for those. Raises SaveError for a record that is not there.
    """
    table, record = conflict.table, conflict.record
    if conflict.field == DELETED:
        decide = delete if value else restore
        return decide(station, table, record, author=author)
    station.catch_up()
    row = station.seeing.row(table, record, None)
    if row is None:
        raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": record}))
    unchanged = conflict in station.conflicts(table, record)
    parents = row.heads if unchanged else tuple(candidate.revision for candidate in conflict.candidates)
    saving = station.saving(table, author)
    moves = conflict.field == station.projection.ledgers[table].village_field and value
    village = str(value) if moves else row.village
    entries = [saving.change(table, record, {conflict.field: value}, village, parents)]
    entries += saving.moved(row, village) if moves else ()
    return Saved(record, station.write(entries))


def erase(station: Station, table: str, record: str, *, reason: str, author: str) -> Erased:
    """Erase a person's data by law: the content of all revisions of a record, deleted or not, and of its rows.

    What stays is who erased it, when and why, and the digests, so that the journal still verifies. Nothing brings
    it back; other stations erase it when they receive this. `reason`: words that say nothing of the person.
    Raises SaveError: COLLECT_ERASE_REASON, COLLECT_ERASE_REASON_PERSONAL, COLLECT_RECORD_ERASED,
    COLLECT_RECORD_UNKNOWN. Source: 个人信息保护法, article 47.
    """
    station.catch_up()
    refuse_erased(station, table, record)
    ledgers = station.projection.ledgers
    row = station.seeing.row(table, record, None) if table in ledgers else None
    if row is None:
        raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": record}))
    rows = ((table, record, row), *_below(row))
    forgetting.check_reason(station, reason, [key[:2] for key in rows])
    station.references.catch_up()  # what the record holds of blobs must be known before its content goes
    before = station.journal.erased()
    saving = station.saving(table, author)
    written = station.write(
        saving.change(name, at, {ERASED: reason.strip()}, its.village, station.journal.heads(at, ledgers[name].names))
        for name, at, its in rows
    )
    records = tuple(key for _, key in station.journal.erased(after=before[-1][0] if before else 0))
    return Erased(records, written, forgetting.scrubbed(station))


def refuse_erased(station: Station, table: str, record: str) -> None:
    """Raise SaveError (COLLECT_RECORD_ERASED) for a record that was erased by law."""
    if record and station.journal.is_erased(record):
        raise SaveError(Problem("COLLECT_RECORD_ERASED", context={"table": table, "record": record}))


def _deletion_contested(station: Station, table: str, record: str) -> bool:
    return any(conflict.field == DELETED for conflict in station.conflicts(table, record))


def _below(row: SeenRow) -> Iterator[tuple[str, str, SeenRow]]:
    """Every row below one: table, record, row."""
    for table, rows in row.rows.items():
        for record, child in rows.items():
            yield table, record, child
            yield from _below(child)
