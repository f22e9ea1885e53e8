"""What is no longer of a laptop's villages leaves it whole, and comes back whole; nothing saved is lost on the way."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from collect.peers import Peers
from collect.saving import SaveError
from collect.station import Station
from collect.undoing import UndoError, presses, undo
from sync.exchange import run
from sync.transport.folder import FolderTransport
from tests.scenarios.conftest import Exchange
from tests.sync.township import (
    EAST,
    WEST,
    Line,
    by_line,
    carry,
    household,
    hub_row,
    ledger,
    make_laptop,
    save,
)

NAME = "欧阳翠花"


def scope(hub: Station, laptop: Station, *villages: tuple[str, str]) -> None:
    """Give a laptop other villages at the hub."""
    with closing(Peers(hub.folder, clock=hub.clock)) as peers:
        peer = peers.peer(laptop.id)
        assert peer is not None
        peers.set_scope(peer.invitation, [code for code, _ in villages])


def traces(station: Station, *texts: str) -> list[str]:
    """Which files of a station hold any of these texts, as they are or as JSON spells them."""
    wanted = [form for text in texts for form in (text.encode(), text.encode("unicode_escape"))]
    files = (path for path in station.folder.rglob("*") if path.is_file())
    return sorted(path.name for path in files if any(text in path.read_bytes() for text in wanted))


def member_of(station: Station, record: str) -> list[str]:
    return sorted(row["name"] for row in ledger(station)[record].get("member", ()))


def test_a_household_that_moves_leaves_nothing_behind(
    hub: Station, both: Station, east: Station, exchange: Exchange
) -> None:
    record = save(both, EAST, head_name=NAME, member=[{"name": "小宝贝"}, {"name": "大宝贝"}])
    stays = save(both, EAST, head_name="留下的人")
    exchange(both, east)
    save(east, record=record, phone="13812345678")
    exchange(east, both)
    assert traces(east, NAME)
    save(both, record=record, village=WEST[0])
    exchange(both, east)
    assert set(ledger(east)) == {stays}
    assert east.projection.counts() == {"household": 1, "household_member": 0}
    assert not east.conflicts()
    assert not east.history(record)
    assert traces(east, NAME, "小宝贝", "大宝贝", "13812345678") == []
    assert east.verify() == ()
    with pytest.raises(SaveError):
        east.answers("household", record)
    east.rebuild()
    assert set(ledger(east)) == {stays}
    assert set(ledger(hub)) == {stays, record}
    assert ledger(hub)[record]["phone"] == "13812345678"


def test_it_comes_back_whole_with_what_was_saved_here(
    hub: Station, both: Station, east: Station, exchange: Exchange
) -> None:
    record = save(east, EAST, head_name=NAME, member=[{"name": "小宝贝"}])
    exchange(east, both)
    save(both, record=record, village=WEST[0])
    exchange(both, east)
    assert ledger(east) == {}
    save(both, record=record, phone="1")
    save(both, record=record, village=EAST[0])
    exchange(both, east)
    assert ledger(east) == ledger(hub)
    assert member_of(east, record) == ["小宝贝"]
    assert [each.id for each in east.history(record)] == [each.id for each in hub.history(record)]
    assert all(each.changes for each in east.history(record) if each.id.station == east.id)
    assert east.verify() == ()
    save(east, record=record, area=5)
    exchange(east, both)
    assert ledger(both) == ledger(hub) == ledger(east)


def test_a_village_taken_away_leaves_the_laptop_and_comes_back_from_its_beginning(
    hub: Station, both: Station, west: Station, exchange: Exchange
) -> None:
    kept = save(both, EAST, head_name="留下的人")
    gone = [save(both, WEST, head_name=f"{NAME}{n}", member=[{"name": f"小宝贝{n}"}]) for n in range(30)]
    for n in range(20):
        save(west, WEST, head_name=f"西户{n}")
    exchange(west, both)
    exchange(both, west)
    deleted = gone[-1]
    both.delete("household", deleted, author="两村")
    exchange(both)
    scope(hub, both, EAST)
    exchange(both)
    assert set(ledger(both)) == {kept}
    assert traces(both, NAME, "小宝贝", "西户") == []
    assert both.verify() == ()
    save(west, record=gone[0], phone="2")
    exchange(west)
    save(both, record=kept, phone="3")
    exchange(both)
    assert set(ledger(both)) == {kept}
    scope(hub, both, EAST, WEST)
    exchange(both)
    exchange(both)
    assert ledger(both) == ledger(hub)
    assert len(ledger(both)) == 50
    assert both.verify() == ()
    assert not both.journal.parked()
    both.restore("household", deleted, author="两村")
    exchange(both, west)
    assert ledger(both) == ledger(hub) == {**ledger(west), kept: ledger(hub)[kept]}
    assert member_of(both, deleted) == ["小宝贝29"]


def test_a_member_added_by_somebody_who_had_not_heard_of_the_move_follows(
    hub: Station, both: Station, east: Station, west: Station, exchange: Exchange
) -> None:
    record = save(both, EAST, head_name=NAME, member=[{"name": "小宝贝"}])
    exchange(both, east)
    save(both, record=record, village=WEST[0])
    before = east.answers("household", record)
    east.save(
        {**before, "phone": "7", "member": [*before["member"], {"name": "新生儿"}]}, household(), record=record,
        author="东村",
    )  # fmt: skip
    exchange(both)
    exchange(east)
    exchange(west, both, east)
    assert member_of(west, record) == ["小宝贝", "新生儿"] == member_of(hub, record)
    assert ledger(west)[record]["phone"] == "7"
    assert ledger(west) == ledger(hub) == ledger(both)
    exchange(east)
    assert ledger(east) == {}
    assert traces(east, NAME, "新生儿") == []
    assert all(station.verify() == () for station in (hub, both, east, west))


def test_a_member_who_came_to_another_household_meanwhile_stays(
    hub: Station, both: Station, east: Station, exchange: Exchange
) -> None:
    """One laptop moves the household away, another finds that it is a second entry of one that stays."""
    kept = save(both, EAST, head_name="留下的户", member=[{"name": "户主"}])
    moved = save(both, EAST, head_name=NAME, member=[{"name": "小宝贝"}])
    exchange(both, east)
    save(both, record=moved, village=WEST[0])
    east.merge_duplicates("household", kept, moved, author="东村")
    exchange(both)
    exchange(east)
    exchange(both, east)
    exchange(east)
    assert member_of(hub, kept) == member_of(east, kept) == member_of(both, kept) == ["小宝贝", "户主"]
    assert set(ledger(east)) == {kept}
    assert all(station.verify() == () for station in (hub, both, east))


def test_what_comes_later_of_what_left_leaves_as_well(
    hub: Station, both: Station, east: Station, tmp_path: Path
) -> None:
    record = save(both, EAST, head_name=NAME)
    with make_laptop(tmp_path / "third", hub, "三号", EAST) as third:
        for laptop in (both, east, third):
            by_line(laptop, Line(hub))
        save(third, record=record, phone="13987654321")  # without having heard of the move
        save(both, record=record, village=WEST[0])
        by_line(both, Line(hub))
        by_line(east, Line(hub))
        assert ledger(east) == {}
        by_line(third, Line(hub))
        by_line(east, Line(hub))
    assert ledger(east) == {}
    assert traces(east, NAME, "13987654321") == []
    assert ledger(hub)[record]["phone"] == "13987654321"
    assert east.verify() == ()


def test_nothing_leaves_before_the_hub_has_it(hub: Station, both: Station, east: Station, tmp_path: Path) -> None:
    """By stick the laptop hears of the move before the hub has what was saved here."""
    record = save(both, EAST, head_name=NAME)
    by_line(both, Line(hub))
    by_line(east, Line(hub))
    save(both, record=record, village=WEST[0])
    by_line(both, Line(hub))
    stick = tmp_path / "stick"
    stick.mkdir()
    carry(hub, stick, east)  # the hub's answer lies on the stick
    by_line(east, Line(hub))
    assert ledger(east) == {}, "all that was saved here was at the hub"
    other = save(east, EAST, head_name="留守老人")
    by_line(east, Line(hub))
    save(both, EAST)
    by_line(both, Line(hub))
    save(both, record=other, village=WEST[0])
    by_line(both, Line(hub))
    save(east, record=other, phone="5")
    outcome = run(east, FolderTransport(stick, hub=hub_row(east).hub, station=east.id))
    carry(hub, stick)
    with_stick = run(east, FolderTransport(stick, hub=hub_row(east).hub, station=east.id))
    assert outcome.problems == with_stick.problems == []
    by_line(east, Line(hub))
    assert other not in ledger(east)
    assert ledger(hub)[other]["phone"] == "5"


def test_a_draft_keeps_its_household_until_it_is_saved_or_discarded(
    hub: Station, both: Station, east: Station
) -> None:
    record = save(both, EAST, head_name=NAME)
    by_line(both, Line(hub))
    by_line(east, Line(hub))
    opened = east.opened("household", record)
    east.drafts.put(
        "d1", "household", "1", record, {**opened.answers, "phone": "9"}, seen=opened.seen, village=EAST[0],
        author="东村", title=NAME,
    )  # fmt: skip
    save(both, record=record, village=WEST[0])
    by_line(both, Line(hub))
    assert by_line(east, Line(hub)).leaving == 1
    assert record in ledger(east)
    east.drafts.discard("d1")
    assert by_line(east, Line(hub)).left == 1
    assert ledger(east) == {}
    assert traces(east, NAME) == []


def test_killed_between_journal_and_ledgers_the_next_opening_goes_on(
    hub: Station, both: Station, east: Station
) -> None:
    record = save(both, EAST, head_name=NAME)
    by_line(both, Line(hub))
    by_line(east, Line(hub))
    east.journal.let_go([("household", record)])  # as far as a kill let it come
    folder, clock = east.folder, east.clock
    east.close()
    with Station.open(folder, clock=clock) as again:
        assert ledger(again) == {}
        assert traces(again, NAME) == []
        assert again.verify() == ()


def test_what_left_is_never_sent_as_erased(hub: Station, both: Station, east: Station) -> None:
    """A hub put back from an older copy asks for everything again; what left is not here to be given."""
    record = save(east, EAST, head_name=NAME)
    by_line(east, Line(hub))
    by_line(both, Line(hub))
    save(both, record=record, village=WEST[0])
    by_line(both, Line(hub))
    by_line(east, Line(hub))
    assert ledger(east) == {}
    with closing(Peers(east.folder)) as peers:
        row = peers.hubs()[0]
        peers.exchanged(
            row.hub, held=0, others={}, cursors=dict.fromkeys(row.cursors, 0), mark="", arrived=0, state="", forms=(),
            villages=row.villages, received=0,
        )  # fmt: skip
    by_line(east, Line(hub))
    assert not hub.journal.is_erased(record)
    assert ledger(hub)[record]["head_name"] == NAME
    assert ledger(east) == {}


def test_a_save_of_what_left_is_not_undone(hub: Station, both: Station, east: Station) -> None:
    record = save(east, EAST, head_name=NAME)
    by_line(east, Line(hub))
    by_line(both, Line(hub))
    save(both, record=record, village=WEST[0])
    by_line(both, Line(hub))
    by_line(east, Line(hub))
    before = east.journal.arrived()
    (press,) = presses(east)
    with pytest.raises(UndoError, match="COLLECT_UNDO_AWAY"):
        undo(east, press.save, author="东村")
    assert east.journal.arrived() == before


def test_an_erasure_reaches_a_laptop_that_let_the_record_go(
    hub: Station, both: Station, east: Station, exchange: Exchange
) -> None:
    record = save(both, EAST, head_name=NAME)
    exchange(both, east)
    save(both, record=record, village=WEST[0])
    exchange(both, east)
    both.erase("household", record, reason="本人要求", author="两村")
    exchange(both, east)
    assert east.journal.is_erased(record)
    assert both.verify() == east.verify() == hub.verify() == ()


def test_a_forged_content_is_not_taken_back(hub: Station, both: Station, east: Station) -> None:
    record = save(east, EAST, head_name=NAME)
    by_line(east, Line(hub))
    (mine,) = east.history(record)
    east.journal.let_go([("household", record)])
    with pytest.raises(Exception, match="COLLECT_FORK"):
        east.receive([replace(mine, changes={**mine.changes, "head_name": "别人"})])
    east.receive([mine])
    assert ledger(east)[record]["head_name"] == NAME
