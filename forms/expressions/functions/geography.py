"""Functions of places: distances and areas on the sphere, points in polygons."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from forms.expressions.context import Context
from forms.expressions.functions.registry import each_text, function
from forms.expressions.values import NAN

# The radius that ODK's clients calculate with (metres), so that areas agree with theirs.
EARTH_RADIUS = 6_378_100.0
Point = tuple[float, float]


def points_of(texts: list[str]) -> list[Point] | None:
    """Return the (latitude, longitude) pairs of geopoints, traces and shapes; None where one is no place."""
    points: list[Point] = []
    for text in texts:
        for part in text.split(";"):
            if not part.strip():
                continue
            point = _point(part)
            if point is None:
                return None
            points.append(point)
    return points


def _point(text: str) -> Point | None:
    parts = text.replace(",", " ").split()
    if not 2 <= len(parts) <= 4:
        return None
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
    except ValueError:
        return None
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


@function("distance(value+)", "number")
def distance(context: Context, *values: Any) -> float:
    """Return the length in metres of a trace, a shape, or the places given one by one or as a node-set.

    NaN where nothing is given or something is no place; 0 for a single one.
    """
    points = points_of(each_text(context, values))
    if not points:
        return NAN
    return _centimetres(sum((_haversine(first, second) for first, second in pairwise(points)), 0.0))


def _haversine(first: Point, second: Point) -> float:
    (lat1, lon1), (lat2, lon2) = first, second
    half_lat = math.radians(lat2 - lat1) / 2
    half_lon = math.radians(lon2 - lon1) / 2
    across = math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(math.sin(half_lat) ** 2 + across)))


@function("area(value+)", "number")
def area(context: Context, *values: Any) -> float:
    """Return the area in square metres that a shape, a trace or a node-set of places encloses on the sphere.

    NaN where nothing is given or something is no place; 0 for fewer than three. Source: Chamberlain and Duquette,
    "Some algorithms for polygons on a sphere" (2007).
    """
    points = points_of(each_text(context, values))
    if not points:
        return NAN
    total = 0.0
    for (lat1, lon1), (lat2, lon2) in zip(points, [*points[1:], points[0]], strict=True):
        total += math.radians(lon2 - lon1) * (2 + math.sin(math.radians(lat1)) + math.sin(math.radians(lat2)))
    return _centimetres(abs(total) * EARTH_RADIUS**2 / 2)


def _centimetres(metres: float) -> float:
    """Two decimals, as the web clients give: no place is known better, and equal shapes then have equal areas."""
    return math.floor(metres * 100 + 0.5) / 100


@function("geofence(string, string)", "boolean")
def geofence(context: Context, place: str, shape: str) -> bool:
    """Return whether a place is inside a shape (even-odd rule; false where either is no place)."""
    point, polygon = points_of([place]), points_of([shape])
    if not point or not polygon or len(polygon) < 3:
        return False
    latitude, longitude = point[0]
    inside = False
    for (lat1, lon1), (lat2, lon2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (lat1 > latitude) != (lat2 > latitude):
            crossing = lon1 + (latitude - lat1) * (lon2 - lon1) / (lat2 - lat1)
            inside ^= longitude < crossing
    return inside


@function("intersects(value)", "boolean")
def intersects(context: Context, value: Any) -> bool:
    """Return whether a trace or shape crosses itself; segments that follow each other may share their end."""
    points = points_of(each_text(context, (value,)))
    if not points:
        return False
    line = [point for place, point in enumerate(points) if place == 0 or point != points[place - 1]]
    edges = list(pairwise(line))
    closed = line[0] == line[-1]
    for place, edge in enumerate(edges):
        for later in range(place + 1, len(edges)):
            joined = later == place + 1 or (closed and place == 0 and later == len(edges) - 1)
            if _doubles_back(edge, edges[later]) if joined else _meet(edge, edges[later]):
                return True
    return False


Edge = tuple[Point, Point]


def _turn(origin: Point, first: Point, second: Point) -> float:
    return (first[0] - origin[0]) * (second[1] - origin[1]) - (first[1] - origin[1]) * (second[0] - origin[0])


def _on(edge: Edge, point: Point) -> bool:
    (lat1, lon1), (lat2, lon2) = edge
    return min(lat1, lat2) <= point[0] <= max(lat1, lat2) and min(lon1, lon2) <= point[1] <= max(lon1, lon2)


def _meet(one: Edge, other: Edge) -> bool:
    turns = (_turn(*one, other[0]), _turn(*one, other[1]), _turn(*other, one[0]), _turn(*other, one[1]))
    if (turns[0] > 0) != (turns[1] > 0) and (turns[2] > 0) != (turns[3] > 0) and all(turns):
        return True
    touching = ((one, other[0]), (one, other[1]), (other, one[0]), (other, one[1]))
    return any(turn == 0 and _on(edge, point) for turn, (edge, point) in zip(turns, touching, strict=True))


def _doubles_back(one: Edge, other: Edge) -> bool:
    """Return whether two segments that share one end also share more than it."""
    if one[1] == other[0]:
        start, shared, end = one[0], one[1], other[1]
    else:
        start, shared, end = one[1], one[0], other[0]
    if _turn(start, shared, end) != 0:
        return False
    return _on((start, shared), end) or _on((shared, end), start)
