"""A township to test with: a hub, laptops, a small household ledger, and roads that break on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from collect.database import connect
from collect.peers import Hub, Peers
from collect.station import Station, Village
from forms.definition import Form
from forms.reader import read_rows
from sync.bundle import Bundle, open_bundle
from sync.exchange import Outcome, run
from sync.identity import make_invitation, read_invitation, token_of, write_invitation
from sync.joining import join
from sync.keys import keys_of
from sync.seal import Seal, Trust
from sync.serving import answer
from sync.stick import attend
from sync.transport.folder import FolderTransport
from sync.transport.http import HttpTransport

EAST, WEST, NORTH = ("999999001001", "东村"), ("999999001002", "西村"), ("999999001003", "北村")


@dataclass
class MovableClock:
    """A clock that goes on by a second whenever it is looked at, and can be put wrong."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 18, 0, tzinfo=timezone(timedelta(hours=8))))

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@cache
def household(version: str = "1") -> Form:
    """Return a ledger of households with members."""
    survey = [
        {"type": "select_one_from_file village.csv", "name": "village", "label": "村", "ledger::standard": "village"},
        {"type": "text", "name": "head_name", "label": "户主"},
        {"type": "text", "name": "phone", "label": "电话"},
        {"type": "integer", "name": "area", "label": "面积"},
        {"type": "begin_repeat", "name": "member", "label": "成员"},
        {"type": "text", "name": "name", "label": "姓名"},
        {"type": "end_repeat", "name": "member"},
    ]
    if version != "1":
        survey.insert(3, {"type": "text", "name": "note", "label": "备注"})
    settings = [{"form_id": "household", "version": version, "form_title": "户"}]
    return read_rows({"survey": survey, "settings": settings})


def make_hub(folder: Path, *, villages: tuple[tuple[str, str], ...] = (EAST, WEST, NORTH)) -> Station:
    """Make a hub with the household ledger."""
    station = Station.create(
        folder, name="青山镇", role="hub", township=Village("999999001000", "青山镇"), villages=villages,
        clock=MovableClock(),
    )  # fmt: skip
    station.add_form(household())
    return station


def make_laptop(
    folder: Path, hub: Station, name: str, *villages: tuple[str, str], address: str = "", authors: tuple[str, ...] = ()
) -> Station:
    """Invite a laptop and let it join from the invitation's file alone."""
    invitation = make_invitation(hub, name, [code for code, _ in villages], address, authors=authors)
    file = folder.with_suffix(".cunce-invite")
    file.write_text(write_invitation(invitation), encoding="utf-8")
    join(folder, read_invitation(file), clock=MovableClock())
    return Station.open(folder, clock=MovableClock())


def hub_row(station: Station) -> Hub:
    """Return what a laptop knows of its hub."""
    with closing(Peers(station.folder)) as peers:
        return peers.hubs()[0]


def save(station: Station, at: tuple[str, str] = EAST, record: str | None = None, **answers: Any) -> str:
    """Save a household, new in a village or changed, and return its record."""
    before = station.answers("household", record) if record else {"village": at[0]}
    given = {**before, **answers}
    return station.save(given, household(), record=record, author=station.name).record


def by_stick(station: Station, stick: Path) -> Outcome:
    """Let a laptop read and write a stick."""
    return run(station, FolderTransport(stick, hub=hub_row(station).hub, station=station.id))


def carry(hub: Station, stick: Path, *laptops: Station) -> list[Outcome]:
    """Carry a stick from the laptops to the hub and back to them."""
    for laptop in laptops:
        by_stick(laptop, stick)
    attend(hub, stick)
    return [by_stick(laptop, stick) for laptop in laptops]


def closing_of(laptop: Station, hub: Station) -> Seal:
    """Return how a laptop closes a bundle for its hub."""
    return Seal(keys_of(laptop.folder, laptop.id), keys_of(hub.folder, hub.id).current.public)


def opened_of(data: bytes, reader: Station, writer: Station) -> Bundle:
    """Return the bundle that one station opens of another's."""
    trust = Trust(keys_of(reader.folder, reader.id).pairs, keys_of(writer.folder, writer.id).current.public)
    return open_bundle(data, trust, receiver=reader.id).bundle


def ledger(station: Station) -> dict[str, dict[str, Any]]:
    """Return all households with their members, by record, as the ledger shows them."""
    shown: dict[str, dict[str, Any]] = {}
    with closing(connect(station.folder / "township.db", readonly=True)) as database:
        for (record,) in database.rows('SELECT "_id" FROM "household" ORDER BY "_id"'):
            shown[record] = station.answers("household", record)
    return shown


class Line:
    """A network cable between a laptop and the hub's end: `faults` says, request by request, how it fails.

    "cut": the hub never hears; "lost": the hub acts but its answer is lost; "500": the hub fails; "": all goes well.
    """

    def __init__(self, hub: Station, faults: Iterable[str] = ()) -> None:
        self.hub, self.faults = hub, iter(faults)
        self.log: list[tuple[str, int, int, int]] = []  # endpoint, status, bytes there, bytes back

    def __call__(self, request: httpx.Request) -> httpx.Response:
        fault = next(self.faults, "")
        if fault == "cut":
            raise httpx.ConnectError("cut")
        if fault == "500":
            return httpx.Response(500, text="Internal Server Error")
        body = request.read()
        endpoint = request.url.path.removeprefix("/-/exchange/")
        response = answer(self.hub, endpoint, request.headers["Authorization"], body)
        self.log.append((endpoint, response.status, len(body), len(response.body)))
        if fault == "lost":
            raise httpx.ReadError("lost")
        return httpx.Response(response.status, content=response.body)


def by_line(laptop: Station, line: Line) -> Outcome:
    """Let a laptop exchange over a line, without second attempts."""
    client = httpx.Client(transport=httpx.MockTransport(line))
    token = token_of(laptop.folder, line.hub.id)
    road = HttpTransport("http://hub.test", hub=line.hub.id, station=laptop.id, token=token, pauses=(), client=client)
    with road:
        return run(laptop, road)


@contextmanager
def opened(*stations: Station) -> Iterator[None]:
    """Close stations at the end."""
    try:
        yield
    finally:
        for station in stations:
            station.close()
