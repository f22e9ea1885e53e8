"""Blobs on the road: what each side has and lacks, and the pieces they travel in; the hub's answers, on any road.

An *offer* names the blobs a station could send and those it lacks; the answer says how much of each is here already.
Pieces are put at an offset, so that a transfer goes on at the byte where it broke off; a blob takes its place once its
digest is right.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collect.blobs import MAX_SIZE, NAME, BlobError, sizes
from collect.database import explained
from forms.problems import CunceError, Problem

if TYPE_CHECKING:
    from collect.station import Station

PIECE: Final = 4 * 1024 * 1024  # bytes of the largest piece
LISTED: Final = 2_000  # blobs in one offer: some 150 kB
MEDIA: Final = "application/octet-stream"
ENDPOINTS: Final = frozenset({"blobs", "blob-put", "blob-get"})


class BlobRequestError(CunceError):
    """Bytes that are no offer and no piece (SYNC_BLOB_REQUEST), or a blob that is none of the station's business."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a station says of its blobs: name -> bytes of those it could send, names of those it lacks."""

    have: Mapping[str, int] = field(default_factory=dict)
    want: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stocked:
    """What a hub says to an offer: `have`: name -> bytes of it that are here; `sizes`: of what the station lacks.

    A blob that no record of the station's villages refers to, as far as the hub knows, is in neither.
    """

    have: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a blob: its name, its whole `size`, where the part begins, and its bytes."""

    name: str
    size: int
    offset: int
    data: bytes


def respond(station: Station, source: str, villages: Collection[str], endpoint: str, body: bytes) -> bytes:
    """Answer a station's request at one of `ENDPOINTS`; raises BlobRequestError, BlobError, DatabaseError.

    `source`: the station's id; `villages`: its scope.
    """
    if endpoint == "blobs":
        return pack_stocked(stocked(station, source, villages, unpack_offer(body)))
    if endpoint == "blob-put":
        piece = unpack_piece(body)
        check_scope(station, villages, piece.name)
        return _packed({"have": accept(station, source, piece)})
    name, offset, length = _asked(body)
    check_scope(station, villages, name)
    return station.blobs.piece(name, offset, min(length, PIECE))


def stocked(station: Station, source: str, villages: Collection[str], offer: Offer) -> Stocked:
    """Return what of an offer is here, as far as records of these villages refer to it."""
    known = set(station.references.names(villages))
    have = {name: held(station, source, name) for name in offer.have if name in known}
    found = {name: station.blobs.size(name) for name in offer.want if name in known}
    return Stocked(have, {name: size for name, size in found.items() if size >= 0})


def held(station: Station, source: str, name: str) -> int:
    """Return how many bytes of a blob are here: all of it, or what has arrived from this source."""
    size = station.blobs.size(name)
    if size >= 0:
        return size
    try:
        return station.blobs.arriving(source, name).stat().st_size
    except OSError:
        return 0


def accept(station: Station, source: str, piece: Piece) -> int:
    """Put a piece where it belongs and return how many bytes of the blob are here now; the sender goes on from there.

    A piece that does not join on is left alone. Raises BlobError: COLLECT_BLOB_TOO_LARGE, and COLLECT_BLOB_DAMAGED
    where the last piece shows that the whole is not what its name says; then all of it is gone.
    """
    if piece.size > MAX_SIZE:
        raise BlobError(Problem("COLLECT_BLOB_TOO_LARGE", context=sizes(piece.size, MAX_SIZE)))
    whole = station.blobs.size(piece.name)
    if whole >= 0:
        return whole
    part = station.blobs.arriving(source, piece.name)
    now = held(station, source, piece.name)
    if now > piece.size:  # of another size than was said before: the beginning is worth nothing
        part.unlink(missing_ok=True)
        now = 0
    if piece.offset <= now < piece.offset + len(piece.data) or not (piece.size or now):
        now = _append(part, piece, now)
    if now == piece.size:
        station.blobs.adopt(part, piece.name)
    return now


def _append(part: Path, piece: Piece, now: int) -> int:
    """Write what of a piece is new at the end of a part; return the part's size."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("r+b" if now else "wb") as file:
            file.seek(now)
            file.write(piece.data[now - piece.offset :])
            file.truncate()
            return file.tell()
    except OSError as error:
        raise explained(error, part) from error


def check_scope(station: Station, villages: Collection[str], name: str) -> None:
    """Raise BlobRequestError (SYNC_BLOB_OUTSIDE) unless a record of these villages, or a form, refers to the blob."""
    if not NAME.fullmatch(name):
        raise BlobRequestError(Problem("COLLECT_BLOB_NAME", context={"name": name[:80]}))
    references = station.references
    if name not in references.of_forms() and not references.villages_of(name) & set(villages):
        raise BlobRequestError(Problem("SYNC_BLOB_OUTSIDE", context={"name": name[:12]}))


# ---- how they travel


def pack_offer(offer: Offer) -> bytes:
    """Return an offer as JSON."""
    return _packed({"have": dict(offer.have), "want": list(offer.want)})


def unpack_offer(data: bytes) -> Offer:
    """Return the offer that `pack_offer` wrote; raises BlobRequestError."""
    found = _unpacked(data)
    have, want = _counts(found.get("have")), found.get("want")
    if not isinstance(want, list) or len(have) + len(want) > 2 * LISTED:
        raise _unreadable()
    return Offer(have, tuple(map(_name, want)))


def pack_stocked(found: Stocked) -> bytes:
    """Return a hub's answer as JSON."""
    return _packed({"have": dict(found.have), "sizes": dict(found.sizes)})


def unpack_stocked(data: bytes) -> Stocked:
    """Return the answer that `pack_stocked` wrote; raises BlobRequestError."""
    found = _unpacked(data)
    return Stocked(_counts(found.get("have")), _counts(found.get("sizes")))


def pack_piece(piece: Piece) -> bytes:
    """Return a piece as it travels: a line of JSON, then its bytes."""
    return _packed({"name": piece.name, "size": piece.size, "offset": piece.offset}) + b"\n" + piece.data


def unpack_piece(data: bytes) -> Piece:
    """Return the piece that `pack_piece` wrote; raises BlobRequestError."""
    head, line, _ = data[:400].partition(b"\n")
    found = _unpacked(head)
    name, size, offset = _name(found.get("name")), _count(found.get("size")), _count(found.get("offset"))
    content = data[len(head) + 1 :]
    if not line or offset + len(content) > size or len(content) > PIECE:
        raise _unreadable()
    return Piece(name, size, offset, content)


def pack_wish(name: str, offset: int, length: int) -> bytes:
    """Return what a station asks at `blob-get`."""
    return _packed({"name": name, "offset": offset, "length": length})


def unpack_count(data: bytes) -> int:
    """Return how many bytes a hub says it has after a piece; raises BlobRequestError."""
    return _count(_unpacked(data).get("have"))


def _asked(data: bytes) -> tuple[str, int, int]:
    found = _unpacked(data)
    return _name(found.get("name")), _count(found.get("offset")), _count(found.get("length"))


def _counts(found: Any) -> dict[str, int]:
    if not isinstance(found, dict):
        raise _unreadable()
    return {_name(name): _count(size) for name, size in found.items()}


def _name(name: Any) -> str:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise _unreadable()
    return name


def _count(number: Any) -> int:
    if type(number) is not int or not 0 <= number <= 1 << 40:
        raise _unreadable()
    return number


def _packed(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _unpacked(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _unreadable() -> BlobRequestError:
    return BlobRequestError(Problem("SYNC_BLOB_REQUEST"))
