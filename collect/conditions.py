"""Conditions on the rows of a ledger, as SQL: what an answer is, what a record is called, what the township lacks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from collect.database import quoted
from collect.ledgers import Ledger
from collect.search import literal, normal


class Where(Protocol):
    """Anything that may stand in a WHERE clause."""

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        ...


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a SQL column; `sign`: = != > < >= <= or ~ (holds the text). An empty `value` means no answer."""

    column: str
    sign: str
    value: str
    several: bool = False
    numeric: bool = False

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        name = quoted(self.column)
        if self.sign == "~":
            return f"{name} LIKE ? ESCAPE '\\'", (f"%{literal(self.value)}%",)
        if self.value == "":
            empty = f"({name} IS NULL OR {name} = '')"
            return (empty if self.sign in ("=", "<", "<=") else f"NOT {empty}"), ()
        if self.several and self.sign in ("=", "!="):
            held = f"(' ' || coalesce({name}, '') || ' ') LIKE ? ESCAPE '\\'"
            return (held if self.sign == "=" else f"NOT {held}"), (f"% {literal(self.value)} %",)
        # A number compares with numbers, text with text: an ID number is text, and 0012 is not 12.
        number = _number(self.value) if self.numeric else None
        compared = f"{name} IS NOT ?" if self.sign == "!=" else f"{name} {self.sign} ?"
        return compared, (self.value if number is None else number,)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One condition of several holds; of none, nothing does."""

    of: Sequence[Where]

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        parts = [each.sql for each in self.of]
        joined = " OR ".join(sql for sql, _ in parts) or "0"
        return f"({joined})", tuple(value for _, given in parts for value in given)


@dataclass(frozen=True, slots=True)
class Called:
    """The record that a column points at is called something that holds `text`."""

    column: str
    target: Ledger
    text: str

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        named = f"SELECT _id FROM {quoted(self.target.name)} WHERE {self.target.label_sql()} LIKE ? ESCAPE '\\'"  # noqa: S608
        return f"{quoted(self.column)} IN ({named})", (f"%{literal(self.text)}%",)


@dataclass(frozen=True, slots=True)
class Found:
    """The record's search keys hold every word of `text`, as `Station.find` reads them; any record without words."""

    ledger: Ledger
    text: str

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        words = [word for word in (normal(part) for part in self.text.split()) if word]
        if not words:
            return "1", ()
        if not self.ledger.searched:
            label = self.ledger.label_sql()
            return " AND ".join(f"{label} LIKE ? ESCAPE '\\'" for _ in words), tuple(f"%{literal(w)}%" for w in words)
        held = " AND ".join("keys LIKE ? ESCAPE '\\'" for _ in words)
        clause = f'_id IN (SELECT record FROM _search WHERE "table" = ? AND {held})'  # noqa: S608 (parameters only)
        return clause, (self.ledger.name, *(f"%{literal(word)}%" for word in words))


@dataclass(frozen=True, slots=True)
class Among:
    """The record is one of these."""

    records: Collection[str]

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        return "_id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(self.records)),)


@dataclass(frozen=True, slots=True)
class Unsent:
    """The record, or a row directly below it, stands as `station` last wrote it after its number `held`."""

    ledger: Ledger
    below: Sequence[Ledger]
    station: str
    held: int

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        own = quoted(self.ledger.name)
        parts = [self._later(own)]
        parts += [
            f"EXISTS (SELECT 1 FROM {quoted(child.name)} AS c WHERE c._parent = {own}._id AND {self._later('c')})"  # noqa: S608
            for child in self.below
        ]
        return f"({' OR '.join(parts)})", (f"{self.station}:", len(self.station) + 1, self.held) * len(parts)

    def _later(self, table: str) -> str:
        # CAST reads the digits up to the next head of a `_rev` of several.
        return f"CAST(substr({table}._rev, nullif(instr({table}._rev, ?), 0) + ?) AS INTEGER) > ?"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
