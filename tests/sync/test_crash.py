"""Exchanges that die in the middle, as by a power cut: the next one goes on, and nothing is lost or doubled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collect.station import Station
from tests.sync.township import EAST, MovableClock, carry, hub_row, ledger, make_hub, make_laptop, save

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def township(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub and two laptops, each of which has something the others lack, and a stick."""
    root = tmp_path_factory.mktemp("crash")
    (root / "stick").mkdir()
    with make_hub(root / "hub") as hub:
        for name in ("one", "two"):
            with make_laptop(root / name, hub, name, EAST) as laptop:
                carry(hub, root / "stick", laptop)
                for number in range(5):
                    save(laptop, head_name=f"{name} {number}", member=[{"name": "a"}])
        save(hub, head_name="hub")
    return root


# Twice 60 file operations or so in all; beyond them the process ends by itself.
@pytest.mark.parametrize("step", [1, 4, 9, 13, 19, 26, 34, 45, 60, 80])
def test_an_exchange_that_dies_at_any_step_goes_on(township: Path, tmp_path: Path, step: int) -> None:
    root = tmp_path / "township"
    shutil.copytree(township, root)
    done = subprocess.run(
        [sys.executable, "-m", "tests.sync.exchanging", str(root), str(step)], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 9), done.stderr
    with (
        Station.open(root / "hub", clock=MovableClock()) as hub,
        Station.open(root / "one", clock=MovableClock()) as one,
        Station.open(root / "two", clock=MovableClock()) as two,
    ):
        for laptop in (one, two):
            assert hub_row(laptop).held <= hub.journal.held().get(laptop.id, 0), "only receipts are believed"
        for _ in range(2):
            outcomes = carry(hub, root / "stick", one, two)
        assert [(outcome.waiting, outcome.problems) for outcome in outcomes] == [(0, []), (0, [])]
        assert len(ledger(hub)) == 11
        for station in (one, two):
            assert ledger(station) == ledger(hub)
            assert station.journal.count() == hub.journal.count()
            assert not [problem for problem in station.verify() if problem.severity == "error"]
