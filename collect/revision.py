"""A revision: one saved change to one record, immutable, chained by digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

Value = str | int | float | None
DELETED = "_deleted"  # the field that deletes a record (true) or brings it back (null)
ERASED = "_erased"  # the field that erases a record by law; its value is the reason
PARENT = "_parent"  # the field of a repeat's row that names the record it belongs to
INTO = "_into"  # the field of a duplicate that names the record it was merged into
APART = "_apart_"  # what fields begin with that say: the record named behind it is not the same as this one


class RevisionId(NamedTuple):
    """Who wrote a revision and its gapless number there, from 1."""

    station: str
    seq: int

    def __str__(self) -> str:
        return f"{self.station}:{self.seq}"


def told_apart(record: str) -> str:
    """Return the field that says of a record that it is not the same as another; the lower id's record has it."""
    return APART + record


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
    # Its row in the journal with the digests, once somebody has worked them out (collect.chain); never copied.
    kept: tuple[Any, ...] | None = field(init=False, default=None, compare=False, repr=False)

    @property
    def changes_digest(self) -> str:
        """Hex SHA-256 of the canonical changes; the chain runs over it, so that changes can be erased by law."""
        return self.erased or hashlib.sha256(canonical(self.changes)).hexdigest()

    @property
    def digest(self) -> str:
        """Hex SHA-256 of all fields, changes replaced by their digest: what `previous` of the next one names."""
        if self.kept is not None:
            return str(self.kept[-1].hex())
        header = [
            self.id.station, self.id.seq, [[parent.station, parent.seq] for parent in sorted(self.parents)],
            self.time, self.author, self.save, self.form, self.version, self.table, self.record, self.village,
            self.changes_digest, self.previous,
        ]  # fmt: skip
        return hashlib.sha256(canonical(header)).hexdigest()


def canonical(data: Any) -> bytes:
    """Return the one JSON spelling of `data` that digests are made of: sorted keys, no blanks, UTF-8."""
    return _ENCODER.encode(data).encode("utf-8")


def spelled(changes: Mapping[str, Value]) -> str:
    """Return `canonical` of changes as text, by the quick encoder where both spell the values alike."""
    kinds = set(map(type, changes.values()))
    if kinds <= _ALIKE or (kinds <= _NEARLY and all(map(_plain, changes.values()))):
        try:
            return orjson.dumps(changes, option=orjson.OPT_SORT_KEYS).decode()
        except TypeError:  # numbers of more than 64 bits, halves of surrogate pairs
            pass
    return canonical(changes).decode()


def told(text: str) -> dict[str, Value]:
    """Return the changes that `spelled` wrote."""
    changes: dict[str, Value] = orjson.loads(text)
    if any(type(value) is float and abs(value) >= _BEYOND for value in changes.values()):
        # It may have been a whole number of more than 64 bits.
        changes = json.loads(text)
    return changes


def _plain(value: Value) -> bool:
    """Whether a number is one that everybody writes without an exponent."""
    return type(value) is not float or value == 0 or 1e-4 <= abs(value) < 1e15


_ALIKE = frozenset({str, int, bool, type(None)})
_BEYOND = 2.0**63
_NEARLY = _ALIKE | {float}
# Made once: json.dumps makes a new one at every call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
