"""Places of a form page: what a pasted text means, and what its map shows of a village."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datasette_plugins.village_map.geometry import Position
from datasette_plugins.village_map.pasted import read_place
from datasette_plugins.village_map.surroundings import surroundings

if TYPE_CHECKING:
    from collect.station import Station


def read(text: str, datum: str = "") -> dict[str, Any]:
    """Return the place a text names: `lat`, `lon` (WGS-84), `datum` it was read in, `sure`; raises PlaceError.

    `datum`: read it in this one.
    """
    found = read_place(text, datum)
    position = found.wgs84
    return {"lat": round(position.lat, 7), "lon": round(position.lon, 7), "datum": found.datum, "sure": found.sure}


def ground(station: Station, village: str) -> dict[str, Any]:
    """Return a village's boundary and known places, as positions `[lat, lon]`; of all villages where none is named or
    nothing is known of it."""
    known = village if village in {each.code for each in station.villages} else None
    found = surroundings(station.folder / "township.db", known)
    if not (found.boundary or found.landmarks):
        found = surroundings(station.folder / "township.db", None)  # its neighbours are better than an empty map
    return {
        "boundary": [_pair(each) for each in found.boundary],
        "marks": [{"kind": each.kind, "name": each.name, "at": _pair(each.position)} for each in found.landmarks],
    }


def _pair(position: Position) -> list[float]:
    return [round(position.lat, 7), round(position.lon, 7)]
