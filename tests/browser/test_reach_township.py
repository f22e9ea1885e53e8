"""A questionnaire from elsewhere (REACH MSNA 2024) goes the whole way: hub, laptop, data entry, hub, browsing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.accounts import Accounts
from collect.station import Station
from forms.tables import table_name
from tests.browser.conftest import CUNCE, Served, free_port
from tests.browser.test_capture_reach import FORM, fill_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VILLAGE = "999999001001"
PASSWORD = "qing-he-2026"


def cunce(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CUNCE, *map(str, arguments)], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode("utf-8")
    return done.stdout.decode("utf-8")


def answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


def test_a_questionnaire_added_at_the_hub_is_filled_in_on_a_laptop_and_read_at_the_hub(
    tmp_path: Path, serve: Callable[[Path], Served], visit: Any
) -> None:
    if not FORM.exists():
        pytest.skip(f"{FORM.name} is not beside this checkout")
    hub, laptop, port = tmp_path / "hub", tmp_path / "laptop", free_port()
    address = f"http://127.0.0.1:{port}"
    cunce("hub", "init", "--station", hub, "--name", "清河镇", "--villages", f"{VILLAGE}=红星村", "--no-forms")
    cunce("station", "add-form", FORM, "--station", hub)
    with closing(Accounts(hub)) as accounts:
        accounts.add("admin", role="administrator", villages=[], password=PASSWORD)
    invite = tmp_path / "1.cunce-invite"
    named = ("--name", "一号", "--villages", VILLAGE, "--address", address)
    cunce("hub", "invite", *named, "-o", invite, "--station", hub)
    serving = subprocess.Popen(
        [sys.executable, "-c", CUNCE, "hub", "serve", "--port", str(port), "--station", str(hub)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 30
        while not answers(address):
            assert time.monotonic() < until
            time.sleep(0.1)
        cunce("join", invite, "--station", laptop)
        with Station.open(laptop, readonly=True) as station:
            (form,) = station.forms()
        served = serve(laptop)
        page = visit(served.start())
        page.goto(f"{served.url}/-/capture/{form.form_id}")
        if page.locator("#capture").count() == 0:
            page.click("text=红星村")
        page.wait_for_selector("#capture[data-ready]")
        fill_in(page)
        cunce("sync", "run", "--station", laptop)
        table = table_name(form)
        with Station.open(laptop, readonly=True) as station:
            (record,) = [row["_id"] for row in station.attachments.open(f"{table}.csv").rows()]
            given = station.answers(table, record)
        read_at_the_hub(visit(address), address, table, record, given)
    finally:
        serving.terminate()
        serving.wait(20)


def read_at_the_hub(page: Any, address: str, table: str, record: str, given: dict[str, Any]) -> None:
    page.fill("#name", "admin")
    page.fill("#password", PASSWORD)
    page.click("button.primary")
    page.wait_for_url(f"{address}/")
    page.goto(f"{address}/{VILLAGE}")
    assert page.locator(f"a[href$='/{VILLAGE}/{table}']").count()
    for shown in (f"/{VILLAGE}/{table}", f"/township/{table}", f"/{VILLAGE}/{table}?_all=1"):
        page.goto(address + shown)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), shown
        assert page.locator(f"a[href*='{record}']").count(), shown
    few, many = (columns(page, f"{address}/{VILLAGE}/{table}{which}") for which in ("", "?_all=1"))
    assert few < 16
    assert many > 150
    page.goto(f"{address}/{VILLAGE}/{table}/{record}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    roster = page.locator(f"a[href*='/{table}_roster/']")
    assert roster.count() >= len(given["roster"]) == 2
    with page.expect_navigation():
        roster.first.click()
    assert page.locator("h1").count() == 1


def columns(page: Any, address: str) -> int:
    page.goto(address)
    return int(page.locator("table th").count())
