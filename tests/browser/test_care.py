"""Import wizard, undo and conflicts by keyboard in a real browser, and what axe-core says of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collect.station import Station
from forms.reader import load_shipped
from tests.browser.conftest import VILLAGES, Served

CSV = "行政村,户编号,户主姓名,姓名,与户主关系\n洗马塘村,1,王芳,王芳,本人\n洗马塘村,2,赵六,赵六,怪人\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "a"
    with Station.create(folder, name="一号", villages=VILLAGES, author="李志强") as station:
        station.add_form(load_shipped("household"))
    one = Served(folder)
    yield one
    one.stop()


def test_a_file_is_imported_and_undone_by_keyboard(browser: Any, served: Served, tmp_path: Path) -> None:
    path = tmp_path / "台账.csv"
    path.write_bytes(CSV.encode("gb18030"))
    with browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}) as context:
        page = context.new_page()
        page.goto(served.start())
        page.wait_for_url("**/")
        page.goto(f"{served.url}/-/import")
        page.set_input_files("#import-file", str(path))
        page.wait_for_url("**/-/import/*")
        page.locator("button[value=dry]").press("Enter")
        page.wait_for_selector("text=试运行结果")
        assert page.locator("text=怪人").count()
        page.locator("button[value=import]").press("Enter")
        page.wait_for_selector("text=撤销这次导入")
        found = [Axe().run(page).response["violations"]]
        page.goto(f"{served.url}/-/saves")
        page.keyboard.press("Control+z")
        page.wait_for_selector("text=已撤销")
        for name in ("saves", "sync", "care", "guide", "import"):
            page.goto(f"{served.url}/-/{name}")
            found.append(Axe().run(page).response["violations"])
        assert [[each["id"] for each in violations] for violations in found] == [[]] * 6
    with Station.open(served.folder) as station:
        assert not list(station.projection.rows("household"))
