"""Labels and translations: what people see has words, in every language of the form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forms.checks.authored import Authored, AuthoredRow
from forms.problems import Place, Problem
from forms.vocabulary import DERIVED, TRANSLATED, UNSEEN

_MANY = 12


def check(form: Authored) -> Iterator[Problem]:
    """Check that questions and choices have labels, and that no language has holes."""
    for row in form.questions:
        if row.type.name in UNSEEN or row.cells.keys() & {"label", "image", "audio", "video", "big-image"}:
            continue
        if row.cells.get("calculation") and not row.cells.get("hint") and row.type.name == "text":
            continue
        if "label" in row.text("appearance").split() or row.text("hint"):
            continue
        # The converter takes what has a calculation or an appearance, and types that bring a hint of their own.
        takes = row.text("calculation") or row.text("appearance") or row.type.name in DERIVED - {"percentage"}
        yield row.problem("FORMS_LABEL_MISSING", "label", "warning" if takes else "error", name=row.name)
    for row in (*form.choices, *form.external_choices):
        if row.name and not row.cells.keys() & {"label", "image", "audio", "video", "big-image"}:
            yield row.problem("FORMS_CHOICE_LABEL_MISSING", "label", "warning", choice=row.name)
    yield from _holes("survey", form.survey, form)
    yield from _holes("choices", form.choices, form)


def _holes(sheet: str, rows: Sequence[AuthoredRow], form: Authored) -> Iterator[Problem]:
    """One problem for each column and language, naming the rows that lack it."""
    languages = list(
        dict.fromkeys(cell.language for row in rows for column in TRANSLATED for cell in row.cells.get(column, ()))
    )
    if len(languages) < 2:
        return
    # A column without a language holds the default language's words.
    default = form.settings.text("default_language")
    for column in sorted(TRANSLATED):
        filled = [
            (row, {cell.language or default for cell in row.cells[column]}) for row in rows if column in row.cells
        ]
        for language in dict.fromkeys(language or default for language in languages):
            lacking = [row.number for row, has in filled if language not in has]
            if lacking:
                some = "、".join(map(str, lacking[:_MANY])) + ("…" if len(lacking) > _MANY else "")
                place = Place(form.file, sheet, lacking[0], f"{column}::{language}" if language else column)
                context = {"language": language or "?", "column": column, "rows": some, "count": len(lacking)}
                yield Problem("FORMS_TRANSLATION_HOLE", place, context, "warning")
