"""`cunce form`: what people see when they check, show and export forms."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from collect.cli import main
from collect.station import Station
from forms.reader import load_shipped, read_form
from forms.versions import readable

BROKEN = """\
settings: {form_id: broken, version: "1"}
survey:
  - {type: txt, name: a, label: A}
  - {type: select_one gone, name: b, label: B, relevant: "${c} = 1"}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = int(stop.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def test_check_says_every_fault_and_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    path.write_text(BROKEN, encoding="utf-8")
    status, out, _ = run(capsys, "form", "check", path)
    assert status == 1
    assert "broken.yml survey 第 3 行 type a：不认识题型“txt”。是不是“text”？" in out
    assert "3 个错误" in out
    status, out, _ = run(capsys, "--lang", "en", "form", "check", path)
    assert "Did you mean “text”?" in out


def test_check_of_shipped_ledgers_passes(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "form", "check", "household", "village")
    assert status == 0
    for name, line in zip(("household", "village"), out.splitlines(), strict=True):
        assert re.fullmatch(rf"{name}：可用（{name}，[1-9]\d* 题），0 条提醒。", line)


def test_check_speaks_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    path.write_text(BROKEN, encoding="utf-8")
    status, out, _ = run(capsys, "form", "check", "--json", "visit", path)
    visit, broken = json.loads(out)["forms"]
    assert status == 1
    assert (visit["ok"], visit["form_id"], broken["ok"]) == (True, "visit", False)
    assert {error["code"]: error["row"] for error in broken["errors"]} == {
        "FORMS_TYPE_UNKNOWN_MEANT": 3, "FORMS_LIST_UNKNOWN": 4, "FORMS_REFERENCE_UNKNOWN": 4,
    }  # fmt: skip
    assert broken["errors"][0]["message"].keys() == {"zh", "en"}


@pytest.mark.parametrize("name", ["nothing", "nothing.yml"])
def test_an_unknown_name_is_said_in_words(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, err = run(capsys, "form", "show", name)
    assert (status, out) == (1, "")
    assert name in err
    assert "Traceback" not in err


def test_show_prints_an_outline(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "form", "show", "visit")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith(f"走访日志 [visit {load_shipped('visit').version}]")
    assert any("隐患情况" in line and "当 ${hazards_seen} = 'yes'" in line and "必填" in line for line in lines)
    assert not any("instanceID" in line for line in lines)
    assert "Visits" not in out
    assert "Hazards seen" in run(capsys, "--lang", "en", "form", "show", "visit")[1]


@pytest.mark.parametrize("kind", ["xform", "xlsx", "yaml", "tables"])
def test_export_writes_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out"
    status, out, _ = run(capsys, "form", "export", "village", "--to", kind, "-o", path)
    assert status == 0
    assert str(path) in out
    assert path.stat().st_size > 1000
    assert list(tmp_path.iterdir()) == [path]


def test_export_into_nowhere_is_said_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = run(capsys, "form", "export", "village", "--to", "yaml", "-o", tmp_path / "none" / "out.yml")
    assert status == 1
    assert "COLLECT_FORM_NOT_WRITTEN" in err


def test_paths_are_shown_as_references() -> None:
    assert readable("if( /data/g/a  = '',  ../b , 1)") == "if(${a} = '', ${b}, 1)"


def test_check_marks_a_workbook(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, marked = tmp_path / "broken.yml", tmp_path / "marked.xlsx"
    path.write_text(BROKEN, encoding="utf-8")
    status, out, _ = run(capsys, "form", "check", path, "--annotate", marked)
    assert status == 1
    assert f"问题已标在 {marked}" in out
    listed = [row[8].value for row in load_workbook(marked).worksheets[0].iter_rows(min_row=2)]
    _, out, _ = run(capsys, "form", "check", "--json", path)
    found = json.loads(out)["forms"][0]
    assert listed == [problem["code"] for problem in (*found["errors"], *found["warnings"])]
    status, _, err = run(capsys, "form", "check", marked, "--annotate", marked)
    assert status == 1
    assert "COLLECT_FORM_ITSELF" in err
    assert run(capsys, "form", "check", path, "--annotate", tmp_path / "marked.txt")[0] == 2


def test_diff_says_what_changed_and_counts_a_stations_records(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old, new = tmp_path / "old.yml", tmp_path / "new.yml"
    survey = 'settings: {form_id: well, version: "%s"}\nsurvey:\n%s'
    old.write_text(survey % ("1", "  - {type: text, name: depth, label: 深}\n"), encoding="utf-8")
    new.write_text(
        survey % ("2", "  - {type: integer, name: depth, label: 深}\n  - {type: text, name: b, label: 乙}\n"),
        encoding="utf-8",
    )
    status, out, _ = run(capsys, "form", "diff", old, new)
    assert (status, out.splitlines()[0]) == (0, "well 1 → well 2：2 处改动。")
    assert "“深”（depth）题型由 text 改为 integer" in out
    with Station.create(tmp_path / "station", name="s", villages={"520000000001": "村"}) as station:
        for number, depth in enumerate(["12", "很深"]):
            answers = {"_id": f"0190000{number}-0000-7000-8000-000000000000", "depth": depth}
            station.save(answers, read_form(old), author="a", village="520000000001")
    status, out, _ = run(capsys, "form", "diff", "well@1", new, "--station", tmp_path / "station", "--json")
    told = json.loads(out)
    assert (status, told["counts"]) == (0, {"loses": 0, "look": 1, "harmless": 1})
    assert {change["name"]: change["records"] for change in told["changes"]} == {"depth": 1, "b": None}


def test_export_packs_a_form_for_odk(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "visit.zip"
    status, said, err = run(capsys, "form", "export", "visit", "--to", "odk-zip", "-o", out)
    assert (status, said.startswith("已写入")) == (0, True)
    assert "household.csv" in err
    assert out.read_bytes().startswith(b"PK")


def test_an_xform_is_written_as_excel(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    xml, excel = tmp_path / "visit.xml", tmp_path / "visit.xlsx"
    assert run(capsys, "form", "export", "visit", "--to", "xform", "-o", xml)[0] == 0
    assert run(capsys, "form", "export", xml, "--to", "xlsx", "-o", excel)[::2] == (0, "")
    assert run(capsys, "form", "check", excel)[0] == 0
