"""Write a household ledger the way villages keep theirs in Excel, with the faults that such files have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from datasette_plugins.demo.people import Household, Person

RELATIONS = {
    "head": "户主", "spouse": "配偶", "son": "子", "daughter": "女", "father": "父亲", "mother": "母亲",
}  # fmt: skip
_SEXES = {"male": "男", "female": "女"}
_HOME = ("户编号", "户主姓名", "村民小组", "住\u3000\u3000址", "联系\u3000电话", "耕地面积\u3000（亩）")
_MEMBER = ("姓\u3000名", "与户主\u3000关系", "公民身份\u3000号码", "性\u3000别", "外出\u3000务工", "务工\u3000地点")
FIRST_ROW = 4  # 1-based row of the first member: below the title and two header rows


def write_ledger(path: Path, village_name: str, homes: Sequence[Household], today: date) -> dict[str, int]:
    """Write `homes` to an .xlsx file at `path`: title, two merged header rows, U+3000 padding, merged household cells.

    Three faults go in, as they do in life: one ID number with a wrong check character, one kept in a numeric cell
    (its last digits are gone) and one household written twice. Returns the Excel rows of the faults by their kind.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "户籍台账"
    width = 1 + len(_HOME) + len(_MEMBER)
    sheet.append([f"{village_name}农村户籍人口基本情况台账（{today:%Y年%m月}）"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
    sheet["A1"].font = Font(size=16, bold=True)
    sheet.append(["序号", "户基本情况", *[None] * (len(_HOME) - 1), "家庭成员信息"])
    sheet.append([None, *_HOME, *_MEMBER])
    sheet.merge_cells("A2:A3")
    sheet.merge_cells(start_row=2, start_column=2, end_row=2, end_column=1 + len(_HOME))
    sheet.merge_cells(start_row=2, start_column=2 + len(_HOME), end_row=2, end_column=width)
    for row in sheet["A1:M3"]:
        for cell in row:
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    faults = {}
    row = FIRST_ROW
    for number, home in enumerate([*homes, homes[0]], start=1):
        _write_home(sheet, row, number, home, today)
        row += len(home.members)
    faults["duplicate"] = row - len(homes[0].members)
    faults["wrong_id"] = _spoil_check_character(sheet, homes)
    faults["numeric_id"] = _spoil_into_number(sheet, homes)
    sheet.append(["合计", f"{len(homes)}户"])
    for column, characters in zip("BCDEFGHIJKLM", (8, 10, 8, 14, 13, 10, 10, 9, 21, 6, 8, 12), strict=True):
        sheet.column_dimensions[column].width = characters
    book.save(path)
    return faults


def _write_home(sheet: Any, row: int, number: int, home: Household, today: date) -> None:
    for offset, member in enumerate(home.members):
        own: list[Any] = [None] * 7
        if offset == 0:
            own = [number, home.number, home.head.name, home.group, home.address, home.head.phone, home.farmland]
        for column, value in enumerate([*own, *_member(member, today)], start=1):
            cell = sheet.cell(row + offset, column, value)
            if isinstance(value, str):
                cell.number_format = "@"
    if len(home.members) > 1:
        for column in range(1, 8):
            sheet.merge_cells(
                start_row=row, start_column=column, end_row=row + len(home.members) - 1, end_column=column
            )


def _member(member: Person, today: date) -> list[str]:
    name = f"{member.name[0]}\u3000{member.name[1]}" if len(member.name) == 2 else member.name
    away = "" if member.age(today) < 16 else "是" if member.work_away else "否"
    return [name, RELATIONS[member.relation], member.resident_id, _SEXES[member.sex], away, member.work_place]


def _spoil_check_character(sheet: Any, homes: Sequence[Household]) -> int:
    """Change the last character of the second household's second member (or head); return its row."""
    row = FIRST_ROW + len(homes[0].members) + (1 if len(homes[1].members) > 1 else 0)
    cell = sheet.cell(row, 10)
    cell.value = cell.value[:17] + ("1" if cell.value[17] != "1" else "2")
    return row


def _spoil_into_number(sheet: Any, homes: Sequence[Household]) -> int:
    """Keep the ID number of the third household's head in a numeric cell; return its row."""
    row = FIRST_ROW + len(homes[0].members) + len(homes[1].members)
    cell = sheet.cell(row, 10)
    cell.value = int(cell.value[:17] + "0")
    cell.number_format = "0"
    return row
