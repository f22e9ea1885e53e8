"""The hub against a plain Datasette over the same file: `python -m tests.bench.hub --households 10000 --json`."""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from collect.accounts import Accounts
from collect.settings import Village
from collect.station import Station
from forms.reader import load_shipped
from tests.bench.baseline import VILLAGE, households, show, told
from tests.bench.capture import resident

PASSWORD = "qinghe-2026-guanli"
RUNS = 20


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    form = load_shipped("household")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "hub"
        with Station.create(folder, name="hub", role="hub", villages=[Village(VILLAGE, "前进村")]) as station:
            station.add_form(form)
            answers = told(form, households(wanted.households))
            station.save_many(((form, one, None) for one in answers), author="bench")
        with closing(Accounts(folder)) as accounts:
            accounts.add("bench", role="administrator", password=PASSWORD)
        cunce = [sys.executable, "-c", "from collect.cli import main; main()", "hub", "serve", "--station", str(folder)]
        plain = [sys.executable, "-m", "datasette", str(folder / "township.db"), "--setting", "suggest_facets", "off"]
        ours = measured(cunce, log_in=True)
        theirs = measured(plain, log_in=False)
    data = {"households": wanted.households, **{f"hub_{key}": value for key, value in ours.items()}}
    data |= {f"plain_{key}": value for key, value in theirs.items()}
    data["page_ratio"] = round(ours["page_ms"] / theirs["page_ms"], 2)
    rows = [
        (key, f"{ours[key]} (hub)   {theirs[key]} (plain Datasette)   {ours[key] / theirs[key]:.2f} x") for key in ours
    ]
    show(rows, data, as_json=wanted.json)


def measured(command: list[str], *, log_in: bool) -> dict[str, Any]:
    """Return seconds until the first answer, milliseconds of a ledger page and a record page, MiB resident."""
    began = time.perf_counter()
    with running(command) as (address, process), httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        start = time.perf_counter() - began
        if log_in:
            page = client.get("/-/login", follow_redirects=True)
            token = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
            assert token is not None
            fields = {"name": "bench", "password": PASSWORD, "csrftoken": token[1]}
            client.post(page.url.path, data=fields, follow_redirects=True).raise_for_status()
        table = client.get("/township/household")
        assert table.status_code == 200, table.text[:300]
        record = re.search(r'"/township/household/([0-9a-f-]{36})"', table.text)
        assert record is not None
        paths = {"page_ms": "/township/household", "record_ms": f"/township/household/{record[1]}"}
        times = {key: timed(client, path) for key, path in paths.items()}
        return {"start_s": round(start, 2), **times, "rss_mib": resident(process.pid) or 0.0}


def timed(client: httpx.Client, path: str) -> float:
    """Return the median milliseconds of a page."""
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        client.get(path).raise_for_status()
        seconds.append(time.perf_counter() - began)
    return round(statistics.median(seconds) * 1000, 1)


@contextmanager
def running(command: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server on a free port until its first answer; stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    httpx.get(address, timeout=5, trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield address, process
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
