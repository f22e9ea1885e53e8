"""Undo a press of "save": write the reverse of its changes, where nobody has changed the records since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collect.hlc import moment_of
from collect.journal import Entry
from collect.merge import WITH_PARENT, Contested, known_to, merge
from collect.revision import DELETED, ERASED, PARENT, Revision, Value
from forms.problems import CunceError, Problem

if TYPE_CHECKING:
    from collect.station import Station

Key = tuple[str, str]  # table, record
UNDO, IMPORT = "undo:", "import:"  # what save ids of an undo (then the undone save's id) and of an import begin with
BATCH = 500  # families a transaction


class UndoError(CunceError):
    """A save that cannot be undone; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Press:
    """One press of "save" here: its id, who and when (ISO 8601, UTC), how many records and rows, and the first of them.

    `kind`: created, changed or deleted, by what it did to the first record. `undone`: an undo of it was written.
    """

    save: str
    author: str
    at: str
    records: int
    table: str
    record: str
    kind: str
    undone: bool

    @property
    def undoes(self) -> bool:
        """Whether it is itself an undo (and not the undo of one)."""
        return self.save.count(UNDO) % 2 == 1


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did: records (and rows) put back, and why others (by record) stay as they are."""

    save: str
    records: tuple[Key, ...]
    kept: Mapping[Key, Problem]


def presses(station: Station, *, limit: int = 20) -> tuple[Press, ...]:
    """Return the last saves made on this station, newest first."""
    found = station.journal.presses(limit)
    known = {save for save, *_ in found}
    return tuple(
        Press(save, author, moment_of(time).isoformat(timespec="seconds"), records, first.table, first.record,
              kind_of(first), UNDO + save in known)
        for save, author, time, records, first in found
    )  # fmt: skip


def last_to_undo(station: Station) -> Press | None:
    """Return the latest save here that is no undo and has not been undone, None where there is none among the last."""
    return next((each for each in presses(station, limit=50) if not each.undoes and not each.undone), None)


def kind_of(revision: Revision) -> str:
    """Return what a revision did to its record: created, changed or deleted."""
    if revision.changes.get(DELETED):
        return "deleted"
    return "changed" if revision.parents else "created"


def undo(
    station: Station,
    save: str,
    *,
    author: str,
    partly: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Undone:
    """Write the reverse of a save; itself a save (its id `undo:` and the one undone), which may be undone in turn.

    A record stays where it, or a row below it, was changed since by anyone, or where others refer to what the save
    made. `partly`: then undo the rest (an import); else raise UndoError, and nothing is changed. Raises UndoError
    (COLLECT_UNDO_UNKNOWN, COLLECT_UNDO_CHANGED, COLLECT_UNDO_REFERRED, COLLECT_UNDO_AWAY), DatabaseError.
    Interrupted, it goes on when called again: every batch is whole, and what is back already counts as done.
    """
    station.projection.catch_up()
    made = station.journal.of_save(save)
    if not made:
        raise UndoError(Problem("COLLECT_UNDO_UNKNOWN", context={"save": save}))
    work = _Undoing(station, save, made, author)
    kept = work.refused()
    if kept and not partly:
        raise UndoError(kept.values())
    families = [family for family in work.families.values() if not any(key in kept for key in family)]
    done: list[Key] = []
    for start in range(0, len(families), BATCH):
        batch = families[start : start + BATCH]
        keys = [key for family in batch for key in family if key not in work.back]
        entries = tuple(entry for key in keys for entry in work.reverse(key))
        if entries:
            station.journal.write(entries)
            station.projection.catch_up()
        done += keys
        progress(len(done), len(work.by_record))
    return Undone(UNDO + save, tuple(done), kept)


class _Undoing:
    """One save and how its records stand now. `families`: topmost record of the save -> it and what is below it;
    `back`: those that an earlier, interrupted undo of the same save has put back."""

    def __init__(self, station: Station, save: str, made: Iterable[Revision], author: str) -> None:
        self.station, self.save, self.author = station, save, author
        self.by_record: dict[Key, list[Revision]] = {}
        for revision in made:
            table = station.projection.ledgers.current(revision.table)
            self.by_record.setdefault((table, revision.record), []).append(revision)
        self.parents = {key: self._parent(key) for key in self.by_record}
        self.families: dict[Key, list[Key]] = {}
        for key in self.by_record:
            self.families.setdefault(self._top(key), []).append(key)
        self.back: set[Key] = set()

    def _parent(self, key: Key) -> Key | None:
        """The record above a row that the save touched too."""
        ledger = self.station.projection.ledgers.get(key[0])
        if ledger is None or not ledger.parent:
            return None
        told = next((r.changes[PARENT] for r in self.by_record[key] if PARENT in r.changes), None)
        if told is None:
            history = self._history(key)
            told = next((r.changes[PARENT] for r in history if r.changes.get(PARENT)), None)
        above = ledger.parent, str(told or "")
        return above if above in self.by_record else None

    def _top(self, key: Key) -> Key:
        above = self.parents[key]
        while above is not None:
            key, above = above, self.parents[above]
        return key

    def refused(self) -> dict[Key, Problem]:
        """Say of each record that cannot be put back why."""
        kept: dict[Key, Problem] = {}
        created = {key for key, revisions in self.by_record.items() if not revisions[0].parents}
        for key, revisions in self.by_record.items():
            if self.station.journal.elsewhere.is_away(key[1]):
                kept[key] = Problem("COLLECT_UNDO_AWAY")
                continue
            since = self._since(key, revisions)
            if since is not None:
                kept[key] = self._problem("COLLECT_UNDO_CHANGED", key, since)
        for key in created:
            for row in self._rows_below(key):
                if row not in self.by_record and key not in kept:
                    latest = self._history(row)[-1]
                    kept[key] = self._problem("COLLECT_UNDO_CHANGED", key, latest)
        for key, other in self._referred(created):
            if key not in kept:
                latest = self._history(other)[-1]
                kept[key] = self._problem("COLLECT_UNDO_REFERRED", key, latest)
        return kept

    def _since(self, key: Key, revisions: list[Revision]) -> Revision | None:
        """What was written to a record after the save; None where the save, or its undo, is the last word."""
        heads = self.station.journal.heads(key[1], self._names(key[0]))
        if set(heads) <= {each.id for each in revisions}:
            return None
        history = self._history(key)
        if len(heads) == 1 and _standing(history) == revisions[-1]:
            return None
        newest = [revision for revision in history if revision.id in heads]
        if newest and all(each.save == UNDO + self.save for each in newest):
            self.back.add(key)
            return None
        others = [each for each in newest if each.save != self.save]
        return (others or list(history))[-1]

    def _names(self, table: str) -> tuple[str, ...]:
        """The names by which revisions may call a table."""
        ledger = self.station.projection.ledgers.get(table)
        return (table,) if ledger is None else ledger.names

    def _history(self, key: Key) -> tuple[Revision, ...]:
        return self.station.journal.of_record(key[1], self._names(key[0]))

    def _rows_below(self, key: Key) -> Iterator[Key]:
        projection = self.station.projection
        for child in projection.children(key[0]):
            for row in projection.rows(child.name, "_parent", key[1]):
                yield child.name, row["_id"]

    def _referred(self, created: set[Key]) -> Iterator[tuple[Key, Key]]:
        """Records that the save made and records of other saves that name them: a visit to a new household."""
        tables = {table for table, _ in created}
        current = self.station.projection.ledgers.current
        for ledger in self.station.projection.ledgers.values():
            named = [c for c in ledger.table.columns if c.source]
            columns = [c for c in named if current(c.source.removesuffix(".csv")) in tables]
            if not columns:
                continue
            for row in self.station.projection.rows(ledger.name):
                for column in columns:
                    target = current(column.source.removesuffix(".csv")), str(row.get(column.name) or "")
                    at = ledger.name, row["_id"]
                    if target in created and at not in self.by_record:
                        yield target, at

    def _problem(self, code: str, key: Key, since: Revision) -> Problem:
        row = self.station.projection.record(*key) or {}
        label = next((str(row[name]) for name in ("head_name", "name") if row.get(name)), key[1])
        when = moment_of(since.time).astimezone().strftime("%m-%d %H:%M")
        return Problem(code, context={"record": label, "author": since.author, "when": when})

    def reverse(self, key: Key) -> Iterator[Entry]:
        """The entries that put one record back to what it was before the save; none for one erased by law.

        A conflict that the save settled is open again: each of its values is written, and none knows of the others.
        """
        revisions = self.by_record[key]
        first, last = revisions[0], revisions[-1]
        if any(each.erased or ERASED in each.changes for each in revisions):
            return
        changes: dict[str, Value] = {}
        contested: list[Contested] = []
        village = last.village
        if not first.parents:
            above = self.parents[key]
            follows = above is not None and not self.by_record[above][0].parents
            changes[DELETED] = WITH_PARENT if follows else True
        else:
            history = self._history(key)
            before = merge(replace(each, changes=dict(each.changes)) for each in known_to(history, first.parents))
            if before is None:
                return
            village = before.village
            for name in {name for each in revisions for name in each.changes}:
                changes[name] = before.deleted if name == DELETED else before.fields.get(name)
            contested = [each for each in before.conflicts if each.field in changes]
        now = Entry(
            table=last.table, record=key[1], form=last.form, version=last.version, village=village, changes=changes,
            author=self.author, save=UNDO + self.save, parents=self.station.journal.heads(key[1], self._names(key[0])),
        )  # fmt: skip
        for each in contested:
            others = {one.value for one in each.candidates if one.value != changes[each.field]}
            yield from (replace(now, changes={each.field: value}) for value in others)
        yield now  # last, so that the ledger shows what it showed


def _standing(history: Sequence[Revision]) -> Revision | None:
    """The last revision of a record that was not taken back: undone saves and their undoing cancel each other out."""
    at = len(history) - 1
    while at >= 0 and history[at].save.startswith(UNDO):
        undone = history[at].save.removeprefix(UNDO)
        at = next((n for n, each in enumerate(history[:at]) if each.save == undone), 0) - 1
    return history[at] if at >= 0 else None
