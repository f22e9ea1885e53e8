"""Forty laptops that push at once, and one on a slow road: `python -m tests.bench.load --json`.

Each laptop has its own station with `--households` households; all push in the same moment to one hub process. The slow
road carries 50 kB/s and loses one request in five, before it arrives or after it was answered. The seconds of a request
are the hub's: on the loopback there is no transfer, and the slow road's own waiting is not counted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from collect.peers import Peers
from collect.settings import Village
from collect.station import Station
from datasette_plugins.demo.proof import lost, saved_answers
from forms.reader import load_shipped
from sync.exchange import run
from sync.identity import make_invitation
from sync.joining import join, over_network
from sync.transport import TransportError
from tests.bench.baseline import households, show, told
from tests.scenarios.killing import _free_port, _wait

AT_ONCE = 8  # client processes; each runs its share of the laptops in threads
SPEED = 50_000  # bytes a second of the slow road
FAILING = 0.2


class Road(httpx.HTTPTransport):
    """A real connection that times every request; slow and failing where asked to be."""

    def __init__(self, seconds: list[float], *, slow: random.Random | None = None) -> None:
        super().__init__()
        self.seconds, self.slow = seconds, slow

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request as the road allows."""
        chance = self.slow.random() if self.slow else 1.0
        if self.slow:
            time.sleep(len(request.read()) / SPEED)
        if chance < FAILING / 2:
            raise httpx.ConnectError("lost on its way")
        began = time.perf_counter()
        response = super().handle_request(request)
        data = response.read()
        self.seconds.append(time.perf_counter() - began)
        if self.slow:
            time.sleep(len(data) / SPEED)
        if chance < FAILING:
            raise httpx.ReadError("the answer was lost")
        return response


def exchange(folder: Path, *, slow: int | None = None) -> tuple[list[float], int, int]:
    """Exchange one laptop's work with its hub, again where the road gave up; (seconds a request, bytes, attempts)."""
    seconds: list[float] = []
    with Station.open(folder) as laptop, closing(Peers(folder)) as peers:
        hub = peers.hubs()[0]
        chance = random.Random(slow) if slow is not None else None
        for attempt in range(1, 100):
            with over_network(laptop, hub) as road:
                road._client.close()
                road._client = httpx.Client(transport=Road(seconds, slow=chance), timeout=120)
                try:
                    outcome = run(laptop, road)
                except TransportError:
                    continue
                if not outcome.waiting:
                    return seconds, outcome.bytes_sent, attempt
    raise AssertionError(f"{folder.name} never came through")


def share(folders: list[Path]) -> list[tuple[list[float], int, int]]:
    """Exchange several laptops at once, each in a thread."""
    with ThreadPoolExecutor(len(folders)) as pool:
        return list(pool.map(exchange, folders))


def prepare(folder: Path, number: int, invitation: Any, count: int) -> Path:
    """Make a laptop with its households."""
    form = load_shipped("household")
    place = folder / f"laptop-{number}"
    join(place, invitation)
    with Station.open(place) as laptop:
        laptop.add_form(form)
        homes = told(form, households(count, seed=number + 1, at=village(number)))
        laptop.save_many(((form, home, None) for home in homes), author="bench")
    return place


def village(number: int) -> str:
    """Return the code of a laptop's village."""
    return f"9999990010{number % 13 + 1:02}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--laptops", type=int, default=40)
    parser.add_argument("--households", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        data = measured(Path(name), wanted.laptops, wanted.households)
    rows = [
        ("laptops, households each", f"{wanted.laptops}, {wanted.households}"),
        ("all pushed and confirmed in", f"{data['all_s']} s"),
        ("a request: median, p99, longest", f"{data['p50_s']} s, {data['p99_s']} s, {data['max_s']} s"),
        ("hub's peak memory", f"{data['hub_mb']} MB"),
        ("slow road: seconds, attempts, bytes", f"{data['slow_s']} s, {data['slow_attempts']}, {data['slow_bytes']:,}"),
        ("answers lost", str(data["lost"])),
    ]
    show(rows, data, as_json=wanted.json)


def measured(folder: Path, laptops: int, count: int) -> dict[str, Any]:
    """Lay out a township, let all push at once, then one more by the slow road; return the figures."""
    port = _free_port()
    villages = [Village(village(number), f"{number + 1} 村") for number in range(13)]
    with Station.create(folder / "hub", name="hub", role="hub", villages=villages) as hub:
        hub.add_form(load_shipped("household"))
        invitations = [
            make_invitation(hub, f"laptop {number}", [village(number)], f"http://127.0.0.1:{port}")
            for number in range(laptops + 1)
        ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, mp_context=context) as pool:
        made = partial(prepare, folder, count=count)
        places = list(pool.map(made, range(laptops + 1), invitations))
        server = _hub(folder / "hub", port)
        try:
            _wait(port)
            began = time.perf_counter()
            parts = [places[:-1][at::AT_ONCE] for at in range(min(AT_ONCE, laptops))]
            done = [one for part in pool.map(share, parts) for one in part]
            whole = time.perf_counter() - began
            began = time.perf_counter()
            _, sent, attempts = exchange(places[-1], slow=11)
            slow = time.perf_counter() - began
            memory = _peak(server.pid)
        finally:
            server.terminate()
            server.wait(timeout=30)
    missing = 0
    with Station.open(folder / "hub") as hub:
        for place in places:
            with Station.open(place) as laptop:
                missing += len(lost(hub, saved_answers(laptop)))
    seconds = sorted(second for each, _, _ in done for second in each)
    return {
        "laptops": laptops, "households": count, "all_s": round(whole, 2), "requests": len(seconds),
        "p50_s": round(seconds[len(seconds) // 2], 2), "p99_s": round(seconds[int(len(seconds) * 0.99)], 2),
        "max_s": round(seconds[-1], 2), "hub_mb": memory, "slow_s": round(slow, 1), "slow_attempts": attempts,
        "slow_bytes": sent, "lost": missing,
    }  # fmt: skip


def _hub(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from collect.cli import main; main()"]
    command += ["hub", "serve", "--station", str(folder), "--port", str(port)]
    environment = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )


def _peak(pid: int) -> float:
    """Return a process's peak resident memory in MB, nan where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return float("nan")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


if __name__ == "__main__":
    main()
