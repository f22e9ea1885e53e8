"""A ledger's list by keyboard in a real browser: cells, many rows, filters, views, ten thousand rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collect.station import Station
from tests.browser.conftest import VILLAGES, Served


def homes(folder: Path, number: int) -> None:
    village = VILLAGES[0][0]
    with Station.open(folder) as station:
        form = station.form("household")
        rows = [
            (form, {"village": village, "head_name": f"陈{at}", "household_number": f"{at:05}",
                    "member": [{"name": f"陈{at}", "sex": "male"}]}, village)
            for at in range(1, number + 1)
        ]  # fmt: skip
        station.save_many(rows, author="王建国")


@pytest.fixture
def page(folder: Path, serve: Callable[[Path], Served], visit: Callable[..., Any]) -> Callable[[int, str], Any]:
    def opened(number: int, path: str = "/-/list/household") -> Any:
        homes(folder, number)
        served = serve(folder)
        page = visit(served.start())
        page.goto(served.url + path)
        page.wait_for_selector("body[data-ready]")
        return page

    return opened


def cell(page: Any) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def until(page: Any, condition: str) -> None:
    """Wait for what a script says; the pages' own rules let no test put one into them."""
    end = time.monotonic() + 8
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(20)


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_cell_is_changed_refused_and_undone_by_keyboard(page: Callable[..., Any], folder: Path) -> None:
    shown = page(3)
    assert cell(shown) == "陈1"
    press(shown, "ArrowDown", *["ArrowRight"] * 4, "Enter")
    shown.wait_for_selector(".editor input")
    shown.keyboard.type("12")
    press(shown, "Enter")
    shown.wait_for_selector(".editor .problem:not(:empty)")
    assert "手机号" in shown.inner_text(".editor .problem")
    press(shown, "Control+a")
    shown.keyboard.type("13812345678")
    press(shown, "Enter")
    shown.wait_for_selector(".editor", state="detached")
    until(shown, "document.querySelector('#grid').textContent.includes('13812345678')")
    assert shown.evaluate("document.activeElement.closest('tr').dataset.at") == "2"
    press(shown, "Control+z")
    until(shown, "!document.querySelector('#grid').textContent.includes('13812345678')")
    with Station.open(folder) as station:
        assert [row["phone"] for row in station.projection.rows("household")] == [None] * 3


def test_escape_leaves_a_cell_as_it_was(page: Callable[..., Any], folder: Path) -> None:
    shown = page(1)
    press(shown, "Enter")
    shown.wait_for_selector(".editor input")
    shown.keyboard.type("别人")
    press(shown, "Escape")
    shown.wait_for_selector(".editor", state="detached")
    assert cell(shown) == "陈1"


def test_a_choice_is_picked_by_its_number_and_many_are_ticked(page: Callable[..., Any], folder: Path) -> None:
    shown = page(2)
    press(shown, *["ArrowRight"] * 5, "Enter")
    shown.wait_for_selector(".editor input[type=checkbox]:focus")
    press(shown, "ArrowDown", "Space", "ArrowDown", "Space", "Enter")
    shown.wait_for_selector(".editor", state="detached")
    press(shown, "End", "Enter")
    shown.wait_for_selector(".editor [role=option]")
    press(shown, "2")
    shown.wait_for_selector(".editor", state="detached")
    with Station.open(folder) as station:
        (first, second) = station.projection.rows("household")
    assert first["household_type"].split() == ["subsistence", "extreme_poverty"]
    assert second["house_grade"] is not None


def test_what_was_changed_elsewhere_meanwhile_is_shown(page: Callable[..., Any], folder: Path) -> None:
    shown = page(1)
    press(shown, *["ArrowRight"] * 2, "Enter")
    shown.wait_for_selector(".editor input")
    with Station.open(folder) as station:
        (row,) = station.projection.rows("household")
        answers = {**station.answers("household", row["_id"]), "group_name": "7组"}
        station.save(answers, "household", record=row["_id"], author="李")
    shown.keyboard.type("3组")
    press(shown, "Enter")
    shown.wait_for_selector("#told .bad")
    assert cell(shown) == "7组"


def test_rows_are_chosen_and_changed_together(page: Callable[..., Any], folder: Path) -> None:
    shown = page(4)
    press(shown, "ArrowRight", "ArrowRight", "Space", "Shift+ArrowDown", "Shift+ArrowDown", "e")
    shown.wait_for_selector("dialog input[type=text]:focus")
    shown.keyboard.type("3组")
    press(shown, "Enter")
    shown.wait_for_selector("dialog", state="hidden")
    shown.wait_for_selector("#told button")
    with Station.open(folder) as station:
        assert [row["group_name"] for row in station.projection.rows("household")] == ["3组"] * 3 + [None]
    shown.click("#told button")
    until(shown, "!document.querySelector('#grid').textContent.includes('3组')")


def test_a_filter_a_sorting_and_a_view_come_back_by_name(page: Callable[..., Any]) -> None:
    shown = page(12)
    press(shown, "ArrowRight", "ArrowRight", "ArrowRight", "Alt+ArrowDown")
    shown.wait_for_selector(".popup input")
    shown.keyboard.type("1")
    press(shown, "Enter")
    until(shown, "document.querySelectorAll('#grid tbody tr').length === 4")
    shown.wait_for_selector("#chips .chip")
    shown.click("#open-views")
    shown.keyboard.type("有一的")
    press(shown, "Enter")
    shown.wait_for_selector("dialog .views a")
    press(shown, "Escape")
    shown.click("#chips .chip button")
    until(shown, "document.querySelectorAll('#grid tbody tr').length === 12")
    shown.click("#open-views")
    shown.click("dialog .views a")
    shown.wait_for_selector("body[data-ready]")
    until(shown, "document.querySelectorAll('#grid tbody tr').length === 4")


def test_ten_thousand_rows_open_at_once_and_scroll_to_the_end(page: Callable[..., Any]) -> None:
    shown = page(10_000)
    assert shown.evaluate("document.querySelectorAll('#grid tbody tr').length") < 120
    press(shown, "Control+End")
    until(shown, "document.activeElement.closest('tr')?.textContent.includes('10000')")
    press(shown, "Control+Home")
    until(shown, "document.activeElement.closest('tr')?.textContent.includes('00001')")
    press(shown, "/")
    shown.keyboard.type("陈9999")
    until(shown, "document.querySelectorAll('#grid tbody tr').length === 1")
    assert shown.evaluate("document.activeElement.id") == "text"


@pytest.mark.parametrize("size", [(1366, 768), (911, 512)])  # 911 x 512: a screen of 1366 x 768 at 150 %
def test_nothing_needs_the_page_to_be_moved_sideways_and_everybody_can_use_it(
    page: Callable[..., Any], size: tuple[int, int]
) -> None:
    shown = page(30)
    shown.set_viewport_size({"width": size[0], "height": size[1]})
    assert shown.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    results = Axe().run(shown)
    assert results.violations_count == 0, results.generate_report()
    press(shown, "Enter")
    shown.wait_for_selector(".editor input")
    results = Axe().run(shown)
    assert results.violations_count == 0, results.generate_report()
