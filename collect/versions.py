"""Versions of a form side by side: older answers under today's names, and what a newer version may not yet demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collect.journal import Journal
from collect.projection import Projection
from collect.shelf import Shelf
from forms.definition import Form
from forms.tables import table_name
from forms.versions import required_since


class Versions:
    """What a station knows of the versions that its records and drafts were begun in."""

    def __init__(self, journal: Journal, projection: Projection, shelf: Shelf) -> None:
        self._journal, self._projection, self._shelf = journal, projection, shelf

    def carried(self, table: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return answers given in an older version under the names that questions have now; nothing is dropped."""
        ledger = self._projection.ledgers.of(table)
        if ledger is None:
            return dict(answers)
        below = self._projection.below(ledger.name)
        carried: dict[str, Any] = {}
        for name, value in answers.items():
            child = below.get(name)
            if child is not None and isinstance(value, list):
                if name == child.table.key or child.table.key not in answers:
                    carried[child.table.key] = [self.carried(child.name, row) for row in value]
                continue
            now = ledger.renamed.get(name, name)
            if now == name or now not in answers:
                carried[now] = value
        return carried

    def placeable(self, table: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return answers without those to questions that no version of the form asks."""
        ledger = self._projection.ledgers[table]
        below = self._projection.below(table)
        kept: dict[str, Any] = {}
        for name, value in answers.items():
            if name in below:
                kept[name] = [self.placeable(below[name].name, row) for row in value or ()]
            elif name in ledger.fields or name in ledger.renamed or name.startswith("_"):
                kept[name] = value
        return kept

    def excused(self, form: Form, records: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return record (or row) -> paths of questions that must be answered only since after it was begun.

        A record begun before a question was asked, or had to be answered, is no worse than it was: that it is still
        empty is to be followed up and must not be in the way of other changes.
        """
        versions = self._shelf.versions(form.form_id)
        older = {version.version: at for at, version in enumerate(versions) if at}
        if not older:
            return {}
        since: dict[str, frozenset[str]] = {}
        found: dict[str, frozenset[str]] = {}
        for record in records:
            revisions = self._journal.of_record(record)
            begun = revisions[0].version if revisions else form.version
            if begun in older and begun != form.version:
                if begun not in since:
                    since[begun] = required_since(versions[: older[begun] + 1])
                found[record] = since[begun]
        return found

    def said(self, form: Form, name: str) -> str:
        """Return what people call an answer without a place (`member[2]/shoe`): its question's label in its time."""
        *above, field = name.split("/")
        table = table_name(form)
        for step in above:
            key = step.partition("[")[0]
            child = self._projection.below(table).get(key)
            table = "" if child is None else child.name
        ledger = self._projection.ledgers.of(table)
        column = None if ledger is None else ledger.fields.get(ledger.renamed.get(field, field))
        label = "" if column is None else " ".join(column.question.label.plain("").split())
        return f"{label}（{name}）" if label and label != field else name
