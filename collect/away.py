"""Records that left a station's scope: their payload leaves its journal, their digests stay, and they can come back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from collect.chain import Row
from collect.database import Connection, version

Key = tuple[str, str]  # table, record
# `here`: whether all of it has come back; `number` grows with every leaving and every return.
SCHEMA = """
    CREATE TABLE away (
        number INTEGER PRIMARY KEY AUTOINCREMENT, "table" TEXT NOT NULL, record TEXT NOT NULL UNIQUE,
        here INTEGER NOT NULL
    );
    DROP TRIGGER revision_is_immutable;
    CREATE TRIGGER revision_is_immutable BEFORE UPDATE ON revision
    WHEN NEW.arrival IS NOT OLD.arrival OR NEW.station IS NOT OLD.station
        OR (NEW.changes IS NOT NULL AND (OLD.changes IS NOT NULL
            OR NOT EXISTS (SELECT 1 FROM away WHERE away.record = OLD.record AND NOT here)))
        OR NEW.seq IS NOT OLD.seq OR NEW.parents IS NOT OLD.parents OR NEW.time IS NOT OLD.time
        OR NEW.author IS NOT OLD.author OR NEW.save IS NOT OLD.save OR NEW.form IS NOT OLD.form
        OR NEW.version IS NOT OLD.version OR NEW."table" IS NOT OLD."table" OR NEW.record IS NOT OLD.record
        OR NEW.village IS NOT OLD.village OR NEW.changes_digest IS NOT OLD.changes_digest
        OR NEW.previous IS NOT OLD.previous OR NEW.digest IS NOT OLD.digest
    BEGIN SELECT raise(ABORT, 'revisions are immutable; only their changes may be erased by law, or leave'); END;
    """
_SINCE = 3  # the schema of journal.db that has it; an older one may have been opened to be read only
_NOTE = 'INSERT OR REPLACE INTO away ("table", record, here) VALUES (?, ?, ?)'


class Away:
    """What of a journal is not here, within the caller's transaction.

    A record that left has all its revisions here without their changes, so that this station's own chain, and what
    others' chains are known by, verify as before. It is back when every one of them has its changes again.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db

    def late(self) -> tuple[Key, ...]:
        """Return the records that are away and of which some revision has its changes: it came later."""
        rows = self._db.rows(
            'SELECT DISTINCT revision."table", record FROM away JOIN revision USING (record)'
            " WHERE NOT here AND changes IS NOT NULL AND record NOT IN (SELECT record FROM erased)"
        )
        return tuple((table, record) for table, record in rows)

    def parked(self, record: str) -> bool:
        """Return whether a revision of a record waits for others."""
        return self._db.value("SELECT 1 FROM parked WHERE record = ?", (record,)) is not None

    def let_go(self, keys: Iterable[Key]) -> None:
        """Remove the changes of these records' revisions, and note that they are away."""
        given = tuple(keys)
        self._db.executemany(_NOTE, ((*key, 0) for key in given))
        self._db.executemany(
            "UPDATE revision SET changes = NULL WHERE record = ? AND changes IS NOT NULL", ((key[1],) for key in given)
        )

    def take_back(self, rows: Iterable[Row]) -> tuple[Key, ...]:
        """Give revisions that are here without their changes these back; return the records that are whole again."""
        away = {record for (record,) in self._db.rows("SELECT record FROM away WHERE NOT here")}
        given = [row for row in rows if row[11] is not None and row[9] in away] if away else []
        self._db.executemany(
            "UPDATE revision SET changes = ? WHERE station = ? AND seq = ? AND changes IS NULL",
            ((row[11], row[0], row[1]) for row in given),
        )
        whole = tuple(key for key in {(row[8], row[9]): None for row in given} if not self._lacks(key[1]))
        self._db.executemany(_NOTE, ((*key, 1) for key in whole))
        return whole

    def _lacks(self, record: str) -> bool:
        return self._db.value("SELECT 1 FROM revision WHERE record = ? AND changes IS NULL", (record,)) is not None

    def is_away(self, record: str) -> bool:
        """Return whether a record left and has not come back."""
        sql = "SELECT 1 FROM away WHERE record = ? AND NOT here"
        return version(self._db) >= _SINCE and self._db.value(sql, (record,)) is not None

    def after(self, number: int) -> tuple[tuple[int, Key], ...]:
        """Return what left or came back after a number: (number, (table, record)), in order."""
        if version(self._db) < _SINCE:
            return ()
        rows = self._db.rows('SELECT number, "table", record FROM away WHERE number > ? ORDER BY number', (number,))
        return tuple((at, (table, record)) for at, table, record in rows)

    def first_of(self, station: str, villages: Collection[str]) -> int:
        """Return the lowest number of a station's revisions in these villages that left, 0 where there is none."""
        found = self._db.value(
            "SELECT min(seq) FROM away JOIN revision USING (record) WHERE NOT here AND station = ? AND changes IS NULL"
            " AND village IN (SELECT value FROM json_each(?))",
            (station, json.dumps(sorted(villages))),
        )
        return int(found or 0)
