"""The four value types of XPath and the conversions between them, with dates as days since 1970-01-01 UTC."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from forms.expressions.moments import Moment, read_moment
from forms.expressions.nodes import Node
from forms.values import number_text

if TYPE_CHECKING:
    from forms.expressions.context import Context

Value = str | float | bool | list[Node]
NAN = math.nan
_NUMBER = re.compile(r"[ \t\r\n]*-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*")


def text_number(text: str, context: Context) -> float:
    """Return a text as a number: XPath's own notation, a date or date-time as days, else NaN (XPath 1.0, 4.4)."""
    if _NUMBER.fullmatch(text):
        return float(text)
    if type(text) is Moment:
        return text.days
    if len(text) >= 8 and text[4] == "-":
        moment = read_moment(text, context.zone)
        if moment is not None:
            return moment.days
    return NAN


def to_number(value: Value, context: Context) -> float:
    """Return any value as a number; a node-set's is its first node's, true is 1."""
    if type(value) is float:
        return value
    if isinstance(value, str):
        return text_number(value, context)
    if isinstance(value, list):
        return text_number(value[0].text(), context) if value else NAN
    return float(value)


def to_string(value: Value) -> str:
    """Return any value as text; a node-set's is its first node's string value."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return value[0].text() if value else ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return number_text(value)


def to_boolean(value: Value) -> bool:
    """Return any value as a boolean: non-empty, or a number that is neither zero nor NaN."""
    if isinstance(value, (bool, str, list)):
        return bool(value)
    return value != 0 and not math.isnan(value)
