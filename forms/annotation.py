"""What checking found, written back into the author's workbook: comments and fills at the cells, a sheet of all."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from forms.checks.authored import COLUMNS
from forms.problems import Place, Problem
from forms.sheets import EXCEL, ROW, Row, read_bytes, read_sheets
from forms.vocabulary import SHEETS, column_of
from forms.workbook import ILLEGAL, open_workbook
from forms.writing import empty_workbook, write_sheet
from forms.xform.document import FormError

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

# Excel allows no slash in a sheet's name.
SUMMARY: Final = "检查结果 Check"
AUTHOR: Final = "村册 Cunce"
# Between a comment of the form's author and ours.
_BELOW: Final = "\n\n── 村册 Cunce ──\n"
_COLOURS: Final = {"error": "FFFFC7CE", "warning": "FFFFEB9C"}
_SEVERITY: Final = {"error": {"zh": "错误", "en": "error"}, "warning": {"zh": "提醒", "en": "warning"}}
_HEADER: Final = {
    "zh": ("程度", "表", "行", "列", "单元格", "name", "问题", "怎么改", "代码"),
    "en": ("severity", "sheet", "row", "column", "cell", "name", "what is wrong", "how to mend it", "code"),
}
_WIDTHS: Final = (9, 16, 7, 24, 9, 20, 60, 60, 34)
# The styles of a workbook larger than this, unpacked, are not worth the memory.
_LARGEST_COPY: Final = 48 * 1024 * 1024


@dataclass(slots=True)
class _Place:
    """Where a problem stands in the workbook that is written: a sheet and a cell, if it has one."""

    sheet: Worksheet | None = None
    cell: str = ""


@dataclass(slots=True)
class _Grid:
    """A workbook with, for each of the form's sheets, its header's columns and where its rows stand."""

    workbook: Workbook
    sheets: dict[str, Worksheet] = field(default_factory=dict)
    rows: dict[tuple[str, int], int] = field(default_factory=dict)  # where they differ from the row numbers

    def place(self, where: Place) -> _Place:
        """Return a place's cell: the header's where it names no row, the row's first where it names no column."""
        sheet = self.sheets.get(where.sheet)
        if sheet is None:
            return _Place()
        row = 1 if where.row is None else self.rows.get((where.sheet, where.row), where.row)
        cell = sheet.cell(min(max(row, 1), 1_048_576), self._column(sheet, where))
        for merged in sheet.merged_cells.ranges:
            if cell.coordinate in merged:
                return _Place(sheet, merged.start_cell.coordinate)
        return _Place(sheet, cell.coordinate)

    def _column(self, sheet: Worksheet, where: Place) -> int:
        header = {
            " ".join(str(cell.value).split()): cell.column for cell in reversed(sheet[1]) if cell.value is not None
        }
        if where.column in header:
            return int(header[where.column])
        double_colon = any("::" in name for name in header)
        for name, column in header.items():
            if column_of(name, COLUMNS.get(where.sheet, {}), double_colon=double_colon)[0] == where.column != "":
                return int(column)
        return 1


def annotate_file(path: Path, problems: Sequence[Problem], language: str) -> bytes:
    """Return a form file's workbook with every problem at its cell and the sheet `检查结果 Check`.

    An `.xlsx` keeps its author's formatting; for other kinds, and for a workbook that can only be read as text, one is
    made of the rows; a file without readable rows gives the list alone. `language`: zh or en. Changes nothing on disk.
    """
    grid = _copied(path)
    if grid is not None:
        return _annotated(grid, problems, language)
    try:
        sheets: Mapping[str, Sequence[Row]] = read_sheets(path)
    except FormError:
        sheets = {}
    return annotate_rows(sheets, problems, language)


def annotate_rows(sheets: Mapping[str, Sequence[Row]], problems: Sequence[Problem], language: str) -> bytes:
    """Return a workbook made of rows with every problem at its cell; otherwise as `annotate_file`."""
    grid = _Grid(empty_workbook())
    for name in SHEETS:
        if sheets.get(name):
            grid.sheets[name] = write_sheet(grid.workbook, name, sheets[name])
            for down, row in enumerate(sheets[name], start=2):
                grid.rows[name, int(row.get(ROW, down))] = down
    return _annotated(grid, problems, language)


def _copied(path: Path) -> _Grid | None:
    """The author's own workbook, or None where it is none, or too large or too odd to be copied with its styles."""
    from openpyxl import load_workbook

    if path.suffix.lower() not in EXCEL:
        return None
    try:
        data = read_bytes(path)
        open_workbook(data, path.name)
        if not _harmless(data):
            return None
        workbook = load_workbook(io.BytesIO(data))
    except Exception:
        # An .xls, or one of the many workbooks whose styles openpyxl stumbles over; the rows can still be read.
        return None
    grid = _Grid(workbook)
    for sheet in workbook.worksheets:
        if sheet.title.strip().lower() in SHEETS:
            grid.sheets.setdefault(sheet.title.strip().lower(), sheet)
        _clean(sheet)
    if SUMMARY in workbook.sheetnames:
        workbook.remove(workbook[SUMMARY])
    return grid


