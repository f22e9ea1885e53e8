"""A new folder in a real browser: a backup restored by keyboard, and the start page follows in the same program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe

from collect.backup import back_up
from collect.station import Station
from tests.browser.conftest import VILLAGES, Served


def test_a_backup_is_restored_and_the_start_page_comes_up_without_a_restart(
    visit: Callable[..., Any], serve: Callable[[Path], Served], folder: Path, tmp_path: Path
) -> None:
    with Station.open(folder) as station:
        station.save({"village": VILLAGES[0][0], "head_name": "赵六"}, "household", author="王建国")
    back_up(folder, tmp_path / "stick", passphrase="三个 词 口令")
    served = serve(tmp_path / "new")
    page = visit(served.start())
    page.wait_for_selector("text=欢迎使用村册")
    page.locator("#from").fill(str(tmp_path / "stick"))
    page.keyboard.press("Enter")
    page.wait_for_selector("text=有口令")
    assert Axe().run(page).response["violations"] == []
    page.keyboard.press("Tab")
    page.keyboard.type("三个 词 口令")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=清溪镇 03 号笔记本")
    page.wait_for_selector(".start", timeout=30000)
    assert "最近保存" in page.locator("header").inner_text()
    assert served.process is not None
    assert served.process.poll() is None
