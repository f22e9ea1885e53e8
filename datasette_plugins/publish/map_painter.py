"""Paints a composed village map on a canvas: marks, legend, scale bar, north arrow, stamp and notes."""

from __future__ import annotations

from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.publish.sheet_data import SheetData
from datasette_plugins.village_map.geometry import Box, View, fit
from datasette_plugins.village_map.scene import Area, Caption, Dots, LegendItem, Mark, Scene, Sign, compose, legend
from datasette_plugins.village_map.symbols import (
    EDGE,
    HOUSE,
    INK,
    LAND,
    MUTED,
    OUTSIDE,
    PAPER,
    PLACE,
    ROUTE,
    STAMP,
    hazard_symbol,
    place_mark,
)

_LEGEND_SIZE, _LEGEND_STEP = 7.0, 4.4
_INTERNAL_STAMP = "内部工作用图 · 界线为示意"


def paint_map(canvas: Canvas, sheet: SheetData, box: Box) -> Scene | None:
    """Draw the map with everything around it in a box; a plain note where nothing has coordinates."""
    rows = _legend_rows(canvas, sheet, box.w - 4)
    legend_height = rows * _LEGEND_STEP + 1.6 if rows else 0.0
    frame = Box(box.x, box.y, box.w, box.h - legend_height)
    canvas.rect(frame, fill=OUTSIDE)
    scene = compose(sheet.map, frame, canvas.measure, corners=_corners(canvas, sheet, frame))
    if scene is None:
        _no_map(canvas, box)
        return None
    with canvas.clip(frame):
        for mark in scene.marks:
            _paint(canvas, mark)
    _north(canvas, frame)
    _scale(canvas, frame, scene.view)
    _stamp(canvas, sheet, frame)
    _notes(canvas, sheet, frame, scene)
    _legend(canvas, scene.legend, sheet, Box(box.x, frame.bottom, box.w, legend_height))
    canvas.rect(frame, stroke=INK, width=0.25)
    canvas.rect(box, stroke=INK, width=0.5)
    return scene


def stamp_words(sheet: SheetData) -> str:
    """Return what is stamped on the map: internal use, or the approval number of a public one."""
    if not sheet.is_public:
        return _INTERNAL_STAMP
    return f"审图号：{sheet.approval}" if sheet.approval else "示意图 · 未绘界线"


def _corners(canvas: Canvas, sheet: SheetData, frame: Box) -> tuple[Box, ...]:
    """What stands over the map and must stay free of labels: arrow, bar, stamp, notes."""
    stamp_width = canvas.measure(stamp_words(sheet), 8.5) + 6
    return (
        Box(frame.right - 12, frame.y, 12, 17),
        Box(frame.right - frame.w / 4 - 12, frame.bottom - 9, frame.w / 4 + 12, 9),
        Box(frame.x, frame.y, stamp_width, 9),
        Box(frame.x, frame.bottom - 5, frame.w * 0.6, 5),
    )


def _paint(canvas: Canvas, mark: Mark) -> None:
    match mark:
        case Area():
            canvas.shape(
                mark.points, closed=mark.closed, fill=mark.fill, stroke=mark.stroke, width=mark.width, dash=mark.dash
            )
        case Dots():
            canvas.dots(mark.points, mark.radius, mark.colour)
        case Sign():
            _paint_sign(canvas, mark)
        case Caption():
            _paint_caption(canvas, mark)


def _paint_sign(canvas: Canvas, sign: Sign) -> None:
    canvas.shape(sign.outline, fill=sign.colour, stroke=sign.rim, width=0.25)
    x, y = sign.text_at
    base = y + CAP * sign.text_size * MM
    canvas.text(x, base, sign.text, sign.text_size, colour=sign.text_colour, align="center", bold=True)


def _paint_caption(canvas: Canvas, caption: Caption) -> None:
    box = caption.box
    if caption.leader is not None:
        x, y = caption.leader
        nearest = (min(max(x, box.x), box.right), min(max(y, box.y), box.bottom))
        canvas.line(caption.leader, nearest, colour=caption.colour, width=0.15)
        canvas.dots([caption.leader], 0.4, caption.colour)
    canvas.rect(box, fill=PAPER, radius=0.6, opacity=0.78)
    base = box.y + box.h / 2 + CAP * caption.size * MM
    canvas.text(box.x + box.w / 2, base, caption.text, caption.size, colour=caption.colour, bold=caption.bold,
                align="center")  # fmt: skip


def _north(canvas: Canvas, frame: Box) -> None:
    x, y = frame.right - 6, frame.y + 6.2
    canvas.shape([(x, y - 1), (x + 2.4, y + 8.2), (x, y + 6.4)], fill=INK, stroke=INK, width=0.15)
    canvas.shape([(x, y - 1), (x - 2.4, y + 8.2), (x, y + 6.4)], fill=PAPER, stroke=INK, width=0.15)
    canvas.text(x, y - 1.8, "北", 9, bold=True, align="center")


def _scale(canvas: Canvas, frame: Box, view: View) -> None:
    """A bar of two halves, with its length in metres: true also when the print is enlarged."""
    length = view.bar * view.scale
    right, y = frame.right - 5, frame.bottom - 3.2
    left = right - length
    canvas.rect(Box(left - 3, y - 4.6, length + 7, 6.4), fill=PAPER, radius=0.6, opacity=0.8)
    canvas.rect(Box(left, y, length / 2, 1.1), fill=INK, stroke=INK, width=0.15)
    canvas.rect(Box(left + length / 2, y, length / 2, 1.1), fill=PAPER, stroke=INK, width=0.15)
    half = f"{view.bar / 2:g}"
    for at, words in ((left, "0"), (left + length / 2, half), (right - 1.2, f"{view.bar} 米")):
        canvas.text(at, y - 1, words, 6.5, align="center")


