"""Identity: invitations, what a laptop answers them with, and the tokens by which a hub knows it again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collect.keys import PublicKeys, public_keys
from collect.peers import Peer, PeerError, Peers
from collect.revision import canonical
from collect.secrets import secret_of
from forms.problems import CunceError, Place, Problem
from sync.keys import keys_of

if TYPE_CHECKING:
    from collect.station import Station

SUFFIX: Final = ".cunce-invite"
_FORMAT: Final = 1
_CLAIM: Final = ("invitation", "station", "token", "sealing", "signing")
_STATION: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")  # it also names files and folders on a stick
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_ID_BYTES, _SECRET_BYTES = 5, 10  # together 24 characters of base32, short enough to type


class InvitationError(CunceError):
    """Something that is no invitation, or one that can't be made or used; carries every fault."""


class NotAdmittedError(CunceError):
    """A station that can't show it was invited here, or is no longer welcome; nothing it sent was taken."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a hub gives one laptop.

    `hub`, `hub_name`, `township` (code, name) and `villages` (code -> name) are empty in the short form, which is only
    good where the hub can be reached at `address`; the file carries all and is enough for a stick. `secret`: good once.
    `keys`: the hub's public ones.
    `forms`: digests of the hub's forms, so that a laptop without a network begins with the shipped ones among them.
    """

    id: str
    secret: str
    address: str = ""
    hub: str = ""
    hub_name: str = ""
    township: tuple[str, str] | None = None
    name: str = ""
    villages: Mapping[str, str] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    keys: PublicKeys | None = None

    @property
    def code(self) -> str:
        """Id and secret as 24 letters and digits in groups of four."""
        text = base64.b32encode(bytes.fromhex(self.id + self.secret)).decode("ascii")
        return "-".join(text[at : at + 4] for at in range(0, len(text), 4))

    @property
    def text(self) -> str:
        """The short form, for a chat message, a QR code or to type: address and code."""
        return f"{self.address}#{self.code}"


def make_invitation(
    station: Station, name: str, villages: Iterable[str], address: str, *, vouches: bool = False,
    authors: Iterable[str] = (),
) -> Invitation:  # fmt: skip
    """Invite a station to this hub and return the invitation; only a digest of its secret is kept.

    `name`: what the township calls the laptop. `villages`: codes it may send and is sent. `address`: http(s)://host:port
    where it reaches the hub, "" for USB only. `vouches`: it is for a hub, which sends on what its own laptops wrote.
    `authors`: who may save on it, nobody in particular for none. Raises InvitationError with every fault.
    """
    codes, known = list(dict.fromkeys(villages)), {village.code: village.name for village in station.villages}
    problems = [Problem("SYNC_VILLAGE_UNKNOWN", context={"village": code}) for code in codes if code not in known]
    if not codes:
        problems.append(Problem("SYNC_INVITATION_WITHOUT_VILLAGE"))
    if not name.strip():
        problems.append(Problem("SYNC_INVITATION_WITHOUT_NAME"))
    if address and not re.fullmatch(r"https?://[^\s#?]+", address):
        problems.append(Problem("SYNC_ADDRESS", context={"address": address}))
    if station.role != "hub":
        problems.append(Problem("SYNC_NOT_A_HUB", context={"name": station.name}))
    if problems:
        raise InvitationError(problems)
    invitation = Invitation(
        secrets.token_hex(_ID_BYTES), secrets.token_hex(_SECRET_BYTES), address.rstrip("/"), station.id, station.name,
        township_of(station), name.strip(), {code: known[code] for code in codes},
        tuple(digest for _, _, digest in station.journal.form_keys()),
        keys_of(station.folder, station.id).current.public,
    )  # fmt: skip
    peers = Peers(station.folder, clock=station.clock)
    try:
        peers.invite(
            invitation.id, name=invitation.name, villages=codes, secret=_hashed(invitation.secret), vouches=vouches,
            authors=[author.strip() for author in authors if author.strip()],
        )  # fmt: skip
    finally:
        peers.close()
    return invitation


