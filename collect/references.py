"""References: which records hold which blobs, and what a station's hubs have of them; found in the journal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from collect.blobs import Blobs, is_name
from collect.database import Connection, Connections, transaction
from collect.revision import Revision

if TYPE_CHECKING:
    from collect.drafts import Drafts
    from collect.journal import Journal
    from collect.projection import Projection
    from forms.problems import Problem

MEDIA: frozenset[str] = frozenset({"image", "audio", "video", "file", "background-audio"})
SCHEMA = (
    """
    CREATE TABLE reference (
        name TEXT NOT NULL, "table" TEXT NOT NULL, record TEXT NOT NULL, village TEXT NOT NULL,
        PRIMARY KEY (name, "table", record)
    ) WITHOUT ROWID;
    CREATE INDEX reference_record ON reference (record);
    CREATE INDEX reference_village ON reference (village, name);
    CREATE TABLE confirmed (hub TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (hub, name)) WITHOUT ROWID;
    CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
)
_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Stock:
    """Blobs in numbers: those referenced by records, of these the ones here and lacking, those here that nobody needs.

    `size`: bytes of what is here; `unused`: names (digests) no record and no draft refers to.
    """

    referenced: int
    here: int
    lacking: tuple[str, ...]
    unused: tuple[str, ...]
    size: int


