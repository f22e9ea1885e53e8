"""Find where a ledger begins in a sheet: title rows, header rows (merged or not), the first row of data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from collect.importer.headers import Target, Vocabulary
from collect.importer.workbook import Sheet

_SEARCHED = 15  # rows from the top in which a header may begin
_DEEPEST = 4  # header rows
_STEMS = frozenset("甲乙丙丁戊己庚辛") | {"栏次", "序号"}  # what column-number rows hold beside numbers
_TOTALS = re.compile(r"^(合\s*计|总\s*计|小\s*计|共\s*计|total|填表人|审核人|制表|备注[:：]|说明[:：]|注[:：])", re.I)


@dataclass(frozen=True, slots=True)
class Layout:
    """`top` and `first`: 0-based rows of the first header row and the first row of data; `headers` as shown to people,
    one a column; `targets`: what each column feeds, None where nothing matched."""

    sheet: Sheet
    top: int
    first: int
    headers: tuple[str, ...]
    targets: tuple[Target | None, ...]

    @property
    def matched(self) -> int:
        """How many columns found a question."""
        return sum(target is not None for target in self.targets)

    @property
    def unmatched(self) -> tuple[str, ...]:
        """Headers that no question answers to, without empty ones."""
        return tuple(header for header, target in zip(self.headers, self.targets, strict=True) if header and not target)

    def data_rows(self) -> Iterator[int]:
        """Yield the 0-based rows that hold data: no blank rows, totals, signatures or repeated headers."""
        for row in range(self.first, len(self.sheet.rows)):
            cells = [str(cell).strip() for cell in self.sheet.rows[row]]
            filled = [cell for cell in cells if cell]
            if filled and not _TOTALS.match(filled[0]) and not self._repeats_header(cells):
                yield row

    def _repeats_header(self, cells: list[str]) -> bool:
        same = sum(bool(cell) and cell == header for cell, header in zip(cells, self.headers, strict=False))
        return same >= 2 and same * 2 >= sum(map(bool, cells))


def find_layout(sheet: Sheet, vocabulary: Vocabulary) -> Layout | None:
    """Return the layout whose header rows name the most questions, or None where fewer than two are named.

    Among equals the one with fewest header rows wins, so that a title above is not taken for a header.
    """
    width = max((len(row) for row in sheet.rows), default=0)
    best: Layout | None = None
    for top in range(min(_SEARCHED, len(sheet.rows))):
        for bottom in range(top, min(top + _DEEPEST, len(sheet.rows))):
            layout = _layout(sheet, vocabulary, top, bottom, width)
            if best is None or (layout.matched, -(bottom - top)) > (best.matched, -(best.first - 1 - best.top)):
                best = layout
    if best is None or best.matched < min(2, width):
        return None
    return _past_column_numbers(best)


def guess_layout(sheet: Sheet) -> Layout | None:
    """Return the layout of a sheet whose headers nobody knows yet, for people to match: the row with most words."""
    words = [sum(isinstance(cell, str) and bool(cell.strip()) for cell in row) for row in sheet.rows[:_SEARCHED]]
    if not words or max(words) < 2:
        return None
    top = words.index(max(words))
    headers = tuple(str(sheet.cell(top, column)).strip() for column in range(len(sheet.rows[top])))
    return Layout(sheet, top, top + 1, headers, (None,) * len(headers))


def _layout(sheet: Sheet, vocabulary: Vocabulary, top: int, bottom: int, width: int) -> Layout:
    paths = [[str(sheet.cell(row, column)).strip() for row in range(top, bottom + 1)] for column in range(width)]
    targets = vocabulary.match(paths)
    headers = tuple(next((cell for cell in reversed(path) if cell), "") for path in paths)
    return Layout(sheet, top, bottom + 1, headers, tuple(targets))


def _past_column_numbers(layout: Layout) -> Layout:
    """Skip the row of column numbers (1, 2, 3 ... or 甲, 乙, 1, 2) that official tables put below their headers."""
    if layout.first >= len(layout.sheet.rows):
        return layout
    cells = [str(cell).removesuffix(".0").strip() for cell in layout.sheet.rows[layout.first] if str(cell).strip()]
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    others = {cell for cell in cells if not cell.isdecimal()}
    if len(numbers) < 3 or numbers != list(range(1, len(numbers) + 1)) or not others <= _STEMS:
        return layout
    return Layout(layout.sheet, layout.top, layout.first + 1, layout.headers, layout.targets)