def township_of(station: Station) -> tuple[str, str] | None:
    """Return code and name of a station's township, None where it has none."""
    return None if station.township is None else (station.township.code, station.township.name)


def save_invitation(station: Station, invitation: Invitation, path: Path) -> None:
    """Write an invitation's file, readable to its owner only: whoever has it may join. Where the disk refuses, the
    invitation is withdrawn; raises InvitationError (SYNC_INVITATION_NOT_WRITTEN)."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(write_invitation(invitation), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        with closing(Peers(station.folder, clock=station.clock)) as peers:
            peers.withdraw(invitation.id)
        context = {"reason": error.strerror or error}
        raise InvitationError(Problem("SYNC_INVITATION_NOT_WRITTEN", Place(file=str(path)), context)) from error


def write_invitation(invitation: Invitation) -> str:
    """Return the text of an invitation file (JSON)."""
    data = {"address": invitation.address, "code": invitation.code, **details(invitation)}
    data["forms"] = list(invitation.forms)
    return json.dumps({"cunce_invite": _FORMAT, **data}, ensure_ascii=False, indent=1) + "\n"


def details(invitation: Invitation) -> dict[str, Any]:
    """Return, JSON-ready, what the short form lacks and a hub tells whoever shows the secret."""
    return {
        "hub": invitation.hub,
        "hub_name": invitation.hub_name,
        "township": None if invitation.township is None else list(invitation.township),
        "name": invitation.name,
        "villages": dict(invitation.villages),
        "keys": None if invitation.keys is None else invitation.keys.pair,
    }


def proven(told: dict[str, Any], peer: Peer) -> dict[str, Any]:
    """Return a hub's details with the proof that it knows the invitation's secret, so that nobody can change them."""
    return {**told, "proof": _proof(peer.secret, told)}


def completed(invitation: Invitation, data: bytes) -> Invitation:
    """Return a short invitation with the details a hub answered.

    Raises InvitationError: SYNC_INVITATION_UNREADABLE, or SYNC_HUB_FALSE where the answer is not that hub's.
    """
    try:
        answered = json.loads(data)
        proof = str(answered.pop("proof"))
        if not hmac.compare_digest(_proof(_hashed(invitation.secret), answered).encode(), proof.encode()):
            raise InvitationError(Problem("SYNC_HUB_FALSE", context={"address": invitation.address}))
        return _from_file({**answered, "cunce_invite": _FORMAT, "address": invitation.address, "code": invitation.code})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvitationError(Problem("SYNC_INVITATION_UNREADABLE", context={"reason": error})) from error


def read_invitation(given: str | Path) -> Invitation:
    """Read an invitation from its file, the file's text, or the short form; raises InvitationError."""
    text, place = str(given).strip(), Place()
    if not text.startswith("{") and "#" not in text:
        place = Place(file=Path(text).name)
        try:
            text = Path(text).read_text(encoding="utf-8-sig").strip()
        except FileNotFoundError as error:
            raise InvitationError(Problem("SYNC_INVITATION_MISSING", place)) from error
        except (OSError, UnicodeDecodeError) as error:
            raise InvitationError(Problem("SYNC_INVITATION_UNREADABLE", place, {"reason": error})) from error
    try:
        return _from_file(json.loads(text)) if text.startswith("{") else _from_text(text)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvitationError(Problem("SYNC_INVITATION_UNREADABLE", place, {"reason": error})) from error


def _from_file(data: Any) -> Invitation:
    match data:
        case {"cunce_invite": int(number)} if number > _FORMAT:
            raise InvitationError(Problem("SYNC_INVITATION_NEWER"))
        case {
            "cunce_invite": 1,
            "hub": str(hub),
            "hub_name": str(hub_name),
            "township": [str(), str()] | None as township,
            "address": str(address),
            "name": str(name),
            "villages": dict(villages),
            "code": str(code),
        } if _STATION.fullmatch(hub) and villages and all(type(each) is str for each in villages.values()):
            of = None if township is None else (township[0], township[1])
            forms = tuple(str(each) for each in data.get("forms", ()))
            keys = public_keys(data.get("keys"))
            return Invitation(*_decoded(code), address, hub, hub_name, of, name, villages, forms, keys)
        case _:
            raise ValueError("JSON")


