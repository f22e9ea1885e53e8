"""From a village's layers to marks on paper: pure, in millimetres; whoever paints (PDF, page) only follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from datasette_plugins.village_map.geometry import Box, Line, Point, Position, View, fit, middle, sampled, thinned
from datasette_plugins.village_map.layers import MapData, MapRisk
from datasette_plugins.village_map.placement import Room, Wish, place
from datasette_plugins.village_map.symbols import (
    EDGE,
    HOUSE,
    INK,
    LAND,
    PAPER,
    PLACE,
    ROUTE,
    Colour,
    hazard_symbol,
    place_mark,
)

RISK_RADIUS = 2.1
PLACE_HALF = 1.7
GROUP_SIZE, PLACE_SIZE, NUMBER_SIZE, MARK_SIZE = 9.0, 6.5, 6.0, 7.0  # points
LINE_HEIGHT = 0.3528 * 1.25  # millimetres of label height for each point of its size

Measure = Callable[[str, float], float]


@dataclass(frozen=True, slots=True)
class Area:
    """A ring or a line: `fill` and `stroke` may be None, `width` in mm, `dash` as on-off lengths in mm."""

    points: tuple[Point, ...]
    closed: bool = True
    fill: Colour | None = None
    stroke: Colour | None = None
    width: float = 0.3
    dash: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Dots:
    """Many equal dots."""

    points: tuple[Point, ...]
    radius: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Sign:
    """A filled shape with one short text in its middle."""

    outline: tuple[Point, ...]
    colour: Colour
    rim: Colour
    text: str
    text_colour: Colour
    text_at: Point
    text_size: float


@dataclass(frozen=True, slots=True)
class Caption:
    """A label in its box; `leader`: where its line ends on the map, or None."""

    box: Box
    text: str
    size: float
    colour: Colour
    bold: bool = False
    leader: Point | None = None


Mark = Area | Dots | Sign | Caption


@dataclass(frozen=True, slots=True)
class LegendItem:
    """One line of the legend: what is drawn (boundary, outline, house, route, hazard, place), its code, its words."""

    what: str
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed map: marks in the order of painting, the legend, and what could not be shown.

    `outside`: things whose coordinates lie out of the picture; `unnamed`: labels for which there was no room;
    `nowhere`: things without coordinates, by layer.
    """

    view: View
    marks: tuple[Mark, ...]
    legend: tuple[LegendItem, ...]
    outside: int
    unnamed: int
    nowhere: int


def compose(data: MapData, frame: Box, measure: Measure, *, corners: tuple[Box, ...] = ()) -> Scene | None:
    """Return the map in a frame, or None where nothing has coordinates.

    `measure(text, points)` gives a text's width in mm; `corners`: boxes kept free (north arrow, scale bar, stamp).
    """
    view = fit(data.boundary, data.positions(), frame, inner=_inner(frame))
    if view is None:
        return None
    room = Room(frame.inset(0.8))
    for corner in corners:
        room.take(corner)
    houses = tuple(point for point in map(view.point, data.houses) if frame.has(point))
    risks = _risk_signs(data, view, room)
    places, names = _place_signs(data, view, room)
    # Signs stand where they belong, even on a house or a route; only the names make way for those.
    room.avoid(houses)
    for risk in data.risks:
        room.avoid(sampled(map(view.point, risk.route)))
    groups, lost_groups = _group_captions(data, view, room, measure)
    captions, lost_names = _captions(names, room, measure)
    ground = [*_ground(data, view), *_routes(data, view)]
    marks: list[Mark] = [*ground, Dots(houses, _dot_radius(len(houses)), HOUSE)] if houses else [*ground]
    marks += [*groups, *captions, *places, *risks]
    positions: list[Position] = [*data.houses, *(position for position in data.named() if position is not None)]
    nowhere = data.named().count(None)
    outside = sum(not view.shows(position) for position in positions)
    return Scene(view, tuple(marks), legend(data, view), outside, lost_groups + lost_names, nowhere)


def _inner(frame: Box) -> Box:
    """What is left of a frame between stamp and arrow above and notes and scale bar below."""
    return Box(frame.x + 8, frame.y + 10.5, frame.w - 16, frame.h - 19)


def _dot_radius(houses: int) -> float:
    """Dots shrink as houses multiply, down to what a laser printer still holds apart."""
    return 0.55 if houses <= 300 else 0.42 if houses <= 1000 else 0.3


def _ground(data: MapData, view: View) -> list[Mark]:
    """The village's land and its groups' outlines."""
    marks: list[Mark] = []
    if data.boundary:
        points = _on_paper(data.boundary, view)
        marks.append(Area(points, fill=LAND))
    for group in data.groups:
        if group.outline:
            marks.append(Area(_on_paper(group.outline, view), stroke=EDGE, width=0.2, dash=(1.2, 0.9)))
    if data.boundary:
        marks.append(Area(points, stroke=EDGE, width=0.6, dash=(3.2, 1.1)))
    return marks


def _routes(data: MapData, view: View) -> list[Mark]:
    """Evacuation routes: a dark green line with an arrow head at its end."""
    marks: list[Mark] = []
    for risk in data.risks:
        if len(risk.route) < 2:
            continue
        points = _on_paper(risk.route, view)
        marks.append(Area(points, closed=False, stroke=PAPER, width=1.3))
        marks.append(Area(points, closed=False, stroke=ROUTE, width=0.7))
        head = _arrow_head(points)
        if head:
            marks.append(Area(head, fill=ROUTE))
    return marks


