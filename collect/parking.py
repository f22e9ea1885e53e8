"""Parking: revisions that wait in a journal for an earlier one that has not come, since when and for which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from collect.chain import COLUMNS, Row, revision_of
from collect.database import Connection, version
from collect.revision import Revision, RevisionId

SCHEMA = """
    CREATE TABLE parked_since (
        station TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (station, seq)
    ) WITHOUT ROWID;
    """
_SINCE = 4  # the schema of journal.db that has it; an older one may have been opened to be read only


@dataclass(frozen=True, slots=True)
class Parked:
    """A revision that waits, the one it waits for, and since when (ISO 8601; "" where nobody noted it)."""

    revision: Revision
    missing: RevisionId
    since: str


class Parking:
    """What of a journal waits, within the caller's transaction."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def note(self, rows: Iterable[Row], at: str) -> None:
        """Note since when rows are parked, and forget those that are not any more."""
        self._db.executemany(
            "INSERT OR IGNORE INTO parked_since (station, seq, at) VALUES (?, ?, ?)",
            ((row[0], row[1], at) for row in rows),
        )
        self._db.execute(
            "DELETE FROM parked_since WHERE NOT EXISTS (SELECT 1 FROM parked WHERE parked.station = "
            "parked_since.station AND parked.seq = parked_since.seq)"
        )

    def count(self) -> int:
        """Return how many revisions wait."""
        return int(self._db.value("SELECT count(*) FROM parked"))

    def all(self, *, limit: int) -> tuple[Parked, ...]:
        """Return what waits, by what it waits for, then by station and number; `limit`: at most so many."""
        rows = self._db.rows(
            f"SELECT {COLUMNS}, missing_station, missing_seq FROM parked "  # noqa: S608
            "ORDER BY missing_station, missing_seq, station, seq LIMIT ?",
            (limit,),
        )
        noted = version(self._db) >= _SINCE
        since = self._db.rows("SELECT station, seq, at FROM parked_since") if noted else []
        at = {(station, seq): moment for station, seq, moment in since}
        return tuple(
            Parked(revision_of(row[:-2]), RevisionId(*row[-2:]), at.get((row[0], row[1]), "")) for row in rows
        )
