"""Suspected duplicates: the same identity number, the same number in a village, or the same name and birth date."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from collect.database import Connection, quoted
from collect.ledgers import Ledger

MOST = 200  # groups of one rule that are looked at


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that may be the one being entered: by which columns, where it is, what people call it, its village."""

    table: str
    columns: tuple[str, ...]
    record: str
    label: str
    village: str


@dataclass(frozen=True, slots=True)
class Suspected:
    """Records of one table that hold the same values in columns that should tell records apart."""

    table: str
    columns: tuple[str, ...]
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records of one table that may be the same and were not told apart, in which villages, and by which columns.

    `rules`: the columns of every rule by which they are alike.
    """

    table: str
    one: str
    other: str
    villages: tuple[str, str]
    rules: tuple[tuple[str, ...], ...]


class Duplicates:
    """Looks duplicates up by the indexes that every ledger has on its identities."""

    def __init__(self, db: Connection, ledgers: Mapping[str, Ledger]) -> None:
        self._db, self._ledgers = db, ledgers

    def all(self) -> Iterator[Suspected]:
        """Yield what is suspected at this moment, by table, rule and value."""
        for ledger, columns, found in self._alike():
            open_ones = self._not_apart(ledger.name, [record for record, _, _ in found])
            if open_ones:
                yield Suspected(ledger.name, columns, open_ones)

    def pairs(self) -> tuple[Pair, ...]:
        """Return every two records that are suspected, each pair once, by table and the first rule that found it."""
        rules: dict[tuple[str, str, str], list[tuple[str, ...]]] = {}
        villages: dict[tuple[str, str], str] = {}
        for ledger, columns, found in self._alike():
            villages |= {(ledger.name, record): village for record, _, village in found}
            for one, other in self._open([record for record, _, _ in found], ledger.name):
                rules.setdefault((ledger.name, one, other), []).append(columns)
        return tuple(
            Pair(table, one, other, (villages[table, one], villages[table, other]), tuple(found))
            for (table, one, other), found in rules.items()
        )

    def _alike(self) -> Iterator[tuple[Ledger, tuple[str, ...], list[tuple[str, str, str]]]]:
        """Records that hold the same values, told apart or not: ledger, columns, and each with label and village."""
        for name, ledger in self._ledgers.items():
            for columns in ledger.identities:
                listed = ", ".join(map(quoted, columns))
                filled = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns)
                # What was told apart takes nobody else's place among the first.
                groups = self._db.rows(
                    f"SELECT {listed} FROM {quoted(name)} WHERE {filled} GROUP BY {listed} "  # noqa: S608
                    'HAVING count(*) > 1 ORDER BY 1 LIMIT ? + (SELECT count(*) FROM _apart WHERE "table" = ?)',
                    (MOST, name),
                )
                for values in groups:
                    yield ledger, columns, self._same(ledger, columns, values, "")

    def _open(self, records: Collection[str], table: str) -> list[tuple[str, str]]:
        """The pairs among like records that nobody has told apart."""
        marks = ", ".join("?" * len(records))
        apart = set(
            self._db.rows(
                f'SELECT one, other FROM _apart WHERE "table" = ? AND one IN ({marks})',  # noqa: S608
                (table, *records),
            )
        )
        return [pair for pair in combinations(sorted(records), 2) if pair not in apart]

    def _not_apart(self, table: str, records: Collection[str]) -> tuple[str, ...]:
        """Those of like records that nobody has told apart from every other one."""
        pairs = self._open(records, table)
        return tuple(record for record in records if any(record in pair for pair in pairs))

    def of(self, table: str, answers: Mapping[str, Any], village: str, record: str) -> Iterator[Suspect]:
        """Yield records like the answers to one form, and to each row of its repeats, other than the record itself."""
        ledger = self._ledgers[table]
        given: dict[str, Any] = {"_village": village or None}
        for name, column in ledger.fields.items():
            given |= dict(zip((each.name for each in column.stored), column.store(answers.get(name)), strict=True))
        for columns in ledger.identities:
            values = tuple(given.get(column) for column in columns)
            if None not in values:
                for found in self._same(ledger, columns, values, record):
                    if not record or self._not_apart(table, (record, found[0])):
                        yield Suspect(table, columns, *found)
        for child in self._ledgers.values():
            if child.parent == table:
                for row in answers.get(child.table.key) or ():
                    yield from self.of(child.name, row, village, str(row.get("_id") or ""))

    def reached(self, number: str, apart: Collection[str]) -> Iterator[Suspect]:
        """Yield the records, of any ledger, that hold a mobile number, apart from these."""
        for ledger in self._ledgers.values():
            for phone in ledger.phones:
                for found in self._same(ledger, (phone,), (number,), ""):
                    if found[0] not in apart:
                        yield Suspect(ledger.name, (phone,), *found)

    def _same(
        self, ledger: Ledger, columns: tuple[str, ...], values: tuple[Any, ...], record: str
    ) -> list[tuple[str, str, str]]:
        """Id, label and village of the records that hold these values."""
        where = " AND ".join(f"{quoted(column)} = ?" for column in columns)
        rows = self._db.rows(
            f"SELECT _id, {ledger.label_sql()}, _village FROM {quoted(ledger.name)} "  # noqa: S608
            f"WHERE {where} AND _id <> ? ORDER BY _id LIMIT 20",
            (*values, record),
        )
        return [(found, label or found, village or "") for found, label, village in rows]
