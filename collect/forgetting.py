"""Forgetting: what was erased by law leaves drafts, slices and the files themselves, not only journal and ledgers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from collect import slices
from collect.database import DatabaseError
from collect.saving import SaveError
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station

_TELLING = 2  # from how many characters on an answer in a reason gives somebody away


def begin(station: Station) -> bool:
    """Let drafts and slices go of what was erased since the ledgers last followed; return whether anything was.

    Done before the ledgers follow, whose number is the mark: a crash in between repeats it.
    """
    erased = station.journal.erased(after=station.projection.forgotten())
    if erased:
        records = [record for _, (_, record) in erased]
        drafted = station.drafts.blobs()
        station.drafts.forget(records)
        station.references.forget(records, drafted - station.drafts.blobs())
        slices.forget(station.folder, records)
    return bool(erased)


def scrub(station: Station) -> None:
    """Write the station's files anew where something was erased or left; files in use wait for the next opening."""
    erased = station.journal.erased(after=station.projection.scrubbed())
    left = station.journal.elsewhere.after(station.projection.washed())
    if not (erased or left):
        return
    try:
        station.journal.scrub()
        station.drafts.scrub()
        slices.scrub_slices(station.folder)
        station.projection.scrub(erased[-1][0] if erased else 0, left[-1][0] if left else 0)
    except DatabaseError:
        return  # what was erased is unreachable all the same; `verify` tells that the files hold it still


def scrubbed(station: Station) -> bool:
    """Return whether nothing of what was erased is left in the station's files."""
    return not station.journal.erased(after=station.projection.scrubbed())


def check_reason(station: Station, reason: str, records: Iterable[tuple[str, str]]) -> None:
    """Raise SaveError for a reason that is empty or repeats what the records say of a person: it is kept for good."""
    if not reason.strip():
        raise SaveError(Problem("COLLECT_ERASE_REASON"))
    for table, record in records:
        ledger = station.projection.ledgers[table]
        texts = {
            name
            for name, column in ledger.fields.items()
            if column.stored[0].sql_type == "TEXT" and not column.choices() and not column.source
        }
        for revision in station.journal.of_record(record, ledger.names):
            for name, value in ledger.current(revision.changes).items():
                if name in texts and isinstance(value, str) and len(value) >= _TELLING and value in reason:
                    question = ledger.fields[name].question.label.plain("zh") or name
                    raise SaveError(Problem("COLLECT_ERASE_REASON_PERSONAL", context={"question": question}))
