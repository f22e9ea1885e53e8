"""Checks of a form's rows, one family of rules a module; every fault at once, each with its place and its fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from forms.checks import (
    appearances,
    characters,
    choices,
    columns,
    entities,
    expressions,
    extent,
    labels,
    ledger,
    names,
    parameters,
    references,
    settings,
    structure,
)
from forms.checks.authored import Authored, read_authored
from forms.problems import Problem
from forms.sheets import Row

_FAMILIES: Final[tuple[Callable[[Authored], Iterator[Problem]], ...]] = (
    settings.check,
    columns.check,
    structure.check,
    characters.check,
    names.check,
    choices.check,
    references.check,
    expressions.check,
    parameters.check,
    appearances.check,
    labels.check,
    ledger.check,
    entities.check,
)
# Of one family; nobody mends more at one sitting.
MOST: Final = 2_000
_SHEET_ORDER: Final = ("settings", "survey", "choices", "external_choices", "entities")


def check_rows(sheets: Mapping[str, Sequence[Row]], file: str = "") -> tuple[Problem, ...]:
    """Return every problem of a form's rows, errors and warnings, in the order of sheets and rows.

    `sheets`: sheet -> rows of column -> text, each with its row number under `__row__`.
    """
    return check_authored(read_authored(sheets, file))


def check_authored(form: Authored, *, compiling: bool = True) -> tuple[Problem, ...]:
    """Return every problem of rows that were read; as `check_rows`.

    `compiling`: whether expressions are tried out, which takes longer than all the rest.
    """
    too_large = tuple(extent.check(form))
    if too_large:
        return too_large
    families = _FAMILIES if compiling else tuple(family for family in _FAMILIES if family is not expressions.check)
    found = (problem for family in families for problem in islice(family(form), MOST))
    once = {(problem.code, problem.place, str(problem.context)): problem for problem in found}
    return tuple(sorted(once.values(), key=_order))


def _order(problem: Problem) -> tuple[int, int, int]:
    sheet = problem.place.sheet
    place = _SHEET_ORDER.index(sheet) if sheet in _SHEET_ORDER else len(_SHEET_ORDER)
    return (problem.severity == "warning", place, problem.place.row or 0)
