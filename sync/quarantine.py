"""Quarantine: what a revoked station still sends is neither applied nor thrown away until a person has decided.

`quarantine/<id>.cunce` is the bundle as it came, `quarantine/<id>.json` who sent it, when, by what road, and what
became of it; the latter stays when the bundle was released or discarded.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from collect.accounts import Accounts
from collect.database import explained
from collect.following import follow
from collect.keys import PublicKeys, public_keys
from collect.peers import Peer, PeerError
from collect.revision import canonical
from forms.problems import CunceError, Place, Problem
from sync.bundle import Bundle, BundleError, Header, check_signature, open_bundle
from sync.exchange import incoming
from sync.keys import keys_of
from sync.seal import Trust

if TYPE_CHECKING:
    from collect.station import Received, Station

FOLDER: Final = "quarantine"
MOST: Final = 512 * 1024 * 1024  # bytes kept of one station: nobody fills a hub's disk with what nobody will read
State = Literal["waiting", "released", "discarded"]


class QuarantineError(CunceError):
    """No such bundle in quarantine, one already decided about, or no more room for one."""


@dataclass(frozen=True, slots=True)
class Held:
    """A bundle in quarantine.

    `id`: names it to people, 12 hex digits. `station`, `name`: who sent it. `at`: when it came (ISO 8601), `road`: how.
    `why`: code of the problem. `created`: when it was made, as its sender says. `revisions`, `forms`, `size`: what is
    in it. `keys`: the public keys that signed it. `state`; `by`, `decided_at`, `reason`: who decided, when and why, ""
    while it waits. `content`: digest of what it says: the same, sealed anew, is held once.
    """

    id: str
    station: str
    name: str
    at: str
    road: str
    why: str
    created: str
    revisions: int
    forms: int
    size: int
    keys: tuple[str, str]
    state: State = "waiting"
    by: str = ""
    decided_at: str = ""
    reason: str = ""
    content: str = ""


def hold(station: Station, peer: Peer, data: bytes, *, road: str) -> Problem:
    """Keep a revoked station's bundle, once it has proved to be its; return what it is to be told.

    Raises BundleError or SealError for what is not its bundle for us, QuarantineError
    (SYNC_QUARANTINE_FULL) or DatabaseError.
    """
    header = _of_peer(station, peer, data)
    problem = Problem("SYNC_QUARANTINED", context={"name": peer.name})
    number = hashlib.sha256(data).hexdigest()[:12]
    if not (header.revisions or header.forms) or _path(station, number, ".json").exists():
        return problem
    assert peer.keys is not None, "a signature was checked by them"
    content = _content(_opened(station, peer.station, peer.keys, data))
    earlier = [each for each in quarantined(station, decided=True) if each.station == peer.station]
    if any(each.content == content for each in earlier):
        return problem
    kept = sum(each.size for each in earlier if each.state == "waiting")
    if kept + len(data) > MOST:
        raise QuarantineError(Problem("SYNC_QUARANTINE_FULL", context={"name": peer.name, "limit": MOST}))
    held = Held(
        number, peer.station, peer.name, _now(station), road, "COLLECT_PEER_REVOKED", header.created.isoformat(),
        header.revisions, header.forms, len(data), (peer.keys.sealing, peer.keys.signing),
        content=content,
    )  # fmt: skip
    _write(_path(station, number, ".cunce"), data)
    _note(station, held)
    with closing(Accounts(station.folder, clock=station.clock)) as accounts:
        accounts.note("bundle quarantined", account=peer.name, resource=number, **_facts(held), why=held.why)
    return problem


def quarantined(station: Station, *, decided: bool = False) -> tuple[Held, ...]:
    """Return what waits in quarantine, oldest first; `decided`: also what was released or discarded."""
    folder = station.folder / FOLDER
    found = [_read(path) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    return tuple(sorted((each for each in found if decided or each.state == "waiting"), key=lambda each: each.at))


def waits(station: Station) -> int:
    """Return how many bundles wait in quarantine, without reading them."""
    folder = station.folder / FOLDER
    return sum(1 for path in folder.glob("*.cunce")) if folder.is_dir() else 0


def look(station: Station, number: str) -> Bundle:
    """Return what a bundle in quarantine holds, without applying any of it.

    Raises QuarantineError, BundleError, SealError or DatabaseError.
    """
    return _kept(station, _waiting(station, number))


def release(station: Station, number: str, *, by: str, reason: str = "") -> Received:
    """Apply a bundle in quarantine, because a person (`by`) says so, and note that in the audit log.

    Raises QuarantineError, BundleError, SealError, JournalError or DatabaseError; then it stays in quarantine.
    """
    held = _waiting(station, number)
    bundle = _kept(station, held)
    strangers = {each.id.station for each in bundle.revisions} - {held.station}
    if strangers:
        raise BundleError(Problem("SYNC_BUNDLE_FROM_ANOTHER", context={"sender": ", ".join(sorted(strangers))}))
    received = incoming(station, bundle)
    follow(station, bundle.revisions, author=station.name)
    _decide(station, held, "released", by, reason, new=received.new)
    return received


def discard(station: Station, number: str, *, by: str, reason: str = "") -> None:
    """Throw away a bundle in quarantine, because a person (`by`) says so; that it was there stays on record."""
    _decide(station, _waiting(station, number), "discarded", by, reason)


def _kept(station: Station, held: Held) -> Bundle:
    path = _path(station, held.id, ".cunce")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise explained(error, path) from error
    return _opened(station, held.station, public_keys(list(held.keys)), data)


def _opened(station: Station, sender: str, signer: PublicKeys, data: bytes) -> Bundle:
    trust = Trust(keys_of(station.folder, station.id).pairs, signer)
    return open_bundle(data, trust, receiver=station.id, sender=sender).bundle


def _content(bundle: Bundle) -> str:
    """A digest of what a bundle says: a station seals the same anew, with other bytes, whenever it tries."""
    told = [
        sorted((*each.id, each.digest) for each in bundle.revisions),
        sorted((each.form_id, each.version, each.digest) for each in bundle.forms),
    ]
    return hashlib.sha256(canonical(told)).hexdigest()


def _of_peer(station: Station, peer: Peer, data: bytes) -> Header:
    """Return the header of a bundle that the peer signed and addressed to us."""
    if peer.keys is None:
        raise PeerError(Problem("COLLECT_PEER_REVOKED", context={"name": peer.name}))
    header = check_signature(data, peer.keys)
    if header.sender != peer.station or header.kind != "push":
        raise BundleError(Problem("SYNC_BUNDLE_FROM_ANOTHER", context={"sender": header.sender}))
    if header.receiver != station.id:
        context = {"receiver": header.receiver, "station": station.id}
        raise BundleError(Problem("SYNC_BUNDLE_FOR_ANOTHER", context=context))
    return header


def _waiting(station: Station, number: str) -> Held:
    """The bundle of that id; the id comes from people, and names a file only if it is one of ours."""
    for each in quarantined(station, decided=True):
        if each.id == number and each.state == "waiting":
            return each
        if each.id == number:
            context = {"number": number, "by": each.by, "at": each.decided_at}
            raise QuarantineError(Problem("SYNC_QUARANTINE_DECIDED", context=context))
    raise QuarantineError(Problem("SYNC_QUARANTINE_UNKNOWN", context={"number": number}))


def _decide(station: Station, held: Held, state: State, by: str, reason: str, **facts: Any) -> None:
    _note(station, replace(held, state=state, by=by, decided_at=_now(station), reason=reason))
    with suppress(OSError):
        _path(station, held.id, ".cunce").unlink(missing_ok=True)
    with closing(Accounts(station.folder, clock=station.clock)) as accounts:
        accounts.note(f"bundle {state}", account=by, resource=held.id, reason=reason, **_facts(held), **facts)


def _facts(held: Held) -> dict[str, Any]:
    return {"station": held.station, "name": held.name, "road": held.road, "revisions": held.revisions}


def _note(station: Station, held: Held) -> None:
    text = json.dumps(asdict(held), ensure_ascii=False, indent=1)
    _write(_path(station, held.id, ".json"), text.encode("utf-8"))


def _read(path: Path) -> Held:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Held(**{**data, "keys": tuple(data["keys"])})
    except OSError as error:
        raise explained(error, path) from error
    except (ValueError, TypeError, KeyError) as error:
        raise QuarantineError(Problem("SYNC_QUARANTINE_FAULTY", Place(file=str(path)))) from error


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise explained(error, path) from error


def _path(station: Station, number: str, suffix: str) -> Path:
    return station.folder / FOLDER / f"{number}{suffix}"


def _now(station: Station) -> str:
    now: Callable[[], Any] = station.clock.now
    return str(now().isoformat(timespec="seconds"))
