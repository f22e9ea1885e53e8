"""Bundle: the one file that travels every road, written and read as bytes (pure; docs/bundle-format.md)."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn

import orjson
import zstandard

from collect.keys import PublicKeys
from collect.revision import Revision
from forms.problems import CunceError, Problem
from sync.columns import MalformedError
from sync.keys import Succession, pack_successions, unpack_successions
from sync.receipt import Receipt, pack_receipt, unpack_receipt
from sync.revisions import MAX_REVISIONS, pack_revisions, tells_of_erasure, unpack_revisions
from sync.seal import Seal, SealError, Trust, check_method, sealed, signed, signer_of, unsealed

MAGIC = b"\x89CUNCE\r\n"  # the high bit and the line end show a road that changes bytes
FORMAT = 2  # what carries erasures; without them a bundle is written as format 1, which older readers know
SECTIONS = (b"HEAD", b"SEAL", b"BODY", b"SIGN", b"HASH")
MAX_HEAD = 1024 * 1024
MAX_BODY = 128 * 1024 * 1024
MAX_FORMS = 1_000
MAX_BLOBS = 1_000_000
_SECTION = struct.Struct(">4sQ")
_VERSION = struct.Struct(">H")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SMALL, _HARD, _QUICK = 400_000, 15, 5  # bytes of body; levels of zstd
_LONG = re.compile(rb"[:,\[-][0-9]{19}")
Kind = Literal["push", "pull"]


class BundleError(CunceError):
    """Bytes that are not a bundle, or not one for us: SYNC_BUNDLE_FOREIGN, _NEWER, _CUT, _DAMAGED, _TOO_LARGE,
    _MALFORMED, _SEALED or _FOR_ANOTHER. Sending the same bytes again does not help."""


@dataclass(frozen=True, slots=True)
class FormSource:
    """A form definition as it travels: its XForm and, where it has them, the authored sheets (sheet -> rows)."""

    form_id: str
    version: str
    digest: str
    xform: str
    rows: Mapping[str, tuple[Mapping[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Blob:
    """A photo or other file that records name: hex SHA-256 of its bytes, its size in bytes, its media type."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one station sends another at one time.

    `sender`, `receiver`: station ids. `kind`: push (towards the hub) or pull (from it). `created`: with zone, to the
    second or finer. `revisions`: each id once, in the order they are to be read. `receipt`: only from a hub.
    """

    sender: str
    receiver: str
    kind: Kind
    created: datetime
    revisions: tuple[Revision, ...] = ()
    forms: tuple[FormSource, ...] = ()
    blobs: tuple[Blob, ...] = ()
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What a bundle says of itself in the clear: its ends, kind and time, what it contains, seal and signature."""

    sender: str
    receiver: str
    kind: Kind
    created: datetime
    revisions: int
    forms: int
    blobs: int
    suffixes: Mapping[str, tuple[int, int]]  # station -> first and last sequence number
    body_size: int
    seal: str  # id of the keys it is sealed to, "" where it is in the open
    signature: str  # id of the keys that signed it, "" where nobody did
    successions: tuple[Succession, ...] = ()  # of the sender's keys


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that was signed and sealed: the keys that signed it, and the id of the pair that opened it."""

    bundle: Bundle
    signer: PublicKeys
    opened_by: str


def write_bundle(bundle: Bundle, seal: Seal | None = None) -> bytes:
    """Return the bundle as bytes, sealed and signed; without `seal` in the open, for examples: no station takes that.

    Raises ValueError for what can't be written: a revision twice, a number that is not finite, a time without zone.
    """
    if bundle.created.tzinfo is None:
        raise ValueError("a bundle's time needs its zone")
    body = _dumped(
        {
            "revisions": pack_revisions(bundle.revisions),
            "forms": [_pack_form(form) for form in bundle.forms],
            "blobs": [[blob.digest, blob.size, blob.media_type] for blob in bundle.blobs],
            "receipt": None if bundle.receipt is None else pack_receipt(bundle.receipt),
        }
    )
    if len(body) > MAX_BODY:
        raise BundleError(Problem("SYNC_BUNDLE_TOO_LARGE", context={"size": len(body), "limit": MAX_BODY}))
    head = {
        "sender": bundle.sender,
        "receiver": bundle.receiver,
        "kind": bundle.kind,
        "created": bundle.created.isoformat(),
        "revisions": len(bundle.revisions),
        "forms": len(bundle.forms),
        "blobs": len(bundle.blobs),
        "suffixes": _suffixes(bundle.revisions),
        "body": {"compression": "zstd", "size": len(body)},
    }
    if seal is not None and seal.keys.successions:
        head["successions"] = pack_successions(seal.keys.successions)
    out = bytearray(MAGIC + _VERSION.pack(FORMAT if any(map(tells_of_erasure, bundle.revisions)) else 1))
    how, closed = sealed(zstandard.ZstdCompressor(level=_level(body)).compress(body), seal)
    for tag, payload in zip(SECTIONS, (_json(head), _json(how), closed), strict=False):
        out += _SECTION.pack(tag, len(payload)) + payload
    signature = _json(signed(bytes(out), seal))
    out += _SECTION.pack(SECTIONS[3], len(signature)) + signature
    out += _SECTION.pack(SECTIONS[-1], 32)
    return bytes(out + hashlib.sha256(out).digest())


def read_bundle(data: bytes, *, receiver: str | None = None) -> Bundle:
    """Return the bundle in the open that `data` holds, everything checked before anything is returned.

    `receiver`: the station that reads; a bundle addressed to another is refused. Raises BundleError, or SealError
    (SYNC_BUNDLE_OTHER_KEY) for a sealed one.
    """
    sections, header = _addressed(data, receiver)
    if header.seal:
        raise SealError(Problem("SYNC_BUNDLE_OTHER_KEY", context={"key": header.seal}))
    return _read(data, header, sections[b"BODY"])


def open_bundle(data: bytes, trust: Trust, *, receiver: str, sender: str | None = None) -> Opened:
    """Return the bundle that `data` holds, if its sender signed it and sealed it to us.

    `sender`: from whom it must be. Raises BundleError or SealError; the signature is checked before anything is read.
    """
    sections, header = _addressed(data, receiver)
    if sender is not None and header.sender != sender:
        raise BundleError(Problem("SYNC_BUNDLE_FROM_ANOTHER", context={"sender": header.sender}))
    signer = _signer(data, sections, header, trust.sender)
    try:
        body, opened_by = unsealed(sections[b"BODY"], json.loads(sections[b"SEAL"]), trust.pairs)
    except (ValueError, TypeError, KeyError) as error:
        _refuse_malformed(error)
    return Opened(_read(data, header, body), signer, opened_by)


def check_signature(data: bytes, known: PublicKeys) -> Header:
    """Return what a bundle says of itself, if its sender's keys signed it; raises BundleError or SealError."""
    sections = _sections(data)
    header = _header(sections)
    _signer(data, sections, header, known)
    return header


