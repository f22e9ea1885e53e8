"""Values of a form by type: what a person typed becomes the one canonical spelling, or says why it can't."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from forms.problems import Place, Problem

Value = str | int | float
Parsed = tuple[Value, str]
"""A value in canonical spelling (`''`: empty) and the code of what is wrong with it (`''`: nothing)."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"(\d{1,2})[:时点](\d{1,2})分?(?::?(\d{1,2})(?:\.(\d{1,6}))?秒?)?\s*(Z|[+-]\d{2}:?\d{2})?")
# What no XML and no database text may hold; nobody types it, a faulty file may carry it.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Python itself refuses to read much longer ones.
_MOST_DIGITS = 400
_POINT_PARTS = (2, 3, 4)


@cache
def kind_of(data_type: str) -> str:
    """Return the kind of value a bind type holds: int, decimal, date, time, dateTime, geopoint, geotrace, geoshape,
    boolean or string (everything else)."""
    name = data_type.rpartition(":")[2]
    return {"integer": "int", "long": "int", "short": "int", "double": "decimal", "float": "decimal"}.get(
        name, name if name in _PARSERS else "string"
    )


def normalise(value: object, data_type: str) -> Parsed:
    """Return `value` in the canonical spelling of a bind type, and the code of what is wrong with it.

    Text is trimmed and loses control characters; numbers, dates and the like also lose full-width forms (NFKC). What
    can't be read comes back as the typed text with its code, so that nothing a person typed is dropped. `value`:
    text, number or None.
    """
    if value is None or value == "":
        return "", ""
    kind = kind_of(data_type)
    if isinstance(value, str) and not value.isprintable():
        value = _FORBIDDEN.sub("", value)
    if kind == "string":
        return (value.strip() if isinstance(value, str) else text_of(value)), ""
    if kind == "int" and type(value) is int:
        return value, ""
    text = unicodedata.normalize("NFKC", value if isinstance(value, str) else text_of(value)).strip()
    if not text:
        return "", ""
    parsed = _PARSERS[kind](text)
    if parsed is None:
        return text, _CODES[kind]
    return parsed, ""


def text_of(value: object) -> str:
    """Return a value as the text an XForm node holds; numbers as XPath writes them (no exponent, no trailing `.0`)."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def number_text(number: float) -> str:
    """Return a number as XPath 1.0 writes it (section 4.2, string())."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number):
        return str(int(number))
    text = repr(number)
    return format(Decimal(text), "f") if "e" in text else text


def typed(text: str, data_type: str) -> Value:
    """Return the canonical text of a node as an answer's value: int and float where the type says so and it fits."""
    kind = kind_of(data_type)
    if not text or kind not in ("int", "decimal"):
        return text
    parsed = _PARSERS[kind](text)
    return text if parsed is None else parsed


def problem_of(code: str, value: object, name: str) -> Problem:
    """Return the problem of a value that isn't of its question's type."""
    return Problem(code, Place(name=name), {"value": value})


def _integer(text: str) -> Value | None:
    plain = text.replace(",", "") if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+", text) else text
    if len(plain) > _MOST_DIGITS or re.fullmatch(r"[+-]?\d+(\.0+)?", plain) is None:
        return None
    return int(plain.partition(".")[0])


def _decimal(text: str) -> Value | None:
    plain = text.replace(",", "") if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text) else text
    if _NUMBER.fullmatch(plain) is None:
        return None
    number = float(plain)
    return number if math.isfinite(number) else None


def _date(text: str) -> Value | None:
    match = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if match is None:
        moment = _moment(text)
        return None if moment is None else text[:10]
    return _day(*match.groups())


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) > 10 else None
    except ValueError:
        return None


def _time(text: str) -> Value | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, fraction, zone = match.groups(default="")
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        return None
    millis = (fraction + "000")[:3] if fraction else "000"
    if not second and not zone:
        return f"{int(hour):02}:{int(minute):02}:00.000"
    return f"{int(hour):02}:{int(minute):02}:{int(second or 0):02}.{millis}{zone}"


def _date_time(text: str) -> Value | None:
    day_text, clock_text = re.split(r"[T\s日]+", text, maxsplit=1) if re.search(r"[T\s日]", text) else (text, "")
    day = _date(day_text)
    if day is None:
        return None
    clock = _time(clock_text) if clock_text else "00:00:00.000"
    return None if clock is None else f"{day}T{clock}"


