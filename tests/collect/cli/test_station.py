from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import ANY

import pytest

from collect.cli import main
from collect.database import connect
from collect.station import Station
from forms.reader import load_shipped, shipped
from tests.collect.ledger_forms import VILLAGE, household
from tests.collect.test_blobs import photo_form


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def cunce(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUNCE_STATION", raising=False)

    def run(*arguments: str) -> Outcome:
        try:
            main(list(arguments))
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


def test_a_station_is_made_with_its_villages_and_ledgers(cunce: Command, tmp_path: Path) -> None:
    (tmp_path / "村.csv").write_text("代码,名称\n999999001001,石桥村\n999999001002,清水村\n", encoding="gb18030")
    made = cunce(
        "station", "init", "甲", "--name", "石桥笔记本", "--villages", "村.csv", "--village", "999999001003=新村",
        "--township", "999999001=示例镇", "--author", "李",
    )  # fmt: skip
    assert (made.status, made.err) == (0, "")
    assert f"3 个村，{len(shipped())} 个台账" in made.out
    info = json.loads(cunce("station", "info", "--station", "甲", "--json").out)
    assert [village["name"] for village in info["villages"]] == ["石桥村", "清水村", "新村"]
    assert info["township"] == {"code": "999999001", "name": "示例镇"}
    assert info["records"]["household"] == info["conflicts"] == info["parked"] == 0
    assert "户情台账 household" in cunce("station", "info", "--station", "甲").out
    assert "conflicts" in cunce("--lang", "en", "station", "info", "--station", "甲").out
    assert cunce("station", "verify", "--station", "甲").status == 0


def test_a_faulty_list_of_villages_names_every_row(cunce: Command, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("code,name\n1,\n2,好村\n,坏村\n", encoding="utf-8")
    made = cunce("station", "init", "甲", "--name", "x", "--villages", "x.csv")
    assert made.status == 1
    assert made.err.count("COLLECT_VILLAGE_FAULTY") == 2
    assert "第 2 行" in made.err
    assert not (tmp_path / "甲").exists()


def test_wrong_usage_is_2_and_no_station_is_1(cunce: Command) -> None:
    assert cunce("station", "init", "甲", "--name", "x", "--village", "石桥村").status == 2
    assert cunce("station", "init", "甲").status == 2
    missing = cunce("station", "info", "--station", "没有")
    assert missing.status == 1
    assert "COLLECT_NOT_A_STATION" in missing.err
    assert "Traceback" not in missing.err


def test_verify_says_what_is_wrong_and_rebuild_mends_the_ledgers(cunce: Command, tmp_path: Path) -> None:
    with Station.create(tmp_path / "甲", name="x") as station:
        station.save({"village": VILLAGE, "head_name": "张三"}, household(), author="李")
    with closing(connect(tmp_path / "甲" / "township.db")) as connection:
        connection.execute("DELETE FROM household")
    found = cunce("station", "verify", "--station", "甲")
    assert found.status == 1
    assert "COLLECT_LEDGER_DIFFERS" in found.err
    assert "张三" in found.err
    data = json.loads(cunce("--lang", "en", "station", "verify", "--station", "甲", "--json").out)
    assert data["ok"] is False
    assert data["problems"][0]["code"] == "COLLECT_LEDGER_DIFFERS"
    assert "1 条修订" in cunce("station", "rebuild", "--station", "甲").out
    assert json.loads(cunce("station", "rebuild", "--station", "甲", "--json").out) == {"revisions": 1}
    assert cunce("station", "verify", "--station", "甲").status == 0
    with closing(connect(tmp_path / "甲" / "journal.db")) as connection:
        connection.execute("DROP TRIGGER revision_is_immutable")
        connection.execute("UPDATE revision SET author = '别人'")
    found = cunce("station", "verify", "--station", "甲")
    assert (found.status, "COLLECT_DIGEST_WRONG" in found.err) == (1, True)


def test_ledgers_that_are_no_database_any_more_are_made_again_and_a_broken_journal_is_not_touched(
    cunce: Command, tmp_path: Path
) -> None:
    with Station.create(tmp_path / "甲", name="x") as station:
        record = station.save({"village": VILLAGE, "head_name": "张三"}, household(), author="李").record
    (tmp_path / "甲" / "township.db").write_bytes(b"broken" * 2000)
    assert "COLLECT_NOT_A_DATABASE" in cunce("station", "verify", "--station", "甲").err
    assert cunce("station", "rebuild", "--station", "甲").status == 0
    assert cunce("station", "verify", "--station", "甲").status == 0
    with Station.open(tmp_path / "甲", readonly=True) as station:
        assert station.answers("household", record)["head_name"] == "张三"
    (tmp_path / "甲" / "journal.db").write_bytes(b"broken" * 2000)
    found = cunce("station", "rebuild", "--station", "甲")
    assert (found.status, "COLLECT_NOT_A_DATABASE" in found.err, "journal.db" in found.err) == (1, True, True)
    assert (tmp_path / "甲" / "township.db").stat().st_size > 0


OWN = """
survey:
  - {type: select_one_from_file village.csv, name: village, label: 村, ledger::standard: village}
  - {type: text, name: spring, label: 水源}
settings:
  - {form_id: FORM, form_title: 水源登记, version: "VERSION"}
"""


def own(folder: Path, name: str, *, form: str = "water_source", version: str = "1") -> str:
    path = folder / name
    path.write_text(OWN.replace("FORM", form).replace("VERSION", version), encoding="utf-8")
    return str(path)


def test_a_form_of_ones_own_is_added_and_takes_answers(cunce: Command, tmp_path: Path) -> None:
    cunce("station", "init", "甲", "--name", "甲", "--village", "999999001001=石桥村", "--no-ledgers")
    added = cunce("station", "add-form", own(tmp_path, "own.yml"), "household", "--station", "甲")
    assert (added.status, added.err) == (0, "")
    assert "已添加表单：水源登记（water_source 1）" in added.out
    words = ("--set", "village=999999001001", "--set", "spring=龙井")
    saved = cunce("collect", "add", "water_source", *words, "--station", "甲")
    assert saved.status == 0, saved.err
    again = cunce("--lang", "en", "station", "add-form", own(tmp_path, "own.yml"), "--station", "甲", "--json")
    assert json.loads(again.out)["forms"] == [
        {"form_id": "water_source", "version": "1", "title": "水源登记", "new": False}
    ]


def test_pictures_of_a_forms_labels_come_from_the_folder_beside_it(cunce: Command, tmp_path: Path) -> None:
    cunce("station", "init", "甲", "--name", "甲", "--village", "999999001001=石桥村", "--no-ledgers")
    file = Path(own(tmp_path, "own.yml"))
    text = file.read_text(encoding="utf-8")
    shown = "label: 水源, media::image: well.png, media::audio: well.mp3"
    file.write_text(text.replace("label: 水源}", shown + "}"), encoding="utf-8")
    (tmp_path / "own-media").mkdir()
    (tmp_path / "own-media" / "well.png").write_bytes(b"picture")
    added = cunce("station", "add-form", str(file), "--station", "甲")
    assert added.status == 0
    assert "“well.mp3”没有找到" in added.err
    assert "own-media" in added.err
    with Station.open(tmp_path / "甲", readonly=True) as station:
        (blob,) = station.media_of(station.form("water_source")).values()
        assert station.blobs.read(blob) == b"picture"


def test_forms_are_added_all_or_none(cunce: Command, tmp_path: Path) -> None:
    cunce("station", "init", "甲", "--name", "甲", "--village", "999999001001=石桥村")
    good, shipped_version = own(tmp_path, "own.yml"), load_shipped("household").version
    for bad, code in (
        (own(tmp_path, "clash.yml", form="household_member"), "COLLECT_FORM_TABLE_TAKEN"),
        (own(tmp_path, "changed.yml", form="household", version=shipped_version), "COLLECT_FORM_CHANGED"),
    ):
        refused = cunce("station", "add-form", good, bad, "--station", "甲")
        assert refused.status == 1
        assert refused.err.count("[") == 1
        assert f"[{code}]" in refused.err
    Path(tmp_path / "broken.yml").write_text("survey:\n - {type: txet, name: a, label: a}\n", encoding="utf-8")
    refused = cunce("station", "add-form", good, "broken.yml", "nix", "--station", "甲")
    assert "[FORMS_TYPE_UNKNOWN_MEANT]" in refused.err
    assert "[COLLECT_FORM_NOT_FOUND]" in refused.err
    with Station.open(tmp_path / "甲", readonly=True) as station:
        assert "water_source" not in {form.form_id for form in station.forms()}
    assert cunce("station", "verify", "--station", "甲").status == 0


def test_a_record_is_erased_by_law_after_a_question(
    cunce: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Station.create(tmp_path / "甲", name="甲", villages={VILLAGE: "石桥村"}, author="村主任") as station:
        station.add_form(household())
        answers = {"village": VILLAGE, "head_name": "欧阳翠花", "member": [{"name": "小宝"}]}
        record = station.save(answers, household(), author="张").record
    order = ("station", "erase", record, "--station", "甲", "--reason")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert cunce(*order, "本人申请删除").status == 1
    named = cunce(*order, "欧阳翠花申请", "--yes")
    assert (named.status, "COLLECT_ERASE_REASON_PERSONAL" in named.err) == (1, True)
    done = cunce(*order, "本人申请删除", "--yes", "--json")
    assert json.loads(done.out) == {
        "erased": [{"table": "household", "record": record}, {"table": "household_member", "record": ANY}],
        "revisions": 2, "scrubbed": True,
    }  # fmt: skip
    again = cunce(*order, "本人申请删除", "--yes")
    assert (again.status, "COLLECT_RECORD_ERASED" in again.err) == (1, True)
    assert "COLLECT_RECORD_UNKNOWN" in cunce("station", "erase", "x", "--reason", "r", "--yes", "--station", "甲").err
    assert cunce("station", "verify", "--station", "甲").status == 0


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_new_station_is_its_owners_only(cunce: Command, tmp_path: Path) -> None:
    assert cunce("station", "init", "甲", "--name", "甲", "--no-ledgers").status == 0
    assert (tmp_path / "甲").stat().st_mode & 0o077 == 0


def test_blobs_are_counted_and_the_unused_removed(cunce: Command, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    cunce("station", "init", str(folder), "--name", "一号", "--village", "999999001001=东村", "--no-ledgers")
    with Station.open(folder) as station:
        station.add_form(photo_form())
        used, loose = station.blobs.put(b"used", "jpg"), station.blobs.put(b"loose", "jpg")
        station.save({"village": "999999001001", "name": "桥头", "photo": used}, "spot", author="甲")
        station.save({"village": "999999001001", "name": "桥尾", "photo": "b" * 64 + ".jpg"}, "spot", author="甲")
    counted = json.loads(cunce("station", "blobs", "--station", str(folder), "--json").out)
    assert (counted["referenced"], counted["here"], len(counted["lacking"]), len(counted["unused"])) == (2, 1, 1, 1)
    assert cunce("station", "blobs", "--station", str(folder), "--remove-unused").status == 0
    with Station.open(folder) as station:
        assert (station.blobs.has(used), station.blobs.has(loose)) == (True, False)