def _addressed(data: bytes, receiver: str | None) -> tuple[dict[bytes, bytes], Header]:
    """Return sections and header of a bundle that is for `receiver`."""
    sections = _sections(data)
    header = _header(sections)
    if receiver is not None and header.receiver != receiver:
        raise BundleError(
            Problem("SYNC_BUNDLE_FOR_ANOTHER", context={"receiver": header.receiver, "station": receiver})
        )
    return sections, header


def _signer(data: bytes, sections: Mapping[bytes, bytes], header: Header, known: PublicKeys) -> PublicKeys:
    end = len(data) - 2 * _SECTION.size - 32 - len(sections[b"SIGN"])
    try:
        return signer_of(data[:end], json.loads(sections[b"SIGN"]), known, header.successions, header.sender)
    except (ValueError, TypeError, KeyError) as error:
        _refuse_malformed(error)


def _read(data: bytes, header: Header, body: bytes) -> Bundle:
    try:
        (version,) = _VERSION.unpack_from(data, len(MAGIC))
        return _unpack_body(_decompressed(body, header.body_size), header, version)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        _refuse_malformed(error)


def inspect_bundle(data: bytes) -> Header:
    """Return what a bundle says of itself, its integrity checked but its body unread. Raises BundleError."""
    return _header(_sections(data))


