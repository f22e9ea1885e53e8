"""A small township whose villages' people bear names that stand nowhere else, and a real server in front of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from collect.accounts import Accounts
from collect.station import Station
from datasette_plugins import serving
from datasette_plugins.hub.people import accounts_of, close_accounts
from forms.reader import load_shipped

# Characters that no page of ours uses: where one turns up, a row of that village turned up.
MARKS = {"999999001001": "赤", "999999001002": "碧", "999999001003": "黛"}
NAMES = {"999999001001": "红星村", "999999001002": "向阳村", "999999001003": "青山村"}
A, B, C = MARKS
PASSWORD = "qing-he-2026"
PEOPLE: dict[str, tuple[str, list[str]]] = {
    "admin": ("administrator", []),
    "reviewer": ("reviewer", []),
    "leader": ("leader", []),
    "leader_of_b": ("leader", [B]),
    "cadre_a": ("cadre", [A]),
    "cadre_ab": ("cadre", [A, B]),
}


def make_township(folder: Path) -> dict[str, list[str]]:
    """Make a hub with three villages, a conflict in each, and accounts; returns the households' ids by village."""
    ids: dict[str, list[str]] = {}
    with Station.create(folder, name="清河镇", role="hub", villages=NAMES) as station:
        for name in ("household", "left_behind", "risk_point", "visit"):
            station.add_form(load_shipped(name))
        for village, mark in MARKS.items():
            ids[village] = [_household(station, village, mark, number) for number in range(3)]
            household = ids[village][0]
            person = station.answers("household", household)["member"][0]["_id"]
            station.save(
                {"village": village, "household": household, "person": person, "name": f"{mark}小宝", "kind": "child"},
                "left_behind", author="王芳",
            )  # fmt: skip
            station.save({"village": village, "number": f"{mark}01", "name": f"{mark}坡"}, "risk_point", author="王芳")
            contradict(station, household, mark)
    accounts = Accounts(folder)
    for name, (role, villages) in PEOPLE.items():
        accounts.add(name, role=role, villages=villages, password=PASSWORD)
    accounts.close()
    return ids


def contradict(station: Station, household: str, mark: str) -> None:
    """Let two people write the same answer without seeing each other."""
    opened = station.opened("household", household)
    for author, address in (("王芳", f"{mark}家湾1号"), ("李明", f"{mark}家湾2号")):
        answers = {**opened.answers, "address": address}
        station.save(answers, "household", record=household, author=author, seen=opened.seen)


def _household(station: Station, village: str, mark: str, number: int) -> str:
    answers = {
        "village": village, "group_name": f"{mark}组", "household_number": f"{mark}{number:03d}",
        "head_name": f"{mark}大{number}", "phone": f"1390000000{number}", "household_type": "ordinary subsistence",
        "location": "30.41414 110.87041 812 5", "note": f"{mark}屋后有落石。",
        "member": [
            {"name": f"{mark}大{number}", "relation": "02", "sex": "male"}, {"name": f"{mark}二", "relation": "10"},
        ],
    }  # fmt: skip
    return station.save(answers, "household", author="王芳").record


@dataclass
class Running:
    """A hub that is being served."""

    url: str
    folder: Path
    station: Station
    datasette: Any
    ids: dict[str, list[str]]

    def tokens(self, name: str) -> str:
        return accounts_of(self.datasette).log_in(name, PASSWORD, address="127.0.0.1")

    @contextmanager
    def client(self, name: str = "", **options: Any) -> Iterator[httpx.Client]:
        """A browser's worth of HTTP, logged in as somebody or as nobody."""
        cookies = {"cunce_session": self.tokens(name)} if name else {}
        # No TLS here: reading the machine's certificates for every client would take most of the time.
        with httpx.Client(base_url=self.url, cookies=cookies, timeout=30, verify=False, **options) as client:
            yield client


def posted(client: httpx.Client, fields: dict[str, str]) -> dict[str, str]:
    """The fields of a form as a browser sends them, with the token that its page carries."""
    token = re.search(r'name="csrftoken" (?:value|content)="([^"]+)"', client.get("/-/logout").text)
    assert token is not None
    return {**fields, "csrftoken": token[1]}


@contextmanager
def running(folder: Path, ids: dict[str, list[str]]) -> Iterator[Running]:
    """Serve a township on a free port of this machine."""
    with Station.open(folder) as station:
        datasette = serving.build(station, mode="hub")
        listening = serving.listen("127.0.0.1", 18400, tries=200)
        server = uvicorn.Server(uvicorn.Config(datasette.app(), log_level="warning", server_header=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.02)
            port = listening.getsockname()[1]
            yield Running(f"http://127.0.0.1:{port}", folder, station, datasette, ids)
        finally:
            server.should_exit = True
            thread.join(20)
            listening.close()
            close_accounts(datasette)
            serving.close(datasette)
