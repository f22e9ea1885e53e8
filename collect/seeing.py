"""What an author sees of a record: the row and its repeats' rows now, or as they were at the heads noted then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collect.families import merged_record
from collect.journal import Journal
from collect.ledgers import Ledger, heads_of
from collect.merge import known_to, merge
from collect.projection import Projection
from collect.revision import PARENT
from collect.saving import SaveError, SeenRow
from forms.problems import Problem


@dataclass(frozen=True, slots=True)
class Opened:
    """A record as it was opened for editing.

    `seen`: record id -> heads, for the record and its rows; hand it to `save` (a draft may keep it: it is plain text).
    `status`: `ok` or `conflict`; `extra`: answers to questions that the newest version no longer asks.
    """

    table: str
    record: str
    answers: dict[str, Any]
    seen: dict[str, str]
    village: str
    status: str
    updated_at: str
    updated_by: str


class Seeing:
    """Reads records with their rows out of the ledgers, and out of the journal where they have moved on since."""

    def __init__(self, journal: Journal, projection: Projection) -> None:
        self._journal, self._projection = journal, projection

    def opened(self, table: str, record: str) -> Opened:
        """Return a record as it stands now; raises SaveError (COLLECT_RECORD_UNKNOWN)."""
        ledger = self._projection.ledgers.of(table)
        row = None if ledger is None else self._projection.record(ledger.name, record)
        if ledger is None or row is None:
            raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": record}))
        seen: dict[str, str] = {}
        answers = self._answers(ledger, row, seen)
        return Opened(
            ledger.name, record, answers, seen, row["_village"] or "", row["_status"], row["_updated_at"],
            row["_updated_by"],
        )  # fmt: skip

    def _answers(self, ledger: Ledger, row: Mapping[str, Any], seen: dict[str, str]) -> dict[str, Any]:
        """A row with the rows below it, noting the heads of each."""
        seen[row["_id"]] = row["_rev"]
        answers = ledger.answers(row)
        for child in self._projection.children(ledger.name):
            rows = [self._answers(child, each, seen) for each in self._rows_below(child, row["_id"])]
            if rows:
                answers[child.table.key] = rows
        return answers

    def _rows_below(self, child: Ledger, parent: str) -> Iterator[dict[str, Any]]:
        return self._projection.rows(child.name, "_parent", parent)

    def row(self, table: str, record: str, seen: Mapping[str, str] | None) -> SeenRow | None:
        """Return a record as its author saw it (`seen`: record id -> heads, None: as it stands now).

        None for a record that never was. A row that the author did not see is not among the rows.
        """
        ledger = self._projection.ledgers[table]
        found = self._projection.record(table, record)
        if found is None:
            return self._gone(ledger, record, seen)
        return self._seen(ledger, found, seen)

    def _seen(self, ledger: Ledger, row: Mapping[str, Any], seen: Mapping[str, str] | None) -> SeenRow | None:
        """A row that stands in its ledger, as the author saw it."""
        record = row["_id"]
        noted = row["_rev"] if seen is None else seen.get(record)
        if noted is None:
            return None
        if noted == row["_rev"]:
            found = SeenRow(ledger.answers(row), heads_of(noted), row["_village"] or "")
        else:
            found = self._at(ledger, record, noted)
        return replace(found, rows=self._rows(ledger, record, seen))

    def _rows(self, ledger: Ledger, record: str, seen: Mapping[str, str] | None) -> dict[str, dict[str, SeenRow]]:
        """The rows below a record that the author saw, also those that others deleted since."""
        result: dict[str, dict[str, SeenRow]] = {}
        for child in self._projection.children(ledger.name):
            rows = result.setdefault(child.name, {})
            for each in self._rows_below(child, record):
                found = self._seen(child, each, seen)
                if found is not None:
                    rows[each["_id"]] = found
            for each_id in self._projection.hidden_below(child.name, record):
                gone = self._gone(child, each_id, seen)
                if gone is not None and (seen is None or each_id in seen):
                    rows[each_id] = gone
        return result

    def _gone(self, ledger: Ledger, record: str, seen: Mapping[str, str] | None) -> SeenRow | None:
        """A record that is in no ledger now: deleted since the author looked, or before (`gone`), or never there."""
        if seen is not None and record in seen:
            found = self._at(ledger, record, seen[record])
            return replace(found, rows=self._rows(ledger, record, seen))
        merged = merged_record(self._journal, ledger, record)
        if merged is None:
            return None
        gone = merged.deleted is not None
        return SeenRow(merged.fields, merged.heads, merged.village, gone=gone, rows=self._rows(ledger, record, seen))

    def _at(self, ledger: Ledger, record: str, noted: str) -> SeenRow:
        """A row as it was at given heads, out of the journal."""
        revisions = known_to(self._journal.of_record(record, ledger.names), heads_of(noted))
        merged = merge(replace(each, changes=ledger.current(each.changes)) for each in revisions)
        if merged is None:
            raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": ledger.name, "record": record}))
        fields = {name: value for name, value in merged.fields.items() if name != PARENT}
        return SeenRow(fields, heads_of(noted), merged.village)
