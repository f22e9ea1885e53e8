from __future__ import annotations

import errno
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collect.database import (
    Connection,
    Connections,
    DatabaseError,
    LockedError,
    connect,
    explained,
    migrate,
    quoted,
    transaction,
    version,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "数据 #1?.db"


@pytest.fixture
def opened(file: Path) -> Iterator[Connection]:
    with closing(connect(file)) as connection:
        connection.execute("CREATE TABLE t (x)")
        yield connection


def numbers(connection: Connection) -> list[int]:
    return [row[0] for row in connection.rows("SELECT x FROM t ORDER BY x")]


def test_a_file_is_opened_as_all_ours_are(opened: Connection) -> None:
    assert opened.value("PRAGMA journal_mode") == "wal"
    assert opened.value("PRAGMA foreign_keys") == 1
    assert opened.value("PRAGMA busy_timeout") == 5000
    assert opened.value("PRAGMA synchronous") == 1


def test_the_journal_waits_for_the_disk(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db", durable=True)) as connection:
        assert connection.value("PRAGMA synchronous") == 2


def insert_and_fail(connection: Connection, number: int) -> None:
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        raise ZeroDivisionError


def test_transactions_nest(opened: Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(opened, 1)
    with transaction(opened):
        opened.execute("INSERT INTO t VALUES (2)")
        with pytest.raises(ZeroDivisionError):
            insert_and_fail(opened, 3)
        with transaction(opened):
            opened.execute("INSERT INTO t VALUES (4)")
    assert numbers(opened) == [2, 4]


def test_a_migration_and_its_record_commit_together(opened: Connection) -> None:
    def half(connection: Connection) -> None:
        connection.execute("CREATE TABLE second (x)")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate(opened, ["CREATE TABLE first (x);\nCREATE INDEX i ON first (x);", half])
    assert version(opened) == 1
    assert opened.rows("SELECT name FROM sqlite_master WHERE name = 'second'") == []
    migrate(opened, ["", "CREATE TABLE second (x)"])
    assert version(opened) == 2


def test_a_newer_file_is_left_alone(opened: Connection, file: Path) -> None:
    opened.execute("PRAGMA user_version = 9")
    with pytest.raises(DatabaseError) as caught:
        migrate(opened, ["CREATE TABLE never (x)"])
    assert caught.value.code == "COLLECT_DATABASE_NEWER"
    connections = Connections(file, ["CREATE TABLE never (x)"], readonly=True)
    with pytest.raises(DatabaseError, match="COLLECT_DATABASE_NEWER"):
        _ = connections.here
    connections.close()


def test_a_locked_file_may_be_tried_again(opened: Connection, file: Path) -> None:
    with closing(connect(file)) as other, transaction(opened):
        other.execute("PRAGMA busy_timeout = 10")
        with pytest.raises(LockedError) as caught, transaction(other):
            pass
        assert caught.value.retryable
        assert caught.value.code == "COLLECT_DATABASE_LOCKED"


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"PK\x03\x04" * 500)
    for readonly in (True, False):
        with pytest.raises(DatabaseError) as caught:
            connect(path, readonly=readonly)
        assert caught.value.code == "COLLECT_NOT_A_DATABASE"


def test_a_missing_file_or_folder(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="COLLECT_DATABASE_NOT_OPENED"):
        connect(tmp_path / "x.db", readonly=True)
    with pytest.raises(DatabaseError, match="COLLECT_DATABASE_NOT_OPENED"):
        connect(tmp_path / "none" / "x.db")


def test_a_damaged_file_is_said_to_be_damaged(opened: Connection, file: Path) -> None:
    with transaction(opened):
        opened.executemany("INSERT INTO t VALUES (?)", ((b"x" * 500,) for _ in range(100)))
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * 8192)
    with closing(connect(file)) as other, pytest.raises(DatabaseError) as caught:
        other.rows("SELECT * FROM t")
    assert caught.value.code == "COLLECT_DATABASE_CORRUPT"


def test_a_readonly_connection_refuses_to_write(opened: Connection, file: Path) -> None:
    with closing(connect(file, readonly=True)) as other, pytest.raises(DatabaseError) as caught:
        other.execute("INSERT INTO t VALUES (1)")
    assert caught.value.code == "COLLECT_DATABASE_READONLY"


def test_a_full_disk_gives_a_clear_error_and_the_state_before(opened: Connection) -> None:
    opened.execute("INSERT INTO t VALUES (1)")
    opened.execute(f"PRAGMA max_page_count = {opened.value('PRAGMA page_count') + 2}")
    with pytest.raises(DatabaseError) as caught, transaction(opened):
        opened.executemany("INSERT INTO t VALUES (?)", ((b"x" * 4000,) for _ in range(100)))
    assert caught.value.code == "COLLECT_DISK_FULL"
    assert not opened.in_transaction
    assert numbers(opened) == [1]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "COLLECT_DISK_FULL"),
        (errno.EROFS, "COLLECT_DATABASE_READONLY"),
        (errno.EIO, "COLLECT_DATABASE_FAILED"),
    ],
)
def test_errors_of_the_file_system_are_explained(number: int, code: str) -> None:
    assert explained(OSError(number, "x"), Path("x")).code == code


def test_every_thread_has_its_own_connection_and_all_are_closed(file: Path) -> None:
    connections = Connections(file, ["CREATE TABLE t (x)"])
    found: list[Connection] = []
    thread = threading.Thread(target=lambda: found.append(connections.here))
    thread.start()
    thread.join()
    assert connections.here is connections.here
    assert connections.here is not found[0]
    connections.close()
    with pytest.raises(DatabaseError, match="COLLECT_DATABASE_FAILED"):
        found[0].execute("SELECT 1")
    assert connections.here.rows("SELECT * FROM t") == []
    connections.close()


def test_names_are_quoted(opened: Connection) -> None:
    name = quoted('a"b')
    opened.execute(f"CREATE TABLE {name} (x)")
    assert ('a"b',) in opened.rows("SELECT name FROM sqlite_master")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that refuses this user")
def test_a_station_on_a_readonly_medium_can_be_read(opened: Connection, file: Path) -> None:
    opened.execute("INSERT INTO t VALUES (1)")
    opened.close()
    file.parent.chmod(0o500)
    try:
        with closing(connect(file, readonly=True)) as other:
            assert numbers(other) == [1]
    finally:
        file.parent.chmod(0o700)


def test_ordinary_sqlite_can_open_our_files(opened: Connection, file: Path) -> None:
    opened.execute("INSERT INTO t VALUES (1)")
    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT * FROM t").fetchall() == [(1,)]
