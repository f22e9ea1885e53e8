"""Blobs on a stick, seen from both ends: pieces as files, an offer from the station, an answer from the hub.

    cunce/<hub>/to-hub/<station>.blobs                           what the station has, and lacks
    cunce/<hub>/to-hub/<station>-blobs/<name>.<offset>-<size>.piece
    cunce/<hub>/to-station/<station>/blobs.json                  what the hub has of it
    cunce/<hub>/to-station/<station>-blobs/<name>.<offset>-<size>.piece
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from collect.blobs import BlobError
from forms.problems import CunceError, Place, Problem
from sync.blobs import (
    LISTED,
    PIECE,
    BlobRequestError,
    Offer,
    Piece,
    accept,
    check_scope,
    pack_offer,
    pack_stocked,
    stocked,
    unpack_offer,
    unpack_stocked,
)
from sync.carrying import Carried, Told
from sync.columns import MalformedError
from sync.keys import KeyPair
from sync.seal import Seal, SealError, sealed, unsealed
from sync.transport import TransportError
from sync.transport.files import files, read, remove, write

if TYPE_CHECKING:
    from collect.peers import Hub, Peer
    from collect.station import Station

_FILE: Final = re.compile(r"(?P<name>[0-9a-f]{64}\.[a-z0-9]{1,8})\.(?P<offset>\d{1,12})-(?P<size>\d{1,12})\.piece")
_ROOM: Final = 8 * 1024 * 1024  # bytes left free: answers and receipts go first

Turn = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Closure:
    """How the pieces on a stick are closed for the other side and opened that came from it: whoever finds it sees none.

    A piece is a line of JSON that says how, as in a bundle's SEAL, and the sealed bytes. `pairs`: our own keys.
    """

    seal: Seal
    pairs: Sequence[KeyPair]

    def close(self, data: bytes) -> bytes:
        """Return a piece as it lies on the stick."""
        said, body = sealed(data, self.seal)
        return json.dumps(said).encode("utf-8") + b"\n" + body

    def open(self, data: bytes) -> bytes:
        """Return a piece's bytes; raises SealError, or BlobRequestError for what is no piece."""
        head, _, body = data.partition(b"\n")
        try:
            return unsealed(body, json.loads(head), self.pairs)[0]
        except (ValueError, KeyError, TypeError, MalformedError) as error:
            raise BlobRequestError(Problem("SYNC_BLOB_REQUEST")) from error


def visit(station: Station, hub: Hub, folder: Path, told: Told, closure: Closure) -> Carried:
    """Let a station read and write a stick's blobs: `folder` is `cunce/<hub>` on it; again changes nothing."""
    done = Carried()
    references, villages = station.references, tuple(hub.villages)
    inbox, outbox = folder / "to-station" / f"{station.id}-blobs", folder / "to-hub" / f"{station.id}-blobs"
    _confirm(station, hub, folder / "to-station" / station.id / "blobs.json", outbox, done)
    lacking = references.lacking(villages)
    done.received = _take(station, hub.hub, inbox, set(lacking), done.problems, unseal=closure.open)
    mine = sorted(references.unconfirmed(hub.hub, villages), key=station.blobs.size)
    lacking = references.lacking(villages)
    if mine or lacking or (folder / "to-hub" / f"{station.id}.blobs").exists():
        try:
            offer = Offer({name: station.blobs.size(name) for name in mine[:LISTED]}, lacking[:LISTED])
            write(folder / "to-hub" / f"{station.id}.blobs", pack_offer(offer))
            done.sent = _leave(station, outbox, mine[:LISTED], told, closure.close)
        except TransportError as error:
            done.problems.extend(error.problems)
    done.waiting, done.lacking = len(mine), len(lacking)
    return done


def _confirm(station: Station, hub: Hub, answer: Path, outbox: Path, done: Carried) -> None:
    """Believe what the hub says it has, and take that off the stick."""
    if not answer.exists():
        return
    try:
        found = unpack_stocked(read(answer)).have
    except CunceError as error:
        done.problems.extend(_of_file(answer, error.problems))
        return
    whole = {name for name, size in found.items() if station.blobs.size(name) == size >= 0}
    station.references.confirm(hub.hub, whole)
    _clear(outbox, whole)
    remove(answer)


