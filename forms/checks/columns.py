"""Columns and sheets: what is not a column of XLSForm or ours has no effect, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import COLUMNS, Authored
from forms.problems import Place, Problem
from forms.vocabulary import (
    ATTRIBUTES,
    CHOICES_COLUMNS,
    LEDGER_COLUMNS,
    LEDGER_PREFIX,
    LEDGER_SETTINGS,
    SHEETS,
    TRANSLATED,
    column_of,
    nearest,
)

_REQUIRED: Final = {"survey": ("type", "name"), "choices": ("list_name", "name")}


def check(form: Authored) -> Iterator[Problem]:
    """Check the headers of every sheet, and the names of sheets in a YAML file."""
    for sheet in form.sheets:
        if sheet not in SHEETS and not sheet.startswith("_"):
            meant = nearest(sheet, SHEETS)
            code = "FORMS_SHEET_UNKNOWN_MEANT" if meant else "FORMS_SHEET_UNKNOWN"
            yield Problem(code, Place(form.file, sheet), {"sheet": sheet, "meant": meant}, "warning")
    for sheet in ("survey", "choices", "settings"):
        if form.headers.get(sheet):
            yield from _missing(form, sheet)
            yield from _unknown(form, sheet)


def _missing(form: Authored, sheet: str) -> Iterator[Problem]:
    headers = form.headers[sheet]
    double_colon = any("::" in header for header in headers)
    found = {column_of(header, COLUMNS[sheet], double_colon=double_colon)[0] for header in headers}
    for column in _REQUIRED.get(sheet, ()):
        if column not in found:
            meant = nearest(column, headers)
            code = "FORMS_COLUMN_MISSING_MEANT" if meant else "FORMS_COLUMN_MISSING"
            yield Problem(code, Place(form.file, sheet, None, column), {"column": column, "meant": meant})


def _unknown(form: Authored, sheet: str) -> Iterator[Problem]:
    """A header close to a known one is a slip worth its own line; all others are named together."""
    headers = form.headers[sheet]
    known = COLUMNS[sheet]
    declared = _prefixes(form)
    double_colon = any("::" in header for header in headers)
    others = []
    for header in headers:
        place = Place(form.file, sheet, None, header)
        if header.startswith(LEDGER_PREFIX):
            yield from _ledger(header, sheet, place)
            continue
        column, attribute = column_of(header, known, double_colon=double_colon)
        prefix, colon, _ = attribute.partition(":")
        if column in ATTRIBUTES and colon and prefix not in declared:
            yield Problem("FORMS_COLUMN_PREFIX", place, {"column": header, "prefix": prefix})
        if column:
            continue
        head, separator, rest = header.partition("::" if double_colon else ":")
        meant = nearest(head, known, 0.8 if len(head) > 4 else 0.75)
        if sheet == "choices" and not (separator and meant in TRANSLATED) and meant not in CHOICES_COLUMNS:
            continue
        if meant:
            context = {"column": header, "meant": f"{meant}{separator}{rest}"}
            yield Problem("FORMS_COLUMN_UNKNOWN_MEANT", place, context, "warning")
        elif sheet != "choices":
            others.append(header)
    if others:
        yield Problem("FORMS_COLUMNS_IGNORED", Place(form.file, sheet), {"columns": ", ".join(others)}, "warning")


def _prefixes(form: Authored) -> frozenset[str]:
    """The namespace prefixes that an attribute may have: those of every XForm, and the settings' own."""
    own = re.findall(r"([\w.\-]+)\s*=", form.settings.text("namespaces"))
    return frozenset({"jr", "orx", "odk", "ev", "h", "xsd", "entities", "ledger", *own})


def _ledger(header: str, sheet: str, place: Place) -> Iterator[Problem]:
    known = LEDGER_SETTINGS if sheet == "settings" else LEDGER_COLUMNS
    name = header.removeprefix(LEDGER_PREFIX)
    if name not in known or sheet == "choices":
        meant = nearest(name, known)
        context = {"column": header, "meant": f"{LEDGER_PREFIX}{meant}" if meant else ""}
        code = "FORMS_COLUMN_UNKNOWN_MEANT" if meant else "FORMS_LEDGER_COLUMN_UNKNOWN"
        yield Problem(code, place, {**context, "known": ", ".join(known)}, "warning")
