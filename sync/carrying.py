"""Carrying blobs over a road that answers at once, the station's side: after the answers, resumable at any byte."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collect.blobs import BlobError
from forms.problems import Problem
from sync.blobs import (
    LISTED,
    PIECE,
    BlobRequestError,
    Offer,
    Piece,
    Stocked,
    accept,
    held,
    pack_offer,
    pack_piece,
    pack_wish,
    unpack_count,
    unpack_stocked,
)
from sync.transport import Refused, Transport, TransportBusyError, TransportError

if TYPE_CHECKING:
    from collect.peers import Hub
    from collect.station import Station

_LEAST: Final = 32 * 1024  # bytes of the smallest piece
_FIRST: Final = 256 * 1024
_QUICK, _SLOW = 1.0, 4.0  # seconds a piece may take before the next one is larger, or smaller
_TRIES: Final = 4  # failures in a row before the road is given up

Told = Callable[[str, int, int, float | None], None]


@dataclass(slots=True)
class Carried:
    """What came of carrying blobs: numbers sent and received, of ours the hub lacks, of what we lack; what failed."""

    sent: int = 0
    received: int = 0
    waiting: int = 0
    lacking: int = 0
    problems: list[Problem] = field(default_factory=list)


class Pace:
    """How large the next piece is: grows on a quick road, shrinks on a slow or failing one; and the time left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = _FIRST
        self._clock, self._begun, self._done, self._failed = clock, clock(), 0, 0

    def went(self, size: int, seconds: float) -> None:
        """A piece went through."""
        self._done, self._failed = self._done + size, 0
        if seconds < _QUICK and size >= self.size:
            self.size = min(self.size * 2, PIECE)
        elif seconds > _SLOW:
            self.size = max(self.size // 2, _LEAST)

    def failed(self) -> bool:
        """A piece did not go through; return whether to try once more."""
        self._failed += 1
        self.size = max(self.size // 4, _LEAST)
        return self._failed < _TRIES

    def left(self, size: int) -> float | None:
        """Return the seconds that so many bytes will take, None before anything is known."""
        elapsed = self._clock() - self._begun
        return size * elapsed / self._done if self._done else None

    def now(self) -> float:
        """Return the time, in seconds from anywhere."""
        return self._clock()


def carry(station: Station, hub: Hub, transport: Transport, told: Told) -> Carried:
    """Send the hub the blobs it lacks and fetch those that are lacking here, of the villages in scope.

    `told(action, done, total, seconds left)`: send-blobs or receive-blobs, bytes. What the road or the hub does not
    let through is in the outcome's problems; the next exchange goes on from the byte that was reached.
    """
    return _Carriage(station, hub, transport, told).run()


class _Carriage:
    def __init__(self, station: Station, hub: Hub, transport: Transport, told: Told) -> None:
        self.station, self.hub, self.transport, self.told = station, hub, transport, told
        self.villages = tuple(hub.villages)
        self.done = Carried()
        self.pace = Pace()

    def run(self) -> Carried:
        blobs, references = self.station.blobs, self.station.references
        mine = sorted(references.unconfirmed(self.hub.hub, self.villages), key=blobs.size)
        wanted = references.lacking(self.villages)
        try:
            if mine or wanted:
                found = self._ask(mine, wanted)
                self._send(mine, found)
                self._fetch(found)
        except (TransportError, BlobRequestError) as error:
            self.done.problems.extend(error.problems)
        self.done.waiting = len(references.unconfirmed(self.hub.hub, self.villages)) if mine else 0
        self.done.lacking = len(references.lacking(self.villages)) if wanted else 0
        return self.done

    def _ask(self, mine: Sequence[str], wanted: Sequence[str]) -> Stocked:
        """Learn what of ours the hub has, and which of the lacking ones it could give."""
        have: dict[str, int] = {}
        found: dict[str, int] = {}
        for start in range(0, max(len(mine), len(wanted)), LISTED):
            part, lacking = mine[start : start + LISTED], wanted[start : start + LISTED]
            offer = Offer({name: self.station.blobs.size(name) for name in part}, tuple(lacking))
            answer = unpack_stocked(self.transport.ask("blobs", pack_offer(offer)))
            have.update(answer.have)
            found.update(answer.sizes)
        whole = [name for name in mine if have.get(name) == self.station.blobs.size(name)]
        self.station.references.confirm(self.hub.hub, whole)
        return Stocked(have, {name: size for name, size in found.items() if name in set(wanted)})

    def _send(self, mine: Iterable[str], found: Stocked) -> None:
        sizes = {name: self.station.blobs.size(name) for name in mine if name in found.have}
        todo = {name: found.have[name] for name, size in sizes.items() if found.have[name] < size}
        total = sum(sizes[name] - at for name, at in todo.items())
        gone = 0
        for name, at in todo.items():
            for step in self._each(name, self._pieces(name, at, sizes[name])):
                gone += step
                self.told("send-blobs", gone, total, self.pace.left(total - gone))

    def _pieces(self, name: str, at: int, size: int) -> Iterator[int]:
        """Send a blob piece by piece, yielding the bytes of each."""
        restarted = False
        while at < size:
            data = self.station.blobs.piece(name, at, self.pace.size)
            try:
                now = unpack_count(self._timed("blob-put", pack_piece(Piece(name, size, at, data)), len(data)))
            except Refused as refusal:
                # A beginning that was damaged at the hub is gone now; once more from the first byte.
                if restarted or refusal.code != "COLLECT_BLOB_DAMAGED" or self.station.blobs.check(name):
                    raise
                at, restarted = 0, True
                continue
            yield max(now - at, 0)
            at = now
        self.station.references.confirm(self.hub.hub, [name])
        self.done.sent += 1

    def _fetch(self, found: Stocked) -> None:
        source = self.hub.hub
        todo = sorted(found.sizes, key=lambda name: found.sizes[name])
        total = sum(found.sizes[name] - held(self.station, source, name) for name in todo)
        come = 0
        for name in todo:
            for step in self._each(name, self._arrivals(name, found.sizes[name])):
                come += step
                self.told("receive-blobs", come, total, self.pace.left(max(total - come, 0)))

    def _arrivals(self, name: str, size: int) -> Iterator[int]:
        """Fetch a blob piece by piece, yielding the bytes of each."""
        source = self.hub.hub
        while not self.station.blobs.has(name):
            at = held(self.station, source, name)
            at = 0 if at > size else at
            data = self._timed("blob-get", pack_wish(name, at, min(self.pace.size, size - at)), self.pace.size)
            if not data and size:
                raise BlobError(Problem("SYNC_BLOB_SHORT", context={"name": name[:12]}))
            accept(self.station, source, Piece(name, size, at, data[: size - at]))
            yield len(data)
        self.done.received += 1

    def _each(self, name: str, steps: Iterator[int]) -> Iterator[int]:
        """The steps of one blob; what is wrong with it alone does not stop the others."""
        try:
            yield from steps
        except TransportBusyError:
            raise
        except (Refused, BlobError) as error:
            self.done.problems.extend(error.problems)

    def _timed(self, endpoint: str, body: bytes, size: int) -> bytes:
        """Ask, and let the pace learn from it."""
        while True:
            begun = self.pace.now()
            try:
                answer = self.transport.ask(endpoint, body)
            except TransportBusyError:
                if not self.pace.failed():
                    raise
                continue
            self.pace.went(size, self.pace.now() - begun)
            return answer
