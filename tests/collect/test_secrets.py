"""A station's own secrets."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collect.secrets import FILE, secret_of

ASK = """
import sys
from pathlib import Path
from collect.secrets import secret_of
print(secret_of(Path(sys.argv[1]), sys.argv[2]))
"""


def test_a_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = secret_of(tmp_path, "datasette")
    assert len(bytes.fromhex(first)) == 32
    assert secret_of(tmp_path, "datasette") == first
    assert secret_of(tmp_path, "token a") != first


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights in other ways")
def test_nobody_else_reads_it(tmp_path: Path) -> None:
    secret_of(tmp_path, "datasette")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_processes_that_ask_at_once_agree_and_lose_none(tmp_path: Path) -> None:
    def ask(number: int) -> tuple[str, str]:
        name = f"name {number % 3}"
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(tmp_path), name], capture_output=True, text=True, timeout=60, check=True
        )
        return name, done.stdout.strip()

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(ask, range(6)))
    assert len(answers) == 3
    assert all(secret_of(tmp_path, name) == value for name, value in answers)
    assert not (tmp_path / "secrets.lock").exists()
