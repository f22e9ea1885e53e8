"""GCJ-02, the shifted datum of Chinese web maps, in and out of WGS-84 (the same as CGCS2000 to the metre)."""

from __future__ import annotations

from math import cos, pi, radians, sin, sqrt

from datasette_plugins.village_map.geometry import Position

_AXIS = 6378245.0  # semi-major axis of the Krasovsky 1940 ellipsoid, which the shift is computed on
_ECCENTRICITY = 0.00669342162296594323


def to_gcj02(position: Position) -> Position:
    """Return a WGS-84 position as GCJ-02; positions outside China's rectangle stay as they are."""
    if not in_china(position):
        return position
    lat, lon = _shift(position)
    return Position(position.lat + lat, position.lon + lon)


def from_gcj02(position: Position) -> Position:
    """Return a GCJ-02 position as WGS-84, by turning the shift back until it fits to less than a millimetre."""
    guess = position
    for _ in range(10):
        shifted = to_gcj02(guess)
        error = Position(position.lat - shifted.lat, position.lon - shifted.lon)
        guess = Position(guess.lat + error.lat, guess.lon + error.lon)
        if abs(error.lat) + abs(error.lon) < 1e-11:
            break
    return guess


def in_china(position: Position) -> bool:
    """Say whether the shift applies there: the rectangle that the web maps use."""
    return 0.8293 <= position.lat <= 55.8271 and 72.004 <= position.lon <= 137.8347


def _shift(position: Position) -> tuple[float, float]:
    """The shift in degrees of latitude and longitude."""
    x, y = position.lon - 105.0, position.lat - 35.0
    common = _waves(x, (20, 6), (20, 2))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + common
    north += _waves(y, (20, 1), (40, 1 / 3), (160, 1 / 12), (320, 1 / 30))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + common
    east += _waves(x, (20, 1), (40, 1 / 3), (150, 1 / 12), (300, 1 / 30))
    angle = radians(position.lat)
    root = 1 - _ECCENTRICITY * sin(angle) ** 2
    metres_per_radian_north = _AXIS * (1 - _ECCENTRICITY) / root**1.5
    metres_per_radian_east = _AXIS / sqrt(root) * cos(angle)
    return north / metres_per_radian_north * 180 / pi, east / metres_per_radian_east * 180 / pi


def _waves(at: float, *terms: tuple[float, float]) -> float:
    """Two thirds of a sum of sines: amplitude and frequency (in half turns) of each."""
    return sum(amplitude * sin(frequency * at * pi) for amplitude, frequency in terms) * 2 / 3