def serve(station: Station, peer: Peer, folder: Path, closure: Closure, *, news: Collection[str] = ()) -> Carried:
    """Let a hub read and write what a stick carries of one station's blobs; `folder` is `cunce/<hub>` on it.

    `news`: blobs of the revisions that are left for the station now, which it could not yet ask for.
    """
    done = Carried()
    source, villages = peer.station, peer.villages
    request = folder / "to-hub" / f"{source}.blobs"
    if not (request.exists() or news):
        return done
    inbox, outbox = folder / "to-hub" / f"{source}-blobs", folder / "to-station" / f"{source}-blobs"
    try:
        asked = unpack_offer(read(request)) if request.exists() else Offer()
        offer = Offer(asked.have, tuple({*asked.want, *news} - set(asked.have)))
        known = set(station.references.names(villages))
        lacking = {name for name in offer.have if name in known and not station.blobs.has(name)}
        _refuse(station, villages, inbox, known, done.problems)
        done.received = _take(station, source, inbox, lacking, done.problems, unseal=closure.open)
        found = stocked(station, source, villages, offer)
        write(folder / "to-station" / source / "blobs.json", pack_stocked(found))
        _clear(outbox, {_name_of(path) for path in files(outbox, ".piece")} - set(found.sizes))
        wanted = sorted(found.sizes, key=lambda name: found.sizes[name])
        done.sent = _leave(station, outbox, wanted, lambda *_: None, closure.close)
    except (TransportError, BlobRequestError) as error:
        done.problems.extend(_of_file(request, error.problems))
    return done


def _refuse(
    station: Station, villages: Collection[str], inbox: Path, known: Collection[str], problems: list[Problem]
) -> None:
    """Name the pieces of blobs that are none of the station's business; they stay where they are."""
    for name in sorted({_name_of(path) for path in files(inbox, ".piece")} - set(known) - {""}):
        try:
            check_scope(station, villages, name)
        except BlobRequestError as error:
            problems.extend(error.problems)


def _take(
    station: Station, source: str, inbox: Path, wanted: Collection[str], problems: list[Problem], *, unseal: Turn
) -> int:
    """Take in the pieces of wanted blobs, and remove those of blobs that are here; return how many became whole."""
    came = 0
    for path in sorted(files(inbox, ".piece"), key=_order):
        found = _FILE.fullmatch(path.name)
        if found is None:
            continue
        name, offset, size = found["name"], int(found["offset"]), int(found["size"])
        if name in wanted and not station.blobs.has(name):
            try:
                data = unseal(read(path))
                came += accept(station, source, Piece(name, size, offset, data)) == size and station.blobs.has(name)
            except (BlobError, BlobRequestError, SealError, TransportError) as error:
                problems.extend(_of_file(path, error.problems))
                if error.code == "COLLECT_BLOB_DAMAGED":
                    _clear(inbox, {name})  # its sender writes it again
        if station.blobs.has(name):
            _clear(inbox, {name})
    return came


def _leave(station: Station, outbox: Path, names: Iterable[str], told: Told, seal: Turn) -> int:
    """Write blobs in pieces, those that are on the stick already not again; return how many are there whole.

    Raises TransportError (SYNC_STICK_FULL) where there is no room for the next one.
    """
    given = list(names)
    total, gone, whole = sum(station.blobs.size(name) for name in given), 0, 0
    for name in given:
        size = station.blobs.size(name)
        for offset in range(0, max(size, 1), PIECE):
            path = outbox / f"{name}.{offset}-{size}.piece"
            length = min(PIECE, size - offset)
            if not path.exists() or path.stat().st_size < length:
                _check_room(outbox, length)
                write(path, seal(station.blobs.piece(name, offset, PIECE)))
            gone += length
            told("send-blobs", gone, total, None)
        whole += 1
    return whole


def _check_room(outbox: Path, length: int) -> None:
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(outbox).free
    except OSError:
        return  # writing will say what is wrong
    if free < length + _ROOM:
        raise TransportError(Problem("SYNC_STICK_FULL", Place(file=str(outbox)), {"detail": f"{free} B"}))


def _clear(box: Path, names: Collection[str]) -> None:
    """Remove the pieces of these blobs."""
    for path in files(box, ".piece") if names else ():
        if _name_of(path) in names:
            remove(path)


def _name_of(path: Path) -> str:
    found = _FILE.fullmatch(path.name)
    return found["name"] if found else ""


def _order(path: Path) -> tuple[str, int]:
    found = _FILE.fullmatch(path.name)
    return (found["name"], int(found["offset"])) if found else ("", 0)


def _of_file(path: Path, problems: Iterable[Problem]) -> list[Problem]:
    return [Problem(each.code, Place(file=path.name), each.context, each.severity) for each in problems]
