"""The expression language: XPath 1.0 with the functions of ODK XForms, compiled to closures (docs/expressions.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from forms.expressions.code import Code, boolean_run, number_run, string_run
from forms.expressions.compiler import Compiler, run_checked
from forms.expressions.context import Context, Scope, Secondary
from forms.expressions.errors import ExpressionError
from forms.expressions.nodes import Node, Tree
from forms.expressions.parser import parse
from forms.expressions.references import References, references_of
from forms.expressions.values import Value

__all__ = [
    "Compiled", "Context", "ExpressionError", "Node", "References", "Scope", "Secondary", "Tree", "Value",
    "compile_expression",
]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled expression; every evaluation may raise ExpressionError and nothing else.

    `references`: what it reads; `functions`: the names of the functions it calls; `type`: number, string, boolean,
    nodes, or value where only evaluation tells.
    """

    source: str
    references: References
    functions: frozenset[str]
    type: str
    _value: Callable[[Context], Any]
    _string: Callable[[Context], str]
    _number: Callable[[Context], float]
    _boolean: Callable[[Context], bool]

    @property
    def bare(self) -> tuple[Callable[[Context], Any], Callable[[Context], bool]]:
        """The closures that give the value as it is, and as a boolean, for loops where a call more counts.

        They may raise RecursionError too, and an ExpressionError that does not name the source.
        """
        return self._value, self._boolean

    def evaluate(self, context: Context) -> Value:
        """Return the value as it is: str, float, bool or a list of nodes."""
        return run_checked(self._value, self.source, context)

    def string(self, context: Context) -> str:
        """Return the value as a string."""
        return str(run_checked(self._string, self.source, context))

    def number(self, context: Context) -> float:
        """Return the value as a number, NaN where it is none."""
        value = run_checked(self._number, self.source, context)
        assert isinstance(value, float)
        return value

    def boolean(self, context: Context) -> bool:
        """Return the value as a boolean."""
        return bool(run_checked(self._boolean, self.source, context))

    def nodes(self, context: Context) -> list[Node]:
        """Return the relevant nodes of a node-set; raises ExpressionError for another value."""
        value = run_checked(self._value, self.source, context)
        if not isinstance(value, list):
            raise ExpressionError("FORMS_EXPRESSION_NOT_NODES", source=self.source, name=self.source)
        return [node for node in value if node.relevant]


def compile_expression(source: str, scope: Scope | None = None) -> Compiled:
    """Compile an XPath expression (`${name}` already resolved to paths).

    `scope`: where it stands (see Scope); None: nowhere in particular. Raises ExpressionError for a fault of syntax,
    an unknown function, axis or prefix, a wrong number of arguments, or one that can never be a node-set where a
    node-set is needed. Source: XPath 1.0; ODK XForms specification, functions.
    """
    scope = scope or Scope()
    try:
        tree = parse(source)
        code: Code = Compiler(source, scope).compile(tree)
        references, functions = references_of(tree, scope)
    except RecursionError:
        raise ExpressionError("FORMS_EXPRESSION_TOO_DEEP", source=source, limit="Python") from None
    return Compiled(
        source, references, functions, code.type, code.run, string_run(code), number_run(code), boolean_run(code)
    )
