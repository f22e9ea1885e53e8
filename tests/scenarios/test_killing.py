"""A township whose processes are killed over and over; `python -m tests.scenarios.killing 200` goes on for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.killing import campaign

ROUNDS = 25


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_whoever_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = campaign(tmp_path, ROUNDS, seed=7)
    with capsys.disabled():
        print(f" [{str(result).splitlines()[-1]}] ", end="")
    assert result.faults == []
    assert result.lost == []
    assert result.killed > ROUNDS
    assert result.acknowledged > ROUNDS