class References:
    """`blobs.db`: made from the journal when it is asked, and again where it is missing.

    A reference is kept as long as the journal holds the revision: also a photo that was replaced is part of what was
    saved. Its village is where the record is now.
    """

    def __init__(
        self, path: Path, journal: Journal, projection: Projection, blobs: Blobs, drafts: Drafts, *,
        readonly: bool = False,
    ) -> None:  # fmt: skip
        self._connections = Connections(path, SCHEMA)
        self._journal, self._projection, self._blobs, self._drafts = journal, projection, blobs, drafts
        self._path, self._readonly = path, readonly

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    @property
    def _db(self) -> Connection:
        return self._connections.here

    def tables(self) -> tuple[str, ...]:
        """Return the ledgers that have a question for a photo or a file, in any version, by every name they had."""
        ledgers = self._projection.ledgers.values()
        return tuple(
            sorted(
                name
                for each in ledgers
                if any(c.question.type in MEDIA for c in each.table.columns)
                for name in each.names
            )
        )

    def catch_up(self) -> bool:
        """Read what the journal has more than is known here; return whether any ledger can hold blobs at all."""
        tables = self.tables()
        if not tables:
            return False
        with transaction(self._db):
            known, cursor = self._notes()
            if known != tables:
                cursor = 0  # a new version asks for photos: its ledger is read from the beginning
                self._db.execute("DELETE FROM reference")
            arrived = self._journal.arrived()
            while cursor < arrived:
                found = self._journal.since(cursor, limit=_BATCH)
                self._note([each.revision for each in found if each.revision.table in tables])
                cursor = found[-1].number if found else arrived
            for key, value in (("tables", json.dumps(tables)), ("cursor", str(cursor))):
                self._db.execute("INSERT OR REPLACE INTO note (key, value) VALUES (?, ?)", (key, value))
        return True

    def _notes(self) -> tuple[tuple[str, ...], int]:
        notes = dict(self._db.rows("SELECT key, value FROM note"))
        return tuple(json.loads(notes.get("tables", "[]"))), int(notes.get("cursor", 0))

    def _note(self, revisions: Iterable[Revision]) -> None:
        for each in revisions:
            for name in {str(value) for value in each.changes.values() if is_name(value)}:
                self._db.execute(
                    'INSERT OR IGNORE INTO reference (name, "table", record, village) VALUES (?, ?, ?, ?)',
                    (name, each.table, each.record, each.village),
                )
            self._db.execute(
                "UPDATE reference SET village = ? WHERE record = ? AND village <> ?",
                (each.village, each.record, each.village),
            )

    def names(self, villages: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the names of all blobs that records (of these villages) refer to, and those that forms show."""
        shown = self.of_forms()
        if not self.catch_up():
            return tuple(sorted(shown))
        scope = None if villages is None else json.dumps(sorted(villages))
        rows = self._db.rows(
            "SELECT DISTINCT name FROM reference WHERE ?1 IS NULL OR village IN (SELECT value FROM json_each(?1)) "
            "ORDER BY name",
            (scope,),
        )
        return tuple(sorted(shown.union(name for (name,) in rows)))

    def of_forms(self) -> frozenset[str]:
        """Return the blobs that labels and choices of forms show; they are every village's."""
        return frozenset(name for files in self._journal.form_media().values() for name in files.values())

    def villages_of(self, name: str) -> frozenset[str]:
        """Return the villages whose records refer to a blob."""
        if not self.catch_up():
            return frozenset()
        return frozenset(village for (village,) in self._db.rows(
            "SELECT DISTINCT village FROM reference WHERE name = ?", (name,)
        ))  # fmt: skip

    def of_records(self, records: Collection[str]) -> tuple[str, ...]:
        """Return the blobs that only these records refer to."""
        self.catch_up()
        wanted = json.dumps(sorted(records))
        rows = self._db.rows(
            "SELECT DISTINCT name FROM reference WHERE record IN (SELECT value FROM json_each(?1)) AND name NOT IN "
            "(SELECT name FROM reference WHERE record NOT IN (SELECT value FROM json_each(?1)))",
            (wanted,),
        )
        return tuple(name for (name,) in rows)

    def lacking(self, villages: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the blobs that records (of these villages) refer to and that are not here."""
        return tuple(name for name in self.names(villages) if not self._blobs.has(name))

    # ---- what a hub has confirmed

    def unconfirmed(self, hub: str, villages: Collection[str] | None) -> tuple[str, ...]:
        """Return the blobs (of these villages) that are here and that a hub has not said it has."""
        names = self.names(villages)
        if not names:
            return ()
        known = {name for (name,) in self._db.rows("SELECT name FROM confirmed WHERE hub = ?", (hub,))}
        return tuple(name for name in names if name not in known and self._blobs.has(name))

    def confirm(self, hub: str, names: Iterable[str]) -> None:
        """Keep that a hub has these blobs."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR IGNORE INTO confirmed (hub, name) VALUES (?, ?)", ((hub, name) for name in names)
            )

    def doubt(self, hub: str, names: Iterable[str] | None = None) -> None:
        """Forget that a hub has these blobs, or any: it was put back from an older copy."""
        with transaction(self._db):
            if names is None:
                self._db.execute("DELETE FROM confirmed WHERE hub = ?", (hub,))
            else:
                self._db.executemany(
                    "DELETE FROM confirmed WHERE hub = ? AND name = ?", ((hub, name) for name in names)
                )

    # ---- erasing and checking

    def start_over(self) -> None:
        """Read the journal from its beginning at the next question: records came back that had left."""
        with transaction(self._db):
            self._db.execute("DELETE FROM note WHERE key = 'cursor'")

    def forget(self, records: Collection[str], drafted: Collection[str] = ()) -> None:
        """Remove the blobs of erased records that nobody else refers to; again changes nothing.

        `drafted`: blobs of drafts that went with the records.
        """
        if not self.tables() and not drafted:
            return
        used = self._drafts.blobs() | self.of_forms()
        wanted = json.dumps(sorted(records))
        others = {name for (name,) in self._db.rows(
            "SELECT DISTINCT name FROM reference WHERE record NOT IN (SELECT value FROM json_each(?))", (wanted,)
        )}  # fmt: skip
        own = {name for (name,) in self._db.rows(
            "SELECT DISTINCT name FROM reference WHERE record IN (SELECT value FROM json_each(?))", (wanted,)
        )}  # fmt: skip
        for name in (own | set(drafted)) - others - used:
            self._blobs.remove(name)
        with transaction(self._db):
            self._db.execute("DELETE FROM reference WHERE record IN (SELECT value FROM json_each(?))", (wanted,))

    def stock(self) -> Stock:
        """Count what is here, lacking and unused."""
        names = self.names()
        here = dict(self._blobs.digests())
        needed = {name.partition(".")[0] for name in (*names, *self._drafts.blobs())}
        lacking = tuple(name for name in names if name.partition(".")[0] not in here)
        unused = tuple(digest for digest in here if digest not in needed)
        return Stock(len(names), len(names) - len(lacking), lacking, unused, sum(here.values()))

    def problems(self) -> Iterator[Problem]:
        """Read every blob and yield what is wrong: missing ones that a record refers to, damaged ones."""
        if self._readonly and not self._path.exists():
            return
        checked = set()
        for name in self.names():
            found = self._blobs.check(name)
            checked.add(name.partition(".")[0])
            if found is not None:
                yield found
        for digest, _ in self._blobs.digests():
            if digest not in checked and (found := self._blobs.check(f"{digest}.bin")) is not None:
                yield found
