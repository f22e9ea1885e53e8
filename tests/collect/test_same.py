"""Duplicates decided: told apart for good, or merged with all that belongs to them, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collect.revision import DELETED, INTO
from collect.saving import SaveError
from collect.station import Station
from collect.story import story
from collect.undoing import presses, undo
from forms.definition import Form
from forms.reader import read_rows

EAST, WEST = ("999999001001", "东村"), ("999999001002", "西村")
ID = "110101195803041236"


def home() -> Form:
    survey = [
        {"type": "select_one_from_file village.csv", "name": "village", "label": "村", "ledger::standard": "village"},
        {"type": "text", "name": "head_name", "label": "户主", "ledger::search": "name"},
        {"type": "text", "name": "phone", "label": "电话"},
        {"type": "text", "name": "address", "label": "地址"},
        {"type": "text", "name": "resident", "label": "证件", "ledger::standard": "resident_id"},
        {"type": "begin_repeat", "name": "member", "label": "成员"},
        {"type": "text", "name": "name", "label": "姓名"},
        {"type": "begin_repeat", "name": "skill", "label": "技能"},
        {"type": "text", "name": "skill_name", "label": "技能名"},
        {"type": "end_repeat", "name": "skill"},
        {"type": "end_repeat", "name": "member"},
    ]
    return read_rows({"survey": survey, "settings": [{"form_id": "home", "version": "1", "form_title": "户"}]})


def visit() -> Form:
    survey = [
        {"type": "select_one_from_file home.csv", "name": "home", "label": "户"},
        {"type": "select_multiple_from_file home.csv", "name": "others", "label": "还有"},
        {"type": "text", "name": "said", "label": "说了什么"},
    ]
    return read_rows({"survey": survey, "settings": [{"form_id": "visit", "version": "1", "form_title": "走访"}]})


def station_at(folder: Path, name: str) -> Station:
    station = Station.create(folder, name=name, villages=(EAST, WEST))
    station.add_forms([home(), visit()])
    return station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with station_at(tmp_path / "one", "一号") as made:
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Station]:
    with station_at(tmp_path / "two", "二号") as made:
        yield made


def add(station: Station, **answers: Any) -> str:
    return station.save({"village": EAST[0], "resident": ID, **answers}, "home", author="张三").record


def exchange(one: Station, two: Station) -> None:
    one.receive(two.journal.suffix(two.id, 0))
    two.receive(one.journal.suffix(one.id, 0))


def everything(station: Station) -> dict[str, Any]:
    return {row["_id"]: station.answers("home", row["_id"]) for row in station.projection.rows("home")}


def names(station: Station, record: str) -> list[str]:
    return [row["name"] for row in station.answers("home", record).get("member", ())]


def test_two_that_were_told_apart_are_suspected_no_more(station: Station, other: Station) -> None:
    one, two, three = add(station, head_name="甲"), add(station, head_name="乙"), add(station, head_name="丙")
    assert [set(each.records) for each in station.duplicates()] == [{one, two, three}]
    station.distinct("home", two, one, author="李四")
    assert [set(each.records) for each in station.duplicates()] == [{one, two, three}], "both may still be the third"
    station.distinct("home", one, three, author="李四")
    assert [set(each.records) for each in station.duplicates()] == [{two, three}]
    station.distinct("home", two, three, author="李四")
    assert station.duplicates() == ()
    answers = station.answers("home", two)
    assert station.suspects("home", answers, two) == ()
    assert len(station.suspects("home", answers)) == 3, "a new record is nobody told apart"
    exchange(station, other)
    assert other.duplicates() == ()
    assert station.verify() == other.verify() == ()
    assert all(row["_extra"] is None for row in station.projection.rows("home"))
    station.save({**answers, "phone": "1"}, "home", record=two, author="张三")
    assert station.duplicates() == ()
    station.rebuild()
    assert station.duplicates() == ()


def test_telling_apart_is_undone(station: Station) -> None:
    one, two = add(station, head_name="甲"), add(station, head_name="乙")
    saved = station.distinct("home", one, two, author="李四")
    assert station.duplicates() == ()
    undo(station, saved.revisions[0].save, author="李四")
    assert [set(each.records) for each in station.duplicates()] == [{one, two}]
    assert station.verify() == ()


def test_a_duplicate_is_merged_with_all_that_belongs_to_it(station: Station, other: Station) -> None:
    kept = add(station, head_name="张三", phone="1", member=[{"name": "大宝"}])
    duplicate = add(
        station, head_name="张三丰", address="老屋", village=WEST[0],
        member=[{"name": "小宝", "skill": [{"skill_name": "木工"}]}, {"name": "二宝"}],
    )  # fmt: skip
    third = add(station, head_name="别人", resident="")
    going = station.save({"home": duplicate, "said": "好"}, "visit", author="张三", village=WEST[0]).record
    both = station.save(
        {"home": third, "others": f"{duplicate} {third} {kept}"}, "visit", author="张三", village=EAST[0]
    ).record
    before = everything(station)
    exchange(station, other)
    saved = station.merge_duplicates("home", kept, duplicate, author="李四")
    now = station.answers("home", kept)
    assert (now["head_name"], now["phone"], now["address"], now["village"]) == ("张三", "1", "老屋", EAST[0])
    assert names(station, kept) == ["大宝", "小宝", "二宝"]
    assert now["member"][1]["skill"][0]["skill_name"] == "木工"
    assert {row["_village"] for row in station.projection.rows("home_member")} == {EAST[0]}
    assert {row["_village"] for row in station.projection.rows("home_member_skill")} == {EAST[0]}
    assert set(everything(station)) == {kept, third}
    assert station.answers("visit", going)["home"] == kept
    assert station.answers("visit", both)["others"] == f"{kept} {third}"
    assert station.duplicates() == ()
    assert station.history(duplicate)[-1].changes == {DELETED: True, INTO: kept}
    assert story(station, duplicate)[-1].kind == "merged"
    exchange(station, other)
    assert everything(other) == everything(station)
    assert not other.conflicts()
    assert station.verify() == other.verify() == ()
    (press,) = [each for each in presses(station) if each.save == saved.revisions[0].save]
    undo(station, press.save, author="李四")
    assert everything(station) == before
    assert station.answers("visit", going)["home"] == duplicate
    assert station.answers("visit", both)["others"] == f"{duplicate} {third} {kept}"
    exchange(station, other)
    assert everything(other) == before
    assert station.verify() == other.verify() == ()


def test_rows_are_merged_like_records(station: Station) -> None:
    first = add(station, head_name="甲", member=[{"name": "小宝"}, {"name": "大宝"}])
    second = add(station, head_name="乙", member=[{"name": "小宝", "skill": [{"skill_name": "木工"}]}])
    (kept, _), (duplicate,) = (
        [row["_id"] for row in station.answers("home", record)["member"]] for record in (first, second)
    )
    station.merge_duplicates("home_member", kept, duplicate, author="李四")
    assert names(station, first) == ["小宝", "大宝"]
    assert names(station, second) == []
    assert station.answers("home", first)["member"][0]["skill"][0]["skill_name"] == "木工"
    assert station.verify() == ()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_row_that_moves_to_a_household_which_is_not_here_is_shown_as_it_is(
    station: Station, other: Station, at_once: bool
) -> None:
    """A laptop of one village hears that a member went into a household of another, which it never sees."""
    kept = add(station, head_name="甲", village=WEST[0])
    duplicate = add(station, head_name="乙", member=[{"name": "小宝"}])
    station.merge_duplicates("home", kept, duplicate, author="李四")
    heard = [each for each in station.journal.suffix(station.id, 0) if each.record != kept]
    for batch in [heard] if at_once else [[each] for each in heard]:
        other.receive(batch)
    (row,) = other.projection.rows("home_member")
    assert (row["name"], row["_parent"], row["_village"]) == ("小宝", kept, WEST[0])
    assert not list(other.projection.rows("home"))
    assert other.verify() == ()


def test_who_edits_the_duplicate_meanwhile_loses_nothing(station: Station, other: Station) -> None:
    kept, duplicate = add(station, head_name="甲"), add(station, head_name="乙", member=[{"name": "小宝"}])
    exchange(station, other)
    station.merge_duplicates("home", kept, duplicate, author="李四")
    seen = other.answers("home", duplicate)
    edited = {**seen, "phone": "9", "member": [*seen["member"], {"name": "新生"}]}
    other.save(edited, "home", record=duplicate, author="王五")
    exchange(station, other)
    assert everything(station) == everything(other)
    assert DELETED in {conflict.field for conflict in station.conflicts("home", duplicate)}
    assert station.answers("home", duplicate)["phone"] == "9"
    assert names(station, duplicate) == ["新生"]
    assert names(station, kept) == ["小宝"]
    assert station.verify() == other.verify() == ()


def test_what_can_not_be_merged_is_said(station: Station) -> None:
    one = add(station, head_name="甲", member=[{"name": "小宝"}])
    gone = add(station, head_name="乙")
    station.delete("home", gone, author="张三")
    before = station.journal.arrived()
    for table, kept, duplicate, code in (
        ("home", one, one, "COLLECT_SAME_RECORD"), ("home", one, gone, "COLLECT_RECORD_UNKNOWN"),
        ("home", one, "nobody", "COLLECT_RECORD_UNKNOWN"), ("nothing", one, gone, "COLLECT_RECORD_UNKNOWN"),
    ):  # fmt: skip
        with pytest.raises(SaveError, match=code):
            station.merge_duplicates(table, kept, duplicate, author="李四")
        with pytest.raises(SaveError, match=code):
            station.distinct(table, kept, duplicate, author="李四")
    assert station.journal.arrived() == before
