"""Ctrl+Z outside a text field, from the start page, a household's page and a list: the last save, and back again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collect.station import Station
from tests.browser.conftest import VILLAGES, Served


@pytest.mark.parametrize("where", ["/", "/-/household/{record}", "/-/list/household"])
def test_the_last_save_is_undone_and_redone(
    visit: Callable[..., Any], serve: Callable[[Path], Served], folder: Path, where: str
) -> None:
    with Station.open(folder) as station:
        given = {"village": VILLAGES[0][0], "head_name": "赵六", "address": "旧屋"}
        record = station.save(given, "household", author="王建国").record
        station.save({**given, "address": "新屋"}, "household", record=record, author="王建国")
    served = serve(folder)
    page = visit(served.start())
    page.wait_for_selector(".start")
    page.goto(served.url + where.format(record=record))
    page.wait_for_load_state("networkidle")

    def stands() -> str:
        with Station.open(folder, readonly=True) as station:
            return str(station.answers("household", record)["address"])

    page.keyboard.press("Control+z")
    page.wait_for_selector("text=已撤销")
    assert stands() == "旧屋"
    assert Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"] == []
    page.get_by_role("button", name="恢复", exact=True).press("Enter")
    page.wait_for_selector("text=已恢复到撤销之前")
    assert stands() == "新屋"
    assert page.url.startswith(served.url + where.format(record=record))


def test_a_text_field_keeps_its_own_undo(
    visit: Callable[..., Any], serve: Callable[[Path], Served], folder: Path
) -> None:
    with Station.open(folder) as station:
        station.save({"village": VILLAGES[0][0], "head_name": "赵六"}, "household", author="王建国")
    page = visit(serve(folder).start())
    page.wait_for_selector(".start")
    page.wait_for_load_state("networkidle")
    page.locator("#find").press_sequentially("赵六")
    page.wait_for_selector("#found a")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(500)
    assert page.locator("text=已撤销").count() == 0
    with Station.open(folder, readonly=True) as station:
        assert len(list(station.projection.rows("household"))) == 1
