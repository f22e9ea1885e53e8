"""Rows copied in a spreadsheet land in the rows of the household: by headings or in order, codes for labels, undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from collect.station import Station
from datasette_plugins.capture.pasting import MOST_ROWS, cells_of
from datasette_plugins.capture.sitting import Key, Sitting, Sittings
from forms.reader import load_shipped

NAME = "/data/member[1]/name"


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[Sitting]:
    with Station.create(tmp_path / "s", name="测试", villages={"999999001001": "洗马塘村"}, author="王") as station:
        station.add_form(load_shipped("household"))
        opened = Sittings().open(station, Key(str(uuid7()), "household", "", "", ""), "zh")
        opened.page()
        yield opened


def paste(sitting: Sitting, text: str, ref: str = NAME) -> dict[str, Any]:
    return sitting.change(sitting.counter, [{"op": "paste", "ref": ref, "text": text}])


def people(sitting: Sitting, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.get(name) for name in names) for row in sitting.whole()["member"]]


def test_copied_cells_may_hold_line_breaks_tabs_and_quotes() -> None:
    assert cells_of('张三\t"第一行\n第二行"\t3\r\n李四\t"说""好"""\t\r\n\t\t\r\n') == [
        ["张三", "第一行\n第二行", "3"], ["李四", '说"好"', ""],
    ]  # fmt: skip


def test_without_headings_cells_go_to_the_questions_in_order_and_rows_are_added(sitting: Sitting) -> None:
    answer = paste(sitting, "陈秀英\t户主\t１１０１０５１９４９１２３１００２Ｘ\t女\n李小军\t子\t\t男\t1980年3月4日\n")
    assert people(sitting, "name", "relation", "resident_id", "sex", "birth_date") == [
        ("陈秀英", "02", "11010519491231002X", "female", "1949-12-31"), ("李小军", "20", None, "male", "1980-03-04"),
    ]  # fmt: skip
    assert answer["undo"] == "已粘贴 2 行"
    assert answer["focus"] == NAME
    assert [block["ref"] for block in answer["blocks"]] == ["/data/member"]


def test_a_wrapped_cell_is_one_line_where_the_question_has_one(sitting: Sitting) -> None:
    paste(sitting, '姓名\t务工地点\n"欧阳\n建国"\t"Block 3\nRoom 2"\n')
    assert people(sitting, "name", "work_place") == [("欧阳建国", "Block 3 Room 2")]


def test_headings_name_the_columns_and_those_nobody_knows_are_told(sitting: Sitting) -> None:
    answer = paste(sitting, "序号\t姓名\t性 别\t联系方式\n1\t陈秀英\t女\t138\n2\t李小军\t男\t139\n")
    assert people(sitting, "name", "sex") == [("陈秀英", "female"), ("李小军", "male")]
    assert "没有认出的列：序号" in answer["undo"]


def test_what_cannot_be_read_stands_as_it_is_with_its_problem_in_its_cell(sitting: Sitting) -> None:
    answer = paste(sitting, "陈秀英\t外星人\t123\n")
    assert people(sitting, "name", "relation", "resident_id") == [("陈秀英", "外星人", "123")]
    assert "2 处要改" in answer["undo"]
    wrong = {view.ref.rpartition("/")[2] for view in sitting.shown.views.values() if view.problem}
    assert {"relation", "resident_id"} <= wrong


def test_pasting_again_changes_nothing_and_from_a_later_row_keeps_the_earlier(sitting: Sitting) -> None:
    paste(sitting, "甲\n乙\n")
    before = sitting.whole()["member"]
    paste(sitting, "甲\n乙\n")
    assert sitting.whole()["member"] == before
    paste(sitting, "丙\n丁\n", "/data/member[2]/name")
    assert people(sitting, "name") == [("甲",), ("丙",), ("丁",)]
    assert [row["_id"] for row in sitting.whole()["member"]][:2] == [row["_id"] for row in before]


def test_pasting_is_undone_at_once_and_what_was_typed_elsewhere_since_stays(sitting: Sitting) -> None:
    paste(sitting, "甲\t户主\n乙\n")
    where = "/data/household_basic/head_name"
    sitting.change(sitting.counter, [{"op": "set", "ref": where, "value": "陈秀英"}])
    sitting.change(sitting.counter, [{"op": "set", "ref": "/data/member[2]/name", "value": "丙"}])
    sitting.change(sitting.counter, [{"op": "undo"}])
    assert len(sitting.whole()["member"]) == 1
    assert sitting.instance.get(where) == "陈秀英"
    assert sitting.instance.get(NAME) == ""


def test_days_of_the_chinese_calendar_are_pasted_too(sitting: Sitting) -> None:
    paste(sitting, "姓名\t出生日期\n甲\t农历一九五八年三月初四\n")
    assert people(sitting, "birth_date") == [("1958-04-22",)]
    assert sitting.shown.views["/data/member[1]/birth_date"].aside == "农历1958年三月初四"


def test_too_many_rows_are_refused_with_words(sitting: Sitting) -> None:
    answer = paste(sitting, "甲\n" * (MOST_ROWS + 1))
    assert "最多粘贴" in answer["notice"]
    assert people(sitting, "name") == [(None,)]


def test_who_likes_tables_has_them_in_the_next_record_too(sitting: Sitting) -> None:
    sittings, station = Sittings(), sitting.station
    one = sittings.open(station, Key(str(uuid7()), "household", "", "", ""), "zh")
    one.page()
    one.change(0, [{"op": "table", "ref": "/data/member", "on": True, "focus": ""}])
    assert 'class="lines"' in sittings.open(station, Key(str(uuid7()), "household", "", "", ""), "zh").page()["sheet"]
    one.change(1, [{"op": "table", "ref": "/data/member", "on": False, "focus": ""}])
    assert 'class="lines"' not in one.page()["sheet"]


def test_several_choices_are_typed_as_labels_in_a_tables_cell(tmp_path: Path) -> None:
    from forms.reader import read_rows

    form = read_rows({
        "survey": [
            {"type": "begin repeat", "name": "row", "label": "人"},
            *({"type": "text", "name": f"t{n}", "label": f"第{n}"} for n in range(6)),
            {"type": "select_multiple ill", "name": "ill", "label": "病"},
            {"type": "end repeat"},
        ],
        "choices": [
            {"list_name": "ill", "name": name, "label": label} for name, label in (("bp", "高血压"), ("dm", "糖尿病"))
        ],
        "settings": [{"form_id": "ill", "version": "1"}],
    })  # fmt: skip
    with Station.create(tmp_path / "i", name="测试", villages={"999999001001": "洗马塘村"}) as station:
        station.add_form(form)
        sitting = Sittings().open(station, Key(str(uuid7()), "ill", "", "999999001001", ""), "zh")
        sitting.page()
        ref = "/data/row[1]/ill"
        assert sitting.shown.views[ref].kind == "check"
        answer = sitting.change(0, [{"op": "table", "ref": "/data/row", "on": True, "focus": ref}])
        assert sitting.shown.views[ref].kind == "codes"
        assert 'class="lines"' in answer["blocks"][0]["html"]
        (view,) = sitting.change(1, [{"op": "set", "ref": ref, "value": "糖尿病、高血压"}])["views"]
        assert view["value"] == "糖尿病、高血压"
        assert sitting.instance.get(ref) == "dm bp"
        sitting.change(2, [{"op": "set", "ref": ref, "value": "感冒"}])
        assert sitting.shown.views[ref].problem