def _arrow_head(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """A triangle at the end of a line, along its last stretch."""
    if len(points) < 2:
        return ()
    (ax, ay), (bx, by) = points[-2], points[-1]
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    if not length:
        return ()
    ux, uy = (bx - ax) / length, (by - ay) / length
    tip = (bx + ux * 1.4, by + uy * 1.4)
    left = (bx - (ux + uy) * 1.2, by - (uy - ux) * 1.2)
    right = (bx - (ux - uy) * 1.2, by - (uy + ux) * 1.2)
    return tip, left, right


def _risk_signs(data: MapData, view: View, room: Room) -> list[Mark]:
    """Numbered signs; those on the same spot move apart, each with a line to where it really is."""
    shown = [(risk, view.point(risk.position)) for risk in data.risks if risk.position and view.shows(risk.position)]
    size = 2 * RISK_RADIUS + 0.7
    boxes = place([Wish(point, size, size, 0.8, centred=True) for _, point in shown], room)
    return [mark for (risk, point), box in zip(shown, boxes, strict=True) for mark in _risk_marks(risk, point, box)]


def _risk_marks(risk: MapRisk, point: Point, box: Box | None) -> list[Mark]:
    symbol = hazard_symbol(risk.hazard)
    centre = point if box is None else (box.x + box.w / 2, box.y + box.h / 2)
    outline = tuple(symbol.outline(centre, RISK_RADIUS))
    size = symbol.text_share * NUMBER_SIZE * min(1.0, 2.4 / max(len(risk.number), 1))
    text_at = (centre[0], centre[1] + symbol.text_down * RISK_RADIUS)
    sign = Sign(outline, symbol.colour, PAPER, risk.number, PAPER, text_at, size)
    if abs(centre[0] - point[0]) + abs(centre[1] - point[1]) < 0.1:
        return [sign]
    return [
        Area((point, centre), closed=False, stroke=symbol.colour, width=0.2),
        Dots((point,), 0.45, symbol.colour),
        sign,
    ]


def _place_signs(data: MapData, view: View, room: Room) -> tuple[list[Mark], list[tuple[str, Point, bool]]]:
    """Squares with a character, and the names that want a label beside them."""
    shown = [(item, view.point(item.position)) for item in data.places if item.position and view.shows(item.position)]
    side = 2 * PLACE_HALF
    boxes = place([Wish(point, side, side, 0.6, centred=True) for _, point in shown], room)
    marks: list[Mark] = []
    names: list[tuple[str, Point, bool]] = []
    for (item, point), box in zip(shown, boxes, strict=True):
        x, y = point if box is None else (box.x + PLACE_HALF, box.y + PLACE_HALF)
        if abs(x - point[0]) + abs(y - point[1]) > 0.1:
            marks += [Area((point, (x, y)), closed=False, stroke=PLACE, width=0.2), Dots((point,), 0.4, PLACE)]
        half = PLACE_HALF
        outline = ((x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half))
        text = place_mark(item.kind, data.kinds.get(item.kind, ""))
        marks.append(Sign(outline, PLACE, PAPER, text, PAPER, (x, y), MARK_SIZE))
        names.append((item.name, (x, y), False))
    return marks, names


def _group_captions(data: MapData, view: View, room: Room, measure: Measure) -> tuple[list[Mark], int]:
    """The groups' names, where they live."""
    marks: list[Mark] = []
    lost = 0
    for group in data.groups:
        position = group.position or (middle(group.outline) if group.outline else None)
        if position is None or not view.shows(position):
            continue
        mark = _caption(group.name, view.point(position), GROUP_SIZE, room, measure, centred=True)
        lost += mark is None
        marks += [mark] if mark else []
    return marks, lost


def _captions(names: list[tuple[str, Point, bool]], room: Room, measure: Measure) -> tuple[list[Mark], int]:
    """The public places' names beside their signs."""
    found = [_caption(name, point, PLACE_SIZE, room, measure) for name, point, _ in names if name]
    return [mark for mark in found if mark], sum(mark is None for mark in found)


def _caption(
    text: str, point: Point, size: float, room: Room, measure: Measure, *, centred: bool = False
) -> Caption | None:
    """One label in the room there is, with a leader where it stands away from its point."""
    clearance = 0.5 if centred else PLACE_HALF + 0.3
    width, height = measure(text, size) + 1.0, size * LINE_HEIGHT
    box = place([Wish(point, width, height, clearance, centred)], room)[0]
    if box is None:
        return None
    away = not box.inset(-clearance - 1.6).has(point)
    leader = point if away else None
    return Caption(box, text, size, INK if centred else PLACE, bold=centred, leader=leader)


def _on_paper(line: Line, view: View) -> tuple[Point, ...]:
    return tuple(thinned(map(view.point, line)))


def legend(data: MapData, view: View) -> tuple[LegendItem, ...]:
    """Return the legend: what the map shows, and nothing that it does not."""
    items: list[LegendItem] = []
    if data.boundary:
        items.append(LegendItem("boundary", "", "村界（示意）"))
    if any(group.outline for group in data.groups):
        items.append(LegendItem("outline", "", "组界（示意）"))
    if any(view.shows(house) for house in data.houses):
        items.append(LegendItem("house", "", "住户"))
    if any(len(risk.route) > 1 for risk in data.risks):
        items.append(LegendItem("route", "", "转移路线"))
    for code in _codes([(risk.hazard, risk.position) for risk in data.risks], view):
        items.append(LegendItem("hazard", code, data.hazards.get(code, code) or "其他风险"))
    for code in _codes([(item.kind, item.position) for item in data.places], view):
        items.append(LegendItem("place", code, data.kinds.get(code, code) or "公共场所"))
    return tuple(items)


def _codes(found: list[tuple[str, Position | None]], view: View) -> list[str]:
    """Codes that stand on the map, in the order of their first."""
    return list(dict.fromkeys(code for code, position in found if position and view.shows(position)))
