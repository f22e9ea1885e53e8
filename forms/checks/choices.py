"""Choice lists: there, not empty, without duplicates, used; filters name columns that exist."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import Authored, AuthoredRow
from forms.problems import Problem
from forms.vocabulary import CHOICES_COLUMNS, EXPRESSIONS, nearest

_QUOTED_OR_REFERENCE: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\$\{[^}]*\}")
# A bare name: no function, no axis or prefix, no step of a path, no variable.
_BARE_NAME: Final = re.compile(r"(?<![\w.\-/$@:])[^\W\d][\w.\-]*(?![\w.\-]*\s*(?:\(|::|:))")
# ${a} = 'x', ${a} != 2, selected(${a}, 'x')
_COMPARED: Final = re.compile(
    r"(?:\$\{(?P<name>[^${}\s]+)\}\s*!?=|selected\s*\(\s*\$\{(?P<selected>[^${}\s]+)\}\s*,)"
    r"\s*(?:(?P<quote>['\"])(?P<text>[^'\"]+)(?P=quote)|(?P<code>\d+)\b(?!\.))\s*(?![\s*+\-])"
)
_SHOWN: Final = 12
_OPERATORS: Final = frozenset({"and", "or", "div", "mod"})
_FILES: Final = (".csv", ".xml", ".geojson")


def check(form: Authored) -> Iterator[Problem]:
    """Check the choices sheets and every select's use of them."""
    lists, external = form.lists(), form.lists(external=True)
    yield from _rows(form)
    used: set[str] = set()
    for row in form.questions:
        if not row.type.is_select:
            continue
        own = external if row.type.name == "select_one_external" else lists
        used.add(row.type.list_name)
        yield from _list_of(row, own)
        yield from _filter(row, own)
    yield from _compared(form, lists)
    used |= {_parameter(row, "tick_labelset") for row in form.questions if row.type.name == "range"}
    used |= {row.type.list_name for row in form.survey if row.type.name == "loop"}
    for name, rows in {**lists, **external}.items():
        if name and name not in used:
            yield rows[0].problem("FORMS_LIST_UNUSED", "list_name", "warning", list=name)


def _rows(form: Authored) -> Iterator[Problem]:
    """Each choice on its own, and twice the same within a list."""
    allowed = form.settings.text("allow_choice_duplicates").lower() in ("yes", "true")
    multiple = {row.type.list_name for row in form.questions if row.type.plain in ("select_multiple", "rank")}
    for sheet in (form.choices, form.external_choices):
        seen: dict[tuple[str, str], AuthoredRow] = {}
        for row in sheet:
            list_name = row.text("list_name")
            if not list_name:
                if row.name or row.text("label"):
                    yield row.problem("FORMS_CHOICE_WITHOUT_LIST", "list_name", choice=row.name or row.text("label"))
                continue
            if not row.name:
                yield row.problem("FORMS_CHOICE_WITHOUT_NAME", "name", list=list_name, label=row.text("label"))
                continue
            first = seen.setdefault((list_name, row.name), row)
            if first is not row and not allowed and sheet is form.choices:
                yield row.problem("FORMS_CHOICE_REPEATED", "name", list=list_name, first=first.number)
            if list_name in multiple and re.search(r"\s", row.name):
                suggestion = re.sub(r"\s+", "_", row.name)
                yield row.problem("FORMS_CHOICE_BLANK", "name", list=list_name, suggestion=suggestion)


def _list_of(row: AuthoredRow, lists: dict[str, list[AuthoredRow]]) -> Iterator[Problem]:
    """The list or file that a select names."""
    name = row.type.list_name
    if row.type.from_file:
        if not name.lower().endswith(_FILES):
            yield row.problem("FORMS_FILE_LIST_ENDING", "type", file=name, endings=", ".join(_FILES))
    elif name.startswith("${"):
        return
    elif name.lower().endswith(_FILES):
        yield row.problem("FORMS_LIST_IS_FILE", "type", file=name, meant=f"{row.type.plain}_from_file {name}")
    elif name not in lists:
        if "search(" in row.text("appearance"):
            return
        meant = nearest(name, lists)
        code = "FORMS_LIST_UNKNOWN_MEANT" if meant else "FORMS_LIST_UNKNOWN"
        yield row.problem(code, "type", list=name, meant=meant)
    elif not any(choice.name for choice in lists[name]):
        yield row.problem("FORMS_LIST_EMPTY", "type", list=name)


def _filter(row: AuthoredRow, lists: dict[str, list[AuthoredRow]]) -> Iterator[Problem]:
    """A filter's bare names are columns of the choices; those of files are only known when the file is there."""
    choices = lists.get(row.type.list_name)
    if choices is None:
        return
    columns = {column for choice in choices for column in choice.cells} | set(CHOICES_COLUMNS)
    sheet_columns = {column for rows in lists.values() for choice in rows for column in choice.cells}
    for name in bare_names(row.text("choice_filter")):
        if name in columns or name in sheet_columns:
            continue
        meant = nearest(name, sheet_columns - {"list_name", "label", "name"})
        code = "FORMS_FILTER_COLUMN_MEANT" if meant else "FORMS_FILTER_COLUMN"
        yield row.problem(code, "choice_filter", column=name, meant=meant)


def _compared(form: Authored, lists: dict[str, list[AuthoredRow]]) -> Iterator[Problem]:
    """Expressions and defaults that wait for an answer which is not among the question's choices."""
    names = Counter(row.name for row in form.named)
    offered: dict[str, dict[str, None]] = {}
    for row in form.questions:
        if row.type.list_name in lists and names[row.name] == 1 and "search(" not in row.text("appearance"):
            other = {"other": None} if row.type.or_other else {}
            offered[row.name] = {choice.name: None for choice in lists[row.type.list_name]} | other
    for row in form.named:
        for column in EXPRESSIONS:
            for found in _COMPARED.finditer(row.text(column)) if column != "choice_filter" else ():
                known, sought = offered.get(found["name"] or found["selected"]), found["text"] or found["code"]
                if known is not None and sought not in known:
                    yield _not_offered(row, column, found["name"] or found["selected"], sought, known)
        default = row.text("default")
        if row.name in offered and default and re.fullmatch(r"[\w.\-]+", default) and default not in offered[row.name]:
            yield _not_offered(row, "default", row.name, default, offered[row.name])


def _not_offered(row: AuthoredRow, column: str, name: str, sought: str, known: dict[str, None]) -> Problem:
    meant = nearest(sought, known, 0.6)
    some = ", ".join(list(known)[:_SHOWN]) + ("…" if len(known) > _SHOWN else "")
    code = "FORMS_CHOICE_NOT_OFFERED_MEANT" if meant else "FORMS_CHOICE_NOT_OFFERED"
    return row.problem(code, column, "warning", question=name, choice=sought, known=some, meant=meant)


def bare_names(expression: str) -> list[str]:
    """Return the names in an expression that stand for child elements: the columns of a choice."""
    text = _QUOTED_OR_REFERENCE.sub(" 0 ", expression)
    return [name for name in dict.fromkeys(_BARE_NAME.findall(text)) if name not in _OPERATORS]


def _parameter(row: AuthoredRow, name: str) -> str:
    found = re.search(rf"(?:^|[\s;,]){name}\s*=\s*([^\s;,]+)", row.text("parameters"))
    return found[1] if found else ""
