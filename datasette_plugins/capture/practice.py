"""Practice: a station of invented people in a folder that is thrown away, marked on every page, that never syncs."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collect.importer.ledger import import_ledger
from collect.station import Station
from datasette_plugins.demo.ledger import write_ledger
from datasette_plugins.demo.people import Census
from datasette_plugins.demo.township import TOWNSHIP, places
from forms.clock import SystemClock
from forms.problems import CunceError
from forms.reader import load_shipped, shipped

MARK = "practice"  # a file of this name in a station's folder
_HOMES = 12


class PracticeError(CunceError):
    """What a practice station never does."""


def is_practice(station: Station) -> bool:
    """Return whether a station is one to practise on."""
    return (station.folder / MARK).exists()


@contextmanager
def practice_station() -> Iterator[Path]:
    """Make a practice station and yield its folder; thrown away afterwards, whatever was entered."""
    with tempfile.TemporaryDirectory(prefix="cunce-practice-", ignore_cleanup_errors=True) as scratch:
        folder, today = Path(scratch) / "station", SystemClock().now().date()
        place = places(random.Random(1))[0]
        census = Census(1, today)
        homes = [
            census.household(place.code, place.groups[turn % 4][0], turn + 1, place.groups[turn % 4][1])
            for turn in range(_HOMES)
        ]
        with Station.create(
            folder, name=f"练习 · {place.village.name}", township=TOWNSHIP, villages=[place.village], author="练习"
        ) as station:
            (folder / MARK).touch()
            station.add_forms(load_shipped(name) for name in shipped())
            sheet = Path(scratch) / f"{place.village.name}.xlsx"
            write_ledger(sheet, place.village.name, homes, today)
            import_ledger(station, "household", sheet, author="练习")
        yield folder
