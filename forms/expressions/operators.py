"""The operators of XPath 1.0: comparison over all types, arithmetic on doubles."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from forms.expressions.context import Context
from forms.expressions.moments import Moment
from forms.expressions.values import NAN, Value, to_boolean, to_number, to_string

Compare = Callable[[object, object], bool]
EQUALITY: dict[str, Compare] = {"=": operator.eq, "!=": operator.ne}
RELATION: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}


def compare(symbol: str, left: Value, right: Value, context: Context) -> bool:
    """Return whether two values of any type compare so (XPath 1.0, 3.4); dates compare as days."""
    if isinstance(left, list):
        if isinstance(right, list):
            return _compare_sets(symbol, [node.text() for node in left], [node.text() for node in right], context)
        if isinstance(right, bool):
            return _compare_atoms(symbol, bool(left), right, context)
        return any(_compare_atoms(symbol, node.text(), right, context) for node in left)
    if isinstance(right, list):
        if isinstance(left, bool):
            return _compare_atoms(symbol, left, bool(right), context)
        return any(_compare_atoms(symbol, left, node.text(), context) for node in right)
    return _compare_atoms(symbol, left, right, context)


def _compare_sets(symbol: str, left: list[str], right: list[str], context: Context) -> bool:
    if symbol == "=":
        return not set(left).isdisjoint(right)
    if symbol == "!=":
        return bool(left and right) and len({*left, *right}) > 1
    # One pair that compares so exists exactly when the extremes do: no need to try all pairs.
    low = symbol in ("<", "<=")
    ours = [number for number in (to_number(text, context) for text in left) if not math.isnan(number)]
    theirs = [number for number in (to_number(text, context) for text in right) if not math.isnan(number)]
    if not ours or not theirs:
        return False
    return RELATION[symbol](min(ours), max(theirs)) if low else RELATION[symbol](max(ours), min(theirs))


def _compare_atoms(symbol: str, left: str | float | bool, right: str | float | bool, context: Context) -> bool:
    if symbol in RELATION:
        return RELATION[symbol](to_number(left, context), to_number(right, context))
    same = EQUALITY[symbol]
    if isinstance(left, bool) or isinstance(right, bool):
        return same(to_boolean(left), to_boolean(right))
    if isinstance(left, float) or isinstance(right, float):
        return same(to_number(left, context), to_number(right, context))
    if isinstance(left, Moment) or isinstance(right, Moment):
        ours, theirs = to_number(left, context), to_number(right, context)
        if not (math.isnan(ours) or math.isnan(theirs)):
            return same(ours, theirs)
    return same(to_string(left), to_string(right))


def divide(left: float, right: float) -> float:
    """Return left div right as IEEE 754 has it: infinities and NaN, never an error."""
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return NAN
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: float, right: float) -> float:
    """Return left mod right with the sign of left, truncating."""
    if right == 0 or math.isinf(left) or math.isnan(left) or math.isnan(right):
        return NAN
    return math.fmod(left, right)


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "div": divide, "mod": remainder,
}
