"""Logical functions."""

from __future__ import annotations

import math
from typing import Any

from forms.expressions.code import Code, boolean_run, constant, number_run, string_run
from forms.expressions.context import Context
from forms.expressions.errors import ExpressionError
from forms.expressions.functions.registry import Compiling, function, special
from forms.expressions.syntax import Syntax
from forms.expressions.values import to_boolean, to_number, to_string


@special("true()", "boolean")
def true(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """True."""
    return constant(True)


@special("false()", "boolean")
def false(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """False."""
    return constant(False)


@special("not(boolean)", "boolean")
def not_(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return the opposite."""
    inner = boolean_run(compiler.compile(arguments[0]))
    return Code("boolean", lambda context: not inner(context))


@function("boolean(value)", "boolean")
def boolean(context: Context, value: Any) -> bool:
    """Return a value as a boolean."""
    return to_boolean(value)


@function("boolean-from-string(string)", "boolean")
def boolean_from_string(context: Context, text: str) -> bool:
    """Return whether the text is `true` or `1`."""
    return text in ("true", "1")


@special("if(boolean, value, value)", "value")
def if_(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return the second or the third argument; the other one is not evaluated."""
    test = boolean_run(compiler.compile(arguments[0]))
    then, other = compiler.compile(arguments[1]), compiler.compile(arguments[2])
    yes, no = then.run, other.run
    kind = then.type if then.type == other.type else "value"
    return Code(kind, lambda context: yes(context) if test(context) else no(context))


@special("coalesce(string, string)", "string")
def coalesce(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return the first text, or the second where the first is empty."""
    first, second = (string_run(compiler.compile(one)) for one in arguments)
    return Code("string", lambda context: first(context) or second(context))


@special("once(string)", "string", volatile=True)
def once(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return the current node's own value, or the argument where that is empty."""
    inner = compiler.compile(arguments[0])
    text, number = string_run(inner), inner.run if inner.type in ("number", "value") else None

    def first(context: Context) -> str:
        if context.current.value or number is None:
            return context.current.value or text(context)
        # What can't be computed yet is not kept for good: it is empty, as it would be without `once`.
        value = number(context)
        return "" if isinstance(value, float) and math.isnan(value) else to_string(value)

    return Code("string", first)


@function("checklist(number, number, value*)", "boolean")
def checklist(context: Context, low: float, high: float, *answers: Any) -> bool:
    """Return whether between `low` and `high` (-1: no bound) of the answers are true."""
    return _between(low, high, float(sum(_truths(answers))))


@special("weighted-checklist(number, number, value*)", "boolean")
def weighted_checklist(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return whether the weights of the true answers add up to between two bounds (-1: no bound)."""
    if len(arguments) % 2:
        raise ExpressionError("FORMS_EXPRESSION_ARGUMENT_COUNT", name="weighted-checklist", wanted="2, 4, 6 …",
                              given=len(arguments))
    low, high = (number_run(compiler.compile(one)) for one in arguments[:2])
    runs = [compiler.compile(one).run for one in arguments[2:]]
    pairs = list(zip(runs[::2], runs[1::2], strict=True))

    def weigh(context: Context) -> bool:
        total = sum(_weight(holds(context), weights(context), context) for holds, weights in pairs)
        return _between(low(context), high(context), total)

    return Code("boolean", weigh)


def _weight(answers: Any, weights: Any, context: Context) -> float:
    """The weights of what holds; node-sets pair off one by one, and a single weight counts for each answer."""
    numbers = [to_number([one], context) for one in weights] if isinstance(weights, list) else None
    total = 0.0
    for place, holds in enumerate(_truths((answers,))):
        if holds:
            total += to_number(weights, context) if numbers is None else (numbers[place : place + 1] or [0.0])[0]
    return total


def _truths(answers: tuple[Any, ...]) -> list[bool]:
    found: list[bool] = []
    for answer in answers:
        if isinstance(answer, list):
            # A boolean that a node stores is text: unlike boolean(), `false` and `0` do not hold here.
            found.extend(node.text() not in ("", "false", "0") for node in answer if node.relevant)
        else:
            found.append(to_boolean(answer))
    return found


def _between(low: float, high: float, found: float) -> bool:
    return (low < 0 or found >= low) and (high < 0 or found <= high)

