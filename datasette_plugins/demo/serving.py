"""Run the demo's hub as its own process, as a township does, while the laptops exchange with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from forms.problems import CunceError, Place, Problem

_STARTING = 60.0  # seconds; an office PC with a virus scanner takes its time


class DemoError(CunceError):
    """The demo cannot go on."""


@contextmanager
def running_hub(folder: Path) -> Iterator[str]:
    """Run `cunce hub serve` on a free port of 127.0.0.1; yield its address; stop it afterwards.

    Raises DemoError, with what the process said, where it does not come up.
    """
    port = _free_port()
    command = [sys.executable, "-c", "from collect.cli import main; main()"]
    command += ["hub", "serve", "--station", str(folder), "--port", str(port)]
    log = folder / "hub.log"
    with log.open("wb") as output:
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, address, log)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)
    log.unlink(missing_ok=True)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + _STARTING
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(address, timeout=5.0, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    said = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
    raise DemoError(Problem("PLUGINS_DEMO_HUB", Place(file=str(log.parent)), {"said": said or "-"}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
