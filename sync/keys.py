"""Keys: a station's own pairs, how new ones follow old ones, and their backup."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyrage  # type: ignore[import-untyped]
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from collect.database import explained
from collect.keychain import Keychain, KeychainError, with_passphrase, without_passphrase
from collect.keys import PublicKeys, public_keys
from collect.revision import canonical
from forms.problems import Place, Problem

_FORMAT: Final = 1
_DOMAIN: Final = "cunce succession"
MAX_SUCCESSIONS: Final = 32


@dataclass(frozen=True)
class KeyPair:
    """A station's secret keys. `sealing`: an age identity (X25519); `signing`: the seed of an Ed25519 key, hex."""

    sealing: str
    signing: str

    @cached_property
    def public(self) -> PublicKeys:
        """The keys others may know."""
        recipient = str(pyrage.x25519.Identity.from_str(self.sealing).to_public())
        signing = self._signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        return PublicKeys(recipient, signing)

    @cached_property
    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self.signing))

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature of `data`."""
        return self._signer.sign(data)


@dataclass(frozen=True, slots=True)
class Succession:
    """New keys of a station, signed by the ones before. `signature`: hex, by the key before, see `_told`."""

    keys: PublicKeys
    signature: str


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """A station's keys now, the `former` ones by which it still opens what was underway, and the successions to now."""

    current: KeyPair
    former: tuple[KeyPair, ...] = ()
    successions: tuple[Succession, ...] = ()

    @property
    def pairs(self) -> tuple[KeyPair, ...]:
        """All pairs, newest first."""
        return (self.current, *self.former)


def new_pair() -> KeyPair:
    """Return new keys."""
    return KeyPair(str(pyrage.x25519.Identity.generate()), secrets.token_hex(32))


def signed_by(keys: PublicKeys, signature: bytes, data: bytes) -> bool:
    """Return whether a signature of `data` is one by these keys."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys.signing)).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def succeeded(known: PublicKeys, successions: Iterable[Succession], station: str) -> tuple[PublicKeys, ...]:
    """Return the keys that rightly follow the known ones, in order, the known ones first."""
    line = [known]
    for each in successions:
        if each.keys not in line and signed_by(line[-1], bytes.fromhex(each.signature), _told(station, each.keys)):
            line.append(each.keys)
    return tuple(line)


def keys_of(folder: Path, station: str) -> OwnKeys:
    """Return a station's keys, made and kept when they are first asked for.

    Raises KeychainError where they are locked or damaged, DatabaseError where the disk refuses.
    """
    keychain = Keychain(folder)
    kept = keychain.read()
    if kept is None:
        with keychain.alone():
            kept = keychain.read()
            if kept is None:
                kept = _document(station, OwnKeys(new_pair()))
                keychain.write(kept)
    return _own(kept, station, keychain.path)


def rotate_keys(folder: Path, station: str) -> OwnKeys:
    """Give a station new keys, signed by the ones it had; whoever knows those learns the new ones from its bundles."""
    before = keys_of(folder, station)
    keychain = Keychain(folder)
    with keychain.alone():
        pair = new_pair()
        signature = before.current.sign(_told(station, pair.public)).hex()
        after = OwnKeys(
            pair, before.pairs, (*before.successions, Succession(pair.public, signature))[-MAX_SUCCESSIONS:]
        )
        keychain.write(_document(station, after))
    return after


def back_up_keys(folder: Path, station: str, passphrase: str, file: Path) -> None:
    """Write a station's keys to a file that only the passphrase opens; raises KeychainError or DatabaseError."""
    data = {"cunce_keys": _FORMAT, **with_passphrase(_document(station, keys_of(folder, station)), passphrase)}
    try:
        part = file.with_name(f".{file.name}.part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(json.dumps(data) + "\n", encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise explained(error, file) from error


def restore_keys(folder: Path, station: str, passphrase: str, file: Path) -> OwnKeys:
    """Put back keys from a backup; those that were here stay as former ones. Raises KeychainError or DatabaseError.

    A backup of another station is refused (SYNC_KEYS_OF_ANOTHER).
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["cunce_keys"] != _FORMAT:
            raise ValueError(data["cunce_keys"])
    except OSError as error:
        raise explained(error, file) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeychainError(Problem("COLLECT_KEYS_FAULTY", Place(file=str(file)), {"detail": error})) from error
    restored = _own(without_passphrase(data, passphrase, file), station, file)
    keychain = Keychain(folder)
    with keychain.alone():
        kept = keychain.read()
        here = () if kept is None else _own(kept, station, keychain.path).pairs
        others = tuple(pair for pair in here if pair not in restored.pairs)
        whole = OwnKeys(restored.current, (*restored.former, *others), restored.successions)
        keychain.write(_document(station, whole))
    return whole


def pack_successions(successions: Sequence[Succession]) -> list[list[str]]:
    """Return successions JSON-ready."""
    return [[*each.keys.pair, each.signature] for each in successions]


def unpack_successions(data: Any) -> tuple[Succession, ...]:
    """Return the successions that `pack_successions` wrote; raises ValueError."""
    if type(data) is not list or len(data) > MAX_SUCCESSIONS:
        raise ValueError("no successions")
    found = []
    for sealing, signing, signature in data:
        if type(signature) is not str or len(bytes.fromhex(signature)) != 64:
            raise ValueError("no signature")
        found.append(Succession(public_keys([sealing, signing]), signature))
    return tuple(found)


def _told(station: str, keys: PublicKeys) -> bytes:
    """What a succession's signature is made over."""
    return canonical([_DOMAIN, station, *keys.pair])


def _document(station: str, keys: OwnKeys) -> dict[str, Any]:
    return {
        "station": station,
        "pairs": [[pair.sealing, pair.signing] for pair in keys.pairs],
        "successions": pack_successions(keys.successions),
    }


def _own(document: dict[str, Any], station: str, path: Path) -> OwnKeys:
    try:
        if document["station"] != station:
            context = {"station": document["station"], "here": station}
            raise KeychainError(Problem("SYNC_KEYS_OF_ANOTHER", Place(file=str(path)), context))
        pairs = tuple(KeyPair(sealing, signing) for sealing, signing in document["pairs"])
        return OwnKeys(pairs[0], pairs[1:], unpack_successions(document["successions"]))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise KeychainError(Problem("COLLECT_KEYS_FAULTY", Place(file=str(path)), {"detail": error})) from error
