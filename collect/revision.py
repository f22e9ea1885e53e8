"""A revision: one saved change to one record, immutable, chained by digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float | None
DELETED = "_deleted"  # the field that deletes a record (true) or brings it back (null)
ERASED = "_erased"  # the field that erases a record by law; its value is the reason
PARENT = "_parent"  # the field of a repeat's row that names the record it belongs to


@dataclass(frozen=True, slots=True, order=True)
class RevisionId:
    """Who wrote a revision and its gapless number there, from 1."""

    station: str
    seq: int

    def __str__(self) -> str:
        return f"{self.station}:{self.seq}"


@dataclass(frozen=True, slots=True)
class Revision:
    """One saved change to one record.

    `id`: station and seq. `parents`: the record's heads that the author saw (none for a creation, two or more when
    it settles a conflict). `time`: hybrid logical clock, milliseconds since 1970-01-01 UTC shifted left by 16 bits
    plus a counter; it breaks ties and is shown, it never judges who knew what. `author`: account name. `save`: id
    shared by the revisions of one press of "save". `form`, `version`: the form answered. `table`: the ledger table
    (the form's own or a repeat's). `record`: UUIDv7 text. `village`: code that routes it. `changes`: field -> value,
    only the fields that changed. `previous`: hex digest of the station's previous revision ("" for its first).
    `erased`: hex digest of the changes where these were erased by law (`changes` is empty then), else "".
    """

    id: RevisionId
    parents: tuple[RevisionId, ...]
    time: int
    author: str
    save: str
    form: str
    version: str
    table: str
    record: str
    village: str
    changes: Mapping[str, Value]
    previous: str = ""
    erased: str = ""

    @property
    def changes_digest(self) -> str:
        """Hex SHA-256 of the canonical changes; the chain runs over it, so that changes can be erased by law."""
        return self.erased or hashlib.sha256(canonical(self.changes)).hexdigest()

    @property
    def digest(self) -> str:
        """Hex SHA-256 of all fields, changes replaced by their digest: what `previous` of the next one names."""
        header = [
            self.id.station, self.id.seq, [[parent.station, parent.seq] for parent in sorted(self.parents)],
            self.time, self.author, self.save, self.form, self.version, self.table, self.record, self.village,
            self.changes_digest, self.previous,
        ]  # fmt: skip
        return hashlib.sha256(canonical(header)).hexdigest()


def canonical(data: Any) -> bytes:
    """Return the one JSON spelling of `data` that digests are made of: sorted keys, no blanks, UTF-8."""
    return _ENCODER.encode(data).encode("utf-8")


# Made once: json.dumps makes a new one at every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
