"""Functions over the blank-separated codes of a select_multiple."""

from __future__ import annotations

import math

from forms.expressions.code import Code, string_run
from forms.expressions.context import Context
from forms.expressions.functions.registry import Compiling, function, special
from forms.expressions.syntax import Syntax


@special("selected(string, string)", "boolean")
def selected(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return whether a code is among those chosen."""
    chosen, code = (compiler.compile(one) for one in arguments)
    text_of = string_run(chosen)
    if isinstance(code.constant, str):
        fixed = code.constant.strip()

        def has_fixed(context: Context) -> bool:
            text = text_of(context)
            return text == fixed or (fixed in text and fixed in text.split())

        return Code("boolean", has_fixed)
    wanted_of = string_run(code)

    def has(context: Context) -> bool:
        wanted = wanted_of(context).strip()
        return wanted in (text_of(context).split() or [""])

    return Code("boolean", has)


@function("selected-at(string, number)", "string")
def selected_at(context: Context, chosen: str, place: float) -> str:
    """Return the code at a 0-based place, "" where there is none."""
    codes = chosen.split()
    if not math.isfinite(place) or not 0 <= place < len(codes):
        return ""
    return codes[int(place)]


@function("count-selected(string)", "number")
def count_selected(context: Context, chosen: str) -> float:
    """Return how many codes are chosen."""
    return float(len(chosen.split()))


@function("jr:choice-name(string, string)", "string")
def choice_name(context: Context, code: str, path: str) -> str:
    """Return the label of a choice of the question at a path, in the active language."""
    return context.choice_name(code, path.strip(), context) if context.choice_name is not None else ""
