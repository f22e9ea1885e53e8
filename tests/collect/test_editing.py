"""Answers changed in place: the form's rules, several records as one save, and what others changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.editing import EditError, change, state_of
from collect.saving import SaveError
from collect.station import Station
from collect.undoing import undo
from forms.reader import load_shipped, read_rows

VILLAGE = "999999001001"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="a", villages=[(VILLAGE, "洗马塘村")]) as made:
        form = load_shipped("household")
        made.add_form(form)
        for name in ("单雄信", "曾国庆", "仇英"):
            rows = [{"name": name, "sex": "male"}, {"name": f"{name}之子", "sex": "male"}]
            made.save({"village": VILLAGE, "head_name": name, "member": rows}, form, author="李")
        yield made


def revs(station: Station, table: str, column: str, *values: str) -> dict[str, str]:
    return {row["_id"]: row["_rev"] for value in values for row in station.projection.rows(table, column, value)}


def test_one_answer_of_a_row_is_changed_and_what_follows_from_it_too(station: Station) -> None:
    (row,) = wanted = revs(station, "household_member", "name", "仇英之子")
    done = change(station, "household_member", "resident_id", wanted, "11010519491231002X", author="李")
    found = station.projection.record("household_member", row)
    assert found is not None
    assert (found["resident_id"], found["birth_date"]) == ("11010519491231002X", "1949-12-31")
    undo(station, done.save, author="李")
    again = station.projection.record("household_member", row)
    assert again is not None
    assert again["resident_id"] is None


def test_many_are_changed_as_one_save_and_undone_as_one(station: Station) -> None:
    wanted = revs(station, "household", "_village", VILLAGE)
    done = change(station, "household", "group_name", wanted, "3组", author="李")
    assert [row["group_name"] for row in station.projection.rows("household")] == ["3组"] * 3
    assert len(undo(station, done.save, author="李").records) == 3
    assert [row["group_name"] for row in station.projection.rows("household")] == [None] * 3


def test_two_rows_of_one_record_are_changed_together(station: Station) -> None:
    wanted = revs(station, "household_member", "name", "仇英", "仇英之子")
    change(station, "household_member", "nation", wanted, "01", author="李")
    assert revs(station, "household_member", "nation", "01").keys() == wanted.keys()


def test_nothing_is_saved_where_one_record_refuses(station: Station) -> None:
    wanted = revs(station, "household", "_village", VILLAGE)
    (record,) = revs(station, "household", "head_name", "仇英")
    answers = {**station.answers("household", record), "phone": "13812345678"}
    station.save(answers, "household", record=record, author="王")
    with pytest.raises(EditError) as caught:
        change(station, "household", "group_name", wanted, "3组", author="李")
    assert list(caught.value.by_record) == [record]
    assert caught.value.moved
    assert [row["group_name"] for row in station.projection.rows("household")] == [None] * 3


@pytest.mark.parametrize(
    ("table", "column", "value", "code"),
    [
        ("household", "phone", "123", "FORMS_STANDARD_MOBILE"),
        ("household", "household_type", "king", "FORMS_VALUE_CHOICE"),
        ("household", "head_name", "", "FORMS_VALUE_REQUIRED_SAID"),
        ("household", "member_count", "7", "COLLECT_EDIT_FIXED"),
        ("household", "no_such", "7", "COLLECT_EDIT_FIXED"),
    ],
)
def test_an_answer_that_breaks_the_rules_is_refused(
    station: Station, table: str, column: str, value: str, code: str
) -> None:
    wanted = dict([next(iter(revs(station, table, "_village", VILLAGE).items()))])
    held = station.journal.held()
    with pytest.raises(EditError) as caught:
        change(station, table, column, wanted, value, author="李")
    assert [problem.code for problem in caught.value.problems] == [code]
    assert station.journal.held() == held


def test_what_another_answer_makes_not_applicable_says_so(tmp_path: Path) -> None:
    survey = [
        {"type": "text", "name": "name", "label": "姓名"},
        {"type": "integer", "name": "age", "label": "年龄"},
        {"type": "text", "name": "school", "label": "学校", "relevant": "${age} < 18"},
    ]
    form = read_rows({"survey": survey, "settings": [{"form_id": "pupil", "version": "1", "form_title": "学生"}]})
    with Station.create(tmp_path / "a", name="a", villages=[(VILLAGE, "洗马塘村")]) as station:
        station.add_form(form)
        record = station.save({"name": "李明", "age": 40, "school": ""}, form, author="李", village=VILLAGE).record
        wanted = revs(station, "pupil", "name", "李明")
        with pytest.raises(EditError) as caught:
            change(station, "pupil", "school", wanted, "一小", author="李")
        assert [problem.code for problem in caught.value.problems] == ["COLLECT_EDIT_NOT_ASKED"]
        change(station, "pupil", "age", wanted, "9", author="李")
        change(station, "pupil", "school", revs(station, "pupil", "name", "李明"), "一小", author="李")
        # Clearing what another answer depends on takes that answer too, as on the page.
        change(station, "pupil", "age", revs(station, "pupil", "name", "李明"), "30", author="李")
        row = station.projection.record("pupil", record)
        assert row is not None
        assert row["school"] is None


def test_what_was_wrong_before_is_in_nobodys_way(station: Station) -> None:
    form = station.form("household")
    bad = {"village": VILLAGE, "head_name": "张三", "phone": "123", "member": [{"name": "张三", "sex": "male"}]}
    station.save(bad, form, author="李")
    wanted = revs(station, "household", "head_name", "张三")
    assert change(station, "household", "group_name", wanted, "2组", author="李").revisions == 1
    (state_row,) = wanted
    _, state, why = state_of(station, "household", state_row, "phone")
    assert why == ()
    assert state.problem is not None
    assert state.problem.code == "FORMS_STANDARD_MOBILE"


def test_a_record_that_is_not_there_is_told(station: Station) -> None:
    with pytest.raises(SaveError):
        state_of(station, "household", "nobody", "phone")
    with pytest.raises(EditError) as caught:
        change(station, "household", "phone", {"nobody": ""}, "13812345678", author="李")
    assert [problem.code for problem in caught.value.problems] == ["COLLECT_RECORD_UNKNOWN"]
