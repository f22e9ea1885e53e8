"""Two laptops and a hub in its own process, over HTTP, against a raw insert.

`python -m tests.bench.exchange --json`
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from uuid6 import uuid7

from collect.memory import collect_rarely
from collect.peers import Peers
from collect.revision import DELETED
from collect.settings import Village
from collect.station import Station
from datasette_plugins.demo.proof import Answer, lost, saved_answers
from datasette_plugins.demo.serving import running_hub
from sync.exchange import Outcome, run
from sync.identity import make_invitation
from sync.joining import join, over_network
from tests.bench.baseline import VILLAGE, peak_mb, show
from tests.bench.tables import HOME, PERSON, Raw, Rows, Shaped, invented, read, shaped

VILLAGES = [Village(VILLAGE, "前进村")]
EDITS, NEW, GONE = 1_000, 200, 50  # an increment
CONCURRENT, AGAINST = 500, 20  # edited on both laptops; edited on one and deleted on the other


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--persons", type=int, default=0, help="0: three a household.")
    parser.add_argument("--data", type=Path, help="A SQLite file with tables households and persons.")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    collect_rarely()
    homes, people = (
        read(wanted.data) if wanted.data else invented(wanted.households, wanted.persons or 3 * wanted.households)
    )
    with tempfile.TemporaryDirectory() as name:
        data = measured(Path(name), homes, people)
    rows = [
        ("households, persons", f"{data['households']:,}, {data['persons']:,}"),
        ("raw executemany", f"{data['raw_s']:.3f} s"),
        ("saved on the laptop", f"{data['save_s']:.2f} s, {data['save_ratio']} x raw"),
        *(
            (label, f"{data[f'{key}_s']:.2f} s, {data[f'{key}_ratio']} x raw, {size}")
            for label, key, size in (
                ("first push, until the receipt", "push", f"{data['push_mb']} MB"),
                ("pull by a second laptop", "pull", f"{data['pull_mb']} MB"),
                ("increment", "increment", f"{data['increment_kb']} kB"),
            )
        ),
        ("concurrent edits, both pushes", f"{data['concurrent_s']:.2f} s, {data['concurrent_kb']} kB"),
        ("nothing to do", f"{data['noop_s'] * 1000:.0f} ms, {data['noop_requests']} requests, {data['noop_bytes']} B"),
        ("answers lost", str(data["lost"])),
        ("conflicts, false ones among them", f"{data['conflicts']}, {data['false_conflicts']}"),
        ("peak memory: laptops' process, hub", f"{data['peak_mb']:.0f} MB, {data['hub_peak_mb']:.0f} MB"),
    ]
    show(rows, data, as_json=wanted.json)


def measured(folder: Path, homes: Rows, people: Rows) -> dict[str, Any]:
    """Return every figure."""
    shape = shaped(homes, people)
    raw = Raw(folder, homes, people)
    Station.create(folder / "hub", name="hub", role="hub", villages=VILLAGES).close()
    with Station.open(folder / "hub") as hub:
        hub.add_form(shape.form)
    with running_hub(folder / "hub") as address:
        with Station.open(folder / "hub") as hub:
            invitations = [make_invitation(hub, name, [VILLAGE], address) for name in ("one", "two")]
        for name, invitation in zip(("one", "two"), invitations, strict=True):
            join(folder / name, invitation)
        with Station.open(folder / "one") as one, Station.open(folder / "two") as two:
            steps = _Steps((one, two), shape, raw, (homes, people))
            data = steps.walk()
            data["hub_peak_mb"] = _peak_of(folder)
    with Station.open(folder / "hub") as hub, Station.open(folder / "one") as one, Station.open(folder / "two") as two:
        data["lost"] = sum(len(lost(station, steps.answers)) for station in (hub, one, two))
        found = [{(each.record, each.field) for each in station.conflicts()} for station in (hub, one, two)]
    data["conflicts"] = min(len(each) for each in found)
    data["false_conflicts"] = max(len(each - steps.expected) for each in found)
    data["lost"] += max(len(steps.expected - each) for each in found)  # a conflict not told is an answer lost
    return data


class _Steps:
    """The steps of the bench on two laptops."""

    def __init__(
        self, laptops: tuple[Station, Station], shape: Shaped, raw: Raw, tables: tuple[Rows, Rows]
    ) -> None:
        self.one, self.two = laptops
        self.shape, self.raw = shape, raw
        self.homes, self.people = tables
        self.chance = random.Random(7)
        self.answers: frozenset[Answer] = frozenset()
        self.expected: set[tuple[str, str]] = set()

    def walk(self) -> dict[str, Any]:
        """Do every step and return its figures."""
        raw = self.raw.seconds
        saved = _timed(lambda: self._save(self.one, self.shape.answers(self.homes, self.people)))[0]
        push, first = _timed(lambda: exchanged(self.one))
        pull, second = _timed(lambda: exchanged(self.two))
        raw_change = self._increment()
        increment, third = _timed(lambda: exchanged(self.one))
        exchanged(self.two)
        self._concurrent()
        peak = peak_mb()
        self.answers = saved_answers(self.one) | saved_answers(self.two)
        apart, fourth = _timed(lambda: [exchanged(self.one), exchanged(self.two)])
        exchanged(self.one)
        again, nothing = _timed(lambda: exchanged(self.one))
        return {
            "households": len(self.homes.rows), "persons": len(self.people.rows), "raw_s": round(raw, 3),
            "save_s": round(saved, 2), "save_ratio": round(saved / raw, 1),
            "push_s": round(push, 2), "push_ratio": round(push / raw, 1), "push_mb": round(_size(first) / 1e6, 2),
            "pull_s": round(pull, 2), "pull_ratio": round(pull / raw, 1), "pull_mb": round(_size(second) / 1e6, 2),
            "increment_s": round(increment, 3), "increment_raw_s": round(raw_change, 4),
            "increment_ratio": round(increment / raw_change, 1), "increment_kb": round(_size(third) / 1e3, 1),
            "concurrent_s": round(apart, 2), "concurrent_kb": round(sum(map(_size, fourth)) / 1e3, 1),
            "noop_requests": nothing.requests, "noop_bytes": _size(nothing), "noop_s": round(again, 3),
            "peak_mb": round(peak, 1),
        }  # fmt: skip

    def _save(self, laptop: Station, answers: Iterable[dict[str, Any]]) -> None:
        laptop.save_many(((self.shape.form, one, VILLAGE) for one in answers), author="bench")

    def _increment(self) -> float:
        """Edit, add and delete on the first laptop; return how long the same takes raw."""
        keys = [row[0] for row in self.chance.sample(self.homes.rows, min(EDITS, len(self.homes.rows)))]
        used = self.shape.editable
        edits, updates = [], []
        for key in keys:
            answers = self.one.answers(HOME, key)
            answers |= {name: self._changed(answers.get(name), name, "改") for name in used}
            edits.append(answers)
            updates.append((*(answers[name] for name in used), key))
        model = self.chance.sample(self.homes.rows, min(NEW, len(self.homes.rows)))
        new = Rows(self.homes.columns, [(str(uuid7()), *row[1:]) for row in model])
        gone = [row[0] for row in self.chance.sample(self.people.rows, min(GONE, len(self.people.rows)))]
        self._save(self.one, edits)
        self._save(self.one, self.shape.answers(new, Rows(self.people.columns)))
        for key in gone:
            self.one.delete(PERSON, key, author="bench")
        columns = [self.homes.columns[self.shape.upper.index(name) + 1] for name in used]
        return self.raw.change(updates, columns, new, gone)

    def _concurrent(self) -> None:
        """Edit the same households on both laptops without an exchange between, and delete some on one of them."""
        asked, other = self.shape.editable
        wanted = min(CONCURRENT + AGAINST, len(self.homes.rows))
        picked = [row[0] for row in self.chance.sample(self.homes.rows, wanted)]
        gone, picked = picked[:AGAINST], picked[AGAINST:]
        same = set(picked[: len(picked) // 2])
        self._save(self.one, [self._edited(self.one, key, asked, "甲") for key in picked])
        self._save(self.two, [self._edited(self.two, key, asked if key in same else other, "乙") for key in picked])
        for key in gone:
            self.one.delete(HOME, key, author="bench")
        self._save(self.two, [self._edited(self.two, key, other, "乙") for key in gone])
        self.expected = {(key, asked) for key in same} | {(key, DELETED) for key in gone}

    def _edited(self, laptop: Station, key: str, name: str, mark: str) -> dict[str, Any]:
        answers = laptop.answers(HOME, key)
        return answers | {name: self._changed(answers.get(name), name, mark)}

    def _changed(self, value: Any, name: str, mark: str) -> Any:
        """Another value of the same kind, which says by whom it was made."""
        if isinstance(value, (int, float)):
            return value + {"改": 1, "甲": 2, "乙": 3}[mark]
        return f"{value or ''}{mark}{self.chance.randrange(1000)}"


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def exchanged(laptop: Station) -> Outcome:
    """Exchange with the hub; return what came of it."""
    with closing(Peers(laptop.folder)) as peers, over_network(laptop, peers.hubs()[0]) as road:
        outcome = run(laptop, road)
    assert not outcome.problems, outcome.problems
    return outcome


def _size(outcome: Outcome) -> int:
    return outcome.bytes_sent + outcome.bytes_received


def _peak_of(folder: Path) -> float:
    """Peak resident memory in MB of the process that serves the hub; nan where the system does not tell."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if str(folder / "hub").encode() in (status.parent / "cmdline").read_bytes():
                peak = next(line for line in status.read_text(encoding="utf-8").splitlines() if "VmHWM" in line)
                return int(peak.split()[1]) / 1024
        except (OSError, StopIteration):
            continue
    return float("nan")


if __name__ == "__main__":
    main()
