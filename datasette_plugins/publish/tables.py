"""Tables on paper: columns by share, rows as high as their text, pages with the header again on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, INK, MUTED, Colour

HEADING = 5.2
HEADER = 4.6
_PADDING, _AFTER_NUMBER = 1.1, 2.6
_LEADING = 1.32
_STRIPE: Colour = (244, 247, 247)
_HEADER_FILL: Colour = (226, 235, 235)
_RULE: Colour = (206, 214, 216)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its share of the width (millimetres once `fit_columns` has set it), its alignment."""

    heading: str
    share: float
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text: heading, columns, rows; `note` stands in place of the rows when there are none."""

    heading: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a table that stand on one page, from `start` to before `end`, and where."""

    table: Table
    start: int
    end: int
    top: float


def used(table: Table) -> Table:
    """Return a table without the columns that are empty in every row."""
    kept = [n for n in range(len(table.columns)) if n == 0 or any(row[n] not in ("", "—") for row in table.rows)]
    columns = tuple(table.columns[n] for n in kept)
    return Table(table.heading, columns, tuple(tuple(row[n] for n in kept) for row in table.rows), table.note)


def fit_columns(canvas: Canvas, table: Table, width: float, size: float) -> Table:
    """Return a table whose shares are millimetres: narrow columns as wide as their text, the rest by share.

    So numbers and telephones never break, and what is long gets what is left.
    """
    columns, cells = table.columns, list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    wanted = [
        max(canvas.measure(text, size) for text in (column.heading, *texts)) + _around(column) + 0.2
        for column, texts in zip(columns, cells, strict=True)
    ]
    return replace(table, columns=_set(columns, _shared(columns, wanted, width)))


def _set(columns: Sequence[Column], widths: Sequence[float]) -> tuple[Column, ...]:
    return tuple(replace(column, share=width) for column, width in zip(columns, widths, strict=True))


def _shared(columns: Sequence[Column], wanted: Sequence[float], width: float) -> list[float]:
    """Widths that fill `width`: what is left over, or what is missing, goes by share."""
    total = sum(column.share for column in columns)
    over = width - sum(wanted)
    if over >= 0:
        return [w + over * column.share / total for column, w in zip(columns, wanted, strict=True)]
    widths = [0.0] * len(columns)
    waiting, room = set(range(len(columns))), width
    while waiting:
        content = [n for n in waiting if wanted[n] <= room / len(waiting)]
        if not content:
            break
        for n in content:
            widths[n] = wanted[n]
            room -= wanted[n]
        waiting.difference_update(content)
    shares = sum(columns[n].share for n in waiting)
    for n in waiting:
        widths[n] = room * columns[n].share / shares
    return widths


def row_height(canvas: Canvas, table: Table, row: Sequence[str], width: float, size: float) -> float:
    """Return the height of a row whose cells break into lines, in millimetres."""
    widths = _widths(table, width)
    cells = zip(table.columns, row, widths, strict=True)
    lines = max(len(canvas.lines(text, w - _around(column), size)) for column, text, w in cells)
    return lines * size * MM * _LEADING + 1.3


def paginate(
    canvas: Canvas, tables: Sequence[Table], area: Box, size: float, *, first_top: float | None = None
) -> list[list[Slice]]:
    """Return what stands on each page: tables one under the other, cut between rows, no header without a row.

    `first_top`: where the first page begins, if something stands above.
    """
    pages: list[list[Slice]] = [[]]
    y = area.y if first_top is None else first_top
    gap = 5.0
    for whole in tables:
        table = fit_columns(canvas, whole, area.w, size)
        heights = [row_height(canvas, table, row, area.w, size) for row in table.rows]
        start = 0
        while start < len(table.rows):
            y_rows = y + HEADING + HEADER
            end = start
            while end < len(table.rows) and y_rows + heights[end] <= area.bottom:
                y_rows += heights[end]
                end += 1
            if end == start and y > area.y:
                pages.append([])
                y = area.y
                continue
            end = max(end, start + 1)
            pages[-1].append(Slice(table, start, end, y))
            start, y = end, y_rows + gap
            if start < len(table.rows):
                pages.append([])
                y = area.y
    return pages if any(pages) else []


def height(canvas: Canvas, table: Table, width: float, size: float) -> float:
    """Return the height of a whole table in a width, its heading and header with it."""
    fitted = fit_columns(canvas, table, width, size)
    return HEADING + HEADER + sum(row_height(canvas, fitted, row, width, size) for row in fitted.rows)


