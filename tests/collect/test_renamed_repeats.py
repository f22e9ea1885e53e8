"""A repeat under another name: its rows, and those in it, are in the new ledger, whoever wrote them when."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from collect.exporter.ledger import export_ledger
from collect.slices import slice_path, update_slices
from collect.station import Station
from collect.undoing import undo
from forms.definition import Form
from tests.forms.inline import form

VILLAGE = "520000000001"
SURVEY = """
    | type         | name    | label | ledger::was |
    | text         | head    | 户主  |             |
    | begin repeat | {0}     | 成员  | {1}         |
    | text         | {2}     | 姓名  | {3}         |
    | begin repeat | {4}     | 证件  | {5}         |
    | text         | number  | 证号  |             |
    | end repeat   |         |       |             |
    {6}
    | end repeat   |         |       |             |
"""
SHOES = "| begin repeat | shoe | 鞋 | |\n | integer | size | 码 | |\n | end repeat | | | |"


def version(number: str, *names: str) -> Form:
    return form(SURVEY.format(*names), form_id="home", version=number)


# The shoes are asked no more; the newest version no longer says what the repeats and the question were called.
V1 = version("1", "member", "", "name", "", "paper", "", SHOES)
V2 = version("2", "person", "member", "called", "name", "paper", "", "")
V3 = version("3", "resident", "person", "called", "", "card", "paper", "")
V4 = version("4", "resident", "", "called", "", "card", "", "")
FAMILY: dict[str, Any] = {
    "head": "张三",
    "member": [
        {"name": "李四", "paper": [{"number": "1"}, {"number": "2"}], "shoe": [{"size": 42}]},
        {"name": "王五"},
    ],
}  # fmt: skip


def made(folder: Path, name: str) -> Station:
    return Station.create(folder / name, name=name, villages={VILLAGE: "前进"})


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with made(tmp_path, "laptop") as one:
        yield one


def save(station: Station, of: Form, answers: dict[str, Any], record: str | None = None) -> str:
    return station.save(answers, of, record=record, author="a", village=VILLAGE).record


def plain(value: Any) -> Any:
    """Answers without ids."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name != "_id"}
    return value


NOW = {
    "head": "张三",
    "resident": [
        {"called": "李四", "card": [{"number": "1"}, {"number": "2"}], "shoe": [{"size": 42}]},
        {"called": "王五"},
    ],
}  # fmt: skip


def tables(station: Station) -> set[str]:
    file = sqlite3.connect(station.projection.path)
    try:
        rows = file.execute("SELECT name FROM sqlite_master WHERE name LIKE 'home%'").fetchall()
    finally:
        file.close()
    return {name for (name,) in rows}


def revisions(station: Station) -> tuple[Any, ...]:
    return station.journal.suffix(station.id, 0)


def test_rows_move_with_their_ids_and_the_old_tables_go(station: Station) -> None:
    record = save(station, V1, FAMILY)
    before = station.answers("home", record)
    for each in (V2, V3, V4):
        station.add_form(each)
    after = station.answers("home", record)
    assert plain(after) == NOW
    assert [row["_id"] for row in after["resident"]] == [row["_id"] for row in before["member"]]
    assert tables(station) == {
        f"home{rest}{view}"
        for rest in ("", "_resident", "_resident_card", "_member_shoe")
        for view in ("", "_labels")
    }
    assert station.projection.ledgers["home_member_shoe"].parent == "home_resident"
    assert station.verify() == ()
    station.rebuild()
    assert station.answers("home", record) == after


@pytest.mark.parametrize("name", ["home_member", "home_person", "home_resident"])
def test_an_attached_file_may_have_any_of_its_names(station: Station, name: str) -> None:
    save(station, V1, FAMILY)
    station.add_form(V3)
    station.add_form(V2)
    assert [row["called"] for row in station.attachments.open(f"{name}.csv").rows()] == ["李四", "王五"]


def test_a_record_opened_in_the_new_version_is_changed_row_by_row(station: Station) -> None:
    record = save(station, V1, FAMILY)
    for each in (V2, V3):
        station.add_form(each)
    count = len(revisions(station))
    instance = station.instance("home", record)
    instance.set("/data/resident[1]/called", "李四四")
    instance.set("/data/resident[1]/card[2]/number", "22")
    station.save(instance, V3, record=record, author="b")
    assert [each.table for each in revisions(station)[count:]] == ["home_resident", "home_resident_card"]
    instance = station.instance("home", record)
    instance.remove("/data/resident[2]")
    station.save(instance, V3, record=record, author="b")
    assert [row["called"] for row in station.answers("home", record)["resident"]] == ["李四四"]
    assert station.verify() == ()


