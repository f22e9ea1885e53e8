"""Village slices: `villages/<code>.db`, each with its own village's rows of every ledger and of nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from collect.database import Connection, DatabaseError, connect, quoted, scrub, transaction

if TYPE_CHECKING:
    from collect.station import Station

# Of the projection's own tables a slice carries only what its views with labels read.
_CARRIED = ("_choice", "_column", "_form", "_village_name")
_DAMAGED = ("COLLECT_NOT_A_DATABASE", "COLLECT_DATABASE_CORRUPT")
_NOTES = "CREATE TABLE IF NOT EXISTS _slice (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
_WORTH_REBUILDING = 5_000  # changed records from which on a village is written anew


def slice_path(folder: Path, village: str) -> Path:
    """Return where the slice of a village (code) stands in a station's folder."""
    return folder / "villages" / f"{village}.db"


def update_slices(station: Station) -> tuple[str, ...]:
    """Bring every village's slice to what township.db shows now; returns the codes of those made or rebuilt.

    Only records changed since a slice's last update are written; a slice that is missing or damaged, or whose ledgers
    have other columns than the township's by now, is written anew in place. Each slice changes in one transaction of
    its own, so a slice is never half new, and an interrupted update goes on at the next. Raises DatabaseError.
    """
    (station.folder / "villages").mkdir(exist_ok=True)
    rebuilt, changes = [], _Changes(station)
    for village in station.villages:
        try:
            anew = _update(station, village.code, changes)
        except DatabaseError as error:
            if error.code not in _DAMAGED:
                raise
            for path in slice_path(station.folder, village.code).parent.glob(f"{village.code}.db*"):
                path.unlink()
            anew = _update(station, village.code, changes)
        if anew:
            rebuilt.append(village.code)
    return tuple(rebuilt)


