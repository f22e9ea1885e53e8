"""Controls: which way of answering a question gets on the page."""

from __future__ import annotations

from datasette_plugins.capture.looks import laid_out
from forms.definition import Question

# As many choices as there are number keys; more are found by typing.
KEYED = 9
_FILES = frozenset({"image", "audio", "video", "file", "background-audio"})
_PLAIN = {
    "integer": "number", "decimal": "decimal", "range": "range", "date": "date", "time": "time", "datetime": "datetime",
    "dateTime": "datetime", "geopoint": "point", "geotrace": "line", "geoshape": "line", "acknowledge": "confirm",
    "trigger": "confirm", "note": "note", "rank": "rank", "select_multiple": "check",
}  # fmt: skip
_BY_DATA = {"int": "number", "decimal": "decimal", "date": "date", "time": "time", "dateTime": "datetime"}
_DATE_PARTS = {"month-year": "month", "year": "year"}
_FOUND_BY_TYPING = frozenset({"minimal", "autocomplete", "search"})


def control_of(question: Question, *, readonly: bool, choices: int, pictured: bool = False) -> str:
    """Return the kind of control, or `""` for a question that has none.

    A calculation is read out; whether it has words to show it under is for the outline to say.
    `readonly`: the question can't be answered now; `choices`: how many options it has at this moment; `pictured`: any
    of them has a picture.
    """
    if question.type == "calculate" and not question.shown:
        return "readout"
    if not question.shown:
        return ""
    if "label" in question.appearance and question.itemset is not None:
        return "heads"  # the heads above the rows of a table-list
    kind = _kind(question, choices, pictured=pictured)
    if kind == "note":
        return kind
    return "readout" if readonly or question.calculate is not None else kind


def _kind(question: Question, choices: int, *, pictured: bool) -> str:
    appearance = set(question.appearance)
    if question.type == "date":
        return next((part for word, part in _DATE_PARTS.items() if word in appearance), "date")
    if question.type in _FILES:
        return "media"
    if question.type in _PLAIN:
        return _PLAIN[question.type]
    if question.itemset is not None:
        if appearance & _FOUND_BY_TYPING:
            return "search"
        return "radio" if choices <= KEYED or laid_out(question, choices, pictured=pictured) else "search"
    if question.type in ("text", "barcode", "calculate", "hidden"):
        return "area" if "multiline" in appearance else _BY_DATA.get(question.data_type, "text")
    return _BY_DATA.get(question.data_type, "text")


def mode_of_keys(question: Question, kind: str) -> str:
    """Return the `inputmode` of a text-like control."""
    if kind in ("number", "date", "month", "year", "time", "datetime"):
        return "numeric"
    if kind in ("decimal", "range", "point"):
        return "decimal"
    numbers = "numbers" in question.appearance or question.ledger.get("standard") in ("mobile", "resident_id")
    return "tel" if numbers else "text"
