"""The start page's search by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from collect.station import Station
from tests.browser.conftest import VILLAGES, Served


def test_a_person_is_found_and_opened_without_a_mouse(
    folder: Path, serve: Callable[[Path], Served], visit: Callable[..., Any]
) -> None:
    with Station.open(folder) as station:
        answers = {"village": VILLAGES[0][0], "head_name": "单雄信", "member": [{"name": "单雄信", "sex": "male"}]}
        station.save(answers, "household", author="王建国")
    page = visit(serve(folder).start())
    page.wait_for_selector("#find")
    page.wait_for_load_state("load")  # the page's script is there
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("雄信")
    page.wait_for_selector("#found mark")
    assert page.input_value("#find") == "雄信"
    assert page.inner_text("#found mark >> nth=0") == "雄信"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/household/**")
    assert "单雄信" in page.inner_text("main")


def test_a_slash_leads_to_the_search_from_any_page(
    folder: Path, serve: Callable[[Path], Served], visit: Callable[..., Any]
) -> None:
    served = serve(folder)
    page = visit(served.start())
    page.wait_for_selector("#find")
    for path in ("/-/visits", "/-/import", "/-/sync", "/-/saves", "/-/care", "/-/guide", "/township/household"):
        page.goto(served.url + path)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        page.wait_for_selector("input[type=search]:focus")
