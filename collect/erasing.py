"""Erasing by law: the payload of a record's revisions leaves the journal, their digests stay, the chain verifies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from collect.chain import Row
from collect.database import Connection
from collect.revision import ERASED, PARENT

Key = tuple[str, str]  # table, record
# What says who erased when and why stays: it holds the reason and nothing else.
_PAYLOAD = (
    "changes IS NOT NULL AND NOT (json_extract(changes, '$._erased') IS NOT NULL"
    " AND (SELECT count(*) FROM json_each(changes)) = 1)"
)
_HOLDERS = ("revision", "parked")


class Erasing:
    """The journal's erased records, within the caller's transaction.

    A record is erased once any revision of it says so, or came without its payload, or it is a row that ever belonged
    to an erased record. That is so in whatever order things arrive, also for what people write without knowing of it.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db

    def follow(self, rows: Sequence[Row]) -> bool:
        """Erase what rows that were just stored say or concern; return whether anything was."""
        known = {record for (record,) in self._db.rows("SELECT record FROM erased")}
        concerned = {(row[8], row[9]): None for row in rows if _erases(row) or row[9] in known or _below(row, known)}
        if not concerned:
            return False
        self._erase(concerned)
        return True

    def _erase(self, concerned: Iterable[Key]) -> None:
        """Note these records and every row below them as erased, and remove their payload."""
        frontier = list(concerned)
        while frontier:
            self._db.executemany('INSERT OR IGNORE INTO erased ("table", record) VALUES (?, ?)', frontier)
            below = self._rows_below([record for _, record in frontier])
            for holder in _HOLDERS:
                self._db.executemany(
                    f"UPDATE {holder} SET changes = NULL WHERE record = ? AND {_PAYLOAD}",  # noqa: S608
                    ((record,) for _, record in frontier),
                )
            frontier = below

    def _rows_below(self, records: list[str]) -> list[Key]:
        """Rows that ever belonged to one of these records and are not erased yet."""
        found: dict[Key, None] = {}
        for holder in _HOLDERS:
            rows = self._db.rows(
                f'SELECT DISTINCT "table", record FROM {holder} WHERE changes LIKE \'%"_parent"%\''  # noqa: S608
                " AND json_extract(changes, '$._parent') IN (SELECT value FROM json_each(?))"
                " AND record NOT IN (SELECT record FROM erased)",
                (json.dumps(records),),
            )
            found.update(dict.fromkeys((table, record) for table, record in rows))
        return list(found)

    def tell(self, arrived: Iterable[Row]) -> None:
        """Let an erasure go to every village the record ever was in, though it may have left it long ago."""
        self._db.executemany(
            "INSERT OR IGNORE INTO move (arrival, village) SELECT made.arrival, was.village FROM revision AS made"
            " JOIN revision AS was ON was.record = made.record AND was.village <> made.village"
            " WHERE made.station = ? AND made.seq = ?",
            ((row[0], row[1]) for row in arrived if row[11] is not None and _erases(row)),
        )


def _erases(row: Row) -> bool:
    """Whether a row came without its payload, or says that its record is erased."""
    return row[11] is None or (f'"{ERASED}"' in row[11] and ERASED in json.loads(row[11]))


def _below(row: Row, known: set[str]) -> bool:
    """Whether a row says that it belongs to an erased record."""
    return bool(known) and f'"{PARENT}"' in row[11] and json.loads(row[11]).get(PARENT) in known
