"""A laptop and a hub exchange by stick, and the process dies at a given step; started by test_crash.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from collect.station import Station
from sync.stick import attend
from tests.sync.township import MovableClock, by_stick

_STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect")


def die_at(step: int) -> None:
    """Kill this process, as a power cut would, at the given file operation from now on."""
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _STEPS:
            left -= 1
            if left == 0:
                os._exit(9)

    sys.addaudithook(count)


def main(root: Path, step: int) -> None:
    with (
        Station.open(root / "hub", clock=MovableClock()) as hub,
        Station.open(root / "one", clock=MovableClock()) as one,
        Station.open(root / "two", clock=MovableClock()) as two,
    ):
        die_at(step)
        for _ in range(2):
            by_stick(one, root / "stick")
            by_stick(two, root / "stick")
            attend(hub, root / "stick")
        by_stick(one, root / "stick")
        by_stick(two, root / "stick")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
