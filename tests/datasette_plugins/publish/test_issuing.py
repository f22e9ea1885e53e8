"""From a station's ledgers to files: a story of two villages, told by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from collect.cli import main
from collect.settings import Village
from collect.station import Station
from datasette_plugins.cli.publish import sheet
from datasette_plugins.publish.books import read_books, read_secrets
from datasette_plugins.publish.gathering import gather
from datasette_plugins.publish.sheet_data import SheetData
from forms.clock import FixedClock
from forms.definition import Form
from forms.reader import load_shipped

MADE = datetime(2026, 3, 5, 9, 30, tzinfo=timezone(timedelta(hours=8)))
CODE, OTHER = "999999001203", "999999001204"
LEDGERS = ("village", "household", "left_behind", "needy_household", "risk_point", "visit", "public_place")
RING = "27.50 109.17 0 0;27.50 109.20 0 0;27.52 109.20 0 0;27.52 109.17 0 0;27.50 109.17 0 0"


def records(risk_name: str = "上寨屋后滑坡") -> list[tuple[str, dict[str, Any], str]]:
    """What the village's cadres wrote."""
    member = {"relation": "00", "work_away": "no"}
    return [
        ("village", {
            "area": 6.38, "altitude": 742, "farmland": 1180.5, "collective_income": 23.6, "water": "all",
            "road": "paved", "industry": "茶叶、油茶", "secretary": "吴志刚", "secretary_phone": "13800000002",
            "boundary": RING,
            "group": [
                {"name": "上寨组", "leader": "杨秀成", "phone": "13800000005", "location": "27.515 109.18 0 0"},
                {"name": "河边组", "leader": "石开元", "location": "27.505 109.19 0 0"},
            ],
        }, CODE),
        *(("household", {
            "_id": f"h{n}", "head_name": name, "phone": f"1380000010{n}", "location": f"27.51{n} 109.18{n} 0 0",
            "address": f"上寨组{n + 1}号", "member_count": 3, "labour_count": 2,
            "member": [
                {**member, "name": name, "resident_id": f"99990119800101001{n}"},
                {**member, "name": f"{name}之妻", "work_away": "yes"}, {**member, "name": f"{name}之子"},
            ],
        }, CODE) for n, name in enumerate(["龙海生", "吴老贵", "杨再兴"])),
        ("left_behind", {"name": "龙小妹", "kind": "child", "household": "h0"}, CODE),
        ("left_behind", {"name": "吴阿婆", "kind": "elder", "household": "h1"}, CODE),
        ("needy_household", {"head_name": "吴老贵", "category": "subsistence at_risk", "household": "h1"}, CODE),
        ("needy_household", {"head_name": "杨再兴", "category": "subsistence", "risk_removed_on": "2026-01-01"}, CODE),
        ("risk_point", {
            "number": "1", "name": risk_name, "hazard_type": "landslide", "state": "watched", "place": "上寨组后山",
            "location": "27.515 109.181 0 0", "households": 6, "people": 21, "monitor_name": "龙海生",
            "monitor_phone": "13800000001", "evacuation_route": "27.515 109.181 0 0;27.512 109.184 0 0",
        }, CODE),
        ("risk_point", {"number": "2", "name": "河边低洼地", "hazard_type": "flash_flood", "people": 3, "households": 1,
                        "state": "active", "location": "27.505 109.191 0 0"}, CODE),
        ("risk_point", {"number": "3", "name": "老桥", "hazard_type": "road", "people": 9, "state": "removed"}, CODE),
        ("visit", {"household": "h0", "grid_worker": "石开元", "started": "2026-03-02T10:00:00.000+08:00",
                   "hazards_seen": "yes"}, CODE),
        ("visit", {"household": "h0", "grid_worker": "石开元", "started": "2026-03-04T10:00:00.000+08:00"}, CODE),
        ("visit", {"household": "h1", "grid_worker": "石开元", "started": "2026-02-27T10:00:00.000+08:00"}, CODE),
        ("public_place", {"name": "村委会", "kind": "committee", "location": "27.512 109.185 0 0", "capacity": 80,
                          "contact": "吴志刚", "phone": "13800000002"}, CODE),
    ]  # fmt: skip


@cache
def shipped_form(name: str) -> Form:
    return load_shipped(name)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(
        tmp_path / "站点", name="青石镇中心站", township=Village("999999001", "青石镇"),
        villages=[(CODE, "李家湾村"), (OTHER, "新寨村")], author="wu", clock=FixedClock(MADE),
    ) as made:  # fmt: skip
        for name in LEDGERS:
            made.add_form(shipped_form(name))
        yield made


def filled(station: Station, **given: Any) -> Station:
    station.save_many(records(**given), author="wu")
    return station


def sheet_of(station: Station) -> SheetData:
    books = read_books(station.projection.path, station.projection.ledgers, CODE)
    return gather(books, code=CODE, village="李家湾村", township="青石镇", station="青石镇中心站", made=MADE)


def text_of(path: Path) -> str:
    return "".join(page.get_text() for page in pymupdf.open(path))


