"""One served township for the tests that only read, a fresh one for those that change it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from collect import accounts
from tests.datasette_plugins.hub.township import Running, make_township, running


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """The real password hash, only less of it: the tests log in often."""
    from argon2 import PasswordHasher

    usual, quick = accounts._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts._hasher = lambda: quick
    accounts._decoy.cache_clear()
    yield
    accounts._hasher = usual
    accounts._decoy.cache_clear()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A township's folder that nobody serves, to copy from."""
    folder = tmp_path_factory.mktemp("township") / "hub"
    return folder, make_township(folder)


@pytest.fixture(scope="session")
def township(made: tuple[Path, dict[str, list[str]]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = shutil.copytree(made[0], tmp_path_factory.mktemp("served") / "hub")
    with running(folder, made[1]) as served:
        yield served


@pytest.fixture
def fresh(made: tuple[Path, dict[str, list[str]]], tmp_path: Path) -> Iterator[Running]:
    folder = shutil.copytree(made[0], tmp_path / "hub")
    with running(folder, made[1]) as served:
        yield served
