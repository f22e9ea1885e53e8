from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from collect.database import connect
from collect.revision import RevisionId, Value
from collect.shelf import version_key
from collect.station import Station
from tests.collect.histories import revision
from tests.collect.ledger_forms import VILLAGE, VILLAGES, household, made

ANSWERS: dict[str, Any] = {
    "village": VILLAGE, "head_name": "张三", "water": "tap", "kinds": "poor old", "phone": "13812345678",
    "location": "27.5 109.2 300 5", "member": [{"name": "张大", "age": 30}],
}  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="a", villages=VILLAGES) as made_one:
        made_one.add_form(household())
        yield made_one


def read(station: Station, sql: str) -> list[tuple[Any, ...]]:
    """What any tool finds in the file."""
    with closing(connect(station.folder / "township.db", readonly=True)) as connection:
        return connection.rows(sql)


def columns(station: Station, table: str) -> list[str]:
    return [row[1] for row in read(station, f"PRAGMA table_info({table})")]


def test_a_ledger_is_an_ordinary_table_in_the_forms_order(station: Station) -> None:
    assert columns(station, "household") == [
        "_id", "village", "head_name", "group_name", "household_number", "water", "kinds", "location_lat",
        "location_lon", "location_altitude", "location_accuracy", "phone", "_village", "_rev", "_updated_at",
        "_updated_by", "_status", "_extra",
    ]  # fmt: skip
    assert columns(station, "household_member") == [
        "_id", "name", "age", "_village", "_parent", "_rev", "_updated_at", "_updated_by", "_status", "_extra",
    ]  # fmt: skip


def test_rows_say_who_saved_them_when_and_where_they_belong(station: Station) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    (row,) = read(station, "SELECT _village, _rev, _updated_at, _updated_by, _status, _extra FROM household")
    assert row[:2] == (VILLAGE, f"{station.id}:1")
    assert row[2].endswith("+08:00")
    assert row[3:] == ("李", "ok", None)
    assert read(station, "SELECT _parent FROM household_member") == [(saved.record,)]


def test_the_view_with_labels_speaks_chinese(station: Station) -> None:
    station.save(ANSWERS, household(), author="李")
    station.save({"village": "999999001999", "water": "river"}, household(), author="李")
    assert sorted(read(station, "SELECT village, water, kinds FROM household_labels"), key=str) == [
        ("999999001999", "river", None), ("石桥村", "自来水", "低保户、老人户"),
    ]  # fmt: skip


def test_any_tool_finds_the_labels_and_privacy_of_columns(station: Station) -> None:
    found = read(station, "SELECT \"column\", field, label_zh, type FROM _column WHERE \"table\" = 'household' "
                          "ORDER BY position LIMIT 8 OFFSET 5")  # fmt: skip
    assert found[:3] == [
        ("kinds", "kinds", "类型", "select_multiple"), ("location_lat", "location", "位置", "geopoint"),
        ("location_lon", "location", "位置", "geopoint"),
    ]  # fmt: skip
    assert read(station, "SELECT form_id, version, title, newest FROM _form") == [("household", "1", "户情台账", 1)]
    assert read(station, "SELECT name FROM _village_name ORDER BY code") == [("石桥村",), ("清水村",)]


def test_values_that_do_not_fit_are_stored_as_given(station: Station) -> None:
    station.receive([
        revision("x", 1, {"household_number": "三号", "location": "北边", "head_name": "张三"}, record="r1"),
        revision("x", 2, {"age": "约三十", "_parent": "r1"}, record="r2", table="household_member",
                 previous=revision("x", 1, {"household_number": "三号", "location": "北边", "head_name": "张三"})),
    ])  # fmt: skip
    assert read(station, "SELECT household_number, location_lat FROM household") == [("三号", "北边")]
    assert station.answers("household", "r1")["household_number"] == "三号"
    assert read(station, "SELECT age FROM household_member") == [("约三十",)]


def test_answers_to_unknown_questions_wait_in_extra_and_find_their_column_later(station: Station) -> None:
    changes: dict[str, Value] = {"head_name": "张三", "road": "水泥路", "pond": 1}
    first = revision("x", 1, changes)
    second = revision("x", 2, {"pond": 2}, [first], previous=first)
    station.receive([first, second])
    assert json.loads(read(station, "SELECT _extra FROM household")[0][0]) == {"road": "水泥路", "pond": 2}
    station.add_form(household("2"))
    assert read(station, "SELECT road, _extra FROM household") == [("水泥路", '{"pond": 2}')]
    # Saving the record keeps what the form does not ask.
    station.save({**station.answers("household", "r1"), "phone": "1"}, "household", record="r1", author="李")
    assert read(station, "SELECT phone, _extra FROM household") == [("1", '{"pond": 2}')]
    assert station.verify() == ()


def test_a_new_version_adds_its_columns_in_the_forms_order_and_keeps_the_rows(station: Station) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    before = station.answers("household", saved.record)
    station.add_form(household("2"))
    assert columns(station, "household")[:6] == [
        "_id", "village", "head_name", "group_name", "road", "household_number",
    ]  # fmt: skip
    assert station.answers("household", saved.record) == before
    assert station.find("13812345678")
    assert station.verify() == ()


