"""The demo end to end, as a newcomer runs it, and its proof that can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from collect.settings import Village
from collect.station import Station
from datasette_plugins.demo.people import Census, checked
from datasette_plugins.demo.proof import lost, saved_answers
from forms.reader import load_shipped
from forms.standards import check

CUNCE = (sys.executable, "-c", "from collect.cli import main; main()")


def cunce(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*CUNCE, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=240, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Path]:
    folder = tmp_path_factory.mktemp("demo") / "here"
    done = cunce("demo", "--dir", folder, "--no-serve", "--json", "--households", "15", "--seed", "4")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1]), folder


def test_the_whole_way_through_loses_nothing(told: tuple[dict[str, object], Path]) -> None:
    data, _ = told
    assert data["lost"] == 0
    assert data["conflicts"] == 1
    assert isinstance(data["rejected_rows"], int)
    assert data["rejected_rows"] >= 3
    assert set(data) == {
        "households", "persons", "revisions", "conflicts", "rejected_rows", "lost", "sheets", "hub", "elapsed_s",
    }  # fmt: skip


def test_all_stations_agree_afterwards(told: tuple[dict[str, object], Path]) -> None:
    _, folder = told
    with Station.open(folder / "hub") as hub, Station.open(folder / "laptop-2") as laptop:
        villages = {village.code for village in laptop.villages}
        for table in hub.projection.ledgers:
            here = [row for row in hub.projection.rows(table) if row["_village"] in villages]
            assert here == list(laptop.projection.rows(table)), table
        assert hub.verify() == ()
        assert laptop.verify() == ()


def test_the_conflict_holds_both_values(told: tuple[dict[str, object], Path]) -> None:
    _, folder = told
    with Station.open(folder / "hub") as hub:
        (conflict,) = hub.conflicts()
        assert conflict.field == "phone"
        assert {candidate.value for candidate in conflict.candidates} == {"13800010001", "13900020002"}
        # The note changed on one laptop only merged by itself.
        assert hub.answers("household", conflict.record)["note"] == "儿子十月底回村"


def test_the_returned_workbook_and_the_sheets_are_there(told: tuple[dict[str, object], Path]) -> None:
    data, folder = told
    sheet = load_workbook(folder / "前进村户籍台账_未导入.xlsx").active
    assert sheet is not None
    assert sheet.max_row > 3
    assert isinstance(data["sheets"], list)
    assert all(Path(path).read_bytes().startswith(b"%PDF-") for path in data["sheets"])


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "账本.txt").write_text("重要", encoding="utf-8")
    done = cunce("demo", "--dir", tmp_path, "--no-serve")
    assert done.returncode == 1
    assert "PLUGINS_DEMO_FOLDER" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "账本.txt").read_text(encoding="utf-8") == "重要"


def test_the_proof_notices_what_is_missing(tmp_path: Path) -> None:
    form = load_shipped("household")
    villages = [Village("999999001001", "前进村")]
    with (
        Station.create(tmp_path / "a", name="a", villages=villages) as laptop,
        Station.create(tmp_path / "b", name="b", role="hub", villages=villages) as hub,
    ):
        laptop.add_form(form)
        hub.add_form(form)
        first = laptop.save({"village": villages[0].code, "head_name": "王芳"}, form, author="a")
        early = saved_answers(laptop)
        assert lost(hub, early) != ()
        hub.receive(first.revisions)
        assert lost(hub, early) == ()
        answers = {**laptop.answers("household", first.record), "head_name": "王方"}
        second = laptop.save(answers, form, record=first.record, author="a")
        late = saved_answers(laptop)
        assert {answer.value for answer in lost(hub, late)} == {"王方"}
        hub.receive(second.revisions)
        # 王芳 was knowingly replaced: that is no loss.
        assert lost(hub, early | late) == ()


def test_invented_people_pass_the_rules_and_repeat_by_seed() -> None:
    def village(seed: int) -> list[object]:
        census = Census(seed, date(2026, 11, 22))
        return [census.household("999999001001", "一组", turn, (30.0, 110.0)) for turn in range(60)]

    homes = village(9)
    people = [member for home in homes for member in home.members]  # type: ignore[attr-defined]
    assert len({person.resident_id for person in people}) == len(people)
    for person in people:
        assert checked(person.resident_id[:17]) == person.resident_id
        assert [p for p in check("resident_id", person.resident_id) if p.severity == "error"] == []
    assert village(9) == homes
    assert village(10) != homes
