"""Drafts: answers people are still typing, kept from one second to the next; with undo, and no silent overwriting."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.blobs import NAME
from collect.database import Connection, Connections, scrub, transaction
from forms.clock import Clock
from forms.problems import CunceError, Problem

KEPT = 50  # earlier states of a draft that undo can reach
SCHEMA = (
    """
    CREATE TABLE draft (
        id TEXT PRIMARY KEY, form_id TEXT NOT NULL, version TEXT NOT NULL, record TEXT NOT NULL, answers TEXT NOT NULL,
        seen TEXT, village TEXT NOT NULL, author TEXT NOT NULL, title TEXT NOT NULL, counter INTEGER NOT NULL,
        created_at TEXT NOT NULL, updated_at TEXT NOT NULL, discarded_at TEXT
    ) WITHOUT ROWID;
    CREATE TABLE earlier (
        id TEXT NOT NULL, counter INTEGER NOT NULL, answers TEXT NOT NULL, PRIMARY KEY (id, counter)
    ) WITHOUT ROWID;
    """,
)
_FIELDS = (
    "id, form_id, version, record, answers, seen, village, author, title, counter, created_at, updated_at, discarded_at"
)


class DraftError(CunceError):
    """A draft that another window has changed meanwhile, or that is not there."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers not saved yet.

    `record`: the record being edited, "" for a new one; `seen`: `Opened.seen` of the moment it was opened; `counter`:
    grows by one with every put; `title`: what a list shows; times ISO 8601; `discarded_at`: "" while it is in use.
    """

    id: str
    form_id: str
    version: str
    record: str
    answers: dict[str, Any]
    seen: dict[str, str] | None
    village: str
    author: str
    title: str
    counter: int
    created_at: str
    updated_at: str
    discarded_at: str


class Drafts:
    """`drafts.db`; every put is on the disk when it returns."""

    def __init__(self, path: Path, clock: Clock, *, readonly: bool = False) -> None:
        self._clock = clock
        self._connections = Connections(path, SCHEMA, readonly=readonly, durable=True)

    @property
    def _db(self) -> Connection:
        return self._connections.here

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    def put(
        self,
        draft_id: str,
        form_id: str,
        version: str,
        record: str | None,
        answers: Mapping[str, Any],
        *,
        seen: Mapping[str, str] | None = None,
        village: str = "",
        author: str = "",
        title: str = "",
        expected: int | None = None,
    ) -> int:
        """Keep a draft's answers and return its new counter.

        `expected`: the counter the caller last saw (0: it must be new); raises DraftError (COLLECT_DRAFT_CHANGED)
        where another window has put something since, and keeps that. What stood before can be had back by `undo`.
        `seen` counts when the draft is begun; later puts leave it as it is.
        """
        with transaction(self._db):
            before = self._find(draft_id)
            counter = 0 if before is None else before.counter
            if expected is not None and expected != counter:
                context = {"draft": draft_id, "expected": expected, "counter": counter}
                raise DraftError(Problem("COLLECT_DRAFT_CHANGED", context=context))
            now = self._clock.now().isoformat()
            if before is not None:
                self._db.execute(
                    "INSERT INTO earlier (id, counter, answers) VALUES (?, ?, ?)",
                    (draft_id, counter, _text(before.answers)),
                )
                self._db.execute("DELETE FROM earlier WHERE id = ? AND counter <= ?", (draft_id, counter - KEPT))
                seen = before.seen
            self._db.execute(
                f"INSERT OR REPLACE INTO draft ({_FIELDS}) VALUES ({', '.join('?' * 13)})",  # noqa: S608
                (
                    draft_id, form_id, version, record or "", _text(answers), None if seen is None else _text(seen),
                    village, author, title, counter + 1, now if before is None else before.created_at, now, None,
                ),
            )  # fmt: skip
        return counter + 1

    def get(self, draft_id: str) -> Draft:
        """Return a draft, a discarded one too; raises DraftError (COLLECT_DRAFT_UNKNOWN)."""
        found = self._find(draft_id)
        if found is None:
            raise DraftError(Problem("COLLECT_DRAFT_UNKNOWN", context={"draft": draft_id}))
        return found

    def list(self, *, author: str | None = None, discarded: bool = False) -> tuple[Draft, ...]:
        """Return the drafts in use (or those discarded and not saved), the latest first."""
        rows = self._db.rows(
            f"SELECT {_FIELDS} FROM draft WHERE (discarded_at IS NOT NULL) = ?1 AND (?2 IS NULL OR author = ?2) "  # noqa: S608
            "AND (?1 = 0 OR answers <> '{}') "
            "ORDER BY updated_at DESC, id",
            (int(discarded), author),
        )
        return tuple(_draft(row) for row in rows)

    def undo(self, draft_id: str) -> Draft:
        """Take the last put back and return the draft as it was before; where there is nothing to undo, as it is."""
        with transaction(self._db):
            now = self.get(draft_id)
            row = self._db.rows(
                "SELECT counter, answers FROM earlier WHERE id = ? ORDER BY counter DESC LIMIT 1", (draft_id,)
            )
            if not row:
                return now
            # The counter goes on growing: a window that shows the state undone must notice.
            self._db.execute("DELETE FROM earlier WHERE id = ? AND counter = ?", (draft_id, row[0][0]))
            self._db.execute(
                "UPDATE draft SET answers = ?, counter = ?, updated_at = ? WHERE id = ?",
                (row[0][1], now.counter + 1, self._clock.now().isoformat(), draft_id),
            )
        return self.get(draft_id)

    def discard(self, draft_id: str) -> None:
        """Put a draft away that is not wanted; `restore` has it back."""
        self.get(draft_id)
        with transaction(self._db):
            now = self._clock.now().isoformat()
            self._db.execute("UPDATE draft SET discarded_at = ? WHERE id = ?", (now, draft_id))

    def saved(self, draft_id: str) -> None:
        """Let go of a draft's answers, which are in the journal now; what stays says that it is done with.

        A person's data stands in no second place longer than it is needed (个人信息保护法 19).
        """
        self.get(draft_id)
        with transaction(self._db):
            now = self._clock.now().isoformat()
            self._db.execute(
                "UPDATE draft SET answers = '{}', seen = NULL, title = '', discarded_at = ? WHERE id = ?",
                (now, draft_id),
            )
            self._db.execute("DELETE FROM earlier WHERE id = ?", (draft_id,))

    def restore(self, draft_id: str) -> Draft:
        """Bring a discarded draft back into use."""
        self.get(draft_id)
        with transaction(self._db):
            self._db.execute("UPDATE draft SET discarded_at = NULL WHERE id = ?", (draft_id,))
        return self.get(draft_id)

    def forget(self, records: Collection[str]) -> None:
        """Let go of erased records: their drafts, and their rows in the drafts of records above them."""
        erased = set(records)
        with transaction(self._db):
            for (draft_id, record) in self._db.rows("SELECT id, record FROM draft"):
                if record in erased:
                    self._db.execute("DELETE FROM draft WHERE id = ?", (draft_id,))
                    self._db.execute("DELETE FROM earlier WHERE id = ?", (draft_id,))
            for table in ("draft", "earlier"):
                for draft_id, counter, text in self._db.rows(f"SELECT id, counter, answers FROM {table}"):  # noqa: S608
                    answers = json.loads(text)
                    left = _without(answers, erased)
                    if left != answers:
                        self._db.execute(
                            f"UPDATE {table} SET answers = ? WHERE id = ? AND counter = ?",  # noqa: S608
                            (_text(left), draft_id, counter),
                        )

    def blobs(self) -> set[str]:
        """Return the names of all blobs that drafts hold, discarded ones and states that undo can reach too."""
        texts = self._db.rows("SELECT answers FROM draft UNION ALL SELECT answers FROM earlier")
        return {found[0] for (text,) in texts for found in NAME.finditer(text)}

    def scrub(self) -> None:
        """Write the file anew, so that nothing of what was erased is left in it; raises LockedError, DatabaseError."""
        scrub(self._db)

    def _find(self, draft_id: str) -> Draft | None:
        rows = self._db.rows(f"SELECT {_FIELDS} FROM draft WHERE id = ?", (draft_id,))  # noqa: S608
        return _draft(rows[0]) if rows else None


def _without(answers: Any, erased: Collection[str]) -> Any:
    """Answers without the rows of erased records, however deep."""
    if isinstance(answers, list):
        kept = (each for each in answers if not (isinstance(each, dict) and each.get("_id") in erased))
        return [_without(each, erased) for each in kept]
    if isinstance(answers, dict):
        return {name: _without(value, erased) for name, value in answers.items()}
    return answers


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False)


def _draft(row: tuple[Any, ...]) -> Draft:
    named = dict(zip(_FIELDS.split(", "), row, strict=True))
    seen = None if named["seen"] is None else json.loads(named["seen"])
    named |= {"answers": json.loads(named["answers"]), "seen": seen, "discarded_at": named["discarded_at"] or ""}
    return Draft(**named)
