"""Checking again: verdicts by the version and the moment of the last save, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from forms.definition import Form
from forms.reader import read_rows
from tests.collect.ledger_forms import VILLAGE, VILLAGES

WEEK = timedelta(days=7)


@dataclass
class Movable:
    """A clock that is put to any time."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def home(version: str = "1", most: int = 120) -> Form:
    survey = [
        {"type": "select_one_from_file village.csv", "name": "village", "label": "村", "ledger::standard": "village"},
        {"type": "text", "name": "head_name", "label": "户主", "required": "yes"},
        {"type": "date", "name": "followup", "label": "下次走访", "constraint": ". >= today()"},
        {"type": "begin_repeat", "name": "member", "label": "成员"},
        {"type": "text", "name": "name", "label": "姓名"},
        {"type": "integer", "name": "age", "label": "年龄", "constraint": f". <= {most}",
         "constraint_message": f"年龄不超过 {most} 岁"},
        {"type": "end_repeat", "name": "member"},
    ]  # fmt: skip
    return read_rows({"survey": survey, "settings": [{"form_id": "home", "version": version, "form_title": "户"}]})


def visit() -> Form:
    survey = [
        {"type": "select_one_from_file home.csv", "name": "home", "label": "户"},
        {"type": "text", "name": "said", "label": "说了什么"},
    ]
    return read_rows({"survey": survey, "settings": [{"form_id": "visit", "version": "1", "form_title": "走访"}]})


@pytest.fixture
def clock() -> Movable:
    return Movable(datetime(2026, 11, 22, 4, 0, tzinfo=UTC))


@pytest.fixture
def station(tmp_path: Path, clock: Movable) -> Iterator[Station]:
    with Station.create(tmp_path / "hub", name="镇", role="hub", villages=VILLAGES, clock=clock) as made:
        made.add_forms([home(), visit()])
        yield made


def save(station: Station, ages: tuple[int, ...] = (30,), record: str | None = None, **answers: Any) -> str:
    member = [{"name": f"成员{n}", "age": age} for n, age in enumerate(ages)]
    given = {"village": VILLAGE, "head_name": "张三", "member": member, **answers}
    return station.save(given, "home", record=record, author="王芳").record


def broken(station: Station) -> set[tuple[str, str]]:
    """Record and question of all that is found, once all is checked."""
    while station.rechecking.step():
        pass
    return {(each.record, each.label) for each in station.rechecking.failing(limit=100)}


def test_what_breaks_a_rule_is_found_with_value_rule_and_who_saved_it_and_leaves_when_it_is_mended(
    station: Station,
) -> None:
    save(station)
    wrong = save(station, (20, 200))
    assert broken(station) == {(wrong, "年龄")}
    (found,) = station.rechecking.failing(limit=10)
    row = station.answers("home", wrong)["member"][1]["_id"]
    assert (found.row, found.value, found.author, found.village) == (row, "200", "王芳", VILLAGE)
    assert (found.station, found.at) == (station.id, "2026-11-22T12:00:00+08:00")
    assert "年龄不超过 120 岁" in found.problem.words("zh")
    answers = station.answers("home", wrong)
    answers["member"][1]["age"] = 20
    station.save(answers, "home", record=wrong, author="李明")
    assert broken(station) == set()
    assert station.rechecking.count() == 0


def test_a_deleted_row_and_a_deleted_record_leave_the_list(station: Station) -> None:
    one, other = save(station, (20, 200)), save(station, (300,))
    assert len(broken(station)) == 2
    answers = station.answers("home", one)
    station.save({**answers, "member": answers["member"][:1]}, "home", record=one, author="王芳")
    station.delete("home", other, author="王芳")
    assert broken(station) == set()


def test_a_rule_about_today_is_judged_at_the_day_of_the_save(station: Station, clock: Movable) -> None:
    right = save(station, followup="2026-11-25")
    wrong = save(station, followup="2026-11-20")
    clock.at += WEEK
    assert broken(station) == {(wrong, "下次走访")}
    assert (right, "下次走访") not in broken(station)


def test_a_record_is_judged_by_the_version_it_was_saved_with(station: Station) -> None:
    old = save(station, (110,))
    station.add_form(home("2", most=100))
    assert broken(station) == set()
    new = save(station, (110,))
    assert broken(station) == {(new, "年龄")}
    save(station, (110,), record=old, head_name="张四")
    assert broken(station) == {(new, "年龄"), (old, "年龄")}


def test_it_goes_on_where_it_was_interrupted_and_may_begin_anew(station: Station) -> None:
    records = {save(station, (200,)) for _ in range(8)}
    assert station.rechecking.step(budget=0)
    assert 0 < station.rechecking.count() < 8
    with Station.open(station.folder, clock=station.clock) as again:
        reached, end = again.rechecking.progress()
        assert 0 < reached < end
        assert {record for record, _ in broken(again)} == records
        again.rechecking.begin_anew()
        assert again.rechecking.count() == 0
        assert again.rechecking.run() == 8


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (datetime(2026, 11, 25, tzinfo=UTC), "COLLECT_CHECK_FUTURE"),
        (datetime(1999, 1, 1, tzinfo=UTC), "COLLECT_CHECK_PAST"),
    ],
)
def test_a_time_that_cannot_be_is_found_until_the_record_is_saved_again(
    station: Station, tmp_path: Path, at: datetime, code: str
) -> None:
    with Station.create(tmp_path / "one", name="一号", villages=VILLAGES, clock=Movable(at)) as laptop:
        laptop.add_form(home())
        record = save(laptop, ())
        station.receive(laptop.journal.suffix(laptop.id, 0))
    while station.rechecking.step():
        pass
    (found,) = station.rechecking.failing(limit=10)
    assert (found.record, found.problem.code, found.station) == (record, code, laptop.id)
    save(station, (), record=record, head_name="张四")
    assert broken(station) == set()


def test_what_named_a_record_that_comes_later_leaves_the_list_by_itself(station: Station, tmp_path: Path) -> None:
    with Station.create(tmp_path / "one", name="一号", villages=VILLAGES, clock=station.clock) as laptop:
        laptop.add_forms([home(), visit()])
        record = save(laptop)
        said = laptop.save({"home": record, "said": "好"}, "visit", author="王芳", village=VILLAGE).record
        revisions = laptop.journal.suffix(laptop.id, 0)
    station.receive(each for each in revisions if each.table == "visit")
    while station.rechecking.step():
        pass
    assert station.rechecking.count() == 1
    station.receive(each for each in revisions if each.table != "visit")
    while station.rechecking.step():
        pass
    assert station.rechecking.count() == 0
    assert station.answers("visit", said)["home"] == record


def test_what_came_before_its_form_is_checked_once_that_is_here(station: Station, tmp_path: Path) -> None:
    pond = read_rows({
        "survey": [{"type": "integer", "name": "depth", "label": "水深", "constraint": ". < 5"}],
        "settings": [{"form_id": "pond", "version": "1", "form_title": "池塘"}],
    })  # fmt: skip
    with Station.create(tmp_path / "one", name="一号", villages=VILLAGES, clock=station.clock) as laptop:
        record = laptop.save({"depth": 9}, pond, author="王芳", village=VILLAGE).record
        station.receive(laptop.journal.suffix(laptop.id, 0))
    assert broken(station) == set()
    station.add_form(pond)
    assert broken(station) == {(record, "水深")}


def test_no_answer_stands_in_the_file(station: Station) -> None:
    save(station, (), head_name="诸葛不亮", followup="2026-11-20")
    assert broken(station)
    station.close()
    assert "诸葛不亮".encode() not in (station.folder / "checks.db").read_bytes()
