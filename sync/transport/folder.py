"""The road of a folder, as a laptop walks it: a USB stick or a shared directory that is carried to the hub.

Layout, for any number of hubs and stations on one stick:

    cunce/<hub>/to-hub/<station>-<first>-<last>.cunce    revisions of a station
    cunce/<hub>/to-hub/<station>.join                    its petition, until the hub has answered
    cunce/<hub>/to-hub/<station>.wanted                  how far it has come
    cunce/<hub>/to-station/<station>/<number>.cunce      the hub's answers, in order
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from forms.problems import Problem
from sync.bundle import BundleError, inspect_bundle
from sync.seal import SealError
from sync.transport import Parcel, TransportError
from sync.transport.files import ROOT, expect_folder, files, read, remove, write

_NAME: Final = re.compile(r"(?P<station>[a-z0-9][a-z0-9-]{0,63})-(?P<first>\d{1,18})-(?P<last>\d{1,18})\.cunce")


class FolderTransport:
    """A hub reached by carrying a folder to it; see `sync.transport.Transport`. Raises TransportError."""

    answers = False
    batch = 20_000

    def __init__(self, folder: Path, *, hub: str, station: str) -> None:
        expect_folder(folder)
        self.hub, self.road, self.station = hub, str(folder), station
        self._out = to_hub(folder, hub)
        self._in = to_station(folder, hub, station)
        self.bytes_sent = self.bytes_received = self.requests = 0

    def join(self, petition: bytes) -> bytes | None:
        """See Transport.join."""
        self._write(self._out / f"{self.station}.join", petition)
        return None

    def push(self, name: str, data: bytes) -> bytes | None:
        """See Transport.push; what lies on the stick already, whole, is not written again."""
        if not _whole(self._out / name, data):
            self._write(self._out / name, data)
        self._clear(name)
        return None

    @property
    def box(self) -> Path:
        """Where the stick carries what is between the station and the hub."""
        return self._out.parent

    def ask(self, endpoint: str, body: bytes) -> bytes:
        """See Transport.ask: a stick does not answer."""
        raise TransportError(Problem("SYNC_ENDPOINT", context={"name": endpoint}))

    def pull(self, request: Callable[[], bytes]) -> Iterator[Parcel]:
        """See Transport.pull; afterwards the stick says how far the station has come."""
        for path in files(self._in, ".cunce"):
            data = read(path)
            self.bytes_received += len(data)
            self.requests += 1
            yield Parcel(data, partial(remove, path))
        self._write(self._out / f"{self.station}.wanted", request())

    def _write(self, path: Path, data: bytes) -> None:
        write(path, data)
        self.bytes_sent += len(data)
        self.requests += 1

    def _clear(self, name: str) -> None:
        """Remove this station's files whose revisions the one just written contains."""
        writer, first, last = name_parts(name)
        for path in files(self._out, ".cunce"):
            station, begin, end = name_parts(path.name)
            if path.name != name and station == writer and first <= begin and end <= last:
                remove(path)


def to_hub(folder: Path, hub: str) -> Path:
    """Where a stick carries what is for a hub."""
    return folder / ROOT / hub / "to-hub"


def to_station(folder: Path, hub: str, station: str) -> Path:
    """Where a stick carries a hub's answers to a station."""
    return folder / ROOT / hub / "to-station" / station


def name_parts(name: str) -> tuple[str, int, int]:
    """Return station, first and last number of a bundle's file name; ("", 0, 0) for any other file."""
    found = _NAME.fullmatch(name)
    return (found["station"], int(found["first"]), int(found["last"])) if found else ("", 0, 0)


def _whole(path: Path, data: bytes) -> bool:
    """Whether such a bundle lies there undamaged, sealed and signed by the same keys."""
    try:
        there, ours = inspect_bundle(read(path)), inspect_bundle(data)
    except (BundleError, SealError, TransportError):
        return False
    return (there.kind, there.signature, there.seal) == (ours.kind, ours.signature, ours.seal)
