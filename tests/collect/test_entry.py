"""One record from words on a command line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.cli import main
from collect.entry import EntryError, add_record, answers_in
from collect.settings import Village
from collect.station import Station
from forms.reader import load_shipped


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    villages = [Village("999999001001", "前进村")]
    with Station.create(tmp_path / "laptop", name="一号", villages=villages, author="李志强") as made:
        made.add_form(load_shipped("household"))
        yield made


def test_a_household_with_two_members(station: Station) -> None:
    words = ["village=999999001001", "head_name=王芳", "member[1].name=王芳", "member[2].name=李强"]
    saved = add_record(station, "household", words)
    answers = station.answers("household", saved.record)
    assert [member["name"] for member in answers["member"]] == ["王芳", "李强"]


def test_a_record_is_changed_where_it_is_named(station: Station) -> None:
    first = add_record(station, "household", ["village=999999001001", "head_name=王芳", "member[1].name=王芳"])
    again = add_record(station, "household", ["phone=13800138000"], record=first.record)
    assert (again.record, len(again.revisions)) == (first.record, 1)
    assert station.answers("household", first.record)["phone"] == "13800138000"


def test_every_fault_of_words_and_rules_at_once(station: Station) -> None:
    with pytest.raises(EntryError) as caught:
        add_record(station, "household", ["head_name", "nobody=1", "member[1].age_of=3", "phone=12", "farmland=-1"])
    codes = [problem.code for problem in caught.value.problems]
    assert codes.count("COLLECT_ADD_QUESTION") == 2
    assert codes.count("COLLECT_ADD_VALUE") == 1
    assert len(codes) >= 6  # the village and head that are missing, the phone, the negative area
    assert station.journal.held().get(station.id, 0) == 0


def test_json_goes_through_the_schema_and_the_forms_rules(station: Station) -> None:
    given = {"village": "999999001001", "head_name": " 王芳 ", "farmland": "３.5", "member": [{"name": "王芳"}]}
    saved = add_record(station, "household", ["group_name=二组"], given=given)
    answers = station.answers("household", saved.record)
    assert (answers["head_name"], answers["farmland"], answers["group_name"]) == ("王芳", 3.5, "二组")


@pytest.mark.parametrize(("given", "code", "name"), [
    ([1], "FORMS_ANSWERS_SHAPE", ""), ({"cows": 3}, "FORMS_ANSWERS_UNKNOWN", "cows"),
    ({"member": {"name": "a"}}, "FORMS_ANSWERS_ROWS", "member"), ({"farmland": "many"}, "FORMS_VALUE_DECIMAL", ""),
    ({"member": [{"age_of": 3}]}, "FORMS_ANSWERS_UNKNOWN", "member[1]/age_of"),
])  # fmt: skip
def test_json_that_does_not_fit_is_refused_with_our_words(
    station: Station, given: object, code: str, name: str
) -> None:
    with pytest.raises(EntryError) as caught:
        add_record(station, "household", [], given=given)
    assert code in [problem.code for problem in caught.value.problems]
    assert name in " ".join(problem.place.name for problem in caught.value.problems)
    assert station.journal.held().get(station.id, 0) == 0


def test_a_file_that_is_no_json_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{", encoding="utf-8")
    with path.open(encoding="utf-8") as file, pytest.raises(EntryError) as caught:
        answers_in(file)
    assert caught.value.code == "COLLECT_ADD_JSON"
    assert "JSON" in caught.value.problems[0].words("en")


def test_a_record_is_added_from_a_json_file_on_the_command_line(
    station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"village": "999999001001", "head_name": "王芳", "member": []}', encoding="utf-8")
    with contextlib.suppress(SystemExit):
        main(["collect", "add", "household", "--answers", str(path), "--station", str(station.folder), "--json"])
    record = json.loads(capsys.readouterr().out)["record"]
    station.projection.catch_up()
    assert station.answers("household", record)["head_name"] == "王芳"
