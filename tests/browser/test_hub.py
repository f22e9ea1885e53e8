"""A township's pages in a real browser: nothing from outside, nothing refused by the policy, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from collect.station import Station
from sync.quarantine import quarantined
from tests.datasette_plugins.hub.test_quarantine import send_when_revoked
from tests.datasette_plugins.hub.township import PASSWORD, A, Running, make_township, running

pytestmark = pytest.mark.browser
PAGES = (
    "/", "/township", "/township/household", f"/{A}", f"/{A}/household?_facet=household_type", "/-/queue",
    "/-/suspects", "/-/failing", "/-/parked", "/-/quarantine", "/-/laptops", "/-/accounts", "/-/log",
    "/township?sql=select+1", "/nowhere",
)  # fmt: skip


@contextmanager
def logged_in(browser: Any, served: Running, name: str = "admin") -> Iterator[tuple[Any, list[str]]]:
    """A page of somebody who has logged in, and what it complained about; nothing leaves this machine."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.set_default_timeout(20_000)  # logging in takes a password hash its time
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def only_here(route: Any) -> None:
        if not route.request.url.startswith(served.url):
            complaints.append(f"outside: {route.request.url}")
            route.abort()
        else:
            route.continue_()

    page.route("**/*", only_here)
    page.goto(served.url)
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url(served.url + "/")
    yield page, complaints
    context.close()


def test_every_page_of_the_hub_stands_alone_and_fits_a_laptops_screen(browser: Any, tmp_path: Path) -> None:
    ids = make_township(tmp_path / "hub")
    with running(tmp_path / "hub", ids) as served, logged_in(browser, served) as (page, complaints):
        for address in (*PAGES, f"/{A}/household/{ids[A][0]}"):
            page.goto(served.url + address)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            assert page.locator("h1").count() == 1, address
            assert page.evaluate("getComputedStyle(document.body).fontFamily").startswith('"PingFang SC"')
        # A 404 is a complaint of the browser's own.
        assert not [line for line in complaints if "404" not in line]
        page.goto(served.url + "/-/queue")
        page.locator("form.way button").first.click()
        assert "已处理" in page.content()
        page.click("header form button")
        page.wait_for_url("**/-/login")


def test_conflicts_are_settled_by_keys_one_after_the_other_and_taken_back(browser: Any, tmp_path: Path) -> None:
    ids = make_township(tmp_path / "hub")
    with running(tmp_path / "hub", ids) as served, logged_in(browser, served, "reviewer") as (page, complaints):
        page.goto(served.url + "/-/queue")
        cards = page.locator("[data-decide]")
        expect(cards.nth(0)).to_be_focused()
        page.keyboard.press("n")
        expect(cards.nth(1)).to_be_focused()
        passed_over = cards.nth(0).get_attribute("aria-label")
        page.keyboard.press("1")
        expect(cards).to_have_count(2)
        expect(cards.nth(1)).to_be_focused()  # what was passed over stays passed over
        assert cards.nth(0).get_attribute("aria-label") == passed_over
        page.keyboard.press("2")
        expect(cards).to_have_count(1)
        expect(cards.nth(0)).to_be_focused()
        page.keyboard.press("u")
        expect(cards).to_have_count(2)
        assert len(served.station.conflicts()) == 2
        assert not complaints


def test_suspected_pairs_are_decided_by_keys(browser: Any, tmp_path: Path) -> None:
    ids = make_township(tmp_path / "hub")
    with running(tmp_path / "hub", ids) as served, logged_in(browser, served, "reviewer") as (page, complaints):
        for address in ("赤家湾7号", "赤家湾8号", "赤家湾9号"):
            answers = {"village": A, "household_number": "赤900", "head_name": "赤同", "address": address}
            served.station.save(answers, "household", author="王芳")
        page.goto(served.url + "/-/suspects")
        cards = page.locator("[data-decide]")
        # The first card has the focus once the page's script is there.
        for key, left in (("", 3), ("1", 2), ("u", 3), ("3", 1)):
            if key:
                page.keyboard.press(key)
            expect(cards).to_have_count(left)
            expect(cards.nth(0)).to_be_focused()
        page.keyboard.press("2")
        expect(cards).to_have_count(0)
        kept = [row["address"] for row in served.station.projection.rows("household", "household_number", "赤900")]
        assert len(kept) == 1
        assert not complaints


def test_axe_core_finds_nothing_wrong_with_the_pages_of_what_waits(browser: Any, tmp_path: Path) -> None:
    ids = make_township(tmp_path / "hub")
    with running(tmp_path / "hub", ids) as served, logged_in(browser, served) as (page, complaints):
        send_when_revoked(served, tmp_path / "laptop", "赤丢失")
        for address in ("赤家湾7号", "赤家湾8号"):
            answers = {"village": A, "household_number": "赤900", "head_name": "赤同", "address": address}
            served.station.save(answers, "household", author="王芳")
        served.station.rechecking.run()
        held = quarantined(served.station)[0].id
        with Station.open(tmp_path / "laptop") as laptop:
            record = laptop.journal.suffix(laptop.id, 0)[0].record
            laptop.save({**laptop.answers("household", record), "phone": "13900000009"}, "household", author="王芳",
                        record=record)  # fmt: skip
            served.station.receive(laptop.journal.suffix(laptop.id, 1))  # what it builds on is in quarantine
        for address in (
            "/", "/-/queue", "/-/suspects", "/-/failing", "/-/parked", f"/-/quarantine?look={held}", "/-/laptops",
        ):  # fmt: skip
            page.goto(served.url + address)
            assert page.locator(".empty").count() == 0, address
            found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
            assert found.violations_count == 0, (address, found.generate_report())
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert not complaints
