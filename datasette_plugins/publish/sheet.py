"""The village profile sheet (村情概况 · 一村一图): one A4 page for the wall, its full tables on the pages after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datasette_plugins.publish.canvas import Canvas, Written
from datasette_plugins.publish.figures_column import draw_heads, draw_sections, lay
from datasette_plugins.publish.fonts import Faces
from datasette_plugins.publish.map_painter import paint_map
from datasette_plugins.publish.qr import draw_qr
from datasette_plugins.publish.sheet_data import Figure, Section, SheetData, shown
from datasette_plugins.publish.tables import (
    Column,
    Slice,
    Table,
    draw_short,
    draw_slice,
    fit_columns,
    height,
    paginate,
    used,
)
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, INK, MUTED

WIDTH, HEIGHT, MARGIN = 297.0, 210.0, 9.0
_TOP, _BOTTOM = 27.0, 201.0
_LEFT_WIDTH, _GAP = 184.0, 5.0
_MAP_HEIGHT = 125.0
_TABLE_SIZE, _FULL_SIZE = 7.4, 8.4
_CONTACTS_ROWS = 5
_QR = 16.0
_LATER_TOP = 20.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished sheet.

    `pdf`: the file; `texts`: every text on it and in its metadata, unbroken; `missing`: characters that no font holds;
    `written`: each line and where it stands.
    """

    pdf: bytes
    pages: int
    texts: tuple[str, ...]
    missing: tuple[str, ...]
    written: tuple[Written, ...]


def render(sheet: SheetData, faces: Faces) -> Rendered:
    """Draw a village's sheet; equal data, fonts and date give equal bytes."""
    canvas = Canvas(faces, width=WIDTH, height=HEIGHT)
    _describe(canvas, sheet)
    canvas.new_page()
    left_over, cut = _front(canvas, sheet)
    pages = _later_pages(canvas, cut, left_over)
    total = 1 + len(pages)
    _footer(canvas, sheet, 1, total)
    for number, pieces in enumerate(pages, start=2):
        canvas.new_page()
        _running_head(canvas, sheet)
        if number == 2:
            _draw_left_over(canvas, left_over)
        for piece in pieces:
            draw_slice(canvas, piece, MARGIN, WIDTH - 2 * MARGIN, _FULL_SIZE)
        _footer(canvas, sheet, number, total)
    return Rendered(canvas.output(), total, tuple(canvas.texts), tuple(canvas.missing), tuple(canvas.written))


def risk_table(sheet: SheetData, *, full: bool) -> Table:
    """Return the list of risk points; `full` with trigger, signal, shelter and (internal) the monitor's telephone."""
    columns = [
        Column("编号", 5, "center"), Column("名称", 14), Column("类型", 8), Column("位置", 16),
        Column("户", 4, "right"), Column("人", 4, "right"), Column("状态", 6), Column("监测人", 7),
        Column("监测人电话", 10), Column("预警信号", 10), Column("触发条件", 16), Column("避险场所", 12),
    ]  # fmt: skip
    rows = [
        (
            risk.number, risk.name, risk.hazard, risk.place, shown(risk.households), shown(risk.people), risk.state,
            risk.monitor, risk.monitor_phone, risk.signal, risk.trigger, risk.shelter,
        )
        for risk in sheet.risks
    ]  # fmt: skip
    count = len(columns) if full else 7
    table = Table("风险点", tuple(columns[:count]), tuple(row[:count] for row in rows), "台账中没有风险点")
    return used(table)


def place_table(sheet: SheetData, *, full: bool) -> Table:
    """Return the list of public places; `full` with capacity, contact and (internal) telephone."""
    columns = [
        Column("名称", 15), Column("类别", 8), Column("地址", 16),
        Column("可容纳", 5, "right"), Column("联系人", 7), Column("电话", 10),
    ]  # fmt: skip
    rows = [
        (place.name, place.kind, place.address, shown(place.capacity), place.contact, place.phone)
        for place in sheet.places
    ]
    count = len(columns) if full else 3
    table = Table("公共场所", tuple(columns[:count]), tuple(row[:count] for row in rows), "台账中没有公共场所")
    return used(table)


