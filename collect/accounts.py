"""People of a hub: accounts with roles and villages, revocable sessions, and the append-only audit log."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from collect.database import Connection, Connections, transaction
from forms.clock import Clock, SystemClock
from forms.problems import CunceError, Problem

Role = Literal["administrator", "reviewer", "cadre", "leader"]
ROLES: tuple[str, ...] = get_args(Role)
SHORTEST_PASSWORD = 10
IDLE = timedelta(hours=4)  # a session unused for so long is over
LONGEST = timedelta(hours=14)  # and any session after a working day
WINDOW = timedelta(minutes=15)  # failures are counted over this time
FAILURES_OF_ACCOUNT = 8
FAILURES_OF_ADDRESS = 30
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters and digits that are mistaken for each other
_SEEN_EVERY = timedelta(minutes=1)

_SCHEMA = """
CREATE TABLE account (
    name TEXT PRIMARY KEY COLLATE NOCASE, display TEXT NOT NULL, role TEXT NOT NULL, villages TEXT NOT NULL,
    language TEXT NOT NULL, password TEXT NOT NULL, disabled INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE session (
    token TEXT PRIMARY KEY, account TEXT NOT NULL COLLATE NOCASE REFERENCES account(name), address TEXT NOT NULL,
    opened_at TEXT NOT NULL, seen_at TEXT NOT NULL
) STRICT;
CREATE INDEX session_account ON session (account);
CREATE TABLE failure (
    account TEXT NOT NULL COLLATE NOCASE, address TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE INDEX failure_at ON failure (at);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,
    resource TEXT NOT NULL, detail TEXT NOT NULL, digest TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_keeps_what_it_says BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keeps_all BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
"""


class AccountError(CunceError):
    """An account cannot be made or changed like this; carries every fault."""


class LoginError(CunceError):
    """Wrong name or password, or too many attempts; the words never tell which accounts exist."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may log in. `villages`: codes; empty for roles that see the township."""

    name: str
    display: str
    role: str
    villages: tuple[str, ...] = ()
    language: str = ""
    disabled: bool = False
    created_at: str = ""

    @property
    def township(self) -> bool:
        """Whether the account sees all villages: administrators and reviewers, and leaders without a list."""
        return self.role in ("administrator", "reviewer") or (self.role == "leader" and not self.villages)

    def sees(self, village: str) -> bool:
        """Tell whether a village (code) is in the account's scope."""
        return self.township or village in self.villages

    @property
    def writes(self) -> bool:
        """Whether the account may settle conflicts and change anything at all; a leader only reads."""
        return self.role in ("administrator", "reviewer")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log. `at`: ISO 8601 with zone; `resource`: what it was done to; `detail`: further facts."""

    id: int
    at: str
    account: str
    address: str
    action: str
    resource: str
    detail: Mapping[str, Any]


class Accounts:
    """The door to `accounts.db`; safe to call from several threads."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._connections = Connections(folder / "accounts.db", [_SCHEMA])

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    # accounts

    def add(
        self,
        name: str,
        *,
        role: str,
        password: str,
        villages: Iterable[str] = (),
        display: str = "",
        language: str = "",
    ) -> Account:
        """Make an account and return it; raises AccountError with every fault."""
        name, codes = name.strip(), tuple(dict.fromkeys(villages))
        problems = [*_faults_of_scope(role, codes), *faults_of_password(name, password)]
        if not name or any(mark.isspace() for mark in name) or len(name) > 60:
            problems.append(Problem("COLLECT_ACCOUNT_NAME", context={"name": name}))
        elif self.get(name) is not None:
            problems.append(Problem("COLLECT_ACCOUNT_EXISTS", context={"name": name}))
        if problems:
            raise AccountError(problems)
        account = Account(name, display or name, role, codes, language, created_at=self._now().isoformat())
        hashed = _hasher().hash(password)
        with transaction(self._conn):
            self._conn.execute(
                "INSERT INTO account (name, display, role, villages, language, password, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, account.display, role, json.dumps(codes), language, hashed, account.created_at),
            )
        return account

    def change(
        self,
        name: str,
        *,
        role: str | None = None,
        villages: Iterable[str] | None = None,
        display: str | None = None,
        disabled: bool | None = None,
    ) -> Account:
        """Change what is given and return the account; its sessions end, so that the new scope holds at once.

        Raises AccountError: unknown account, a role or villages that do not fit, or the last administrator taken away.
        """
        before = self._known(name)
        after = Account(
            before.name,
            before.display if display is None else display,
            before.role if role is None else role,
            before.villages if villages is None else tuple(dict.fromkeys(villages)),
            before.language,
            before.disabled if disabled is None else disabled,
            before.created_at,
        )
        problems = _faults_of_scope(after.role, after.villages)
        if before.role == "administrator" and (after.role != "administrator" or after.disabled):
            others = [a for a in self.all() if a.role == "administrator" and not a.disabled and a.name != before.name]
            if not others:
                problems.append(Problem("COLLECT_ACCOUNT_LAST_ADMINISTRATOR", context={"name": before.name}))
        if problems:
            raise AccountError(problems)
        with transaction(self._conn):
            self._conn.execute(
                "UPDATE account SET display = ?, role = ?, villages = ?, disabled = ? WHERE name = ?",
                (after.display, after.role, json.dumps(after.villages), int(after.disabled), before.name),
            )
            self._conn.execute("DELETE FROM session WHERE account = ?", (before.name,))
        return after

    def reset(self, name: str, password: str) -> None:
        """Give an account a new password and end its sessions; raises AccountError."""
        account = self._known(name)
        problems = faults_of_password(account.name, password)
        if problems:
            raise AccountError(problems)
        hashed = _hasher().hash(password)
        with transaction(self._conn):
            self._conn.execute("UPDATE account SET password = ? WHERE name = ?", (hashed, account.name))
            self._conn.execute("DELETE FROM session WHERE account = ?", (account.name,))
            self._conn.execute("DELETE FROM failure WHERE account = ?", (account.name,))

    def get(self, name: str) -> Account | None:
        """Return an account by name, None where there is none."""
        row = self._conn.execute(_ACCOUNTS + " WHERE name = ?", (name,)).fetchone()
        return _account(row) if row else None

    def all(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        rows = self._conn.execute(_ACCOUNTS + " ORDER BY name").fetchall()
        return tuple(_account(row) for row in rows)

    # logging in

    def log_in(self, name: str, password: str, *, address: str) -> str:
        """Return the token of a new session; raises LoginError, after the same work whether or not the name exists.

        `address`: where the attempt comes from; both it and the account are throttled. The token is kept as a digest.
        """
        from argon2.exceptions import InvalidHashError, VerificationError

        decoy = _decoy()
        self._refuse_when_throttled(name, address)
        row = self._conn.execute("SELECT name, password, disabled FROM account WHERE name = ?", (name,)).fetchone()
        try:
            right = _hasher().verify(row[1] if row else decoy, password)
        except (VerificationError, InvalidHashError):
            right = False
        if not right or row is None or row[2]:
            with transaction(self._conn):
                self._conn.execute("INSERT INTO failure VALUES (?, ?, ?)", (name, address, _stamp(self._now())))
            raise LoginError(Problem("COLLECT_LOGIN_WRONG"))
        token, now = secrets.token_urlsafe(32), _stamp(self._now())
        with transaction(self._conn):
            self._conn.execute("DELETE FROM failure WHERE account = ?", (row[0],))
            self._conn.execute("DELETE FROM session WHERE opened_at < ?", (_stamp(self._now() - LONGEST),))
            session = (_digest(token), row[0], address, now, now)
            self._conn.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", session)
        return token

    def who(self, token: str) -> Account | None:
        """Return the account of a live session, None for any other token; notes that the session was used."""
        now = self._now()
        row = self._conn.execute(
            _SESSIONS + " WHERE s.token = ? AND NOT a.disabled AND s.opened_at > ? AND s.seen_at > ?",
            (_digest(token), _stamp(now - LONGEST), _stamp(now - IDLE)),
        ).fetchone()
        if row is None:
            return None
        if row[-1] < _stamp(now - _SEEN_EVERY):
            with transaction(self._conn):
                self._conn.execute("UPDATE session SET seen_at = ? WHERE token = ?", (_stamp(now), _digest(token)))
        return _account(tuple(row)[:-1])

    def log_out(self, token: str) -> None:
        """End a session; a token of none is no error."""
        with transaction(self._conn):
            self._conn.execute("DELETE FROM session WHERE token = ?", (_digest(token),))

    def end_sessions(self, name: str) -> int:
        """End all sessions of an account; returns how many there were."""
        with transaction(self._conn):
            return self._conn.execute("DELETE FROM session WHERE account = ?", (name,)).rowcount

    def _refuse_when_throttled(self, name: str, address: str) -> None:
        since = _stamp(self._now() - WINDOW)
        with transaction(self._conn):
            self._conn.execute("DELETE FROM failure WHERE at < ?", (since,))
            of_account, of_address = self._conn.execute(
                "SELECT count(*) FILTER (WHERE account = ?), count(*) FILTER (WHERE address = ?) FROM failure",
                (name, address),
            ).fetchone()
        if of_account >= FAILURES_OF_ACCOUNT or of_address >= FAILURES_OF_ADDRESS:
            minutes = int(WINDOW.total_seconds() // 60)
            raise LoginError(Problem("COLLECT_LOGIN_THROTTLED", context={"minutes": minutes}))

    # the audit log

    def note(self, action: str, *, account: str, address: str = "", resource: str = "", **detail: Any) -> None:
        """Append a line to the audit log: who did what to what; lines are chained by digests and cannot be changed."""
        at = self._now().isoformat(timespec="seconds")
        line = (at, account, address, action, resource, json.dumps(detail, ensure_ascii=False, sort_keys=True))
        with transaction(self._conn):
            last = self._conn.execute("SELECT digest FROM audit ORDER BY id DESC LIMIT 1").fetchone()
            self._conn.execute(
                "INSERT INTO audit (at, account, address, action, resource, detail, digest)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*line, _chained(last[0] if last else "", line)),
            )

    def log(
        self, *, before: int | None = None, account: str = "", action: str = "", limit: int = 100
    ) -> tuple[Entry, ...]:
        """Return lines of the audit log, newest first; `before`: an entry's id, for the next page."""
        rows = self._conn.execute(
            "SELECT id, at, account, address, action, resource, detail FROM audit"
            " WHERE (?1 IS NULL OR id < ?1) AND (?2 = '' OR account = ?2) AND (?3 = '' OR action = ?3)"
            " ORDER BY id DESC LIMIT ?4",
            (before, account, action, limit),
        ).fetchall()
        return tuple(_entry(row) for row in rows)

    def verify_log(self) -> tuple[Problem, ...]:
        """Return a problem for the first line whose digest does not follow from those before it; empty when sound."""
        previous = ""
        rows = self._conn.execute(
            "SELECT at, account, address, action, resource, detail, digest, id FROM audit ORDER BY id"
        )
        for row in rows:
            line = tuple(row)
            if line[6] != _chained(previous, line[:6]):
                return (Problem("COLLECT_AUDIT_BROKEN", context={"line": line[7], "at": line[0]}),)
            previous = line[6]
        return ()

    def _known(self, name: str) -> Account:
        account = self.get(name)
        if account is None:
            raise AccountError(Problem("COLLECT_ACCOUNT_UNKNOWN", context={"name": name}))
        return account

    @property
    def _conn(self) -> Connection:
        return self._connections.here

    def _now(self) -> datetime:
        return self._clock.now()


_ACCOUNTS = "SELECT name, display, role, villages, language, disabled, created_at FROM account"
_SESSIONS = (
    "SELECT a.name, a.display, a.role, a.villages, a.language, a.disabled, a.created_at, s.seen_at"
    " FROM session s JOIN account a ON a.name = s.account"
)


def faults_of_password(name: str, password: str) -> list[Problem]:
    """Return what is wrong with a password: too short, of too few different characters, or containing the name."""
    problems = []
    if len(password) < SHORTEST_PASSWORD:
        problems.append(Problem("COLLECT_PASSWORD_SHORT", context={"least": SHORTEST_PASSWORD}))
    elif len(set(password)) < 5 or password in "01234567890123456789" or name.lower() in password.lower():
        problems.append(Problem("COLLECT_PASSWORD_EASY"))
    return problems


def new_password() -> str:
    """Return a password to show once: sixteen letters and digits told apart easily, about 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def check_villages(codes: Iterable[str], known: Iterable[str]) -> None:
    """Raise AccountError for every code that is none of a township's villages."""
    villages = set(known)
    unknown = [code for code in codes if code not in villages]
    if unknown:
        raise AccountError(Problem("COLLECT_ACCOUNT_VILLAGE_UNKNOWN", context={"village": code}) for code in unknown)


def _faults_of_scope(role: str, villages: Sequence[str]) -> list[Problem]:
    if role not in ROLES:
        return [Problem("COLLECT_ACCOUNT_ROLE", context={"role": role, "roles": ", ".join(ROLES)})]
    if role == "cadre" and not villages:
        return [Problem("COLLECT_ACCOUNT_VILLAGES_MISSING")]
    if role in ("administrator", "reviewer") and villages:
        return [Problem("COLLECT_ACCOUNT_VILLAGES_UNUSED", context={"role": role})]
    return []


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()  # argon2id, RFC 9106's low-memory profile: about 0.1 s and 64 MiB


@cache
def _decoy() -> str:
    """A password hash of nobody, to spend the same time on a name that does not exist."""
    return str(_hasher().hash(secrets.token_hex(16)))


def _entry(row: Sequence[Any]) -> Entry:
    number, at, account, address, action, resource, detail = row
    return Entry(number, at, account, address, action, resource, json.loads(detail))


def _account(row: sqlite3.Row | tuple[Any, ...]) -> Account:
    name, display, role, villages, language, disabled, created_at = tuple(row)
    return Account(name, display, role, tuple(json.loads(villages)), language, bool(disabled), created_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _chained(previous: str, line: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([previous, *line], ensure_ascii=False).encode("utf-8")).hexdigest()


def _stamp(moment: datetime) -> str:
    """UTC, so that text order is time order whatever the machine's zone does."""
    return f"{moment.timestamp():017.6f}"
