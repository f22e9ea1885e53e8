"""Keychain: a station's private document of keys, locked by the system's keyring, a passphrase or file rights.

`keys.json` holds the document, encrypted (ChaCha20-Poly1305) but for the last way; the lock says with what:
a random key that the system's keyring keeps, or one made from a passphrase (argon2id, RFC 9106).
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from collect.database import explained
from forms.problems import CunceError, Place, Problem

FILE: Final = "keys.json"
PASSPHRASE: Final = "CUNCE_PASSPHRASE"
Lock = Literal["keyring", "passphrase", "rights"]
_SERVICE: Final = "cunce"
_COST: Final = {"time": 3, "memory": 65536, "lanes": 4}  # RFC 9106's second recommendation: some 0.1 s and 64 MiB
_DEAREST: Final = {"time": 20, "memory": 1 << 20, "lanes": 16}  # a document from elsewhere may ask for no more
_PATIENCE: Final = 10.0  # seconds after which a lock was left behind by a process that died


class KeychainError(CunceError):
    """Keys that are locked, damaged or gone: COLLECT_KEYS_LOCKED, _PASSPHRASE, _KEYRING or _FAULTY."""


class Keychain:
    """The door to a folder's `keys.json`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @property
    def lock(self) -> Lock | None:
        """What protects the keys; None where there are none yet. Raises KeychainError."""
        found = self._file()
        return None if found is None else found["lock"]["by"]

    @property
    def locked(self) -> bool:
        """Whether a passphrase is needed that the environment does not give."""
        return self.lock == "passphrase" and not os.environ.get(PASSPHRASE)

    def read(self) -> dict[str, Any] | None:
        """Return the document, None where there is none yet; raises KeychainError."""
        found = self._file()
        if found is None:
            return None
        try:
            if found["lock"]["by"] == "rights":
                return dict(found["keys"])
            return dict(opened(found, _key_of(found["lock"], self.path)))
        except (KeyError, TypeError, ValueError) as error:
            raise self._faulty(error) from error

    def write(self, document: Mapping[str, Any]) -> None:
        """Keep another document under the lock there is, or under a new one: a passphrase where the environment
        gives one, else the system's keyring where it has a usable one, else the file's rights alone.

        Raises KeychainError or DatabaseError.
        """
        found = self._file()
        lock = _new_lock() if found is None else found["lock"]
        if lock["by"] == "rights":
            data = {"lock": lock, "keys": dict(document)}
        else:
            data = {"lock": lock, **closed(document, _key_of(lock, self.path))}
        try:
            _write(self.path, data)
        except OSError as error:
            raise explained(error, self.path) from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process at a time read and write; a lock whose owner died is taken over."""
        held, until = self.path.with_suffix(".lock"), time.monotonic() + _PATIENCE
        while True:
            try:
                held.touch(mode=0o600, exist_ok=False)
                break
            except FileExistsError:
                if time.monotonic() > until:
                    held.unlink(missing_ok=True)
                time.sleep(0.01)
            except OSError as error:
                raise explained(error, self.path) from error
        try:
            yield
        finally:
            with suppress(OSError):
                held.unlink(missing_ok=True)

    def _file(self) -> dict[str, Any] | None:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data["lock"]["by"] not in ("keyring", "passphrase", "rights"):
                raise ValueError(data["lock"]["by"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explained(error, self.path) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._faulty(error) from error
        return dict(data)

    def _faulty(self, error: Exception) -> KeychainError:
        return KeychainError(Problem("COLLECT_KEYS_FAULTY", Place(file=str(self.path)), {"detail": error}))


def with_passphrase(document: Mapping[str, Any], passphrase: str) -> dict[str, Any]:
    """Return a document locked by a passphrase, JSON-ready: a backup that may lie anywhere."""
    lock = {"by": "passphrase", "salt": secrets.token_hex(16), **_COST}
    return {"lock": lock, **closed(document, _derived(passphrase, json.dumps(lock)))}


def without_passphrase(data: Mapping[str, Any], passphrase: str, path: Path) -> dict[str, Any]:
    """Return the document that `with_passphrase` locked; raises KeychainError (COLLECT_KEYS_PASSPHRASE, _FAULTY)."""
    try:
        _check_cost(data["lock"])
        return opened(data, _derived(passphrase, json.dumps(data["lock"])), path)
    except (KeyError, TypeError, ValueError) as error:
        raise KeychainError(Problem("COLLECT_KEYS_FAULTY", Place(file=str(path)), {"detail": error})) from error


def closed(document: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return a document encrypted with a key of 32 bytes."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = secrets.token_bytes(12)
    text = json.dumps(document, ensure_ascii=False).encode("utf-8")
    return {"nonce": nonce.hex(), "closed": ChaCha20Poly1305(key).encrypt(nonce, text, None).hex()}


def opened(data: Mapping[str, Any], key: bytes, path: Path = Path(FILE)) -> dict[str, Any]:
    """Return the document that `closed` encrypted; raises KeychainError (COLLECT_KEYS_PASSPHRASE) for another key."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce, text = bytes.fromhex(data["nonce"]), bytes.fromhex(data["closed"])
    try:
        return dict(json.loads(ChaCha20Poly1305(key).decrypt(nonce, text, None)))
    except InvalidTag as error:
        raise KeychainError(Problem("COLLECT_KEYS_PASSPHRASE", Place(file=str(path)))) from error