def _harmless(data: bytes) -> bool:
    """Whether a workbook's parts are of a bearable size and declare no entities."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = [part for part in archive.infolist() if part.filename.endswith((".xml", ".rels"))]
        if sum(part.file_size for part in parts) > _LARGEST_COPY:
            return False
        for part in parts:
            with archive.open(part) as stream:
                if b"<!DOCTYPE" in stream.read(4096):
                    return False
    return True


def _clean(sheet: Worksheet) -> None:
    """Take away what an earlier check wrote."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    for row in sheet.iter_rows():
        for cell in row:
            if cell.comment is not None and cell.comment.author.endswith(AUTHOR):
                text, kept, _ = cell.comment.text.partition(_BELOW)
                author = cell.comment.author.removesuffix(f" + {AUTHOR}")
                cell.comment = Comment(text, author) if kept else None
                if cell.fill.start_color.rgb in _COLOURS.values():
                    cell.fill = PatternFill()


def _annotated(grid: _Grid, problems: Sequence[Problem], language: str) -> bytes:
    placed = [(grid.place(problem.place), problem) for problem in problems]
    _summarise(grid.workbook, placed, language)
    marked = [(place, problem) for place, problem in placed if place.sheet is not None]
    marked.sort(key=lambda pair: (pair[0].sheet.title if pair[0].sheet else "", pair[0].cell))
    for _, group in groupby(marked, key=lambda pair: (pair[0].sheet, pair[0].cell)):
        found = list(group)
        _mark(found[0][0], [problem for _, problem in found], language)
    content = io.BytesIO()
    grid.workbook.save(content)
    return content.getvalue()


def _mark(place: _Place, problems: Sequence[Problem], language: str) -> None:
    """Fill a cell and put the problems' words beside it, below its author's own comment."""
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    if place.sheet is None:
        return
    cell: Any = place.sheet[place.cell]
    worst = "error" if any(problem.severity == "error" for problem in problems) else "warning"
    cell.fill = PatternFill("solid", start_color=_COLOURS[worst])
    texts = [f"{_SEVERITY[problem.severity][language]}: {_said(problem, language)}" for problem in problems]
    text, author = ILLEGAL.sub("", "\n\n".join(texts))[:8000], AUTHOR
    if cell.comment is not None and cell.comment.text:
        text, author = f"{cell.comment.text}{_BELOW}{text}", f"{cell.comment.author} + {AUTHOR}"
    cell.comment = Comment(text, author, height=60 + 34 * min(len(texts), 12), width=380)


def _said(problem: Problem, language: str) -> str:
    """A problem's words without the place, which the cell itself shows."""
    return Problem(problem.code, Place(), problem.context, problem.severity).words(language)


def _summarise(workbook: Workbook, placed: Sequence[tuple[_Place, Problem]], language: str) -> None:
    """Put the list of every problem first, each with a link to its cell."""
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.hyperlink import Hyperlink

    sheet = workbook.create_sheet(SUMMARY, 0)
    for across, (name, width) in enumerate(zip(_HEADER[language], _WIDTHS, strict=True), start=1):
        sheet.cell(1, across, name).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(across)].width = width
    for down, (place, problem) in enumerate(placed, start=2):
        words = problem.sentences(language)
        where = problem.place
        row = "" if where.row is None else str(where.row)
        severity = _SEVERITY[problem.severity][language]
        texts = (severity, where.sheet, row, where.column, place.cell, where.name, *words, problem.code)
        for across, text in enumerate(texts, start=1):
            cell: Any = sheet.cell(down, across)
            cell.value = ILLEGAL.sub("", text)
            cell.data_type = "s"
            cell.alignment = Alignment(vertical="top", wrap_text=across in (7, 8))
        sheet.cell(down, 1).fill = PatternFill("solid", start_color=_COLOURS[problem.severity])
        if place.sheet is not None:
            link: Any = sheet.cell(down, 5)
            target = place.sheet.title.replace("'", "''")
            link.hyperlink = Hyperlink(ref=link.coordinate, location=f"'{target}'!{place.cell}")
            link.font = Font(color="FF0563C1", underline="single")
    if not placed:
        sheet.cell(2, 1, "没有发现问题。" if language == "zh" else "Nothing wrong was found.")
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(_WIDTHS))}{max(2, len(placed) + 1)}"
    for other in workbook.worksheets:
        other.sheet_view.tabSelected = other is sheet
    workbook.active = 0