def forget(folder: Path, records: Iterable[str]) -> None:
    """Take erased records out of every village's slice; raises DatabaseError."""
    erased = [(record,) for record in records]
    for path in sorted((folder / "villages").glob("*.db")):
        with closing(connect(path)) as connection:
            names = [name for (name,) in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
            with transaction(connection):
                for name in names:
                    held = {row[1] for row in connection.rows(f"PRAGMA table_info({quoted(name)})")} & {"_id", "record"}
                    for column in held:
                        sql = f"DELETE FROM {quoted(name)} WHERE {column} = ?"  # noqa: S608
                        connection.executemany(sql, erased)


def scrub_slices(folder: Path) -> None:
    """Write every slice anew, so that nothing of what was erased is left in it; raises LockedError, DatabaseError."""
    for path in sorted((folder / "villages").glob("*.db")):
        with closing(connect(path)) as connection:
            scrub(connection)


def _update(station: Station, village: str, changes: _Changes) -> bool:
    """Update one slice; returns whether it was written anew."""
    with _opened(station, village) as slice_:
        changed = changes.since(slice_.read) if slice_.fits() else None
        if changed is None:
            slice_.rebuild()
        elif changed:
            slice_.catch_up(changed)
    return changed is None


class _Changes:
    """The records changed since an arrival number; all slices mostly ask for the same one."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._known: dict[int, frozenset[tuple[str, str]] | None] = {}

    def since(self, arrival: int) -> frozenset[tuple[str, str]] | None:
        """Return (table, record) of what changed after `arrival`; None where writing all anew is quicker."""
        if arrival not in self._known:
            some = self._station.journal.since(arrival, limit=_WORTH_REBUILDING)
            current = self._station.projection.ledgers.current
            keys = frozenset((current(each.revision.table), each.revision.record) for each in some)
            self._known[arrival] = None if len(some) >= _WORTH_REBUILDING else keys
        return self._known[arrival]


@contextmanager
def _opened(station: Station, village: str) -> Iterator[_Slice]:
    with closing(connect(slice_path(station.folder, village))) as connection:
        source = f"{(station.folder / 'township.db').resolve().as_uri()}?mode=ro"
        connection.execute("ATTACH DATABASE ? AS township", (source,))
        connection.execute(_NOTES)
        yield _Slice(station, connection, village)


class _Slice:
    """One village's open file, with the township's attached."""

    def __init__(self, station: Station, connection: Connection, village: str) -> None:
        self._station, self._db, self._village = station, connection, village

    def fits(self) -> bool:
        """Whether the slice was written in full once, from ledgers of the same forms."""
        return self._noted("shape") == self._shape()

    def rebuild(self) -> None:
        """Write the whole slice anew: schema, indexes, views and the village's rows."""
        with transaction(self._db):
            objects = "SELECT type, name FROM main.sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name <> '_slice'"
            for kind, name in self._db.rows(f"{objects} ORDER BY type = 'table', name"):
                self._db.execute(f"DROP {kind} IF EXISTS main.{quoted(name)}")
            made = self._db.rows(
                "SELECT type, name, tbl_name, sql FROM township.sqlite_master WHERE sql IS NOT NULL"
                " ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, rowid"
            )
            for kind, name, table, sql in made:
                if kind in ("table", "index", "view") and self._carries(table if kind == "index" else name, kind):
                    self._db.execute(sql)
            for table in _CARRIED:
                where = "WHERE code = ?" if table == "_village_name" else ""
                self._copy(table, where, (self._village,) if where else ())
            for table in self._ledgers():
                self._copy(table, "WHERE _village = ?", (self._village,))
                mine = f"record IN (SELECT _id FROM main.{quoted(table)})"  # noqa: S608
                self._copy("_search", f'WHERE "table" = ? AND {mine}', (table,))
            self._copy("conflict", "WHERE village = ?", (self._village,))
            self._note(self._shape(), self._cursor())

    def catch_up(self, changed: Iterable[tuple[str, str]]) -> None:
        """Write the records (table, record) that changed since the last update, and the rows of their repeats."""
        self._db.execute("CREATE TEMP TABLE changed (tbl TEXT, record TEXT, PRIMARY KEY (tbl, record)) WITHOUT ROWID")
        with transaction(self._db):
            self._db.executemany("INSERT OR IGNORE INTO temp.changed VALUES (?, ?)", changed)
            for table in self._ledgers():
                self._mark_rows_of(table)
            for table in self._ledgers():
                name, of_it = quoted(table), "(SELECT record FROM temp.changed WHERE tbl = ?)"
                self._db.execute(f"DELETE FROM main.{name} WHERE _id IN {of_it}", (table,))  # noqa: S608
                self._copy(table, f"WHERE _village = ? AND _id IN {of_it}", (self._village, table))
            pairs = '("table", record) IN (SELECT tbl, record FROM temp.changed)'
            for about in ("conflict", "_search"):
                self._db.execute(f"DELETE FROM main.{about} WHERE {pairs}")  # noqa: S608
            for table in self._ledgers():
                mine = f"record IN (SELECT _id FROM main.{quoted(table)})"  # noqa: S608
                self._copy("_search", f'WHERE "table" = ? AND {mine} AND {pairs}', (table,))
            self._copy("conflict", f"WHERE village = ? AND {pairs}", (self._village,))
            self._note(self._shape(), self._cursor())

    @property
    def read(self) -> int:
        """The arrival number up to which the slice shows the journal."""
        return int(self._noted("cursor") or 0)

    def _mark_rows_of(self, table: str) -> None:
        """Rows follow the record above them (its village, its deletion) without a revision of their own."""
        parent = self._ledgers()[table]
        if parent:
            name = quoted(table)
            for file in ("main", "township"):
                self._db.execute(
                    f"INSERT OR IGNORE INTO temp.changed SELECT ?, _id FROM {file}.{name} WHERE _parent IN"  # noqa: S608
                    " (SELECT record FROM temp.changed WHERE tbl = ?)",
                    (table, parent),
                )

    def _copy(self, table: str, where: str, parameters: tuple[str, ...]) -> None:
        name = quoted(table)
        self._db.execute(f"INSERT INTO main.{name} SELECT * FROM township.{name} {where}", parameters)  # noqa: S608

    def _ledgers(self) -> dict[str, str]:
        """Every ledger's table and the table above it, parents first."""
        return {name: ledger.parent for name, ledger in self._station.projection.ledgers.items()}

    def _carries(self, name: str, kind: str) -> bool:
        ledgers = self._ledgers()
        if kind == "view":
            return name.removesuffix("_labels") in ledgers
        return name in ledgers or name in ("conflict", "_search", *_CARRIED)

    def _cursor(self) -> int:
        return int(self._db.value("SELECT value FROM township._projection WHERE key = 'cursor'") or 0)

    def _shape(self) -> str:
        """What a slice is shaped by: the township's forms, and the name of the village."""
        forms = self._db.value("SELECT value FROM township._projection WHERE key = 'forms'") or ""
        name = self._db.value("SELECT name FROM township._village_name WHERE code = ?", (self._village,)) or ""
        return f"2 {forms} {name}"

    def _noted(self, key: str) -> str:
        return str(self._db.value("SELECT value FROM main._slice WHERE key = ?", (key,)) or "")

    def _note(self, shape: str, cursor: int) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO main._slice VALUES (?, ?)", [("shape", shape), ("cursor", str(cursor))]
        )