def _boolean(text: str) -> Value | None:
    return {"true": "true", "1": "true", "false": "false", "0": "false"}.get(text.lower())


def point_numbers(text: str) -> tuple[float, ...] | None:
    """Return a geopoint's numbers (latitude, longitude and, where given, altitude and accuracy in metres), or None."""
    parts = text.replace(",", " ").split()
    if len(parts) not in _POINT_PARTS or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = tuple(float(part) for part in parts)
    inside = abs(numbers[0]) <= 90 and abs(numbers[1]) <= 180 and all(map(math.isfinite, numbers))
    return numbers if inside else None


def line_points(text: str) -> tuple[tuple[float, ...], ...] | None:
    """Return the points of a geotrace or geoshape, or None where one of them isn't a point."""
    points = [point_numbers(part) for part in text.split(";") if part.strip()]
    if not points or None in points:
        return None
    return tuple(point for point in points if point is not None)


def point_text(numbers: tuple[float, ...]) -> str:
    """Return a point as XForms writes it."""
    return " ".join(map(number_text, numbers))


def _point(text: str) -> Value | None:
    numbers = point_numbers(text)
    return None if numbers is None else point_text(numbers)


def _trace(text: str) -> Value | None:
    points = line_points(text)
    return None if points is None or len(points) < 2 else ";".join(map(point_text, points))


def _shape(text: str) -> Value | None:
    points = line_points(text)
    if points is None or len(points) < 3:
        return None
    closed = points if points[0][:2] == points[-1][:2] else (*points, points[0])
    return None if len(closed) < 4 else ";".join(map(point_text, closed))


def geojson_of(text: str, data_type: str) -> str:
    """Return a trace or shape as GeoJSON text (RFC 7946); what isn't one comes back as it is.

    Accuracies in metres have no place in a GeoJSON position: they stand beside the coordinates in `accuracy`.
    """
    points = line_points(text)
    least = 4 if data_type == "geoshape" else 2
    if points is None or len(points) < least:
        return text
    positions = [[point[1], point[0], *point[2:3]] for point in points]
    shape = data_type == "geoshape"
    geometry: dict[str, object] = {
        "type": "Polygon" if shape else "LineString",
        "coordinates": [positions] if shape else positions,
    }
    if any(len(point) == 4 for point in points):
        geometry["accuracy"] = [point[3] if len(point) == 4 else None for point in points]
    return json.dumps(geometry, separators=(",", ":"))


def text_of_geojson(geojson: str) -> str:
    """Return what `geojson_of` wrote as XForms text again; any other text as it is."""
    try:
        geometry = json.loads(geojson)
        positions = geometry["coordinates"][0] if geometry["type"] == "Polygon" else geometry["coordinates"]
        accuracies = geometry.get("accuracy") or [None] * len(positions)
        points = [_numbers_of(*pair) for pair in zip(positions, accuracies, strict=True)]
    except (ValueError, KeyError, TypeError, IndexError):
        return geojson
    return ";".join(map(point_text, points))


def _numbers_of(position: list[float], accuracy: float | None) -> tuple[float, ...]:
    numbers = (position[1], position[0], *position[2:3])
    return numbers if accuracy is None else (*numbers, accuracy)


_PARSERS: dict[str, Callable[[str], Value | None]] = {
    "int": _integer,
    "decimal": _decimal,
    "date": _date,
    "time": _time,
    "dateTime": _date_time,
    "boolean": _boolean,
    "geopoint": _point,
    "geotrace": _trace,
    "geoshape": _shape,
}
_CODES = {
    "int": "FORMS_VALUE_INTEGER",
    "decimal": "FORMS_VALUE_DECIMAL",
    "date": "FORMS_VALUE_DATE",
    "time": "FORMS_VALUE_TIME",
    "dateTime": "FORMS_VALUE_DATETIME",
    "boolean": "FORMS_VALUE_BOOLEAN",
    "geopoint": "FORMS_VALUE_GEOPOINT",
    "geotrace": "FORMS_VALUE_GEOTRACE",
    "geoshape": "FORMS_VALUE_GEOSHAPE",
}
