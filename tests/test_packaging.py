"""The wheel, installed elsewhere: with the newest and with the oldest dependencies that pyproject.toml allows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def run(*command: str | Path, cwd: Path, timeout: float = 600) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, timeout=timeout, check=False
    )
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, output[-3000:] + done.stderr.decode("utf-8", "replace")[-3000:]
    return output


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder)
    return next(folder.glob("cunce-*.whl"))


def lowest() -> list[str]:
    """The lower bound of every dependency as an exact version."""
    found = []
    for requirement in PROJECT["dependencies"]:
        bound = re.match(r"^([\w.-]+)\s*(?:>=|==)\s*([\w.]+)", requirement)
        if bound and "sys_platform" not in requirement:
            found.append(f"{bound[1]}=={bound[2]}")
    return found


def test_every_dependency_has_a_bound_that_is_tested() -> None:
    assert [r for r in PROJECT["dependencies"] if not re.search(r"[<>=]=?\s*\d", r)] == []
    assert len(lowest()) >= len(PROJECT["dependencies"]) - 2


def test_the_wheel_holds_every_data_file_and_nothing_of_the_tests(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for package in ("forms", "collect", "sync", "datasette_plugins"):
        files = {p.relative_to(ROOT).as_posix() for p in (ROOT / package).rglob("*") if p.is_file()}
        wanted = {name for name in files if "__pycache__" not in name}
        assert wanted - inside == set()
    assert "datasette_plugins/metadata.yml" in inside
    assert not [name for name in inside if name.startswith(("tests/", "docs/"))]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("bounds", ["newest", "oldest"])
def test_the_demo_runs_from_the_wheel_in_a_clean_environment(wheel: Path, tmp_path: Path, bounds: str) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    pinned = lowest() if bounds == "oldest" else []
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel, *pinned, cwd=tmp_path)
    arguments = ("demo", "--dir", tmp_path / "demo", "--no-serve", "--json", "--households", "12", "--seed", "7")
    output = run(scripts / "cunce", *arguments, cwd=tmp_path)
    told = json.loads(output.strip().splitlines()[-1])
    assert told["lost"] == 0
    assert told["conflicts"] >= 1
    assert told["rejected_rows"] >= 3
    assert len(told["sheets"]) == 3
    assert all(Path(sheet).is_file() for sheet in told["sheets"])