def test_a_renamed_question_keeps_its_answers_and_an_abandoned_one_its_column(station: Station) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    station.add_form(household("3"))
    answers = station.answers("household", saved.record)
    assert (answers["mobile"], answers["water"]) == ("13812345678", "tap")
    assert "phone" not in columns(station, "household")
    # What is opened and saved unchanged stays unchanged, under whichever version.
    for version in "123":
        assert not station.save(answers, household(version), record=saved.record, author="李").revisions
    # An old laptop goes on writing the old name.
    old = {name: value for name, value in answers.items() if name != "mobile"} | {"phone": "2"}
    station.save(old, household("1"), record=saved.record, author="老")
    assert station.answers("household", saved.record)["mobile"] == "2"
    new = station.answers("household", saved.record)
    del new["water"]
    station.save(new, household("3"), record=saved.record, author="李")
    assert station.answers("household", saved.record)["water"] == "tap"
    station.save({**new, "water": "well", "phone": "3"} | {"mobile": "4"}, "household", author="李")
    after = station.answers("household", saved.record)
    assert (after["water"], after["mobile"]) == ("well", "4")
    assert station.verify() == ()


def test_versions_may_come_in_any_order(station: Station, tmp_path: Path) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    with Station.create(tmp_path / "b", name="b", villages=VILLAGES) as other:
        for version in "321":
            other.add_form(household(version))
        other.receive(station.journal.suffix(station.id, 0))
        for version in "23":
            station.add_form(household(version))
        assert list(other.projection.dump()) == list(station.projection.dump())
        assert other.answers("household", saved.record)["mobile"] == "13812345678"


def test_a_question_that_changes_its_type_takes_its_answers_along(station: Station) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    survey = tuple(
        {"type": "integer" if name == "phone" else "text", "name": name, "label": name}
        for name in ("village", "head_name", "group_name", "household_number", "phone", "location")
    )
    station.add_form(made("4", survey))
    assert read(station, "SELECT typeof(phone), location FROM household") == [("integer", "27.5 109.2 300 5")]
    assert station.answers("household", saved.record)["phone"] == 13812345678
    assert station.verify() == ()


def test_tables_of_other_names_than_the_forms_never_touch_ours(station: Station) -> None:
    station.receive([revision("x", 1, {"key": "cursor"}, table="_projection"),
                     revision("y", 1, {"x": 1}, table='conflict"; DROP TABLE household; --')])  # fmt: skip
    assert station.projection.waiting() == {"_projection": 1, 'conflict"; DROP TABLE household; --': 1}
    assert station.verify() == ()


def test_many_updates_change_only_their_columns(station: Station) -> None:
    rows = [(household(), {**ANSWERS, "head_name": f"户{at}", "member": []}, None) for at in range(50)]
    records = station.save_many(rows, author="李").records
    written = [each.revision for each in station.journal.since(0)]
    by_record = {each.record: each for each in written}
    updates = []
    previous = None
    for at, record in enumerate(records):
        changes: dict[str, Value] = {"phone": str(at)} if at % 2 else {"group_name": str(at), "location": None}
        previous = revision("x", at + 1, changes, [by_record[record]], record=record, previous=previous)
        updates.append(previous)
    station.receive(updates)
    for at, record in enumerate(records):
        answers = station.answers("household", record)
        assert answers["head_name"] == f"户{at}"
        assert answers.get("phone") == (str(at) if at % 2 else "13812345678")
        assert ("location" in answers) == bool(at % 2)
    assert station.verify() == ()


def test_a_damaged_ledger_is_found_named_and_rebuilt(station: Station) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    with closing(connect(station.folder / "township.db")) as connection:
        connection.execute("UPDATE household SET head_name = '改'")
    problems = station.verify()
    assert {problem.code for problem in problems} == {"COLLECT_LEDGER_DIFFERS"}
    assert {problem.place.sheet for problem in problems} == {"household"}
    calls: list[tuple[int, int]] = []
    assert station.rebuild(lambda done, total: calls.append((done, total))) == 2
    assert calls == [(2, 2)]
    assert station.verify() == ()
    assert station.answers("household", saved.record)["head_name"] == "张三"


def test_a_crash_between_journal_and_ledgers_is_mended_at_the_next_opening(station: Station) -> None:
    saved = station.save(ANSWERS, household(), author="李")
    (written,) = [each for each in saved.revisions if each.table == "household"]
    late = revision(station.id, 3, {"head_name": "后"}, [written], record=saved.record,
                    previous=saved.revisions[-1])  # fmt: skip
    station.journal.append([late])
    assert station.answers("household", saved.record)["head_name"] == "张三"
    with Station.open(station.folder, readonly=True) as other:
        assert other.verify() == ()
    with Station.open(station.folder) as other:
        assert other.answers("household", saved.record)["head_name"] == "后"


def test_a_row_whose_household_has_not_come_yet_is_there(station: Station) -> None:
    member = revision("x", 1, {"name": "张大", "_parent": "r1"}, record="r2", table="household_member")
    station.receive([member])
    assert station.projection.counts()["household_member"] == 1
    station.receive([revision("y", 1, {"head_name": "张三"}, record="r1")])
    assert station.answers("household", "r1")["member"] == [{"_id": "r2", "name": "张大"}]
    assert station.projection.record("household", "r1") is not None
    assert RevisionId("y", 1) in station.journal.heads("r1", ("household",))


@pytest.mark.parametrize("versions", [["1", "2", "10"], ["1.9", "1.10"], ["2025010199", "2026010101"], ["", "1"]])
def test_numbers_in_versions_count_as_numbers(versions: list[str]) -> None:
    assert sorted(sorted(versions, key=len, reverse=True), key=version_key) == versions


def test_a_record_is_named_by_labels_not_by_codes(tmp_path: Path) -> None:
    survey = ({"type": "select_one water", "name": "group_name", "label": "饮水"},
              {"type": "text", "name": "head_name", "label": "户主"},
              {"type": "integer", "name": "household_number", "label": "户号"})  # fmt: skip
    with Station.create(tmp_path / "b", name="b") as station:
        form = made("1", survey)
        record = station.save({"group_name": "tap", "head_name": "张三"}, form, author="李", village=VILLAGE).record
        (row,) = station.attachments.open("household.csv").lookup("name", record)
        assert row["label"] == "张三 自来水"
