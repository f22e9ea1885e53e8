"""Public keys: by which a station's signature is recognised and what is for it is sealed (pure)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from collect.revision import canonical

_SEALING: Final = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_SIGNING: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """A station's public keys. `sealing`: its age recipient (X25519); `signing`: its Ed25519 key, hex."""

    sealing: str
    signing: str

    @property
    def id(self) -> str:
        """Sixteen hex digits that name the pair: the first of the SHA-256 of the canonical JSON of both."""
        return hashlib.sha256(canonical([self.sealing, self.signing])).hexdigest()[:16]

    @property
    def pair(self) -> list[str]:
        """Both keys, JSON-ready."""
        return [self.sealing, self.signing]


def public_keys(data: Any) -> PublicKeys:
    """Return the keys of a pair that came from elsewhere; raises ValueError for anything else."""
    match data:
        case [str(sealing), str(signing)] if _SEALING.fullmatch(sealing) and _SIGNING.fullmatch(signing):
            return PublicKeys(sealing, signing)
        case _:
            raise ValueError("no pair of public keys")
