"""Every shipped ledger filled in by keyboard alone, and what axe-core says of its page: empty, at fault, as a table."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collect.station import Station
from forms.clock import SystemClock
from forms.reader import load_shipped, shipped
from forms.tables import table_name
from tests.browser.conftest import VILLAGES, Served
from tests.browser.test_capture import READY, settled, until
from tests.browser.test_capture_looks import looks, picture

pytestmark = pytest.mark.browser

HOUSEHOLD = {
    "village": VILLAGES[0][0], "group_name": "3组", "household_number": "0312", "head_name": "陈秀英",
    "member": [{"name": "陈秀英", "sex": "female", "birth_date": "1949-12-31", "relation": "02"}],
}  # fmt: skip
BY_KIND = {
    "text": "test", "area": "a few words", "number": "3", "decimal": "3.5", "range": "3", "date": "20240304",
    "time": "8:30", "datetime": "20240304 8:30", "month": "202403", "year": "2024", "point": "26.6 106.6",
    "line": "26.6 106.6; 26.7 106.6; 26.7 106.7",
}  # fmt: skip
BY_LENGTH = {"18": "11010519491231002X", "11": "13812345678"}
BY_NAME = {
    "closed_on": f"{SystemClock().now():%Y%m%d}", "deadline": "20990101", "followup_on": "20990101",
    "ended": "20990101 8:30", "disability_certificate": "11010519491231002X43",
}  # fmt: skip
MOST_STEPS = 150
WHERE = """() => {
  const here = document.activeElement, ask = here.closest(".ask");
  if (!ask) return { id: here.id, add: here.matches(".add") };
  const boxes = [...ask.querySelectorAll(".ask-control input[type=radio], .ask-control input[type=checkbox]")];
  const value = boxes.length ? boxes.some((box) => box.checked) && "x" : here.value ?? "";
  const { ref, kind, full } = ask.dataset;
  return { ref, kind, full: full ?? "", value, listed: ask.querySelectorAll("[role=option]").length };
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("forms") / "station"
    with Station.create(folder, name="测试", villages=VILLAGES, author="王建国") as station:
        station.add_forms(map(load_shipped, shipped()))
        station.add_form(looks(), {"house.png": picture("#8a9")})
        station.save(HOUSEHOLD, "household", author="王建国")
    one = Served(folder)
    yield one, one.start()
    one.stop()


@pytest.fixture
def opened(served: tuple[Served, str], visit: Any) -> Callable[[str], Any]:
    """Open the page of a form, by a cookie taken once."""
    import httpx

    one, entrance = served
    if not hasattr(one, "cookies"):
        with httpx.Client(trust_env=False) as client:
            client.get(entrance)
            one.cookies = client.cookies  # type: ignore[attr-defined]

    def go(form: str) -> Any:
        page = visit(one.url, cookies=one.cookies)  # type: ignore[attr-defined]
        page.goto(f"{one.url}/-/capture/{form}?village={VILLAGES[0][0]}")
        page.wait_for_selector(READY)
        return page

    return go


def answer(page: Any, here: dict[str, Any]) -> None:
    """Answer the question that has the keyboard, unless it has an answer or may be passed."""
    kind, name = here["kind"], here["ref"].rpartition("/")[2]
    if here["value"]:
        return
    if kind in ("radio", "check"):
        page.keyboard.press("2" if name == "kind" else "1")  # an old person, where it is to be said who is left behind
    elif kind == "search":
        until(page, lambda: page.evaluate(WHERE).get("listed"), "no list opened") if here["listed"] else None
        page.wait_for_timeout(150)
        if page.evaluate(WHERE)["listed"]:
            page.keyboard.press("ArrowDown")
    elif kind in BY_KIND:
        page.keyboard.type(BY_NAME.get(name) or BY_LENGTH.get(here["full"]) or BY_KIND[kind])


def interview(page: Any) -> int:
    """Go from question to question with Enter until the button that saves has the keyboard; return how many."""
    seen: list[str] = []
    for _ in range(MOST_STEPS):
        here = page.evaluate(WHERE)
        if here.get("id") == "save":
            return len(seen)
        if here.get("add"):
            page.keyboard.press("Tab")
            continue
        before = here["ref"]
        if before not in seen:
            seen.append(before)
            answer(page, here)
        end = time.monotonic() + 0.8  # some answers go on by themselves
        while page.evaluate(WHERE).get("ref") == before and time.monotonic() < end:
            if here["kind"] not in ("radio",) and not here["full"]:
                break
            page.wait_for_timeout(30)
        if page.evaluate(WHERE).get("ref") == before:
            page.keyboard.press("Enter")
            until(page, lambda before=before: page.evaluate(WHERE).get("ref") != before, f"Enter stays on {before}")
    raise AssertionError("the interview never ends: " + " ".join(seen[-5:]))


@pytest.mark.parametrize("form", shipped())
def test_a_ledger_is_filled_in_by_keyboard_alone(
    form: str, opened: Callable[[str], Any], served: tuple[Served, str]
) -> None:
    table = table_name(load_shipped(form))
    with Station.open(served[0].folder, readonly=True) as station:
        before = {row["_id"] for row in station.projection.rows(table)}
    page = opened(form)
    answered = interview(page)
    settled(page)
    page.keyboard.press("Enter")  # the button
    page.wait_for_selector(".saved, #summary:visible")
    wrong = page.locator("#summary-list li").all_inner_texts()
    assert page.locator(".saved").count(), wrong
    with Station.open(served[0].folder, readonly=True) as station:
        (row,) = [row for row in station.projection.rows(table) if row["_id"] not in before]
        answers = station.answers(table, row["_id"])
    assert answered > 5
    assert sum(1 for value in answers.values() if value not in (None, "", [])) > 5


def faults(page: Any, what: str) -> list[str]:
    rules = {"label-title-only": {"enabled": False}}  # a cell's visible label is the head of its column
    only = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": only, "rules": rules})
    return [
        f"{what} {each['id']}: {each['help']} {[node['html'][:160] for node in each['nodes'][:2]]}"
        for each in found.response["violations"]
    ]


@pytest.mark.parametrize("form", [*shipped(), "looks"])
def test_a_form_page_has_nothing_to_object_to_for_those_who_hear_it(form: str, opened: Callable[[str], Any]) -> None:
    page = opened(form)
    found = faults(page, "empty")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(500)
    if page.locator("#summary").is_visible():
        found += faults(page, "at fault")
        first = page.locator("#summary-list a").first
        first.click()  # the summary leads to what is missing
        until(page, lambda: "ref" in page.evaluate(WHERE), "the summary led nowhere")
    if page.locator(".as-table:visible").count():
        page.keyboard.press("Alt+t")
        page.wait_for_selector(".lines")
        found += faults(page, "table")
    assert not found, "\n".join(found)
