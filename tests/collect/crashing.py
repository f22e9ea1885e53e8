"""Saves in a loop and says each time what was saved; started by test_crash.py, which kills it."""

from __future__ import annotations

import sys
from pathlib import Path

from collect.station import Station
from tests.collect.ledger_forms import VILLAGE, household


def main(folder: Path) -> None:
    with Station.open(folder) as station:
        record = ""
        for at in range(100_000):
            members = [{"name": f"{at}-{number}"} for number in range(at % 3)]
            answers = {"village": VILLAGE, "head_name": str(at), "member": members}
            if record and at % 2:
                # Every second save changes the record before and replaces its rows.
                station.save(answers, household(), record=record, author="李")
            else:
                record = station.save(answers, household(), author="李").record
            station.drafts.put("draft", "household", "1", None, {"at": at})
            sys.stdout.write(f"{record} {at}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
