"""A township's pages in a real browser: nothing from outside, nothing refused by the policy, nothing cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.datasette_plugins.hub.township import A, make_township, running

pytestmark = pytest.mark.browser
PAGES = (
    "/", "/township", "/township/household", f"/{A}", f"/{A}/household?_facet=household_type", "/-/queue",
    "/-/parked", "/-/quarantine", "/-/laptops", "/-/accounts", "/-/log", "/township?sql=select+1", "/nowhere",
)  # fmt: skip


def test_every_page_of_the_hub_stands_alone_and_fits_a_laptops_screen(browser: Any, tmp_path: Path) -> None:
    ids = make_township(tmp_path / "hub")
    with running(tmp_path / "hub", ids) as served:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
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
        page.fill("#name", "admin")
        page.fill("#password", "qing-he-2026")
        page.click("button.primary")
        page.wait_for_url(served.url + "/")
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
        context.close()
