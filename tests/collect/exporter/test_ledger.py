"""Ledgers in files: what Excel shows, what a program reads, and the way back in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from collect.exporter.ledger import ExportError, export_ledger
from collect.importer.ledger import import_ledger
from collect.settings import Village
from collect.station import Station
from datasette_plugins.demo.people import checked
from forms.reader import load_shipped

VILLAGES = [Village("999999001001", "前进村"), Village("999999001002", "清泉村")]
ID = checked("99999919800101122")


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "laptop", name="一号", villages=VILLAGES, author="李志强") as made:
        form = load_shipped("household")
        made.add_form(form)
        for number, village in enumerate(VILLAGES, start=1):
            answers = {
                "village": village.code, "household_number": f"000{number}", "head_name": "=王芳", "farmland": 3.5,
                "household_type": "ordinary", "location": "30.5 110.25 0 5",
                "member": [{"name": "王芳", "resident_id": ID, "sex": "female", "birth_date": "1980-01-01"}],
            }  # fmt: skip
            instance = made.instance("household")
            assert instance.fill(answers) == ()
            made.save(instance, form, author="李志强")
        yield made


def test_a_workbook_has_a_sheet_a_table_labels_and_text_cells(station: Station, tmp_path: Path) -> None:
    done = export_ledger(station, "household", tmp_path / "户.xlsx")
    assert dict(done.rows) == {"household": 2, "household_member": 2}
    book = load_workbook(done.path)
    assert book.sheetnames == ["household", "household_member"]
    rows = list(book["household"].iter_rows(values_only=True))
    first = dict(zip(rows[0], rows[1], strict=True))
    assert (first["户主姓名"], first["户类型"], first["耕地面积（亩）"], first["行政村"]) == (
        "=王芳",
        "一般户",
        3.5,
        "前进村",
    )
    head = next(cell for cell in book["household"][2] if cell.value == "=王芳")
    assert head.data_type == "s"
    members = list(book["household_member"].iter_rows(values_only=True))
    member = dict(zip(members[0], members[1], strict=True))
    assert (member["身份证号"], member["性别"]) == (ID, "女")


def test_csv_opens_in_excel_and_keeps_long_numbers(station: Station, tmp_path: Path) -> None:
    export_ledger(station, "household", tmp_path / "户.csv")
    raw = (tmp_path / "户_member.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert rows[0]["身份证号"] == f"\t{ID}"
    heads = (tmp_path / "户.csv").read_text(encoding="utf-8-sig")
    assert "\t=王芳" in heads


def test_codes_for_programs(station: Station, tmp_path: Path) -> None:
    export_ledger(station, "household", tmp_path / "户.csv", codes=True, villages=["999999001002"])
    rows = list(csv.DictReader((tmp_path / "户.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["household_number"], row["household_type"], row["_village"]) for row in rows] == [
        ("0002", "ordinary", "999999001002")
    ]


def test_geojson_is_longitude_first(station: Station, tmp_path: Path) -> None:
    export_ledger(station, "household", tmp_path / "户.geojson", codes=True)
    data = json.loads((tmp_path / "户.geojson").read_text(encoding="utf-8"))
    assert data["features"][0]["geometry"]["coordinates"][:2] == [110.25, 30.5]
    assert data["features"][0]["properties"]["head_name"] == "=王芳"


def test_english_headers(station: Station, tmp_path: Path) -> None:
    export_ledger(station, "household", tmp_path / "h.csv", language="English (en)")
    header = (tmp_path / "h.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "Head of household" in header


def test_what_was_exported_can_be_imported_and_changes_nothing(station: Station, tmp_path: Path) -> None:
    export_ledger(station, "household", tmp_path / "户.xlsx")
    before = station.journal.held()
    result = import_ledger(station, "household", tmp_path / "户.xlsx", author="李志强")
    assert (result.created, result.unchanged, result.rejected) == (0, 2, [])
    assert station.journal.held() == before


@pytest.mark.parametrize("name", ["户.pdf", "户"])
def test_an_unknown_ending_writes_nothing(station: Station, tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match="COLLECT_EXPORT_KIND"):
        export_ledger(station, "household", tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_made_is_said(station: Station, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ExportError, match="COLLECT_EXPORT_WRITE"):
        export_ledger(station, "household", tmp_path / "file" / "户.xlsx")