def _from_text(text: str) -> Invitation:
    address, _, code = text.rpartition("#")
    return Invitation(*_decoded(code), address.rstrip("/"))


def _decoded(code: str) -> tuple[str, str]:
    """Id and secret of a code, however it was typed: small letters, blanks, 0 for O, 1 for I."""
    plain = re.sub(r"[\s-]", "", code).upper().replace("0", "O").replace("1", "I")
    data = base64.b32decode(plain)
    if len(data) != _ID_BYTES + _SECRET_BYTES:
        raise ValueError(code)
    return data[:_ID_BYTES].hex(), data[_ID_BYTES:].hex()


# ---- what a laptop answers, and how a hub checks it


def petition(invitation: Invitation, *, station: str = "", token: str = "", keys: PublicKeys | None = None) -> bytes:
    """Return a laptop's request to join: it proves that the secret is known without showing it or the token.

    `keys`: the station's public ones, which the proof covers. Without `station` it only asks for the details.
    """
    pair = ["", ""] if keys is None else keys.pair
    claim = [invitation.id, station, _hashed(token) if token else "", *pair]
    return canonical({**dict(zip(_CLAIM, claim, strict=True)), "proof": _proof(_hashed(invitation.secret), claim)})


def admit(peers: Peers, data: bytes) -> Peer:
    """Let in the station that sent a petition; again by the same station is fine.

    A petition without a station changes nothing. Raises NotAdmittedError (SYNC_PETITION_UNREADABLE, SYNC_NOT_INVITED)
    or PeerError.
    """
    try:
        asked = json.loads(data)
        claim = [asked[name] for name in _CLAIM]
        told, proof = canonical(claim), asked["proof"].encode("utf-8")
        asking = claim[1:] == ["", "", "", ""]
        if not asking and not (_STATION.fullmatch(claim[1]) and _HASH.fullmatch(claim[2])):
            raise ValueError("no station or no token")
        keys = None if asking else public_keys(claim[3:])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotAdmittedError(Problem("SYNC_PETITION_UNREADABLE")) from error
    peer = peers.invited(str(claim[0]))
    key = bytes.fromhex(peer.secret if peer else "0" * 64)
    if not hmac.compare_digest(hmac.digest(key, told, "sha256").hex().encode(), proof) or peer is None:
        raise NotAdmittedError(Problem("SYNC_NOT_INVITED"))
    if asking:
        return welcome(peer)
    return peers.register(peer.invitation, station=claim[1], token=claim[2], keys=keys)


def recognise(peers: Peers, authorization: str) -> Peer:
    """Return the peer that a header `Bearer <station>.<token>` shows, a revoked one too; raises NotAdmittedError."""
    station, _, token = authorization.removeprefix("Bearer ").rpartition(".")
    if not (_STATION.fullmatch(station) and token.isascii()):
        raise NotAdmittedError(Problem("SYNC_NOT_ADMITTED"))
    peer = peers.peer(station)
    expected = peer.token if peer and peer.token else "0" * 64
    if not hmac.compare_digest(_hashed(token).encode(), expected.encode()) or peer is None:
        raise NotAdmittedError(Problem("SYNC_NOT_ADMITTED"))
    return peer


def welcome(peer: Peer) -> Peer:
    """Return the peer, or raise PeerError (COLLECT_PEER_REVOKED) for a lost laptop."""
    if peer.state == "revoked":
        raise PeerError(Problem("COLLECT_PEER_REVOKED", context={"name": peer.name}))
    return peer


# ---- the laptop's own token


def token_of(folder: Path, hub: str) -> str:
    """Return this station's token at a hub, made and kept among its secrets when it is new."""
    return secret_of(folder, f"token {hub}")


def _proof(secret: str, told: object) -> str:
    """What shows that somebody knows an invitation's secret (hex SHA-256 of it) without telling it."""
    return hmac.digest(bytes.fromhex(secret), canonical(told), "sha256").hex()


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
