"""From answers to revisions: what changed since the author looked, in the record and in each repeat's rows (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collect.journal import Entry
from collect.ledgers import Ledger, Ledgers
from collect.merge import WITH_PARENT
from collect.revision import DELETED, PARENT, RevisionId, Value
from forms.definition import Form
from forms.problems import CunceError, Place, Problem
from forms.tables import Table

Answers = Mapping[str, Any]


class SaveError(CunceError):
    """Answers that cannot be saved: unknown questions, no village, or a record that is not there."""


@dataclass(frozen=True, slots=True)
class SeenRow:
    """A row as its author saw it: its answers, its heads, its village; `gone`: it had been deleted by then.

    `above`: the record it stood under, where that is to change; `fresh`: it is not there yet, but rows will move to it.
    """

    fields: Mapping[str, Value]
    heads: tuple[RevisionId, ...]
    village: str
    gone: bool = False
    rows: Mapping[str, Mapping[str, SeenRow]] = field(default_factory=dict)  # child table -> record -> row
    above: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """One press of "save": who pressed it and under what id; `new_id` makes ids of new rows."""

    author: str
    save: str
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Saving:
    """Turns one record's answers into entries for the journal; `tables`: those of the form."""

    form: Form
    tables: Sequence[Table]
    ledgers: Ledgers
    press: Press

    def entries(self, answers: Answers, record: str, seen: SeenRow | None, village: str | None) -> tuple[Entry, ...]:
        """Return the entries of a record, root first; none where nothing changed.

        `seen`: the record as the author saw it, None for a new one. `village`: for forms without a village question.
        Raises SaveError with every question that is not in the form, and for a record without village.
        """
        tables = self.tables
        problems = list(self._unknown(tables[0].name, answers))
        if problems:
            raise SaveError(problems)
        asked = self.ledgers[tables[0].name].village_field
        found = answers.get(asked) if asked else None
        code = str(found or village or (seen.village if seen else "") or "")
        if not code:
            raise SaveError(Problem("COLLECT_VILLAGE_MISSING", context={"form": self.form.title or self.form.form_id}))
        return tuple(self._row(tables[0], tables, answers, record, seen=seen, village=code, above=None))

    def _row(
        self,
        table: Table,
        tables: Sequence[Table],
        answers: Answers,
        record: str,
        *,
        seen: SeenRow | None,
        village: str,
        above: str | None,
    ) -> Iterator[Entry]:
        """Entries of one row and of what is below it."""
        changes = self._changes(table, answers, seen)
        if above is not None and (seen is None or seen.above not in ("", above)):
            changes[PARENT] = above
        if seen is not None and seen.gone:
            changes[DELETED] = None
        if seen is None or seen.fresh or changes or seen.village != village:
            yield self._entry(table.name, record, village, changes, () if seen is None else seen.heads)
        for child in self._children(table, answers):
            ledger = self.ledgers[self.ledgers.current(child.name)]
            known = {} if seen is None else seen.rows.get(ledger.name, {})
            keys = (child.key, ledger.table.key, *ledger.table.older_keys)
            given = next((answers[key] for key in keys if key in answers), None) or ()
            yield from self._rows(child, tables, given, parent=record, known=known, village=village)

    def _children(self, table: Table, answers: Answers) -> Iterator[Table]:
        """The repeats of the form, and those of its other versions that the answers speak of."""
        own = {self.ledgers.current(child.name) for child in self.tables}
        yield from (child for child in self.tables if child.parent == table.name)
        above = self.ledgers.current(table.name)
        others = (ledger.table for name, ledger in self.ledgers.items() if ledger.parent == above and name not in own)
        yield from (other for other in others if not answers.keys().isdisjoint((other.key, *other.older_keys)))

    def _rows(
        self,
        table: Table,
        tables: Sequence[Table],
        given: Sequence[Answers],
        *,
        parent: str,
        known: Mapping[str, SeenRow],
        village: str,
    ) -> Iterator[Entry]:
        """Entries of a repeat's rows: changed ones, new ones, and those the author took away."""
        kept = set()
        for answers in given:
            record = str(answers.get("_id") or self.press.new_id())
            kept.add(record)
            yield from self._row(
                table, tables, answers, record, seen=known.get(record), village=village, above=parent
            )
        for record, seen in known.items():
            if record not in kept and not seen.gone:
                yield from self.deletion(table.name, record, seen, True)

    def _changes(self, table: Table, answers: Answers, seen: SeenRow | None) -> dict[str, Value]:
        """The fields whose answers are not what the author saw, compared as the ledger stores them.

        Questions of other versions count where the answers speak of them; where they do not, they stay as they are.
        """
        ledger = self.ledgers[self.ledgers.current(table.name)]
        own = {column.name for column in table.columns}
        if seen is None and ledger.fields.keys() == own and not (ledger.renamed or any(c.was for c in table.columns)):
            given = ((column.name, answers.get(column.name)) for column in table.columns)
            return {name: value for name, value in given if value is not None and value != ""}
        others = (c for c in ledger.table.columns if c.name not in own and c.was not in own and c.name in answers)
        changes: dict[str, Value] = {}
        for column in (*table.columns, *others):
            now = ledger.renamed.get(column.name, column.name)
            new = next((answers[name] for name in (column.name, now, column.was) if name in answers), None)
            new = None if new == "" else new
            if seen is None:
                if new is not None:
                    changes[column.name] = new
                continue
            old = seen.fields.get(now)
            if new != old and column.store(new) != column.store(old):
                changes[column.name] = new
        return changes

    def deletion(self, table: str, record: str, seen: SeenRow, value: Value) -> Iterator[Entry]:
        """Entries that delete a row (`value`: true) and, with it, all that is below it."""
        yield self._entry(table, record, seen.village, {DELETED: value}, seen.heads)
        for child, rows in seen.rows.items():
            for row_id, row in rows.items():
                if not row.gone:
                    yield from self.deletion(child, row_id, row, WITH_PARENT)

    def moved(self, seen: SeenRow, village: str) -> Iterator[Entry]:
        """Entries that take the rows below a record along to another village."""
        for child, rows in seen.rows.items():
            for row_id, row in rows.items():
                if row.village != village:
                    yield self._entry(child, row_id, village, {}, row.heads)
                yield from self.moved(row, village)

    def of(self, ledger: Ledger) -> Saving:
        """Return the saver of another ledger's form for the same press."""
        return replace(self, form=ledger.form)

    def change(
        self, table: str, record: str, changes: Mapping[str, Value], village: str, parents: tuple[RevisionId, ...]
    ) -> Entry:
        """Return the entry of given changes to one row."""
        return self._entry(table, record, village, changes, parents)

    def _unknown(self, table: str, answers: Answers) -> Iterator[Problem]:
        """Answers to questions that no version of the form asks."""
        ledger = self.ledgers[self.ledgers.current(table)]
        children = [child for child in self.ledgers.values() if child.parent == ledger.name]
        below = {key: child.name for child in children for key in (*child.table.older_keys, child.table.key)}
        for name, value in answers.items():
            if name in below:
                for row in value or ():
                    yield from self._unknown(below[name], row)
            elif not (name in ledger.fields or name in ledger.renamed or name.startswith("_") or value in (None, "")):
                context = {"form": self.form.form_id, "value": value}
                yield Problem("COLLECT_QUESTION_UNKNOWN", Place(name=name), context)

    def _spelled(self, table: str) -> str:
        """What the form's own version calls a table: stations that know no newer version know it by that name."""
        if not self.ledgers.older:
            return table
        return next((own.name for own in self.tables if self.ledgers.current(own.name) == table), table)

    def _entry(
        self, table: str, record: str, village: str, changes: Mapping[str, Value], parents: tuple[RevisionId, ...]
    ) -> Entry:
        return Entry(
            table=self._spelled(table), record=record, form=self.form.form_id, version=self.form.version,
            village=village, changes=changes, author=self.press.author, save=self.press.save, parents=parents,
        )  # fmt: skip
