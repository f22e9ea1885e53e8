"""Gather the rows of a sheet into records: a household from the rows of its members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from collect.importer.cells import CellReader, label
from collect.importer.headers import Target
from collect.importer.layout import Layout
from forms.problems import Place, Problem


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem of one cell: its 0-based row and column in the sheet (column None: the row as a whole)."""

    row: int
    column: int | None
    problem: Problem


@dataclass(slots=True)
class Gathered:
    """One record as it stands in the file.

    `answers`: Answers of the record, its repeats' rows under their keys. `rows`: the 0-based sheet rows it came from.
    `sources`: (repeat key or "", index of the row in the repeat, column name) -> (sheet row, sheet column), so that a
    rule's verdict finds its cell. `faults`: what reading the cells found.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    sources: dict[tuple[str, int, str], tuple[int, int]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def row_of(self, key: str, index: int) -> int:
        """Return the sheet row of a repeat's row (or of the record itself: its first)."""
        rows = [row for (found, number, _), (row, _) in self.sources.items() if (found, number) == (key, index)]
        return rows[0] if rows else self.rows[0]


def gather(layout: Layout, reader: CellReader) -> Iterator[Gathered]:
    """Yield the records of a sheet in order.

    Where the sheet feeds a repeat, rows belong to one record as long as the record's own key (its `ledger::unique`
    columns, else all its mapped columns) is empty or the same; merged cells count for every row they cover.
    """
    rows = _Rows(layout, reader)
    current: Gathered | None = None
    current_key: tuple[str, ...] = ()
    for row in layout.data_rows():
        key = tuple(rows.text(row, column) for column in rows.keys)
        if current is None or not rows.repeats or (any(key) and key != current_key):
            if current is not None:
                yield current
            current, current_key = Gathered(), key
        current.rows.append(row)
        rows.read(row, current)
    if current is not None:
        yield current


class _Rows:
    """Reads the rows of one sheet into records, column by column of each table."""

    def __init__(self, layout: Layout, reader: CellReader) -> None:
        self.layout = layout
        self.reader = reader
        self.by_table: dict[str, dict[int, Target]] = {}
        for number, target in enumerate(layout.targets):
            if target is not None:
                self.by_table.setdefault(target.table.name, {})[number] = target
        self.tables = {target.table.name: target.table for target in layout.targets if target is not None}
        self.repeats = [name for name, table in self.tables.items() if table.parent]
        roots = [columns for name, columns in self.by_table.items() if not self.tables[name].parent]
        own = roots[0] if roots else {}
        self.keys = {n: target for n, target in own.items() if "unique" in target.column.question.ledger} or own

    def text(self, row: int, column: int) -> str:
        """Return a cell as bare text."""
        return str(self.layout.sheet.cell(row, column)).strip()

    def read(self, row: int, record: Gathered) -> None:
        """Add what a sheet row says to `record`: to its own answers and one row of each repeat it fills."""
        for name, columns in self.by_table.items():
            if not any(self.text(row, number) for number in columns):
                continue
            table = self.tables[name]
            if table.parent:
                rows = record.answers.setdefault(table.key, [])
                rows.append({})
                self._read_into(row, record, (table.key, len(rows) - 1), rows[-1], columns)
            else:
                self._read_into(row, record, ("", 0), record.answers, columns)

    def _read_into(
        self, row: int, record: Gathered, where: tuple[str, int], answers: dict[str, Any], columns: dict[int, Target]
    ) -> None:
        for number, target in columns.items():
            name, cell = target.column.name, self.layout.sheet.cell(row, number)
            was_read, value = self.reader.recall(cell, target.column)
            if not was_read:
                value, problems = self.reader.read(cell, target.column, self._place(row, number))
                record.faults += [Fault(row, number, problem) for problem in problems]
            if value is None:
                continue
            known = answers.get(name)
            if known is not None and known != value:
                context = {"question": label(target.column.question), "value": value, "before": known}
                problem = Problem("COLLECT_IMPORT_HOUSEHOLD_DIFFERS", self._place(row, number), context)
                record.faults.append(Fault(row, number, problem))
                continue
            answers[name] = value
            record.sources[(*where, name)] = (row, number)

    def _place(self, row: int, number: int) -> Place:
        return Place(self.layout.sheet.file, self.layout.sheet.name, row + 1, self.layout.headers[number])
