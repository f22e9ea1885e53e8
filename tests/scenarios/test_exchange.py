"""Several stations and a hub, told as what happens in a township."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collect.peers import Peers
from collect.station import Station
from sync.exchange import run
from sync.stick import attend
from tests.sync.township import EAST, NORTH, WEST, Line, by_line, by_stick, carry, hub_row, ledger, make_hub, make_laptop, save


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


@pytest.fixture
def one(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "one", hub, "一号", EAST, WEST, address="http://hub.test") as station:
        yield station


@pytest.fixture
def two(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "two", hub, "二号", EAST, address="http://hub.test") as station:
        yield station


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_what_one_laptop_enters_reaches_the_other_by_stick(hub: Station, one: Station, two: Station, stick: Path) -> None:
    carry(hub, stick, one, two)
    household = save(one, head_name="张三", member=[{"name": "张小三"}])
    carry(hub, stick, one, two)
    assert ledger(hub)[household]["head_name"] == "张三"
    assert ledger(two) == ledger(one) == ledger(hub)


def test_what_one_laptop_enters_reaches_the_other_over_the_network(hub: Station, one: Station, two: Station) -> None:
    line = Line(hub)
    by_line(one, line)
    household = save(one, head_name="张三", member=[{"name": "张小三"}])
    outcome = by_line(one, line)
    assert (outcome.sent, outcome.received, outcome.waiting) == (2, 0, 0)
    outcome = by_line(two, line)
    assert (outcome.sent, outcome.received) == (0, 2)
    assert ledger(two) == ledger(one) == ledger(hub)
    assert ledger(two)[household]["member"][0]["name"] == "张小三"


def test_nothing_to_do_costs_one_small_request(hub: Station, one: Station) -> None:
    line = Line(hub)
    save_later = by_line(one, line)
    assert save_later.forms == 1
    save(one, head_name="张三")
    by_line(one, line)
    line.log.clear()
    outcome = by_line(one, line)
    assert outcome.nothing_to_do
    ((endpoint, status, there, back),) = line.log
    assert (endpoint, status) == ("pull", 204)
    assert there + back <= 400