def contact_table(sheet: SheetData) -> Table:
    """Return the contacts on duty."""
    columns = (Column("职责", 11), Column("姓名", 7), Column("电话", 9))
    rows = tuple((contact.role, contact.name, contact.phone) for contact in sheet.contacts)
    return Table("值班联系", columns, rows, "台账中没有联系人")


def _front(canvas: Canvas, sheet: SheetData) -> tuple[tuple[Section, ...], list[Table]]:
    """Draw the first page; returns sections that found no room and tables that are not all there."""
    _title(canvas, sheet)
    paint_map(canvas, sheet, Box(MARGIN, _TOP, _LEFT_WIDTH, _MAP_HEIGHT))
    cut = _short_tables(canvas, sheet)
    return _right_column(canvas, sheet, cut), cut


def _title(canvas: Canvas, sheet: SheetData) -> None:
    """The band at the top: village and what this is at the left; township, code and date at the right."""
    facts = [("所属", sheet.township), ("编码", sheet.code), ("数据截至", sheet.as_of)]
    right = WIDTH - MARGIN
    if sheet.address:
        right -= _QR + 4
        _qr(canvas, sheet.address, Box(right + 4, 4.2, _QR, _QR))
    facts_width = 0.0
    for row, (label, value) in enumerate((label, value) for label, value in facts if value):
        words = canvas.fitted(f"{label}　{value}", 90, 8.5)
        facts_width = max(facts_width, canvas.text(right, 11.6 + row * 4.7, words, 8.5, colour=MUTED, align="right"))
    kind = "村情概况 · 一村一图" + ("（公开）" if sheet.is_public else "")
    room = right - facts_width - MARGIN - canvas.measure(kind, 13) - 12
    size = 26.0
    while canvas.measure(sheet.village, size) > room and size > 13:
        size -= 1
    name = canvas.fitted(sheet.village, room, size)
    width = canvas.text(MARGIN, 19.6, name, size, colour=ACCENT, bold=True)
    canvas.text(MARGIN + width + 5, 19.6, kind, 13, colour=INK)
    canvas.rect(Box(MARGIN, 23.2, WIDTH - 2 * MARGIN, 0.9), fill=ACCENT)


def _short_tables(canvas: Canvas, sheet: SheetData) -> list[Table]:
    """Draw the lists under the map: in full where they fit, else in short; returns in full those cut."""
    top = _TOP + _MAP_HEIGHT + 3
    whole = [table for table in (risk_table(sheet, full=True), place_table(sheet, full=True)) if table.rows]
    heights = [height(canvas, table, _LEFT_WIDTH, _TABLE_SIZE) + 2 for table in whole]
    if whole and top + sum(heights) - 2 <= _BOTTOM:
        for table, needed in zip(whole, heights, strict=True):
            fitted = fit_columns(canvas, table, _LEFT_WIDTH, _TABLE_SIZE)
            draw_slice(canvas, Slice(fitted, 0, len(fitted.rows), top), MARGIN, _LEFT_WIDTH, _TABLE_SIZE)
            top += needed
        return []
    width = (_LEFT_WIDTH - _GAP) / 2
    left = Box(MARGIN, top, width, _BOTTOM - top)
    right = Box(MARGIN + width + _GAP, top, width, _BOTTOM - top)
    cut: list[Table] = []
    for box, short, full in (
        (left, risk_table(sheet, full=False), risk_table(sheet, full=True)),
        (right, place_table(sheet, full=False), place_table(sheet, full=True)),
    ):
        is_whole = draw_short(canvas, short, box, _TABLE_SIZE, "后页")
        if not is_whole or len(full.columns) > len(short.columns):
            cut.append(full)
    return cut


def _right_column(canvas: Canvas, sheet: SheetData, cut: list[Table]) -> tuple[Section, ...]:
    """Draw figures and contacts beside the map; returns the sections that found no room."""
    box = Box(MARGIN + _LEFT_WIDTH + _GAP, _TOP, _column_width(), _BOTTOM - _TOP)
    bottom = box.bottom
    if sheet.contacts:
        rows = min(len(sheet.contacts), _CONTACTS_ROWS)
        height = 5.2 + 4.6 + rows * _TABLE_SIZE * 0.3528 * 1.62 + 1
        bottom -= height
        contacts = Box(box.x, bottom, box.w, height)
        if not draw_short(canvas, contact_table(sheet), contacts, _TABLE_SIZE, "后页"):
            cut.insert(0, contact_table(sheet))
        bottom -= 2
    heads = [figure for figure in sheet.figures() if figure.head][:6]
    y = draw_heads(canvas, heads, box)
    _, left_over = draw_sections(canvas, _rest(sheet, heads), Box(box.x, y, box.w, bottom - y))
    return left_over


