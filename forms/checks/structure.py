"""Types and nesting: every row has a type that exists, every group and repeat begins and ends."""

from __future__ import annotations

from collections.abc import Iterator

from forms.checks.authored import Authored, AuthoredRow
from forms.checks.characters import odd_characters
from forms.problems import Problem
from forms.vocabulary import SELECTS, nearest_type


def check(form: Authored) -> Iterator[Problem]:
    """Check the survey sheet's types and its begin and end rows."""
    yield from _types(form)
    yield from _nesting(form)


def _types(form: Authored) -> Iterator[Problem]:
    if not any(row.type.kind in ("question", "begin", "unknown") for row in form.survey):
        yield Problem("FORMS_SURVEY_EMPTY", form.survey[0].place if form.survey else form.settings.place)
    for row in form.survey:
        if row.type.kind == "blank" and row.raw.keys() - {"__row__"}:
            if row.name or row.text("label"):
                yield row.problem("FORMS_TYPE_MISSING", "type", label=row.text("label"))
            elif row.cells:
                yield row.problem("FORMS_ROW_IGNORED", "type", "warning")
        elif row.type.kind == "unknown" and not odd_characters(row.text("type")):
            yield _unknown(row)


def _unknown(row: AuthoredRow) -> Problem:
    cell = row.text("type")
    if cell in SELECTS:
        return row.problem("FORMS_TYPE_WITHOUT_LIST", "type", type=cell)
    meant = nearest_type(cell)
    return row.problem("FORMS_TYPE_UNKNOWN_MEANT" if meant else "FORMS_TYPE_UNKNOWN", "type", meant=meant)


def _nesting(form: Authored) -> Iterator[Problem]:
    """Match begins and ends; a wrong end closes what it most likely meant, so that one slip is one fault."""
    stack: list[AuthoredRow] = []
    for row in form.survey:
        if row.type.kind == "begin":
            stack.append(row)
        elif row.type.kind == "end":
            if not stack:
                yield row.problem("FORMS_END_WITHOUT_BEGIN", "type", control=row.type.name)
                continue
            if stack[-1].type.name == row.type.name:
                stack.pop()
                continue
            if any(open_row.type.name == row.type.name for open_row in stack):
                while stack[-1].type.name != row.type.name:
                    yield _unclosed(stack.pop())
                stack.pop()
            else:
                begun = stack.pop()
                yield row.problem(
                    "FORMS_END_OTHER", "type", control=row.type.name, begun=begun.type.name, name=begun.name,
                    begin=begun.number,
                )  # fmt: skip
    for row in stack:
        yield _unclosed(row)


def _unclosed(row: AuthoredRow) -> Problem:
    return row.problem("FORMS_BEGIN_WITHOUT_END", "type", control=row.type.name, name=row.name)
