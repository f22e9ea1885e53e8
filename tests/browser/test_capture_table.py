"""Members as the lines of a table: in turn with cards, by keyboard, rows pasted from a spreadsheet, faults in cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from tests.browser.conftest import Served
from tests.browser.test_capture import ask, at, field, focused, open_form, settled, until

pytestmark = pytest.mark.browser

ROW = "/data/member"
COPIED = (
    "姓名\t关系\t身份证号\t性别\t序号\r\n陈秀英\t户主\t１１０１０５１９４９１２３１００２Ｘ\t女\t1\r\n"
    '"李\n小军"\t子\t\t男\t2\r\n王五\t外星人\t123\t男\t3\r\n'
)
# What the browser does when somebody pastes: the keyboard's own way needs a clipboard that tests don't have.
PASTE = """(node, text) => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  node.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def page(folder: Path, serve: Callable[[Path], Served], visit: Any) -> Any:
    served = serve(folder)
    opened = visit(served.start())
    open_form(opened, served, "household?village=999999001001")
    return opened


def table(page: Any) -> None:
    field(page, f"{ROW}[1]/name").click()
    page.keyboard.press("Alt+t")
    page.wait_for_selector(".lines")
    at(page, f"{ROW}[1]/name")


def test_cards_and_table_take_turns_and_keep_what_was_typed(page: Any) -> None:
    field(page, f"{ROW}[1]/name").fill("陈秀英")
    table(page)
    assert field(page, f"{ROW}[1]/name").input_value() == "陈秀英"
    assert page.locator(".lines thead th").nth(1).inner_text().endswith("姓名*")
    assert page.locator(".lines tbody tr").count() == 1
    # A cell that is not asked of this person keeps its place, so that every cell stands under its head.
    cells, heads = page.locator(".lines tbody tr").first.locator("th, td"), page.locator(".lines thead :is(th, td)")
    assert cells.count() == heads.count()
    page.keyboard.press("Alt+t")
    page.wait_for_selector("article.row")
    at(page, f"{ROW}[1]/name")


def test_a_table_is_filled_in_by_keyboard_alone(page: Any) -> None:
    table(page)
    page.keyboard.type("a")
    page.keyboard.press("Enter")
    at(page, f"{ROW}[1]/relation")
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+n")
    at(page, f"{ROW}[2]/name")
    page.keyboard.type("b")
    page.keyboard.press("ArrowUp")
    at(page, f"{ROW}[1]/name")
    page.keyboard.press("Enter")
    at(page, f"{ROW}[1]/relation")
    page.keyboard.press("Control+ArrowDown")
    at(page, f"{ROW}[2]/relation")
    page.keyboard.type("zi")
    page.wait_for_selector(".finder li[aria-selected=true]:visible")
    page.keyboard.press("Enter")
    at(page, f"{ROW}[2]/resident_id")
    assert field(page, f"{ROW}[2]/relation").input_value() == "子"
    page.keyboard.press("Alt+Delete")
    until(page, lambda: page.locator(".lines tbody tr").count() == 1, "the row is still there")
    page.keyboard.press("Alt+z")
    until(page, lambda: page.locator(".lines tbody tr").count() == 2, "the row did not come back")
    assert field(page, f"{ROW}[2]/name").input_value() == "b"


def test_rows_are_pasted_corrected_and_saved(page: Any, folder: Path) -> None:
    table(page)
    field(page, f"{ROW}[1]/name").evaluate(PASTE, COPIED)
    until(page, lambda: page.locator(".lines tbody tr").count() == 3, "no rows came")
    toast = page.inner_text("#toast")
    assert "已粘贴 3 行" in toast
    assert "序号" in toast
    assert field(page, f"{ROW}[1]/resident_id").input_value() == "11010519491231002X"
    assert field(page, f"{ROW}[2]/name").input_value() == "李小军"
    wrong = ask(page, f"{ROW}[3]/relation")
    assert wrong.get_attribute("data-problem") == "error"
    assert field(page, f"{ROW}[3]/relation").input_value() == "外星人"
    page.keyboard.press("Alt+j")  # to the first fault
    at(page, f"{ROW}[3]/relation")
    page.keyboard.press("Control+a")
    page.keyboard.type("女婿")
    page.keyboard.press("Enter")
    field(page, f"{ROW}[3]/resident_id").fill("")
    field(page, "/data/household_basic/head_name").fill("陈秀英")
    for row in (2, 3):
        field(page, f"{ROW}[{row}]/birth_date").fill("19800304")
    field(page, f"{ROW}[3]/name").click()
    settled(page)
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    with Station.open(folder, readonly=True) as station:
        (hit,) = station.find("陈秀英", table="household")
        members = station.answers("household", hit.record)["member"]
    assert [member["name"] for member in members] == ["陈秀英", "李小军", "王五"]
    assert [member["sex"] for member in members] == ["female", "male", "male"]


def test_a_single_cell_is_pasted_as_any_text(page: Any) -> None:
    table(page)
    field(page, f"{ROW}[1]/name").evaluate(PASTE, "陈秀英")
    page.wait_for_timeout(300)
    assert page.locator(".lines tbody tr").count() == 1
    assert not page.locator("#toast").is_visible()
    assert focused(page) == f"{ROW}[1]/name"
