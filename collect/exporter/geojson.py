"""Ledger rows as GeoJSON features (RFC 7946): the first geometry of a row, its other answers as properties."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from forms.tables import Column, Table

_GEOMETRIES = ("geopoint", "geotrace", "geoshape")


def features(
    table: Table,
    rows: Iterable[Mapping[str, Any]],
    value: Callable[[Column, Any], Any],
    header: Callable[[Column], str],
) -> Iterator[dict[str, Any]]:
    """Yield a feature for every row that has a geometry.

    `rows`: SQL column -> stored value; `value` and `header` say an answer and a column in the export's words.
    Coordinates are WGS-84 longitude, latitude (and altitude where known).
    """
    places = [column for column in table.columns if column.question.data_type in _GEOMETRIES]
    others = [column for column in table.columns if column not in places]
    for row in rows:
        geometry = next((found for column in places if (found := _geometry(column, row))), None)
        if geometry is not None:
            answers = ((header(column), value(column, column.load(row))) for column in others)
            properties = {name: answer for name, answer in answers if answer is not None}
            yield {"type": "Feature", "id": row["_id"], "geometry": geometry, "properties": properties}


def _geometry(column: Column, row: Mapping[str, Any]) -> dict[str, Any] | None:
    first = row[column.stored[0].name]
    if first is None:
        return None
    if column.question.data_type == "geopoint":
        latitude, longitude, altitude = (row[stored.name] for stored in column.stored[:3])
        if not isinstance(latitude, float | int) or longitude is None:
            return None
        position = [longitude, latitude] if altitude is None else [longitude, latitude, altitude]
        return {"type": "Point", "coordinates": position}
    try:
        loaded = json.loads(first)
    except ValueError:
        return None  # text that is no geometry was kept as it was typed
    return loaded if isinstance(loaded, dict) else None
