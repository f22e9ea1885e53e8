"""Give back the rows that failed as a workbook, the reason beside each row and on each cell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collect.importer.gathering import Fault
from collect.importer.layout import Layout
from collect.importer.workbook import Cell, ImportFileError
from forms.problems import Place, Problem

if TYPE_CHECKING:
    from openpyxl import Workbook

REASON = "未导入原因"
_WIDEST = 60


def write_returned(path: Path, layout: Layout, faults: Iterable[Fault], rows: Iterable[int], language: str) -> None:
    """Write the title and header rows and `rows` (0-based) of the sheet to an .xlsx file at `path`.

    Faulty cells are marked red with the reason as a comment; the last column says all reasons of its row in words.
    The file has the shape of the original, so that it can be mended and imported again. ID numbers are text cells.
    Raises ImportFileError where the file cannot be written.
    """
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    book = Workbook()
    sheet: Any = book.active
    sheet.title = layout.sheet.name[:31] or "Sheet1"
    red = PatternFill("solid", fgColor="FFF2B8B5")
    wanted = sorted(set(rows))
    width = max((len(row) for row in layout.sheet.rows[: layout.first]), default=0)
    for number in range(layout.first):
        _write(sheet, number + 1, layout.sheet.rows[number])
    for top, left, bottom, right in layout.sheet.merged:
        if bottom < layout.first:
            sheet.merge_cells(
                start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1
            )
    sheet.cell(layout.first, width + 1, REASON).font = Font(bold=True, color="FFB3261E")
    by_row: dict[int, list[Fault]] = {}
    for fault in faults:
        by_row.setdefault(fault.row, []).append(fault)
    for position, row in enumerate(wanted, start=layout.first + 1):
        # A merged household cell is written out on each row, since its other rows may not come along.
        _write(sheet, position, [layout.sheet.cell(row, column) for column in range(width)])
        # A record comes back whole: a row without a fault of its own says why it is here.
        told = [fault.problem for fault in by_row.get(row, ())] or [Problem("COLLECT_IMPORT_WITH_OTHERS")]
        reasons = list(dict.fromkeys(problem.words(language) for problem in told))
        cell = sheet.cell(position, width + 1, "\n".join(reasons))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        for fault in by_row.get(row, ()):
            if fault.column is not None:
                bad = sheet.cell(position, fault.column + 1)
                bad.fill = red
                bad.comment = Comment(fault.problem.words(language), "cunce", width=320, height=120)
    sheet.column_dimensions[sheet.cell(1, width + 1).column_letter].width = _WIDEST
    sheet.freeze_panes = sheet.cell(layout.first + 1, 1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(book, path)
    except OSError as error:
        context = {"file": path, "reason": error.strerror or error}
        raise ImportFileError(Problem("COLLECT_IMPORT_NOT_RETURNED", Place(file=path.name), context)) from error


def _put(book: Workbook, path: Path) -> None:
    """Write the workbook whole or not at all: the one from last time may be open in Excel, or the disk full."""
    content, temporary = BytesIO(), path.with_name(f".{path.name}.part")
    book.save(content)
    try:
        temporary.write_bytes(content.getvalue())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write(sheet: Any, row: int, cells: Sequence[Cell]) -> None:
    for number, value in enumerate(cells, start=1):
        if value == "":
            continue
        cell = sheet.cell(row, number)
        if isinstance(value, str):
            # Text stays text: an ID number must not turn into a number, nor a name into a formula.
            cell.value = value
            cell.data_type = "s"
            cell.number_format = "@"
        else:
            cell.value = value
