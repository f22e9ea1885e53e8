"""What lies around a place, out of the ledgers: a village's boundary, houses, public places, risk points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.figures import LedgerFile, ledger_file
from datasette_plugins.village_map.geometry import Line, Position, read_geojson, valid

# kind -> table, its geopoint, what names it
_LAYERS = {
    "house": ("household", "location", "head_name"),
    "place": ("public_place", "location", "name"),
    "risk": ("risk_point", "location", "name"),
    "group": ("village_group", "location", "name"),
    "centre": ("village", "centre", ""),
}
MOST = 4_000  # marks of one village: what a page still draws at once


@dataclass(frozen=True, slots=True)
class Landmark:
    """A known place: `kind` is house, place, risk, group or centre; `record` its id."""

    kind: str
    name: str
    position: Position
    record: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of a village's ground."""

    boundary: Line = ()
    landmarks: tuple[Landmark, ...] = ()


def surroundings(path: Path, village: str | None) -> Surroundings:
    """Return what a ledger file (township.db) knows around a village, or around all its villages; for its staff only.

    Raises DatabaseError.
    """
    with ledger_file(path) as file:
        rows = file.rows("village", ("boundary",), village=village) if village else []
        boundary = next((line for row in rows if (line := read_geojson(str(row.get("boundary") or "")))), ())
        landmarks = tuple(each for kind in _LAYERS for each in _layer(file, kind, village))
    return Surroundings(boundary, landmarks[:MOST])


def _layer(file: LedgerFile, kind: str, village: str | None) -> Iterator[Landmark]:
    table, column, name = _LAYERS[kind]
    for row in file.rows(table, [*([name] if name else []), f"{column}_lat", f"{column}_lon"], village=village):
        position = _position(row, column)
        if position is not None:
            yield Landmark(kind, str(row.get(name) or ""), position, str(row["_id"]))


def _position(row: Mapping[str, Any], column: str) -> Position | None:
    lat, lon = row.get(f"{column}_lat"), row.get(f"{column}_lon")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    found = Position(float(lat), float(lon))
    return found if valid(found) else None
