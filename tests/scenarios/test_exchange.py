"""Several stations and a hub, told as what happens in a township."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from collect.peers import Peers
from collect.station import Station
from sync.bundle import read_bundle, write_bundle
from sync.exchange import incoming, outgoing
from sync.stick import attend
from sync.transport import TransportError
from tests.sync.township import (
    EAST,
    NORTH,
    WEST,
    Line,
    by_line,
    by_stick,
    carry,
    household,
    hub_row,
    ledger,
    make_hub,
    make_laptop,
    save,
)


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


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


# ---- the ordinary day


def test_what_one_laptop_enters_reaches_the_other_by_stick(
    hub: Station, one: Station, two: Station, stick: Path
) -> None:
    household = save(one, head_name="张三", member=[{"name": "张小三"}])
    carry(hub, stick, one, two)
    assert ledger(hub)[household]["head_name"] == "张三"
    assert ledger(two) == ledger(one) == ledger(hub)


def test_what_one_laptop_enters_reaches_the_other_over_the_network(hub: Station, one: Station, two: Station) -> None:
    household = save(one, head_name="张三", member=[{"name": "张小三"}])
    outcome = by_line(one, Line(hub))
    assert (outcome.sent, outcome.received, outcome.waiting) == (2, 0, 0)
    outcome = by_line(two, Line(hub))
    assert (outcome.sent, outcome.received) == (0, 2)
    assert ledger(two) == ledger(one) == ledger(hub)
    assert ledger(two)[household]["member"][0]["name"] == "张小三"


def test_nothing_to_do_costs_one_small_request(hub: Station, one: Station) -> None:
    save(one, head_name="张三")
    by_line(one, Line(hub))
    line = Line(hub)
    outcome = by_line(one, line)
    assert outcome.nothing_to_do
    ((endpoint, status, there, back),) = line.log
    assert (endpoint, status) == ("pull", 204)
    assert there + back <= 400


def test_the_laptop_says_since_when_the_township_has_a_record(hub: Station, one: Station) -> None:
    first = save(one, head_name="张三")
    with closing(Peers(one.folder)) as peers:
        assert [each.at for each in peers.confirmed(one.journal, first)] == [""]
        by_line(one, Line(hub))
        (confirmed,) = peers.confirmed(one.journal, first)
        assert confirmed.hub == hub.id
        assert confirmed.at.startswith("2026-11-22T18:0")
        save(one, record=first, phone="13800000000")
        assert [each.at for each in peers.confirmed(one.journal, first)] == [""]
        second = save(one, head_name="李四")
        by_line(one, Line(hub))
        later = [peers.confirmed(one.journal, record)[0].at for record in (first, second)]
        assert later[0] == later[1] > confirmed.at


def test_a_form_made_on_a_laptop_reaches_the_others(hub: Station, one: Station, two: Station) -> None:
    one.add_form(household("2"))
    by_line(one, Line(hub))
    by_line(two, Line(hub))
    assert [station.form("household").version for station in (one, hub, two)] == ["2", "2", "2"]


def test_a_new_version_at_the_hub_reaches_the_laptops_by_stick(hub: Station, one: Station, stick: Path) -> None:
    hub.add_form(household("2"))
    outcome = carry(hub, stick, one)[0]
    assert (outcome.forms, one.form("household").version) == (1, "2")


# ---- two people at the same time


def test_different_fields_changed_on_two_laptops_merge_by_themselves(hub: Station, one: Station, two: Station) -> None:
    record = save(one, head_name="张三", phone="1")
    for laptop in (one, two):
        by_line(laptop, Line(hub))
    save(one, record=record, phone="2")
    save(two, record=record, area=120)
    for laptop in (one, two, one):
        assert by_line(laptop, Line(hub)).conflicts == 0
    shown = ledger(hub)[record]
    assert (shown["head_name"], shown["phone"], shown["area"]) == ("张三", "2", 120)
    assert ledger(one) == ledger(two) == ledger(hub)


def test_the_same_field_changed_on_two_laptops_is_a_conflict_until_somebody_decides(
    hub: Station, one: Station, two: Station, stick: Path
) -> None:
    record = save(one, head_name="张三")
    carry(hub, stick, one, two)
    save(one, record=record, head_name="张叁")
    save(two, record=record, head_name="章三")
    carry(hub, stick, one, two)
    carry(hub, stick, one, two)
    for station in (hub, one, two):
        (conflict,) = station.conflicts()
        assert {candidate.value for candidate in conflict.candidates} == {"张叁", "章三"}
    (conflict,) = hub.conflicts()
    hub.settle(conflict, "张叁", author="镇长")
    carry(hub, stick, one, two)
    for station in (hub, one, two):
        assert not station.conflicts()
        assert ledger(station)[record]["head_name"] == "张叁"


def test_a_record_deleted_here_and_edited_there_stays_to_be_decided(hub: Station, one: Station, two: Station) -> None:
    record = save(one, head_name="张三")
    for laptop in (one, two):
        by_line(laptop, Line(hub))
    one.delete("household", record, author="一号")
    save(two, record=record, phone="13900000000")
    for laptop in (one, two, one):
        by_line(laptop, Line(hub))
    for station in (hub, one, two):
        assert len(station.conflicts()) == 1
        assert ledger(station)[record]["phone"] == "13900000000"


# ---- bad roads


def test_answers_lost_on_the_way_cost_nothing_but_a_repetition(hub: Station, one: Station) -> None:
    record = save(one, head_name="张三")
    with pytest.raises(TransportError) as caught:
        by_line(one, Line(hub, ["lost"]))
    assert (caught.value.code, caught.value.retryable) == ("SYNC_HUB_UNREACHABLE", True)
    assert record in ledger(hub)
    assert hub_row(one).held == 0
    outcome = by_line(one, Line(hub))
    assert (outcome.sent, outcome.confirmed, outcome.waiting) == (1, 1, 0)
    assert hub.journal.count() == one.journal.count()


@pytest.mark.parametrize(("fault", "code"), [("cut", "SYNC_HUB_UNREACHABLE"), ("500", "SYNC_HUB_FAILED")])
def test_a_hub_that_fails_half_way_leaves_a_state_from_which_it_goes_on(
    hub: Station, one: Station, two: Station, fault: str, code: str
) -> None:
    save(two, head_name="李四")
    by_line(two, Line(hub))
    save(one, head_name="张三")
    with pytest.raises(TransportError) as caught:
        by_line(one, Line(hub, ["", fault]))
    assert caught.value.code == code
    assert hub_row(one).held == 1
    outcome = by_line(one, Line(hub))
    assert (outcome.sent, outcome.received) == (0, 1)
    assert ledger(one) == ledger(hub)


def test_a_long_push_that_breaks_goes_on_where_it_stopped(
    hub: Station, one: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.transport.http.HttpTransport.batch", 10)
    for number in range(35):
        save(one, head_name=f"户{number}")
    with pytest.raises(TransportError):
        by_line(one, Line(hub, ["", "", "cut"]))
    assert hub_row(one).held == 20
    outcome = by_line(one, Line(hub))
    assert (outcome.sent, outcome.confirmed) == (15, 35)


def test_a_batch_of_nothing_but_ones_own_hides_nothing_behind_it(
    hub: Station, one: Station, two: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.serving.BATCH", 3)
    monkeypatch.setattr("sync.serving.FAR", 5)
    for number in range(7):
        save(one, head_name=f"户{number}")
    by_line(one, Line(hub))
    save(two, head_name="李四")
    by_line(two, Line(hub))
    assert by_line(one, Line(hub)).received == 1
    assert ledger(one) == ledger(hub)
    assert set(hub_row(one).cursors.values()) == {hub.journal.arrived()}, "and what is behind is not read again"
    assert by_line(one, Line(hub)).requests == 1


def test_heavy_answers_are_carried_in_several_bundles(
    hub: Station, one: Station, two: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.exchange.HEAVY", 5_000)
    for number in range(9):
        save(one, head_name=f"{number}" * 2_000)
    line = Line(hub)
    assert by_line(one, line).confirmed == 9
    assert [endpoint for endpoint, *_ in line.log].count("push") == 5
    line = Line(hub)
    assert by_line(two, line).received == 9
    assert [status for _, status, *_ in line.log].count(200) == 5
    assert ledger(two) == ledger(one)


def test_a_clock_that_is_wrong_is_noticed(hub: Station, one: Station) -> None:
    one.clock.at -= timedelta(hours=1)  # type: ignore[attr-defined]
    save(one, head_name="张三")
    skew = by_line(one, Line(hub)).skew
    assert skew is not None
    assert 3500 < skew < 3700


def test_both_ends_say_when_they_last_met_even_with_nothing_to_exchange(hub: Station, one: Station) -> None:
    with closing(Peers(hub.folder)) as peers:
        before = hub_row(one).exchanged_at, peers.peers()[0].seen_at
        by_line(one, Line(hub))
        after = hub_row(one).exchanged_at, peers.peers()[0].seen_at
    assert before[0] < after[0]
    assert before[1] < after[1]


def test_the_same_bundles_again_change_nothing(hub: Station, one: Station) -> None:
    save(one, head_name="张三", member=[{"name": "张小三"}])
    bundles = [write_bundle(bundle) for bundle in outgoing(one, hub_row(one))]
    first = [incoming(hub, read_bundle(data)) for data in bundles]
    before = ledger(hub), hub.journal.arrived()
    again = [incoming(hub, read_bundle(data)) for data in bundles]
    assert [(each.new, each.known) for each in first] == [(2, 0)]
    assert [(each.new, each.known) for each in again] == [(0, 2)]
    assert (ledger(hub), hub.journal.arrived()) == before


def test_bundles_out_of_order_wait_for_each_other(hub: Station, one: Station) -> None:
    record = save(one, head_name="张三")
    save(one, record=record, phone="1")
    save(one, record=record, phone="2")
    bundles = list(outgoing(one, hub_row(one), batch=1))
    results = [incoming(hub, bundle) for bundle in reversed(bundles)]
    assert [each.parked for each in results][:2] == [1, 1]
    assert ledger(hub)[record]["phone"] == "2"
    assert not hub.journal.parked()
    assert hub.journal.held()[one.id] == 3


def test_a_bundle_cut_on_the_stick_is_named_and_written_anew(hub: Station, one: Station, stick: Path) -> None:
    record = save(one, head_name="张三")
    by_stick(one, stick)
    (file,) = (stick / "cunce" / hub.id / "to-hub").glob("*.cunce")
    file.write_bytes(file.read_bytes()[:100])
    (problem,) = attend(hub, stick).problems
    assert (problem.code, problem.place.file) == ("SYNC_BUNDLE_CUT", file.name)
    assert record not in ledger(hub)
    outcome = by_stick(one, stick)
    assert [each.code for each in outcome.problems] == ["SYNC_BUNDLE_CUT"]
    assert not attend(hub, stick).problems
    assert record in ledger(hub)


def test_an_answer_damaged_on_the_stick_loses_nothing(hub: Station, one: Station, two: Station, stick: Path) -> None:
    save(two, head_name="李四")
    by_line(two, Line(hub))
    by_stick(one, stick)
    attend(hub, stick)
    (file,) = (stick / "cunce" / hub.id / "to-station" / one.id).glob("*.cunce")
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    outcome = by_stick(one, stick)
    assert [each.code for each in outcome.problems] == ["SYNC_BUNDLE_DAMAGED"]
    carry(hub, stick, one)
    assert ledger(one) == ledger(hub)


def test_the_first_of_several_answers_lost_makes_no_hole(
    hub: Station, one: Station, two: Station, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.serving.BATCH", 2)
    for number in range(5):
        save(two, head_name=f"户{number}")
    by_line(two, Line(hub))
    by_stick(one, stick)
    attend(hub, stick)
    first, *rest = sorted((stick / "cunce" / hub.id / "to-station" / one.id).glob("*.cunce"))
    assert len(rest) == 2
    first.unlink()
    assert by_stick(one, stick).received == 3
    carry(hub, stick, one)
    assert ledger(one) == ledger(hub)


def test_half_written_files_on_a_stick_are_ignored(hub: Station, one: Station, stick: Path) -> None:
    save(one, head_name="张三")
    by_stick(one, stick)
    inbox = stick / "cunce" / hub.id / "to-hub"
    (inbox / f"{one.id}-2-9.cunce.77.part").write_bytes(b"half")
    done = attend(hub, stick)
    assert (done.received, done.problems) == (1, [])


def test_an_old_stick_found_again_takes_nothing_back(hub: Station, one: Station, two: Station, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir(), new.mkdir()
    save(one, head_name="张三")
    by_stick(one, old)
    attend(hub, old)  # answers written, but the stick goes into a drawer
    save(one, head_name="李四")
    save(two, head_name="王五")
    carry(hub, new, one, two)
    carry(hub, new, one, two)
    before = hub_row(one)
    by_stick(one, old)
    after = hub_row(one)
    assert (after.held, after.arrived, dict(after.cursors)) == (before.held, before.arrived, dict(before.cursors))
    assert ledger(one) == ledger(hub)


# ---- several hubs, scopes, moves


def test_two_hubs_and_two_laptops_share_one_stick(
    tmp_path: Path, hub: Station, one: Station, two: Station, stick: Path
) -> None:
    with (
        make_hub(tmp_path / "hub2", villages=(NORTH,)) as other,
        make_laptop(tmp_path / "three", other, "三号", NORTH) as three,
    ):
        records = save(one), save(two), save(three, NORTH)
        for laptop in (one, two, three):
            by_stick(laptop, stick)
        assert sorted(attend(hub, stick).stations) == ["一号", "二号"]
        assert attend(other, stick).stations == ["三号"]
        assert set(ledger(hub)) == set(records[:2])
        assert set(ledger(other)) == set(records[2:])
        assert [by_stick(laptop, stick).waiting for laptop in (one, two, three)] == [0, 0, 0]


def test_a_laptop_is_sent_its_villages_only(hub: Station, one: Station, two: Station) -> None:
    east, west = save(one, EAST), save(one, WEST)
    by_line(one, Line(hub))
    by_line(two, Line(hub))
    assert set(ledger(hub)) == {east, west}
    assert set(ledger(two)) == {east}


def test_a_village_newly_in_scope_is_sent_from_its_beginning(hub: Station, one: Station, two: Station) -> None:
    west = save(one, WEST)
    by_line(one, Line(hub))
    by_line(two, Line(hub))
    east = save(one, EAST)
    by_line(one, Line(hub))
    with closing(Peers(hub.folder)) as peers:
        peers.set_scope(peers.peers()[1].invitation, [EAST[0], WEST[0]])
    by_line(two, Line(hub))
    assert set(ledger(two)) == {east, west}
    assert [village.name for village in two.villages] == ["东村", "西村"]
    assert by_line(two, Line(hub)).nothing_to_do


def test_what_is_outside_the_scope_is_refused_and_stays_on_the_laptop(hub: Station, one: Station, two: Station) -> None:
    inside = save(one, EAST)
    by_line(one, Line(hub))
    outside = save(two, WEST)
    outcome = by_line(two, Line(hub))
    (problem,) = outcome.problems
    assert (problem.code, problem.context["village"], problem.context["count"]) == ("SYNC_OUTSIDE_SCOPE", WEST[0], "1")
    assert (outcome.waiting, outcome.received) == (1, 1), "the rest of the exchange goes on"
    assert set(ledger(hub)) == {inside}
    assert set(ledger(two)) == {inside, outside}
    with closing(Peers(hub.folder)) as peers:
        peers.set_scope(peers.peers()[1].invitation, [EAST[0], WEST[0]])
    assert by_line(two, Line(hub)).waiting == 0
    assert set(ledger(hub)) == {inside, outside}


def test_by_stick_too_a_refusal_is_told_and_the_rest_goes_on(hub: Station, two: Station, stick: Path) -> None:
    save(two, WEST)
    by_stick(two, stick)
    assert [problem.code for problem in attend(hub, stick).problems] == ["SYNC_OUTSIDE_SCOPE"]
    outcome = by_stick(two, stick)
    assert [problem.code for problem in outcome.problems] == ["SYNC_OUTSIDE_SCOPE"]
    assert outcome.waiting == 1


def test_a_record_that_moves_to_another_village_comes_with_its_past_and_leaves_cleanly(
    hub: Station, one: Station, two: Station, tmp_path: Path
) -> None:
    with make_laptop(tmp_path / "west", hub, "西村", WEST) as west:
        record = save(one, EAST, head_name="张三")
        for laptop in (one, two, west):
            by_line(laptop, Line(hub))
        assert record in ledger(two)
        assert record not in ledger(west)
        save(one, record=record, village=WEST[0])
        for laptop in (one, two, west):
            by_line(laptop, Line(hub))
        assert ledger(west)[record]["head_name"] == "张三"
        assert record not in ledger(two), "it left who had it"
        save(one, record=record, phone="1")
        for laptop in (one, two):
            by_line(laptop, Line(hub))
        assert record not in ledger(two)
        assert not two.history(record), "and hears no more of it"


# ---- a hub put back from an older copy


def test_a_hub_restored_from_a_backup_gets_back_what_it_lost(
    tmp_path: Path, one: Station, hub: Station, two: Station
) -> None:
    save(one, head_name="张三")
    by_line(one, Line(hub))
    copy = tmp_path / "copy"
    shutil.copytree(hub.folder, copy)
    lost = [save(one, head_name="李四"), save(two, head_name="王五")]
    for laptop in (one, two, one):
        by_line(laptop, Line(hub))
    with Station.open(copy, clock=hub.clock) as restored:
        for laptop in (one, two, one, two):
            by_line(laptop, Line(restored))
        assert set(lost) <= set(ledger(restored))
        assert ledger(restored) == ledger(one) == ledger(two)
        assert by_line(one, Line(restored)).nothing_to_do