def _sections(data: bytes) -> dict[bytes, bytes]:
    """Return the payloads by tag, having checked magic, version, order, lengths and digest."""
    if not data.startswith(MAGIC[: len(data)]):
        raise BundleError(Problem("SYNC_BUNDLE_FOREIGN"))
    at = len(MAGIC) + _VERSION.size
    if len(data) < at:
        _refuse_cut(data)
    (version,) = _VERSION.unpack_from(data, len(MAGIC))
    if version > FORMAT:
        raise BundleError(Problem("SYNC_BUNDLE_NEWER", context={"version": version, "known": FORMAT}))
    sections: dict[bytes, bytes] = {}
    for expected in SECTIONS:
        if len(data) < at + _SECTION.size:
            _refuse_cut(data)
        tag, length = _SECTION.unpack_from(data, at)
        if tag != expected or version < 1:
            raise BundleError(Problem("SYNC_BUNDLE_DAMAGED"))
        if expected == b"HASH" and (length != 32 or hashlib.sha256(data[: at + _SECTION.size]).digest() != data[-32:]):
            _refuse_cut(data) if len(data) < at + _SECTION.size + 32 else _refuse_damaged()
        at += _SECTION.size
        if length > len(data) - at:
            _refuse_cut(data)
        sections[tag] = data[at : at + length]
        at += length
    if at != len(data):
        _refuse_damaged()
    return sections


def _header(sections: Mapping[bytes, bytes]) -> Header:
    try:
        seal, sign = (json.loads(sections[tag]) for tag in (b"SEAL", b"SIGN"))
        if len(sections[b"HEAD"]) > MAX_HEAD:
            raise MalformedError("a header out of bounds")
        names = check_method(seal, "age"), check_method(sign, "ed25519")
        return _unpack_header(json.loads(sections[b"HEAD"]), *names)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        _refuse_malformed(error)


def _unpack_header(head: Any, seal: str, signature: str) -> Header:
    match head:
        case {
            "sender": str(sender),
            "receiver": str(receiver),
            "kind": "push" | "pull" as kind,
            "created": str(created),
            "revisions": int(revisions),
            "forms": int(forms),
            "blobs": int(blobs),
            "suffixes": dict(suffixes),
            "body": {"compression": "zstd", "size": int(size)},
        }:
            pass
        case _:
            raise MalformedError("a header of no known shape")
    limits = ((revisions, MAX_REVISIONS), (forms, MAX_FORMS), (blobs, MAX_BLOBS), (size, MAX_BODY))
    for number, limit in limits:
        if not 0 <= number <= limit:
            raise BundleError(Problem("SYNC_BUNDLE_TOO_LARGE", context={"size": number, "limit": limit}))
    time = datetime.fromisoformat(created)
    if time.tzinfo is None:
        raise MalformedError("a time without zone")
    ends = {station: (int(first), int(last)) for station, (first, last) in suffixes.items()}
    successions = unpack_successions(head.get("successions", []))
    return Header(sender, receiver, kind, time, revisions, forms, blobs, ends, size, seal, signature, successions)


