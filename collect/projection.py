"""The projection: township.db with every ledger as an ordinary table, rebuilt from the journal whenever one likes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.applying import Applier
from collect.database import Connection, Connections, quoted, scrub, transaction
from collect.duplicates import Duplicates
from collect.following import Stray, strays
from collect.journal import Journal
from collect.ledgers import Ledger, Ledgers, create, describe, ledgers_of
from collect.merge import Candidate
from collect.revision import RevisionId, Value
from collect.search import EDITION, Hit, SearchKeys
from collect.shelf import Shelf
from forms.tables import Column
from forms.values import text_of

BATCH = 10_000
SCHEMA = (
    """
    CREATE TABLE _projection (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE _form (
        form_id TEXT NOT NULL, version TEXT NOT NULL, title TEXT NOT NULL, digest TEXT NOT NULL,
        newest INTEGER NOT NULL, PRIMARY KEY (form_id, version)
    ) WITHOUT ROWID;
    CREATE TABLE _column (
        "table" TEXT NOT NULL, "column" TEXT NOT NULL, field TEXT NOT NULL, position INTEGER NOT NULL,
        label_zh TEXT, label_en TEXT, type TEXT NOT NULL, privacy TEXT NOT NULL, standard TEXT NOT NULL,
        PRIMARY KEY ("table", "column")
    ) WITHOUT ROWID;
    CREATE TABLE _choice (
        "table" TEXT NOT NULL, field TEXT NOT NULL, code TEXT NOT NULL, label TEXT NOT NULL,
        PRIMARY KEY ("table", field, code)
    ) WITHOUT ROWID;
    CREATE TABLE _village_name (code TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE _hidden (
        "table" TEXT NOT NULL, record TEXT NOT NULL, parent TEXT NOT NULL, PRIMARY KEY ("table", record)
    ) WITHOUT ROWID;
    CREATE INDEX _hidden_parent ON _hidden (parent);
    CREATE TABLE _waiting ("table" TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY ("table", record)) WITHOUT ROWID;
    CREATE TABLE _search (
        "table" TEXT NOT NULL, record TEXT NOT NULL, keys TEXT NOT NULL, PRIMARY KEY ("table", record)
    ) WITHOUT ROWID;
    CREATE TABLE conflict (
        "table" TEXT NOT NULL, record TEXT NOT NULL, field TEXT NOT NULL, village TEXT NOT NULL, shown TEXT,
        candidates TEXT NOT NULL, PRIMARY KEY ("table", record, field)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE _apart (
        "table" TEXT NOT NULL, one TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY ("table", one, other)
    ) WITHOUT ROWID;
    """,
)
_OWN = ("_projection", "_form", "_column", "_choice", "_hidden", "_waiting", "_search", "_apart", "conflict")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field in which a record holds several values nobody has chosen between; `shown` is what the ledger shows.

    For the field `_deleted` a candidate's value is true (or `parent`) where the record was deleted, None where it was
    edited meanwhile.
    """

    table: str
    record: str
    field: str
    village: str
    shown: Value
    candidates: tuple[Candidate, ...]


class Projection:
    """`township.db`; reads what the journal holds and nothing else, and remembers how far it has read."""

    def __init__(self, path: Path, journal: Journal, shelf: Shelf, *, readonly: bool = False) -> None:
        self.path, self._journal, self._shelf = path, journal, shelf
        self._connections = Connections(path, SCHEMA, readonly=readonly)
        self._known: tuple[object, Ledgers] = ((), Ledgers())

    @property
    def _db(self) -> Connection:
        return self._connections.here

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    @property
    def ledgers(self) -> Ledgers:
        """Every ledger by table name, parents before their repeats."""
        versions = self._shelf.all()
        if self._known[0] is not versions:
            self._known = (versions, ledgers_of(versions))
        return self._known[1]

    # ---- writing

    def catch_up(self, progress: Progress | None = None, *, upto: int | None = None) -> int:
        """Apply what the journal holds after the cursor (up to an arrival number); return how many revisions that was.

        `progress(done, all)` is called after every batch.
        """
        done = 0
        end = self._journal.arrived() if upto is None else upto
        if self.cursor() == end and self._value("forms") == self._forms_digest():
            self._forget()
            return 0
        while True:
            with transaction(self._db):
                self._adapt()
                cursor = self.cursor()
                arrivals = self._journal.since(cursor, limit=BATCH)
                arrivals = tuple(each for each in arrivals if upto is None or each.number <= upto)
                if not arrivals:
                    self._forget()
                    return done
                last = arrivals[-1].number
                applier = Applier(self._db, self._journal, self.ledgers)
                applier.apply([arrival.revision for arrival in arrivals], last)
                self._remember("cursor", str(last))
            done += len(arrivals)
            if progress is not None:
                progress(last, max(end, last))

    def _forget(self) -> None:
        """Follow what was erased by law, left or came back since last time: that needs no revision of its own."""
        erased = self._journal.erased(after=self.forgotten())
        if erased:
            with transaction(self._db):
                applier = Applier(self._db, self._journal, self.ledgers)
                applier.merge(self._shown(key for _, key in erased), self.cursor())
                self._remember("forgotten", str(erased[-1][0]))
        moved = self._journal.elsewhere.after(int(self._value("away") or 0))
        if moved:
            with transaction(self._db):
                applier = Applier(self._db, self._journal, self.ledgers)
                applier.merge(self._shown(key for _, key in moved), self.cursor())
                self._remember("away", str(moved[-1][0]))

    def _shown(self, keys: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of these records whose ledger is known, under the name it has now."""
        found = ((self.ledgers.of(table), record) for table, record in keys)
        return [(ledger.name, record) for ledger, record in found if ledger is not None]

    def forgotten(self) -> int:
        """Return the number of the last erasure that the ledgers have followed."""
        return int(self._value("forgotten") or 0)

    def scrubbed(self) -> int:
        """Return the number of the last erasure after which the station's files were written anew."""
        return int(self._value("scrubbed") or 0)

    def washed(self) -> int:
        """Return the number of the last leaving after which the station's files were written anew."""
        return int(self._value("washed") or 0)

    def scrub(self, erased: int, left: int) -> None:
        """Write the file anew without anything deleted, and note that all files are so now.

        `erased`, `left`: up to which erasure and which leaving.
        """
        scrub(self._db)
        with transaction(self._db):
            self._remember("scrubbed", str(max(erased, self.scrubbed())))
            self._remember("washed", str(max(left, self.washed())))

    def rebuild(self, progress: Progress | None = None) -> int:
        """Throw every ledger away and make it again from the journal, in one transaction."""
        with transaction(self._db):
            for kind, name in self._db.rows(
                "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite_%' "
                "AND name NOT LIKE '\\_%' ESCAPE '\\' AND name <> 'conflict' ORDER BY type DESC, name"
            ):
                self._db.execute(f"DROP {kind} {quoted(name)}")
            for table in _OWN:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608
            return self.catch_up(progress)

    def name_villages(self, villages: Iterable[tuple[str, str]]) -> None:
        """Write the names of villages: (code, name)."""
        given = sorted(villages)
        if self._db.rows("SELECT code, name FROM _village_name ORDER BY code") == given:
            return
        with transaction(self._db):
            self._db.execute("DELETE FROM _village_name")
            self._db.executemany("INSERT INTO _village_name (code, name) VALUES (?, ?)", given)

    def _adapt(self) -> None:
        """Give every ledger the columns that the forms on the shelf ask for."""
        digest = self._forms_digest()
        if self._value("forms") == digest:
            return
        ledgers = self.ledgers
        again: list[tuple[str, str]] = []
        for (view,) in self._db.rows("SELECT name FROM sqlite_master WHERE type = 'view'"):
            self._db.execute(f"DROP VIEW {quoted(view)}")  # a view forbids renaming the table it reads
        moved = self._renamed_tables(ledgers)
        for ledger in ledgers.values():
            again += self._adapt_table(ledger)
        describe(self._db, ledgers, self._shelf.all())
        for table, record in self._db.rows('SELECT "table", record FROM _waiting ORDER BY "table", record'):
            if ledgers.of(table) is not None:
                again.append((ledgers.current(table), record))
                self._db.execute('DELETE FROM _waiting WHERE "table" = ? AND record = ?', (table, record))
        self._remember("forms", digest)
        applier = Applier(self._db, self._journal, ledgers)
        self._fill(applier, moved)
        applier.merge(again, self.cursor())
        self._reindex(ledgers)

    def _renamed_tables(self, ledgers: Ledgers) -> set[str]:
        """Empty the tables that revisions call otherwise than before (a renamed repeat); return all names of these."""
        before = {(old, now) for old, now in json.loads(self._value("renamed") or "[]")}
        changed = {name for pair in before ^ set(ledgers.older.items()) for name in pair}
        names = changed.union(*(ledger.names for ledger in ledgers.values() if not changed.isdisjoint(ledger.names)))
        for name in sorted(names):
            if self._db.rows(f"PRAGMA table_info({quoted(name)})"):
                self._db.execute(f"{'DELETE FROM' if name in ledgers else 'DROP TABLE'} {quoted(name)}")
            for table in ("conflict", "_hidden", "_waiting"):
                self._db.execute(f'DELETE FROM {table} WHERE "table" = ?', (name,))  # noqa: S608
        self._remember("renamed", json.dumps(sorted(ledgers.older.items())))
        return names

    def _fill(self, applier: Applier, tables: Collection[str]) -> None:
        """Apply again all that was applied already to tables of these names."""
        done, end = 0, self.cursor() if tables else 0
        while done < end:
            arrivals = self._journal.in_tables(tables, after=done, upto=end, limit=BATCH)
            applier.apply([arrival.revision for arrival in arrivals], end)
            done = arrivals[-1].number if len(arrivals) == BATCH else end

    def _adapt_table(self, ledger: Ledger) -> list[tuple[str, str]]:
        """Make or change one table; return the records that have to be projected anew for it."""
        before = {row[1]: row[2] for row in self._db.rows(f"PRAGMA table_info({quoted(ledger.name)})")}
        if not before:
            create(self._db, ledger)
            return []
        types = {stored.name: stored.sql_type for stored in ledger.table.stored}
        if list(before) == list(ledger.columns) and all(before[name] == types[name] for name in types):
            return []
        ids = self._db.rows(f"SELECT _id, _extra FROM {quoted(ledger.name)} ORDER BY _id")  # noqa: S608
        own = {"_id", *ledger.own}
        changed = any(name not in own and types.get(name) != sql_type for name, sql_type in before.items())
        create(self._db, ledger, existing=[name for name in before if name in own or before[name] == types.get(name)])
        return [(ledger.name, record) for record, extra in ids if changed or extra is not None]

    def _reindex(self, ledgers: Mapping[str, Ledger]) -> None:
        """Make the search keys of every ledger again: what is searched by may have changed."""
        self._db.execute("DELETE FROM _search")
        search = SearchKeys(self._db)
        for ledger in ledgers.values():
            if ledger.searched:
                ids = self._db.rows(f"SELECT _id FROM {quoted(ledger.name)}")  # noqa: S608
                search.refresh(((ledger.name, row[0]) for row in ids), ledgers)

    def _forms_digest(self) -> str:
        """What the ledgers were shaped by: a digest over the forms on the shelf."""
        return hashlib.sha256(json.dumps([EDITION, self._shelf.definitions()]).encode()).hexdigest()

    def cursor(self) -> int:
        """Return the arrival number up to which the ledgers have read the journal."""
        return int(self._value("cursor") or 0)

    def state(self) -> tuple[tuple[str, str], ...]:
        """Return what changes with the ledgers: where it is the same as before, so are they."""
        return tuple(self._db.rows("SELECT key, value FROM _projection ORDER BY key"))

    def _value(self, key: str) -> str | None:
        found = self._db.value("SELECT value FROM _projection WHERE key = ?", (key,))
        return None if found is None else str(found)

    def _remember(self, key: str, value: str) -> None:
        self._db.execute(
            "INSERT INTO _projection (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    # ---- reading

    def record(self, table: str, record: str) -> dict[str, Any] | None:
        """Return a ledger row by SQL column, None where there is none."""
        return next(self.rows(table, "_id", record), None)

    def rows(self, table: str, column: str | None = None, value: object = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of a ledger by `_id`, those where `column` equals `value` if one is named."""
        ledger = self.ledgers[table]
        where = f"WHERE {quoted(column)} = ?" if column is not None else ""
        sql = f"SELECT * FROM {quoted(table)} {where} ORDER BY _id"  # noqa: S608
        for row in self._db.rows(sql, () if column is None else (value,)):
            yield dict(zip(ledger.columns, row, strict=True))

    def labelled(self, table: str, column: str | None = None, value: object = None) -> Iterator[dict[str, Any]]:
        """Yield ledger rows as `rows` does, each with what people call it under `label`."""
        ledger = self.ledgers[table]
        where = f"WHERE {quoted(column)} = ?" if column is not None else ""
        sql = f"SELECT *, {ledger.label_sql()} FROM {quoted(table)} {where} ORDER BY _id"  # noqa: S608
        for row in self._db.rows(sql, () if column is None else (value,)):
            yield dict(zip((*ledger.columns, "label"), row, strict=True))

    def latest(self, table: str, *, author: str, village: str, apart: str = "") -> dict[str, Any] | None:
        """Return the row that an author saved last (`village`: `""` for any), with its `label`; never `apart`."""
        ledger = self.ledgers[table]
        where = "_updated_by = ? AND _id <> ?" + (" AND _village = ?" if village else "")
        sql = (
            f"SELECT *, {ledger.label_sql()} FROM {quoted(table)} WHERE {where} "  # noqa: S608
            "ORDER BY _updated_at DESC, _id DESC LIMIT 1"
        )
        rows = self._db.rows(sql, (author, apart, *([village] if village else [])))
        return next((dict(zip((*ledger.columns, "label"), row, strict=True)) for row in rows), None)

    def written(self, table: str, record: str) -> int:
        """Return how often a record was saved, as far as that is known here."""
        return self._journal.written(record, self.ledgers[table].names)

    def children(self, table: str) -> tuple[Ledger, ...]:
        """Return the ledgers of a table's repeats."""
        return tuple(ledger for ledger in self.ledgers.values() if ledger.parent == table)

    def below(self, table: str) -> dict[str, Ledger]:
        """Return the ledgers of a table's repeats by their key in Answers, and by those they had in older versions."""
        children = self.children(table)
        older = {key: child for child in children for key in child.table.older_keys}
        return {**older, **{child.table.key: child for child in children}}

    def hidden_below(self, table: str, parent: str) -> tuple[str, ...]:
        """Return the deleted rows of a repeat's table that belong to one record."""
        sql = 'SELECT record FROM _hidden WHERE "table" = ? AND parent = ? ORDER BY record'
        return tuple(row[0] for row in self._db.rows(sql, (table, parent)))

    def held(self, table: str, field: str) -> dict[str, int]:
        """Return how many records hold each answer of a field (as text, under any name it ever had); {} for none."""
        ledger = self.ledgers.of(table)
        column = None if ledger is None else ledger.fields.get(ledger.renamed.get(field, field))
        if ledger is None or column is None:
            return {}
        names = [stored.name for stored in column.stored]
        listed = ", ".join(map(quoted, names))
        source, given = quoted(ledger.name), quoted(names[0])
        sql = f"SELECT {listed}, count(*) FROM {source} WHERE {given} IS NOT NULL GROUP BY {listed}"  # noqa: S608
        found: dict[str, int] = {}
        for *values, count in self._db.rows(sql):
            text = text_of(column.load(dict(zip(names, values, strict=True))))
            found[text] = found.get(text, 0) + count
        return found

    def waiting(self) -> dict[str, int]:
        """Return how many records of each table wait for their form's definition."""
        return dict(self._db.rows('SELECT "table", count(*) FROM _waiting GROUP BY "table"'))

    def without_form(self, limit: int) -> tuple[tuple[str, str], ...]:
        """Return the records (table, record) that wait for their form's definition, at most so many."""
        return tuple(self._db.rows('SELECT "table", record FROM _waiting ORDER BY "table", record LIMIT ?', (limit,)))

    def counts(self) -> dict[str, int]:
        """Return how many rows each ledger shows."""
        return {
            name: int(self._db.value(f"SELECT count(*) FROM {quoted(name)}"))  # noqa: S608
            for name in self.ledgers
        }

    def conflicts(self, table: str | None = None, record: str | None = None) -> tuple[Conflict, ...]:
        """Return the conflicts of the station, of a table or of one record."""
        rows = self._db.rows(
            'SELECT "table", record, field, village, shown, candidates FROM conflict WHERE (?1 IS NULL OR "table" = ?1)'
            ' AND (?2 IS NULL OR record = ?2) ORDER BY "table", record, field',
            (table, record),
        )
        return tuple(
            Conflict(name, at, field, village, json.loads(shown), _candidates(candidates))
            for name, at, field, village, shown, candidates in rows
        )

    def outside(self, villages: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Return the records (table, record) that are in none of these villages, and all deleted ones."""
        given = json.dumps(sorted(villages))
        found: list[tuple[str, str]] = []
        for name in self.ledgers:
            sql = f"SELECT _id FROM {quoted(name)} WHERE _village NOT IN (SELECT value FROM json_each(?))"  # noqa: S608
            found += [(name, record) for (record,) in self._db.rows(sql, (given,))]
        found += [(table, record) for table, record in self._db.rows('SELECT "table", record FROM _hidden')]
        return tuple(found)

    def strays(self, records: Mapping[str, Iterable[str]]) -> tuple[Stray, ...]:
        """Return which of these records (by table), and of the rows below them, are not in their record's village."""
        return tuple(strays(self._db, self._journal, self.ledgers, records))

    def naming(self, ledger: Ledger, column: Column, record: str) -> tuple[dict[str, Any], ...]:
        """Return the rows of a ledger whose answer names a record of another: alone, or among several."""
        name = quoted(column.stored[0].name)
        where = f"' ' || {name} || ' ' LIKE ?" if column.multiple else f"{name} = ?"
        sql = f"SELECT * FROM {quoted(ledger.name)} WHERE {where} ORDER BY _id"  # noqa: S608
        rows = self._db.rows(sql, (f"% {record} %" if column.multiple else record,))
        return tuple(dict(zip(ledger.columns, row, strict=True)) for row in rows)

    def duplicates(self) -> Duplicates:
        """Return what looks up suspected duplicates."""
        return Duplicates(self._db, self.ledgers)

    def find(self, text: str, *, table: str | None = None, limit: int = 20) -> tuple[Hit, ...]:
        """Return the records people mean by part of a name, its pinyin or initials, an id's or a phone's tail."""
        return tuple(SearchKeys(self._db).find(text, self.ledgers, table, limit))

    def dump(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield all content in one order: (table or view, row), for comparing two projections."""
        names = self._db.rows(
            "SELECT name, sql, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' "
            "AND name NOT IN ('_projection', '_village_name') ORDER BY name"
        )
        for name, sql, kind in names:
            yield name, (sql,)
            if kind == "view":
                continue
            for row in sorted(self._db.rows(f"SELECT * FROM {quoted(name)}"), key=repr):  # noqa: S608
                yield name, row


def _candidates(text: str) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(each["value"], each["before"], RevisionId(each["station"], each["seq"]), each["time"], each["author"])
        for each in json.loads(text)
    )
