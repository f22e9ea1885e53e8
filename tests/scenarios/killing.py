"""Real processes killed at random moments, round after round: `python -m tests.scenarios.killing [ROUNDS] [SEED]`.

A hub serves over HTTP; two laptops save, exchange by network and stick, project anew; the hub attends the stick and
slices its villages. In every round some of these processes run and are killed (SIGKILL; on Windows TerminateProcess),
the hub's server in the middle of a push too, and sometimes the stick vanishes. Afterwards everything acknowledged must
be there, every station verifies, and after a full exchange all ledgers are equal. Prints what was lost.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from collect.peers import Peers
from collect.settings import Village
from collect.slices import update_slices
from collect.station import Station
from datasette_plugins.demo.proof import Answer, lost
from forms.problems import CunceError
from sync.exchange import run
from sync.identity import make_invitation
from sync.joining import join, over_folder, over_network
from sync.stick import attend
from tests.sync.township import EAST, WEST, household, hub_row, ledger

ROOT = Path(__file__).resolve().parents[2]
LAPTOPS = ("one", "two")


def main() -> None:
    """Run and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 2026
    with tempfile.TemporaryDirectory() as folder:
        print(campaign(Path(folder), rounds, seed))


# ---- what runs and is killed


def work(kind: str, station: Path, stick: Path) -> None:
    """Do one kind of work over and over, saying `ready` once and each saved answer as it is acknowledged."""
    with Station.open(station) as opened:
        say("ready")
        for number in range(100_000):
            try:
                _WORK[kind](opened, stick, number)
            except CunceError as error:
                # A stick that vanished, a hub that is down: said in words, tried again.
                say(f"refused {error.code}")
                time.sleep(0.05)


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _save(station: Station, stick: Path, number: int) -> None:
    """Save a new household with its members, or change one there is."""
    rows = list(station.projection.rows("household"))[-20:]
    chance = random.Random(time.time_ns())
    head = f"{station.name}-{time.time_ns()}"
    if rows and number % 3:
        record = chance.choice(rows)["_id"]
        saved = station.save(
            {**station.answers("household", record), "head_name": head}, household(), record=record, author="李"
        )
    else:
        members = [{"name": f"{head}-{at}"} for at in range(number % 4)]
        saved = station.save({"village": EAST[0], "head_name": head, "member": members}, household(), author="李")
    say(f"saved {saved.record} {head}")


def _network(station: Station, stick: Path, number: int) -> None:
    with over_network(station, hub_row(station), pauses=()) as road:
        run(station, road)


def _stick(station: Station, stick: Path, number: int) -> None:
    run(station, over_folder(station, hub_row(station), stick))


def _attend(station: Station, stick: Path, number: int) -> None:
    attend(station, stick)


def _rebuild(station: Station, stick: Path, number: int) -> None:
    station.rebuild()


def _slice(station: Station, stick: Path, number: int) -> None:
    update_slices(station)
    time.sleep(0.01)


_WORK: dict[str, Callable[[Station, Path, int], None]] = {
    "save": _save, "network": _network, "stick": _stick, "attend": _attend, "rebuild": _rebuild, "slice": _slice,
}  # fmt: skip
_LAPTOP_WORK = ("save", "save", "network", "network", "stick", "rebuild")
_HUB_WORK = ("attend", "slice", "rebuild")


# ---- the campaign


@dataclass
class Result:
    """What a campaign came to."""

    rounds: int
    killed: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        said = f"{self.rounds} rounds, {self.killed} processes killed, {self.acknowledged} saves acknowledged"
        return "\n".join([*self.faults, *self.lost, f"{said}, {len(self.faults)} faults, {len(self.lost)} lost"])


def campaign(folder: Path, rounds: int, seed: int) -> Result:
    """Lay out a township in an empty folder, kill its processes for so many rounds, and compare what is left."""
    result, chance = Result(rounds), random.Random(seed)
    port = _free_port()
    _lay_out(folder, f"http://127.0.0.1:{port}")
    saved: set[Answer] = set()
    for number in range(rounds):
        _round(folder, port, chance, result, saved)
        if number % 10 == 9 or number == rounds - 1:
            _verified(folder, result)
    result.acknowledged = len(saved)
    _compare(folder, port, result, saved)
    return result


