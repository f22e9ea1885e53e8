"""Names of questions, groups and repeats: present, valid, unique where they must be, not taken by the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import Authored, AuthoredRow
from forms.checks.characters import odd_characters
from forms.problems import Problem

VALID_NAME: Final = re.compile(r"^[^\W\d][\w.\-]*$")
# Columns of every ledger table, and what XForms keeps for itself.
RESERVED: Final = frozenset(
    {"_id", "_village", "_parent", "_rev", "_updated_at", "_updated_by", "_status", "_extra", "meta", "instanceid"}
)
_NAMELESS: Final = frozenset({"note", "audit"})


def check(form: Authored) -> Iterator[Problem]:
    """Check every name of the survey sheet."""
    if not any(row.name for row in form.named):
        return  # The whole column is missing, which is one fault and not one for every row.
    seen: dict[tuple[int, str], AuthoredRow] = {}
    for row in form.named:
        if not row.name:
            if row.type.name not in _NAMELESS:
                yield row.problem("FORMS_NAME_MISSING", "name", type=row.text("type"), label=row.text("label"))
            continue
        yield from _check_one(row)
        yield from _check_unique(row, seen)


def _check_one(row: AuthoredRow) -> Iterator[Problem]:
    if odd_characters(row.name):
        return
    if not VALID_NAME.match(row.name):
        yield row.problem("FORMS_NAME_INVALID", "name", suggestion=_valid(row.name))
    elif row.name.lower() in RESERVED:
        yield row.problem("FORMS_NAME_RESERVED", "name", suggestion=row.name.strip("_") + "_1")
    elif row.name.startswith("_"):
        yield row.problem("FORMS_NAME_UNDERSCORE", "name", "warning", suggestion=row.name.lstrip("_"))


def _check_unique(row: AuthoredRow, seen: dict[tuple[int, str], AuthoredRow]) -> Iterator[Problem]:
    """Within one group no two rows may share a name; names that differ in case only share a column."""
    first = seen.setdefault((row.scope, row.name.lower()), row)
    if first is row:
        return
    if first.name == row.name:
        yield row.problem("FORMS_NAME_REPEATED", "name", first=first.number)
    else:
        yield row.problem("FORMS_NAME_CASE", "name", "warning", first=first.number, other=first.name)


def _valid(name: str) -> str:
    """A valid name near an invalid one."""
    text = re.sub(r"[^\w.\-]+", "_", name).strip("_.-") or "question"
    return text if VALID_NAME.match(text) else f"q_{text}"
