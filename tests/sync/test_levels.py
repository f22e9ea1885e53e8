"""Province, county, township, laptop: the same exchange at every level, photos too, by network and by stick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from collect.station import Station
from sync.exchange import run
from sync.identity import make_invitation
from sync.joining import join
from sync.stick import attend
from tests.sync.photographing import noise, spot, take_photo
from tests.sync.test_blobs import line
from tests.sync.test_transport_contract import bare, served
from tests.sync.township import EAST, NORTH, WEST, MovableClock, by_stick, ledger, make_hub, make_laptop, save

Levels = list[Station]  # from the province down


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Levels]:
    """A laptop below a township below a county below a province, each with fewer villages than the one above."""
    with ExitStack() as opened:
        places = [(EAST, WEST, NORTH), (EAST, WEST, NORTH), (EAST, WEST)]
        hubs = [opened.enter_context(make_hub(tmp_path / str(n), villages=each)) for n, each in enumerate(places)]
        for above, below in pairwise(hubs):
            scope = [village.code for village in below.villages]
            join(below.folder, make_invitation(above, below.name, scope, "", vouches=True), clock=MovableClock())
        laptop = opened.enter_context(make_laptop(tmp_path / "laptop", hubs[-1], "一号", EAST, WEST))
        for station in (*hubs, laptop):
            station.add_form(spot())
        yield [*hubs, laptop]


@pytest.fixture(params=["network", "stick"])
def all_meet(request: pytest.FixtureRequest, levels: Levels, tmp_path: Path) -> Callable[[], None]:
    """Let every level exchange with the one above, from the laptop up and down again."""
    (tmp_path / "stick").mkdir()

    def meet(below: Station, above: Station) -> None:
        if request.param == "network":
            with served(bare(above)) as address, line(address, above, below) as road:
                assert run(below, road).problems == []
            return
        for _ in range(3):
            assert by_stick(below, tmp_path / "stick").problems == []
            assert attend(above, tmp_path / "stick").problems == []
        assert by_stick(below, tmp_path / "stick").problems == []

    def through() -> None:
        pairs = list(pairwise(levels))
        for above, below in (*reversed(pairs), *pairs):
            meet(below, above)

    through()
    return through


def test_what_is_entered_below_reaches_the_top_and_what_is_said_above_comes_down(
    levels: Levels, all_meet: Callable[[], None]
) -> None:
    province, county, township, laptop = levels
    record = save(laptop, EAST, head_name="张三", member=[{"name": "小宝"}])
    content = noise(300_000)
    photo = take_photo(laptop, content)
    elsewhere = save(province, NORTH, head_name="北村人")
    all_meet()
    for hub in (township, county, province):
        assert ledger(hub)[record] == ledger(laptop)[record]
        assert hub.blobs.read(photo) == content
        assert hub.history(record)[0].id.station == laptop.id
    save(province, record=record, phone="省里改的")
    all_meet()
    assert ledger(laptop)[record]["phone"] == "省里改的"
    assert elsewhere in ledger(county)
    assert elsewhere not in ledger(township)
    assert elsewhere not in ledger(laptop)
    counts = [station.journal.arrived() for station in levels]
    all_meet()
    assert [station.journal.arrived() for station in levels] == counts, "nothing goes round"
    assert all(station.verify() == () for station in levels)


def test_a_conflict_between_the_levels_is_seen_and_settled_everywhere(
    levels: Levels, all_meet: Callable[[], None]
) -> None:
    province, *_, laptop = levels
    record = save(laptop, EAST, head_name="张三")
    all_meet()
    save(laptop, record=record, phone="村里的")
    save(province, record=record, phone="省里的")
    all_meet()
    assert all(len(station.conflicts()) == 1 for station in levels)
    (conflict,) = levels[1].conflicts()
    levels[1].settle(conflict, "村里的", author="县里")
    all_meet()
    assert not any(station.conflicts() for station in levels)
    assert {ledger(station)[record]["phone"] for station in levels} == {"村里的"}