def test_figures_are_counted_from_the_ledgers(station: Station) -> None:
    sheet = sheet_of(filled(station))
    figures = {figure.key: figure.value for figure in sheet.figures()}
    expected = {
        "households": 3, "registered": 9, "resident": 6, "away": 3, "labour": 6, "village.area": 6.38, "groups": 2,
        "village.water": "全部通达", "village.forest": None, "left_behind": 2, "left_behind.child": 1,
        "left_behind.woman": 0, "left_behind.elder": 1, "needy": 1, "needy.subsistence": 1, "needy.at_risk": 1,
        "needy.sudden": 0, "risks": 2, "risk_people": 24, "risk_people.landslide": 21, "risks.flash_flood": 1,
        "visits": 2, "visits.households": 1, "visits.coverage": "33.3%", "visits.hazards": 1,
    }  # fmt: skip
    assert {key: figures[key] for key in expected} == expected
    assert "risks.road" not in figures


def test_lists_and_map_come_from_the_ledgers(station: Station) -> None:
    sheet = sheet_of(filled(station))
    assert [(risk.number, risk.hazard, risk.state) for risk in sheet.risks] == [
        ("1", "滑坡", "监测中"), ("2", "山洪", "存在"),
    ]  # fmt: skip
    assert [contact.name for contact in sheet.contacts] == ["吴志刚", "龙海生", "杨秀成", "石开元"]
    assert len(sheet.map.boundary) == 5
    assert len(sheet.map.houses) == 3
    assert len(sheet.map.risks[0].route) == 2
    assert [group.name for group in sheet.map.groups] == ["上寨组", "河边组"]
    assert sheet.map.boundary[0].lat == pytest.approx(27.5)


def test_only_what_the_forms_call_public_is_public(station: Station) -> None:
    public = {figure.key for figure in sheet_of(filled(station)).figures() if figure.public}
    assert {"households", "registered", "labour", "risk_people", "village.area"} <= public
    assert not public & {"left_behind", "left_behind.child", "needy", "away", "resident", "visits"}


def test_the_private_values_of_all_ledgers_are_known_to_the_leak_check(station: Station) -> None:
    filled(station)
    secrets = read_secrets(station.projection.path, station.projection.ledgers)
    values = {(secret.kind, secret.value) for secret in secrets}
    assert {
        ("姓名", "龙小妹"), ("姓名", "吴老贵"), ("姓名", "石开元"), ("姓名", "吴志刚"), ("电话", "13800000001"),
        ("电话", "13800000005"), ("身份证号", "999901198001010010"), ("住址", "上寨组1号"),
    } <= values  # fmt: skip
    assert not {value for _, value in values} & {"上寨组", "村委会", "上寨屋后滑坡", "青石镇"}


def run(capsys: pytest.CaptureFixture[str], station: Station, *arguments: str) -> tuple[int, str, str]:
    """Run the command; return exit status, output and errors."""
    status: Any = 0
    try:
        main(["publish", "sheet", "--station", str(station.folder), *arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return int(status or 0), captured.out, captured.err


def test_the_command_writes_a_sheet_a_village(
    station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(station)
    status, out, err = run(capsys, station, "-o", str(tmp_path / "图"), "--json", "--address", "https://a.example/{code}")
    assert status == 0
    told = [line for line in err.split("\r") if line.strip()]
    assert all(line.startswith("PDF [") for line in told), "nothing but a bar, on a slow machine"
    found = json.loads(out)
    assert [(one["village"], Path(one["file"]).name) for one in found["sheets"]] == [
        (CODE, f"{CODE}-李家湾村.pdf"), (OTHER, f"{OTHER}-新寨村.pdf"),
    ]  # fmt: skip
    assert found["warnings"] == []
    text = text_of(Path(found["sheets"][0]["file"]))
    assert "龙海生" in text
    assert "扫码看公开页" in text
    assert "吴老贵" not in text
    assert "本村尚无坐标数据" in text_of(Path(found["sheets"][1]["file"]))
    assert sorted(path.suffix for path in (tmp_path / "图").iterdir()) == [".pdf", ".pdf"]


def test_a_public_sheet_masks_and_names_nobody(
    station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(station)
    status, out, _ = run(capsys, station, "--village", CODE, "-o", str(tmp_path), "--public")
    assert status == 0
    assert "李家湾村-公开.pdf" in out
    text = text_of(tmp_path / f"{CODE}-李家湾村-公开.pdf")
    for secret in read_secrets(station.projection.path, station.projection.ledgers):
        assert secret.value not in text
    assert "<5" in text
    assert "三留守" not in text


def test_a_leak_is_refused_and_nothing_is_written(
    station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(station, risk_name="吴老贵屋后滑坡")
    status, out, err = run(capsys, station, "-o", str(tmp_path / "公开"), "--public")
    assert (status, out) == (1, "")
    assert "PLUGINS_LEAK_FOUND" in err
    assert "household" in err
    assert "姓名" in err
    assert "吴老贵" not in err
    assert not (tmp_path / "公开").exists()
    assert run(capsys, station, "-o", str(tmp_path / "内部"))[0] == 0


def test_unknown_villages_are_all_named_at_once(station: Station, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, station, "--village", "1", "--village", "2")
    assert status == 1
    assert err.count("PLUGINS_SHEET_VILLAGE_UNKNOWN") == 2
    assert "999999001203 李家湾村" in err


def test_a_folder_that_is_a_file_is_said_in_words(
    station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "占用").write_text("", encoding="utf-8")
    status, _, err = run(capsys, station, "-o", str(tmp_path / "占用" / "内"))
    assert status == 1
    assert "PLUGINS_SHEET_NOT_WRITTEN" in err


def test_the_docs_name_every_option_of_the_command() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "publishing.md").read_text(encoding="utf-8")
    options = {option for parameter in sheet.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if f"`{option}" not in page and f" {option} " not in page} == set()
