"""Prove that nothing saved was lost: every answer that stood in a laptop's ledgers must be found at the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collect.revision import Value
from collect.station import Station


@dataclass(frozen=True, slots=True)
class Answer:
    """One saved answer: table, record, field and value, as a laptop's ledger showed it."""

    table: str
    record: str
    field: str
    value: Value


def saved_answers(station: Station) -> frozenset[Answer]:
    """Return every answer that a station's ledgers show now."""
    found = set()
    for table, ledger in station.projection.ledgers.items():
        for row in station.projection.rows(table):
            answers = ledger.answers(row)
            found |= {Answer(table, row["_id"], name, value) for name, value in answers.items() if name != "_id"}
    return frozenset(found)


def lost(hub: Station, answers: frozenset[Answer]) -> tuple[Answer, ...]:
    """Return the answers of which the hub has no trace.

    A trace is: the ledger shows it; it is a candidate of an open conflict; or the record's history has it and a later
    revision, whose author had seen it, says otherwise.
    """
    shown = saved_answers(hub)
    contested = {
        Answer(conflict.table, conflict.record, conflict.field, candidate.value)
        for conflict in hub.conflicts()
        for candidate in conflict.candidates
    }
    missing = (answer for answer in answers if answer not in shown and answer not in contested)
    return tuple(answer for answer in missing if not _replaced(hub, answer))


def _replaced(hub: Station, answer: Answer) -> bool:
    history = hub.history(answer.record)
    by_id = {revision.id: revision for revision in history}
    writers = [one for one in history if answer.field in one.changes]
    said = {one.id for one in writers if one.changes[answer.field] == answer.value}
    return any(one.id not in said and said & set(_ancestors(one.parents, by_id)) for one in writers)


def _ancestors(parents: tuple[Any, ...], by_id: Mapping[Any, Any]) -> Iterator[Any]:
    waiting, seen = list(parents), set()
    while waiting:
        one = waiting.pop()
        if one in seen or one not in by_id:
            continue
        seen.add(one)
        yield one
        waiting.extend(by_id[one].parents)
