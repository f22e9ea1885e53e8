"""A real process killed while it saves, and a full disk: nothing acknowledged is lost, nothing is half there."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collect.database import DatabaseError
from collect.station import LedgersBehindError, Station
from tests.collect.ledger_forms import VILLAGE, household

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 8


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.collect.crashing", str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip


def saved_until_killed(folder: Path, after: float) -> list[tuple[str, str]]:
    """Let a process save for a while, kill it, and return what it said it had saved: record, head's name."""
    process = started(folder)
    assert process.stdout is not None
    with process.stdout:
        lines = [process.stdout.readline()]
        time.sleep(after)
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    process.wait()
    # The last line may have been cut off while it was being written.
    return [(record, at) for record, at in (line.split() for line in lines if line.endswith("\n"))]


def test_a_process_killed_at_any_moment_loses_nothing_it_had_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    with Station.create(folder, name="x") as station:
        station.add_form(household())
    chance = random.Random(2026)
    expected: dict[str, int] = {}
    for _ in range(ROUNDS):
        acknowledged = saved_until_killed(folder, chance.random() * 0.15)
        assert acknowledged
        expected.update({record: int(at) for record, at in acknowledged})
        with Station.open(folder) as station:
            assert station.verify() == ()
            for record, at in expected.items():
                answers = station.answers("household", record)
                # The save after the last acknowledged one may be there as well, but only as a whole.
                found = int(answers["head_name"])
                assert found in (at, at + 1)
                names = [row["name"] for row in answers.get("member", ())]
                assert names == [f"{found}-{number}" for number in range(found % 3)]
            assert station.drafts.get("draft").answers["at"] >= int(acknowledged[-1][1])


def test_two_processes_save_into_one_station_at_once(tmp_path: Path) -> None:
    with Station.create(tmp_path, name="x") as station:
        station.add_form(household())
    processes = [started(tmp_path) for _ in range(2)]
    acknowledged = set()
    for process in processes:
        assert process.stdout is not None
        acknowledged.add(process.stdout.readline().split()[0])
    time.sleep(0.5)
    for process in processes:
        process.kill()
        assert process.stdout is not None
        with process.stdout:
            acknowledged.update(line.split()[0] for line in process.stdout if line.endswith("\n"))
        process.wait()
    with Station.open(tmp_path) as station:
        assert station.verify() == ()
        assert station.journal.held() == station.journal.count()
        for record in acknowledged:
            assert station.answers("household", record)


def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_saved(tmp_path: Path) -> None:
    with Station.create(tmp_path, name="x") as station:
        saved = station.save({"village": VILLAGE, "head_name": "张三"}, household(), author="李")
        database = station.journal._connections.here
        before = list(station.projection.dump())
        pages = database.value("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages}")
        big = {"village": VILLAGE, "head_name": "长" * 50_000}
        for attempt in (
            lambda: station.save(big, household(), author="李"),
            lambda: station.save(big, household(), record=saved.record, author="李"),
        ):
            with pytest.raises(DatabaseError) as caught:
                attempt()
            assert caught.value.code == "COLLECT_DISK_FULL"
        assert station.journal.count() == {station.id: 1}
        database.execute(f"PRAGMA max_page_count = {pages * 1000}")
        assert list(station.projection.dump()) == before
        assert station.verify() == ()
        assert station.save(big, household(), author="李").revisions[0].id.seq == 2


def test_ledgers_that_could_not_be_written_follow_later(tmp_path: Path) -> None:
    with Station.create(tmp_path, name="x") as station:
        station.add_form(household())
        database = station.projection._connections.here
        pages = database.value("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages}")
        big = {"village": VILLAGE, "head_name": "长" * 50_000}
        with pytest.raises(LedgersBehindError) as caught:
            station.save(big, household(), author="李")
        assert caught.value.code == "COLLECT_LEDGERS_BEHIND"
        with pytest.raises(DatabaseError, match="COLLECT_DISK_FULL"):
            station.save(big, household(), author="李")
        database.execute(f"PRAGMA max_page_count = {pages * 1000}")
        station.projection.catch_up()
        assert station.verify() == ()
        assert station.projection.counts()["household"] == station.journal.arrived() == 1


def saved_until_refused(folder: Path, before: str = "") -> list[str]:
    """Let a process save until the disk refuses, and return what it said: what it had saved, last the refusal."""
    script = (
        f"import sys; {before}\n"
        "from pathlib import Path; from tests.collect.crashing import main; from forms.problems import CunceError\n"
        "try: main(Path(sys.argv[1]))\n"
        "except CunceError as error: print('refused', error.code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def refused_clearly(folder: Path, lines: list[str]) -> None:
    word, code = lines[-1].split()
    assert word == "refused"
    assert code in ("COLLECT_DISK_FULL", "COLLECT_DATABASE_INPUT_OUTPUT", "COLLECT_LEDGERS_BEHIND")
    with Station.open(folder) as station:
        assert station.verify() == ()
        for line in lines[:-1]:
            record, at = line.split()
            assert int(station.answers("household", record)["head_name"]) in (int(at), int(at) + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as only POSIX systems can")
def test_files_that_may_not_grow_any_further(tmp_path: Path) -> None:
    with Station.create(tmp_path / "x", name="x") as station:
        station.add_form(household())
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))"
    )
    refused_clearly(tmp_path / "x", saved_until_refused(tmp_path / "x", limit))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_fills_while_a_process_saves(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        with Station.create(disk / "x", name="x") as station:
            station.add_form(household())
        lines = saved_until_refused(disk / "x")
        shutil.copytree(disk / "x", tmp_path / "y")
        refused_clearly(tmp_path / "y", lines)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
