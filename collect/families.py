"""Families: a record with the rows of its repeats, merged together where a deletion concerns one of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from collect.database import Connection, quoted
from collect.journal import Journal
from collect.ledgers import Ledger, Ledgers, about_merged
from collect.merge import WITH_PARENT, Candidate, Contested, Merged, merge
from collect.revision import APART, DELETED, PARENT

Key = tuple[str, str]  # table, record


@dataclass(slots=True)
class Member:
    """A record within its family, and how it stands there.

    `alive`: not deleted, or its deletion is in conflict. `held`: deleted, but a row below it is alive, so that its
    deletion is in conflict with that row.
    """

    key: Key
    merged: Merged
    children: list[Member] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        return self.merged.deleted is None

    @property
    def held(self) -> bool:
        return not self.alive and any(child.alive or child.held for child in self.children)

    @property
    def follows(self) -> bool:
        return self.merged.deleted == WITH_PARENT

    def conflicts(self) -> tuple[Contested, ...]:
        """Its conflicts, with that of a deletion against rows which its author did not know of."""
        if not self.held:
            return self.merged.conflicts
        kept = [child for child in self.children if child.alive or child.held]
        edits = tuple(
            Candidate(None, None, child.merged.latest.id, child.merged.latest.time, child.merged.latest.author)
            for child in kept
        )
        by_time = sorted((*self.merged.deletions, *edits), key=lambda each: (each.time, each.revision))
        return (*self.merged.conflicts, Contested(DELETED, None, tuple(by_time)))


class Families:
    """Projects records by merging their whole history; `touched` collects what was written."""

    def __init__(self, db: Connection, journal: Journal, ledgers: Ledgers, upto: int) -> None:
        self._db, self._journal, self._ledgers, self._upto = db, journal, ledgers, upto
        self._merged: dict[Key, Merged | None] = {}
        self._children = {
            name: [child for child, ledger in ledgers.items() if ledger.parent == name] for name in ledgers
        }
        self.touched: dict[Key, None] = {}

    def settle(self, keys: Mapping[Key, None]) -> None:
        """Merge and write these records, each with its family where a deletion concerns it."""
        roots: dict[Key, None] = {}
        below: dict[Key, dict[Key, None]] = {}
        for key in (*keys, *self._erase(keys)):
            merged = self.merged(key)
            if merged is None or merged.erased:
                continue
            for parent in self._parents(key, merged):
                below.setdefault(parent, {})[key] = None
            if self._concerned(key, merged):
                roots.update(dict.fromkeys(self._roots(key, merged)))
            else:
                self._write(key, merged, "conflict" if merged.conflicts else "ok", merged.conflicts)
        for root in roots:
            member = self._family(root, below, set())
            if member is not None:
                self._write_family(member, visible_above=True, contested_above=False)

    def _erase(self, keys: Iterable[Key]) -> dict[Key, None]:
        """Take out what was erased, and return the records above: a deletion may have waited for the row below."""
        above: dict[Key, None] = {}
        for key in keys:
            merged = self.merged(key)
            if merged is None:  # it left
                self._remove(key)
            elif merged.erased:
                above.update(dict.fromkeys(self._parents(key, merged)))
                self._remove(key)
        return above

    def merged(self, key: Key) -> Merged | None:
        """What a record comes to, None where nothing of it is here."""
        if key not in self._merged:
            self._merged[key] = merged_record(self._journal, self._ledgers[key[0]], key[1], self._upto)
        return self._merged[key]

    def _parents(self, key: Key, merged: Merged) -> Iterator[Key]:
        """The record above, and the one it stood under before."""
        table = self._ledgers[key[0]].parent
        if table:
            before = self._db.rows(
                f"SELECT _parent FROM {quoted(key[0])} WHERE _id = ? UNION "  # noqa: S608
                'SELECT parent FROM _hidden WHERE "table" = ? AND record = ?',
                (key[1], *key),
            )
            for parent in {merged.fields.get(PARENT), *(row[0] for row in before)}:
                if isinstance(parent, str):
                    yield table, parent

    def _concerned(self, key: Key, merged: Merged) -> bool:
        """Whether a deletion, here, above or below, has a say in whether this record is to be seen."""
        if merged.deleted is not None or any(conflict.field == DELETED for conflict in merged.conflicts):
            return True
        # What stands there still: a deletion that has just been settled concerned the rows below as well.
        standing = self._db.value(
            'SELECT 1 FROM _hidden WHERE parent = ?2 OR ("table" = ?1 AND record = ?2) UNION ALL '
            """SELECT 1 FROM conflict WHERE "table" = ?1 AND record = ?2 AND field = '_deleted' LIMIT 1""",
            key,
        )
        if standing is not None:
            return True
        return any(self._deleted_or_contested(parent) for parent in self._parents(key, merged))

    def _deleted_or_contested(self, key: Key) -> bool:
        status = self._db.value(f"SELECT _status FROM {quoted(key[0])} WHERE _id = ?", (key[1],))  # noqa: S608
        return bool(status != "ok")

    def _roots(self, key: Key, merged: Merged) -> Iterator[Key]:
        """The topmost known records above one: two while it moves from one to another, itself where that isn't here."""
        seen = {key}
        stack = [(key, merged)]
        while stack:
            at, its = stack.pop()
            above = [(parent, self.merged(parent)) for parent in self._parents(at, its)]
            known = [(parent, found) for parent, found in above if found is not None]
            fresh = [(parent, found) for parent, found in known if parent not in seen]
            seen.update(parent for parent, _ in fresh)
            stack += fresh
            if not fresh or its.fields.get(PARENT) not in {parent[1] for parent, _ in known}:
                yield at

    def _family(self, key: Key, below: Mapping[Key, dict[Key, None]], seen: set[Key]) -> Member | None:
        """A record with everything under it; `below`: rows that are not written yet."""
        merged = self.merged(key)
        if merged is None or key in seen:
            return None
        seen.add(key)
        keys = dict.fromkeys(below.get(key, ()))
        for table in self._children[key[0]]:
            rows = self._db.rows(
                f"SELECT _id FROM {quoted(table)} WHERE _parent = ? UNION "  # noqa: S608
                'SELECT record FROM _hidden WHERE "table" = ? AND parent = ? ORDER BY 1',
                (key[1], table, key[1]),
            )
            keys.update(dict.fromkeys((table, row[0]) for row in rows))
        member = Member(key, merged)
        for child in sorted(keys):
            its = self.merged(child)
            if its is not None and its.fields.get(PARENT) == key[1]:
                found = self._family(child, below, seen)
                if found is not None:
                    member.children.append(found)
        return member

    def _write_family(self, member: Member, *, visible_above: bool, contested_above: bool) -> None:
        """Write a record and everything under it, as shown or as hidden."""
        visible = member.alive or member.held or (member.follows and visible_above)
        conflicts = member.conflicts()
        own_deletion = any(conflict.field == DELETED for conflict in conflicts)
        contested = bool(conflicts) or (contested_above and visible)
        if visible:
            self._write(member.key, member.merged, "conflict" if contested else "ok", conflicts)
        else:
            self._hide(member)
        for child in member.children:
            self._write_family(child, visible_above=visible, contested_above=own_deletion)

    def _write(self, key: Key, merged: Merged, status: str, conflicts: Iterable[Contested]) -> None:
        """Put a row into its ledger and its conflicts into the queue."""
        table, record = key
        ledger = self._ledgers[table]
        self._remove(key)
        self._db.execute(ledger.insert_sql, ledger.row(record, merged.fields, about_merged(merged, status)))
        self._db.executemany(
            'INSERT INTO _apart ("table", one, other) VALUES (?, ?, ?)',
            ((table, record, name.removeprefix(APART)) for name in merged.fields if name.startswith(APART)),
        )
        self._db.executemany(
            'INSERT INTO conflict ("table", record, field, village, shown, candidates) VALUES (?, ?, ?, ?, ?, ?)',
            (
                (table, record, each.field, merged.village, json_text(each.shown), candidates_text(each.candidates))
                for each in conflicts
            ),
        )

    def _hide(self, member: Member) -> None:
        """Take a row out of its ledger, remembering where it belongs."""
        self._remove(member.key)
        parent = member.merged.fields.get(PARENT)
        self._db.execute(
            'INSERT INTO _hidden ("table", record, parent) VALUES (?, ?, ?)',
            (*member.key, parent if isinstance(parent, str) else ""),
        )

    def _remove(self, key: Key) -> None:
        table, record = key
        self._db.execute(f"DELETE FROM {quoted(table)} WHERE _id = ?", (record,))  # noqa: S608
        self._db.execute('DELETE FROM conflict WHERE "table" = ? AND record = ?', key)
        self._db.execute('DELETE FROM _hidden WHERE "table" = ? AND record = ?', key)
        self._db.execute('DELETE FROM _apart WHERE "table" = ? AND one = ?', key)
        self.touched[key] = None


def merged_record(journal: Journal, ledger: Ledger, record: str, upto: int | None = None) -> Merged | None:
    """Merge a record's revisions under the names its fields have now; None where there are none."""
    revisions = journal.of_record(record, ledger.names, upto=upto)
    if ledger.renamed:
        revisions = tuple(replace(each, changes=ledger.current(each.changes)) for each in revisions)
    return merge(revisions)


def json_text(value: object) -> str:
    """Return a value as JSON text."""
    return json.dumps(value, ensure_ascii=False)


def candidates_text(candidates: Iterable[Candidate]) -> str:
    """Return candidates as the column `conflict.candidates` holds them."""
    return json_text(
        [
            {
                "value": each.value,
                "before": each.before,
                "station": each.revision.station,
                "seq": each.revision.seq,
                "time": each.time,
                "author": each.author,
            }
            for each in candidates
        ]
    )
