"""Compile a syntax tree to closures, choosing by the operands' static types what is quickest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from forms.expressions.code import Code, boolean_run, constant, nodes_run, number_run, string_run
from forms.expressions.context import Context, Scope
from forms.expressions.errors import ExpressionError
from forms.expressions.functions import FUNCTIONS, Function
from forms.expressions.moments import read_moment
from forms.expressions.nodes import Node, in_order
from forms.expressions.operators import ARITHMETIC, EQUALITY, RELATION, compare
from forms.expressions.paths import compile_path, filtered
from forms.expressions.syntax import Call, Chain, Filter, Literal, Negate, Number, Path, Syntax
from forms.expressions.values import Value, text_number


class Compiler:
    """Compiles the syntax trees of one expression; raises ExpressionError with the place in its source."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope

    def compile(self, tree: Syntax) -> Code:
        """Return the code of a syntax tree."""
        try:
            return self._compile(tree)
        except ExpressionError as error:
            context = dict(error.problem.context)
            if context.pop("source"):
                raise
            context["position"] = context["position"] or tree.offset + 1
            raise ExpressionError(error.code, source=self.source, **context) from None

    def _compile(self, tree: Syntax) -> Code:
        if isinstance(tree, Path):
            return compile_path(tree, self)
        if isinstance(tree, (Literal, Number)):
            return constant(tree.value)
        if isinstance(tree, Call):
            return self._call(tree)
        if isinstance(tree, Chain):
            return self._chain(tree)
        if isinstance(tree, Filter):
            return filtered(self.compile(tree.primary), tree.predicates, self)
        return self._negate(tree)

    def _negate(self, tree: Negate) -> Code:
        inner = self.compile(tree.operand)
        run = number_run(inner)
        if isinstance(inner.constant, float):
            return constant(-inner.constant if tree.times % 2 else inner.constant)
        return Code("number", (lambda context: -run(context)) if tree.times % 2 else run)

    def _chain(self, tree: Chain) -> Code:
        symbol = tree.rest[0][0]
        operands = [self.compile(tree.first), *(self.compile(operand) for _, operand in tree.rest)]
        if symbol in ("and", "or"):
            return _junction(symbol, operands)
        if symbol == "|":
            return _union(operands)
        if symbol in ARITHMETIC:
            texts: tuple[Code | None, ...] = (None, None)
            if symbol == "-":
                texts = self._dated(tree.first, operands[0]), self._dated(tree.rest[0][1], operands[1])
            return _arithmetic([symbol for symbol, _ in tree.rest], operands, texts)
        code = operands[0]
        for (each, _), operand in zip(tree.rest, operands[1:], strict=True):
            code = _comparison(each, code, operand)
        return code

    def _dated(self, tree: Syntax, code: Code) -> Code | None:
        """What gives the text of an operand that may be a date, None for one that is a number whatever happens."""
        if isinstance(tree, Call) and tree.name in ("decimal-date-time", "number") and len(tree.arguments) == 1:
            return self.compile(tree.arguments[0])
        return None if code.type == "number" else code

    def _call(self, tree: Call) -> Code:
        found = FUNCTIONS.get(tree.name)
        if found is None:
            raise ExpressionError(
                "FORMS_EXPRESSION_UNKNOWN_FUNCTION", name=tree.name, nearest=_nearest(tree.name)
            )
        count = len(tree.arguments)
        if count < found.minimum or (found.maximum is not None and count > found.maximum):
            raise ExpressionError(
                "FORMS_EXPRESSION_ARGUMENT_COUNT", name=tree.name, wanted=_wanted(found), given=count
            )
        if found.build is not None:
            return found.build(self, tree.arguments)
        runs = [
            _argument(self.compile(argument), found.kinds[min(place, len(found.kinds) - 1)], tree.name)
            for place, argument in enumerate(tree.arguments)
        ]
        return Code(found.returns, _called(found.run, runs))


