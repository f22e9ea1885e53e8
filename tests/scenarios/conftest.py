"""A hub of two villages and three laptops that have joined it, and the roads between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collect.station import Station
from tests.sync.township import EAST, WEST, Line, by_line, carry, make_hub, make_laptop

Exchange = Callable[..., None]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


@pytest.fixture
def both(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "both", hub, "两村", EAST, WEST) as station:
        by_line(station, Line(hub))
        yield station


@pytest.fixture
def east(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "east", hub, "东村", EAST) as station:
        by_line(station, Line(hub))
        yield station


@pytest.fixture
def west(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "west", hub, "西村", WEST) as station:
        by_line(station, Line(hub))
        yield station


@pytest.fixture(params=["line", "stick"])
def exchange(request: pytest.FixtureRequest, hub: Station, tmp_path: Path) -> Exchange:
    stick = tmp_path / "stick"
    stick.mkdir()

    def run(*laptops: Station) -> None:
        if request.param == "stick":
            carry(hub, stick, *laptops)
        else:
            for laptop in laptops:
                by_line(laptop, Line(hub))

    return run
