"""A laptop put back from an older copy goes on without forking its chain, and nothing that left it is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collect.backup import back_up, restore
from collect.chain import JournalError
from collect.station import Station
from tests.sync.township import EAST, Line, MovableClock, by_line, carry, ledger, make_hub, make_laptop, save

Exchange = Callable[[Station, Station], object]


def over_the_line(hub: Station, laptop: Station) -> object:
    return by_line(laptop, Line(hub))


def by_carrying(stick: Path) -> Exchange:
    stick.mkdir()

    def carried(hub: Station, laptop: Station) -> object:
        carry(hub, stick, laptop)
        return carry(hub, stick, laptop)

    return carried


@pytest.mark.parametrize("road", ["line", "stick"])
def test_a_restored_laptop_first_learns_what_it_wrote_and_then_goes_on(tmp_path: Path, road: str) -> None:
    exchange = over_the_line if road == "line" else by_carrying(tmp_path / "stick")
    with make_hub(tmp_path / "hub") as hub:
        with make_laptop(tmp_path / "one", hub, "一号", EAST) as laptop:
            first = save(laptop, EAST, head_name="张三")
            exchange(hub, laptop)
            copied = back_up(laptop.folder, tmp_path / "copies", clock=laptop.clock)
            later = save(laptop, EAST, head_name="李四")
            save(laptop, EAST, first, phone="138")
            exchange(hub, laptop)
            wrote = laptop.journal.held()[laptop.id]
        clock = MovableClock()
        for _ in range(1000):
            clock.now()
        assert restore(copied.path, tmp_path / "back", clock=clock).waits
        with Station.open(tmp_path / "back", clock=clock) as back:
            assert back.journal.held()[back.id] < wrote
            with pytest.raises(JournalError) as caught:
                save(back, EAST, head_name="王五")
            assert [problem.code for problem in caught.value.problems] == ["COLLECT_RESTORED_WAITING"]

            hub.clock = hub.journal.clock = clock
            exchange(hub, back)

            assert back.journal.held()[back.id] == wrote
            assert set(ledger(back)) == {first, later}
            new = save(back, EAST, head_name="王五")
            exchange(hub, back)
            assert set(ledger(hub)) == {first, later, new}
            assert ledger(hub) == ledger(back)
            assert back.verify() == ()
            assert hub.verify() == ()