def _argument(code: Code, kind: str, name: str) -> Callable[[Context], Any]:
    if kind == "number":
        return number_run(code)
    if kind == "string":
        return string_run(code)
    if kind == "boolean":
        return boolean_run(code)
    if kind == "value":
        return code.run
    nodes = nodes_run(code, name)
    if kind == "path":
        return nodes
    return lambda context: [node for node in nodes(context) if node.relevant]


def _called(run: Callable[..., Any] | None, arguments: list[Callable[[Context], Any]]) -> Callable[[Context], Any]:
    assert run is not None
    if not arguments:
        return run
    if len(arguments) == 1:
        one = arguments[0]
        return lambda context: run(context, one(context))
    if len(arguments) == 2:
        first, second = arguments
        return lambda context: run(context, first(context), second(context))
    return lambda context: run(context, *[each(context) for each in arguments])


def _wanted(function: Function) -> str:
    if function.maximum is None:
        return f"≥ {function.minimum}"
    if function.maximum == function.minimum:
        return str(function.minimum)
    return f"{function.minimum}-{function.maximum}"


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, FUNCTIONS, n=1)), "")


def _junction(symbol: str, operands: list[Code]) -> Code:
    runs = [boolean_run(operand) for operand in operands]
    if len(runs) == 2:
        left, right = runs
        if symbol == "and":
            return Code("boolean", lambda context: left(context) and right(context))
        return Code("boolean", lambda context: left(context) or right(context))

    def conjunction(context: Context) -> bool:
        # A generator would cost more than the terms.
        for run in runs:  # noqa: SIM110
            if not run(context):
                return False
        return True

    def disjunction(context: Context) -> bool:
        for run in runs:  # noqa: SIM110
            if run(context):
                return True
        return False

    return Code("boolean", conjunction if symbol == "and" else disjunction)


def _union(operands: list[Code]) -> Code:
    runs = [nodes_run(operand, "|") for operand in operands]

    def union(context: Context) -> list[Node]:
        return in_order([node for run in runs for node in run(context)])

    return Code("nodes", union)


def _arithmetic(symbols: list[str], operands: list[Code], texts: Sequence[Code | None]) -> Code:
    first = number_run(operands[0])
    runs = [number_run(operand) for operand in operands[1:]]
    mine, theirs = texts
    if mine is not None and theirs is not None:
        first, runs = _difference(first, runs[0], string_run(mine), string_run(theirs)), runs[1:]
        if not runs:
            return Code("number", first)
        symbols = symbols[1:]
    if len(runs) > 1:
        steps = [(ARITHMETIC[symbol], run) for symbol, run in zip(symbols, runs, strict=True)]

        def fold(context: Context) -> float:
            total = first(context)
            for apply, run in steps:
                total = apply(total, run(context))
            return total

        return Code("number", fold)
    second = runs[0]
    if symbols[0] == "+":
        return Code("number", lambda context: first(context) + second(context))
    if symbols[0] == "-":
        return Code("number", lambda context: first(context) - second(context))
    if symbols[0] == "*":
        return Code("number", lambda context: first(context) * second(context))
    apply = ARITHMETIC[symbols[0]]
    return Code("number", lambda context: apply(first(context), second(context)))


def _difference(
    first: Callable[[Context], float], second: Callable[[Context], float],
    mine: Callable[[Context], str], theirs: Callable[[Context], str],
) -> Callable[[Context], float]:  # fmt: skip
    """The difference of what may be dates: two of one zone lie whole days apart, whatever its part of a day loses."""

    def run(context: Context) -> float:
        difference = first(context) - second(context)
        beyond = difference % 1.0
        # Only then are the texts looked at; binary fractions of numbers stay as they are.
        if beyond and (beyond < _NEARLY or beyond > 1 - _NEARLY):
            zone = context.zone
            if read_moment(mine(context), zone) is not None and read_moment(theirs(context), zone) is not None:
                return float(round(difference))
        return difference

    return run


