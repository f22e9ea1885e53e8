"""Columns, rows and pages of tables."""

from __future__ import annotations

import pytest

from datasette_plugins.publish.canvas import Canvas
from datasette_plugins.publish.fonts import Faces, packaged
from datasette_plugins.publish.tables import Column, Table, fit_columns, paginate, used
from datasette_plugins.village_map.geometry import Box

COLUMNS = (Column("编号", 1), Column("名称", 3), Column("电话", 1), Column("说明", 5))


@pytest.fixture(scope="module")
def canvas() -> Canvas:
    return Canvas(Faces([packaged()]), width=297, height=210)


def table(rows: int, words: str = "连续降雨二十四小时超过一百毫米时转移") -> Table:
    return Table("风险点", COLUMNS, tuple((str(n), "上寨屋后", "13800000001", words * 3) for n in range(rows)))


@pytest.mark.parametrize("width", [90.0, 184.0, 279.0])
def test_columns_fill_the_width_and_numbers_stay_whole(canvas: Canvas, width: float) -> None:
    fitted = fit_columns(canvas, table(3), width, 8)
    assert sum(column.share for column in fitted.columns) == pytest.approx(width)
    assert fitted.columns[2].share > canvas.measure("13800000001", 8) + 2


def test_empty_columns_are_left_out_but_the_first_stays() -> None:
    empty = Table("表", COLUMNS, (("", "甲", "", "—"), ("", "乙", "", "")))
    assert [column.heading for column in used(empty).columns] == ["编号", "名称"]


def test_every_row_stands_on_one_page_in_order(canvas: Canvas) -> None:
    area = Box(9, 20, 140, 100)
    pages = paginate(canvas, [table(30), table(4)], area, 8, first_top=80)
    for rows in (30, 4):
        pieces = [piece for page in pages for piece in page if len(piece.table.rows) == rows]
        assert [row for piece in pieces for row in range(piece.start, piece.end)] == list(range(rows))
    assert len(pages) > 2
    assert all(page and page[0].top == area.y for page in pages[1:])


def test_a_table_that_finds_no_room_below_begins_on_the_next_page(canvas: Canvas) -> None:
    pages = paginate(canvas, [table(2)], Box(9, 20, 140, 100), 8, first_top=112)
    assert [len(page) for page in pages] == [0, 1]


def test_no_tables_need_no_page(canvas: Canvas) -> None:
    assert paginate(canvas, [table(0)], Box(9, 20, 140, 100), 8) == []
