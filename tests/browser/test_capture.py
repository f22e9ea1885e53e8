"""Data entry by keyboard, as a village cadre does it: a whole household, drafts, windows, a killed program."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.station import Station
from forms.numbering import numbers_of
from forms.reader import load_shipped
from tests.browser.conftest import Served

pytestmark = pytest.mark.browser

Running = tuple[Served, httpx.Cookies]
READY = "#capture[data-ready]"
ID = "11010519491231002X"  # a woman born on 1949-12-31, by GB 11643


@pytest.fixture
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
    assert (first["name"], first["resident_id"]) == ("陈秀英", ID)
    assert (first["sex"], first["birth_date"]) == ("female", "1949-12-31")
    assert second["name"] == "李小军"
    assert answers["member_count"] == 2


def test_relevance_and_calculated_values_follow_while_typing(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    row = "/data/member[1]"
    assert not ask(page, f"{row}/work_place").is_visible()
    field(page, f"{row}/birth_date").click()
    page.keyboard.type("20160304")
    page.keyboard.press("Enter")
    until(page, lambda: not ask(page, f"{row}/work_away").is_visible(), "a child was still asked about work")
    assert ask(page, f"{row}/school").is_visible()
    assert field(page, f"{row}/birth_date").input_value() == "2016-03-04"
    field(page, f"{row}/birth_date").fill("1970年3月4日")
    page.keyboard.press("Enter")
    until(page, lambda: ask(page, f"{row}/work_away").is_visible(), "a grown-up was not asked about work")
    assert not ask(page, f"{row}/school").is_visible()
    ask(page, f"{row}/work_away").locator("input").first.focus()
    page.keyboard.press("1")
    at(page, f"{row}/work_place")  # the question that has just appeared is the next one
    assert ask(page, "/data/member_count").locator("output").inner_text() == "1"


def test_an_error_is_said_beside_its_question_and_goes_when_mended(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    phone = ask(page, f"{BASIC}/phone")
    field(page, f"{BASIC}/phone").click()
    page.keyboard.type("1381234")
    settled(page)
    assert phone.locator(".ask-problem").inner_text() == ""  # nobody is scolded in the middle of a number
    page.keyboard.press("Enter")
    until(page, lambda: phone.locator(".ask-problem").inner_text() != "", "the wrong number was not remarked on")
    assert re.search("[一-鿿]", phone.locator(".ask-problem").inner_text())
    page.keyboard.press("Control+s")
    page.wait_for_selector("#summary:not([hidden])")
    assert page.locator("#summary-list li").count() == 4  # village, head, phone, the member's name
    assert focused(page) == f"{BASIC}/village"
    page.wait_for_selector(".finder li[role=option]:visible")
    page.keyboard.press("1")
    at(page, f"{BASIC}/group_name")
    field(page, f"{BASIC}/head_name").fill("欧阳阿依古丽·买买提")
    field(page, f"{BASIC}/phone").fill("13812345678")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#summary-list li").count() == 1, "mended questions stayed on the list")
    page.locator("#summary-list a").click()
    at(page, "/data/member[1]/name")
    page.keyboard.type("欧阳阿依古丽·买买提")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".saved")


def test_a_killed_program_loses_nothing_that_was_typed(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    field(page, f"{BASIC}/head_name").click()
    page.keyboard.type("陈秀英")
    settled(page)
    served.kill()
    page.keyboard.type("（大）")
    page.keyboard.press("Enter")
    page.wait_for_selector("#bar-offline:not([hidden])")
    type_on(page, "13812345678")
    assert field(page, f"{BASIC}/head_name").input_value() == "陈秀英（大）"
    served.start()
    until(page, lambda: not page.is_visible("#bar-offline"), "the page did not connect again")
    settled(page)
    page.close()
    page = visit(served.url, context=page.context)
    page.click(".drafts a")
    page.wait_for_selector(READY)
    assert field(page, f"{BASIC}/head_name").input_value() == "陈秀英（大）"
    assert field(page, f"{BASIC}/phone").input_value() == "13812345678"


def test_saving_while_the_program_is_down_is_done_when_it_is_back(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page)
    served.kill()
    page.keyboard.press("Control+s")
    page.wait_for_selector("#bar-offline:not([hidden])")
    served.start()
    page.wait_for_selector(".saved", timeout=15000)
    with Station.open(served.folder, readonly=True) as station:
        assert len(station.find("陈秀英", table="household")) == 1


def test_two_windows_on_one_draft_do_not_overwrite_each_other(running: Running, visit: Any) -> None:
    one = visit(running[0].url, cookies=running[1])
    open_form(one, running[0])
    two = visit(one.url, context=one.context)
    two.wait_for_selector(READY)
    field(one, f"{BASIC}/head_name").fill("陈秀英")
    settled(one)
    field(two, f"{BASIC}/address").fill("洗马塘 12 号")
    two.wait_for_selector("#bar-conflict:not([hidden])")
    assert "洗马塘 12 号" in two.inner_text("#bar-conflict")
    two.click("#bar-conflict button")
    two.wait_for_selector(READY)
    assert field(two, f"{BASIC}/head_name").input_value() == "陈秀英"
    assert field(two, f"{BASIC}/address").input_value() == ""
    field(two, f"{BASIC}/address").fill("洗马塘 12 号")
    settled(two)
    field(one, f"{BASIC}/head_name").fill("陈秀芳")
    one.wait_for_selector("#bar-conflict:not([hidden])")


def test_closing_the_window_in_the_middle_of_a_word_keeps_it(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    field(page, f"{BASIC}/head_name").click()
    page.keyboard.type("陈秀英")
    page.close(run_before_unload=False)
    page = visit(served.url, context=page.context)
    until(page, lambda: page.reload() and page.locator(".draft-name").count() == 1, "no draft was kept")
    assert page.inner_text(".draft-name") == "陈秀英"


def test_a_member_taken_out_can_be_had_back(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    for number, name in ((1, "陈秀英"), (2, "李小军"), (3, "李小红")):
        if number > 1:
            page.keyboard.press("Alt+n")
            at(page, f"/data/member[{number}]/name")
        field(page, f"/data/member[{number}]/name").fill(name)
    settled(page)
    field(page, "/data/member[2]/name").focus()
    page.keyboard.press("Alt+Delete")
    until(page, lambda: page.locator("article.row").count() == 2, "the member was not taken out")
    assert field(page, "/data/member[2]/name").input_value() == "李小红"
    at(page, "/data/member[2]/name")  # where the one stood that went
    field(page, "/data/member[2]/name").fill("李晓红")
    settled(page)
    page.keyboard.press("Alt+z")
    until(page, lambda: page.locator("article.row").count() == 3, "the member did not come back")
    names = [field(page, f"/data/member[{number}]/name").input_value() for number in (1, 2, 3)]
    assert names == ["陈秀英", "李小军", "李晓红"]


def test_pinyin_being_composed_is_not_sent(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data) if request.method == "POST" else None)
    field(page, f"{BASIC}/head_name").focus()
    keyboard = page.context.new_cdp_session(page)
    for text in ("c", "ch", "che", "chen"):
        keyboard.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    page.wait_for_timeout(500)
    assert sent == []
    keyboard.send("Input.insertText", {"text": "陈"})
    settled(page)
    assert len(sent) == 1
    assert "陈" in sent[0].encode().decode("unicode_escape") or "陈" in sent[0]


def test_a_choice_is_found_by_pinyin_initials(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    nation = field(page, "/data/member[1]/nation")
    nation.focus()
    page.keyboard.type("byz")
    page.wait_for_selector(".finder li[role=option]:visible")
    page.keyboard.press("Enter")
    until(page, lambda: nation.input_value() == "布依族", f"byz found {nation.input_value()}")
    at(page, "/data/member[1]/education")
    nation.focus()
    page.keyboard.type("没有这个民族")
    page.keyboard.press("Tab")
    problem = ask(page, "/data/member[1]/nation").locator(".ask-problem")
    until(page, lambda: "没有" in problem.inner_text(), "an unknown choice was taken")
    assert nation.input_value() == "没有这个民族"


def test_pressing_save_twice_saves_once(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page)
    page.evaluate("() => { const save = document.getElementById('save'); save.click(); save.click(); }")
    page.wait_for_selector(".saved-next a:focus")
    page.keyboard.press("Enter")  # another one
    page.wait_for_selector(READY)
    assert ask(page, f"{BASIC}/village").locator("input").input_value() == "洗马塘村"
    with Station.open(served.folder, readonly=True) as station:
        assert len(station.find("陈秀英", table="household")) == 1


def fill_least(page: Any, head: str = "陈秀英") -> None:
    """Fill in what the household form cannot do without."""
    village = ask(page, f"{BASIC}/village").locator("input")
    village.focus()
    page.wait_for_selector(".finder li[role=option]:visible")
    page.keyboard.press("1")
    at(page, f"{BASIC}/group_name")
    field(page, f"{BASIC}/head_name").fill(head)
    field(page, "/data/member[1]/name").fill(head)
    settled(page)


def test_a_stale_edit_becomes_a_conflict_and_overwrites_nothing(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    with Station.open(served.folder, readonly=True) as station:
        (hit,) = station.find("陈秀英", table="household")
    open_form(page, served, f"household/{hit.record}")
    assert "陈秀英" in page.inner_text("h1")
    field(page, f"{BASIC}/address").fill("洗马塘 12 号")
    settled(page)
    with Station.open(served.folder) as station:
        answers = station.answers("household", hit.record)
        station.save({**answers, "address": "青石坡 3 号"}, "household", record=hit.record, author="李组长")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    with Station.open(served.folder, readonly=True) as station:
        (conflict,) = station.conflicts()
    assert conflict.field == "address"
    assert {candidate.value for candidate in conflict.candidates} == {"洗马塘 12 号", "青石坡 3 号"}
    page.goto(served.url)
    assert "处与别人改得不一样" in page.inner_text("main")


def test_the_start_page_finds_people_while_their_name_is_typed(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    fill_least(page)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    page.goto(served.url)
    assert focused(page) == "find"
    page.keyboard.type("cxy")
    page.wait_for_selector(".hits a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".deeds")
    assert page.inner_text("h1") == "陈秀英"


def test_keys_pressed_faster_than_the_program_answers_land_where_they_belong(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    field(page, f"{BASIC}/group_name").focus()
    for key in ("3", "Enter", *"0312", "Enter", *"Chen", "Enter", *"13812345678", "Enter", *"No12", "Enter", "2", "7"):
        page.keyboard.press(key)
    settled(page)
    until(page, lambda: ask(page, f"{BASIC}/household_type").locator(":checked").count() == 2, "choices got lost")
    typed = [field(page, f"{BASIC}/{name}").input_value() for name in ("group_name", "household_number", "head_name")]
    assert typed == ["3", "0312", "Chen"]
    typed = [field(page, f"{BASIC}/{name}").input_value() for name in ("phone", "address")]
    assert typed == ["13812345678", "No12"]


def test_a_question_is_reached_by_its_number_on_the_paper_form(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    numbers = numbers_of(load_shipped("household"))
    page.keyboard.press("Control+g")
    page.keyboard.type(str(numbers["/data/member/name"]))
    page.keyboard.press("Enter")
    at(page, "/data/member[1]/name")
    page.keyboard.press("Control+g")
    page.keyboard.press("Escape")
    at(page, "/data/member[1]/name")


def test_somebody_who_is_registered_already_is_told_while_typing_and_opens_beside(served: Served, visit: Any) -> None:
    member = {"name": "陈秀英", "resident_id": ID, "sex": "female", "birth_date": "1949-12-31"}
    with Station.open(served.folder) as station:
        answers = {"village": "999999001001", "group_name": "3组", "head_name": "陈秀英", "member": [member]}
        record = station.save(answers, "household", author="甲").record
    page = visit(served.start())
    open_form(page, served)
    field(page, "/data/member[1]/resident_id").click()
    page.keyboard.type(ID)
    aside = ask(page, "/data/member[1]/resident_id").locator(".ask-aside")
    until(page, lambda: "身份证号相同" in aside.inner_text(), "the record that is here already was not told")
    with page.context.expect_page() as other:
        aside.locator("a").click()
    assert other.value.url.endswith(f"/-/household/{record}")
    assert field(page, "/data/member[1]/resident_id").input_value() == ID


def test_a_birthday_may_be_typed_in_the_chinese_calendar(running: Running, visit: Any) -> None:
    page = visit(running[0].url, cookies=running[1])
    open_form(page, running[0])
    field(page, "/data/member[1]/birth_date").click()
    page.keyboard.type("n19580304")
    page.keyboard.press("Enter")
    until(page, lambda: field(page, "/data/member[1]/birth_date").input_value() == "1958-04-22", "no Gregorian day")
    assert ask(page, "/data/member[1]/birth_date").locator(".ask-aside").inner_text() == "农历1958年三月初四"


def test_a_number_that_stands_though_it_is_wrong_gets_its_reason_by_keyboard(served: Served, visit: Any) -> None:
    page = visit(served.start())
    open_form(page, served)
    page.wait_for_selector(".finder li")
    page.keyboard.press("1")
    at(page, f"{BASIC}/group_name")
    field(page, f"{BASIC}/head_name").fill("陈秀英")
    field(page, "/data/member[1]/name").click()
    type_on(page, "陈秀英", "")
    at(page, "/data/member[1]/resident_id")
    page.keyboard.type("110105194912310021")
    at(page, "/data/member[1]/resident_id_reason")  # the reason has just been asked for, and is the next question
    assert "写明原因" in ask(page, "/data/member[1]/resident_id").locator(".ask-problem").inner_text()
    page.wait_for_timeout(750)  # an Enter right after the last digit belongs to the number
    type_on(page, "老证未换")
    at(page, "/data/member[1]/sex")
    assert "已写明原因" in ask(page, "/data/member[1]/resident_id").locator(".ask-problem").inner_text()
    type_on(page, "2", "19491231")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    page.click("text=看这一户")
    assert "号码照登的原因：老证未换" in page.inner_text("body")


def test_the_next_household_takes_over_group_and_address_by_one_key(served: Served, visit: Any) -> None:
    with Station.open(served.folder) as station:
        answers = {"village": "999999001001", "group_name": "3组", "head_name": "张三", "address": "洗马塘"}
        station.save(answers, "household", author="王建国")
    page = visit(served.start())
    open_form(page, served, "household?village=999999001001")
    field(page, f"{BASIC}/head_name").fill("李四")
    page.keyboard.press("Alt+p")
    until(page, lambda: field(page, f"{BASIC}/group_name").input_value() == "3组", "the group was not taken over")
    assert field(page, f"{BASIC}/address").input_value() == "洗马塘"
    assert "张三" in page.inner_text("#toast")
    assert focused(page) == f"{BASIC}/head_name"
    page.keyboard.press("Alt+z")
    until(page, lambda: field(page, f"{BASIC}/group_name").input_value() == "", "it was not put back")
    assert field(page, f"{BASIC}/head_name").input_value() == "李四"
    assert focused(page) == f"{BASIC}/head_name"
