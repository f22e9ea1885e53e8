"""Measures changes on the form page at the program's side: `python -m tests.bench.typed [--households N] [--form F]`.

Milliseconds of one change of a household being typed (plain, with an ID number that is on the laptop already, with a
phone number shared by many), among that many households of 3.65 persons; with `--form`, of any question of a form.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from uuid6 import uuid7

from collect.station import Station
from datasette_plugins.capture.sitting import Key, Sitting, Sittings
from forms.reader import load_shipped, read_form
from tests.bench.baseline import VILLAGE, households, show, told

_TURNS = 40


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=13_700)
    parser.add_argument("--form", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        Station.create(Path(folder) / "s", name="测量", villages={VILLAGE: "测试村"}, author="测量") as station,
    ):
        found = of_form(station, given.form) if given.form else of_household(station, given.households)
    show([(name, f"{value:.1f} ms") for name, value in found.items()], found, as_json=given.json)


def of_form(station: Station, file: Path) -> dict[str, float]:
    """Return milliseconds of a change of any question that is asked at first."""
    form = read_form(file)
    station.add_form(form)
    sitting = _opened(station, form.form_id)
    refs = [state.ref for state in sitting.instance.walk() if state.kind == "question" and state.relevant]
    times = [_time(sitting, {"op": "set", "ref": refs[turn % len(refs)], "value": ""}) for turn in range(10 * _TURNS)]
    return {"median": statistics.median(times), "slowest of a hundred": sorted(times)[-len(times) // 100]}


def of_household(station: Station, number: int) -> dict[str, float]:
    """Return milliseconds by what is typed."""
    form = load_shipped("household")
    station.add_form(form)
    homes = told(form, households(number))
    station.save_many([(form, home, VILLAGE) for home in homes], author="测量")
    numbers = [home["member"][0].get("resident_id") for home in homes[:: max(1, number // _TURNS)]]
    phones = [home.get("phone") or "13800000000" for home in homes[:: max(1, number // _TURNS)]]
    sitting = _opened(station, "household")
    row = "/data/member[1]"
    return {
        "plain": _median(sitting, "/data/household_basic/head_name", [f"王{turn}" for turn in range(_TURNS)]),
        "ID number that is here already": _median(sitting, f"{row}/resident_id", numbers),
        "phone number that is here already": _median(sitting, "/data/household_basic/phone", phones),
    }


def _median(sitting: Sitting, ref: str, values: list[Any]) -> float:
    return statistics.median(_time(sitting, {"op": "set", "ref": ref, "value": value or ""}) for value in values)


def _opened(station: Station, form_id: str) -> Sitting:
    sitting = Sittings().open(station, Key(str(uuid7()), form_id, "", VILLAGE, ""), "zh")
    sitting.page()
    return sitting


def _time(sitting: Sitting, change: dict[str, Any]) -> float:
    began = time.perf_counter()
    sitting.change(sitting.counter, [change])
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