def _rest(sheet: SheetData, heads: Sequence[Figure]) -> tuple[Section, ...]:
    """The sections without what already stands large on top."""
    kept = (Section(s.title, tuple(f for f in s.figures if f not in heads)) for s in sheet.sections)
    return tuple(section for section in kept if section.figures)


def _later_pages(
    canvas: Canvas, cut: list[Table], left_over: tuple[Section, ...]
) -> list[list[Slice]]:
    """What stands on the pages after the first; figures that found no room there stand above it."""
    area = Box(MARGIN, _LATER_TOP, WIDTH - 2 * MARGIN, _BOTTOM - _LATER_TOP)
    top = _LATER_TOP + sum(_line_height(canvas, line) for line in _left_over_lines(left_over))
    pages = paginate(canvas, cut, area, _FULL_SIZE, first_top=top)
    return pages or ([[]] if left_over else [])


def _draw_left_over(canvas: Canvas, left_over: tuple[Section, ...]) -> None:
    """Draw sections in three columns."""
    y = _LATER_TOP
    for line in _left_over_lines(left_over):
        height = _line_height(canvas, line)
        for column, section in enumerate(line):
            x = MARGIN + column * (_third_width() + _GAP)
            draw_sections(canvas, [section], Box(x, y, _third_width(), height))
        y += height


def _left_over_lines(left_over: tuple[Section, ...]) -> list[tuple[Section, ...]]:
    return [left_over[start : start + 3] for start in range(0, len(left_over), 3)]


def _line_height(canvas: Canvas, line: tuple[Section, ...]) -> float:
    """The height of the highest of the sections side by side."""
    return max(lay(canvas, section, _third_width()).units for section in line) * 4.8 + 12


def _third_width() -> float:
    return (WIDTH - 2 * MARGIN - 2 * _GAP) / 3


def _column_width() -> float:
    return WIDTH - 2 * MARGIN - _LEFT_WIDTH - _GAP


def _running_head(canvas: Canvas, sheet: SheetData) -> None:
    canvas.text(MARGIN, 14, sheet.village, 11, colour=ACCENT, bold=True)
    canvas.text(WIDTH - MARGIN, 14, f"村情概况 · 一村一图　{sheet.code}", 8.5, colour=MUTED, align="right")
    canvas.rect(Box(MARGIN, 16.2, WIDTH - 2 * MARGIN, 0.4), fill=ACCENT)


def _footer(canvas: Canvas, sheet: SheetData, number: int, total: int) -> None:
    """Source, date of printing and page number."""
    y = HEIGHT - 5.2
    source = f"来源：村级台账{f'（{sheet.station}）' if sheet.station else ''}"
    use = "　人数小于 5 的以“<5”表示，能据以推算的不公布" if sheet.is_public else "　内部资料，妥善保管，不得外传"
    words = f"{source}　制表时间：{sheet.made:%Y-%m-%d %H:%M}{use}"
    canvas.text(MARGIN, y, canvas.fitted(words, WIDTH - 2 * MARGIN - 40, 7), 7, colour=MUTED)
    canvas.text(WIDTH - MARGIN, y, f"第 {number} 页 / 共 {total} 页", 7, colour=MUTED, align="right")


def _qr(canvas: Canvas, address: str, box: Box) -> None:
    """The QR code of the public page, drawn as vectors, with words under it."""
    draw_qr(canvas, address, box)
    canvas.text(box.x + box.w / 2, box.bottom + 2.0, "扫码看公开页", 6, colour=MUTED, align="center")


def _describe(canvas: Canvas, sheet: SheetData) -> None:
    audience = "公开" if sheet.is_public else "内部"
    canvas.describe(
        title=f"{sheet.village}村情概况（一村一图）",
        subject=f"{sheet.township} {sheet.village} {sheet.code} 村情概况，{audience}，{sheet.made:%Y-%m-%d}".strip(),
        keywords=f"村情概况,一村一图,{sheet.code},{audience}",
        author=sheet.township or sheet.village,
        made=sheet.made,
    )
