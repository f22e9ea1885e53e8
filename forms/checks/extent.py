"""Extents: a form that is larger than any form is refused before it takes all time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from forms.checks.authored import DEEPEST, Authored
from forms.problems import Place, Problem

MOST_ROWS: Final = {"survey": 10_000, "choices": 100_000, "external_choices": 500_000, "entities": 100}
MOST_COLUMNS: Final = 1_000
# Excel's own bound.
LONGEST_CELL: Final = 32_767


def check(form: Authored) -> Iterator[Problem]:
    """Check how many rows and columns a sheet has, how long its cells are, and how deep its groups."""
    counts = {
        "survey": len(form.survey), "choices": len(form.choices), "external_choices": len(form.external_choices),
        "entities": len(form.entities),
    }  # fmt: skip
    for sheet, count in counts.items():
        if count > MOST_ROWS[sheet]:
            place = Place(form.file, sheet)
            yield Problem("FORMS_EXTENT_ROWS", place, {"count": count, "most": MOST_ROWS[sheet]})
    for sheet, headers in form.headers.items():
        if len(headers) > MOST_COLUMNS:
            place = Place(form.file, sheet)
            yield Problem("FORMS_EXTENT_COLUMNS", place, {"count": len(headers), "most": MOST_COLUMNS})
    for row in form.rows():
        for cell in row.all_cells():
            if len(cell.text) > LONGEST_CELL:
                context = {"count": len(cell.text), "most": LONGEST_CELL}
                yield Problem("FORMS_EXTENT_CELL", cell.place, context)
    yield from _depth(form)


def _depth(form: Authored) -> Iterator[Problem]:
    depth = 0
    for row in form.survey:
        depth += (row.type.kind == "begin") - (row.type.kind == "end")
        if depth > DEEPEST:
            yield row.problem("FORMS_EXTENT_DEPTH", "type", most=DEEPEST)
            return
