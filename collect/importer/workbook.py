"""Read a workbook or CSV file as plain rows of cells, exactly as Excel numbers them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from forms.problems import CunceError, Place, Problem

Cell = str | int | float | bool | date | datetime | time | timedelta
_WORKBOOKS = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
_LARGEST = 200 * 1024 * 1024  # bytes; a ledger of 100,000 rows takes about 20 MB


class ImportFileError(CunceError):
    """The file itself cannot be read; nothing was imported."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: `rows` from Excel's row 1 on, every row as wide as the widest; empty cells are "".

    `merged`: ranges as (top, left, bottom, right), 0-based and inclusive.
    """

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    file: str = ""
    covered: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def cell(self, row: int, column: int) -> Cell:
        """Return a cell (0-based), a merged range's own value standing for all of its cells."""
        top, left = self.covered.get((row, column), (row, column))
        return self.rows[top][left] if top < len(self.rows) and left < len(self.rows[top]) else ""


def read_sheets(path: Path) -> tuple[Sheet, ...]:
    """Read every sheet of an .xlsx, .xls, .ods or .csv file.

    Formulas are not run: their last stored values are read. Raises ImportFileError when the file is missing, too
    large, or not what its ending says.
    """
    ending = path.suffix.lower()
    if not path.is_file():
        raise ImportFileError(Problem("COLLECT_IMPORT_MISSING", Place(file=str(path)), {"file": path.name}))
    size = path.stat().st_size
    if size > _LARGEST:
        raise ImportFileError(Problem("COLLECT_IMPORT_LARGE", Place(file=path.name), {"mb": size // 1048576}))
    if ending in _WORKBOOKS:
        return _read_workbook(path)
    if ending in {".csv", ".txt", ".tsv"}:
        return (_read_csv(path),)
    raise ImportFileError(Problem("COLLECT_IMPORT_KIND", Place(file=path.name), {"ending": ending or "-"}))


def _read_workbook(path: Path) -> tuple[Sheet, ...]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        # Read into memory first: Windows keeps an open file locked, and the cadre has it open in WPS.
        book = CalamineWorkbook.from_object(io.BytesIO(path.read_bytes()))
        sheets = [book.get_sheet_by_index(number) for number in range(len(book.sheet_names))]
        return tuple(
            _sheet(sheet.name, sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or (), path.name)
            for sheet in sheets
        )
    except (CalamineError, OSError, ValueError) as error:
        context = {"file": path.name, "reason": error}
        raise ImportFileError(Problem("COLLECT_IMPORT_BROKEN", Place(file=path.name), context)) from error


def _sheet(
    name: str, rows: list[list[Cell]], ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], file: str
) -> Sheet:
    merged = tuple((top, left, bottom, right) for (top, left), (bottom, right) in ranges)
    covered = {
        (row, column): (top, left)
        for top, left, bottom, right in merged
        # A merged title over thousands of rows and columns would cost memory and tells nothing more.
        for row in range(top, min(bottom, top + 500) + 1)
        for column in range(left, min(right, left + 500) + 1)
    }
    return Sheet(name, rows, merged, file, covered)


def _read_csv(path: Path) -> Sheet:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise ImportFileError(Problem("COLLECT_IMPORT_ENCODING", Place(file=path.name), {"file": path.name}))
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    try:
        read = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))
    except csv.Error as error:
        context = {"file": path.name, "reason": error}
        raise ImportFileError(Problem("COLLECT_IMPORT_BROKEN", Place(file=path.name), context)) from error
    width = max(map(len, read), default=0)
    rows: list[list[Cell]] = [[*row, *[""] * (width - len(row))] for row in read]
    return Sheet(path.stem, rows, file=path.name)


def _delimiter(text: str) -> str:
    first = "\n".join(text.splitlines()[:5])
    return max(",\t;", key=first.count) if any(mark in first for mark in ",\t;") else ","
