"""A person asks to be forgotten: what happens on every laptop of the township, by network and by stick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.revision import ERASED
from collect.station import Station
from sync.bundle import read_bundle, write_bundle
from sync.exchange import incoming, outgoing
from tests.collect.test_erasing import holding
from tests.sync.township import EAST, WEST, Line, by_line, carry, hub_row, ledger, make_hub, make_laptop, save

NAME, CHILD, REASON = "欧阳翠花", "欧阳小宝", "本人申请删除"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


@pytest.fixture
def one(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "one", hub, "一号", EAST, WEST) as station:
        by_line(station, Line(hub))
        yield station


@pytest.fixture
def two(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "two", hub, "二号", EAST) as station:
        by_line(station, Line(hub))
        yield station


@pytest.mark.parametrize("road", ["line", "stick"])
def test_an_erasure_reaches_everybody_who_had_the_record(
    hub: Station, one: Station, two: Station, tmp_path: Path, road: str
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()

    def exchange(*laptops: Station) -> None:
        if road == "stick":
            carry(hub, stick, *laptops)
        else:
            for laptop in laptops:
                by_line(laptop, Line(hub))

    record = save(one, head_name=NAME, member=[{"name": CHILD}])
    stays = save(one, head_name="李四")
    exchange(one, two)
    answers = two.answers("household", record)
    late = save(two, record=record, member=[*answers["member"], {"name": "欧阳大宝"}])
    assert late == record
    one.erase("household", record, reason=REASON, author="村主任")
    exchange(one, two)
    exchange(one, two)
    for station in (hub, one, two):
        assert set(ledger(station)) == {stays}
        assert holding(station.folder, "欧阳") == []
        assert station.verify() == ()
        (erasure,) = [each for each in station.history(record) if ERASED in each.changes]
        assert (erasure.author, erasure.changes[ERASED]) == ("村主任", REASON)
        assert station.journal.count() == hub.journal.count()
    exchange(one)
    assert hub_row(one).held == hub.journal.held()[one.id]


def test_a_laptop_that_joins_later_gets_the_chain_without_the_content(
    hub: Station, one: Station, tmp_path: Path
) -> None:
    record = save(one, head_name=NAME, member=[{"name": CHILD}])
    by_line(one, Line(hub))
    hub.erase("household", record, reason=REASON, author="镇长")
    save(one, head_name="李四")
    with make_laptop(tmp_path / "three", hub, "三号", EAST) as three:
        for laptop in (one, three):
            by_line(laptop, Line(hub))
        assert ledger(three) == ledger(hub)
        assert record not in ledger(three)
        assert holding(three.folder, NAME, CHILD) == []
        assert three.verify() == ()
        assert three.journal.held() == hub.journal.held()


def test_content_on_its_way_when_the_record_was_erased_arrives_as_a_digest(hub: Station, one: Station) -> None:
    record = save(one, head_name=NAME)
    by_line(one, Line(hub))
    save(one, record=record, phone="13800000001")
    (underway,) = [write_bundle(each) for each in outgoing(one, hub_row(one))]
    hub.erase("household", record, reason=REASON, author="镇长")
    incoming(hub, read_bundle(underway, receiver=hub.id))
    assert holding(hub.folder, NAME, "13800000001") == []
    assert ledger(hub) == {}
    by_line(one, Line(hub))
    assert holding(one.folder, NAME, "13800000001") == []
    assert (hub.verify(), one.verify()) == ((), ())


def test_who_had_the_record_before_it_moved_away_erases_it_too(hub: Station, one: Station, two: Station) -> None:
    record = save(one, EAST, head_name=NAME, member=[{"name": CHILD}])
    for laptop in (one, two):
        by_line(laptop, Line(hub))
    save(one, record=record, village=WEST[0])
    save(one, record=record, phone="13800000001")
    for laptop in (one, two):
        by_line(laptop, Line(hub))
    one.erase("household", record, reason=REASON, author="村主任")
    for laptop in (one, two):
        by_line(laptop, Line(hub))
    assert holding(two.folder, NAME, CHILD, "13800000001") == []
    assert not two.journal.parked()
    assert two.verify() == ()
