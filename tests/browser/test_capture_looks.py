"""Pictures beside labels, and the appearances of choices and dates, on the real page."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from collect.station import Station
from forms.definition import Form
from forms.reader import read_rows
from tests.browser.conftest import VILLAGES, Served
from tests.browser.test_capture import READY, ask, at, field, settled, until

pytestmark = pytest.mark.browser

BESIDE = {"media::image": "house.png", "media::big-image": "large.png"}
TREES = "松柏杉樟桂柳杨槐榆枫桐"
KINDS = ("砖混", "框架", "土木", "木结构", "石结构", "彩钢", "其他")


def picture(colour: str, size: tuple[int, int] = (320, 200)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, "PNG")
    return data.getvalue()


def looks() -> Form:
    def asked(name: str, label: str, appearance: str, kind: str = "select_one house", **more: str) -> dict[str, str]:
        return {"type": kind, "name": name, "label": label, "appearance": appearance, **more}

    three = "select_one often"
    survey = [
        asked("quick", "房屋类型（选了就走）", "quick", **BESIDE),
        asked("three", "三列", "columns-3"),
        asked("packed", "紧排", "columns-pack"),
        asked("bare", "无圆点", "no-buttons columns-4"),
        asked("how", "满意吗", "likert", three),
        {"type": "begin group", "name": "table", "label": "多久一次", "appearance": "table-list"},
        asked("water", "停水", "", three),
        asked("power", "停电", "", three),
        {"type": "end group"},
        asked("pictured", "看图选", "", "select_one pictured"),
        asked("map", "点图选", "image-map", "select_one pictured"),
        asked("long", "村里的树", "columns-pack", "select_one tree"),
        asked("small", "从名单找", "minimal", three),
        asked("month", "哪个月", "month-year", "date"),
        asked("year", "哪一年", "year", "date"),
        {"type": "note", "name": "told", "label": "**说明**：见[民政部](https://www.mca.gov.cn/)网站", "hint": "提示",
         "guidance_hint": "*怎么问*"},
    ]  # fmt: skip
    choices = [{"list_name": "house", "name": f"h{at}", "label": label} for at, label in enumerate(KINDS)]
    choices += [
        {"list_name": "often", "name": name, "label": label}
        for name, label in (("never", "从不"), ("some", "有时"), ("often", "经常"), ("always", "总是"))
    ]
    choices += [
        {"list_name": "pictured", "name": name, "label": label, "media::image": f"{name}.png"}
        for name, label in (("red", "红砖"), ("grey", "青砖"), ("wood", "木板"))
    ]
    choices += [{"list_name": "tree", "name": f"t{at}", "label": f"{tree}树"} for at, tree in enumerate(TREES)]
    return read_rows({
        "survey": survey, "choices": choices,
        "settings": [{"form_id": "looks", "form_title": "样式", "version": "1"}],
    })  # fmt: skip


@pytest.fixture
def served(tmp_path: Path, serve: Callable[[Path], Served]) -> Served:
    folder = tmp_path / "station"
    media = {"house.png": picture("#8a9"), "large.png": picture("#8a9", (1600, 1000))}
    media |= {f"{name}.png": picture(colour) for name, colour in (("red", "#b43"), ("grey", "#778"), ("wood", "#a85"))}
    with Station.create(folder, name="测试", villages=VILLAGES[:1], author="王建国") as station:
        station.add_form(looks(), media)
    return serve(folder)


def opened(served: Served, visit: Any) -> Any:
    page = visit(served.start())
    page.goto(f"{served.url}/-/capture/looks")
    page.wait_for_selector(READY)
    return page


def shown(page: Any, selector: str) -> bool:
    return bool(page.locator(selector).evaluate("picture => picture.complete && picture.naturalWidth > 0"))


def test_pictures_of_labels_and_choices_are_shown(served: Served, visit: Any) -> None:
    page = opened(served, visit)
    until(page, lambda: shown(page, '[data-ref="/data/quick"] .shown-image img'), "the label's picture is not there")
    assert page.locator('[data-ref="/data/pictured"] .pick img').count() == 3
    until(page, lambda: shown(page, '[data-ref="/data/pictured"] .pick:nth-child(3) img'), "no picture of a choice")
    large = page.locator('[data-ref="/data/quick"] .shown-image').get_attribute("href")
    with page.context.expect_page() as other:
        page.locator('[data-ref="/data/quick"] .shown-image').click()
    assert other.value.url.endswith(large)
    assert page.locator('[data-ref="/data/told"] strong').inner_text() == "说明"
    assert page.locator('[data-ref="/data/told"] a').get_attribute("href") == "https://www.mca.gov.cn/"


def test_a_quick_choice_goes_on_by_itself_however_it_is_made(served: Served, visit: Any) -> None:
    page = opened(served, visit)
    at(page, "/data/quick")
    page.locator('[data-ref="/data/quick"] .pick').nth(2).click()
    at(page, "/data/three")
    page.locator('[data-ref="/data/three"] .pick').nth(1).click()  # not quick: stays
    settled(page)
    at(page, "/data/three")
    page.keyboard.press("Shift+Tab")
    at(page, "/data/quick")
    page.keyboard.press("ArrowDown")  # walking among them is no choice yet
    settled(page)
    at(page, "/data/quick")
    page.keyboard.press(" ")
    at(page, "/data/three")


def test_a_letter_takes_the_choice_that_begins_with_it(served: Served, visit: Any) -> None:
    page = opened(served, visit)
    page.keyboard.press("k")  # 框架
    at(page, "/data/three")
    assert page.locator('[data-ref="/data/quick"] input:checked').get_attribute("value") == "h1"
    ask(page, "/data/long").locator("input").first.focus()
    for letter in "yy":  # 杨、榆: one after the other
        page.keyboard.press(letter)
    page.keyboard.press(" ")
    settled(page)
    assert page.locator('[data-ref="/data/long"] input:checked').get_attribute("value") == "t8"


def test_choices_stand_as_their_author_laid_them_out(served: Served, visit: Any) -> None:
    page = opened(served, visit)

    def lefts(ref: str) -> int:
        picks = page.locator(f'[data-ref="{ref}"] .pick')
        return len({round(picks.nth(n).bounding_box()["x"]) for n in range(picks.count())})

    assert lefts("/data/three") == 3
    assert lefts("/data/how") == 4
    heads = page.locator(".matrix-heads .pick")
    row = page.locator('[data-ref="/data/table/water"] .pick')
    centres = [[round(each.nth(n).bounding_box()["x"]) for n in range(4)] for each in (heads, row)]
    assert centres[0] == centres[1]
    assert page.locator('[data-ref="/data/long"] .pick').count() == 11
    assert page.locator('[data-ref="/data/small"] [role=combobox]').count() == 1


def test_a_month_and_a_year_alone_are_dates(served: Served, visit: Any) -> None:
    page = opened(served, visit)
    for name, text, said in (("month", "202405", "2024-05"), ("year", "1998年", "1998")):
        field(page, f"/data/{name}").fill(text)
        page.keyboard.press("Enter")
        until(page, lambda name=name, said=said: field(page, f"/data/{name}").input_value() == said, f"no {said}")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    with Station.open(served.folder, readonly=True) as station:
        (row,) = station.attachments.open("looks.csv").rows()
    assert (row["month"], row["year"]) == ("2024-05-01", "1998-01-01")
