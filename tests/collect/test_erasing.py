"""Erasure by law: the content is gone from every view and every byte, and the chain still verifies."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.chain import JournalError
from collect.database import connect
from collect.journal import Entry
from collect.merge import merge
from collect.revision import DELETED, ERASED, Revision
from collect.saving import SaveError
from collect.slices import slice_path, update_slices
from collect.station import Station
from tests.collect.histories import histories
from tests.collect.ledger_forms import OTHER_VILLAGE, VILLAGE, VILLAGES, household
from tests.collect.test_convergence import Story, content, stations

NAME, CHILD, REASON = "欧阳翠花", "欧阳小宝", "本人申请删除"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "here", name="here", role="hub", villages=VILLAGES) as station:
        station.add_form(household())
        yield station


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "there", name="there", villages=VILLAGES) as station:
        station.add_form(household())
        yield station


def person(station: Station, **answers: object) -> str:
    certificate = [{"number": f"证{CHILD}"}]
    given = {"village": VILLAGE, "head_name": NAME, "phone": "13800000001",
             "member": [{"name": CHILD, "certificate": certificate}], **answers}  # fmt: skip
    return station.save(given, household(), author="张").record


def send(source: Station, target: Station) -> None:
    target.receive([each.revision for each in source.journal.since(0)])


def holding(folder: Path, *texts: str) -> list[str]:
    """Return the files of a station in whose bytes one of the texts stands."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.name for path in files if any(text.encode() in path.read_bytes() for text in texts)]


def test_an_erased_record_is_gone_from_every_view_and_every_byte(here: Station) -> None:
    record = person(here)
    other = person(here, head_name="李四", phone="1", member=[])
    here.save({**here.answers("household", record), "group_name": f"{NAME}组"}, household(), record=record, author="张")
    member = here.answers("household", record)["member"][0]["_id"]
    here.drafts.put("d1", "household", "1", record, {"head_name": NAME})
    here.drafts.put("d1", "household", "1", record, {"head_name": f"{NAME}二"})
    here.drafts.put("d2", "household", "1", "", {"head_name": "王五", "member": [{"_id": member, "name": CHILD}, {}]})
    update_slices(here)
    held = {name.removesuffix("-wal") for name in holding(here.folder, NAME)}
    assert held == {"journal.db", "township.db", "drafts.db", f"{VILLAGE}.db"}

    done = here.erase("household", record, reason=REASON, author="镇长")

    assert {table for table, _ in done.records} == {"household", "household_member", "household_member_certificate"}
    assert done.scrubbed
    assert holding(here.folder, NAME, CHILD, "13800000001") == []
    assert [row["_id"] for row in here.projection.rows("household")] == [other]
    assert here.projection.counts()["household_member"] == 0
    assert here.find(NAME) == ()
    assert list(here.attachments.open("household.csv").lookup("name", record)) == []
    assert [draft.id for draft in here.drafts.list()] == ["d2"]
    assert here.drafts.get("d2").answers == {"head_name": "王五", "member": [{}]}
    with closing(connect(slice_path(here.folder, VILLAGE), readonly=True)) as slice_:
        assert slice_.rows("SELECT _id FROM household") == [(other,)]
        assert slice_.rows("SELECT count(*) FROM household_member") == [(0,)]
    assert here.verify() == ()
    before = content(here)
    here.rebuild()
    assert content(here) == before
    update_slices(here)
    assert holding(here.folder, NAME, CHILD) == []


def test_who_erased_when_and_why_stays_and_says_nothing_of_the_person(here: Station) -> None:
    record = person(here)
    here.erase("household", record, reason=REASON, author="镇长")
    *erased, last = here.history(record)
    assert (last.author, dict(last.changes)) == ("镇长", {ERASED: REASON})
    assert [(dict(each.changes), len(each.erased)) for each in erased] == [({}, 64)]
    assert last.previous == here.journal.digest(here.id, last.id.seq - 1)


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_erasure_without_a_reason_is_refused(here: Station, reason: str) -> None:
    record = person(here)
    with pytest.raises(SaveError) as caught:
        here.erase("household", record, reason=reason, author="镇长")
    assert caught.value.code == "COLLECT_ERASE_REASON"


@pytest.mark.parametrize("told", [NAME, CHILD, "13800000001"])
def test_a_reason_that_names_the_person_is_refused(here: Station, told: str) -> None:
    record = person(here)
    with pytest.raises(SaveError) as caught:
        here.erase("household", record, reason=f"{told}申请", author="镇长")
    assert caught.value.code == "COLLECT_ERASE_REASON_PERSONAL"
    assert here.answers("household", record)["head_name"] == NAME


