"""The household page, its actions and the visits, by keyboard in a real browser; nothing asked for outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.station import Station
from forms.reader import load_shipped
from tests.browser.conftest import VILLAGES, Served

VILLAGE = VILLAGES[0][0]


def home(station: Station, number: str, *people: tuple[str, str, str]) -> str:
    rows = [{"name": name, "relation": relation, "sex": sex} for name, relation, sex in people]
    given = {
        "village": VILLAGE, "head_name": people[0][0], "household_number": number, "group_name": "2组",
        "location": "26.6470 106.6302 0 0", "member": rows,
    }  # fmt: skip
    return station.save(given, "household", author="王建国").record


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A served station with two households; (program, cookies, first household, second)."""
    folder = tmp_path_factory.mktemp("household") / "station"
    with Station.create(folder, name="测试", villages=VILLAGES, author="王建国") as station:
        station.add_forms([load_shipped(name) for name in ("household", "visit", "issue", "left_behind")])
        one = home(station, "1", ("王德福", "02", "male"), ("李秀兰", "10", "female"), ("王建军", "20", "male"))
        two = home(station, "2", ("欧阳·阿卜杜勒买买提江", "02", "male"))
        home(station, "3", ("赵六", "02", "male"), ("赵七", "20", "male"))
    served = Served(folder)
    with httpx.Client(trust_env=False) as client:
        client.get(served.start())
        yield served, client.cookies, one, two
    served.stop()


def axe(page: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert found.violations_count == 0, found.generate_report()


def test_the_head_dies_by_keyboard_alone_and_it_is_undone(place: Any, visit: Callable[..., Any]) -> None:
    served, cookies, one, _ = place
    page = visit(served.url, cookies=cookies)
    page.goto(f"{served.url}/-/household/{one}")
    axe(page)
    assert "王德福" in page.inner_text("h1")
    page.get_by_role("link", name="成员离开").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=person]:focus")
    axe(page)
    for key in ("Space", "Tab", "Space", "Tab", "ArrowDown", "ArrowDown", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("20260304")
    page.keyboard.press("Enter")
    page.wait_for_selector("button.primary:focus")
    axe(page)
    said = page.inner_text("form.deed")
    assert "王德福：去世 2026-03-04" in said
    assert "户主由王德福改为李秀兰" in said
    page.keyboard.press("Enter")
    page.wait_for_selector(".told")
    assert page.inner_text("h1") == "李秀兰"
    assert "去世 2026-03-04" in page.inner_text("tr.left")
    page.get_by_role("button", name="撤销").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=已撤销")
    assert page.inner_text("h1") == "王德福"
    assert page.locator("tr.left").count() == 0


def test_a_visit_with_a_request_takes_few_keys_and_becomes_an_issue(place: Any, visit: Callable[..., Any]) -> None:
    served, cookies, one, _ = place
    page = visit(served.url, cookies=cookies)
    page.goto(f"{served.url}/-/visits")
    axe(page)
    assert page.locator("input[name=household]").count() == 3
    page.wait_for_selector(f"input[value='{one}']:focus")  # the first of the route is chosen
    keys = ["Tab", "x", "i", "u", "l", "u", "Enter"]
    assert len(keys) < 10
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_selector(".told")
    assert page.locator("input[name=household]").count() == 2
    page.wait_for_selector("input[name=household]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=已记“欧阳·阿卜杜勒买买提江”户的走访")
    page.goto(f"{served.url}/-/household/{one}")
    assert "xiulu" in page.inner_text("article.entry >> nth=0")


def test_an_entry_begins_with_the_household_filled_in(place: Any, visit: Callable[..., Any]) -> None:
    served, cookies, one, _ = place
    page = visit(served.url, cookies=cookies)
    page.goto(f"{served.url}/-/household/{one}")
    page.get_by_role("link", name="新增三留守人员台账").click()
    page.wait_for_url("**/-/capture/left_behind?draft=*")
    assert "王德福" in page.content()


def test_a_household_is_found_and_joined(place: Any, visit: Callable[..., Any]) -> None:
    served, cookies, _, two = place
    page = visit(served.url, cookies=cookies)
    page.goto(f"{served.url}/-/household/{two}/do/merge")
    page.wait_for_selector("#q:focus")
    page.keyboard.type("zhaoliu")
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=target]:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("button.primary:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector(".told")
    assert "并入他户" in page.inner_text(".page-head")
    axe(page)


def test_what_is_wrong_is_said_and_nothing_is_saved(place: Any) -> None:
    served, cookies, one, _ = place
    with httpx.Client(base_url=served.url, cookies=cookies, trust_env=False) as client:
        path = f"/-/household/{one}/do/split"
        answer = client.get(path)
        token = answer.text.partition('name="csrftoken" value="')[2].partition('"')[0]
        answer = client.post(path, data={"csrftoken": token, "confirm": "x"})
        assert answer.status_code == 200
        assert "还没有选新户主" in answer.text
        assert "没有所选的人" in answer.text
        assert client.post(path, data={"confirm": "x"}).status_code == 403, "no form of ours"
        assert client.get("/-/household/nobody").status_code == 404
        assert client.get(f"/-/household/{one}/do/explode").status_code == 404
        stale = {"csrftoken": token, "on": "3026", "confirm": "old"}
        assert "不是日期" in client.post(f"/-/household/{one}/do/away", data=stale).text
        stale["on"] = ""
        assert "刚才有别的改动" in client.post(f"/-/household/{one}/do/away", data=stale).text


def test_the_station_still_verifies(place: Any) -> None:
    with Station.open(Path(place[0].folder), readonly=True) as station:
        assert station.verify() == ()


def test_one_household_entered_twice_is_merged_and_undone_by_keyboard(
    visit: Callable[..., Any], serve: Callable[[Path], Served], folder: Path
) -> None:
    with Station.open(folder) as station:
        one = home(station, "1", ("王德福", "02", "male"), ("李秀兰", "10", "female"))
        two = home(station, "2", ("欧阳·阿卜杜勒买买提江", "02", "male"))
    served = serve(folder)
    page = visit(served.start())
    page.wait_for_selector(".start")
    page.goto(f"{served.url}/-/household/{one}")
    page.get_by_role("link", name="与另一户合并（重复登记）").press("Enter")
    page.wait_for_url("**/same")
    page.keyboard.type("欧阳")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"input[value='{two}']")
    axe(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("table.compare")
    axe(page)
    page.keyboard.press("2")
    page.wait_for_url(f"**/-/household/{one}?done=*")
    assert "欧阳·阿卜杜勒买买提江" in page.locator("main").inner_text()
    page.get_by_role("button", name="撤销").press("Enter")
    page.wait_for_selector("text=已撤销")
    assert "欧阳·阿卜杜勒买买提江" not in page.locator("section[aria-labelledby=people]").inner_text()
