"""Secrets that a station keeps for itself: one file, mode 0600, each made when it is first asked for."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "secrets.json"
_PATIENCE = 10.0  # seconds after which a lock was left behind by a process that died


def secret_of(folder: Path, name: str) -> str:
    """Return a station's secret of this name (64 hex characters), made and kept where it is new.

    Several processes may ask at once: all get the same one. Raises OSError where the folder cannot be written.
    """
    path = folder / FILE
    kept = _read(path)
    if name not in kept:
        with _alone(path.with_suffix(".lock")):
            kept = _read(path)
            if name not in kept:
                kept[name] = secrets.token_hex(32)
                _write(path, kept)
    return kept[name]


def _read(path: Path) -> dict[str, str]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _write(path: Path, kept: dict[str, str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(kept), encoding="utf-8")
    fresh.replace(path)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time read and write; a lock whose owner died is taken over."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            lock.touch(mode=0o600, exist_ok=False)
            break
        except FileExistsError:
            if time.monotonic() > until:
                break
            time.sleep(0.02)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
