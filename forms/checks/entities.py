"""Entities: what is saved to another ledger names one, and the ledger it names is declared."""

from __future__ import annotations

from collections.abc import Iterator

from forms.checks.authored import Authored
from forms.problems import Problem


def check(form: Authored) -> Iterator[Problem]:
    """Check the entities sheet and the `save_to` column."""
    for row in form.entities:
        if not (row.text("list_name") or row.text("dataset")):
            yield row.problem("FORMS_ENTITY_WITHOUT_LIST", "list_name")
    if form.entities:
        return
    for row in form.named:
        if row.text("save_to"):
            yield row.problem("FORMS_SAVE_TO_WITHOUT_ENTITY", "save_to")
