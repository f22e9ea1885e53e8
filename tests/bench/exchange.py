"""First push over HTTP to a hub in its own process, against a raw insert: `python -m tests.bench.exchange --json`."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from collect.peers import Peers
from collect.settings import Village
from collect.station import Station
from datasette_plugins.demo.proof import lost, saved_answers
from datasette_plugins.demo.serving import running_hub
from forms.reader import load_shipped
from sync.exchange import Outcome, run
from sync.identity import make_invitation
from sync.joining import join, over_network
from tests.bench.baseline import VILLAGE, households, peak_mb, raw_median, show, told

VILLAGES = [Village(VILLAGE, "前进村")]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--persons", type=int, default=0, help="Cut members down to this many; 0: three a household.")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    form = load_shipped("household")
    homes = trimmed(told(form, households(wanted.households)), wanted.persons or 3 * wanted.households)
    members = sum(len(home["member"]) for home in homes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = raw_median(folder, homes)
        Station.create(folder / "hub", name="hub", role="hub", villages=VILLAGES).close()
        with Station.open(folder / "hub") as hub:
            hub.add_form(form)
        with running_hub(folder / "hub") as address:
            with Station.open(folder / "hub") as hub:
                invitation = make_invitation(hub, "laptop", [VILLAGE], address)
            join(folder / "laptop", invitation)
            with Station.open(folder / "laptop") as laptop:
                began = time.perf_counter()
                laptop.save_many(((form, home, None) for home in homes), author="bench")
                saved = time.perf_counter() - began
                push, first = exchanged(laptop)
                again, nothing = exchanged(laptop)
                answers = saved_answers(laptop)
        with Station.open(folder / "hub") as hub:
            missing = len(lost(hub, answers))
    data: dict[str, Any] = {
        "households": len(homes), "persons": members, "raw_s": round(raw, 3), "save_s": round(saved, 2),
        "push_s": round(push, 2), "push_ratio": round(push / raw, 1), "push_mb": round(first.bytes_sent / 1e6, 2),
        "noop_requests": nothing.requests, "noop_bytes": nothing.bytes_sent + nothing.bytes_received,
        "noop_s": round(again, 3), "lost": missing, "peak_mb": round(peak_mb(), 1),
    }  # fmt: skip
    rows = [
        ("households, persons", f"{len(homes):,}, {members:,}"),
        ("raw executemany", f"{raw:.3f} s"),
        ("saved on the laptop", f"{saved:.2f} s, {saved / raw:.1f} x raw"),
        ("first push, until the receipt", f"{push:.2f} s, {push / raw:.1f} x raw, {first.bytes_sent / 1e6:.2f} MB"),
        ("nothing to do", f"{again * 1000:.0f} ms, {nothing.requests} requests, {data['noop_bytes']} bytes"),
        ("answers lost", str(missing)),
        ("peak memory of the laptop's process", f"{peak_mb():.0f} MB"),
    ]
    show(rows, data, as_json=wanted.json)


def trimmed(homes: list[dict[str, Any]], persons: int) -> list[dict[str, Any]]:
    """Return the households with `persons` members in all, made fewer or more by leaving out or repeating some."""
    chance = random.Random(3)
    count = sum(len(home["member"]) for home in homes)
    while count != persons:
        home = chance.choice(homes)
        if count > persons and len(home["member"]) > 1:
            home["member"].pop()
            count -= 1
        elif count < persons:
            home["member"].append(dict(home["member"][-1]))
            count += 1
    return homes


def exchanged(laptop: Station) -> tuple[float, Outcome]:
    """Exchange with the hub; return the seconds and what came of it."""
    with closing(Peers(laptop.folder)) as peers, over_network(laptop, peers.hubs()[0]) as road:
        began = time.perf_counter()
        outcome = run(laptop, road)
        return time.perf_counter() - began, outcome


if __name__ == "__main__":
    main()
