"""What a village's sheet reads of the ledgers: a village's rows, a station's private values; read-only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collect.database import Connection, connect, quoted


class LedgerFile:
    """A ledger file opened for reading; tables and columns that are not there hold nothing."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._columns: dict[str, tuple[str, ...]] = {}

    def columns(self, table: str) -> tuple[str, ...]:
        """Return the names of a table's SQL columns, none where there is no such table."""
        if table not in self._columns:
            found = self._db.rows(f"PRAGMA table_info({quoted(table)})")
            self._columns[table] = tuple(row[1] for row in found)
        return self._columns[table]

    def rows(self, table: str, wanted: Sequence[str], *, village: str | None = None) -> list[Mapping[str, Any]]:
        """Return the records of a table (of one village, or all), oldest first, with the wanted columns it has."""
        present = [name for name in ("_id", "_village", *wanted) if name in self.columns(table)]
        if not present:
            return []
        names = ", ".join(quoted(name) for name in present)
        where = "" if village is None else "WHERE _village = ?"
        sql = f"SELECT {names} FROM {quoted(table)} {where} ORDER BY _id"  # noqa: S608 (quoted names)
        found = self._db.rows(sql, () if village is None else (village,))
        return [dict(zip(present, row, strict=True)) for row in found]

    def last_change(self, tables: Sequence[str], village: str) -> str:
        """Return when a village's records in these tables were last changed, as the ledgers write it, or ""."""
        newest = ""
        for table in tables:
            if "_updated_at" in self.columns(table):
                sql = f"SELECT max(_updated_at) FROM {quoted(table)} WHERE _village = ?"  # noqa: S608 (quoted name)
                newest = max(newest, str(self._db.value(sql, (village,)) or ""))
        return newest


@contextmanager
def ledger_file(path: Path) -> Iterator[LedgerFile]:
    """Open a ledger file for reading and close it; raises DatabaseError."""
    connection = connect(path, readonly=True)
    try:
        # One snapshot: all figures of a sheet are of the same moment, whatever is saved meanwhile.
        connection.execute("BEGIN").close()
        yield LedgerFile(connection)
    finally:
        connection.close()
