"""A household typed from its card into the real page by keyboard alone, every key counted, in a real Chromium."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page, sync_playwright

from collect.station import Station
from tests.bench.plain_form import typed_plain
from tests.browser.conftest import VILLAGES, Served

CARD = Path(__file__).with_name("card.yml")
BASIC = "/data/household_basic"
_PATIENCE = 8.0  # seconds for the focus to come to the next question


class Typist:
    """Hands on a keyboard that count what they press; a chord counts each of its keys."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys = page, 0

    def type(self, text: str) -> None:
        """Press a key for every character."""
        self.page.keyboard.type(text)
        self.keys += len(text)

    def press(self, chord: str) -> None:
        """Press a key, or several together (`Control+s`)."""
        self.page.keyboard.press(chord)
        self.keys += len(chord.split("+"))

    @property
    def at(self) -> str:
        """The question that has the focus."""
        return str(
            self.page.evaluate("document.activeElement.closest('[data-ref]')?.dataset.ref ?? document.activeElement.id")
        )

    def on(self, before: str) -> str:
        """Wait until the focus has left a question; return where it is."""
        until = time.monotonic() + _PATIENCE
        while (at := self.at) == before:
            if time.monotonic() > until:
                raise AssertionError(f"the focus stays on {before}")
            self.page.wait_for_timeout(5)
        return at


def with_checksum(card: dict[str, Any]) -> dict[str, Any]:
    """Return a card whose ID numbers bear their checksum (GB 11643)."""
    weights = [2 ** (17 - at) % 11 for at in range(17)]
    for member in card["members"]:
        body = member["resident_id"][0][:17]
        last = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11]
        member["resident_id"] = [body + last, body + last]
    return card


def typed(served: Served, entrance: str) -> dict[str, Any]:
    """Type the card's household into the page of a served station, then into a plain form; return both's keys, the
    seconds and the round trips (ms). Fails where the record that was saved is not what the card says."""
    card = with_checksum(yaml.safe_load(CARD.read_text(encoding="utf-8")))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(locale="zh-CN", viewport={"width": 1366, "height": 768})
        page.goto(entrance)
        page.goto(f"{served.url}/-/capture/household")
        page.wait_for_selector("#capture[data-ready]")
        page.wait_for_selector(".finder li")
        page.evaluate("performance.setResourceTimingBufferSize(5000)")
        typist = Typist(page)
        began = time.perf_counter()
        _fill(typist, card)
        typist.press("Control+s")
        trips = _trips(page)
        page.wait_for_selector(".saved")
        seconds = time.perf_counter() - began
        compare(served.folder, page.url.rpartition("/")[2], card)
        plain = typed_plain(browser.new_page(), card)
        browser.close()
    return {"keys": typist.keys, "plain_keys": plain, "typing_s": round(seconds, 1), "trips": trips, "card": card}


def compare(folder: Path, record: str, card: dict[str, Any]) -> None:
    """Fail where a saved household differs from its card in any fact, or has more or fewer people."""
    with Station.open(folder, readonly=True) as station:
        answers = station.answers("household", record)
        names = dict(VILLAGES)
        tables = {table.name: table for table in station.shelf.tables(station.form("household"))}
    assert len(answers["member"]) == len(card["members"])
    parts = [("household", answers, card["household"])]
    parts += [("household_member", *each) for each in zip(answers["member"], card["members"], strict=True)]
    for table, saved, told in parts:
        for name, (fact, _) in told.items():
            labels = names if name == "village" else tables[table].column(name).choices("中文 (zh)")
            value = str(saved.get(name, ""))
            assert labels.get(value, value) == fact, f"{name}: the card says {fact}, saved was {value}"


def _fill(typist: Typist, card: dict[str, Any]) -> None:
    """Answer what the card tells; what it doesn't is passed with Enter, up to the last fact of each person."""
    for name, (_, keys) in card["household"].items():
        while typist.at != f"{BASIC}/{name}":
            _next(typist)
        before = typist.at
        typist.type(keys)
        if name in ("village", "phone"):  # a number chooses, and what is of fixed length is done: both go on
            typist.on(before)
    while not typist.at.startswith("/data/member["):
        _next(typist)
    for number, member in enumerate(card["members"], start=1):
        row = f"/data/member[{number}]"
        if number > 1:
            before = typist.at
            typist.press("Alt+n")
            typist.on(before)
        for name, (_, keys) in member.items():
            while typist.at != f"{row}/{name}":
                _next(typist)
            before = typist.at
            typist.type(keys)
        typist.on(before)


def _next(typist: Typist) -> None:
    before = typist.at
    typist.press("Enter")
    typist.on(before)


def _trips(page: Page) -> list[float]:
    """The milliseconds of every change's request, as the browser saw it."""
    script = "performance.getEntriesByType('resource').filter(e => e.name.includes('/change')).map(e => e.duration)"
    return [float(each) for each in page.evaluate(script)]


def facts(card: dict[str, Any]) -> list[str]:
    """Return the facts of a card."""
    return [fact for part in (card["household"], *card["members"]) for fact, _ in part.values()]


def excel_keys(card: dict[str, Any]) -> int:
    """Return, by arithmetic, the keys for the same facts in Excel: every character, and a key for the next cell."""
    return sum(len(fact) + 1 for fact in facts(card))
