"""Compiled pieces of an expression: a closure with its static type, and its conversions to the other types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from forms.expressions.context import Context
from forms.expressions.errors import ExpressionError
from forms.expressions.nodes import Node
from forms.expressions.values import NAN, Value, text_number, to_boolean, to_number, to_string

Type = Literal["number", "string", "boolean", "nodes", "value"]
Run = Callable[[Context], Any]


@dataclass(frozen=True, slots=True)
class Code:
    """A closure and the type it gives (`value`: known only when it runs).

    `first`, for node-sets: the first node without building the set. `single`: the set never has more than one node.
    `constant`: the value, where it depends on nothing.
    """

    type: Type
    run: Run
    first: Callable[[Context], Node | None] | None = None
    single: bool = False
    constant: Value | None = None


def constant(value: Value) -> Code:
    """Return code that gives a fixed value."""
    kind: Type = "boolean" if isinstance(value, bool) else "number" if isinstance(value, float) else "string"
    return Code(kind, lambda context: value, constant=value)


def number_run(code: Code) -> Callable[[Context], float]:
    """Return a closure that gives the code's value as a number."""
    run, first = code.run, code.first
    if code.type == "number":
        return run
    if first is not None:

        def from_node(context: Context) -> float:
            node = first(context)
            if node is None:
                return NAN
            text = node.text()
            if text.isdigit() and text.isascii():
                return float(text)
            return text_number(text, context) if text else NAN

        return from_node
    return lambda context: to_number(run(context), context)


def string_run(code: Code) -> Callable[[Context], str]:
    """Return a closure that gives the code's value as a string."""
    run, first = code.run, code.first
    if code.type == "string":
        return run
    if first is not None:

        def from_node(context: Context) -> str:
            node = first(context)
            return "" if node is None else node.text()

        return from_node
    return lambda context: to_string(run(context))


def boolean_run(code: Code) -> Callable[[Context], bool]:
    """Return a closure that gives the code's value as a boolean."""
    run, first = code.run, code.first
    if code.type == "boolean":
        return run
    if first is not None:
        return lambda context: first(context) is not None
    return lambda context: to_boolean(run(context))


def nodes_run(code: Code, name: str) -> Callable[[Context], list[Node]]:
    """Return a closure that gives a node-set; raises ExpressionError where the code can give none (`name` asked)."""
    run = code.run
    if code.type == "nodes":
        return run
    if code.type != "value":
        raise ExpressionError("FORMS_EXPRESSION_NOT_NODES", name=name)

    def checked(context: Context) -> list[Node]:
        value = run(context)
        if not isinstance(value, list):
            raise ExpressionError("FORMS_EXPRESSION_NOT_NODES", name=name)
        return value

    return checked