def _new_lock() -> dict[str, Any]:
    if os.environ.get(PASSPHRASE):
        return {"by": "passphrase", "salt": secrets.token_hex(16), **_COST}
    entry = secrets.token_hex(8)
    if _kept_by_system(entry, secrets.token_hex(32)):
        return {"by": "keyring", "entry": entry}
    return {"by": "rights"}


def _kept_by_system(entry: str, key: str) -> bool:
    """Put a key into the system's keyring; return whether there is one that gives it back."""
    try:
        import keyring
        from keyring.backends import fail, null

        if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring):
            return False
        keyring.set_password(_SERVICE, entry, key)
        return keyring.get_password(_SERVICE, entry) == key
    except Exception:
        return False


def _key_of(lock: Mapping[str, Any], path: Path) -> bytes:
    if lock["by"] == "passphrase":
        given = os.environ.get(PASSPHRASE, "")
        if not given:
            raise KeychainError(Problem("COLLECT_KEYS_LOCKED", Place(file=str(path))))
        return _derived(given, json.dumps(lock))
    try:
        import keyring

        kept = keyring.get_password(_SERVICE, str(lock["entry"]))
    except Exception as error:
        raise KeychainError(Problem("COLLECT_KEYS_KEYRING", Place(file=str(path)), {"detail": error})) from error
    if not kept:
        raise KeychainError(Problem("COLLECT_KEYS_KEYRING", Place(file=str(path)), {"detail": "-"}))
    return bytes.fromhex(kept)


def _check_cost(lock: Mapping[str, Any]) -> None:
    if not all(type(lock[name]) is int and 0 < lock[name] <= most for name, most in _DEAREST.items()):
        raise ValueError("a lock that would cost too much to open")


@lru_cache(maxsize=8)
def _derived(passphrase: str, lock: str) -> bytes:
    """The key that a passphrase and a lock (JSON) make; remembered, because it is made to be slow."""
    from argon2.low_level import Type, hash_secret_raw

    told = json.loads(lock)
    _check_cost(told)
    return hash_secret_raw(
        passphrase.encode("utf-8"), bytes.fromhex(told["salt"]), time_cost=told["time"], memory_cost=told["memory"],
        parallelism=told["lanes"], hash_len=32, type=Type.ID,
    )  # fmt: skip


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Write the file whole, for its owner's eyes."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with fresh.open("w", encoding="utf-8") as stream:
        json.dump(data, stream, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