def draw_slice(canvas: Canvas, piece: Slice, left: float, width: float, size: float) -> float:
    """Draw rows of a table with its heading and header; returns the y below it."""
    continued = "（续）" if piece.start else ""
    y = draw_heading(canvas, piece.table.heading + continued, left, piece.top, width)
    y = _draw_header(canvas, piece.table, Box(left, y, width, HEADER), size)
    for number in range(piece.start, piece.end):
        row = piece.table.rows[number]
        height = row_height(canvas, piece.table, row, width, size)
        if number % 2:
            canvas.rect(Box(left, y, width, height), fill=_STRIPE)
        x = left
        for column, cell, cell_width in zip(piece.table.columns, row, _widths(piece.table, width), strict=True):
            canvas.block(x + _PADDING, y + 0.65, cell_width - _around(column), cell, size, leading=_LEADING,
                         align=column.align)  # fmt: skip
            x += cell_width
        y += height
        canvas.line((left, y), (left + width, y), colour=_RULE, width=0.1)
    return y


def draw_short(canvas: Canvas, table: Table, box: Box, size: float, page_word: str) -> bool:
    """Draw as many one-line rows as a box holds; returns whether all was shown in full.

    `page_word`: where the whole table stands, said in the last line when it is not all here.
    """
    y = draw_heading(canvas, table.heading, box.x, box.y, box.w)
    if not table.rows:
        canvas.text(box.x + _PADDING, y + 4.2, table.note, size, colour=MUTED)
        return True
    table = fit_columns(canvas, table, box.w, size)
    y = _draw_header(canvas, table, Box(box.x, y, box.w, HEADER), size)
    step = size * MM * 1.62
    room = int((box.bottom - y + 0.01) / step)
    is_all = len(table.rows) <= room
    rows = table.rows if is_all else table.rows[: max(room - 1, 0)]
    is_whole = is_all
    for number, row in enumerate(rows):
        if number % 2:
            canvas.rect(Box(box.x, y, box.w, step), fill=_STRIPE)
        is_whole &= _draw_line(canvas, table, row, Box(box.x, y, box.w, step), size)
        y += step
    if not is_all:
        canvas.text(box.x + _PADDING, y + step / 2 + CAP * size * MM, f"共 {len(table.rows)} 条，全表见{page_word}",
                    size, colour=MUTED)  # fmt: skip
    return is_whole


def draw_heading(canvas: Canvas, text: str, left: float, top: float, width: float) -> float:
    """Draw a heading with its rule; returns the y below it."""
    canvas.rect(Box(left, top + 0.7, 1.1, 3.4), fill=ACCENT)
    canvas.text(left + 2.3, top + 3.75, text, 9.5, colour=ACCENT, bold=True)
    canvas.line((left, top + HEADING - 0.3), (left + width, top + HEADING - 0.3), colour=ACCENT, width=0.25)
    return top + HEADING


def _draw_header(canvas: Canvas, table: Table, box: Box, size: float) -> float:
    x = box.x
    base = box.y + HEADER / 2 + CAP * size * MM
    canvas.rect(box, fill=_HEADER_FILL)
    for column, cell_width in zip(table.columns, _widths(table, box.w), strict=True):
        _draw_cell(canvas, column, column.heading, Box(x, base, cell_width, 0), size, colour=ACCENT)
        x += cell_width
    return box.y + HEADER


def _draw_line(canvas: Canvas, table: Table, row: Sequence[str], box: Box, size: float) -> bool:
    """Draw a row on one line; returns whether every cell is whole."""
    x, is_whole = box.x, True
    base = box.y + box.h / 2 + CAP * size * MM
    for column, cell, cell_width in zip(table.columns, row, _widths(table, box.w), strict=True):
        is_whole &= _draw_cell(canvas, column, cell, Box(x, base, cell_width, 0), size)
        x += cell_width
    return is_whole


def _draw_cell(canvas: Canvas, column: Column, text: str, box: Box, size: float, *, colour: Colour = INK) -> bool:
    """Draw a cell on one line, a little smaller or cut where it must; `box.y` is the baseline."""
    width = box.w - _around(column)
    fitting = size if canvas.measure(text, size) <= width else size * 0.86
    fitted = canvas.fitted(" ".join(text.split("\n")), width, fitting)
    x = {"left": box.x + _PADDING, "center": box.x + box.w / 2, "right": box.x + box.w - _AFTER_NUMBER}[column.align]
    canvas.text(x, box.y, fitted, fitting, colour=colour, align=column.align)
    return fitted == text


def _around(column: Column) -> float:
    """The blank at both sides of a cell: numbers, set at the right, keep their distance from the next column."""
    return _PADDING + (_AFTER_NUMBER if column.align == "right" else _PADDING)


def _widths(table: Table, width: float) -> list[float]:
    total = sum(column.share for column in table.columns)
    return [width * column.share / total for column in table.columns]
