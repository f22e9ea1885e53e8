"""Search: keys people find records by (name, pinyin, initials, id and phone tails), kept beside the ledgers."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from collect.database import Connection, quoted
from collect.ledgers import Ledger
from collect.surnames import readings

_LOOKED = 2  # times as many records as are asked for are looked at for when they were changed
_CHUNK = 500
EDITION = 2  # of the keys: a ledger file with keys of an older edition makes them anew


@dataclass(frozen=True, slots=True)
class Hit:
    """A record found: where it is, what people call it, its village, when it was last changed (ISO 8601)."""

    table: str
    record: str
    label: str
    village: str
    updated_at: str = ""


def normal(text: str) -> str:
    """Return text as keys hold it: full-width forms folded, lower case, without blanks and marks within a word."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).replace("·", "").replace("-", "")


@lru_cache(maxsize=65536)
def keys_of(text: str, ways: frozenset[str]) -> tuple[str, ...]:
    """Return the keys of one answer; `ways`: name and pinyin add readings, id and phone are found by any part."""
    plain = normal(text)
    if not plain:
        return ()
    if not ways & {"name", "pinyin"}:
        return (plain,)
    keys = [plain]
    for syllables in readings(plain):
        keys += ["".join(syllables), "".join(syllable[0] for syllable in syllables)]
    return tuple(dict.fromkeys(keys))


class SearchKeys:
    """The side table `_search` of township.db."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def refresh(self, touched: Iterable[tuple[str, str]], ledgers: Mapping[str, Ledger]) -> None:
        """Renew the keys of records that were written or removed, from their rows."""
        records: dict[str, list[str]] = {}
        for table, record in touched:
            if ledgers[table].searched:
                records.setdefault(table, []).append(record)
        for table, ids in records.items():
            for start in range(0, len(ids), _CHUNK):
                self._refresh(ledgers[table], ids[start : start + _CHUNK])

    def _refresh(self, ledger: Ledger, ids: list[str]) -> None:
        marks = ", ".join("?" * len(ids))
        searched = ", ".join(quoted(column.stored[0].name) for column, _ in ledger.searched)
        rows = self._db.rows(
            f"SELECT _id, {searched} FROM {quoted(ledger.name)} WHERE _id IN ({marks})", ids  # noqa: S608
        )
        self._db.execute(
            f'DELETE FROM _search WHERE "table" = ? AND record IN ({marks})',  # noqa: S608
            (ledger.name, *ids),
        )
        self._db.executemany(
            'INSERT INTO _search ("table", record, keys) VALUES (?, ?, ?)',
            ((ledger.name, row[0], keys) for row in rows if (keys := _keys(ledger, row[1:]))),
        )

    def find(self, text: str, ledgers: Mapping[str, Ledger], table: str | None, limit: int) -> Iterator[Hit]:
        """Yield records whose keys hold every word of `text`: those with a key that is or begins with it first, and
        among equals those changed lately."""
        words = [word for word in (normal(part) for part in text.split()) if word]
        if not words:
            return
        where = " AND ".join("keys LIKE ? ESCAPE '\\'" for _ in words)
        like = [f"%{literal(word)}%" for word in words]
        first = literal(words[0])
        rank = "CASE WHEN keys LIKE ? ESCAPE '\\' THEN 0 WHEN keys LIKE ? ESCAPE '\\' THEN 1 ELSE 2 END"
        # Ids are made in the order of time, so the latest records are among those looked at.
        rows = self._db.rows(
            f"""SELECT {rank}, "table", record FROM _search WHERE {where} AND (? IS NULL OR "table" = ?)
            ORDER BY 1, record DESC LIMIT ?""",  # noqa: S608
            (f"% {first} %", f"% {first}%", *like, table, table, _LOOKED * limit),
        )
        found = [(place, hit) for place, name, record in rows for hit in self._hit(ledgers.get(name), record)]
        found.sort(key=lambda each: each[1].updated_at, reverse=True)
        found.sort(key=lambda each: each[0])
        yield from (hit for _, hit in found[:limit])

    def _hit(self, ledger: Ledger | None, record: str) -> Iterator[Hit]:
        if ledger is None:
            return
        sql = f"SELECT {ledger.label_sql()}, _village, _updated_at FROM {quoted(ledger.name)} WHERE _id = ?"  # noqa: S608
        for label, village, updated in self._db.rows(sql, (record,)):
            yield Hit(ledger.name, record, label or record, village or "", updated or "")


def _keys(ledger: Ledger, values: tuple[object, ...]) -> str:
    """All keys of a row, each between blanks."""
    keys: dict[str, None] = {}
    for (_, ways), value in zip(ledger.searched, values, strict=True):
        if value is not None:
            keys.update(dict.fromkeys(keys_of(str(value), ways)))
    return f" {' '.join(keys)} " if keys else ""


def literal(text: str) -> str:
    """Return text as it is meant in a LIKE pattern with backslash as escape."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
