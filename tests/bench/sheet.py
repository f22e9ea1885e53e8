"""How long a village's sheet takes and how large it is: `python -m tests.bench.sheet [--houses N] [--json]`."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import replace

from datasette_plugins.publish.fonts import Faces, packaged
from datasette_plugins.publish.pdf_text import read_text
from datasette_plugins.publish.redaction import redact
from datasette_plugins.publish.sheet import render
from tests.datasette_plugins.publish.samples import full, village_map

RUNS = 5


def main() -> None:
    """Draw a full sheet a few times; print the median of milliseconds and the size, `--json` as one object last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--houses", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sheet = replace(full(), map=village_map(houses=given.houses))
    faces = Faces([packaged()])
    began = time.perf_counter()
    first = render(sheet, faces)
    cold = time.perf_counter() - began
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        render(sheet, faces)
        times.append(time.perf_counter() - began)
    began = time.perf_counter()
    public = redact(sheet)
    read_text(render(public, faces).pdf)
    checked = time.perf_counter() - began
    found = {
        "houses": given.houses,
        "pages": first.pages,
        "kilobytes": round(len(first.pdf) / 1024, 1),
        "first_ms": round(cold * 1000),
        "sheet_ms": round(statistics.median(times) * 1000),
        "public_ms": round(checked * 1000),
    }
    for name, value in found.items():
        sys.stdout.write(f"{name}: {value}\n")
    if given.json:
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
