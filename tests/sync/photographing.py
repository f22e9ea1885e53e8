"""A township that takes photos: stations with a form that asks for one; also run to be killed while it exchanges."""

from __future__ import annotations

import random
import sys
from functools import cache
from pathlib import Path

from collect.station import Station
from forms.definition import Form
from forms.reader import read_rows
from sync.exchange import run
from sync.identity import token_of
from sync.transport.http import HttpTransport
from tests.sync.township import EAST, MovableClock, hub_row


@cache
def spot() -> Form:
    """Return a ledger of places with a photo."""
    survey = [
        {"type": "select_one_from_file village.csv", "name": "village", "label": "村", "ledger::standard": "village"},
        {"type": "text", "name": "name", "label": "名称"},
        {"type": "image", "name": "photo", "label": "照片"},
    ]
    settings = [{"form_id": "spot", "version": "1", "form_title": "现场"}]
    return read_rows({"survey": survey, "settings": settings})


def noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that no road can make smaller, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def take_photo(station: Station, data: bytes, at: tuple[str, str] = EAST) -> str:
    """Save a place with a photo and return the photo's name."""
    name = station.blobs.put(data, "jpg")
    station.save({"village": at[0], "name": "桥头", "photo": name}, spot(), author=station.name)
    return name


def main(folder: Path, address: str) -> None:
    """Exchange over a slow line: in pieces of 32 kB."""
    import sync.carrying

    sync.carrying._FIRST = sync.carrying._LEAST = 32768  # type: ignore[misc]
    sync.carrying._QUICK = -1.0
    with Station.open(folder, clock=MovableClock()) as station:
        hub = hub_row(station).hub
        with HttpTransport(address, hub=hub, station=station.id, token=token_of(folder, hub)) as road:
            print(run(station, road).bytes_sent)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
