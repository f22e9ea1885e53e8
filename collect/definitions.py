"""Form definitions as the journal keeps them, and as they travel: XForm, authored rows, media of their labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from collect.blobs import is_name
from collect.chain import JournalError
from collect.database import Connection
from forms.definition import Form
from forms.problems import Problem

MEDIA_SHEET = "media"  # among a definition's rows: the files its labels show, and the blobs they are


@dataclass(frozen=True, slots=True)
class Definition:
    """A form as it is kept and travels: its XForm, and the authored rows it was made from (may be empty)."""

    form_id: str
    version: str
    xform: str
    rows: Mapping[str, tuple[Mapping[str, str], ...]]
    digest: str


class Definitions:
    """The table `form` of `journal.db`, within the caller's transaction."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, form: Form | Definition, now: str) -> bool:
        """Keep a definition (`now`: ISO 8601); return whether it is new. Raises JournalError (COLLECT_FORM_CHANGED)."""
        key = form.form_id, form.version
        known = self._db.value("SELECT digest FROM form WHERE form_id = ? AND version = ?", key)
        if known is not None and known != form.digest:
            context = {"form_id": form.form_id, "version": form.version}
            raise JournalError(Problem("COLLECT_FORM_CHANGED", context=context))
        if known is None:
            rows = json.dumps({name: [dict(row) for row in rows] for name, rows in form.rows.items()})
            self._db.execute(
                "INSERT INTO form (form_id, version, xform, rows, digest, added_at) VALUES (?, ?, ?, ?, ?, ?)",
                (*key, form.xform, rows, form.digest, now),
            )
        elif MEDIA_SHEET in form.rows:
            self._db.execute(
                "UPDATE form SET rows = json_set(rows, '$.media', json(?)) WHERE form_id = ? AND version = ?",
                (json.dumps([dict(row) for row in form.rows[MEDIA_SHEET]]), *key),
            )
        return known is None

    def all(self) -> tuple[Definition, ...]:
        """Return every definition, by form id and version."""
        found = self._db.rows("SELECT form_id, version, xform, rows, digest FROM form ORDER BY form_id, version")
        return tuple(
            Definition(form_id, version, xform, {name: tuple(rows) for name, rows in json.loads(given).items()}, digest)
            for form_id, version, xform, given, digest in found
        )

    def media(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return the media of every definition that has any: form id and version -> file name -> blob."""
        found = self._db.rows(
            "SELECT form_id, version, json_extract(rows, '$.media') FROM form "
            "WHERE json_type(rows, '$.media') = 'array'"
        )
        # A definition may come from anywhere: what is no blob's name is none.
        return {
            (form_id, version): {row["file"]: row["blob"] for row in json.loads(given) if is_name(row.get("blob"))}
            for form_id, version, given in found
        }

    def keys(self) -> tuple[tuple[str, str, str], ...]:
        """Return form id, version and digest of every definition."""
        return tuple(
            (form_id, version, digest)
            for form_id, version, digest in self._db.rows(
                "SELECT form_id, version, digest FROM form ORDER BY form_id, version"
            )
        )
