"""What happens to people at work: the back button, a pasted mess, rare names, a clock that is years wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from tests.browser import conftest
from tests.browser.conftest import Served
from tests.browser.test_capture import BASIC, READY, field, fill_least, open_form, settled

# As the machine's clock would be after its battery died, or after somebody set it to the wrong century.
WRONG = """
import datetime as time, forms.clock
class Wrong(forms.clock.SystemClock):
    def now(self):
        return time.datetime.now().astimezone().replace(year={year}, month=1, day=2)
forms.clock.SystemClock.now = Wrong.now
from collect.cli import main; main()
"""


@pytest.fixture
def served(folder: Path, serve: Callable[[Path], Served]) -> Served:
    return serve(folder)


def saved_names(served: Served) -> list[str]:
    with Station.open(served.folder, readonly=True) as station:
        return sorted(row["head_name"] for row in station.projection.rows("household"))


def test_the_back_button_loses_nothing(served: Served, visit: Callable[..., Any]) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page, "陈秀英")
    field(page, f"{BASIC}/address").click()
    page.keyboard.type("洗马塘12号")
    page.go_back()
    page.wait_for_selector(".drafts a")
    page.go_forward()
    page.wait_for_selector(READY)
    assert field(page, f"{BASIC}/head_name").input_value() == "陈秀英"
    assert field(page, f"{BASIC}/address").input_value() == "洗马塘12号"
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    page.go_back()
    page.wait_for_load_state()
    assert saved_names(served) == ["陈秀英"], "going back to what was saved saves nothing anew"


def test_a_double_click_on_save_saves_once(served: Served, visit: Callable[..., Any]) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page, "陈秀英")
    page.locator("#save").dblclick()
    page.wait_for_selector(".saved")
    assert saved_names(served) == ["陈秀英"]


def test_what_is_pasted_is_cleaned_and_nothing_of_it_breaks_a_line(served: Served, visit: Callable[..., Any]) -> None:
    page = visit(served.start())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.url)
    open_form(page, served)
    fill_least(page, "陈秀英")
    pasted = {
        f"{BASIC}/phone": "１３８１２３４５６７８\r\n", f"{BASIC}/address": "洗马塘\r\n12 号\n",
        f"{BASIC}/group_name": "\t三组\n",
    }  # fmt: skip
    for ref, text in pasted.items():
        page.evaluate("text => navigator.clipboard.writeText(text)", text)
        field(page, ref).click()
        page.keyboard.press("Control+v")
        page.keyboard.press("Tab")
        page.wait_for_timeout(100)
    settled(page)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    with Station.open(served.folder, readonly=True) as station:
        (row,) = station.projection.rows("household")
    assert row["phone"] == "13812345678"
    assert "\n" not in row["address"]
    assert row["address"].replace(" ", "") == "洗马塘12号"
    assert row["group_name"] == "三组"


@pytest.mark.parametrize("name", ["𬱖㛃", "欧阳阿依古丽·买买提江·吐尔逊", "单于解", "Ａｎｎａ·李"])
def test_rare_and_long_names_stay_as_they_are(served: Served, visit: Callable[..., Any], name: str) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page, name)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    assert name in page.inner_text(".saved-name")
    with Station.open(served.folder, readonly=True) as station:
        (row,) = station.projection.rows("household")
        assert row["head_name"] == name
        assert [hit.record for hit in station.find(name, table="household")] == [row["_id"]]


@pytest.mark.parametrize("year", [2000, 2089])
def test_a_clock_that_is_years_wrong_harms_nothing_but_dates(
    served: Served, visit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setattr(conftest, "CUNCE", WRONG.format(year=year))
        page = visit(served.start())
        open_form(page, served)
        fill_least(page, "陈秀英")
        page.keyboard.press("Control+s")
        page.wait_for_selector(".saved")
        served.kill()
    page = visit(served.start())  # the clock was put right
    with Station.open(served.folder, readonly=True) as station:
        (row,) = station.projection.rows("household")
        assert row["_updated_at"].startswith(str(year))
    page.goto(f"{served.url}/-/capture/household/{row['_id']}")
    page.wait_for_selector(READY)
    field(page, f"{BASIC}/head_name").fill("陈秀芳")
    settled(page)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    assert saved_names(served) == ["陈秀芳"]
    with Station.open(served.folder) as station:
        assert not station.conflicts()
        assert station.verify() == ()
