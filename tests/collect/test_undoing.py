from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from collect.undoing import UndoError, last_to_undo, presses, undo
from tests.collect.ledger_forms import VILLAGE, VILLAGES, household, made

HOUSEHOLD: dict[str, Any] = {"village": VILLAGE, "head_name": "张三", "member": [{"name": "张大"}, {"name": "张二"}]}
VISIT = (
    {"type": "select_one_from_file village.csv", "name": "village", "label": "村", "bind::ledger:standard": "village"},
    {"type": "select_one_from_file household.csv", "name": "household", "label": "户"},
    {"type": "text", "name": "head_name", "label": "户主"},
    {"type": "text", "name": "group_name", "label": "组"},
    {"type": "integer", "name": "household_number", "label": "户号"},
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="a", villages=VILLAGES) as one:
        one.add_form(household())
        yield one


def save(station: Station, answers: dict[str, Any], record: str | None = None, author: str = "甲") -> tuple[str, str]:
    saved = station.save(answers, "household", record=record, author=author)
    return saved.record, saved.revisions[0].save


def everything(station: Station) -> list[Any]:
    return [list(station.projection.rows(table)) for table in ("household", "household_member")]


def test_undo_of_a_new_household_takes_it_and_its_rows_away_and_undo_of_that_brings_them_back(station: Station) -> None:
    record, press = save(station, HOUSEHOLD)
    before = station.answers("household", record)

    undone = undo(station, press, author="甲")

    assert everything(station) == [[], []]
    assert len(undone.records) == 3
    undo(station, undone.save, author="甲")
    assert station.answers("household", record) == before
    assert station.verify() == ()


def test_undo_of_a_change_puts_back_fields_new_rows_and_removed_rows(station: Station) -> None:
    record, _ = save(station, HOUSEHOLD)
    before = station.answers("household", record)
    changed = {**before, "head_name": "李四", "group_name": "一组"}
    changed["member"] = [{**before["member"][0], "age": 9}, {"name": "张三"}]
    _, press = save(station, changed, record)

    undo(station, press, author="甲")

    assert station.answers("household", record) == before


def test_a_deletion_can_be_undone(station: Station) -> None:
    record, _ = save(station, HOUSEHOLD)
    before = station.answers("household", record)
    press = station.delete("household", record, author="甲").revisions[0].save

    undo(station, press, author="甲")

    assert station.answers("household", record) == before


def test_what_somebody_changed_since_is_not_undone_and_says_who(station: Station) -> None:
    record, press = save(station, HOUSEHOLD)
    answers = station.answers("household", record)
    answers["member"][0]["age"] = 30
    save(station, answers, record, author="乙")
    before = everything(station)

    with pytest.raises(UndoError) as caught:
        undo(station, press, author="甲")

    assert {problem.code for problem in caught.value.problems} == {"COLLECT_UNDO_CHANGED"}
    assert "乙" in caught.value.problems[0].words("zh")
    assert everything(station) == before


def test_a_household_with_a_row_added_since_stays(station: Station) -> None:
    record, press = save(station, HOUSEHOLD)
    answers = station.answers("household", record)
    answers["member"].append({"name": "新来的"})
    save(station, answers, record, author="乙")

    with pytest.raises(UndoError):
        undo(station, press, author="甲")
    assert len(station.answers("household", record)["member"]) == 3


def test_a_household_that_a_visit_names_stays(station: Station) -> None:
    station.add_form(made("1", VISIT, form_id="visit", title="走访"))
    record, press = save(station, HOUSEHOLD)
    station.save({"village": VILLAGE, "household": record}, "visit", author="乙")

    with pytest.raises(UndoError) as caught:
        undo(station, press, author="甲")
    assert [problem.code for problem in caught.value.problems] == ["COLLECT_UNDO_REFERRED"]


def test_undone_partly_it_says_what_stays_and_again_changes_nothing(station: Station) -> None:
    rows = [("household", {**HOUSEHOLD, "head_name": name}, None) for name in ("赵", "钱", "孙")]
    kept, *others = station.save_many(rows, author="甲", save="import:1").records
    save(station, {**station.answers("household", kept), "group_name": "改了"}, kept, author="乙")

    undone = undo(station, "import:1", author="甲", partly=True)

    assert [key[1] for key in undone.kept] == [kept]
    assert [row["_id"] for row in station.projection.rows("household")] == [kept]
    assert {key[1] for key in undone.records if key[0] == "household"} == set(others)
    assert undo(station, "import:1", author="甲", partly=True).records == ()


def test_the_last_saves_are_listed_and_an_undone_one_is_passed_over(station: Station) -> None:
    record, first = save(station, HOUSEHOLD)
    _, second = save(station, {**station.answers("household", record), "group_name": "二组"}, record)

    assert [(each.save, each.kind) for each in presses(station)] == [(second, "changed"), (first, "created")]
    undo(station, second, author="甲")
    last = last_to_undo(station)

    assert last is not None
    assert last.save == first
    assert [each.undoes for each in presses(station)] == [True, False, False]
    undo(station, first, author="甲")


def test_a_save_that_is_not_there_cannot_be_undone(station: Station) -> None:
    with pytest.raises(UndoError):
        undo(station, "nothing", author="甲")


@pytest.mark.parametrize("again", [False, True])
def test_undo_of_a_settled_conflict_opens_it_again_and_undo_of_that_settles_it(station: Station, again: bool) -> None:
    record, _ = save(station, HOUSEHOLD)
    opened = station.opened("household", record)
    for name in ("一组", "二组"):
        station.save({**opened.answers, "group_name": name}, "household", record=record, author="甲", seen=opened.seen)
    (conflict,) = station.conflicts()
    settled = station.settle(conflict, "一组", author="乙").revisions[0].save

    undone = undo(station, settled, author="乙")

    (opened_again,) = station.conflicts()
    assert (opened_again.field, opened_again.shown) == ("group_name", "二组")
    assert {each.value for each in opened_again.candidates} == {"一组", "二组"}
    if again:
        undo(station, undone.save, author="乙")
    else:
        station.settle(opened_again, "一组", author="乙")
    assert station.conflicts() == ()
    assert station.answers("household", record)["group_name"] == "一组"
    assert station.verify() == ()
