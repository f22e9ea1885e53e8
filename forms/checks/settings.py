"""Settings: the form has an identity, a version, and a default language that its labels have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import Authored
from forms.checks.characters import odd_characters
from forms.checks.names import VALID_NAME
from forms.problems import Place, Problem
from forms.vocabulary import TRANSLATED, nearest

_FORM_ID: Final = re.compile(r"^[^\s/\\:*?\"<>|]+$")


def check(form: Authored) -> Iterator[Problem]:
    """Check the settings sheet."""
    place = form.settings.place
    form_id = form.settings.text("form_id")
    if not form_id:
        yield Problem("FORMS_FORM_ID_MISSING", Place(form.file, "settings", None, "form_id"), {}, "warning")
    elif not odd_characters(form_id) and not _FORM_ID.match(form_id):
        yield form.settings.problem("FORMS_FORM_ID_INVALID", "form_id", suggestion=re.sub(r"\W+", "_", form_id))
    root = form.settings.text("name")
    if root and not VALID_NAME.match(root):
        yield form.settings.problem("FORMS_NAME_INVALID", "name", suggestion="data")
    if not form.settings.text("version"):
        yield Problem("FORMS_VERSION_MISSING", Place(form.file, "settings", place.row, "version"), {}, "warning")
    yield from _default_language(form)


def _default_language(form: Authored) -> Iterator[Problem]:
    default = form.settings.text("default_language")
    languages = list(
        dict.fromkeys(
            cell.language for row in form.survey for column in TRANSLATED for cell in row.cells.get(column, ())
        )
    )
    named = [language for language in languages if language]
    if default and named and default not in named and "" not in languages:
        meant = nearest(default, named, 0.4) or named[0]
        context = {"languages": ", ".join(named), "meant": meant}
        yield form.settings.problem("FORMS_DEFAULT_LANGUAGE", "default_language", "warning", **context)