_NEARLY = 1e-9  # of a day: a tenth of a millisecond
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _comparison(symbol: str, left: Code, right: Code) -> Code:
    """The general comparison looks at types when it runs; these are the ones that need not."""
    if left.constant is not None and right.constant is None:
        symbol, left, right = _MIRRORED[symbol], right, left
    single = left.first is not None and left.single
    if left.type == "number" and right.type == "number":
        return _of_numbers(symbol, left, right)
    if single and right.type == "number":
        return _of_node_and_number(symbol, left, right)
    if single and isinstance(right.constant, str) and symbol in EQUALITY:
        return _of_node_and_text(symbol, left, right.constant)
    if left.type == "nodes" and isinstance(right.constant, str) and symbol in EQUALITY:
        return _of_nodes_and_text(symbol, left, right.constant)
    if left.type == "nodes" and right.type == "number":
        return _of_nodes_and_number(symbol, left, right)
    mine, theirs = left.run, right.run

    def general(context: Context) -> bool:
        return compare(symbol, mine(context), theirs(context), context)

    return Code("boolean", general)


def _of_numbers(symbol: str, left: Code, right: Code) -> Code:
    mine, theirs = left.run, right.run
    apply: Callable[[Any, Any], bool] = EQUALITY[symbol] if symbol in EQUALITY else RELATION[symbol]
    return Code("boolean", lambda context: apply(mine(context), theirs(context)))


def _of_node_and_number(symbol: str, left: Code, right: Code) -> Code:
    """A number beside a node: a missing node compares false, `!=` included (NaN would not)."""
    mine, theirs, first = number_run(left), right.run, left.first
    assert first is not None
    if symbol == "!=":
        return Code("boolean", lambda context: first(context) is not None and mine(context) != theirs(context))
    apply: Callable[[Any, Any], bool] = EQUALITY[symbol] if symbol in EQUALITY else RELATION[symbol]
    if isinstance(right.constant, float):
        fixed = right.constant
        return Code("boolean", lambda context: apply(mine(context), fixed))
    return Code("boolean", lambda context: apply(mine(context), theirs(context)))


def _of_node_and_text(symbol: str, left: Code, text: str) -> Code:
    first = left.first
    assert first is not None
    same = symbol == "="

    def equal(context: Context) -> bool:
        node = first(context)
        return node is not None and (node.text() == text) is same

    return Code("boolean", equal)


def _of_nodes_and_text(symbol: str, left: Code, text: str) -> Code:
    nodes = left.run
    same = symbol == "="

    def equal(context: Context) -> bool:
        # A generator would cost more than the comparison.
        for node in nodes(context):  # noqa: SIM110
            if (node.text() == text) is same:
                return True
        return False

    return Code("boolean", equal)


def _of_nodes_and_number(symbol: str, left: Code, right: Code) -> Code:
    nodes, number_of = left.run, right.run
    apply: Callable[[Any, Any], bool] = EQUALITY[symbol] if symbol in EQUALITY else RELATION[symbol]

    def compares(context: Context) -> bool:
        number = number_of(context)
        for node in nodes(context):  # noqa: SIM110
            if apply(text_number(node.text(), context), number):
                return True
        return False

    return Code("boolean", compares)


def run_checked(run: Callable[[Context], Any], source: str, context: Context) -> Value:
    """Evaluate, and put the source into an error that knows only its kind; raises ExpressionError."""
    try:
        value: Value = run(context)
        return value
    except ExpressionError as error:
        if error.problem.context["source"]:
            raise
        known = {key: value for key, value in error.problem.context.items() if key != "source"}
        raise ExpressionError(error.code, source=source, **known) from None
    except RecursionError:
        raise ExpressionError("FORMS_EXPRESSION_TOO_DEEP", source=source, limit="Python") from None
