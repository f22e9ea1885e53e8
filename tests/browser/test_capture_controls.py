"""Every type of question is answered by keyboard and kept in the spelling the ledgers want."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from forms.reader import read_rows
from tests.browser.conftest import Served
from tests.browser.test_capture import READY, ask, at, field, settled, until

pytestmark = pytest.mark.browser

SURVEY = [
    ("text", "words", "一句话", ""),
    ("text", "long", "多行", "multiline"),
    ("integer", "whole", "整数", ""),
    ("decimal", "part", "小数", ""),
    ("range", "slide", "幅度", ""),
    ("date", "day", "日期", ""),
    ("time", "clock", "时间", ""),
    ("datetime", "moment", "时刻", ""),
    ("geopoint", "place", "位置", ""),
    ("geotrace", "way", "路线", ""),
    ("barcode", "code", "条码", ""),
    ("acknowledge", "agreed", "知情同意", ""),
    ("select_one colour", "one", "单选", ""),
    ("select_one colour", "small", "下拉单选", "minimal"),
    ("select_multiple colour", "many", "多选", ""),
    ("rank colour", "order", "排序", ""),
    ("image", "photo", "照片", ""),
    ("note", "remark", "说明 **要紧** <script>alert(1)</script>", ""),
    ("begin_repeat", "child", "子女", ""),
    ("text", "child_name", "姓名", ""),
    ("integer", "child_age", "年龄", ""),
    ("end_repeat", "", "", ""),
    ("begin_repeat", "plot", "地块", ""),
    ("text", "plot_name", "地名", ""),
    ("begin_repeat", "crop", "作物", ""),
    ("text", "crop_name", "作物名", ""),
    ("end_repeat", "", "", ""),
    ("end_repeat", "", "", ""),
    ("calculate", "sum", "合计", ""),
]


def form() -> Any:
    """Return a form with every type of question."""
    survey = [{"type": kind, "name": name, "label": label, "appearance": look} for kind, name, label, look in SURVEY]
    survey[4]["parameters"] = "start=0 end=10 step=1"
    survey[-1]["calculation"] = "${whole} + 1"
    colours = [("red", "红"), ("green", "绿"), ("blue", "蓝")]
    choices = [{"list_name": "colour", "name": name, "label": label} for name, label in colours]
    settings = [{"form_id": "all_types", "form_title": "各种题型", "version": "1"}]
    return read_rows({"survey": survey, "choices": choices, "settings": settings})


def test_every_type_of_question_is_answered_by_keyboard(
    tmp_path: Path, serve: Callable[[Path], Served], visit: Any
) -> None:
    folder = tmp_path / "station"
    with Station.create(folder, name="测试", villages=[("999999001001", "洗马塘村")], author="王建国") as station:
        station.add_form(form())
    served = serve(folder)
    page = visit(served.start())
    page.goto(f"{served.url}/-/capture/all_types")
    page.wait_for_selector(READY)
    press = page.keyboard.press

    def answer(ref: str, *keys: str) -> None:
        at(page, f"/data/{ref}")
        for key in keys:
            if len(key) == 1 or key in ("Enter", "Shift+Enter", "ArrowDown", "Space", "Alt+n"):
                press(key)
            else:
                page.keyboard.type(key)

    answer("words", "王建国", "Enter")
    answer("long", "第一行", "Shift+Enter", "第二行", "Enter")
    answer("whole", "１２", "Enter")
    answer("part", "3.5", "Enter")
    answer("slide", "7", "Enter")
    answer("day", "19580304", "Enter")
    answer("clock", "8:30", "Enter")
    answer("moment", "20260304 8:30", "Enter")
    answer("place", "26.6470, 106.6302", "Enter")
    answer("way", "26.6 106.6; 26.7 106.7", "Enter")
    answer("code", "6901234567892", "Enter")
    answer("agreed", "Space", "Enter")
    answer("one", "2")
    at(page, "/data/small")
    page.wait_for_selector(".finder li[role=option]:visible")
    answer("small", "3")
    answer("many", "1", "3", "Enter")
    answer("order", "3", "1", "2", "Enter")
    answer("photo", "Enter")  # left out
    answer("child[1]/child_name", "小红", "Enter")
    answer("child[1]/child_age", "9", "Alt+n")
    answer("child[2]/child_name", "小明", "Enter")
    answer("child[2]/child_age", "7", "Enter")
    at(page, "/data/child")  # the button that adds another
    press("Tab")
    answer("plot[1]/plot_name", "河坝", "Enter")
    answer("plot[1]/crop[1]/crop_name", "玉米", "Alt+n")
    answer("plot[1]/crop[2]/crop_name", "黄豆", "Enter")
    settled(page)
    assert field(page, "/data/day").input_value() == "1958-03-04"
    assert page.locator(".repeat-table tbody tr").count() >= 2
    assert "选照片" in ask(page, "/data/photo").inner_text()
    assert ask(page, "/data/remark").locator("strong").inner_text() == "要紧"
    until(page, lambda: ask(page, "/data/sum").locator("output").inner_text() == "13", "the sum did not follow")
    press("Control+s")
    page.wait_for_selector(".saved")
    with Station.open(folder, readonly=True) as station:
        (record,) = [row["_id"] for row in station.attachments.open("all_types.csv").rows()]
        answers = station.answers("all_types", record)
    expected = {
        "words": "王建国", "long": "第一行\n第二行", "whole": 12, "part": 3.5, "slide": 7, "day": "1958-03-04",
        "clock": "08:30:00.000", "code": "6901234567892", "agreed": "OK", "one": "green", "small": "blue",
        "many": "red blue", "order": "blue red green", "sum": "13",
    }  # fmt: skip
    assert {name: answers.get(name) for name in expected} == expected
    assert answers["moment"].startswith("2026-03-04T08:30")
    assert answers["place"].startswith("26.647 106.6302")
    assert [(row["child_name"], row["child_age"]) for row in answers["child"]] == [("小红", 9), ("小明", 7)]
    assert [row["crop_name"] for row in answers["plot"][0]["crop"]] == ["玉米", "黄豆"]
