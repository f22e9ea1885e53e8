"""A browser that dies in the middle of a word: nothing typed more than a second before is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.conftest import ARGUMENTS, Served, chromium, free_port
from tests.browser.test_capture import BASIC, READY, field, open_form

ADDRESS = "洗马塘一组大樟树下往东第三家门前有一口井屋后是竹林从公路边的小卖部旁上来"


@contextmanager
def mortal(browser: Any, profile: Path) -> Iterator[tuple[Any, subprocess.Popen[bytes]]]:
    """A Chromium of its own, driven from outside, with its process."""
    path, port = chromium(), free_port()
    assert path is not None
    process = subprocess.Popen(
        [path, "--headless=new", *ARGUMENTS, f"--user-data-dir={profile}", f"--remote-debugging-port={port}",
         "--no-first-run", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                httpx.get(f"{address}/json/version", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield browser.browser_type.connect_over_cdp(address), process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("moment", [8, 21])
def test_a_killed_browser_loses_at_most_the_last_second(
    served: Served, visit: Callable[..., Any], browser: Any, tmp_path: Path, moment: int
) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(served.start())
        cookies = client.cookies
    with mortal(browser, tmp_path / "profile") as (dying, process):
        context = dying.contexts[0]
        context.add_cookies([{"name": one.name, "value": one.value, "url": served.url} for one in cookies.jar])
        page = context.new_page()
        open_form(page, served)
        field(page, f"{BASIC}/head_name").click()
        page.keyboard.type("陈秀英")
        page.keyboard.press("Enter")
        field(page, f"{BASIC}/address").click()
        typed: list[tuple[float, str]] = []
        for letter in ADDRESS[:moment]:
            page.keyboard.insert_text(letter)
            typed.append((time.monotonic(), letter))
            page.wait_for_timeout(120)
        process.kill()
        process.wait()
        died = time.monotonic()
    safe = "".join(letter for at, letter in typed if died - at > 1.0)
    assert safe, "some of it was typed early enough"
    page = visit(served.url, cookies=cookies)
    page.click(".drafts a")
    page.wait_for_selector(READY)
    assert field(page, f"{BASIC}/head_name").input_value() == "陈秀英"
    kept = field(page, f"{BASIC}/address").input_value()
    assert ADDRESS.startswith(kept)
    assert kept.startswith(safe), f"{kept} of {safe}"


@pytest.fixture
def served(folder: Path, serve: Callable[[Path], Served]) -> Served:
    return serve(folder)
