"""References: every `${name}` names one node, and every trigger a question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from forms.checks.authored import Authored, AuthoredRow, Cell
from forms.problems import Problem
from forms.vocabulary import EXPRESSIONS, TRANSLATED, nearest

REFERENCE: Final = re.compile(r"\$\{(?P<blank>\s*)(?P<saved>last-saved#)?(?P<name>[^${}]*?)\s*\}")
BROKEN: Final = re.compile(r"\$\{(?![^${}]*\})|\$\s+\{|\$\(\s*[\w.\-]+\s*\)|\$[{(]?\s*\}")
# A reference that lacks its $: {name}.
_BRACES: Final = re.compile(r"(?<![${\w])\{\s*(?P<name>[\w.\-]+)\s*\}")
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_WHERE: Final = frozenset(
    {*EXPRESSIONS, *TRANSLATED, "default", "trigger", "parameters", "appearance", "instance_name", "type", "label"}
)
_MADE: Final = frozenset({"instanceID", "instanceName"})


def check(form: Authored) -> Iterator[Problem]:
    """Check the references in every cell of the survey, choices, settings and entities sheets."""
    names = Counter(row.name for row in form.named if row.name)
    known = set(names) | _MADE | set(_generated(form))
    for row in form.rows():
        for cell in row.all_cells():
            # Most cells hold no reference at all.
            if ("$" in cell.text or "{" in cell.text) and (cell.column in _WHERE or cell.row.sheet == "entities"):
                yield from _cell(row, cell, known, names)
    yield from _triggers(form, names)


def _generated(form: Authored) -> Iterator[str]:
    """Names that exist though no row writes them: `or_other`, counts, notes without a name."""
    for row in form.named:
        if row.type.or_other:
            yield f"{row.name}_other"
        if row.text("repeat_count"):
            yield f"{row.name}_count"
        if row.type.name == "audit":
            yield "audit"


def _cell(row: AuthoredRow, cell: Cell, known: set[str], names: Counter[str]) -> Iterator[Problem]:
    # Once a cell is enough where nothing is closed any more.
    for found in islice(BROKEN.finditer(cell.text), 3):
        around = cell.text[max(0, found.start() - 10) : found.end() + 20]
        yield _at(row, cell, "FORMS_REFERENCE_BROKEN", value=around, wanted="${name}")
    if cell.column in EXPRESSIONS:
        for found in _BRACES.finditer(_QUOTED.sub("", cell.text)):
            if found["name"] in known:
                yield _at(row, cell, "FORMS_REFERENCE_BROKEN", value=found[0], wanted=f"${{{found['name']}}}")
    if cell.column == "trigger":
        return
    for found in REFERENCE.finditer(cell.text):
        name = found["name"].strip()
        if not name:
            continue
        reference = found[0]
        plain = f"${{{found['saved'] or ''}{name}}}"
        if reference != plain:
            yield _at(row, cell, "FORMS_REFERENCE_BROKEN", value=reference, wanted=plain)
        if name not in known:
            meant = nearest(name, known, 0.6)
            code = "FORMS_REFERENCE_UNKNOWN_MEANT" if meant else "FORMS_REFERENCE_UNKNOWN"
            yield _at(row, cell, code, value=reference, meant=f"${{{meant}}}" if meant else "")
        elif names[name] > 1:
            yield _at(row, cell, "FORMS_REFERENCE_AMBIGUOUS", value=reference, count=names[name])


def _triggers(form: Authored, names: Counter[str]) -> Iterator[Problem]:
    """A trigger names questions (not groups), and what it sets must be found by its name alone."""
    questions = {row.name for row in form.questions}
    for row in form.questions:
        text = row.text("trigger")
        if not text:
            continue
        found = [match["name"].strip() for match in REFERENCE.finditer(text)]
        if not found:
            yield row.problem("FORMS_TRIGGER_NOT_REFERENCE", "trigger")
        for name in found:
            if name not in questions:
                meant = nearest(name, questions, 0.6)
                code = "FORMS_REFERENCE_UNKNOWN_MEANT" if meant else "FORMS_REFERENCE_UNKNOWN"
                yield row.problem(code, "trigger", value=f"${{{name}}}", meant=f"${{{meant}}}" if meant else "")
            elif names[name] > 1:
                yield row.problem("FORMS_REFERENCE_AMBIGUOUS", "trigger", value=f"${{{name}}}", count=names[name])
        if names[row.name] > 1:
            yield row.problem("FORMS_TRIGGER_TARGET_AMBIGUOUS", "name", count=names[row.name])


def _at(row: AuthoredRow, cell: Cell, code: str, **context: object) -> Problem:
    return Problem(code, replace(cell.place, name=row.name), context)
