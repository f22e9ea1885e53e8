"""A hub that is killed while a laptop sends it a photo, and started again: the photo goes on, the answers are there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from collect.station import Station
from sync.exchange import run
from sync.identity import token_of
from sync.transport.http import HttpTransport
from tests.sync.photographing import noise, spot, take_photo
from tests.sync.test_blobs import line
from tests.sync.township import EAST, make_hub, make_laptop

PIECES = 40_000


@contextmanager
def hub_process(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`cunce hub serve` as a process of its own."""
    command = [sys.executable, "-c", "from collect.cli import main; main()", "hub", "serve", "--station", str(folder)]
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{port}/-/login", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


class Fatal(HttpTransport):
    """A line whose hub is killed when so many pieces have arrived."""

    pieces = 0
    left = 0
    victim: subprocess.Popen[bytes]

    def ask(self, endpoint: str, body: bytes) -> bytes:
        answer = super().ask(endpoint, body)
        self.pieces += endpoint == "blob-put"
        if self.pieces == self.left:
            self.victim.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self.victim.wait()
        return answer


@pytest.mark.timeout(300)
def test_a_photo_goes_on_where_its_hub_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.carrying._FIRST", PIECES)
    monkeypatch.setattr("sync.carrying._LEAST", PIECES)
    monkeypatch.setattr("sync.carrying._QUICK", -1.0)
    with make_hub(tmp_path / "hub") as hub:
        hub.add_form(spot())
        identity, folder = hub, hub.folder
        laptop = make_laptop(tmp_path / "laptop", hub, "一号", EAST)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    address, content = f"http://127.0.0.1:{port}", noise(600_000)
    with laptop:
        with hub_process(folder, port), line(address, identity, laptop) as road:
            assert run(laptop, road).problems == []
        name = take_photo(laptop, content)
        sent = 0
        for pieces in (3, 2, 4):
            with hub_process(folder, port) as process:
                token = token_of(laptop.folder, identity.id)
                with Fatal(address, hub=identity.id, station=laptop.id, token=token, pauses=()) as deadly:
                    assert isinstance(deadly, Fatal)
                    deadly.victim, deadly.left = process, pieces
                    outcome = run(laptop, deadly)
            assert [problem.code for problem in outcome.problems] == ["SYNC_HUB_UNREACHABLE"]
            assert outcome.confirmed == 1
            assert outcome.blobs_waiting == 1
            sent += pieces * PIECES
        with hub_process(folder, port), line(address, identity, laptop) as road:
            outcome = run(laptop, road)
            assert (outcome.problems, outcome.blobs_waiting) == ([], 0)
            assert road.bytes_sent < len(content) - sent + 2 * PIECES, "nothing that was there came again"
    with Station.open(folder) as again:
        assert again.blobs.read(name) == content
        assert again.verify() == ()
