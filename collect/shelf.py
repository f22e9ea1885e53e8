"""The shelf of forms a station keeps: definitions from the journal, read once a process, newest version known."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from collect.chain import JournalError
from collect.definitions import MEDIA_SHEET, Definition
from collect.journal import Journal
from collect.ledgers import ledgers_of
from collect.structure import Shapes, shapes_of
from forms.definition import Form
from forms.problems import CunceError, Problem
from forms.sheets import ROW
from forms.tables import Table, tables_of
from forms.xform import read_xform
from forms.xform.searching import with_external_choices


class FormUnknownError(CunceError):
    """A form id or version that this station has no definition of."""


class Shelf:
    """The forms of one journal; other processes may add to it at any time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._keys: tuple[tuple[str, str, str], ...] = ()
        self._forms: dict[str, tuple[Form, ...]] = {}
        self._tables: dict[str, tuple[Table, ...]] = {}
        self._shapes: tuple[dict[str, tuple[Form, ...]], Shapes] | None = None
        self._lock = threading.Lock()

    def definitions(self) -> tuple[tuple[str, str, str], ...]:
        """Return form id, version and digest of everything on the shelf now."""
        return self._journal.form_keys()

    def versions(self, form_id: str) -> tuple[Form, ...]:
        """Return all versions of a form, newest first, empty where there is none."""
        return self.all().get(form_id, ())

    def get(self, form_id: str, version: str | None = None) -> Form:
        """Return a version of a form, the newest where none is named; raises FormUnknownError."""
        for form in self.versions(form_id):
            if version in (None, form.version):
                return form
        context = {"form_id": form_id, "version": version or "", "known": ", ".join(sorted(self.all()))}
        raise FormUnknownError(Problem("COLLECT_FORM_UNKNOWN", context=context))

    def tables(self, form: Form) -> tuple[Table, ...]:
        """Return the tables of a form, root first."""
        if form.digest not in self._tables:
            self._tables[form.digest] = tables_of(form)
        return self._tables[form.digest]

    def shapes(self, also: Iterable[Form] = ()) -> Shapes:
        """Return what revisions of the forms here, and of those given, may hold."""
        forms = self.all()
        held = [version for versions in forms.values() for version in versions]
        others = tuple(also)
        if others:
            return _shapes_of((*held, *others))
        if self._shapes is None or self._shapes[0] is not forms:
            self._shapes = (forms, _shapes_of(held))
        return self._shapes[1]

    def check_tables(self, forms: Iterable[Form]) -> None:
        """Raise JournalError (COLLECT_FORM_TABLE_TAKEN) for every form whose ledgers another form's would share."""
        given = tuple(forms)
        known = [version for versions in self.all().values() for version in versions]
        owners = {name: form for form in (*given, *known) for name in self._names(form)}
        problems = []
        for form in given:
            taken = {owners[name].form_id: name for name in reversed(self._names(form))}
            for other, name in taken.items():
                if other != form.form_id:
                    context = {"form_id": form.form_id, "table": name, "other": other}
                    problems.append(Problem("COLLECT_FORM_TABLE_TAKEN", context=context))
        if problems:
            raise JournalError(problems)

    def _names(self, form: Form) -> list[str]:
        """The names a form takes in the ledgers' file; every table has a view of labels beside it."""
        names = [table.name.lower() for table in self.tables(form)]
        return [*names, *(f"{name}_labels" for name in names)]

    def all(self) -> dict[str, tuple[Form, ...]]:
        """Return all versions of all forms by form id, newest first."""
        keys = self.definitions()
        with self._lock:
            if keys != self._keys:
                self._forms = newest_first(read(definition) for definition in self._journal.forms())
                self._keys = keys
            return self._forms


def _shapes_of(forms: Iterable[Form]) -> Shapes:
    given = tuple(forms)
    renamed = (ledger.names for ledger in ledgers_of(newest_first(given)).values() if len(ledger.names) > 1)
    return shapes_of(given, renamed)


def newest_first(forms: Iterable[Form]) -> dict[str, tuple[Form, ...]]:
    """Return forms by id, each id's versions newest first: numbers in a version count as numbers."""
    by_id: dict[str, list[Form]] = {}
    for form in forms:
        by_id.setdefault(form.form_id, []).append(form)
    return {
        form_id: tuple(sorted(versions, key=lambda form: version_key(form.version), reverse=True))
        for form_id, versions in sorted(by_id.items())
    }


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what versions are ordered by, the same on every station: `10` comes after `9`, `1.10` after `1.9`."""
    pieces = (piece for piece in re.split(r"(\d+)", version) if piece)
    return tuple((1, int(piece), "") if piece.isdecimal() else (0, 0, piece) for piece in pieces)


@lru_cache(maxsize=256)
def _read(xform: str) -> Form:
    return read_xform(xform)


def read(definition: Definition) -> Form:
    """Return the form of a definition, with the settings its author wrote."""
    settings = next(iter(definition.rows.get("settings", ())), {})
    kept = {column: value for column, value in settings.items() if column != ROW}
    form = _read(definition.xform)
    rows = {sheet: given for sheet, given in definition.rows.items() if sheet != MEDIA_SHEET}
    whole = replace(form, rows=rows, digest=definition.digest, settings=kept or form.settings)
    return with_external_choices(whole)
