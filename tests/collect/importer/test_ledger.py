"""Importing what people already have: good rows in, bad rows back, twice is once."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from collect.importer.ledger import Imported, import_ledger
from collect.importer.workbook import ImportFileError
from collect.station import Station
from datasette_plugins.demo.ledger import FIRST_ROW, write_ledger
from datasette_plugins.demo.people import Census

Write = Callable[..., Path]
HEADER = ("户编号", "户主姓名", "姓名", "与户主关系", "身份证号")
WANG = "999999198001011234"  # without its check character; see person()


def person(body: str) -> str:
    from datasette_plugins.demo.people import checked

    return checked(body[:17])


def load(station: Station, path: Path, form: str = "household", **more: Any) -> Imported:
    return import_ledger(station, form, path, author="李志强", **more)


def households(station: Station) -> dict[str, dict[str, Any]]:
    rows = station.projection.rows("household")
    return {row["household_number"]: station.answers("household", row["_id"]) for row in rows}


def codes(result: Imported) -> list[str]:
    return [fault.problem.code for fault in result.faults]


def test_a_village_ledger_with_merged_headers_and_cells(station: Station, tmp_path: Path) -> None:
    census = Census(3, date(2026, 11, 22))
    homes = [census.household("999999001001", "一组", turn + 1, (30.9, 110.2)) for turn in range(12)]
    faults = write_ledger(tmp_path / "台账.xlsx", "前进村", homes, date(2026, 11, 22))
    result = load(station, tmp_path / "台账.xlsx")
    known = households(station)
    # The rows with a fault come back, and both rows of what stands twice; everything else is in, person by person.
    assert {faults["wrong_id"], faults["numeric_id"], faults["duplicate"]} <= set(result.rejected)
    rejected = set(result.rejected)
    row = FIRST_ROW
    for home in homes:
        good = [member for offset, member in enumerate(home.members) if row + offset not in rejected]
        row += len(home.members)
        if good:
            saved = known[home.number]
            assert [m["name"] for m in saved["member"]] == [m.name for m in good]
            assert [m["resident_id"] for m in saved["member"]] == [m.resident_id for m in good]
            assert [m["birth_date"] for m in saved["member"]] == [m.birth.isoformat() for m in good]
            assert (saved["head_name"], saved["farmland"]) == (home.head.name, home.farmland)
        else:
            assert home.number not in known
    assert result.created == len(known)
    assert result.unmatched == ("序号",)


def test_failed_rows_come_back_with_the_reason_beside_each_cell(station: Station, tmp_path: Path) -> None:
    census = Census(3, date(2026, 11, 22))
    homes = [census.household("999999001001", "一组", turn + 1, (30.9, 110.2)) for turn in range(4)]
    write_ledger(tmp_path / "台账.xlsx", "前进村", homes, date(2026, 11, 22))
    result = load(station, tmp_path / "台账.xlsx")
    assert result.returned == tmp_path / "台账_未导入.xlsx"
    sheet = load_workbook(result.returned).active
    assert sheet is not None
    assert sheet.max_row == FIRST_ROW - 1 + len(result.rejected)
    reasons = [sheet.cell(row, sheet.max_column).value for row in range(FIRST_ROW, sheet.max_row + 1)]
    assert any("校验位" in str(reason) for reason in reasons)
    assert any("丢失末几位" in str(reason) for reason in reasons)
    comments = [cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment]
    assert any("校验位" in comment for comment in comments)
    assert sheet.cell(2, 8).value == "家庭成员信息"
    assert "A1:M1" in {str(cells) for cells in sheet.merged_cells.ranges}


def test_every_row_that_comes_back_says_why_even_one_without_a_fault(station: Station, workbook: Write) -> None:
    path = workbook([HEADER, ("0001", "王芳", "王芳", "户主", ""), ("0001", "赵六", "赵六", "户主", "")])
    result = load(station, path)
    assert "COLLECT_IMPORT_HOUSEHOLD_DIFFERS" in codes(result)
    assert result.returned is not None
    sheet = load_workbook(result.returned).active
    assert sheet is not None
    reasons = [str(row[-1].value or "") for row in sheet.iter_rows(min_row=2)]
    assert len(reasons) == 2
    assert all("[COLLECT_IMPORT_" in reason for reason in reasons)


def test_a_returned_workbook_that_cannot_be_written_is_said_and_all_else_is_saved(
    station: Station, workbook: Write, tmp_path: Path
) -> None:
    path = workbook([HEADER, ("0001", "王芳", "王芳", "户主", ""), ("0002", "李强", "李强", "户主", "12")])
    (tmp_path / "there").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(ImportFileError) as caught:
        load(station, path, returned=tmp_path / "there" / "x.xlsx")
    assert caught.value.code == "COLLECT_IMPORT_NOT_RETURNED"
    assert set(households(station)) == {"0001"}


def test_a_returned_workbook_mended_goes_into_the_same_household(station: Station, workbook: Write) -> None:
    good, bad = person("99999919800101123"), person("99999919820202456")
    wrong = bad[:17] + ("1" if bad[17] != "1" else "2")
    path = workbook([HEADER, ("0001", "王芳", "王芳", "户主", good), ("0001", "王芳", "李强", "配偶", wrong)])
    result = load(station, path)
    assert (result.created, result.rejected) == (1, [3])
    assert result.returned is not None
    book = load_workbook(result.returned)
    sheet = book.active
    assert sheet is not None
    sheet.cell(2, 5).value = bad
    book.save(result.returned)
    again = load(station, result.returned)
    assert (again.created, again.changed, again.rejected) == (0, 1, [])
    assert [m["name"] for m in households(station)["0001"]["member"]] == ["王芳", "李强"]


def test_an_answer_that_is_not_asked_is_said_and_not_hidden(station: Station, workbook: Write) -> None:
    number = person("99999919800101123")
    rows = [(*HEADER, "务工地点"), ("0001", "王芳", "王芳", "户主", number, "省城")]
    result = load(station, workbook(rows))
    assert (result.created, result.rejected, result.incomplete) == (1, [], [2])
    assert codes(result) == ["COLLECT_IMPORT_NOT_ASKED"]
    assert result.returned is not None
    mended = [(*HEADER, "外出务工", "务工地点"), ("0001", "王芳", "王芳", "户主", number, "是", "省城")]
    again = load(station, workbook(mended))
    assert (again.changed, again.incomplete) == (1, [])
    assert households(station)["0001"]["member"][0]["work_place"] == "省城"


def test_importing_twice_changes_nothing(station: Station, workbook: Write) -> None:
    path = workbook(
        [HEADER, ("0001", "王芳", "王芳", "户主", person("99999919800101123")), ("0002", "李强", "李强", "户主", "")]
    )
    first = load(station, path)
    before = station.journal.held()
    second = load(station, path)
    assert (first.created, second.created, second.changed, second.unchanged) == (2, 0, 0, 2)
    assert station.journal.held() == before


def test_an_id_in_a_numeric_cell_is_never_guessed(station: Station, workbook: Write) -> None:
    path = workbook([HEADER, ("0001", "王芳", "王芳", "户主", 110101199003070001)])
    result = load(station, path)
    assert codes(result) == ["COLLECT_IMPORT_DIGITS_LOST"]
    assert households(station) == {}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_csv_in_any_encoding_people_have(station: Station, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "台账.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([HEADER, ("0001", "㛃𬱖", "㛃𬱖", "户主", "")])
    assert load(station, path).created == 1
    assert households(station)["0001"]["head_name"] == "㛃𬱖"


def test_padding_inside_short_names_is_not_part_of_them(station: Station, workbook: Write) -> None:
    path = workbook([HEADER, ("0001", "王\u3000芳", "王\u3000\u3000芳", "户主", "")])
    load(station, path)
    saved = households(station)["0001"]
    assert (saved["head_name"], saved["member"][0]["name"]) == ("王芳", "王芳")


def test_full_width_digits_and_units_are_read(station: Station, workbook: Write) -> None:
    path = workbook(
        [
            ("户编号", "户主姓名", "耕地面积（亩）", "联系电话"),
            ("０００１", "王芳", "３．５亩", "１３８００１３８０００"),
        ]
    )
    assert load(station, path).rejected == []
    saved = households(station)["0001"]
    assert (saved["farmland"], saved["phone"]) == (3.5, "13800138000")


def test_totals_blank_rows_and_repeated_headers_are_no_data(station: Station, workbook: Write) -> None:
    rows = [("前进村台账",), HEADER, (1, 2, 3, 4, 5), ("0001", "王芳", "王芳", "户主", ""), (), HEADER,
            ("0002", "李强", "李强", "户主", ""), ("合计", "2户"), ("填表人：张三",)]  # fmt: skip
    result = load(station, workbook(rows, merge=["A1:E1"]))
    assert (result.rows, result.created) == (2, 2)


def test_an_unknown_choice_names_the_options(station: Station, workbook: Write) -> None:
    result = load(station, workbook([HEADER, ("0001", "王芳", "王芳", "邻居家亲戚", "")]))
    assert codes(result) == ["COLLECT_IMPORT_CHOICE"]
    assert "配偶" in result.faults[0].problem.words("zh")


def test_the_same_number_on_two_households_is_refused_with_the_row(station: Station, workbook: Write) -> None:
    rows = [
        HEADER,
        ("0001", "王芳", "王芳", "户主", ""),
        ("0002", "李强", "李强", "户主", ""),
        ("0001", "赵六", "赵六", "户主", ""),
    ]
    result = load(station, workbook(rows))
    assert (codes(result), result.rejected) == (["COLLECT_IMPORT_TWICE"], [4])
    assert "第 2 行" in result.faults[0].problem.words("zh")


def test_two_heads_under_one_number_side_by_side_are_a_contradiction(station: Station, workbook: Write) -> None:
    rows = [HEADER, ("0001", "王芳", "王芳", "户主", ""), ("0001", "赵六", "赵六", "户主", "")]
    result = load(station, workbook(rows))
    assert codes(result) == ["COLLECT_IMPORT_HOUSEHOLD_DIFFERS"]
    assert households(station) == {}


def test_headers_can_be_named_by_hand(station: Station, workbook: Write) -> None:
    path = workbook([("门牌", "当家的"), ("0001", "王芳")])
    result = load(station, path, mapping={"门牌": "household_number", "当家的": "head_name"})
    assert result.created == 1
    with pytest.raises(ImportFileError, match="COLLECT_IMPORT_MAPPING"):
        load(station, path, mapping={"门牌": "no_such"})


def test_links_are_found_by_household_number(station: Station, workbook: Write) -> None:
    load(station, workbook([HEADER, ("0001", "王芳", "王芳", "户主", "")]))
    rows = [
        ("所属户", "姓名", "留守类别", "身份证号"),
        ("0001", "王小", "留守儿童", ""),
        ("0009", "无此户", "留守儿童", ""),
    ]
    result = load(station, workbook(rows, name="留守.xlsx"), "left_behind")
    household = next(iter(station.projection.rows("household")))["_id"]
    assert [row["household"] for row in station.projection.rows("left_behind")] == [household]
    assert codes(result) == ["COLLECT_IMPORT_LINK"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("无.xlsx", None, "COLLECT_IMPORT_MISSING"),
        ("坏.xlsx", b"PK\x03\x04 not a workbook", "COLLECT_IMPORT_BROKEN"),
        ("坏.csv", b"\xff\xfe\x00\x80\x81", "COLLECT_IMPORT_ENCODING"),
        ("图.png", b"x", "COLLECT_IMPORT_KIND"),
        ("空.csv", b"", "COLLECT_IMPORT_NO_HEADER"),
        ("别.csv", "甲,乙\n1,2\n".encode(), "COLLECT_IMPORT_NO_HEADER"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    station: Station, tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ImportFileError) as caught:
        load(station, tmp_path / name)
    assert caught.value.code == code
    assert station.journal.held().get(station.id, 0) == 0


def test_an_old_xls_with_merged_headers_is_laid_out(station: Station) -> None:
    from collect.importer.headers import Vocabulary
    from collect.importer.layout import find_layout
    from collect.importer.workbook import read_sheets

    report = Path(__file__).resolve().parents[4] / "shared" / "data" / "reports" / "household-aid-report.xls"
    if not report.is_file():
        pytest.skip("the reporting template of ../shared is not here")
    sheet = read_sheets(report)[0]
    assert sheet.cell(5, 5) == "低保对象(人)"
    assert sheet.cell(4, 7) == "有劳动能力"
    # A report of totals is no household ledger: nothing of it may be taken for one.
    layout = find_layout(sheet, Vocabulary(station.form("household")))
    assert layout is None or layout.matched < 3
