"""A household moves to another village of the township: who has the new village gets it whole."""

from __future__ import annotations

from collect.station import Station
from tests.scenarios.conftest import Exchange
from tests.sync.township import EAST, WEST, ledger, save


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
