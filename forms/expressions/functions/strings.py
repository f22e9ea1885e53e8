"""String functions."""

from __future__ import annotations

import base64
import binascii
import math
import uuid as uuids
from typing import Any

from forms.expressions.context import Context
from forms.expressions.functions.registry import each_text, function
from forms.expressions.values import to_string

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SPACE = " \t\r\n"


@function("string(value?)", "string")
def string(context: Context, *values: Any) -> str:
    """Return a value, or the context node, as text."""
    return to_string(values[0]) if values else context.node.text()


@function("concat(value*)", "string")
def concat(context: Context, *values: Any) -> str:
    """Join all texts; node-sets give each of their nodes."""
    return "".join(each_text(context, values))


@function("join(string, value*)", "string")
def join(context: Context, separator: str, *values: Any) -> str:
    """Join all texts with a separator; node-sets give each of their nodes."""
    return separator.join(each_text(context, values))


@function("substr(string, number, number?)", "string")
def substr(context: Context, text: str, start: float, end: float = math.inf) -> str:
    """Return the characters from a 0-based start up to an end; negative places count from the end, NaN is 0."""
    return text[_place(start, len(text)) : _place(end, len(text))]


def _place(place: float, length: int) -> int:
    if math.isnan(place):
        return 0
    if math.isinf(place):
        return length if place > 0 else 0
    whole = int(place)
    return max(length + whole, 0) if whole < 0 else whole


@function("substring(string, number, number?)", "string")
def substring(context: Context, text: str, start: float, length: float | None = None) -> str:
    """Return the characters from a 1-based start (XPath 1.0, 4.2: places are rounded, NaN gives nothing)."""
    first = _half_up(start)
    beyond = math.inf if length is None else first + _half_up(length)
    if math.isnan(first) or math.isnan(beyond):
        return ""
    low = max(first, 1.0)
    high = min(beyond, len(text) + 1.0)
    return text[int(low) - 1 : int(high) - 1] if low < high else ""


def _half_up(number: float) -> float:
    return math.floor(number + 0.5) if math.isfinite(number) else number


@function("substring-before(string, string)", "string")
def substring_before(context: Context, text: str, mark: str) -> str:
    """Return what stands before the first `mark`."""
    before, found, _ = text.partition(mark) if mark else ("", "", "")
    return before if found else ""


@function("substring-after(string, string)", "string")
def substring_after(context: Context, text: str, mark: str) -> str:
    """Return what stands after the first `mark`."""
    return text.partition(mark)[2] if mark else text


@function("translate(string, string, string)", "string")
def translate(context: Context, text: str, source: str, target: str) -> str:
    """Replace characters by those at the same place in `target`, dropping those beyond it."""
    table: dict[int, str | None] = {}
    for place, character in enumerate(source):
        table.setdefault(ord(character), target[place] if place < len(target) else None)
    return text.translate(table)


@function("string-length(string)", "number")
def string_length(context: Context, text: str) -> float:
    """Return the number of characters."""
    return float(len(text))


@function("normalize-space(string?)", "string")
def normalize_space(context: Context, text: str | None = None) -> str:
    """Trim, and make every run of XML white space one blank."""
    text = context.node.text() if text is None else text
    for space in "\t\r\n":
        text = text.replace(space, " ")
    return " ".join(part for part in text.split(" ") if part)


@function("contains(string, string)", "boolean")
def contains(context: Context, text: str, part: str) -> bool:
    """Return whether `part` is in the text."""
    return part in text


@function("starts-with(string, string)", "boolean")
def starts_with(context: Context, text: str, part: str) -> bool:
    """Return whether the text begins with `part`."""
    return text.startswith(part)


@function("ends-with(string, string)", "boolean")
def ends_with(context: Context, text: str, part: str) -> bool:
    """Return whether the text ends with `part`."""
    return text.endswith(part)


@function("uuid(number?)", "string", volatile=True)
def uuid(context: Context, length: float | None = None) -> str:
    """Return a random UUID, or as many random letters and digits as asked for."""
    if length is None:
        return str(uuids.UUID(int=context.random.getrandbits(128), version=4))
    if not 0 <= length <= 10_000:
        return ""
    return "".join(context.random.choice(_ALPHABET) for _ in range(int(length)))


@function("base64-decode(string)", "string")
def base64_decode(context: Context, text: str) -> str:
    """Return the UTF-8 text that Base64 stands for; "" where it is none."""
    try:
        bare = "".join(text.split()).rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
