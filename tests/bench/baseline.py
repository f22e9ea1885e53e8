"""What every bench shares: invented households, the raw insert they are measured against, the printing."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from datasette_plugins.demo import answers
from datasette_plugins.demo.people import Census, Household
from forms.definition import Form

VILLAGE = "999999001001"
TODAY = date(2026, 11, 22)


def households(number: int, seed: int = 1, at: str = VILLAGE) -> list[Household]:
    """Return invented households of one village (a code)."""
    census = Census(seed, TODAY)
    return [census.household(at, f"{turn % 12 + 1}组", turn + 1, (30.9, 110.2)) for turn in range(number)]


def told(form: Form, homes: Iterable[Household]) -> list[dict[str, Any]]:
    """Return their answers in codes."""
    import random

    chance = random.Random(2)
    return [answers.in_codes(form, answers.household(home, chance, TODAY)) for home in homes]


def raw_insert(path: Path, homes: Sequence[dict[str, Any]]) -> float:
    """Insert the same households and members with sqlite3's executemany in one transaction; return the seconds."""
    members = [(home["household_number"], row) for home in homes for row in home["member"]]
    plain = [{name: value for name, value in home.items() if name != "member"} for home in homes]
    first = sorted({name for home in plain for name in home})
    second = sorted({name for _, row in members for name in row})
    upper = [tuple(home.get(name) for name in first) for home in plain]
    lower = [(number, *(row.get(name) for name in second)) for number, row in members]
    connection = sqlite3.connect(path)
    began = time.perf_counter()
    with connection:
        connection.execute(f"CREATE TABLE household ({', '.join(first)})")
        connection.execute(f"CREATE TABLE member (household_number, {', '.join(second)})")
        connection.executemany(f"INSERT INTO household VALUES ({', '.join('?' * len(first))})", upper)
        connection.executemany(f"INSERT INTO member VALUES ({', '.join('?' * (len(second) + 1))})", lower)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def raw_median(folder: Path, homes: Sequence[dict[str, Any]], runs: int = 5) -> float:
    """Return the median of several raw inserts, each into a new file."""
    return statistics.median(raw_insert(folder / f"raw-{run}.db", homes) for run in range(runs))


def peak_mb() -> float:
    """Return this process's peak resident memory in MB; nan where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(rows: Sequence[tuple[str, str]], data: dict[str, Any], *, as_json: bool) -> None:
    """Print a table, and with `--json` the object last."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    if as_json:
        print(json.dumps(data, ensure_ascii=False))
