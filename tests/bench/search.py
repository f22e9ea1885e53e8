"""Measures finding people and listing a ledger of many persons, processor time of this process.

Run: python -m tests.bench.search [--households N] [--json]. 13,700 households are about 50,000 persons.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collect.listing import listing, page
from collect.station import Station
from forms.reader import load_shipped
from tests.bench.baseline import VILLAGE, households, show, told

TEXTS = ("陈", "王秀", "zx", "lixiuying", "1381", "5678", "0012", "zzzz", "陈 138", "y")


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=13_700)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        data = measure(Path(folder) / "station", given.households)
    show([(name, str(value)) for name, value in data.items()], data, as_json=given.json)


def measure(folder: Path, number: int) -> dict[str, Any]:
    """Return the figures: how many persons, milliseconds by name."""
    form = load_shipped("household")
    with Station.create(folder, name="测量", villages=((VILLAGE, "洗马塘村"),)) as station:
        station.add_form(form)
        station.save_many([(form, each, VILLAGE) for each in told(form, households(number))], author="测量")
        searches = [_milliseconds(lambda text=text: station.find(text)) for text in TEXTS for _ in range(5)]
        ledger = station.projection.ledgers["household_member"]
        wanted = listing(ledger, words=["sex=女"], sort="-birth_date", limit=50, offset=5000)
        pages = [_milliseconds(lambda: page(station.projection.path, wanted)) for _ in range(10)]
        persons = station.projection.counts()["household_member"]
    return {
        "persons": persons,
        "search_median_ms": round(statistics.median(searches), 1),
        "search_p95_ms": round(sorted(searches)[int(len(searches) * 0.95)], 1),
        "page_median_ms": round(statistics.median(pages), 1),
    }


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