def test_what_an_older_form_saves_is_spelled_as_older_stations_know_it(station: Station) -> None:
    record = save(station, V1, FAMILY)
    for each in (V2, V3):
        station.add_form(each)
    opened = station.opened("home", record)
    kept, gone = opened.answers["resident"]
    count = len(revisions(station))
    row = {**kept, "name": "改", "called": "改", "paper": [kept["card"][0], {"number": "3"}]}
    del row["card"]
    station.save({"head": "张三", "member": [row]}, V1, record=record, author="a", seen=opened.seen)
    written = revisions(station)[count:]
    assert {each.table for each in written} == {"home_member", "home_member_paper"}
    assert plain(station.answers("home", record)["resident"]) == [
        {"called": "改", "card": [{"number": "1"}, {"number": "3"}], "shoe": [{"size": 42}]}
    ]
    assert station.projection.record("home_resident", gone["_id"]) is None
    assert station.verify() == ()


def test_deleting_the_record_above_and_bringing_it_back_takes_rows_of_all_versions_along(station: Station) -> None:
    record = save(station, V1, FAMILY)
    station.add_form(V2)
    save(station, V2, {**station.answers("home", record), "head": "换"}, record)
    station.delete("home", record, author="a")
    station.add_form(V3)
    assert station.projection.counts() == dict.fromkeys(station.projection.ledgers, 0)
    station.restore("home", record, author="a")
    assert plain(station.answers("home", record)) == {**NOW, "head": "换"}
    assert station.conflicts() == ()
    assert station.verify() == ()


def test_undo_reaches_back_behind_the_renaming(station: Station) -> None:
    record = save(station, V1, FAMILY)
    press = revisions(station)[0].save
    for each in (V2, V3):
        station.add_form(each)
    undone = undo(station, press, author="a")
    assert len(undone.records) == 6
    assert station.projection.counts() == dict.fromkeys(station.projection.ledgers, 0)
    undo(station, undone.save, author="a")
    assert plain(station.answers("home", record)) == NOW


def test_erasing_by_law_takes_what_was_written_under_every_name(station: Station) -> None:
    record = save(station, V1, FAMILY)
    station.add_form(V2)
    station.add_form(V3)
    row = station.answers("home", record)["resident"][0]
    instance = station.instance("home", record)
    instance.set("/data/resident[1]/called", "新名")
    station.save(instance, V3, record=record, author="b")
    station.erase("home_resident", row["_id"], reason="本人申请", author="a")
    assert [each["called"] for each in station.answers("home", record)["resident"]] == ["王五"]
    assert "李四" not in station.projection.path.with_name("journal.db").read_bytes().decode("utf-8", "ignore")
    assert station.verify() == ()


def test_export_has_the_rows_under_the_new_name(station: Station, tmp_path: Path) -> None:
    save(station, V1, FAMILY)
    station.add_form(V2)
    station.add_form(V3)
    export_ledger(station, "home", tmp_path / "home.csv")
    assert "李四" in (tmp_path / "home_resident.csv").read_text(encoding="utf-8-sig")
    assert len((tmp_path / "home_card.csv").read_text(encoding="utf-8-sig").splitlines()) == 3


def test_a_draft_goes_on_under_the_new_names(station: Station) -> None:
    for each in (V1, V2, V3):
        station.add_form(each)
    assert station.versions.carried("home", FAMILY) == NOW
    assert station.versions.carried("home", {"member": [{"name": "x"}], "resident": []}) == {"resident": []}
    assert station.versions.placeable("home", {"member": [{"name": "x", "hat": 1}]}) == {"member": [{"name": "x"}]}
    assert station.versions.said(station.form("home"), "member[1]/shoe[1]/size") == "码（member[1]/shoe[1]/size）"