def _lay_out(folder: Path, address: str) -> None:
    (folder / "stick").mkdir()
    villages = [Village(*EAST), Village(*WEST)]
    with Station.create(folder / "hub", name="青山镇", role="hub", villages=villages) as hub:
        hub.add_form(household())
        for name in LAPTOPS:
            join(folder / name, make_invitation(hub, name, [EAST[0]], address))
            with Station.open(folder / name) as laptop:
                _stick(laptop, folder / "stick", 0)
                attend(hub, folder / "stick")
                _stick(laptop, folder / "stick", 0)


def _round(folder: Path, port: int, chance: random.Random, result: Result, saved: set[Answer]) -> None:
    """Start some work, let it run for a moment, kill it all, and read what it acknowledged."""
    server = _serve(folder, port) if chance.random() < 0.5 else None
    if server is not None:
        _wait(port)
    running = [_start(chance.choice(_LAPTOP_WORK), folder, name) for name in LAPTOPS]
    if server is None or chance.random() < 0.3:
        running.append(_start(chance.choice(_HUB_WORK), folder, "hub"))
    for process in running:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            result.faults.append(f"did not start: {process.communicate(timeout=20)}")
    time.sleep(chance.random() * 0.4)
    if chance.random() < 0.3:
        _pull_out(folder)
    for process in (*running, *([server] if server else [])):
        process.kill()
        result.killed += 1
    for process in running:
        out, err = process.communicate(timeout=20)
        if "Traceback" in err:
            result.faults.append(err)
        for line in out.split("\n")[:-1]:  # the last one may have been cut off
            word, _, rest = line.partition(" ")
            if word == "saved":
                record, head = rest.split(" ")
                saved.add(Answer("household", record, "head_name", head))
    if server is not None:
        server.wait(timeout=20)


def _pull_out(folder: Path) -> None:
    """Take the stick away while it is written to, and put it back."""
    try:
        (folder / "stick").rename(folder / "pulled")
        time.sleep(0.05)
        (folder / "pulled").rename(folder / "stick")
    except OSError:
        pass  # Windows does not let go of a folder in use, or somebody made the folder anew
    if (folder / "pulled").exists():
        raise AssertionError("a stick was written to that is not there")


def _verified(folder: Path, result: Result) -> None:
    for name in ("hub", *LAPTOPS):
        with Station.open(folder / name) as station:
            result.faults += [f"{name}: {problem.words()}" for problem in station.verify()]


def _compare(folder: Path, port: int, result: Result, saved: set[Answer]) -> None:
    """Exchange until nothing is left to exchange, and look for everything that was acknowledged."""
    server = _serve(folder, port)
    try:
        _wait(port)
        for _ in range(2):
            for name in LAPTOPS:
                with Station.open(folder / name) as laptop:
                    _network(laptop, folder / "stick", 0)
    finally:
        server.terminate()
        server.wait(timeout=30)
    _verified(folder, result)
    with Station.open(folder / "hub") as hub:
        result.lost = [f"lost at the hub: {answer}" for answer in lost(hub, frozenset(saved))]
        whole = ledger(hub)
        for name in LAPTOPS:
            with Station.open(folder / name) as laptop, closing(Peers(laptop.folder)) as peers:
                if ledger(laptop) != whole or laptop.conflicts() != hub.conflicts():
                    result.faults.append(f"{name}: other ledgers than the hub's")
                if peers.hubs()[0].held != laptop.journal.held().get(laptop.id, 0):
                    result.faults.append(f"{name}: not everything is confirmed")


def _start(kind: str, folder: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.scenarios.killing", "work", kind, str(folder / name), str(folder / "stick")]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip


def _serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from collect.cli import main; main()"]
    command += ["hub", "serve", "--station", str(folder / "hub"), "--port", str(port)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}", timeout=5.0, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the hub does not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
