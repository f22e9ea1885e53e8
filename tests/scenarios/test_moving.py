"""A household moves to another village of the township: who has the new village gets it whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collect.station import Station
from tests.sync.township import EAST, WEST, Line, by_line, carry, ledger, make_hub, make_laptop, save

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


def test_a_household_comes_to_the_laptop_of_its_new_village_with_its_members_and_its_past(
    hub: Station, both: Station, west: Station, exchange: Exchange
) -> None:
    record = save(both, EAST, head_name="欧阳翠花", member=[{"name": "小宝"}, {"name": "大宝"}])
    save(both, record=record, phone="1")
    exchange(both, west)
    assert ledger(west) == {}
    save(both, record=record, village=WEST[0])
    exchange(both, west)
    assert ledger(west) == ledger(hub)
    assert [row["name"] for row in ledger(west)[record]["member"]] == ["小宝", "大宝"]
    assert west.projection.counts() == {"household": 1, "household_member": 2}
    for row in (record, *(member["_id"] for member in ledger(west)[record]["member"])):
        assert west.history(row) == hub.history(row)
    assert not west.journal.parked()
    assert west.verify() == ()


def test_a_household_that_moves_back_is_whole_everywhere(
    hub: Station, both: Station, east: Station, exchange: Exchange
) -> None:
    record = save(both, EAST, head_name="欧阳翠花", member=[{"name": "小宝"}])
    exchange(both, east)
    save(both, record=record, village=WEST[0])
    exchange(both, east)
    save(both, record=record, phone="1")
    save(both, record=record, village=EAST[0])
    exchange(both, east)
    assert ledger(east) == ledger(hub)
    assert east.verify() == ()
