"""Pasting: rows copied in Excel or WPS, read as an import reads them and put into the rows of a repeat."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from collect.importer.cells import CellReader, coded
from collect.importer.headers import Vocabulary, plain
from datasette_plugins.capture import lunar
from forms.problems import Place
from forms.tables import Column, Table

if TYPE_CHECKING:
    from forms.attachments import Attachments
    from forms.instance import Instance

MOST_ROWS = 500
_BREAK = re.compile(r"\s*\n\s*")
_BREAK_IN_WORDS = re.compile(r"(?<=[\u3400-\U0003ffff])\s*\n\s*(?=[\u3400-\U0003ffff])")


class TooManyError(ValueError):
    """More rows than `MOST_ROWS`."""


@dataclass(slots=True)
class Pasted:
    """What came of pasting: how many rows, headings that nobody knows, days of the Chinese calendar (ref -> text)."""

    rows: int = 0
    unknown: tuple[str, ...] = ()
    days: dict[str, str] = field(default_factory=dict)


def cells_of(text: str) -> list[list[str]]:
    """Return copied cells: rows at line breaks, cells at tabs; what is quoted may hold both (as spreadsheets copy)."""
    rows = list(csv.reader(text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True), delimiter="\t"))
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows.pop()
    return rows


def columns_of(table: Table) -> tuple[Column, ...]:
    """Return the columns that rows are pasted into where nothing names them: those that people answer, in order."""
    return tuple(
        column
        for column in table.columns
        if column.question.shown
        and column.question.calculate is None
        and column.question.data_type != "binary"
        and "confirms" not in column.question.ledger
    )


def paste(
    instance: Instance, table: Table, cells: Sequence[Sequence[str]], *, row: int, column: str, attachments: Attachments
) -> Pasted:
    """Put cells into a repeat's rows from `row` (from 1) and the question `column` (its path) on; rows are added.

    A first row of headings names the columns itself. Empty cells change nothing; labels become codes; what can't be
    read stands as it is, with its problem. Raises TooManyError.
    """
    headed, unknown = _by_headings(instance, table, cells[0])
    columns = headed or _from(table, column)
    given = cells[1:] if headed else cells
    if len(given) > MOST_ROWS:
        raise TooManyError(len(given))
    done = Pasted(len(given), unknown)
    reader = CellReader(attachments)
    rows = [{"_id": each["_id"]} for each in _rows(instance, table)]
    rows += [{} for _ in range(row - 1 + len(given) - len(rows))]
    for number, line in enumerate(given, start=row):
        for target, cell in zip(columns, line, strict=False):
            if target is not None and cell.strip():
                ref = f"{table.repeat_path}[{number}]{target.path.removeprefix(table.repeat_path)}"
                rows[number - 1][target.name] = _answer(reader, target, cell, ref, done)
    instance.fill({table.key: rows})
    return done


def codes(instance: Instance, tables: Sequence[Table], ref: str, text: str) -> str:
    """Return the codes of the labels that were typed for a question of several choices; what is no label stays."""
    path = instance.state(ref).node.path
    column = next(column for table in tables for column in table.columns if column.path == path)
    return coded(text.strip(), column, Place(name=ref))[0]


def _answer(reader: CellReader, column: Column, cell: str, ref: str, done: Pasted) -> Any:
    if column.question.data_type == "date" and lunar.marked(cell):
        done.days[ref] = cell.strip()
        return lunar.read(cell).day or cell.strip()
    if column.question.itemset is None and "multiline" not in column.question.appearance:
        cell = _BREAK.sub(" ", _BREAK_IN_WORDS.sub("", cell.strip()))  # a cell that was wrapped is still one line
    value, _ = reader.read(cell, column, Place(name=ref))  # what is wrong with it the form says, in its own place
    return cell.strip() if value is None else value


def _rows(instance: Instance, table: Table) -> Iterator[Mapping[str, Any]]:
    yield from instance.answers(relevant_only=False).get(table.key) or ()


def _by_headings(
    instance: Instance, table: Table, line: Sequence[str]
) -> tuple[list[Column | None], tuple[str, ...]]:
    """The column that each cell of a row of headings names, and the headings that name none; nothing for other rows."""
    targets = Vocabulary(instance.program.form).targets
    names = [
        next((one.column for one in targets.get(plain(cell), ()) if one.table.name == table.name), None)
        for cell in line
    ]
    filled = [cell for cell in line if cell.strip()]
    known = sum(name is not None for name in names)
    if not known or 2 * known < len(filled):  # no answer of a person is what a question is called
        return [], ()
    return names, tuple(cell.strip() for cell, name in zip(line, names, strict=True) if name is None and cell.strip())


def _from(table: Table, path: str) -> list[Column | None]:
    columns = columns_of(table)
    first = next((at for at, column in enumerate(columns) if column.path == path), 0)
    return list(columns[first:])
