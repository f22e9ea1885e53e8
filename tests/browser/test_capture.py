"""Data entry by keyboard, as a village cadre does it: a whole household, drafts, windows, a killed program."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from tests.browser.conftest import Served

pytestmark = pytest.mark.browser

READY = "#capture[data-ready]"
ID = "11010519491231002X"  # a woman born on 1949-12-31, by GB 11643


@pytest.fixture()
def served(folder: Path, serve: Callable[[Path], Served]) -> Served:
    return serve(folder)


def ask(page: Any, ref: str) -> Any:
    return page.locator(f'.ask[data-ref="{ref}"]')


def field(page: Any, ref: str) -> Any:
    return ask(page, ref).locator("input[type=text], textarea").first


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.closest('[data-ref]')?.dataset.ref ?? document.activeElement.id"))


def until(page: Any, told: Callable[[], Any], what: str) -> None:
    """Wait until something holds (the pages' policy forbids the browser's own waiting for an expression)."""
    end = time.monotonic() + 8
    while not told():
        assert time.monotonic() < end, f"{what}; focus is on {focused(page)}"
        page.wait_for_timeout(20)


def at(page: Any, ref: str) -> None:
    """Wait until the keyboard is in a question (or row) of that ref."""
    until(page, lambda: focused(page) == ref, f"the focus never came to {ref}")


def settled(page: Any) -> None:
    """Wait until everything typed is kept."""
    until(page, lambda: page.inner_text("#kept").startswith("草稿已存"), "the draft was not kept")


def open_form(page: Any, served: Served, path: str = "household") -> None:
    page.goto(f"{served.url}/-/capture/{path}")
    page.wait_for_selector(READY)


def type_on(page: Any, *answers: str) -> None:
    """Type each answer and go on with Enter."""
    for answer in answers:
        if answer:
            page.keyboard.type(answer)
        page.keyboard.press("Enter")
        page.wait_for_timeout(60)


BASIC, HOUSING, PLACE = "/data/household_basic", "/data/housing", "/data/household_place"


def test_a_whole_household_is_entered_by_keyboard_alone(served: Served, visit: Any) -> None:
    page = visit(served.start())
    page.wait_for_url(f"{served.url}/")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)
    # Village by number key, then five texts, then two household types by number key.
    assert focused(page) == f"{BASIC}/village"
    page.wait_for_selector(".finder li")
    page.keyboard.press("1")
    at(page, f"{BASIC}/group_name")
    type_on(page, "3组", "0312", "陈秀英", "13812345678", "洗马塘 12 号")
    assert focused(page) == f"{BASIC}/household_type"
    page.keyboard.press("2")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    at(page, "/data/member[1]/name")
    type_on(page, "陈秀英", "", ID)
    # Sex and birth date came from the number: both are passed with Enter.
    at(page, "/data/member[1]/sex")
    assert field(page, "/data/member[1]/birth_date").input_value() == "1949-12-31"
    page.keyboard.press("Alt+n")
    at(page, "/data/member[2]/name")
    type_on(page, "李小军", "zi")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    assert "陈秀英" in page.inner_text(".saved-name")
    with Station.open(served.folder, readonly=True) as station:
        (hit,) = station.find("陈秀英", table="household")
        answers = station.answers("household", hit.record)
    assert answers["village"] == "999999001001"
    assert answers["group_name"] == "3组"
    assert answers["household_number"] == "0312"
    assert answers["phone"] == "13812345678"
    assert set(answers["household_type"].split()) == {"subsistence", "relieved"}
    first, second = answers["member"]
    assert (first["name"], first["resident_id"], first["sex"], first["birth_date"]) == ("陈秀英", ID, "female", "1949-12-31")
    assert second["name"] == "李小军"
    assert answers["member_count"] == 2
