"""Records of other ledgers that saving a form creates or updates: its entities as entries of the same press."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from collect.journal import Entry
from collect.ledgers import Ledger, Ledgers
from collect.saving import Press, Saving
from collect.seeing import Seeing
from collect.shelf import Shelf
from forms.entities import EntitySave
from forms.problems import Place, Problem

Saves = Sequence[EntitySave]


@dataclass(slots=True)
class EntitySaving:
    """Turns entities into entries for the journal, and gathers what could not be saved (warnings)."""

    ledgers: Ledgers
    shelf: Shelf
    seeing: Seeing
    press: Press
    warnings: list[Problem] = field(default_factory=list)

    def entries(
        self, saves: Saves, before: Saves, village: str, *, origin: tuple[str, str] = ("", "")
    ) -> tuple[Entry, ...]:
        """Return the entries of all entities; of a record saved again only what it says differently than `before`.

        `village`: where a new record belongs whose ledger does not ask. `origin`: table and id of the record that is
        saved: a new record whose ledger asks for one of that table is linked to it. Two entities that mean one record
        are one.
        """
        known = {(save.dataset, save.id): save for save in before}
        joined: dict[tuple[str, str], EntitySave] = {}
        for save in saves:
            key = (save.dataset, save.id)
            old, other = known.get(key), joined.get(key)
            properties = self._named(save)
            if old is not None:
                was = self._named(old)
                properties = {name: value for name, value in properties.items() if was.get(name) != value}
            if other is not None:
                properties = {**other.properties, **properties}
            create = save.create or (other is not None and other.create)
            joined[key] = replace(save, create=create, properties=properties)
        return tuple(entry for save in joined.values() for entry in self._entity(save, village, origin))

    def _entity(self, save: EntitySave, village: str, origin: tuple[str, str]) -> Iterator[Entry]:
        ledger = self.ledgers.of(save.dataset)
        if ledger is None:
            self._warn("COLLECT_ENTITY_NO_LEDGER", save, known=", ".join(self.ledgers))
            return
        changes = self._known(ledger, save)
        saving = Saving(ledger.form, self.shelf.tables(ledger.form), self.ledgers, self.press)
        row = self.seeing.row(ledger.name, save.id, None)
        if row is None and save.create and not ledger.parent:
            given = {name: value for name, value in changes.items() if value is not None}
            links = (c.name for c in ledger.table.columns if c.source == f"{origin[0]}.csv")
            given = {**dict.fromkeys(links, origin[1]), **given}
            yield from saving.entries(given, save.id, None, village)
        elif row is None or row.gone:
            self._warn("COLLECT_ENTITY_NO_RECORD", save)
        else:
            stored = {
                name: value
                for name, value in changes.items()
                if ledger.fields[name].store(value) != ledger.fields[name].store(row.fields.get(name))
            }
            target = str(stored.get(ledger.village_field or "") or row.village)
            if stored:
                yield saving.change(ledger.name, save.id, stored, target, row.heads)
                yield from saving.moved(row, target)

    def _named(self, save: EntitySave) -> dict[str, Any]:
        """The properties with the entity's label, which a ledger keeps under `label` or `name` if it asks that."""
        ledger = self.ledgers.of(save.dataset)
        asked = next((name for name in ("label", "name") if ledger and name in ledger.fields), "")
        label = {asked: save.label} if asked and save.label and asked not in save.properties else {}
        return {**label, **save.properties}

    def _known(self, ledger: Ledger, save: EntitySave) -> dict[str, Any]:
        """The properties under the ledger's own names; what it does not ask is left out with a warning."""
        found, unknown = dict[str, Any](), []
        for name, value in save.properties.items():
            current = ledger.renamed.get(name, name)
            if current in ledger.fields:
                found[current] = value
            elif value is not None:
                unknown.append(name)
        if unknown:
            self._warn("COLLECT_ENTITY_NO_COLUMN", save, columns=", ".join(unknown))
        return found

    def _warn(self, code: str, save: EntitySave, **context: object) -> None:
        about = {"ledger": save.dataset, "label": save.label or save.id, **context}
        self.warnings.append(Problem(code, Place(name=save.dataset), about, "warning"))
