"""Appearances: each word is one that some XLSForm client knows for this type of question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import Authored
from forms.problems import Problem
from forms.vocabulary import APPEARANCES, known_appearance, nearest

# A word, or a word with a parenthesis that may hold blanks: ex:app.id(value=${x}), search('file', ...).
_WORD: Final = re.compile(r"[^\s(]+(?:\([^)]*\)+)?")


def check(form: Authored) -> Iterator[Problem]:
    """Check every appearance of questions, groups and repeats."""
    for row in form.named:
        kind = row.type.plain if row.type.plain != "select_one_external" else "select_one"
        if "${" in row.text("appearance"):
            continue
        for word in _WORD.findall(row.text("appearance")):
            if known_appearance(kind, word):
                continue
            meant = nearest(word, APPEARANCES.get(kind, ()))
            code = "FORMS_APPEARANCE_UNKNOWN_MEANT" if meant else "FORMS_APPEARANCE_UNKNOWN"
            yield row.problem(code, "appearance", "warning", word=word, meant=meant, type=kind)
