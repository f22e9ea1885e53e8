"""SQLite in one place: how a file is opened, written and migrated, and what its errors mean to people."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from forms.problems import CunceError, Place, Problem

BUSY_MILLISECONDS = 5000
Migration = str | Callable[["Connection"], None]


class DatabaseError(CunceError):
    """A database file could not be opened, read or written; the code says why."""


class LockedError(DatabaseError):
    """Another process keeps the file locked; trying again may help."""

    retryable: ClassVar[bool] = True


class Connection(sqlite3.Connection):
    """A connection whose errors are `DatabaseError`s; `file` is the path it was opened on."""

    file: Path

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement; raises DatabaseError."""
        try:
            return super().execute(sql, parameters)
        except sqlite3.Error as error:
            raise explained(error, self.file) from error

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Run one statement for every row of parameters; raises DatabaseError."""
        try:
            return super().executemany(sql, parameters)
        except sqlite3.Error as error:
            raise explained(error, self.file) from error

    def rows(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query; raises DatabaseError, also for a fault met while reading on."""
        cursor = self.execute(sql, parameters)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise explained(error, self.file) from error

    def value(self, sql: str, parameters: Any = ()) -> Any:
        """Return the first column of the first row, or None where there is no row."""
        row = self.execute(sql, parameters).fetchone()
        return None if row is None else row[0]


