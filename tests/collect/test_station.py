from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collect.chain import JournalError
from collect.database import DatabaseError
from collect.revision import DELETED
from collect.saving import SaveError
from collect.shelf import FormUnknownError
from collect.station import Station, StationError, Village
from forms.problems import CunceError
from tests.collect.ledger_forms import OTHER_VILLAGE, VILLAGE, VILLAGES, household, made

HOUSEHOLD: dict[str, Any] = {
    "village": VILLAGE,
    "head_name": "张三",
    "household_number": 3,
    "location": "27.5 109.2 300 5",
    "member": [{"name": "张大", "age": 30, "certificate": [{"number": "52"}]}, {"name": "张二"}],
}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Station, Station]]:
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(Station.create(tmp_path / name, name=name, villages=VILLAGES)) for name in "ab"
        )
        one.add_form(household())
        other.add_form(household())
        yield one, other


@pytest.fixture
def station(two: tuple[Station, Station]) -> Station:
    return two[0]


def give(one: Station, other: Station) -> None:
    """Everything one station wrote reaches the other."""
    other.receive(one.journal.suffix(one.id, other.journal.held().get(one.id, 0)), contiguous=True)


def plain(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers without ids."""
    return {
        name: [plain(row) for row in value] if isinstance(value, list) else value
        for name, value in answers.items()
        if name != "_id"
    }


def code(caught: pytest.ExceptionInfo[Any]) -> str:
    assert isinstance(caught.value, CunceError)
    return caught.value.code


# ---- saving


def test_what_is_saved_comes_back_with_its_rows_in_order(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    assert len(saved.revisions) == 4
    assert len({each.save for each in saved.revisions}) == 1
    assert plain(station.answers("household", saved.record)) == HOUSEHOLD
    opened = station.opened("household", saved.record)
    assert (opened.village, opened.status, opened.updated_by) == (VILLAGE, "ok", "李")


def test_saving_unchanged_answers_writes_nothing(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    answers = station.answers("household", saved.record)
    assert station.save(answers, household(), record=saved.record, author="李").revisions == ()
    assert station.save({**answers, "household_number": "3", "phone": ""}, "household", author="李").revisions == ()


def test_only_what_changed_is_written(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    answers = station.answers("household", saved.record)
    first, second = answers["member"]
    changed = {**answers, "head_name": "李四", "member": [{**first, "age": None}, {"name": "新"}]}
    del changed["location"]
    revisions = station.save(changed, household(), record=saved.record, author="王").revisions
    assert [(each.table, each.record == second["_id"], dict(each.changes)) for each in revisions] == [
        ("household", False, {"head_name": "李四", "location": None}),
        ("household_member", False, {"age": None}),
        ("household_member", False, {"name": "新", "_parent": saved.record}),
        ("household_member", True, {DELETED: True}),
    ]
    after = station.answers("household", saved.record)
    assert [row["name"] for row in after["member"]] == ["张大", "新"]


def test_answers_to_questions_the_form_does_not_ask_are_refused_all_at_once(station: Station) -> None:
    with pytest.raises(SaveError) as caught:
        station.save({**HOUSEHOLD, "colour": "红", "member": [{"name": "x", "shoe": 40}]}, household(), author="李")
    assert {problem.place.name for problem in caught.value.problems} == {"colour", "shoe"}
    assert station.journal.arrived() == 0


def test_a_record_without_village_is_refused_unless_one_is_named(station: Station) -> None:
    with pytest.raises(SaveError, match="COLLECT_VILLAGE_MISSING"):
        station.save({"head_name": "张三"}, household(), author="李")
    saved = station.save({"head_name": "张三"}, household(), author="李", village=VILLAGE)
    assert saved.revisions[0].village == VILLAGE


def test_a_record_that_was_never_there_cannot_be_changed(station: Station) -> None:
    for attempt in (
        lambda: station.save(HOUSEHOLD, household(), record="none", author="李"),
        lambda: station.answers("household", "none"),
        lambda: station.answers("none", "none"),
        lambda: station.delete("household", "none", author="李"),
        lambda: station.restore("household", "none", author="李"),
    ):
        with pytest.raises(SaveError) as caught:
            attempt()
        assert code(caught) == "COLLECT_RECORD_UNKNOWN"


def test_a_household_that_moves_takes_its_rows_along(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    answers = station.answers("household", saved.record)
    moved = station.save({**answers, "village": OTHER_VILLAGE}, household(), record=saved.record, author="李")
    assert {each.village for each in moved.revisions} == {OTHER_VILLAGE}
    assert len(moved.revisions) == 4
    for table in ("household", "household_member", "household_member_certificate"):
        assert {row["_village"] for row in station.projection.rows(table)} == {OTHER_VILLAGE}


def test_many_records_are_saved_in_batches_and_again_changes_nothing(station: Station) -> None:
    rows = [(household(), {"village": VILLAGE, "head_name": f"户{at}"}, None) for at in range(1203)]
    saved = station.save_many(rows, author="李")
    assert (len(saved.records), saved.revisions) == (1203, 1203)
    again = [
        (form, {**answers, "_id": record}, None)
        for (form, answers, _), record in zip(rows, saved.records, strict=True)
    ]
    assert station.save_many(again, author="李").revisions == 0
    assert station.projection.counts()["household"] == 1203


def test_a_batch_with_one_bad_record_saves_nothing_of_it(station: Station) -> None:
    rows = [(household(), {"village": VILLAGE}, None), (household(), {"village": VILLAGE, "colour": "红"}, None)]
    with pytest.raises(SaveError):
        station.save_many(rows, author="李")
    assert station.projection.counts()["household"] == 0


# ---- two people


def test_a_save_from_an_outdated_page_becomes_a_conflict_only_where_both_changed(station: Station) -> None:
    record = station.save(HOUSEHOLD, household(), author="李").record
    opened = station.opened("household", record)
    station.save({**opened.answers, "head_name": "甲", "phone": "1"}, household(), record=record, author="甲")
    station.save(
        {**opened.answers, "head_name": "乙", "group_name": "一组"}, household(), record=record, author="乙",
        seen=opened.seen,
    )  # fmt: skip
    (conflict,) = station.conflicts()
    assert (conflict.field, conflict.shown) == ("head_name", "乙")
    assert [(each.value, each.before, each.author) for each in conflict.candidates] == [
        ("甲", "张三", "甲"), ("乙", "张三", "乙"),
    ]  # fmt: skip
    answers = station.answers("household", record)
    assert (answers["phone"], answers["group_name"]) == ("1", "一组")
    assert station.opened("household", record).status == "conflict"


def test_a_row_added_by_another_meanwhile_is_not_taken_away(station: Station) -> None:
    record = station.save(HOUSEHOLD, household(), author="李").record
    opened = station.opened("household", record)
    more = [*opened.answers["member"], {"name": "后来"}]
    station.save({**opened.answers, "member": more}, household(), record=record, author="甲")
    fewer = opened.answers["member"][:1]
    station.save({**opened.answers, "member": fewer}, household(), record=record, author="乙", seen=opened.seen)
    assert [row["name"] for row in station.answers("household", record)["member"]] == ["张大", "后来"]


def test_settling_reaches_the_other_station_and_stays(two: tuple[Station, Station]) -> None:
    one, other = two
    record = one.save(HOUSEHOLD, household(), author="李").record
    give(one, other)
    for station, name in ((one, "甲"), (other, "乙")):
        answers = station.answers("household", record)
        station.save({**answers, "head_name": name}, household(), record=record, author=name)
    give(one, other)
    give(other, one)
    assert one.conflicts() == other.conflicts() != ()
    # Editing something else settles nothing.
    one.save({**one.answers("household", record), "phone": "1"}, household(), record=record, author="李")
    (conflict,) = one.conflicts()
    settled = one.settle(conflict, "甲", author="镇")
    assert [dict(each.changes) for each in settled.revisions] == [{"head_name": "甲"}]
    give(one, other)
    assert other.conflicts() == ()
    assert other.answers("household", record)["head_name"] == "甲"


def test_a_candidate_that_came_after_the_decision_was_shown_stays_open(two: tuple[Station, Station]) -> None:
    one, other = two
    record = one.save(HOUSEHOLD, household(), author="李").record
    give(one, other)
    answers = one.answers("household", record)
    seen = one.opened("household", record).seen
    one.save({**answers, "head_name": "甲"}, household(), record=record, author="甲")
    one.save({**answers, "head_name": "乙"}, household(), record=record, author="乙", seen=seen)
    (shown,) = one.conflicts()
    other.save({**answers, "head_name": "丙"}, household(), record=record, author="丙")
    give(other, one)
    one.settle(shown, "甲", author="镇")
    (left,) = one.conflicts()
    assert {each.value for each in left.candidates} == {"甲", "丙"}


def test_settling_the_village_moves_the_rows(two: tuple[Station, Station]) -> None:
    one, other = two
    record = one.save(HOUSEHOLD, household(), author="李").record
    give(one, other)
    third = "999999001003"
    for station, village in ((one, OTHER_VILLAGE), (other, third)):
        answers = station.answers("household", record)
        station.save({**answers, "village": village}, household(), record=record, author="x")
    give(other, one)
    (conflict,) = [each for each in one.conflicts() if each.table == "household"]
    one.settle(conflict, OTHER_VILLAGE, author="镇")
    assert {row["_village"] for row in one.projection.rows("household_member")} == {OTHER_VILLAGE}
    assert {row["_village"] for row in one.projection.rows("household")} == {OTHER_VILLAGE}


# ---- deleting


def test_a_deleted_household_leaves_with_its_rows_and_comes_back_with_them(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    station.delete("household", saved.record, author="李")
    assert not any(station.projection.counts().values())
    assert len(station.history(saved.record)) == 2
    with pytest.raises(SaveError):
        station.answers("household", saved.record)
    station.restore("household", saved.record, author="李")
    assert plain(station.answers("household", saved.record)) == HOUSEHOLD
    station.delete("household", saved.record, author="李")
    assert not any(station.projection.counts().values())


def test_a_row_taken_away_alone_does_not_come_back_with_its_household(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    answers = station.answers("household", saved.record)
    station.save({**answers, "member": answers["member"][:1]}, household(), record=saved.record, author="李")
    station.delete("household", saved.record, author="李")
    station.restore("household", saved.record, author="李")
    assert [row["name"] for row in station.answers("household", saved.record)["member"]] == ["张大"]


def test_saving_a_deleted_record_brings_it_back(station: Station) -> None:
    saved = station.save(HOUSEHOLD, household(), author="李")
    answers = station.answers("household", saved.record)
    station.delete("household", saved.record, author="李")
    station.save({**answers, "phone": "1"}, household(), record=saved.record, author="李")
    assert plain(station.answers("household", saved.record)) == {**HOUSEHOLD, "phone": "1"}
    assert station.conflicts() == ()


def test_a_household_deleted_here_and_edited_there_stays_and_can_be_kept_or_deleted(
    two: tuple[Station, Station],
) -> None:
    one, other = two
    for value, left in ((None, 2), (True, 0)):
        record = one.save(HOUSEHOLD, household(), author="李").record
        give(one, other)
        one.delete("household", record, author="李")
        answers = other.answers("household", record)
        other.save({**answers, "phone": "1"}, household(), record=record, author="王")
        give(other, one)
        (conflict,) = one.conflicts()
        assert (conflict.field, conflict.shown) == (DELETED, None)
        assert len(one.answers("household", record)["member"]) == 2
        one.settle(conflict, value, author="镇")
        assert one.conflicts() == ()
        give(one, other)
        assert other.conflicts() == ()
        rows = list(other.projection.rows("household_member", "_parent", record))
        assert [row["_status"] for row in rows] == ["ok"] * left
        assert one.verify() == other.verify() == ()


def test_a_member_added_elsewhere_keeps_a_deleted_household_in_sight(two: tuple[Station, Station]) -> None:
    one, other = two
    record = one.save(HOUSEHOLD, household(), author="李").record
    give(one, other)
    answers = other.answers("household", record)
    other.save({**answers, "member": [*answers["member"], {"name": "新"}]}, household(), record=record, author="王")
    one.delete("household", record, author="李")
    give(one, other)
    give(other, one)
    for station in two:
        (conflict,) = station.conflicts()
        assert (conflict.table, conflict.field) == ("household", DELETED)
        assert [row["name"] for row in station.answers("household", record)["member"]] == ["张大", "张二", "新"]
    one.settle(one.conflicts()[0], True, author="镇")
    assert not any(one.projection.counts().values())
    assert one.conflicts() == ()


# ---- receiving


def test_receiving_twice_changes_nothing_and_says_so(two: tuple[Station, Station]) -> None:
    one, other = two
    one.save(HOUSEHOLD, household(), author="李")
    revisions = one.journal.suffix(one.id, 0)
    assert (other.receive(revisions).new, other.receive(revisions).new) == (4, 0)
    assert other.receive(revisions).known == 4


def test_records_of_an_unknown_form_wait_for_it(two: tuple[Station, Station], tmp_path: Path) -> None:
    one, _ = two
    record = one.save(HOUSEHOLD, household(), author="李").record
    with Station.create(tmp_path / "c", name="c") as third:
        third.receive(one.journal.suffix(one.id, 0))
        assert third.projection.waiting() == {
            "household": 1, "household_member": 2, "household_member_certificate": 1,
        }  # fmt: skip
        third.receive((), forms=one.journal.forms())
        assert third.projection.waiting() == {}
        assert third.answers("household", record) == one.answers("household", record)
        assert third.verify() == ()


def test_a_form_that_contradicts_ours_is_reported_and_its_records_still_come(two: tuple[Station, Station]) -> None:
    one, other = two
    names = ("head_name", "group_name", "household_number")
    survey = tuple({"type": "text", "name": name, "label": name} for name in names)
    one.save(HOUSEHOLD, household(), author="李")
    received = other.receive(one.journal.suffix(one.id, 0), forms=[made("1", survey)])
    assert [problem.code for problem in received.problems] == ["COLLECT_FORM_CHANGED"]
    assert received.new == 4
    with pytest.raises(JournalError):
        other.add_form(made("1", survey))


def test_conflicts_that_a_bundle_brings_are_named(two: tuple[Station, Station]) -> None:
    one, other = two
    record = one.save(HOUSEHOLD, household(), author="李").record
    give(one, other)
    for station, name in ((one, "甲"), (other, "乙")):
        station.save({**station.answers("household", record), "phone": name}, household(), record=record, author=name)
    received = other.receive(one.journal.suffix(one.id, 4))
    assert [(each.record, each.field) for each in received.conflicts] == [(record, "phone")]


# ---- folders


def test_a_folder_that_is_no_station(tmp_path: Path) -> None:
    with pytest.raises(StationError) as caught:
        Station.open(tmp_path)
    assert code(caught) == "COLLECT_NOT_A_STATION"
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(StationError) as caught:
        Station.create(tmp_path, name="x")
    assert code(caught) == "COLLECT_FOLDER_NOT_EMPTY"


def test_a_station_that_is_there_already_newer_or_faulty(tmp_path: Path) -> None:
    Station.create(tmp_path, name="x").close()
    settings = tmp_path / "station.json"
    with pytest.raises(StationError, match="COLLECT_STATION_EXISTS"):
        Station.create(tmp_path, name="x")
    data = json.loads(settings.read_text(encoding="utf-8"))
    for text, expected in (
        (json.dumps({**data, "format": 99}), "COLLECT_STATION_NEWER"),
        ("{", "COLLECT_STATION_FAULTY"),
        ("[]", "COLLECT_STATION_FAULTY"),
        (json.dumps({"format": 1}), "COLLECT_STATION_FAULTY"),
    ):
        settings.write_text(text, encoding="utf-8")
        with pytest.raises(StationError) as caught:
            Station.open(tmp_path)
        assert code(caught) == expected


def test_making_a_station_that_was_cut_off_can_be_done_again(tmp_path: Path) -> None:
    Station.create(tmp_path, name="x").close()
    (tmp_path / "station.json").unlink()
    with Station.create(tmp_path, name="y") as station:
        assert station.name == "y"
    with pytest.raises(StationError, match="COLLECT_ROLE_UNKNOWN"):
        Station.create(tmp_path / "z", name="z", role="king")


def test_settings_are_kept(tmp_path: Path) -> None:
    with Station.create(
        tmp_path, name="x", role="hub", township=Village("999999001", "示例镇"), villages=VILLAGES, author="李"
    ) as station:
        station.add_villages([("999999001003", "新村"), Village(VILLAGE, "石桥新村")])
        station.set_author("王")
    with Station.open(tmp_path) as station:
        assert (station.role, station.author, station.township) == ("hub", "王", Village("999999001", "示例镇"))
        assert [village.name for village in station.villages] == ["石桥新村", "清水村", "新村"]
        with pytest.raises(StationError, match="COLLECT_VILLAGE_FAULTY"):
            station.set_villages({"1": ""})


def test_a_newer_or_foreign_database_is_refused(tmp_path: Path) -> None:
    Station.create(tmp_path, name="x").close()
    (tmp_path / "township.db").write_bytes(b"not a database, but long enough to be taken for a file of one" * 20)
    with pytest.raises(DatabaseError) as caught:
        Station.open(tmp_path)
    assert code(caught) == "COLLECT_NOT_A_DATABASE"


def test_a_readonly_station_shows_everything_and_saves_nothing(station: Station) -> None:
    record = station.save(HOUSEHOLD, household(), author="李").record
    with Station.open(station.folder, readonly=True) as other:
        assert other.answers("household", record)["head_name"] == "张三"
        assert other.verify() == ()
        with pytest.raises(DatabaseError) as caught:
            other.save(HOUSEHOLD, household(), author="李")
        assert code(caught) == "COLLECT_DATABASE_READONLY"


def test_two_processes_see_each_others_saves_and_forms(station: Station) -> None:
    with Station.open(station.folder) as other:
        record = other.save(HOUSEHOLD, household(), author="王").record
        assert station.answers("household", record)["head_name"] == "张三"
        other.add_form(household("2"))
        answers = {**station.answers("household", record), "road": "水泥路"}
        station.save(answers, station.form("household"), record=record, author="李")
        assert other.answers("household", record)["road"] == "水泥路"
        assert station.form("household").version == "2"
    with pytest.raises(FormUnknownError):
        station.form("nothing")
    with pytest.raises(FormUnknownError):
        station.form("household", "9")


def test_several_threads_save_through_one_station_without_gaps(station: Station) -> None:
    def work(name: str) -> None:
        for at in range(10):
            station.save({"village": VILLAGE, "head_name": f"{name}{at}"}, household(), author=name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "甲乙丙"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert station.journal.held() == {station.id: 30}
    assert station.projection.counts()["household"] == 30
    assert station.verify() == ()


# ---- attached data


def test_villages_and_ledgers_are_attached_data(station: Station) -> None:
    record = station.save({**HOUSEHOLD, "group_name": "一组"}, household(), author="李").record
    station.save({**HOUSEHOLD, "village": OTHER_VILLAGE}, household(), author="李")
    villages = station.attachments.open("village.csv")
    assert [(row["name"], row["label"]) for row in villages.rows()] == sorted(VILLAGES.items())
    households = station.attachments.open("household.csv")
    (found,) = households.lookup("village", VILLAGE)
    assert (found["name"], found["label"], found["household_number"]) == (record, "张三 一组 3", "3")
    assert [row["location"] for row in households.lookup("name", record)] == ["27.5 109.2 300 5"]
    assert len(list(households.lookup("location", "27.5 109.2 300 5"))) == 2
    assert len(list(households.lookup("group_name", ""))) == 1
    members = station.attachments.open("household_member.csv")
    assert [row["label"] for row in members.lookup("_parent", record)] == ["张大", "张二"]
    assert list(station.attachments.open("nothing.csv").rows()) == []
