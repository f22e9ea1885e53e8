"""Rows of the journal without the journal: digests, links of the hash chain, and who must wait for whom (pure)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from collect.revision import Revision, RevisionId, canonical, spelled, told
from forms.problems import CunceError, Problem

# station, seq, parents, time, author, save, form, version, table, record, village, changes, changes_digest,
# previous, digest
Row = tuple[Any, ...]
# The columns of a row, in its order.
COLUMNS = (
    'station, seq, parents, time, author, save, form, version, "table", record, village, changes, changes_digest, '
    "previous, digest"
)
Key = tuple[str, int]
Link = tuple[bytes, bytes]  # digest, previous


class JournalError(CunceError):
    """Revisions that the journal refuses: a fork, a broken chain, a gap, or values that no digest can be made of."""


def row_of(revision: Revision) -> Row:
    """Return the journal's row of a revision; raises JournalError where its values have no canonical spelling."""
    if revision.kept is not None:
        return revision.kept
    try:
        if revision.erased and (revision.changes or len(revision.erased) != 64):
            raise ValueError("erased changes are a digest and nothing else")
        erased = bytes.fromhex(revision.erased)
        changes = None if erased else spelled(revision.changes)
        named = [[parent.station, parent.seq] for parent in sorted(revision.parents)]
        parents = canonical(named).decode() if named else "[]"
        previous = bytes.fromhex(revision.previous)
    except (TypeError, ValueError) as error:
        problem = Problem("COLLECT_REVISION_FAULTY", context={"revision": revision.id, "detail": error})
        raise JournalError(problem) from error
    row = (
        revision.id.station, revision.id.seq, parents, revision.time, revision.author, revision.save, revision.form,
        revision.version, revision.table, revision.record, revision.village, changes, erased, previous, b"",
    )  # fmt: skip
    changes_digest, digest = digests(row)
    return _keep(revision, (*row[:12], changes_digest, previous, digest))


def _keep(revision: Revision, row: Row) -> Row:
    """Let a revision remember its row: it is asked for again on the way into the journal."""
    object.__setattr__(revision, "kept", row)
    return row


def digests(row: Row) -> Link:
    """Return the digests of a row's changes and of the whole revision, as `Revision` defines them.

    Erased changes keep the digest they had.
    """
    changes_digest = row[12] if row[11] is None else hashlib.sha256(row[11].encode()).digest()
    # Spelled out, for speed: the canonical JSON of the list that Revision.digest names.
    names = ",".join(map(encode_basestring, row[4:11]))
    header = (
        f"[{encode_basestring(row[0])},{row[1]},{row[2]},{row[3]},{names},"
        f'"{changes_digest.hex()}","{row[13].hex()}"]'
    )
    return changes_digest, hashlib.sha256(header.encode()).digest()


def revision_of(row: Sequence[Any]) -> Revision:
    """Return the revision of a row."""
    station, seq, parents, time, author, save, form, version, table, record, village, changes, digest, previous, _ = row
    revision = Revision(
        id=RevisionId(station, seq),
        parents=() if parents == "[]" else tuple(RevisionId(*parent) for parent in json.loads(parents)),
        time=time, author=author, save=save, form=form, version=version, table=table, record=record, village=village,
        changes={} if changes is None else told(changes), previous=previous.hex(),
        erased="" if changes is not None else digest.hex(),
    )  # fmt: skip
    _keep(revision, tuple(row))
    return revision


def distinct(revisions: Iterable[Revision]) -> dict[Key, Row]:
    """Return rows by id; raises JournalError where one id stands for two different revisions."""
    rows: dict[Key, Row] = {}
    for revision in revisions:
        row = row_of(revision)
        known = rows.setdefault((row[0], row[1]), row)
        if known[-1] != row[-1]:
            raise JournalError(_fork((row[0], row[1]), known[-1], row[-1]))
    return rows


def faults(rows: Mapping[Key, Row], held: Mapping[Key, Link], *, contiguous: bool) -> Iterator[Problem]:
    """Yield why rows cannot join what is held of the same numbers and their neighbours: forks, broken links, gaps.

    `contiguous`: a number missing in front of a row is a fault as well.
    """
    for (station, seq), row in rows.items():
        key, before, after = (station, seq), (station, seq - 1), (station, seq + 1)
        if key in held:
            if held[key][0] != row[-1]:
                yield _fork(key, held[key][0], row[-1])
            continue
        last = b"" if seq == 1 else rows[before][-1] if before in rows else held[before][0] if before in held else None
        if last is None and contiguous:
            yield Problem("COLLECT_CHAIN_GAP", context={"station": station, "first": seq - 1, "last": seq - 1})
        if last is not None and row[13] != last:
            yield broken(station, seq)
        if after in held and held[after][1] != row[-1]:
            yield broken(station, seq + 1)


def broken(station: str, seq: int) -> Problem:
    """Return the problem of a revision that does not follow the one before it."""
    return Problem("COLLECT_CHAIN_BROKEN", context={"revision": f"{station}:{seq}", "before": f"{station}:{seq - 1}"})


def _fork(key: Key, held: bytes, given: bytes) -> Problem:
    context = {"revision": f"{key[0]}:{key[1]}", "held": held.hex(), "given": given.hex()}
    return Problem("COLLECT_FORK", context=context)


def parents_of(row: Row) -> list[Key]:
    """Return the ids a row names as its parents."""
    return [] if row[2] == "[]" else [(station, seq) for station, seq in json.loads(row[2])]


class Causal:
    """New rows put in an order in which parents come before children; those without all parents stay waiting.

    `villages`: ids that are here -> their village, for every parent the rows name; `waiting_for(id)`: parked rows that
    wait for an id, or None where nothing is parked; `villages_of(rows)`: the same as `villages` for released rows.
    After `ready()`: `released` ids of parked rows that must leave the parking, `moves` position in the result ->
    villages that the record came from, `waiting` missing id -> rows.
    """

    def __init__(
        self,
        villages: dict[Key, str],
        waiting_for: Callable[[Key], list[Row]] | None,
        villages_of: Callable[[Iterable[Row]], dict[Key, str]],
    ) -> None:
        self._villages, self._waiting_for, self._villages_of = villages, waiting_for, villages_of
        self.waiting: dict[Key, list[Row]] = {}
        self.released: list[Key] = []
        self.moves: dict[int, set[str]] = {}

    def ready(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows that can be applied, with the parked ones they release."""
        result: list[Row] = []
        for row in rows:
            stack = [row]
            while stack:
                given = stack.pop()
                if self._place(given, result):
                    stack.extend(reversed(self._freed((given[0], given[1]))))
        return result

    def _place(self, row: Row, result: list[Row]) -> bool:
        """Append a row whose parents are all here; else let it wait for the first that is not."""
        if row[2] != "[]":
            came_from = set()
            for parent in parents_of(row):
                if parent not in self._villages:
                    self.waiting.setdefault(parent, []).append(row)
                    return False
                came_from.add(self._villages[parent])
            if came_from - {row[10]}:
                self.moves[len(result)] = came_from - {row[10]}
        self._villages[(row[0], row[1])] = row[10]
        result.append(row)
        return True

    def _freed(self, key: Key) -> list[Row]:
        """The rows that waited for an id that is here now."""
        freed = self.waiting.pop(key, [])
        if self._waiting_for is not None:
            parked = self._waiting_for(key)
            self.released.extend((row[0], row[1]) for row in parked)
            self._villages = {**self._villages_of(parked), **self._villages} if parked else self._villages
            freed += parked
        return freed