def test_nothing_brings_an_erased_record_back(here: Station) -> None:
    record = person(here)
    seen = here.opened("household", record)
    here.erase("household", record, reason=REASON, author="镇长")
    for attempt in (
        lambda: here.save(seen.answers, household(), record=record, author="张", seen=seen.seen),
        lambda: here.save({**seen.answers, "_id": record}, household(), author="张"),
        lambda: here.restore("household", record, author="张"),
        lambda: here.erase("household", record, reason=REASON, author="张"),
    ):
        with pytest.raises(SaveError) as caught:
            attempt()
        assert caught.value.code == "COLLECT_RECORD_ERASED"


def test_a_deleted_record_can_be_erased_with_the_rows_that_left_with_it(here: Station) -> None:
    record = person(here)
    here.delete("household", record, author="张")
    assert len(here.erase("household", record, reason=REASON, author="镇长").records) == 3
    assert holding(here.folder, NAME, CHILD) == []
    assert here.verify() == ()


def test_one_member_is_erased_and_the_household_stays(here: Station) -> None:
    record = person(here)
    member = here.answers("household", record)["member"][0]["_id"]
    here.erase("household_member", member, reason=REASON, author="镇长")
    assert here.answers("household", record) == {
        "_id": record, "village": VILLAGE, "head_name": NAME, "phone": "13800000001"
    }  # fmt: skip
    assert holding(here.folder, CHILD) == []
    assert here.verify() == ()


def test_a_row_written_elsewhere_meanwhile_is_erased_with_its_record(here: Station, there: Station) -> None:
    record = person(here)
    send(here, there)
    answers = there.answers("household", record)
    answers["member"].append({"name": "欧阳大宝", "certificate": [{"number": "证欧阳"}]})
    there.save({**answers, "phone": "13900000002"}, household(), record=record, author="李")
    here.erase("household", record, reason=REASON, author="镇长")
    send(here, there)
    send(there, here)
    for station in (here, there):
        assert station.projection.counts()["household_member"] == 0
        assert holding(station.folder, "欧阳", "13900000002") == []
        assert station.verify() == ()
    assert content(here) == content(there)


def test_a_deletion_that_waited_for_an_erased_row_is_no_conflict_any_more(here: Station, there: Station) -> None:
    record = person(here, member=[])
    send(here, there)
    answers = there.answers("household", record)
    there.save({**answers, "member": [{"name": CHILD}]}, household(), record=record, author="李")
    here.delete("household", record, author="张")
    send(there, here)
    assert [conflict.field for conflict in here.conflicts()] == [DELETED]
    member = here.answers("household", record)["member"][0]["_id"]
    here.erase("household_member", member, reason=REASON, author="镇长")
    assert here.conflicts() == ()
    assert here.projection.record("household", record) is None
    assert here.verify() == ()


def test_an_erasure_that_must_wait_for_its_parents_erases_at_once(here: Station, there: Station) -> None:
    record = person(here)
    send(here, there)
    here.save({**here.answers("household", record), "phone": "1"}, household(), record=record, author="张")
    here.erase("household", record, reason=REASON, author="镇长")
    (erasure,) = [each for each in here.history(record) if ERASED in each.changes]
    assert there.receive([erasure]).parked == 1
    assert there.projection.record("household", record) is None
    assert holding(there.folder, NAME) == []
    send(here, there)
    assert not there.journal.parked()
    assert there.verify() == ()
    assert content(there) == content(here)


def test_an_old_copy_of_the_content_is_kept_as_a_digest_only(here: Station, there: Station) -> None:
    record = person(here)
    old = [each.revision for each in here.journal.since(0)]
    here.erase("household", record, reason=REASON, author="镇长")
    new = [each for each in here.history(record) if ERASED in each.changes]
    there.receive(new)
    there.receive(old)
    assert there.projection.record("household", record) is None
    assert holding(there.folder, NAME) == []
    assert there.verify() == ()


def test_a_record_that_comes_without_its_content_is_erased_here_too(here: Station, there: Station) -> None:
    record = person(here)
    send(here, there)
    here.erase("household", record, reason=REASON, author="镇长")
    there.receive([each for each in here.history(record) if each.erased])
    assert there.projection.record("household", record) is None
    assert holding(there.folder, NAME) == []


def test_another_digest_in_place_of_erased_content_is_a_fork(here: Station, there: Station) -> None:
    record = person(here)
    send(here, there)
    here.erase("household", record, reason=REASON, author="镇长")
    (erased, *_) = here.history(record)
    with pytest.raises(JournalError) as caught:
        there.receive([replace(erased, erased="0" * 64)])
    assert caught.value.code == "COLLECT_FORK"
    with pytest.raises(JournalError) as caught:
        there.receive([replace(erased, changes={"head_name": "x"})])
    assert caught.value.code == "COLLECT_REVISION_FAULTY"


