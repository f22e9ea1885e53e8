"""Measures data entry: a card typed by keyboard into the real page, the page's own routes, search, starting, memory.

Run: python -m tests.bench.capture [--households N] [--json]. The last line is one JSON object with --json. Chromium is
needed. `keys_per_char`: keys pressed for a character on the card, household of five, `tests/bench/card.yml`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import sync_playwright

from collect.station import Station
from forms.reader import load_shipped, shipped
from tests.bench import baseline, search
from tests.bench.baseline import told
from tests.bench.typing import excel_keys, facts, typed
from tests.browser.conftest import VILLAGES, Served

HEADERS = {"X-Cunce": "capture"}
BASIC = "/data/household_basic"
MEMBERS = 5


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=40)
    parser.add_argument("--searched", type=int, default=13_700, help="Households searched, 3.65 persons each.")
    parser.add_argument("--listed", type=int, default=10_000, help="Households of the start page and the list.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        searched = search.measure(Path(folder) / "search", given.searched)
        pages = many(Path(folder) / "many", given.listed)
        found = {**measure(Path(folder) / "station", given.households, searched), **pages}
    for name, value in found.items():
        print(f"{name:28} {value}")
    if given.json:
        print(json.dumps(found))


def measure(folder: Path, households: int, searched: dict[str, Any]) -> dict[str, Any]:
    """Return the figures: milliseconds, seconds and mebibytes by name."""
    with Station.create(folder, name="测量", villages=VILLAGES, author="测量") as station:
        station.add_form(load_shipped("household"))
    served = Served(folder)
    try:
        began = time.perf_counter()
        with httpx.Client(trust_env=False, headers=HEADERS, follow_redirects=True, timeout=30) as client:
            client.get(served.start())
            client.base_url = served.url
            client.get("/").raise_for_status()
            first_page = time.perf_counter() - began
            assert served.process is not None
            started = resident(served.process.pid)
            began = time.perf_counter()
            client.get("/-/capture/household").raise_for_status()
            form_page = time.perf_counter() - began
            saves, changes, first_saved = [], [], None
            for number in range(households):
                saved, changed = enter(client, number)
                saves.append(saved)
                changes += changed
                first_saved = first_saved or resident(served.process.pid)
        memory = resident(served.process.pid)
        served.stop()
        by_hand = typed(served, served.start())
    finally:
        served.stop()
    characters = sum(map(len, facts(by_hand["card"])))
    return {
        "keys": by_hand["keys"],
        "fact_characters": characters,
        "keys_per_char": round(by_hand["keys"] / characters, 3),
        "plain_form_keys": by_hand["plain_keys"],
        "plain_form_keys_per_char": round(by_hand["plain_keys"] / characters, 3),
        "excel_keys_by_arithmetic": excel_keys(by_hand["card"]),
        "typing_s": by_hand["typing_s"],
        "change_p50_ms": round(statistics.median(by_hand["trips"]), 1),
        "change_p95_ms": round(p95(by_hand["trips"]), 1),
        "search_p95_ms": searched["search_p95_ms"],
        "start_s": round(first_page, 2),
        "rss_start_mb": megabytes(started),
        "rss_first_saved_mb": megabytes(first_saved),
        "rss_mb": megabytes(memory),
        "households": households,
        "members_each": MEMBERS,
        "save_median_ms": round(statistics.median(saves) * 1000, 1),
        "save_p95_ms": round(p95(saves) * 1000, 1),
        "server_change_median_ms": round(statistics.median(changes) * 1000, 1),
        "server_change_p95_ms": round(p95(changes) * 1000, 1),
        "first_form_page_ms": round(form_page * 1000, 1),
    }


def many(folder: Path, households: int) -> dict[str, Any]:
    """Return the milliseconds of the start page and the list at a station of many households, by HTTP and in Chromium.

    `start_page_after_saving_ms`: the first time after a save, when its numbers are worked out anew.
    """
    with Station.create(folder, name="测量", villages=VILLAGES, author="测量") as station:
        station.add_forms(load_shipped(name) for name in shipped())
        form = station.form("household")
        given = told(form, baseline.households(households))
        station.save_many([(form, each, VILLAGES[0][0]) for each in given], author="测量")
    served = Served(folder)
    times: dict[str, list[float]] = {}

    def get(name: str, path: str) -> None:
        began = time.perf_counter()
        client.get(path).raise_for_status()
        times.setdefault(name, []).append((time.perf_counter() - began) * 1000)

    try:
        with httpx.Client(trust_env=False, headers=HEADERS, follow_redirects=True, timeout=60) as client:
            client.get(served.start())
            client.base_url = served.url
            client.get("/")
            client.get("/-/list/household")
            for number in range(5):
                enter(client, 90_000 + number)
                get("start_page_after_saving_ms", "/")
            for _ in range(20):
                get("start_page_ms", "/")
                get("list_page_ms", "/-/list/household")
                get("list_rows_ms", f"/-/list/household/-/rows?offset={households - 200}")
            paint = first_paint(served, dict(client.cookies))
    finally:
        served.stop()
    medians = {name: round(statistics.median(values), 1) for name, values in times.items()}
    return {"listed_households": households, **medians, "list_first_paint_ms": paint}


def first_paint(served: Served, cookies: dict[str, str]) -> float:
    """Return the milliseconds until Chromium has painted the list for the first time, the best of five."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
        context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in cookies.items()])
        page, found = context.new_page(), []
        for _ in range(5):
            page.goto(f"{served.url}/-/list/household")
            page.wait_for_selector("body[data-ready] #grid tbody tr")
            script = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
            found.append(float(page.evaluate(script)))
        browser.close()
    return round(min(found), 1)


def enter(client: httpx.Client, number: int) -> tuple[float, list[float]]:
    """Enter and save one household change by change; return the seconds of saving and of every change."""
    page = client.get("/-/capture/household")
    key = {"draft": page.url.params["draft"], "form": "household", "counter": 0}
    seconds = []
    for change in changes_of(number):
        began = time.perf_counter()
        answer = client.post("/-/capture/-/change", json={**key, "changes": [change]}).raise_for_status().json()
        seconds.append(time.perf_counter() - began)
        key["counter"] = answer["counter"]
    began = time.perf_counter()
    reply = client.post("/-/capture/-/save", json=key).raise_for_status().json()
    assert "saved" in reply, reply
    return time.perf_counter() - began, seconds


def changes_of(number: int) -> Iterator[dict[str, Any]]:
    """Yield what is typed for one household of five."""

    def put(ref: str, value: str) -> dict[str, Any]:
        return {"op": "set", "ref": ref, "value": value}

    yield put(f"{BASIC}/village", VILLAGES[number % 2][0])
    yield put(f"{BASIC}/household_number", f"{number:04}")
    yield put(f"{BASIC}/head_name", f"陈{number}")
    yield put(f"{BASIC}/phone", "13812345678")
    yield put(f"{BASIC}/household_type", "subsistence")
    for member in range(1, MEMBERS + 1):
        if member > 1:
            yield {"op": "add", "ref": "/data/member", "count": member - 1}
        row = f"/data/member[{member}]"
        yield put(f"{row}/name", f"陈{number}{member}")
        yield put(f"{row}/sex", "female")
        yield put(f"{row}/birth_date", f"19{50 + member}0304")


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def megabytes(mebibytes: float | None) -> float | None:
    """Return megabytes, None for what is not known."""
    return mebibytes and round(mebibytes * 1.048576, 1)


def resident(pid: int) -> float | None:
    """Return the resident memory of a process in MiB, None where the system does not say it in /proc."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main()
