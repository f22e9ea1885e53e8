"""A real questionnaire of 547 rows (REACH MSNA 2024) is filled in by walking what the page says is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from forms.reader import read_form
from forms.tables import table_name
from tests.browser.conftest import VILLAGES, Served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FORM = Path(__file__).parents[3] / "shared" / "data" / "xlsforms" / "reach-msna-2024.xlsx"
ROUNDS = 12
# What the form's own rules want of a household of two grown-ups; any other question takes what comes first.
GIVEN = {"resp_age": "40", "resp_hoh_yn": "yes", "hh_size": "2", "ind_age": "40", "consent": "yes"}

ANSWER = """
(given) => {
  const asks = [...document.querySelectorAll("#sheet .ask[data-problem=error]")].filter((ask) => ask.offsetParent);
  for (const ask of asks) {
    const name = ask.dataset.ref.split("/").at(-1);
    const tried = Number(ask.dataset.tried ?? "0");
    ask.dataset.tried = tried + 1;
    const boxes = [...ask.querySelectorAll("input[type=radio], input[type=checkbox]")];
    if (boxes.length) {
      const chosen = boxes.filter((box) => box.value === given[name]);
      // Some lists want two or three of their choices.
      const number = boxes[0].type === "checkbox" ? (tried % 3) + 1 : 1;
      const wanted = chosen.length ? chosen : boxes.slice(0, number);
      boxes.filter((box) => box.checked !== wanted.includes(box)).forEach((box) => box.click());
      continue;
    }
    const input = ask.querySelector("input[type=text]:not([role=combobox]), textarea");
    if (!input) continue;
    input.focus();
    const numbers = ["1", "2", "0", "15", "100"];
    const kind = ask.dataset.kind;
    input.value = given[name] ?? (kind === "number" || kind === "decimal" ? numbers[tried % numbers.length]
      : kind === "date" ? "20260101" : kind === "point" ? "26.6, 106.6" : "不详");
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    input.blur();
  }
  return asks.map((ask) => ask.dataset.ref + " " + ask.querySelector(".ask-problem").textContent);
}
"""


def choose_from_long_lists(page: Any) -> None:
    """Take the first choice of every list found by typing that has to be answered."""
    missing = page.locator(".ask[data-kind=search][data-problem=error]:visible")
    while missing.count():
        before = missing.count()
        missing.first.locator("input").focus()
        page.wait_for_selector(".finder li[role=option]:visible")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        for _ in range(40):
            if missing.count() < before:
                break
            page.wait_for_timeout(50)


def fill_in(page: Any) -> None:
    """Answer whatever the page says is missing until the record is saved."""
    wrong: list[str] = []
    for _ in range(ROUNDS):
        page.keyboard.press("Control+s")
        page.wait_for_timeout(150)
        if page.locator(".saved").count():
            return
        choose_from_long_lists(page)
        for _ in range(8):
            wrong = page.evaluate(ANSWER, GIVEN)
            page.wait_for_timeout(250)
            if not wrong:
                break
    assert page.locator(".saved").count(), "\n".join(wrong)


def test_a_long_questionnaire_is_filled_in_and_stands_in_its_ledger(
    tmp_path: Path, serve: Callable[[Path], Served], visit: Any
) -> None:
    if not FORM.exists():
        pytest.skip(f"{FORM.name} is not beside this checkout")
    form = read_form(FORM)
    folder = tmp_path / "station"
    with Station.create(folder, name="测试", villages=VILLAGES, author="王建国") as station:
        station.add_form(form)
    served = serve(folder)
    page = visit(served.start())
    page.goto(f"{served.url}/-/capture/{form.form_id}")
    page.click("text=青石坡村")  # the form does not ask for the village
    page.wait_for_selector("#capture[data-ready]")
    fill_in(page)
    with Station.open(folder, readonly=True) as station:
        (record,) = [row["_id"] for row in station.attachments.open(f"{table_name(form)}.csv").rows()]
        answers = station.answers(table_name(form), record)
        assert station.opened(table_name(form), record).village == VILLAGES[1][0]
    assert answers["hh_size"] == 2
    assert len(answers["roster"]) == 2