def connect(path: Path, *, readonly: bool = False, durable: bool = False, shared: bool = False) -> Connection:
    """Open (and, unless `readonly`, create) a SQLite file with the pragmas all our files live by.

    `durable`: every commit reaches the disk (journal, drafts); else a power cut may cost the last commits, never the
    file. `shared`: the connection may be closed from another thread. Raises DatabaseError or LockedError.
    """
    try:
        connection = _opened(path, readonly=readonly, shared=shared)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("PRAGMA foreign_keys = ON")
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(path: Path, *, readonly: bool, shared: bool) -> Connection:
    """Open the file; a read-only folder cannot hold the files beside it that WAL needs: read it as unchanging then."""
    ways = ["mode=ro", "mode=ro&immutable=1"] if readonly else ["mode=rwc"]
    if _has_unmerged_changes(path):
        # Read as unchanging, the file would be shown without them.
        ways = ways[:1]
    while True:
        way = ways.pop(0)
        connection = sqlite3.connect(
            f"{_uri(path)}?{way}", uri=True, isolation_level=None, factory=Connection,
            check_same_thread=not shared, timeout=BUSY_MILLISECONDS / 1000,
        )  # fmt: skip
        connection.file = path
        try:
            sqlite3.Connection.execute(connection, "SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            connection.close()
            if ways and error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                continue
            raise
        return connection


def _uri(path: Path) -> str:
    """The file as SQLite wants it; of a network share it wants no host, but two more slashes."""
    uri = path.resolve().as_uri()
    return uri if uri.startswith("file:///") else uri.replace("file://", "file:////", 1)


def _has_unmerged_changes(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.is_file() and log.stat().st_size > 0


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing; inside another transaction, all or nothing of this part.

    The outermost one takes the write lock at once, so that what is read inside it cannot change before the commit.
    Raises DatabaseError or LockedError.
    """
    nested = connection.in_transaction
    connection.execute("SAVEPOINT nested" if nested else "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("RELEASE nested" if nested else "COMMIT")
    except BaseException:
        # A full disk may already have rolled the transaction back.
        if connection.in_transaction:
            if nested:
                connection.execute("ROLLBACK TO nested")
                connection.execute("RELEASE nested")
            else:
                connection.execute("ROLLBACK")
        raise


def scrub(connection: Connection) -> None:
    """Write a file anew, so that nothing deleted is left in its free space or in the log beside it.

    Raises LockedError while anybody else reads or writes the file, DatabaseError for what the disk refuses.
    """
    connection.execute("VACUUM")
    (busy,) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[:1]
    if busy:
        raise LockedError(
            Problem("COLLECT_DATABASE_LOCKED", Place(file=str(connection.file)), {"detail": "wal_checkpoint"})
        )


def copy(source: Path, target: Path) -> None:
    """Copy a file that may be in use, as of one moment, and check the copy; raises DatabaseError."""
    origin, fresh = connect(source, readonly=True), connect(target)
    try:
        origin.backup(fresh)
        fresh.execute("PRAGMA journal_mode = DELETE").fetchone()
        (said,) = fresh.execute("PRAGMA quick_check").fetchone()
        if said != "ok":
            raise DatabaseError(Problem("COLLECT_DATABASE_CORRUPT", Place(file=str(source)), {"detail": said}))
    except sqlite3.Error as error:
        raise explained(error, source) from error
    finally:
        origin.close()
        fresh.close()


def migrate(connection: Connection, steps: Sequence[Migration]) -> None:
    """Bring a file to the newest schema: each step and the record that it was done commit together.

    `steps`: SQL scripts or functions, the first makes an empty file version 1. Raises DatabaseError
    (COLLECT_DATABASE_NEWER) for a file that a newer version of Cunce wrote.
    """
    if version(connection) == len(steps):
        return
    for number, step in enumerate(steps, start=1):
        with transaction(connection):
            if version(connection) >= number:
                continue
            if callable(step):
                step(connection)
            else:
                for statement in _statements(step):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
    check_version(connection, len(steps))


def check_version(connection: Connection, newest: int) -> None:
    """Raise DatabaseError for a file written by a newer version than this one understands (`newest`)."""
    found = version(connection)
    if found > newest:
        raise DatabaseError(
            Problem("COLLECT_DATABASE_NEWER", Place(file=str(connection.file)), {"found": found, "known": newest})
        )


def version(connection: Connection) -> int:
    """Return the schema version of the file, 0 for an empty one."""
    return int(connection.value("PRAGMA user_version"))


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _statements(script: str) -> Iterator[str]:
    """Split a script: executescript would commit the transaction it runs in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


class Connections:
    """One connection a thread to one file, opened when first needed; a web server answers from several threads."""

    def __init__(
        self, path: Path, steps: Sequence[Migration], *, readonly: bool = False, durable: bool = False
    ) -> None:
        self._path, self._steps, self._readonly, self._durable = path, steps, readonly, durable
        self._mine = threading.local()
        self._all: list[Connection] = []
        self._lock = threading.Lock()
        self._migrated = False

    @property
    def here(self) -> Connection:
        """This thread's connection; raises DatabaseError or LockedError."""
        found: Connection | None = getattr(self._mine, "connection", None)
        if found is None:
            found = connect(self._path, readonly=self._readonly, durable=self._durable, shared=True)
            with self._lock:
                self._all.append(found)
            if self._readonly:
                check_version(found, len(self._steps))
            elif not self._migrated:
                migrate(found, self._steps)
                self._migrated = True
            self._mine.connection = found
        return found

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._mine = threading.local()


_CODES = {
    sqlite3.SQLITE_NOTADB: "COLLECT_NOT_A_DATABASE",
    sqlite3.SQLITE_READONLY: "COLLECT_DATABASE_READONLY",
    sqlite3.SQLITE_PERM: "COLLECT_DATABASE_READONLY",
    sqlite3.SQLITE_BUSY: "COLLECT_DATABASE_LOCKED",
    sqlite3.SQLITE_LOCKED: "COLLECT_DATABASE_LOCKED",
    sqlite3.SQLITE_FULL: "COLLECT_DISK_FULL",
    sqlite3.SQLITE_CORRUPT: "COLLECT_DATABASE_CORRUPT",
    sqlite3.SQLITE_CANTOPEN: "COLLECT_DATABASE_NOT_OPENED",
    sqlite3.SQLITE_IOERR: "COLLECT_DATABASE_INPUT_OUTPUT",
}
_ROOM = 65_536  # bytes: what SQLite adds to a file beside the database at least
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def explained(error: sqlite3.Error | OSError, path: Path) -> DatabaseError:
    """Return what an error of SQLite or of the file system means to people, as DatabaseError or LockedError."""
    if isinstance(error, OSError):
        full, denied = error.errno in _FULL, error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}
        code = "COLLECT_DISK_FULL" if full else "COLLECT_DATABASE_READONLY" if denied else "COLLECT_DATABASE_FAILED"
    else:
        # Errors that the module raises itself (a closed connection, a wrong parameter) carry no code.
        number = getattr(error, "sqlite_errorcode", None)
        code = "COLLECT_DATABASE_FAILED" if number is None else _CODES.get(number & 0xFF, "COLLECT_DATABASE_FAILED")
        if code == "COLLECT_DATABASE_NOT_OPENED" and path.parent.is_dir() and not os.access(path.parent, os.W_OK):
            code = "COLLECT_DATABASE_READONLY"  # SQLite says only that it could not make a file beside it
        if code == "COLLECT_DATABASE_INPUT_OUTPUT" and _has_no_room(path.parent):
            code = "COLLECT_DISK_FULL"  # SQLite's shared memory beside the file could not grow
    kind = LockedError if code == "COLLECT_DATABASE_LOCKED" else DatabaseError
    return kind(Problem(code, Place(file=str(path)), {"detail": error}))


def _has_no_room(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _ROOM
    except OSError:
        return False
