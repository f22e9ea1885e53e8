"""A real Chromium and a real `cunce collect serve`, shared by the tests that look at pages as a person does."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from collect.station import Station
from forms.reader import load_shipped

VILLAGES = (("999999001001", "洗马塘村"), ("999999001002", "青石坡村"))
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CUNCE = "from collect.cli import main; main()"
START = 20  # seconds the program may take to start on a busy machine


def chromium() -> str | None:
    return os.environ.get("CUNCE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="package")  # not longer: Playwright keeps an event loop running, which other tests stumble over
def browser() -> Iterator[Any]:
    """A Chromium; skips, saying so, where there is none (never under CUNCE_REQUIRE_BROWSER=1)."""
    required = os.environ.get("CUNCE_REQUIRE_BROWSER") == "1"
    path = chromium()
    if path is None:
        if required:
            pytest.fail("CUNCE_REQUIRE_BROWSER=1, but there is no chromium (name it in CUNCE_CHROMIUM)")
        pytest.skip("no chromium here (name it in CUNCE_CHROMIUM)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


class Served:
    """One `cunce collect serve` in a process of its own, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> str:
        """Start it and return the address it prints, which opens its pages once."""
        command = [sys.executable, "-c", CUNCE, "collect", "serve", "--no-browser", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--station", str(self.folder), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip
        lines: Queue[str] = Queue()
        threading.Thread(target=_read, args=(self.process, lines), daemon=True).start()
        until = time.monotonic() + START
        while time.monotonic() < until:
            with suppress(Empty):
                line = lines.get(timeout=0.1)
                self.lines.append(line)
                found = re.search(r"http://127\.0\.0\.1:(\d+)/\S+", line)
                if found:
                    self.port = int(found[1])
                    return found[0]
            if self.process.poll() is not None and lines.empty():
                break
        raise AssertionError("the program did not start:\n" + "".join(self.lines))

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.kill()


def _read(process: subprocess.Popen[str], lines: Queue[str]) -> None:
    assert process.stdout is not None
    with suppress(ValueError):  # closed while we were reading
        for line in process.stdout:
            lines.put(line)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A laptop's station with two villages and the shipped household ledger."""
    path = tmp_path / "station"
    with Station.create(path, name="清溪镇 03 号笔记本", villages=VILLAGES, author="王建国") as station:
        station.add_form(load_shipped("household"))
    return path


@pytest.fixture
def serve() -> Iterator[Callable[[Path], Served]]:
    """Make a served station of a folder; ended after the test."""
    made: list[Served] = []

    def make(folder: Path) -> Served:
        made.append(Served(folder))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, httpx.Cookies]]:
    """One program for the tests that neither kill it nor look at its ledgers, and the cookie it gave."""
    folder = tmp_path_factory.mktemp("running") / "station"
    with Station.create(folder, name="测试", villages=VILLAGES, author="王建国") as station:
        station.add_form(load_shipped("household"))
    served = Served(folder)
    with httpx.Client(trust_env=False) as client:
        client.get(served.start())
        yield served, client.cookies
    served.stop()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open an address in a fresh window of 1366 x 768 in Chinese: `visit(address) -> page`.

    The test fails when a page asks for anything outside this machine, throws, or logs an error.
    """
    faults: list[str] = []
    contexts: list[Any] = []

    def at_home(route: Any) -> None:
        if route.request.url.startswith("http://127.0.0.1:"):
            route.continue_()
        else:
            faults.append(f"outside request: {route.request.url}")
            route.abort()

    def logged(message: Any) -> None:
        # A killed program is part of some tests, and every refused request is logged.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(f"console: {message.text}")

    def open_page(address: str, *, context: Any = None, cookies: httpx.Cookies | None = None, **options: Any) -> Any:
        if context is None:
            viewport = options.pop("viewport", {"width": 1366, "height": 768})
            context = browser.new_context(viewport=viewport, locale="zh-CN", **options)
            context.set_default_timeout(8000)
            context.route("**/*", at_home)
            if cookies is not None:
                whole = urljoin(address, "/")  # the cookie of a page's own address would open that page alone
                context.add_cookies([{"name": one.name, "value": one.value, "url": whole} for one in cookies.jar])
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on("console", logged)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)
