"""Number functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Any

from forms.expressions.context import Context
from forms.expressions.functions.registry import function
from forms.expressions.nodes import Node
from forms.expressions.operators import divide
from forms.expressions.values import NAN, text_number, to_number


@function("number(value?)", "number")
def number(context: Context, *values: Any) -> float:
    """Return a value, or the context node, as a number."""
    return to_number(values[0], context) if values else text_number(context.node.text(), context)


@function("random()", "number", volatile=True)
def random(context: Context) -> float:
    """Return a random number from 0 up to, but without, 1."""
    return context.random.random()


@function("int(number)", "number")
def int_(context: Context, value: float) -> float:
    """Return the number without its decimals."""
    return float(math.trunc(value)) if math.isfinite(value) else NAN


@function("floor(number)", "number")
def floor(context: Context, value: float) -> float:
    """Return the next lower whole number."""
    return math.copysign(math.floor(value), value) if math.isfinite(value) else value


@function("ceiling(number)", "number")
def ceiling(context: Context, value: float) -> float:
    """Return the next higher whole number."""
    return math.copysign(math.ceil(value), value) if math.isfinite(value) else value


@function("round(number, number?)", "number")
def round_(context: Context, value: float, places: float = 0.0) -> float:
    """Round half up, to so many decimals (negative: tens, hundreds ...); -0.5 gives negative zero (XPath 1.0, 4.4)."""
    if math.isnan(places):
        return NAN
    if not math.isfinite(value):
        return value
    digits = max(-400, min(400, int(places) if math.isfinite(places) else 400))
    if digits == 0:
        # Adding a half first would take what is just below it beyond it.
        whole = math.floor(value)
        return math.copysign(whole + (value - whole >= 0.5), value)
    with localcontext() as exact:
        exact.prec = 1000
        # repr's digits are what the author wrote; a half goes up, towards positive infinity.
        scaled = Decimal(repr(value)).scaleb(digits) + Decimal("0.5")
        return float(scaled.to_integral_value(ROUND_FLOOR).scaleb(-digits))


def _numbers(context: Context, values: tuple[Any, ...]) -> list[float]:
    found: list[float] = []
    for value in values:
        if isinstance(value, list):
            found.extend(text_number(node.text(), context) for node in value if node.relevant)
        else:
            found.append(to_number(value, context))
    return found


@function("sum(nodes)", "number")
def sum_(context: Context, nodes: list[Node]) -> float:
    """Return the sum of a node-set's numbers; one that is none makes it NaN."""
    return float(sum(text_number(node.text(), context) for node in nodes))


@function("max(value*)", "number")
def max_(context: Context, *values: Any) -> float:
    """Return the largest of all numbers, given one by one or in node-sets; NaN where one is none."""
    found = _numbers(context, values)
    return NAN if not found or any(map(math.isnan, found)) else max(found)


@function("min(value*)", "number")
def min_(context: Context, *values: Any) -> float:
    """Return the smallest of all numbers, given one by one or in node-sets; NaN where one is none."""
    found = _numbers(context, values)
    return NAN if not found or any(map(math.isnan, found)) else min(found)


@function("abs(number)", "number")
def abs_(context: Context, value: float) -> float:
    """Return the number without its sign."""
    return abs(value)


@function("pow(number, number)", "number")
def pow_(context: Context, base: float, exponent: float) -> float:
    """Return a power."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return NAN
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        return divide(1.0, math.copysign(1.0, base) * 0.0 if exponent % 2 == 1 else 0.0) if base == 0 else NAN


@function("log(number)", "number")
def log(context: Context, value: float) -> float:
    """Return the natural logarithm."""
    return -math.inf if value == 0 else _or_nan(math.log, value)


@function("log10(number)", "number")
def log10(context: Context, value: float) -> float:
    """Return the logarithm to base 10."""
    return -math.inf if value == 0 else _or_nan(math.log10, value)


@function("exp(number)", "number")
def exp(context: Context, value: float) -> float:
    """Return e to a power."""
    return _or_infinite(math.exp, value)


@function("exp10(number)", "number")
def exp10(context: Context, value: float) -> float:
    """Return 10 to a power."""
    return _or_infinite(lambda power: math.pow(10.0, power), value)


@function("sqrt(number)", "number")
def sqrt(context: Context, value: float) -> float:
    """Return the square root."""
    return _or_nan(math.sqrt, value)


@function("sin(number)", "number")
def sin(context: Context, value: float) -> float:
    """Return the sine of radians."""
    return _or_nan(math.sin, value)


@function("cos(number)", "number")
def cos(context: Context, value: float) -> float:
    """Return the cosine of radians."""
    return _or_nan(math.cos, value)


@function("tan(number)", "number")
def tan(context: Context, value: float) -> float:
    """Return the tangent of radians."""
    return _or_nan(math.tan, value)


@function("asin(number)", "number")
def asin(context: Context, value: float) -> float:
    """Return the arc sine in radians."""
    return _or_nan(math.asin, value)


@function("acos(number)", "number")
def acos(context: Context, value: float) -> float:
    """Return the arc cosine in radians."""
    return _or_nan(math.acos, value)


@function("atan(number)", "number")
def atan(context: Context, value: float) -> float:
    """Return the arc tangent in radians."""
    return math.atan(value)


@function("atan2(number, number)", "number")
def atan2(context: Context, y: float, x: float) -> float:
    """Return the angle of a point in radians."""
    return math.atan2(y, x)


@function("pi()", "number")
def pi(context: Context) -> float:
    """Return the number pi."""
    return math.pi


def _or_nan(compute: Callable[[float], float], value: float) -> float:
    try:
        return compute(value)
    except ValueError:
        return NAN


def _or_infinite(compute: Callable[[float], float], value: float) -> float:
    try:
        return compute(value)
    except OverflowError:
        return math.inf