def _decompressed(payload: bytes, size: int) -> bytes:
    """Return the body, never more bytes than the header announced (which is bounded)."""
    try:
        frame = zstandard.get_frame_parameters(payload)
        if frame.content_size != size:
            raise MalformedError("a body of another size than announced")
        return zstandard.ZstdDecompressor().decompress(payload, max_output_size=size, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MalformedError(f"a body that does not decompress: {error}") from error


def _loaded(body: bytes) -> Any:
    """Return JSON as data, each number of its kind; the quick reader makes floats of whole numbers beyond 64 bits."""
    if not _LONG.search(body):
        return orjson.loads(body)
    data = json.loads(body, parse_constant=_no_constant)
    if b"\\ud" in body or b"\\uD" in body:
        _json(data)  # an escaped half of a surrogate pair can't be written again: UnicodeEncodeError
    return data


def _unpack_body(body: bytes, header: Header, version: int) -> Bundle:
    data = _loaded(body)
    match data:
        case {"revisions": revisions, "forms": list(forms), "blobs": list(blobs), "receipt": receipt}:
            pass
        case _:
            raise MalformedError("a body of no known shape")
    if len(forms) != header.forms or len(blobs) != header.blobs:
        raise MalformedError("another number of forms or blobs than announced")
    bundle = Bundle(
        header.sender,
        header.receiver,
        header.kind,
        header.created,
        unpack_revisions(revisions, header.revisions, version),
        tuple(_unpack_form(form) for form in forms),
        tuple(_unpack_blob(blob) for blob in blobs),
        None if receipt is None else unpack_receipt(receipt),
    )
    if _suffixes(bundle.revisions) != {station: list(ends) for station, ends in header.suffixes.items()}:
        raise MalformedError("other revisions than announced")
    return bundle


def _suffixes(revisions: tuple[Revision, ...]) -> dict[str, list[int]]:
    ends: dict[str, list[int]] = {}
    for revision in revisions:
        station, seq = revision.id.station, revision.id.seq
        before = ends.setdefault(station, [seq, seq])
        if seq < before[0]:
            before[0] = seq
        elif seq > before[1]:
            before[1] = seq
    return ends


def _pack_form(form: FormSource) -> dict[str, Any]:
    rows = {sheet: [dict(row) for row in rows] for sheet, rows in form.rows.items()}
    return {
        "form_id": form.form_id,
        "version": form.version,
        "digest": form.digest,
        "xform": form.xform,
        "rows": rows,
    }


def _unpack_form(data: Any) -> FormSource:
    match data:
        case {
            "form_id": str(form_id),
            "version": str(version),
            "digest": str(digest),
            "xform": str(xform),
            "rows": dict(sheets),
        }:
            pass
        case _:
            raise MalformedError("a form of no known shape")
    rows = {sheet: tuple(_unpack_row(row) for row in rows) for sheet, rows in sheets.items()}
    return FormSource(form_id, version, digest, xform, rows)


def _unpack_row(row: Any) -> dict[str, str]:
    if type(row) is not dict or not set(map(type, row.values())) <= {str}:
        raise MalformedError("a form's row that is not a mapping of texts")
    return row


def _unpack_blob(data: Any) -> Blob:
    match data:
        case [str(digest), int(size), str(media_type)] if _DIGEST.fullmatch(digest) and type(size) is int and size >= 0:
            return Blob(digest, size, media_type)
        case _:
            raise MalformedError("a blob of no known shape")


def _level(body: bytes) -> int:
    """How hard to press: small ones, which travel daily, take no time; a first push of thousands would."""
    return _HARD if len(body) <= _SMALL else _QUICK


def _dumped(data: Any) -> bytes:
    try:
        return orjson.dumps(data)
    except TypeError:  # whole numbers of more than 64 bits
        return _json(data)


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


def _no_constant(name: str) -> NoReturn:
    raise MalformedError(f"{name} is no number")


def _refuse_cut(data: bytes) -> NoReturn:
    raise BundleError(Problem("SYNC_BUNDLE_CUT", context={"size": len(data)}))


def _refuse_damaged() -> NoReturn:
    raise BundleError(Problem("SYNC_BUNDLE_DAMAGED"))


def _refuse_malformed(error: Exception) -> NoReturn:
    raise BundleError(Problem("SYNC_BUNDLE_MALFORMED", context={"reason": error})) from error
