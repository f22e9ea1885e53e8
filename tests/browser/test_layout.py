"""Every page of a laptop at 1366 x 768, at 150 %, with the largest text: nothing sideways, nothing axe-core finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collect import preferences
from collect.station import Station
from forms.reader import load_shipped, shipped
from tests.browser.conftest import VILLAGES, Served

LONG = "阿布都热依木江·买买提艾力·吐尔逊"
PAGES = (
    "/", "/-/list/household", "/-/list/household_member", "/-/capture/household", "/-/sync", "/-/import", "/-/care",
    "/-/guide", "/-/saves", "/-/visits",
)  # fmt: skip


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Any]]:
    """A laptop with long names, drafts and a conflict, and the cookies that open it."""
    import httpx

    folder = tmp_path_factory.mktemp("layout") / "station"
    with Station.create(folder, name="清溪镇 03 号笔记本（东山片区）", villages=VILLAGES, author=LONG) as station:
        station.add_forms(load_shipped(name) for name in shipped())
        village = VILLAGES[0][0]
        answers = {"village": village, "head_name": LONG, "member": [{"name": LONG, "sex": "male"}], "note": LONG * 4}
        record = station.save(answers, "household", author=LONG).record
        seen = station.opened("household", record)
        for phone in ("13812345678", "13912345678"):
            changed = {**seen.answers, "phone": phone}
            station.save(changed, "household", record=record, author=LONG, seen=seen.seen)
        form = station.form("household")
        station.drafts.put("0" * 8, "household", form.version, None, {"head_name": LONG}, title=LONG, village=village)
    served = Served(folder)
    with httpx.Client(trust_env=False) as client:
        client.get(served.start())
        yield served, client.cookies
    served.stop()


def look(page: Any, path: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{path} is {wide} px wider than the window"
    results = Axe().run(page)
    assert results.violations_count == 0, f"{path}\n{results.generate_report()}"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_the_window_and_everybody_can_use_it(
    laptop: tuple[Served, Any], visit: Callable[..., Any], path: str
) -> None:
    served, cookies = laptop
    page = visit(served.url + path, cookies=cookies)
    page.wait_for_load_state("networkidle")
    look(page, path)
    page.set_viewport_size({"width": 911, "height": 512})  # 1366 x 768 at 150 %
    look(page, path)


@pytest.mark.parametrize("path", ["/", "/-/list/household", "/-/capture/household", "/-/care"])
def test_larger_text_fits_too(laptop: tuple[Served, Any], visit: Callable[..., Any], path: str) -> None:
    served, cookies = laptop
    before = preferences.read(served.folder)
    preferences.write(served.folder, replace(before, text_size="larger"))
    try:
        page = visit(served.url + path, cookies=cookies)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.body.currentCSSZoom") == pytest.approx(1.3)
        look(page, path)
    finally:
        preferences.write(served.folder, before)


def test_a_cell_of_larger_text_is_answered_where_it_stands(
    laptop: tuple[Served, Any], visit: Callable[..., Any]
) -> None:
    served, cookies = laptop
    before = preferences.read(served.folder)
    preferences.write(served.folder, replace(before, text_size="larger"))
    try:
        page = visit(f"{served.url}/-/list/household", cookies=cookies)
        page.wait_for_selector("body[data-ready]")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_selector(".editor input")
        cell = page.locator("td[data-column='2']").bounding_box()
        editor = page.locator(".editor").bounding_box()
        assert abs(cell["x"] - editor["x"]) < 12
        assert abs(cell["y"] - editor["y"]) < 12
    finally:
        preferences.write(served.folder, before)


def test_settings_are_kept_and_a_new_household_begins_in_the_village_chosen(
    laptop: tuple[Served, Any], visit: Callable[..., Any]
) -> None:
    served, cookies = laptop
    before = preferences.read(served.folder)
    try:
        page = visit(f"{served.url}/-/care", cookies=cookies)
        page.select_option("#village", VILLAGES[1][0])
        page.check("input[name=text_size][value=large]")
        page.click("button.primary")
        page.wait_for_selector("html[data-size=large]")
        page.goto(served.url)
        assert VILLAGES[1][0] in str(page.get_attribute(".door-main", "href"))
        page.click(".door-main")
        page.wait_for_selector("#capture[data-ready]")
        page.locator("#capture").get_by_text(VILLAGES[1][1]).first.wait_for()
    finally:
        preferences.write(served.folder, before)


def test_the_guide_has_four_screens_by_arrow_keys(laptop: tuple[Served, Any], visit: Callable[..., Any]) -> None:
    served, cookies = laptop
    page = visit(f"{served.url}/-/guide", cookies=cookies)
    page.wait_for_load_state("networkidle")
    seen = [page.inner_text(".guide-screen:not([hidden]) h2")]
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        seen.append(page.inner_text(".guide-screen:not([hidden]) h2"))
    assert [title[0] for title in seen] == ["1", "2", "3", "4", "4"]
    page.emulate_media(media="print")
    assert page.locator(".keys-card").is_visible()
    assert not page.locator(".guide").is_visible()