def test_two_stations_of_different_versions_contest_the_same_row(tmp_path: Path) -> None:
    with made(tmp_path, "old") as old, made(tmp_path, "new") as new:
        record = save(old, V1, FAMILY)
        new.receive(revisions(old), [V1, V2])
        mine = old.answers("home", record)
        mine["member"][0]["name"] = "甲"
        save(old, V1, mine, record)
        theirs = new.answers("home", record)
        theirs["person"][0]["called"] = "乙"
        save(new, V2, theirs, record)
        new.receive(revisions(old))
        (conflict,) = new.conflicts()
        assert (conflict.table, conflict.field) == ("home_person", "called")
        assert {candidate.value for candidate in conflict.candidates} == {"甲", "乙"}
        new.settle(conflict, "乙", author="b")
        old.receive(revisions(new))
        assert old.answers("home", record)["member"][0]["name"] == "甲", "the old form's station cannot know yet"
        old.receive((), [V2])
        for each in (old, new):
            assert each.answers("home", record)["person"][0]["called"] == "乙"
            assert each.conflicts() == ()
            assert each.verify() == ()


@pytest.mark.parametrize("order", list(permutations(range(5))), ids=lambda order: "".join(map(str, order)))
def test_it_makes_no_difference_what_arrives_when(tmp_path: Path, order: tuple[int, ...]) -> None:
    """One laptop stays with version 1 and goes on writing; another moved to 2; the hub has 3."""
    with made(tmp_path, "one") as one, made(tmp_path, "two") as two, made(tmp_path, "hub") as hub:
        record = save(one, V1, FAMILY)
        first = revisions(one)
        two.receive(first, [V1, V2])
        answers = two.answers("home", record)
        answers["person"][1]["called"] = "王五五"
        answers["person"].append({"called": "赵六", "paper": [{"number": "9"}]})
        save(two, V2, answers, record)
        answers = one.answers("home", record)
        answers["member"][0] |= {"name": "李四四", "paper": answers["member"][0]["paper"][:1]}
        save(one, V1, answers, record)
        parts: list[Callable[[], object]] = [
            lambda: hub.add_form(V3),
            lambda: hub.receive(first, one.forms()),
            lambda: hub.receive(revisions(two)),
            lambda: hub.add_form(V2),
            lambda: hub.receive(revisions(one)[len(first) :]),
        ]
        for part in order:
            parts[part]()
        rows = {row["called"]: row for row in hub.answers("home", record)["resident"]}
        assert rows.keys() == {"李四四", "王五五", "赵六"}
        assert plain(rows["李四四"]["card"]) == [{"number": "1"}]
        assert plain(rows["赵六"]["card"]) == [{"number": "9"}]
        assert hub.conflicts() == ()
        assert hub.verify() == ()


def test_rows_of_a_version_that_is_not_here_are_found_all_the_same(tmp_path: Path) -> None:
    with made(tmp_path, "one") as one, made(tmp_path, "hub") as hub:
        record = save(one, V1, FAMILY)
        hub.add_form(V2)
        hub.receive(revisions(one))
        assert len(hub.answers("home", record)["person"]) == 2
        assert hub.projection.waiting() == {"home_member_shoe": 1}


def test_a_name_that_is_used_again_is_nobodys_older_name(station: Station) -> None:
    record = save(station, V1, FAMILY)
    station.add_form(V2)
    again = """
        | type         | name   | label | ledger::was |
        | text         | head   | 户主  |             |
        | begin repeat | person | 成员  | member      |
        | text         | called | 姓名  | name        |
        | end repeat   |        |       |             |
        | begin repeat | member | 社员  |             |
        | text         | name   | 姓名  |             |
        | end repeat   |        |       |             |
    """
    station.add_form(form(again, form_id="home", version="3"))
    assert plain(station.answers("home", record)["member"])[1] == {"name": "王五"}
    assert "person" not in station.answers("home", record)
    assert station.verify() == ()
    station.add_form(V4)  # from here on `member` is only what was called so once
    assert station.verify() == ()


def test_a_villages_slice_follows_the_renaming(station: Station) -> None:
    record = save(station, V1, FAMILY)
    update_slices(station)
    station.add_form(V2)
    answers = station.answers("home", record)
    answers["person"].append({"called": "赵六"})
    save(station, V1, answers, record)
    assert update_slices(station) == (VILLAGE,)
    answers["person"][0]["called"] = "李四四"
    save(station, V1, {**answers, "person": station.answers("home", record)["person"][:1]}, record)
    assert update_slices(station) == ()
    file = sqlite3.connect(slice_path(station.folder, VILLAGE))
    try:
        names = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        rows = file.execute("SELECT called FROM home_person").fetchall()
    finally:
        file.close()
    assert "home_member" not in names
    assert rows == [("李四",)]
