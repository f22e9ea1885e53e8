"""XLSForm rows to XForm XML: the one place that knows pyxform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from forms.problems import Place, Problem
from forms.sheets import ROW, Row
from forms.vocabulary import CHOICES_COLUMNS, LEDGER_PREFIX, SETTINGS, SURVEY_COLUMNS, column_of
from forms.xform.document import LEDGER_NAMESPACE, FormError

PYXFORM_SHEETS: Final = ("survey", "choices", "settings", "external_choices", "osm", "entities")
_COLUMNS: Final = {
    "survey": SURVEY_COLUMNS,
    "settings": SETTINGS,
    "choices": CHOICES_COLUMNS,
    "external_choices": CHOICES_COLUMNS,
}
_ROW_IN_MESSAGE: Final = re.compile(r"\[row\s*:\s*(?P<row>\d+)\]\s*|\bon row (?P<on>\d+)\b", re.IGNORECASE)


# pyxform makes every curly quote straight, in Chinese labels too: they travel as signs that no text holds.
_QUOTES: Final = dict(zip("“”‘’", "\ufdd0\ufdd1\ufdd2\ufdd3", strict=True))
_QUOTES_BACK: Final = {sign: quote for quote, sign in _QUOTES.items()}
# What our own checks say better.
_SAID_BETTER: Final = re.compile(
    r"^Language '|Group has no label|Repeat has no label|Use the max-pixels|Row without name|is missing the"
    r"|is used for more than one|case-insensitive",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Converted:
    """An XForm as pyxform wrote it, with what it warned of and its root element's name."""

    xml: str
    warnings: tuple[Problem, ...]
    root: str = "data"


def convert(sheets: Mapping[str, Sequence[Row]], file: str = "") -> Converted:
    """Convert rows to an XForm; raises FormError with pyxform's own words where it refuses or fails."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert as to_xform

    given = _workbook(sheets)
    root = _root_name(sheets)
    said: list[str] = []
    try:
        result = to_xform(given, warnings=said, form_name=root)
    except PyXFormError as error:
        raise FormError(_said("FORMS_PYXFORM_REFUSED", str(error), sheets, file)) from error
    except Exception as error:
        # For some inputs pyxform raises whatever its code stumbles over.
        fault = f"{type(error).__name__}: {error}"
        raise FormError(_said("FORMS_PYXFORM_FAILED", fault, sheets, file)) from error
    warnings = [words for words in said if not _SAID_BETTER.search(words)]
    return Converted(
        _with(result.xform, _QUOTES_BACK),
        tuple(_said("FORMS_PYXFORM_WARNED", words, sheets, file) for words in warnings),
        root,
    )


def _workbook(sheets: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """The sheets as pyxform takes them: known sheets only, our columns as namespaced bind attributes."""
    workbook: dict[str, Any] = {}
    for name in PYXFORM_SHEETS:
        known = _known_headers(name, sheets.get(name, ()))
        rows = [_row(name, row, known) for row in sheets.get(name, ())]
        if name == "settings":
            rows = [_with_namespace(rows[0] if rows else {})]
        if rows:
            workbook[name] = rows
            workbook[f"{name}_header"] = [dict.fromkeys(column for row in rows for column in row)]
    return workbook


def _known_headers(sheet: str, rows: Sequence[Row]) -> frozenset[str]:
    """The headers that pyxform is to see: what XLSForm does not know is an author's note, or makes pyxform stumble."""
    headers = dict.fromkeys(column for row in rows for column in row if column != ROW)
    columns = _COLUMNS.get(sheet)
    if columns is None:
        return frozenset(headers)
    double_colon = any("::" in header for header in headers)

    def known(header: str) -> bool:
        if header.startswith(LEDGER_PREFIX) or column_of(header, columns, double_colon=double_colon)[0]:
            return True
        # Further columns of the choices are there to be filtered by.
        return columns is CHOICES_COLUMNS and ":" not in header and header != "media"

    return frozenset(filter(known, headers))


def _row(sheet: str, row: Row, known: frozenset[str]) -> dict[str, str]:
    own = {}
    for column, value in row.items():
        if column not in known or not value.strip():
            continue
        if not column.startswith(LEDGER_PREFIX):
            own[column] = _with(value, _QUOTES)
        elif sheet == "survey":
            own[f"bind::ledger:{column.removeprefix(LEDGER_PREFIX)}"] = _with(value, _QUOTES)
    return own


def _with(text: str, signs: Mapping[str, str]) -> str:
    """A text with other signs; by far quicker than str.translate, which looks at every character."""
    for sign, other in () if text.isascii() else signs.items():
        if sign in text:
            text = text.replace(sign, other)
    return text


def _with_namespace(settings: dict[str, str]) -> dict[str, str]:
    declared = f'ledger="{LEDGER_NAMESPACE}"'
    return {**settings, "namespaces": " ".join(filter(None, (settings.get("namespaces", ""), declared)))}


def _root_name(sheets: Mapping[str, Sequence[Row]]) -> str:
    """The settings' name, or `data` unless a question is called that: pyxform then mixes up the two."""
    named = next(iter(sheets.get("settings", ())), {}).get("name", "").strip()
    if named:
        return named
    taken = {row.get("name", "") for row in sheets.get("survey", ())}
    return next(name for name in ("data", "record", "form_data", "root_data") if name not in taken)


def _said(code: str, words: str, sheets: Mapping[str, Sequence[Row]], file: str) -> Problem:
    """One of pyxform's sentences as a problem, its row number taken back to the author's file."""
    found = _ROW_IN_MESSAGE.search(words)
    severity: Any = "warning" if code == "FORMS_PYXFORM_WARNED" else "error"
    rows = sheets.get("survey", ())
    number = int(found["row"] or found["on"]) - 2 if found else -1
    row = int(rows[number][ROW]) if 0 <= number < len(rows) else None
    text = _with(_ROW_IN_MESSAGE.sub("", words) if row is not None else words, _QUOTES_BACK)
    place = Place(file=file, sheet="survey" if row is not None else "", row=row)
    return Problem(code, place, {"said": text}, severity)
