"""Expressions: each is compiled as its author wrote it, so that faults show before anybody fills in the form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from forms.checks.authored import Authored, AuthoredRow, Cell
from forms.checks.characters import odd_in_expression
from forms.checks.references import BROKEN, REFERENCE
from forms.expressions import ExpressionError, Scope, compile_expression
from forms.problems import Problem
from forms.vocabulary import EXPRESSIONS

# Operators of other languages, and what they are here.
_FOREIGN: Final = {"==": "=", "&&": " and ", "||": " or ", "<>": "!="}
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_YES_NO: Final = frozenset({"yes", "no", "true", "false", "true()", "false()"})
_NOWHERE: Final = Scope()


def check(form: Authored, known: Collection[tuple[str, str]] = ()) -> Iterator[Problem]:
    """Compile every expression of the survey sheet, and the settings' instance_name.

    `known`: the (path, column) of those that were compiled already, as they stand in the XForm, and are good.
    """
    for row in form.named:
        for column in EXPRESSIONS:
            for cell in row.cells.get(column, ()) if (row.path, column) not in known else ():
                if cell.text.strip().lower() not in _YES_NO and not odd_in_expression(cell.text):
                    yield from _compiled(row, cell)
    for cell in form.settings.cells.get("instance_name", ()):
        yield from _compiled(form.settings, cell)
    for row in form.questions:
        if row.type.name == "calculate" and not row.text("calculation") and not row.text("default"):
            yield row.problem("FORMS_CALCULATION_MISSING", "calculation")


def _compiled(row: AuthoredRow, cell: Cell) -> Iterator[Problem]:
    source = cell.text.strip()
    if BROKEN.search(source):
        return  # said by the check of references
    bare = _QUOTED.sub("", source)
    foreign = [operator for operator in _FOREIGN if operator in bare]
    if foreign:
        words = {"source": source, "operators": " ".join(foreign), "suggestion": _here(source)}
        yield row.problem("FORMS_EXPRESSION_FOREIGN", cell.column, **words)
        return
    try:
        compile_expression(REFERENCE.sub(_stand_in, source), scope=_NOWHERE)
    except ExpressionError as error:
        place = replace(cell.place, name=row.name)
        yield replace(error.at(place), context={**error.problem.context, "source": source})


def _here(source: str) -> str:
    """An expression with this language's operators, quoted texts left alone."""
    parts = re.split(r"(\"[^\"]*\"|'[^']*')", source)
    for index in range(0, len(parts), 2):
        for foreign, own in _FOREIGN.items():
            parts[index] = re.sub(rf"\s*{re.escape(foreign)}\s*", f" {own.strip()} ", parts[index])
    return "".join(parts)


def _stand_in(match: re.Match[str]) -> str:
    """A path as long as the reference, so that positions in a message are those in the cell."""
    return "x" * len(match[0])