def _stamp(canvas: Canvas, sheet: SheetData, frame: Box) -> None:
    words = stamp_words(sheet)
    colour = MUTED if sheet.is_public else STAMP
    box = Box(frame.x + 2, frame.y + 2, canvas.measure(words, 8.5) + 4, 5.6)
    canvas.rect(box, fill=PAPER, stroke=colour, width=0.35, radius=0.8)
    base = box.y + box.h / 2 + CAP * 8.5 * MM
    canvas.text(box.x + box.w / 2, base, words, 8.5, colour=colour, bold=not sheet.is_public, align="center")


def _notes(canvas: Canvas, sheet: SheetData, frame: Box, scene: Scene) -> None:
    """Coordinate system, middle of the map and what could not be shown, in small print at the lower left."""
    centre = scene.view.centre
    places = 2 if sheet.is_public else 4
    at = f"{_degrees(centre.lat, 'NS', places)} {_degrees(centre.lon, 'EW', places)}"
    parts = ["坐标系 CGCS2000（WGS-84）", f"图幅中心 {at}"]
    if scene.outside:
        parts.append(f"{scene.outside} 处坐标在图外")
    if scene.nowhere:
        parts.append(f"{scene.nowhere} 处未定位")
    if scene.unnamed:
        parts.append(f"{scene.unnamed} 个名称因地方不足未注")
    text = canvas.fitted("　".join(parts), frame.w * 0.62, 6)
    box = Box(frame.x + 1, frame.bottom - 4.2, canvas.measure(text, 6) + 2, 3.6)
    canvas.rect(box, fill=PAPER, radius=0.6, opacity=0.8)
    canvas.text(frame.x + 2, frame.bottom - 1.6, text, 6, colour=MUTED)


def _degrees(value: float, letters: str, places: int) -> str:
    return f"{abs(value):.{places}f}°{letters[value < 0]}"


def _legend_rows(canvas: Canvas, sheet: SheetData, width: float) -> int:
    """How many lines the legend takes: known before the map, whose frame it shortens."""
    view = fit(sheet.map.boundary, sheet.map.positions(), Box(0, 0, width, width))
    items = legend(sheet.map, view) if view else ()
    rows, x = min(len(items), 1), _legend_start(canvas)
    for item in items:
        step = _legend_width(canvas, item)
        if x + step > width:
            rows, x = rows + 1, _legend_start(canvas)
        x += step
    return rows


def _legend_start(canvas: Canvas) -> float:
    return canvas.measure("图例", 8) + 4


def _legend_width(canvas: Canvas, item: LegendItem) -> float:
    mark = 9.0 if item.what in ("boundary", "outline", "route") else 5.6
    return mark + canvas.measure(item.label, _LEGEND_SIZE) + 4.0


def _legend(canvas: Canvas, items: tuple[LegendItem, ...], sheet: SheetData, box: Box) -> None:
    """The legend under the map, in lines."""
    if not items:
        return
    canvas.rect(box, fill=PAPER)
    left, right = box.x + 2, box.right - 2
    x, y = left + _legend_start(canvas), box.y + 0.8 + _LEGEND_STEP / 2
    canvas.text(left, y + CAP * 8 * MM, "图例", 8, bold=True)
    for item in items:
        step = _legend_width(canvas, item)
        if x + step > right + 0.5:
            x, y = left + _legend_start(canvas), y + _LEGEND_STEP
        width = _legend_mark(canvas, item, x, y, sheet)
        canvas.text(x + width, y + CAP * _LEGEND_SIZE * MM, item.label, _LEGEND_SIZE)
        x += step


def _legend_mark(canvas: Canvas, item: LegendItem, x: float, y: float, sheet: SheetData) -> float:
    """Draw what a legend line explains, centred on `y`; returns the width it takes."""
    if item.what in ("boundary", "outline"):
        is_outer = item.what == "boundary"
        corners = [(x, y - 1.3), (x + 7.4, y - 1.3), (x + 7.4, y + 1.3), (x, y + 1.3)]
        canvas.shape(corners, fill=LAND if is_outer else None, stroke=EDGE, width=0.5 if is_outer else 0.2,
                     dash=(2.0, 0.7) if is_outer else (1.2, 0.9))  # fmt: skip
        return 8.6
    if item.what == "route":
        canvas.line((x, y), (x + 6, y), colour=ROUTE, width=0.7)
        canvas.shape([(x + 7.6, y), (x + 5.4, y - 1.1), (x + 5.4, y + 1.1)], fill=ROUTE)
        return 8.6
    centre = (x + 2, y)
    if item.what == "house":
        canvas.dots([centre], 0.55, HOUSE)
    elif item.what == "hazard":
        symbol = hazard_symbol(item.code)
        canvas.shape(symbol.outline(centre, 1.5), fill=symbol.colour)
    else:
        canvas.rect(Box(x + 0.5, y - 1.5, 3, 3), fill=PLACE)
        mark = place_mark(item.code, sheet.map.kinds.get(item.code, ""))
        canvas.text(x + 2, y + CAP * 6 * MM, mark, 6, colour=PAPER, align="center", bold=True)
    return 4.8


def _no_map(canvas: Canvas, box: Box) -> None:
    """A plain note in place of the map, which says how to get one."""
    canvas.rect(box, stroke=MUTED, width=0.3)
    y = box.y + box.h / 2
    canvas.text(box.x + box.w / 2, y - 4, "本村尚无坐标数据，未能绘图", 15, colour=MUTED, align="center")
    canvas.text(box.x + box.w / 2, y + 4, "在村情概况、户、风险点、公共场所台账中填写位置后，重新生成本页即有地图。", 9,
                colour=MUTED, align="center")  # fmt: skip
