"""Units of numbers: shown beside the question as its label names them, and taken off what people type."""

from __future__ import annotations

import re
import unicodedata

from forms.definition import Question

_IN_BRACKETS = re.compile(r"[（(]([^（()）\d]{1,12})[)）]\s*$")
_WITH_UNIT = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*(\D{1,12}?)\s*")
_HAN = re.compile(r"[\u3400-\u9fff㎡㎞]{1,4}")
_NUMBERS = frozenset({"number", "decimal", "range"})


def unit_of(label: str) -> str:
    """Return the unit that a label ends with in brackets (面积（亩） -> 亩), or ""."""
    found = _IN_BRACKETS.search(label)
    return found[1].strip() if found else ""


def without_unit(kind: str, question: Question, text: str) -> str:
    """Return `120` for `120平方米` where a number is wanted; any other text as it is.

    `kind`: the control's. Only the question's own unit and Chinese ones fall away: `12o` is a slip, and stays.
    """
    found = _WITH_UNIT.fullmatch(unicodedata.normalize("NFKC", text)) if kind in _NUMBERS else None
    if found is None:
        return text
    labels = (question.label.plain(language) for language in question.label.texts)
    units = {unicodedata.normalize("NFKC", unit_of(each)).casefold() for each in labels}
    return found[1] if _HAN.fullmatch(found[2]) or found[2].casefold() in units - {""} else text
