"""Controls: which way of answering a question gets on the page."""

from __future__ import annotations

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
_FOUND_BY_TYPING = frozenset({"minimal", "autocomplete", "search"})
# Questions that only carry the column heads of a table-list: their own rows carry the labels again.
_HEADS = frozenset({"label"})


def control_of(question: Question, *, readonly: bool, choices: int) -> str:
    """Return the kind of control, or `""` for a question that has none.

    A calculation is read out; whether it has words to show it under is for the outline to say.
    `readonly`: the question can't be answered now; `choices`: how many options it has at this moment.
    """
    if question.type == "calculate" and not question.shown:
        return "readout"
    if not question.shown or _HEADS & set(question.appearance):
        return ""
    kind = _kind(question, choices)
    if kind == "note":
        return kind
    return "readout" if readonly or question.calculate is not None else kind


def _kind(question: Question, choices: int) -> str:
    appearance = set(question.appearance)
    if question.type in _FILES:
        return "media"
    if question.type in _PLAIN:
        return _PLAIN[question.type]
    if question.itemset is not None:
        return "search" if appearance & _FOUND_BY_TYPING or choices > KEYED else "radio"
    if question.type in ("text", "barcode", "calculate", "hidden"):
        return "area" if "multiline" in appearance else _BY_DATA.get(question.data_type, "text")
    return _BY_DATA.get(question.data_type, "text")


def mode_of_keys(question: Question, kind: str) -> str:
    """Return the `inputmode` of a text-like control."""
    if kind in ("number", "date", "time", "datetime"):
        return "numeric"
    if kind in ("decimal", "range", "point"):
        return "decimal"
    numbers = "numbers" in question.appearance or question.ledger.get("standard") in ("mobile", "resident_id")
    return "tel" if numbers else "text"
