"""Texts of the form in the active language."""

from __future__ import annotations

from forms.expressions.context import Context
from forms.expressions.functions.registry import function


@function("jr:itext(string)", "string")
def itext(context: Context, key: str) -> str:
    """Return the text of an itext id in the active language, "" where there is none."""
    found = context.itext(key, context.language) if context.itext is not None else None
    return found or ""
