"""Positions, the local projection of a village and how a piece of land is fitted into a frame on paper."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, floor, log10, radians, sin, sqrt
from statistics import median
from typing import Any

_AXIS, _ECCENTRICITY = 6378137.0, 0.0066943799901413  # WGS-84
_LEAST_GROUND = 300.0  # metres: one lone house must not be drawn as if the village were a metre wide
_STRAY = 20_000.0  # metres from the village's middle: a mistyped coordinate, not a village


@dataclass(frozen=True, slots=True)
class Position:
    """A place on earth: degrees of latitude and longitude, WGS-84."""

    lat: float
    lon: float


Line = tuple[Position, ...]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left and top edge, width, height; millimetres, y downwards."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The bottom edge."""
        return self.y + self.h

    def overlaps(self, other: Box) -> bool:
        """Say whether the two share more than an edge."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: Box) -> bool:
        """Say whether the other lies wholly inside."""
        inside_x = self.x <= other.x and other.right <= self.right
        return inside_x and self.y <= other.y and other.bottom <= self.bottom

    def has(self, point: Point) -> bool:
        """Say whether a point lies inside or on the edge."""
        return self.x <= point[0] <= self.right and self.y <= point[1] <= self.bottom

    def inset(self, margin: float) -> Box:
        """Return the rectangle drawn in by `margin` on every side (or grown, where it is negative)."""
        return Box(self.x + margin, self.y + margin, self.w - 2 * margin, self.h - 2 * margin)


@dataclass(frozen=True, slots=True)
class View:
    """Land in a frame: a local equirectangular projection, `scale` millimetres to the metre.

    `centre`: the middle of what is shown; `at`: where it stands on paper.
    """

    centre: Position
    scale: float
    frame: Box
    at: Point

    def point(self, position: Position) -> Point:
        """Return where a position stands on paper, in millimetres."""
        east, north = metres(position, self.centre)
        return self.at[0] + east * self.scale, self.at[1] - north * self.scale

    def shows(self, position: Position) -> bool:
        """Say whether a position falls inside the frame."""
        return self.frame.has(self.point(position))

    @property
    def bar(self) -> int:
        """Metres of a scale bar: 1, 2 or 5 times a power of ten, at most a quarter of the frame's width."""
        most = max(self.frame.w / 4 / self.scale, 1.0)
        power = 10 ** floor(log10(most))
        return int(next(step * power for step in (5, 2, 1) if step * power <= most))


def metres(position: Position, centre: Position) -> Point:
    """Return metres east and north of `centre`, by the ellipsoid's two radii of curvature there."""
    angle = radians(centre.lat)
    root = 1 - _ECCENTRICITY * sin(angle) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY) / root**1.5
    parallel = _AXIS / sqrt(root) * cos(angle)
    return radians(position.lon - centre.lon) * parallel, radians(position.lat - centre.lat) * meridian


def fit(
    boundary: Sequence[Position], positions: Sequence[Position], frame: Box, *, inner: Box | None = None
) -> View | None:
    """Return the largest view of a village in a frame, or None where nothing has a position.

    With a boundary: all of it, and what lies no more than a quarter of its size outside. Without: every position that
    lies within 20 km of their median. A stray coordinate is left outside instead of shrinking the village to a dot.
    `inner`: the part of the frame that it has to fit into; 7 mm are kept free on every side if it is not given.
    """
    kept = _kept(boundary, positions)
    if not kept:
        return None
    south, north = min(p.lat for p in kept), max(p.lat for p in kept)
    west, east = min(p.lon for p in kept), max(p.lon for p in kept)
    centre = Position((south + north) / 2, (west + east) / 2)
    half_width, half_height = metres(Position(north, east), centre)
    width, height = max(2 * half_width, _LEAST_GROUND), max(2 * half_height, _LEAST_GROUND)
    part = inner or frame.inset(7.0)
    scale = min(part.w / width, part.h / height)
    return View(centre, scale, frame, (part.x + part.w / 2, part.y + part.h / 2))


def _kept(boundary: Sequence[Position], positions: Sequence[Position]) -> list[Position]:
    """The positions that decide the extent."""
    if boundary:
        south, north = min(p.lat for p in boundary), max(p.lat for p in boundary)
        west, east = min(p.lon for p in boundary), max(p.lon for p in boundary)
        high, wide = (north - south) / 4, (east - west) / 4
        near = [
            p for p in positions if south - high <= p.lat <= north + high and west - wide <= p.lon <= east + wide
        ]
        return [*boundary, *near]
    if not positions:
        return []
    middle = Position(median(p.lat for p in positions), median(p.lon for p in positions))
    return [p for p in positions if max(map(abs, metres(p, middle))) <= _STRAY]


def middle(line: Sequence[Position]) -> Position:
    """Return the centroid of a ring (of its vertices, where it encloses nothing); raises ValueError when empty."""
    if not line:
        raise ValueError("a line without positions has no middle")
    double = lat = lon = 0.0
    first = line[0]
    for a, b in zip(line, (*line[1:], first), strict=True):
        ax, ay, bx, by = a.lon - first.lon, a.lat - first.lat, b.lon - first.lon, b.lat - first.lat
        cross = ax * by - bx * ay
        double += cross
        lon += (ax + bx) * cross
        lat += (ay + by) * cross
    if abs(double) < 1e-15:
        return Position(sum(p.lat for p in line) / len(line), sum(p.lon for p in line) / len(line))
    return Position(first.lat + lat / (3 * double), first.lon + lon / (3 * double))


def thinned(points: Iterable[Point], *, step: float = 0.15) -> list[Point]:
    """Return a line without the points nearer than `step` to the one before: below a printer's resolution."""
    kept: list[Point] = []
    last: Point | None = None
    for point in points:
        last = point
        if not kept or abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) >= step:
            kept.append(point)
    if last is not None and kept[-1] != last:
        kept.append(last)
    return kept


def sampled(points: Iterable[Point], *, step: float = 1.5) -> list[Point]:
    """Return points along a line, at most `step` apart."""
    found: list[Point] = []
    for point in points:
        if found:
            (ax, ay), (bx, by) = found[-1], point
            pieces = int((abs(bx - ax) + abs(by - ay)) / step) + 1
            found += [(ax + (bx - ax) * n / pieces, ay + (by - ay) * n / pieces) for n in range(1, pieces)]
        found.append(point)
    return found


def read_geojson(text: str) -> Line:
    """Return the positions of a GeoJSON Point, LineString or Polygon (its outer ring); empty where it is none."""
    try:
        data: Any = json.loads(text)
        rows: Any = data["coordinates"]
        if data["type"] == "Point":
            rows = [rows]
        elif data["type"] == "Polygon":
            rows = rows[0]
        elif data["type"] != "LineString":
            return ()
        line = tuple(Position(float(row[1]), float(row[0])) for row in rows)
    except (ValueError, TypeError, KeyError, IndexError):
        return ()
    return line if all(valid(p) for p in line) else ()


def valid(position: Position) -> bool:
    """Say whether it can be a village's: on the globe, and not the 0, 0 that a silent receiver writes."""
    on_globe = abs(position.lat) < 89 and abs(position.lon) <= 180
    return on_globe and (abs(position.lat) > 1e-6 or abs(position.lon) > 1e-6)
