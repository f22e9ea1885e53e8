"""Village slices: exactly the village's rows, brought up to date by what changed, equal to a slice written anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collect import slices
from collect.database import connect, quoted
from collect.slices import slice_path, update_slices
from collect.station import Station
from forms.reader import load_shipped, read_rows

A, B = "999999001001", "999999001002"
VILLAGES = {A: "红星村", B: "向阳村"}
FORM: dict[str, list[dict[str, str]]] = {
    "settings": [{"form_id": "household", "form_title": "户", "version": "1", "default_language": "zh"}],
    "survey": [
        {"type": "select_one_from_file village.csv", "name": "village", "label": "村", "ledger::standard": "village"},
        {"type": "text", "name": "head_name", "label": "户主"},
        {"type": "begin_repeat", "name": "member", "label": "成员"},
        {"type": "text", "name": "name", "label": "姓名"},
        {"type": "end_repeat", "name": ""},
    ],
}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "hub", name="清河镇", role="hub", villages=VILLAGES) as made:
        made.add_form(read_rows(FORM))
        yield made


def household(station: Station, village: str, head: str, *members: str) -> str:
    answers = {"village": village, "head_name": head, "member": [{"name": name} for name in members]}
    return station.save(answers, "household", author="王芳").record


def content(folder: Path, village: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a slice by table and view, its own notes left out."""
    with closing(connect(slice_path(folder, village), readonly=True)) as db:
        names = [name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        shown = sorted(set(names) - {"_slice"})
        return {name: sorted(db.rows(f"SELECT * FROM {quoted(name)}"), key=repr) for name in shown}


def anew(station: Station, village: str) -> dict[str, list[tuple[Any, ...]]]:
    """The same slice written from nothing."""
    kept = content(station.folder, village)
    for path in (station.folder / "villages").glob(f"{village}.db*"):
        path.unlink()
    update_slices(station)
    written = content(station.folder, village)
    assert written.keys() == kept.keys()
    return written


def test_a_slice_has_its_villages_rows_and_nobody_elses(station: Station) -> None:
    household(station, A, "张三", "张三", "张小三")
    household(station, B, "李四", "李四")
    assert update_slices(station) == (A, B)
    mine = content(station.folder, A)
    assert [row[2] for row in mine["household"]] == ["张三"]
    assert {row[1] for row in mine["household_member"]} == {"张三", "张小三"}
    assert mine["_village_name"] == [(A, "红星村")]
    raw = slice_path(station.folder, A).read_bytes()
    assert "李四".encode() not in raw
    assert "张三".encode() in raw


def test_every_village_has_a_file_even_before_it_has_a_row(station: Station) -> None:
    update_slices(station)
    assert content(station.folder, B)["household"] == []


def test_labels_are_read_within_the_slice(station: Station) -> None:
    household(station, A, "张三")
    update_slices(station)
    assert content(station.folder, A)["household_labels"][0][1] == "红星村"


def test_an_update_writes_only_what_changed(station: Station) -> None:
    first = household(station, A, "张三")
    household(station, A, "王五")
    update_slices(station)
    with closing(connect(slice_path(station.folder, A))) as db:
        # A row nobody may touch: an update that wrote it anew would undo this.
        db.execute("UPDATE household SET head_name = '没动过' WHERE head_name = '王五'")
    station.save({"village": A, "head_name": "张三丰"}, "household", record=first, author="李明")
    assert update_slices(station) == ()
    assert {row[2] for row in content(station.folder, A)["household"]} == {"张三丰", "没动过"}


def test_a_household_that_moves_takes_its_members_along(station: Station) -> None:
    record = household(station, A, "张三", "张三", "张小三")
    update_slices(station)
    station.save({**station.answers("household", record), "village": B}, "household", record=record, author="李明")
    update_slices(station)
    assert content(station.folder, A)["household"] == []
    assert content(station.folder, A)["household_member"] == []
    assert len(content(station.folder, B)["household_member"]) == 2


def test_a_deleted_household_leaves_with_its_members_and_comes_back_with_them(station: Station) -> None:
    record = household(station, A, "张三", "张三", "张小三")
    update_slices(station)
    station.delete("household", record, author="李明")
    update_slices(station)
    assert content(station.folder, A)["household_member"] == []
    station.restore("household", record, author="李明")
    update_slices(station)
    assert len(content(station.folder, A)["household_member"]) == 2


def test_conflicts_come_and_go_with_the_record(station: Station) -> None:
    record = household(station, A, "张三")
    opened = station.opened("household", record)
    for name in ("张三丰", "张三峰"):
        station.save({**opened.answers, "head_name": name}, "household", record=record, author="王芳", seen=opened.seen)
    update_slices(station)
    assert len(content(station.folder, A)["conflict"]) == 1
    assert content(station.folder, B)["conflict"] == []
    station.settle(station.conflicts()[0], "张三丰", author="李明")
    update_slices(station)
    assert content(station.folder, A)["conflict"] == []


def test_a_new_form_reaches_every_slice(station: Station) -> None:
    household(station, A, "张三")
    update_slices(station)
    station.add_form(load_shipped("risk_point"))
    assert update_slices(station) == (A, B)
    assert content(station.folder, A)["risk_point"] == []
    assert len(content(station.folder, A)["household"]) == 1


def test_a_damaged_slice_is_written_anew(station: Station) -> None:
    household(station, A, "张三")
    update_slices(station)
    for path in (station.folder / "villages").glob(f"{A}.db-*"):
        path.unlink()
    slice_path(station.folder, A).write_bytes(b"nothing SQLite would know" * 100)
    assert update_slices(station) == (A,)
    assert len(content(station.folder, A)["household"]) == 1


def test_many_changes_write_a_village_anew(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "_WORTH_REBUILDING", 3)
    update_slices(station)
    household(station, A, "张三", "甲", "乙", "丙")
    assert update_slices(station) == (A, B)
    assert len(content(station.folder, A)["household_member"]) == 3


def test_a_reader_sees_the_old_slice_until_the_new_one_is_whole(station: Station) -> None:
    household(station, A, "张三")
    update_slices(station)
    with closing(connect(slice_path(station.folder, A), readonly=True)) as reader:
        reader.execute("BEGIN")
        assert reader.value("SELECT count(*) FROM household") == 1
        household(station, A, "王五")
        station.add_form(load_shipped("visit"))
        update_slices(station)
        assert reader.value("SELECT count(*) FROM household") == 1
        reader.execute("COMMIT")
        assert reader.value("SELECT count(*) FROM household") == 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.sampled_from([A, B]), st.integers(0, 2)),
        st.tuples(st.just("rename"), st.integers(0, 5), st.sampled_from(["甲", "乙"])),
        st.tuples(st.just("move"), st.integers(0, 5), st.sampled_from([A, B])),
        st.tuples(st.just("delete"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("restore"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("update"), st.just(0), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_updating_comes_to_the_same_as_writing_anew(tmp_path_factory: pytest.TempPathFactory, steps: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("slices") / "hub"
    with Station.create(folder, name="清河镇", role="hub", villages=VILLAGES) as station:
        station.add_form(read_rows(FORM))
        records: list[str] = []
        gone: set[str] = set()
        for kind, first, second in steps:
            if kind == "new":
                records.append(household(station, first, "张三", *("成员",) * second))
            elif kind == "update":
                update_slices(station)
            elif first < len(records):
                step(station, kind, records[first], second, gone)
        update_slices(station)
        for village in VILLAGES:
            kept = content(folder, village)
            assert kept == anew(station, village)
            assert [row[0] for row in kept["household"]] == [
                row["_id"] for row in station.projection.rows("household", "_village", village)
            ]


def step(station: Station, kind: str, record: str, value: str, gone: set[str]) -> None:
    if kind == "restore" and record in gone:
        station.restore("household", record, author="李明")
        gone.discard(record)
    elif kind == "delete" and record not in gone:
        station.delete("household", record, author="李明")
        gone.add(record)
    elif kind in ("rename", "move") and record not in gone:
        name = {"rename": "head_name", "move": "village"}[kind]
        station.save({**station.answers("household", record), name: value}, "household", record=record, author="李明")
