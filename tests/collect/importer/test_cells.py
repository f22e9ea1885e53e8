"""One cell at a time."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.importer.cells import coded, number_without_unit, plain_text
from collect.importer.headers import plain
from collect.importer.workbook import Cell
from forms.problems import Place
from forms.reader import load_shipped
from forms.tables import Column, tables_of

HOUSEHOLD, MEMBER = tables_of(load_shipped("household"))[:2]


def column(name: str) -> Column:
    return (MEMBER if name in {c.name for c in MEMBER.columns} else HOUSEHOLD).column(name)


@pytest.mark.parametrize(
    ("cell", "name", "text"),
    [
        (13800138000.0, "phone", "13800138000"),
        (3.5, "farmland", "3.5"),
        (date(1958, 3, 4), "birth_date", "1958-03-04"),
        (datetime(1958, 3, 4), "birth_date", "1958-03-04"),  # noqa: DTZ001 - Excel's dates have no zone
        (time(9, 5), "note", "09:05:00"),
        ("\u3000王\u3000芳 ", "head_name", "王芳"),
        ("欧阳 · 娜", "head_name", "欧阳 · 娜"),
        ("ＡＢ１２", "note", "AB12"),
        ("'0001", "household_number", "0001"),
    ],
)
def test_what_excel_keeps_becomes_text(cell: Cell, name: str, text: str) -> None:
    assert plain_text(cell, column(name).question, Place()) == (text, ())


def test_names_are_never_rewritten() -> None:
    name = "𬱖㛃䶮ﾀ"  # NFKC would turn the half-width kana into another character
    assert plain_text(name, column("head_name").question, Place())[0] == name


@pytest.mark.parametrize("cell", ["王\ue000芳", "\U000f0001"])
def test_private_use_characters_are_named(cell: str) -> None:
    _, problems = plain_text(cell, column("head_name").question, Place())
    assert [problem.code for problem in problems] == ["COLLECT_IMPORT_PRIVATE_CHARACTER"]


@pytest.mark.parametrize(
    ("text", "number"), [("3.5亩", "3.5"), ("1,200 元", "1200"), ("-2度", "-2"), ("约三亩", "约三亩")]
)
def test_units_fall_away_from_numbers_only(text: str, number: str) -> None:
    assert number_without_unit(text, column("farmland").question) == number


@pytest.mark.parametrize("separator", ["、", "，", ",", "；", "/", "\n"])
def test_several_choices_in_one_cell(separator: str) -> None:
    value, problems = coded(separator.join(("低保户", "残疾人户")), column("household_type"), Place())
    assert problems == ()
    assert value.split() == [c for c, w in column("household_type").choices().items() if w in {"低保户", "残疾人户"}]


def test_yes_and_no_in_the_ways_people_write_them() -> None:
    yes = coded("是", column("work_away"), Place())[0]
    assert {coded(word, column("work_away"), Place())[0] for word in ("√", "Y", "有", "yes")} == {yes}
    assert coded("×", column("work_away"), Place())[0] != yes


@pytest.mark.parametrize(
    "header", ["姓\u3000名", " 姓名 ", "姓名（必填）", "1.姓名", "*姓名：", "（一）姓名", "姓\n名"]
)
def test_headers_are_read_as_people_mean_them(header: str) -> None:
    assert plain(header) == "姓名"


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.booleans(), st.datetimes()))
def test_no_cell_breaks_the_reader(cell: Cell) -> None:
    if isinstance(cell, float) and not abs(cell) < float("inf"):
        return  # no workbook holds these
    for one in (column("head_name"), column("farmland"), column("birth_date")):
        text, problems = plain_text(cell, one.question, Place())
        assert isinstance(text, str)
        assert all(problem.words("zh") and problem.words("en") for problem in problems)
