"""Make the README's pictures from a demo: `python -m tests.pictures` (needs Chromium and poppler-utils)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from datasette_plugins.demo.people import checked
from datasette_plugins.demo.serving import running_hub
from datasette_plugins.demo.story import LOGINS

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
CUNCE = [sys.executable, "-c", "from collect.cli import main; main()"]


def main() -> None:
    """Run the demo and take a picture of the capture page, a list, the hub and a sheet."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        demo = Path(name) / "demo"
        subprocess.run([*CUNCE, "demo", "--dir", str(demo), "--no-serve"], check=True, stdout=subprocess.DEVNULL)
        with browser_page() as page:
            with running_capture(demo / "laptop-1") as address:
                picture_of_capture(page, address)
                picture_of_list(page, address)
            with running_hub(demo / "hub") as address:
                picture_of_hub(page, address)
        sheet = next((demo / "sheets").glob("*清泉村.pdf"))
        command = ["pdftoppm", "-r", "110", "-f", "1", "-singlefile", "-png", str(sheet), str(IMAGES / "sheet")]
        subprocess.run(command, check=True)


@contextmanager
def browser_page() -> Iterator[Page]:
    """Yield a page of a headless Chromium that asks nothing outside."""
    chromium = os.environ.get("CUNCE_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN").new_page()
        browser.close()


@contextmanager
def running_capture(folder: Path) -> Iterator[str]:
    """Run `cunce collect serve`; yield the address it prints."""
    command = [*CUNCE, "collect", "serve", "--station", str(folder), "--no-browser", "--port", "18765"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as process:
        assert process.stdout is not None
        addresses = (re.search(r"http://\S+", line) for line in process.stdout)
        yield next(found[0] for found in addresses if found)
        process.terminate()


def picture_of_capture(page: Page, address: str) -> None:
    """A household half entered, scrolled to its members."""
    page.goto(address)
    page.goto(re.sub(r"(http://[^/]+)/.*", r"\1/-/capture/household?village=999999001002", address))
    page.get_by_label("户主姓名").first.fill("王建国")
    page.get_by_label("姓名", exact=False).nth(1).fill("王建国")
    page.get_by_label("身份证号").first.fill(checked("99999919790304271"))
    page.get_by_label("本人电话").first.fill("1380001")
    page.keyboard.press("Tab")
    page.wait_for_timeout(800)
    page.get_by_label("身份证号").first.focus()
    page.mouse.wheel(0, 120)
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / "capture.png")


def picture_of_list(page: Page, address: str) -> None:
    """A ledger as a list, a cell of it being answered; the capture page has been opened before."""
    page.goto(re.sub(r"(http://[^/]+)/.*", r"\1/-/list/household", address))
    page.wait_for_selector("body[data-ready]")
    for key in (*["ArrowDown"] * 4, *["ArrowRight"] * 5, "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector(".editor input")
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / "list.png")


def picture_of_hub(page: Page, address: str) -> None:
    """A ledger of one village as the township's administrator sees it."""
    name, _, password, _ = LOGINS[0]
    page.goto(address)
    page.locator("input[name=name], input[type=text]").first.fill(name)
    page.locator("input[type=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    page.goto(f"{address}/999999001002/household")
    page.screenshot(path=IMAGES / "hub.png")


if __name__ == "__main__":
    main()
