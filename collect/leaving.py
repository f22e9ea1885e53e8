"""Leaving: what is no longer of a laptop's villages leaves it, once its hub holds all that was saved here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collect import forgetting
from collect.families import merged_record
from collect.merge import Merged, merge
from collect.revision import PARENT

if TYPE_CHECKING:
    from collect.station import Station

Key = tuple[str, str]  # table, record


@dataclass(frozen=True, slots=True)
class Left:
    """What left: records and rows; and the topmost records that have to leave and can't yet."""

    records: tuple[Key, ...] = ()
    kept: tuple[Key, ...] = ()


def leave(station: Station, *, confirmed: int, unconfirmed_blobs: Collection[str] = ()) -> Left:
    """Let every household (with its rows, photos and search keys) go that is in none of the station's villages now.

    Rows go with it that are elsewhere too: one whose author had not heard of the move is, until the hub lets it follow
    (`collect.following`), and may have come to belong to another household meanwhile. A household stays as long as
    anything of it is here only: a save after number `confirmed`, a photo among `unconfirmed_blobs`, a draft, a revision
    that waits for another. Should it, or its village, come back, the hub sends it from its beginning.
    """
    scope = {village.code for village in station.villages}
    work = _Leaving(station, scope, confirmed, frozenset(unconfirmed_blobs))
    going, kept = list[Key](), list[Key]()
    for root in work.roots(station.projection.outside(scope)) if scope else ():
        family = tuple(work.family(root))
        if work.may_go(family):
            going += family
        else:
            kept.append(root)
    going += work.late()
    if going:
        records = [record for _, record in going]
        station.references.catch_up()
        station.references.forget(records)
        station.drafts.forget(records)
        station.journal.let_go(going)
        station.catch_up()
        forgetting.scrub(station)
    return Left(tuple(going), tuple(kept))


@dataclass(slots=True)
class _Leaving:
    station: Station
    scope: Collection[str]
    confirmed: int
    unconfirmed_blobs: frozenset[str]

    def merged(self, key: Key) -> Merged | None:
        """What a record comes to; None where its ledger is unknown here or nothing of it is here."""
        ledger = self.station.projection.ledgers.of(key[0])
        return None if ledger is None else merged_record(self.station.journal, ledger, key[1])

    def roots(self, strangers: Iterable[Key]) -> Iterator[Key]:
        """Yield the topmost records of these, each once, that are in none of the station's villages."""
        seen: set[Key] = set()
        for key in strangers:
            root = self.top(key)
            if root not in seen:
                seen.add(root)
                merged = self.merged(root)
                if merged is not None and not merged.erased and merged.village not in self.scope:
                    yield root

    def top(self, key: Key) -> Key:
        """The topmost record above one that is here."""
        ledgers = self.station.projection.ledgers
        key = ledgers.current(key[0]), key[1]
        above = {key}
        while True:
            merged, ledger = self.merged(key), ledgers.get(key[0])
            parent = merged.fields.get(PARENT) if merged is not None else None
            if ledger is None or not ledger.parent or not isinstance(parent, str):
                return key
            further = (ledger.parent, parent)
            if further in above or self.merged(further) is None:
                return key
            above.add(further)
            key = further

    def late(self) -> Iterator[Key]:
        """Yield what left and of which something came since, by somebody who had not heard that it moved."""
        for table, record in self.station.journal.elsewhere.late():
            merged = merge(self.station.journal.headers(record))
            if merged is not None and merged.village not in self.scope:
                yield table, record

    def family(self, key: Key) -> Iterator[Key]:
        """A record and every row below it that is in none of the villages, deleted ones too."""
        merged, projection = self.merged(key), self.station.projection
        if merged is not None and merged.village not in self.scope:
            yield key
        for child in projection.children(key[0]):
            rows = [str(row["_id"]) for row in projection.rows(child.name, "_parent", key[1])]
            for record in (*rows, *projection.hidden_below(child.name, key[1])):
                yield from self.family((child.name, record))

    def may_go(self, family: Collection[Key]) -> bool:
        """Whether nothing of a family is here only."""
        station, records = self.station, {record for _, record in family}
        if any(draft.record in records for draft in station.drafts.list()):
            return False
        for _, record in family:
            own = (each.id.seq for each in station.journal.of_record(record) if each.id.station == station.id)
            if max(own, default=0) > self.confirmed or station.journal.elsewhere.parked(record):
                return False
        if not self.unconfirmed_blobs:
            return True
        return not self.unconfirmed_blobs.intersection(station.references.of_records(records))
