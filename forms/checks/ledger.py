"""Our own columns: privacy, uniqueness, search, standards, map symbols, each with values we know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import Authored, AuthoredRow
from forms.problems import Problem
from forms.standards import STANDARDS
from forms.vocabulary import LEDGER_PREFIX, PRIVACY, SEARCH, UNIQUE, nearest

_GEOMETRY: Final = frozenset({"geopoint", "geotrace", "geoshape"})
_COLOUR: Final = re.compile(r"^#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")
_ALLOWED: Final = {
    "privacy": PRIVACY, "search": SEARCH, "unique": UNIQUE, "standard": tuple(STANDARDS), "carry": ("yes",),
}  # fmt: skip


def check(form: Authored) -> Iterator[Problem]:
    """Check the values of every `ledger::` column."""
    if not any(header.startswith(LEDGER_PREFIX) for header in form.headers.get("survey", ())):
        return
    for row in form.named:
        for column, allowed in _ALLOWED.items():
            yield from _values(row, column, allowed)
        if row.text(f"{LEDGER_PREFIX}map"):
            yield from _map(row)
        if row.text(f"{LEDGER_PREFIX}standard") and row.type.kind == "begin":
            yield row.problem("FORMS_LEDGER_ON_GROUP", f"{LEDGER_PREFIX}standard")
    yield from _confirming(form)
    villages = [row for row in form.named if row.text(f"{LEDGER_PREFIX}standard") == "village"]
    for row in villages[1:]:
        yield row.problem("FORMS_LEDGER_VILLAGE_TWICE", f"{LEDGER_PREFIX}standard", first=villages[0].number)


def _confirming(form: Authored) -> Iterator[Problem]:
    """A reason is a text, and confirms one question that stands beside it and has a rule to break."""
    column = f"{LEDGER_PREFIX}confirms"
    seen: dict[str, AuthoredRow] = {}
    for row in form.named:
        name = row.text(column)
        if not name:
            continue
        beside = [other for other in form.named if other.name == name and other.scope == row.scope]
        rules = ("constraint", "bind::constraint", f"{LEDGER_PREFIX}standard")
        if row.type.name != "text":
            yield row.problem("FORMS_LEDGER_CONFIRMS_TYPE", column, type=row.type.name)
        if not beside:
            yield row.problem("FORMS_LEDGER_CONFIRMS_UNKNOWN", column, name=name)
        elif not any(beside[0].text(rule) for rule in rules):
            yield row.problem("FORMS_LEDGER_CONFIRMS_NOTHING", column, name=name)
        if name in seen:
            yield row.problem("FORMS_LEDGER_CONFIRMS_TWICE", column, name=name, first=seen[name].number)
        seen.setdefault(name, row)


def _values(row: AuthoredRow, column: str, allowed: tuple[str, ...]) -> Iterator[Problem]:
    text = row.text(f"{LEDGER_PREFIX}{column}")
    for word in text.replace(",", " ").split() if column == "search" else [text] if text else []:
        if word in allowed:
            continue
        meant = nearest(word, allowed)
        code = "FORMS_LEDGER_VALUE_MEANT" if meant else "FORMS_LEDGER_VALUE"
        yield row.problem(code, f"{LEDGER_PREFIX}{column}", word=word, allowed=", ".join(allowed), meant=meant)


def _map(row: AuthoredRow) -> Iterator[Problem]:
    """`symbol` or `symbol #rrggbb`, on a question that has a place."""
    column = f"{LEDGER_PREFIX}map"
    if row.type.name not in _GEOMETRY:
        yield row.problem("FORMS_LEDGER_MAP_NO_GEOMETRY", column, "warning", type=row.type.name)
    words = row.text(column).split()
    colours = [word for word in words if word.startswith("#")]
    if len(words) > 2 or any(not _COLOUR.match(word) for word in colours):
        yield row.problem("FORMS_LEDGER_MAP", column)
