"""Dates as people say them: a month or a year alone, and days of the Chinese calendar."""

from __future__ import annotations

import re
import unicodedata

_MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?")
_YEAR = re.compile(r"(\d{4})年?")


def whole(kind: str, text: str) -> str:
    """Return a month (`2024-5`, `202405`, `2024年5月`) or year as its first day; any other text as it is.

    `kind`: month or year, the control's. Source: XLSForm reference, appearances `month-year` and `year`.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if kind == "month" and (found := _MONTH.fullmatch(plain)) and 1 <= int(found[2]) <= 12:
        return f"{found[1]}-{int(found[2]):02}-01"
    if kind == "year" and (found := _YEAR.fullmatch(plain)):
        return f"{found[1]}-01-01"
    return text
