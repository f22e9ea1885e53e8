"""The journal: every revision ever saved here or received, append-only, numbered and chained; the one truth."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from collect import away, parking, restored
from collect.away import Away
from collect.chain import (
    COLUMNS,
    Causal,
    JournalError,
    Key,
    Link,
    Row,
    broken,
    digests,
    distinct,
    faults,
    parents_of,
    revision_of,
    row_of,
)
from collect.database import Connection, Connections, scrub, transaction, version
from collect.definitions import Definition, Definitions
from collect.erasing import Erasing
from collect.hlc import followed, tick
from collect.parking import Parking
from collect.revision import ERASED, Revision, RevisionId, Value
from forms.clock import Clock
from forms.definition import Form
from forms.problems import Place, Problem

SCHEMA = (
    """
    CREATE TABLE revision (
        arrival INTEGER PRIMARY KEY,
        station TEXT NOT NULL,
        seq INTEGER NOT NULL,
        parents TEXT NOT NULL,
        time INTEGER NOT NULL,
        author TEXT NOT NULL,
        save TEXT NOT NULL,
        form TEXT NOT NULL,
        version TEXT NOT NULL,
        "table" TEXT NOT NULL,
        record TEXT NOT NULL,
        village TEXT NOT NULL,
        changes TEXT,
        changes_digest BLOB NOT NULL,
        previous BLOB NOT NULL,
        digest BLOB NOT NULL,
        UNIQUE (station, seq)
    );
    CREATE INDEX revision_record ON revision (record);
    CREATE TRIGGER revision_stays BEFORE DELETE ON revision
    BEGIN SELECT raise(ABORT, 'revisions are never deleted'); END;
    CREATE TRIGGER revision_is_immutable BEFORE UPDATE ON revision
    WHEN NEW.changes IS NOT NULL OR NEW.arrival IS NOT OLD.arrival OR NEW.station IS NOT OLD.station
        OR NEW.seq IS NOT OLD.seq OR NEW.parents IS NOT OLD.parents OR NEW.time IS NOT OLD.time
        OR NEW.author IS NOT OLD.author OR NEW.save IS NOT OLD.save OR NEW.form IS NOT OLD.form
        OR NEW.version IS NOT OLD.version OR NEW."table" IS NOT OLD."table" OR NEW.record IS NOT OLD.record
        OR NEW.village IS NOT OLD.village OR NEW.changes_digest IS NOT OLD.changes_digest
        OR NEW.previous IS NOT OLD.previous OR NEW.digest IS NOT OLD.digest
    BEGIN SELECT raise(ABORT, 'revisions are immutable; only their changes may be erased, by law'); END;
    CREATE TABLE parked (
        station TEXT NOT NULL,
        seq INTEGER NOT NULL,
        parents TEXT NOT NULL,
        time INTEGER NOT NULL,
        author TEXT NOT NULL,
        save TEXT NOT NULL,
        form TEXT NOT NULL,
        version TEXT NOT NULL,
        "table" TEXT NOT NULL,
        record TEXT NOT NULL,
        village TEXT NOT NULL,
        changes TEXT,
        changes_digest BLOB NOT NULL,
        previous BLOB NOT NULL,
        digest BLOB NOT NULL,
        missing_station TEXT NOT NULL,
        missing_seq INTEGER NOT NULL,
        PRIMARY KEY (station, seq)
    ) WITHOUT ROWID;
    CREATE INDEX parked_missing ON parked (missing_station, missing_seq);
    CREATE TABLE head (
        record TEXT NOT NULL,
        "table" TEXT NOT NULL,
        station TEXT NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (record, "table", station, seq)
    ) WITHOUT ROWID;
    CREATE TABLE move (arrival INTEGER NOT NULL, village TEXT NOT NULL, PRIMARY KEY (arrival, village)) WITHOUT ROWID;
    CREATE TABLE held (station TEXT PRIMARY KEY, seq INTEGER NOT NULL, latest INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE form (
        form_id TEXT NOT NULL,
        version TEXT NOT NULL,
        xform TEXT NOT NULL,
        rows TEXT NOT NULL,
        digest TEXT NOT NULL,
        added_at TEXT NOT NULL,
        PRIMARY KEY (form_id, version)
    ) WITHOUT ROWID;
    """,
    'CREATE TABLE erased (number INTEGER PRIMARY KEY, "table" TEXT NOT NULL, record TEXT NOT NULL UNIQUE);',
    away.SCHEMA,
    parking.SCHEMA,
)
_INSERT = f"INSERT INTO revision ({COLUMNS}) VALUES ({', '.join('?' * 15)})"  # noqa: S608
_PARK = f"INSERT INTO parked ({COLUMNS}, missing_station, missing_seq) VALUES ({', '.join('?' * 17)})"  # noqa: S608
_CHUNK = 500
_RECENT = 100_000  # revisions among which the last saves are looked for


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision as its author leaves it, before it is numbered and chained; fields as in `Revision`.

    `parents`: the heads the author saw, or None for those of this moment.
    """

    table: str
    record: str
    form: str
    version: str
    village: str
    changes: Mapping[str, Value]
    author: str
    save: str
    parents: tuple[RevisionId, ...] | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of revisions handed in: how many were new, known already, parked, and released by the new ones.

    `back`: how many records that had left are whole again.
    """

    new: int
    known: int
    parked: int = 0
    released: int = 0
    back: int = 0


class Arrival(NamedTuple):
    """A revision with its arrival number: parents always arrive before their children."""

    number: int
    revision: Revision


class Journal:
    """The only door to `journal.db`; everything it takes is committed when a method returns."""

    def __init__(self, path: Path, station: str, clock: Clock, *, readonly: bool = False) -> None:
        self.station, self.clock, self.path = station, clock, path
        self._connections = Connections(path, SCHEMA, readonly=readonly, durable=True)
        self._latest: tuple[Arrival, ...] = ()

    @property
    def _db(self) -> Connection:
        return self._connections.here

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    # ---- writing

    def write(self, entries: Iterable[Entry]) -> tuple[Revision, ...]:
        """Number, chain and append what this station's people saved, in one transaction; return the revisions.

        Raises JournalError, DatabaseError, LockedError; then nothing is written.
        """
        restored.check(self.path.parent)
        with transaction(self._db):
            seq, previous, last = self._own_end()
            seen = int(
                self._db.value(
                    "SELECT coalesce(max(latest), 0) FROM held WHERE latest <= ?", (followed(self.clock.now()),)
                )
            )
            written: list[Revision] = []
            rows: list[Row] = []
            heads: dict[tuple[str, str], tuple[RevisionId, ...]] = {}
            for entry in entries:
                key = entry.table, entry.record
                parents = entry.parents
                if parents is None:
                    parents = heads[key] if key in heads else self.heads(entry.record, (entry.table,))
                seq += 1
                last = tick(self.clock.now(), last, seen)
                revision = Revision(
                    id=RevisionId(self.station, seq), parents=tuple(sorted(parents)), time=last, author=entry.author,
                    save=entry.save, form=entry.form, version=entry.version, table=entry.table, record=entry.record,
                    village=entry.village, changes=dict(entry.changes), previous=previous,
                )  # fmt: skip
                row = row_of(revision)
                previous = row[-1].hex()
                heads[key] = (revision.id,)
                written.append(revision)
                rows.append(row)
            self._add(rows, {each.id: each for each in written})
        return tuple(written)

    def append(self, revisions: Iterable[Revision], *, contiguous: bool = False) -> Appended:
        """Append revisions of other stations; those that are here already change nothing.

        A revision whose parents are not here is parked, kept, and released when they come. `contiguous`: a gap in
        front of any station's revisions is refused. Raises JournalError (COLLECT_FORK, COLLECT_CHAIN_BROKEN,
        COLLECT_CHAIN_GAP, COLLECT_REVISION_FAULTY) with every fault; then nothing is appended.
        """
        given = tuple(revisions)
        rows = distinct(given)
        with transaction(self._db):
            held = self._links_around(rows)
            problems = list(faults(rows, held, contiguous=contiguous))
            if problems:
                raise JournalError(problems)
            fresh = [row for key, row in rows.items() if key not in held]
            parked, released = self._add(fresh, {each.id: each for each in given})
            # What is here with its payload may have been erased meanwhile where it comes from.
            self._erase([r for key, r in rows.items() if key in held and r[11] is None and not self.is_erased(r[9])])
            back = Away(self._db).take_back(rows.values())
        return Appended(len(fresh), len(rows) - len(fresh), parked, released, len(back))

    def let_go(self, keys: Iterable[tuple[str, str]]) -> None:
        """Let the content of these records (table, record) leave; their revisions stay, and may be given it again."""
        with transaction(self._db):
            Away(self._db).let_go(keys)
            self._latest = ()

    def _own_end(self) -> tuple[int, str, int]:
        """This station's last number, its digest, and its time."""
        row = self._db.execute(
            "SELECT seq, digest, time FROM revision WHERE station = ? ORDER BY seq DESC LIMIT 1", (self.station,)
        ).fetchone()
        return (0, "", 0) if row is None else (row[0], row[1].hex(), row[2])

    def _add(self, rows: list[Row], known: Mapping[RevisionId, Revision]) -> tuple[int, int]:
        """Store new rows, parents before children; return how many were parked and how many released.

        `known`: the revisions of the rows, remembered for whoever reads them next.
        """
        if not rows:
            return 0, 0
        anything_parked = self._db.value("SELECT 1 FROM parked LIMIT 1") is not None
        queue = Causal(self._villages_of(rows), self._parked_for if anything_parked else None, self._villages_of)
        ready = queue.ready(rows)
        first = int(self._db.value("SELECT coalesce(max(arrival), 0) FROM revision")) + 1
        self._db.executemany(_INSERT, ready)
        self._db.executemany(
            'INSERT INTO head (record, "table", station, seq) VALUES (?, ?, ?, ?)',
            ((row[9], row[8], row[0], row[1]) for row in ready),
        )
        self._db.executemany(
            # Its table may have had another name then: a renamed repeat.
            "DELETE FROM head WHERE record = ? AND station = ? AND seq = ?",
            ((row[9], *parent) for row in ready for parent in parents_of(row)),
        )
        self._db.executemany(
            "INSERT INTO move (arrival, village) VALUES (?, ?)",
            ((first + at, village) for at, villages in queue.moves.items() for village in villages),
        )
        self._db.executemany("DELETE FROM parked WHERE station = ? AND seq = ?", queue.released)
        parked = [(*row, *missing) for missing, waiting in queue.waiting.items() for row in waiting]
        self._db.executemany(_PARK, parked)
        if parked or queue.released:
            self.parking.note(parked, self.clock.now().isoformat(timespec="seconds"))
        self._count_held(rows)
        if not queue.released:
            arrived = (known[RevisionId(row[0], row[1])] for row in ready)
            self._latest = tuple(Arrival(number, each) for number, each in enumerate(arrived, start=first))
        self._erase(rows, ready)
        again = {(row[0], row[1]) for row in parked}
        return len(again.difference(queue.released)), len(set(queue.released) - again)

    def _erase(self, rows: list[Row], arrived: Iterable[Row] = ()) -> None:
        """Let go of what rows just taken in erase by law, and of what they bring that was erased before."""
        erasing = Erasing(self._db)
        erasing.tell(arrived)
        if rows and erasing.follow(rows):
            self._latest = ()

    def _villages_of(self, rows: Iterable[Row]) -> dict[Key, str]:
        """The villages of those parents that are here already."""
        wanted = {parent for row in rows for parent in parents_of(row)}
        return {(station, seq): village for station, seq, village in self._numbered("village", wanted)}

    def _numbered(self, columns: str, wanted: Iterable[Any], table: str = "revision") -> Iterator[tuple[Any, ...]]:
        """Station, seq and `columns` of the wanted ids."""
        by_station: dict[str, list[int]] = {}
        for station, seq in wanted:
            by_station.setdefault(station, []).append(seq)
        for station, numbers in by_station.items():
            numbers.sort()
            for start in range(0, len(numbers), _CHUNK):
                part = numbers[start : start + _CHUNK]
                marks = ", ".join("?" * len(part))
                yield from self._db.rows(
                    f"SELECT station, seq, {columns} FROM {table} WHERE station = ? AND seq IN ({marks})",  # noqa: S608
                    (station, *part),
                )

    def _parked_for(self, key: Key) -> list[Row]:
        """The parked rows that wait for one revision."""
        return self._db.rows(
            f"SELECT {COLUMNS} FROM parked WHERE missing_station = ? AND missing_seq = ?",  # noqa: S608
            key,
        )

    def _links_around(self, keys: Iterable[Key]) -> dict[Key, Link]:
        """What is held of these numbers and of their neighbours in the chain."""
        numbers: dict[str, list[int]] = {}
        for station, seq in keys:
            numbers.setdefault(station, []).append(seq)
        dense = {each for each, given in numbers.items() if max(given) - min(given) <= 2 * len(given)}
        wanted = {(one, seq + step) for one in numbers.keys() - dense for seq in numbers[one] for step in (-1, 0, 1)}
        found: dict[Key, Link] = {}
        for table in ("revision", "parked"):
            links: list[Iterable[tuple[Any, ...]]] = [self._numbered("digest, previous", wanted, table)]
            for one in dense:
                links.append(self._between(one, min(numbers[one]) - 1, max(numbers[one]) + 1, table))
            for station, seq, digest, previous in chain.from_iterable(links):
                found[(station, seq)] = (digest, previous)
        return found

    def _between(self, station: str, first: int, last: int, table: str) -> list[tuple[Any, ...]]:
        """Station, seq, digest and previous of a run of numbers: what a station sends is mostly one."""
        sql = f"SELECT station, seq, digest, previous FROM {table} WHERE station = ? AND seq BETWEEN ? AND ?"  # noqa: S608
        return self._db.rows(sql, (station, first, last))

    def _count_held(self, rows: list[Row]) -> None:
        """Move each station's gapless maximum on as far as it goes."""
        for station in {row[0] for row in rows}:
            latest = max(row[3] for row in rows if row[0] == station)
            held = self._db.value("SELECT seq FROM held WHERE station = ?", (station,)) or 0
            for (seq,) in self._db.execute(
                "SELECT seq FROM revision WHERE station = ? AND seq > ? UNION ALL "
                "SELECT seq FROM parked WHERE station = ? AND seq > ? ORDER BY seq",
                (station, held, station, held),
            ):
                if seq != held + 1:
                    break
                held = seq
            self._db.execute(
                "INSERT INTO held (station, seq, latest) VALUES (?, ?, ?) ON CONFLICT (station) DO UPDATE "
                "SET seq = excluded.seq, latest = max(latest, excluded.latest)",
                (station, held, latest),
            )

    # ---- reading

    def since(
        self,
        arrival: int,
        *,
        villages: Collection[str] | None = None,
        limit: int | None = None,
        besides: RevisionId | None = None,
    ) -> tuple[Arrival, ...]:
        """Return what arrived after `arrival`, in order; at most about `limit` revisions.

        `villages`: only their revisions, the one that took a record out of them, and the whole earlier history of
        a record that came into them from elsewhere (numbered like the revision that brought it). An erasure goes to
        every village where the record ever was. `besides`: leave out what this station wrote up to this number, but for
        what took a record from one village to another.
        """
        latest = self._latest
        start = arrival + 1 - latest[0].number if latest else -1
        if start >= 0 and villages is None and besides is None and latest[-1].number == self.arrived():
            # What this process has just appended need not be read again.
            return latest[start : None if limit is None else start + limit]
        where = "arrival > ?"
        parameters: list[int | str] = [arrival]
        scope = json.dumps(sorted(villages)) if villages is not None else ""
        if villages is not None:
            where += (
                " AND (village IN (SELECT value FROM json_each(?)) OR arrival IN (SELECT arrival FROM move"
                " WHERE village IN (SELECT value FROM json_each(?))))"
            )
            parameters = [arrival, scope, scope]
        if besides is not None:
            where += " AND NOT (station = ? AND seq <= ? AND arrival NOT IN (SELECT arrival FROM move))"
            parameters += besides
        rows = self._db.rows(
            f"SELECT arrival, {COLUMNS} FROM revision WHERE {where} ORDER BY arrival LIMIT ?",  # noqa: S608
            (*parameters, -1 if limit is None else limit),
        )
        found = [Arrival(row[0], revision_of(row[1:])) for row in rows]
        return tuple(found if villages is None else self._with_history(found, set(villages)))

    def _with_history(self, found: list[Arrival], villages: set[str]) -> Iterator[Arrival]:
        """Put in front of a revision that brought its record from elsewhere what the record had been there."""
        moved: set[int] = set()
        for start in range(0, len(found), _CHUNK):
            part = [arrival.number for arrival in found[start : start + _CHUNK]]
            marks = ", ".join("?" * len(part))
            moved.update(
                number
                for (number,) in self._db.rows(f"SELECT arrival FROM move WHERE arrival IN ({marks})", part)  # noqa: S608
            )
        for number, revision in found:
            if number in moved and (revision.village in villages or ERASED in revision.changes):
                for earlier in self.of_record(revision.record, before=number):
                    yield Arrival(number, earlier)
            yield Arrival(number, revision)

    def suffix(self, station: str, after: int, *, limit: int | None = None) -> tuple[Revision, ...]:
        """Return what is held of a station after its number `after`, in its order, parked ones too."""
        rows = self._db.rows(
            f"SELECT {COLUMNS} FROM revision WHERE station = :station AND seq > :after UNION ALL "  # noqa: S608
            f"SELECT {COLUMNS} FROM parked WHERE station = :station AND seq > :after ORDER BY seq LIMIT :limit",
            {"station": station, "after": after, "limit": -1 if limit is None else limit},
        )
        return tuple(revision_of(row) for row in rows)

    def held(self) -> dict[str, int]:
        """Return, for each station, the number up to which everything it wrote is here."""
        return dict(self._db.rows("SELECT station, seq FROM held WHERE seq > 0"))

    def arrived(self) -> int:
        """Return the latest arrival number, 0 for an empty journal."""
        return int(self._db.value("SELECT coalesce(max(arrival), 0) FROM revision"))

    def heads(self, record: str, tables: Collection[str]) -> tuple[RevisionId, ...]:
        """Return the revisions of a record that nobody built on; `tables`: its table's name, and older ones it had."""
        sql = 'SELECT station, seq FROM head WHERE record = ? AND "table" IN (SELECT value FROM json_each(?))'
        return tuple(sorted(RevisionId(*row) for row in self._db.rows(sql, (record, json.dumps(sorted(tables))))))

    def of_record(
        self, record: str, tables: Collection[str] = (), *, before: int | None = None, upto: int | None = None
    ) -> tuple[Revision, ...]:
        """Return a record's revisions in order of arrival, those before or up to an arrival number if one is given.

        `tables`: only those that call its table one of these names. Of a record that left there are none.
        """
        away = self.elsewhere.is_away(record)
        return () if away else self.headers(record, tables, before=before, upto=upto)

    def headers(
        self, record: str, tables: Collection[str] = (), *, before: int | None = None, upto: int | None = None
    ) -> tuple[Revision, ...]:
        """Return a record's revisions as `of_record` does, also of one that left: without their changes."""
        latest = upto if upto is not None else before - 1 if before is not None else self.arrived()
        rows = self._db.rows(
            f"SELECT {COLUMNS} FROM revision WHERE record = ? AND arrival <= ? AND "  # noqa: S608
            '(?3 IS NULL OR "table" IN (SELECT value FROM json_each(?3))) ORDER BY arrival',
            (record, latest, json.dumps(sorted(tables)) if tables else None),
        )
        return tuple(revision_of(row) for row in rows)

    def written(self, record: str, tables: Collection[str]) -> int:
        """Return how many revisions of a record are here, of those that call its table one of these names."""
        return int(self._db.value(
            'SELECT count(*) FROM revision WHERE record = ? AND "table" IN (SELECT value FROM json_each(?))',
            (record, json.dumps(sorted(tables))),
        ))  # fmt: skip

    def in_tables(self, tables: Collection[str], *, after: int, upto: int, limit: int) -> tuple[Arrival, ...]:
        """Return the revisions that name one of these tables, of those between two arrival numbers, in order."""
        rows = self._db.rows(
            f"SELECT arrival, {COLUMNS} FROM revision WHERE arrival > ? AND arrival <= ? AND "  # noqa: S608
            '"table" IN (SELECT value FROM json_each(?)) ORDER BY arrival LIMIT ?',
            (after, upto, json.dumps(sorted(tables)), limit),
        )
        return tuple(Arrival(row[0], revision_of(row[1:])) for row in rows)

    def of_save(self, save: str) -> tuple[Revision, ...]:
        """Return what this station wrote in one press of "save", in its order."""
        rows = self._db.rows(
            f"SELECT {COLUMNS} FROM revision WHERE station = ? AND save = ? ORDER BY seq",  # noqa: S608
            (self.station, save),
        )
        return tuple(revision_of(row) for row in rows)

    def presses(self, limit: int) -> tuple[tuple[str, str, int, int, Revision], ...]:
        """Return this station's last saves, newest first: id, author, time, number of records, first revision."""
        last = self._own_end()[0]
        found = self._db.rows(
            "SELECT save, author, max(time), count(DISTINCT record), min(seq) FROM revision "
            "WHERE station = ? AND seq > ? GROUP BY save ORDER BY max(seq) DESC LIMIT ?",
            (self.station, last - _RECENT, limit),
        )
        return tuple((*row[:4], self.suffix(self.station, row[4] - 1, limit=1)[0]) for row in found)

    def digest(self, station: str, seq: int) -> str:
        """Return the digest of a station's revision with that number, "" where it is not held."""
        found = self._links_around([(station, seq)]).get((station, seq))
        return "" if found is None else found[0].hex()

    def erased(self, *, after: int = 0) -> tuple[tuple[int, tuple[str, str]], ...]:
        """Return what was erased by law after an erasure's number: (number, (table, record)), in order."""
        if version(self._db) < len(SCHEMA):  # written by an older program, and opened to be read only
            return ()
        rows = self._db.rows('SELECT number, "table", record FROM erased WHERE number > ? ORDER BY number', (after,))
        return tuple((number, (table, record)) for number, table, record in rows)

    def is_erased(self, record: str) -> bool:
        """Return whether a record was erased by law."""
        return self._db.value("SELECT 1 FROM erased WHERE record = ?", (record,)) is not None

    @property
    def elsewhere(self) -> Away:
        """What left this journal, to be asked only (`let_go` and `append` change it)."""
        return Away(self._db)

    @property
    def parking(self) -> Parking:
        """What waits in this journal for earlier revisions, to be asked only."""
        return Parking(self._db)

    def scrub(self) -> None:
        """Write the file anew, so that nothing of what was erased is left in it; raises LockedError, DatabaseError."""
        scrub(self._db)

    def parked(self) -> tuple[Revision, ...]:
        """Return the revisions that wait for parents, by station and number."""
        rows = self._db.rows(f"SELECT {COLUMNS} FROM parked ORDER BY station, seq")  # noqa: S608
        return tuple(revision_of(row) for row in rows)

    def count(self) -> dict[str, int]:
        """Return how many revisions of each station are here, parked ones too."""
        return dict(
            self._db.rows(
                "SELECT station, sum(n) FROM (SELECT station, count(*) AS n FROM revision GROUP BY station UNION ALL "
                "SELECT station, count(*) FROM parked GROUP BY station) GROUP BY station"
            )
        )

    # ---- forms

    def add_form(self, form: Form | Definition) -> bool:
        """Keep a form's definition; return whether it is new.

        Raises JournalError (COLLECT_FORM_CHANGED) for another definition under a form id and version that are here.
        """
        with transaction(self._db):
            return Definitions(self._db).add(form, self.clock.now().isoformat())

    def add_forms(self, forms: Iterable[Form | Definition]) -> tuple[bool, ...]:
        """Keep several definitions, all or none; return which are new. Raises JournalError with every fault."""
        new, problems = list[bool](), list[Problem]()
        with transaction(self._db):
            for form in forms:
                try:
                    new.append(self.add_form(form))
                except JournalError as error:
                    problems += error.problems
            if problems:
                raise JournalError(problems)
        return tuple(new)

    def forms(self) -> tuple[Definition, ...]:
        """Return every form definition, by form id and version."""
        return Definitions(self._db).all()

    def form_media(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return the media of every definition that has any: form id and version -> file name -> blob."""
        return Definitions(self._db).media()

    def form_keys(self) -> tuple[tuple[str, str, str], ...]:
        """Return form id, version and digest of every definition."""
        return Definitions(self._db).keys()

    # ---- checking

    def check(self) -> Iterator[Problem]:
        """Read the whole journal and yield what is wrong: the file, digests, chains, gaps of this station."""
        for (line,) in self._db.rows("PRAGMA integrity_check"):
            if line != "ok":
                yield self._problem("COLLECT_DATABASE_CORRUPT", detail=line)
        last_station, last_seq, last_digest = "", 0, b""
        for row in self._db.execute(
            f"SELECT {COLUMNS} FROM revision UNION ALL SELECT {COLUMNS} FROM parked ORDER BY station, seq"  # noqa: S608
        ):
            station, seq = row[0], row[1]
            if station != last_station:
                last_seq, last_digest = 0, b""
            if digests(row) != (row[12], row[14]):
                yield self._problem("COLLECT_DIGEST_WRONG", revision=f"{station}:{seq}", record=row[9])
            if seq == last_seq + 1 and row[13] != last_digest:
                yield broken(station, seq)
            if seq != last_seq + 1 and station == self.station:
                yield self._problem("COLLECT_CHAIN_GAP", station=station, first=last_seq + 1, last=seq - 1)
            last_station, last_seq, last_digest = station, seq, row[14]

    def _problem(self, code: str, **context: Any) -> Problem:
        return Problem(code, Place(file=str(self.path)), context)
