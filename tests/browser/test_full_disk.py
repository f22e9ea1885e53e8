"""Saving on a page while the disk is full: it says so in plain words, keeps what was typed, and saves later."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from forms.reader import load_shipped
from tests.browser.conftest import VILLAGES, Served

pytestmark = pytest.mark.browser


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mount = tmp_path / "disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mount)], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    file = disk / "fill"
    with file.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space"):
        stream.writelines(b"x" * 4096 for _ in range(2000))
    return file


def test_a_full_disk_is_said_on_the_page_and_what_was_typed_is_saved_once_there_is_room(
    disk: Path, serve: Callable[[Path], Served], visit: Any
) -> None:
    folder = disk / "station"
    with Station.create(folder, name="测试", villages=VILLAGES[:1], author="王建国") as station:
        station.add_form(load_shipped("visit"))
        station.add_form(load_shipped("public_place"))
    served = serve(folder)
    page = visit(served.start())
    page.goto(f"{served.url}/-/capture/public_place")
    page.wait_for_selector("#capture[data-ready]")
    filled = fill(disk)
    name = page.locator("[data-ref='/data/name'] input, [data-ref$='/name'] input").first
    name.fill("村委会" * 400)
    name.blur()
    page.keyboard.press("Control+s")
    page.get_by_text("磁盘").first.wait_for()
    words = page.locator("body").inner_text()
    assert "Traceback" not in words
    assert name.input_value() == "村委会" * 400
    page.get_by_text("还没有存下，请看上方提示").wait_for()
    filled.unlink()
    page.locator(".ask[data-ref$='/kind'] input").first.focus()
    page.wait_for_selector(".finder li[role=option]:visible")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("磁盘").first.wait_for(state="hidden")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".saved")
    assert "Traceback" not in "".join(served.lines)
    with Station.open(folder, readonly=True) as station:
        (record,) = station.attachments.open("public_place.csv").rows()
        assert "村委会" in record["label"]
        assert not station.verify()
