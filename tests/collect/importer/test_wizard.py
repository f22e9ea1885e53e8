"""What the import wizard asks of the importer: a dry run, a mapping that is remembered, matching, stopping, undoing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from collect.importer.ledger import choose_layout, import_ledger
from collect.station import Station
from collect.undoing import undo
from datasette_plugins.demo.people import checked

Write = Callable[..., Path]
HEADER = ("户编号", "户主姓名", "姓名", "与户主关系", "身份证号")
IDS = [checked(f"9999991980010112{number}") for number in range(1, 4)]
ROWS = [
    HEADER,
    ("1", "王芳", "王芳", "本人", IDS[0]),
    ("1", "王芳", "李强", "丈夫", IDS[1]),
    ("2", "赵六", "赵六", "户主", IDS[2]),
]


def test_a_dry_run_counts_and_saves_nothing(station: Station, workbook: Write) -> None:
    before = station.journal.arrived()
    result = import_ledger(station, "household", workbook(ROWS), author="李", dry_run=True)
    assert (result.created, result.rejected, result.save) == (2, [], "")
    assert station.journal.arrived() == before


def test_words_people_use_for_relations_are_understood(station: Station, workbook: Write) -> None:
    import_ledger(station, "household", workbook(ROWS), author="李")
    record = next(row["_id"] for row in station.projection.rows("household", "head_name", "王芳"))
    assert [member["relation"] for member in station.answers("household", record)["member"]] == ["02", "10"]


def test_a_mapping_is_used_and_remembered_by_the_headers(station: Station, workbook: Write) -> None:
    path = workbook([("编码", "当家人", "人名", "关系", "证件"), *ROWS[1:]])
    told = {"编码": "household_number", "当家人": "head_name", "人名": "member.name", "关系": "member.relation"}
    told["证件"] = ""
    result = import_ledger(station, "household", path, author="李", mapping=told)
    assert result.created == 2
    again = choose_layout(station, "household", path)
    assert [t and t.column.name for t in again.targets] == ["household_number", "head_name", "name", "relation", None]


def test_without_a_household_number_the_members_ids_find_the_household(station: Station, workbook: Write) -> None:
    import_ledger(station, "household", workbook(ROWS), author="李")
    rows = [("户主姓名", "姓名", "身份证号", "联系电话"), ("王芳", "王芳", IDS[0], "13800000001")]
    result = import_ledger(station, "household", workbook(rows, name="电话.xlsx"), author="李")
    assert (result.created, result.changed) == (0, 1), result.faults


def test_undoing_an_import_leaves_what_was_changed_since(station: Station, workbook: Write) -> None:
    result = import_ledger(station, "household", workbook(ROWS), author="李")
    record = next(row["_id"] for row in station.projection.rows("household", "head_name", "王芳"))
    answers = station.answers("household", record)
    station.save({**answers, "phone": "13800000001"}, "household", record=record, author="张")

    done = undo(station, result.save, author="李", partly=True)

    assert [row["head_name"] for row in station.projection.rows("household")] == ["王芳"]
    assert [problem.code for problem in done.kept.values()] == ["COLLECT_UNDO_CHANGED"]
    assert import_ledger(station, "household", workbook(ROWS), author="李").created == 1


def test_a_stopped_import_goes_on_later(station: Station, workbook: Write) -> None:
    answers = iter([True, False])
    result = import_ledger(station, "household", workbook(ROWS), author="李", go_on=lambda: next(answers))
    assert (result.stopped, result.created) == (True, 1)
    assert import_ledger(station, "household", workbook(ROWS), author="李").created == 1
