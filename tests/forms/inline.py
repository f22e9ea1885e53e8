"""Forms written in tests as small tables: `| type | name | label |`, one block a sheet, the sheet's name above."""

from __future__ import annotations

from collections.abc import Iterable
from string import Formatter

from forms.checks import check_rows
from forms.definition import Form
from forms.problems import Problem, message
from forms.reader import read_rows

SETTINGS = {"form_id": "trial", "version": "1"}


def sheets(text: str, **settings: str) -> dict[str, list[dict[str, str]]]:
    """Read sheets from text; a block without a name above it is the survey. Rows count from 2, as in Excel."""
    found: dict[str, list[dict[str, str]]] = {"settings": [{"__row__": "2", **SETTINGS, **settings}]}
    name, header = "survey", []
    for line in filter(None, map(str.strip, text.splitlines())):
        if not line.startswith("|"):
            name, header = line, []
            continue
        cells = [cell.strip().replace("¦", "|") for cell in line.strip("|").split("|")]
        if not header:
            header = cells
            found[name] = []
            continue
        row = {column: cell for column, cell in zip(header, cells, strict=False) if cell}
        found[name].append({"__row__": str(len(found[name]) + 2), **row})
    return found


def form(text: str, **settings: str) -> Form:
    """Read a form from text."""
    return read_rows(sheets(text, **settings))


def checked(text: str, **settings: str) -> list[tuple[str, int | None, str]]:
    """Return code, row and column of every problem of a form's rows."""
    return brief(check_rows(sheets(text, **settings)))


def brief(problems: Iterable[Problem]) -> list[tuple[str, int | None, str]]:
    """Return code (without FORMS_), row and column of problems; every slot of their words must be filled."""
    found = []
    for problem in problems:
        for words in message(problem.code).values():
            slots = {slot for text in words.values() for _, slot, _, _ in Formatter().parse(text) if slot}
            assert slots <= problem.context.keys(), (problem.code, slots)
        found.append((problem.code.removeprefix("FORMS_"), problem.place.row, problem.place.column))
    return found
