"""Seal: a bundle's body closed for its receiver (age, X25519) and the whole signed by its sender (Ed25519); pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyrage  # type: ignore[import-untyped]

from collect.keys import PublicKeys
from forms.problems import CunceError, Problem
from sync.columns import MalformedError
from sync.keys import KeyPair, OwnKeys, Succession, signed_by, succeeded

NONE: Final = {"method": "none"}
_DOMAIN: Final = b"cunce bundle\n"  # a signature of a bundle is none of anything else


class SealError(CunceError):
    """A bundle that is not signed by whom it says, or not sealed to this station; nothing of it was read."""


@dataclass(frozen=True, slots=True)
class Seal:
    """How a sender closes a bundle: with its own `keys`, `to` the receiver's."""

    keys: OwnKeys
    to: PublicKeys


@dataclass(frozen=True, slots=True)
class Trust:
    """By what a receiver opens a bundle: its own `pairs`, newest first, and the keys it knows of the sender."""

    pairs: Sequence[KeyPair]
    sender: PublicKeys


def sealed(body: bytes, seal: Seal | None) -> tuple[dict[str, str], bytes]:
    """Return what SEAL says and the body as it travels; in the open without a seal."""
    if seal is None:
        return NONE, body
    recipient = pyrage.x25519.Recipient.from_str(seal.to.sealing)
    return {"method": "age", "recipient": seal.to.id}, pyrage.encrypt(body, [recipient])


def signed(before: bytes, seal: Seal | None) -> dict[str, str]:
    """Return what SIGN says of all the bytes before it."""
    if seal is None:
        return NONE
    pair = seal.keys.current
    return {"method": "ed25519", "key": pair.public.id, "signature": pair.sign(_DOMAIN + before).hex()}


def check_method(what: Mapping[str, Any], known: str) -> str:
    """Return the key id that SEAL or SIGN names, "" for none; raises SealError (SYNC_BUNDLE_SEALED) for others."""
    if what == NONE:
        return ""
    if what["method"] != known:
        raise SealError(Problem("SYNC_BUNDLE_SEALED", context={"method": what["method"]}))
    name = what["recipient" if known == "age" else "key"]
    if type(name) is not str or len(name) > 64:
        raise MalformedError("a key without a name")
    return name


def signer_of(
    before: bytes, sign: Mapping[str, Any], known: PublicKeys, successions: Sequence[Succession], station: str
) -> PublicKeys:
    """Return the keys that signed: the known ones, or ones that rightly follow them. Raises SealError.

    SYNC_BUNDLE_UNSIGNED: no signature; SYNC_SIGNER_UNKNOWN: another's keys; SYNC_SIGNATURE_FALSE: altered.
    """
    if not check_method(sign, "ed25519"):
        raise SealError(Problem("SYNC_BUNDLE_UNSIGNED", context={"sender": station}))
    line = {keys.id: keys for keys in succeeded(known, successions, station)}
    keys = line.get(sign["key"])
    if keys is None:
        raise SealError(Problem("SYNC_SIGNER_UNKNOWN", context={"sender": station, "key": sign["key"]}))
    if not signed_by(keys, bytes.fromhex(sign["signature"]), _DOMAIN + before):
        raise SealError(Problem("SYNC_SIGNATURE_FALSE", context={"sender": station}))
    return keys


def unsealed(body: bytes, seal: Mapping[str, Any], pairs: Sequence[KeyPair]) -> tuple[bytes, str]:
    """Return the body opened, and the id of the pair that opened it. Raises SealError.

    SYNC_BUNDLE_UNSIGNED: in the open; SYNC_BUNDLE_OTHER_KEY: sealed to keys this station does not have.
    """
    name = check_method(seal, "age")
    if not name:
        raise SealError(Problem("SYNC_BUNDLE_UNSIGNED", context={"sender": "-"}))
    for pair in pairs:
        if pair.public.id == name:
            try:
                return pyrage.decrypt(body, [pyrage.x25519.Identity.from_str(pair.sealing)]), name
            except pyrage.DecryptError as error:
                raise SealError(Problem("SYNC_BUNDLE_OTHER_KEY", context={"key": name})) from error
    raise SealError(Problem("SYNC_BUNDLE_OTHER_KEY", context={"key": name}))
