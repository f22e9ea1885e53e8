"""Applying a batch of revisions to the ledgers: in bulk where they are new or plain, by merging where they are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collect.database import Connection, quoted
from collect.families import Families, Key
from collect.journal import Journal
from collect.ledgers import About, Ledger, Ledgers, about, heads_of
from collect.revision import DELETED, ERASED, PARENT, Revision, RevisionId, Value
from collect.search import SearchKeys

_CHUNK = 500


@dataclass(slots=True)
class _State:
    """A row as it stands: its heads, and whether a revision on top of them may be written straight into it."""

    heads: tuple[RevisionId, ...]
    plain: bool


@dataclass(slots=True)
class _Pending:
    """What revisions of this batch change in a row, and the last of them."""

    fields: Mapping[str, Value]
    last: Revision


@dataclass(slots=True)
class Plan:
    """What a batch comes to: rows to insert, rows to update, records to merge, records whose ledger is unknown."""

    inserts: dict[Key, _Pending] = field(default_factory=dict)
    updates: dict[Key, _Pending] = field(default_factory=dict)
    merges: dict[Key, None] = field(default_factory=dict)
    waiting: dict[Key, None] = field(default_factory=dict)


def plan(revisions: Iterable[Revision], ledgers: Ledgers, states: dict[Key, _State]) -> Plan:
    """Sort a batch (in order of arrival) into what can be done in bulk and what must be merged.

    `states`: the rows that stand already; changed on the way. A revision is plain when its parents are exactly the
    row's heads, nothing is in conflict there, and it neither deletes nor moves nor answers an unknown question.
    """
    result = Plan()
    for revision in revisions:
        ledger = ledgers.of(revision.table)
        key = (revision.table if ledger is None else ledger.name, revision.record)
        if ledger is None:
            result.waiting[key] = None
        elif key not in result.merges and not _planned(revision, key, ledger, states, result):
            result.merges[key] = None
            result.inserts.pop(key, None)
            result.updates.pop(key, None)
    return result


def _planned(revision: Revision, key: Key, ledger: Ledger, states: dict[Key, _State], result: Plan) -> bool:
    """Take a revision into the plan as an insert or update; False where it has to be merged."""
    changes = ledger.current(revision.changes)
    state = states.get(key)
    if DELETED in changes or ERASED in changes or revision.erased:
        return False
    if state is None:
        if revision.parents:
            return False
        result.inserts[key] = _Pending(changes, revision)
        states[key] = _State((revision.id,), True)
        return True
    if not state.plain or state.heads != tuple(sorted(revision.parents)) or not ledger.knows(changes):
        return False
    pending = result.inserts.get(key) or result.updates.setdefault(key, _Pending({}, revision))
    pending.fields = {**pending.fields, **changes}
    pending.last = revision
    state.heads = (revision.id,)
    return True


class Applier:
    """Applies batches inside the caller's transaction."""

    def __init__(self, db: Connection, journal: Journal, ledgers: Ledgers) -> None:
        self._db, self._journal, self._ledgers = db, journal, ledgers
        self._search = SearchKeys(db)

    def apply(self, revisions: Sequence[Revision], upto: int) -> None:
        """Apply revisions in order of arrival; `upto`: the arrival number of the last."""
        sorted_out = plan(revisions, self._ledgers, self._states(revisions))
        self._db.executemany('INSERT OR IGNORE INTO _waiting ("table", record) VALUES (?, ?)', sorted_out.waiting)
        self._insert(sorted_out.inserts)
        self._update(sorted_out.updates)
        families = Families(self._db, self._journal, self._ledgers, upto)
        families.settle({**sorted_out.merges, **self._without_parent(sorted_out.inserts)})
        touched = {**dict.fromkeys(sorted_out.inserts), **dict.fromkeys(sorted_out.updates), **families.touched}
        self._search.refresh(touched, self._ledgers)

    def merge(self, keys: Iterable[Key], upto: int) -> None:
        """Project records anew from their whole history up to an arrival number."""
        families = Families(self._db, self._journal, self._ledgers, upto)
        families.settle(dict.fromkeys(keys))
        self._search.refresh(families.touched, self._ledgers)

    def _states(self, revisions: Iterable[Revision]) -> dict[Key, _State]:
        """The rows, visible or hidden, of the records that a batch is about."""
        records: dict[str, dict[str, None]] = {}
        for revision in revisions:
            ledger = self._ledgers.of(revision.table)
            if ledger is not None:
                records.setdefault(ledger.name, {})[revision.record] = None
        found: dict[Key, _State] = {}
        anything_hidden = self._db.value("SELECT 1 FROM _hidden LIMIT 1") is not None
        for table, ids in records.items():
            if self._db.value(f"SELECT 1 FROM {quoted(table)} LIMIT 1") is None and not anything_hidden:  # noqa: S608
                continue
            for record, rev, status in _selected(
                self._db, f"SELECT _id, _rev, _status FROM {quoted(table)} WHERE _id IN", ids  # noqa: S608
            ):
                found[(table, record)] = _State(heads_of(rev), status == "ok")
            hidden = 'SELECT record FROM _hidden WHERE "table" = ? AND record IN'
            for (record,) in _selected(self._db, hidden, ids if anything_hidden else (), table):
                found[(table, record)] = _State((), False)
        return found

    def _insert(self, inserts: Mapping[Key, _Pending]) -> None:
        """Insert new rows, a table at a time."""
        rows: dict[str, list[tuple[str, Mapping[str, Value], About]]] = {}
        for (table, record), pending in inserts.items():
            rows.setdefault(table, []).append((record, pending.fields, about(pending.last)))
        for table, given in rows.items():
            ledger = self._ledgers[table]
            self._db.executemany(ledger.insert_sql, ledger.rows(given))

    def _update(self, updates: Mapping[Key, _Pending]) -> None:
        """Update changed columns only, grouped by which columns changed (never NULL into the ones left out)."""
        grouped: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = {}
        for (table, record), pending in updates.items():
            ledger = self._ledgers[table]
            columns = [ledger.fields[name] for name in sorted(pending.fields)]
            names = tuple(stored.name for column in columns for stored in column.stored)
            values = [value for column in columns for value in column.store(pending.fields[column.name])]
            said = about(pending.last)
            values += [said.village, said.rev, said.updated_at, said.updated_by, record]
            grouped.setdefault((table, names), []).append(values)
        for (table, names), rows in grouped.items():
            set_to = ", ".join(f"{quoted(n)} = ?" for n in (*names, "_village", "_rev", "_updated_at", "_updated_by"))
            self._db.executemany(f"UPDATE {quoted(table)} SET {set_to} WHERE _id = ?", rows)  # noqa: S608

    def _without_parent(self, inserts: Mapping[Key, _Pending]) -> dict[Key, None]:
        """New rows whose parent is hidden or in conflict: their coming may bring it back."""
        wanted: dict[str, dict[str, list[Key]]] = {}
        for key, pending in inserts.items():
            parent_table = self._ledgers[key[0]].parent
            parent = pending.fields.get(PARENT)
            if parent_table and isinstance(parent, str) and (parent_table, parent) not in inserts:
                wanted.setdefault(parent_table, {}).setdefault(parent, []).append(key)
        found: dict[Key, None] = {}
        for table, parents in wanted.items():
            hidden = 'SELECT record FROM _hidden WHERE "table" = ? AND record IN'
            contested = f"SELECT _id FROM {quoted(table)} WHERE _status <> ? AND _id IN"  # noqa: S608
            for sql, first in ((hidden, table), (contested, "ok")):
                for (parent,) in _selected(self._db, sql, parents, first):
                    found.update(dict.fromkeys(parents[parent]))
        return found


def _selected(db: Connection, sql: str, ids: Iterable[str], *first: str) -> Iterator[tuple[Any, ...]]:
    """Run a query that ends in `IN` over any number of ids."""
    wanted = list(ids)
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        yield from db.rows(f"{sql} ({', '.join('?' * len(part))})", (*first, *part))
