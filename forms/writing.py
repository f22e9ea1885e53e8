"""Sheets of rows written into an Excel workbook, every cell as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from forms.sheets import ROW, Row
from forms.workbook import ILLEGAL

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

# Excel reads _x0041_ as A (Office Open XML, part 1, 22.9.2.19, ST_Xstring).
_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_WIDTHS: Final = {"type": 28, "name": 22, "list_name": 20}


def empty_workbook() -> Workbook:
    """Return a workbook without any sheet."""
    from openpyxl import Workbook

    workbook = Workbook()
    for sheet in list(workbook.worksheets):
        workbook.remove(sheet)
    return workbook


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns of rows in the order that every row keeps to, so far as there is one.

    Rows leave out their empty cells, so that the header's order is the one that all of them agree on.
    """
    found = dict.fromkeys(name for row in rows for name in row if name != ROW)
    before: dict[str, set[str]] = {column: set() for column in found}
    for row in rows:
        names = [name for name in row if name != ROW]
        for left, right in pairwise(names):
            before[right].add(left)
    order: list[str] = []
    waiting = dict(found)
    while waiting:
        # A circle (YAML rows may be written in any order) is cut where the first column stands.
        free = next((column for column in waiting if not before[column] & waiting.keys()), next(iter(waiting)))
        order.append(free)
        del waiting[free]
    return order


def write_sheet(workbook: Workbook, name: str, rows: Sequence[Row]) -> Worksheet:
    """Add a sheet with a header and one line a row; a text that begins with = does not become a formula.

    Changes `workbook`.
    """
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    sheet = workbook.create_sheet(name)
    columns = columns_of(rows)
    for across, column in enumerate(columns, start=1):
        _text(sheet.cell(1, across), column)
        sheet.cell(1, across).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(across)].width = _WIDTHS.get(column, 30)
    for down, row in enumerate(rows, start=2):
        for across, column in enumerate(columns, start=1):
            if row.get(column):
                _text(sheet.cell(down, across), row[column])
                sheet.cell(down, across).alignment = Alignment(vertical="top", wrap_text="\n" in row[column])
    sheet.freeze_panes = "C2" if name == "survey" else "A2"
    return sheet


def _text(cell: Any, text: str) -> None:
    cell.value = _ESCAPE.sub("_x005F_", ILLEGAL.sub("", text))
    cell.data_type = "s"