def test_files_in_use_are_written_anew_at_the_next_opening(here: Station) -> None:
    record = person(here)
    with closing(connect(here.folder / "township.db", readonly=True)) as reader:
        reader.execute("BEGIN")
        reader.rows("SELECT count(*) FROM household")
        for connections in (here.journal._connections, here.projection._connections, here.drafts._connections):
            connections.here.execute("PRAGMA busy_timeout = 10")
        assert not here.erase("household", record, reason=REASON, author="镇长").scrubbed
    assert [problem.code for problem in here.verify()] == ["COLLECT_ERASURE_PENDING"]
    with Station.open(here.folder) as again:
        assert again.verify() == ()
        assert holding(again.folder, NAME, CHILD) == []


def test_an_erasure_goes_to_every_village_the_record_ever_was_in(here: Station) -> None:
    record = person(here)
    moved = {**here.answers("household", record), "village": OTHER_VILLAGE}
    here.save(moved, household(), record=record, author="张")
    before = here.journal.arrived()
    here.erase("household", record, reason=REASON, author="镇长")
    for village in (VILLAGE, OTHER_VILLAGE):
        told = [each.revision for each in here.journal.since(before, villages=[village])]
        assert [each.record for each in told if ERASED in each.changes].count(record) == 1
        assert all(each.erased or ERASED in each.changes for each in told)


@settings(max_examples=60, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.data())
def test_an_erasure_wins_over_whatever_was_written(
    history: list[Revision], chance: random.Random, data: st.DataObject
) -> None:
    erasing = replace(history[data.draw(st.integers(0, len(history) - 1))], changes={ERASED: REASON})
    whole = [erasing if each.id == erasing.id else each for each in history]
    partly = [
        replace(each, changes={}, erased=each.changes_digest) if chance.random() < 0.5 and each is not erasing else each
        for each in whole
    ]
    chance.shuffle(partly)
    merged, other = merge(partly), merge(whole)
    assert merged is not None
    assert other is not None
    assert merged.latest.digest == other.latest.digest
    assert replace(merged, latest=other.latest) == other
    assert (merged.erased, merged.deleted, dict(merged.fields), merged.conflicts) == (True, True, {}, ())


class Forgetful(Story):
    """Random doings on several stations, among them erasures."""

    def go(self, steps: int) -> None:
        for _ in range(steps):
            super().go(1)
            if self.chance.random() < 0.12:
                station = self.chance.choice(self.stations)
                table = self.chance.choice(["household", "household", "household_member"])
                table = station.projection.ledgers.current(table)
                if rows := list(station.projection.rows(table)):
                    record = self.chance.choice(rows)["_id"]
                    station.erase(table, record, reason=REASON, author=station.name)

    def save_late(self, station: Station) -> None:
        kept = [look for look in self.looks if not look[0].journal.is_erased(look[1])]
        self.looks = kept  # what was opened before and is erased now is refused, as tried above
        super().save_late(station)


def erased_on(station: Station) -> set[tuple[str, str]]:
    """What a station knows to be erased, under the names that the ledgers have now."""
    current = station.projection.ledgers.current
    return {(current(table), record) for _, (table, record) in station.journal.erased()}


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 3), st.integers(10, 40))
def test_stations_agree_on_what_is_erased_in_whatever_order_it_arrives(
    chance: random.Random, number: int, steps: int
) -> None:
    with stations(number) as made:
        for each in made:
            each.drafts._db.execute("PRAGMA synchronous = OFF")
        story = Forgetful(made, chance)
        story.go(steps)
        for _ in range(2):
            story.exchange_all()
        first = content(made[0])
        for station in made:
            assert content(station) == first
            assert station.verify() == ()
            assert erased_on(station) == erased_on(made[0])
            for table, record in erased_on(station):
                assert all(each.erased or set(each.changes) == {ERASED} for each in station.journal.of_record(record))
                assert station.projection.record(table, record) is None
        made[0].rebuild()
        assert content(made[0]) == first


def test_a_single_entry_with_more_than_the_reason_keeps_nothing(here: Station) -> None:
    record = person(here)
    entry = Entry("household", record, "household", "1", VILLAGE, {ERASED: REASON, "head_name": NAME}, "张", "s")
    here.journal.write([entry])
    here.projection.catch_up()
    assert here.projection.record("household", record) is None
    assert all(each.erased for each in here.history(record))
