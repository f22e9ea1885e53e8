"""Functions that reach into repeats and secondary instances: indexed-repeat and pulldata."""

from __future__ import annotations

import math
from collections.abc import Callable

from forms.expressions.code import Code, nodes_run, number_run, string_run
from forms.expressions.context import Context, Scope
from forms.expressions.errors import ExpressionError
from forms.expressions.functions.registry import Compiling, special
from forms.expressions.nodes import Node
from forms.expressions.syntax import Path, Step, Syntax


@special("indexed-repeat(nodes, nodes, number, nodes?, number?, nodes?, number?)", "nodes")
def indexed_repeat(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return the target in the numbered instances of up to three repeats, outermost first."""
    if len(arguments) % 2 == 0:
        raise ExpressionError("FORMS_EXPRESSION_ARGUMENT_COUNT", name="indexed-repeat", wanted="3, 5, 7",
                              given=len(arguments))
    places = [number_run(compiler.compile(one)) for one in arguments[2::2]]
    paths = [_steps(one, compiler.scope) for one in (arguments[0], *arguments[1::2])]
    if not compiler.scope.plain and all(path is not None for path in paths):
        down = _relative_parts([path for path in paths if path is not None])
        if down is not None:
            return Code("nodes", _walker(down, places, _around(down[0], compiler.scope)))
    target, *repeats = (nodes_run(compiler.compile(one), "indexed-repeat") for one in (arguments[0], *arguments[1::2]))

    def search(context: Context) -> list[Node]:
        inside: Node | None = None
        for repeat, place in zip(repeats, places, strict=True):
            inside = _at([one for one in repeat(context) if _beneath(one, inside)], place(context))
            if inside is None:
                return []
        return [node for node in target(context) if _beneath(node, inside)]

    return Code("nodes", search)


def _beneath(node: Node, above: Node | None) -> bool:
    return above is None or node is above or any(one is above for one in node.ancestors())


def _at(nodes: list[Node], place: float) -> Node | None:
    return nodes[int(place) - 1] if math.isfinite(place) and 1 <= place < len(nodes) + 1 else None


def _steps(tree: Syntax, scope: Scope) -> tuple[str, ...] | None:
    """Return a path as the names from the root, or None where that cannot be told beforehand."""
    if not isinstance(tree, Path) or not (tree.start is None or tree.start == "/"):
        return None
    if tree.start is None and not scope.context:
        return None
    names = [] if tree.start == "/" else scope.context.split("/")[1:]
    for step in tree.steps:
        if not _simple(step):
            return None
        if step.axis == "child":
            names.append(step.test.local)
        elif step.axis == "parent" and names:
            names.pop()
    return tuple(names)


def _simple(step: Step) -> bool:
    if step.predicates:
        return False
    if step.axis == "child":
        return step.test.type == "name" and step.test.local != "*"
    return step.axis in ("self", "parent") and step.test.type == "node"


def _relative_parts(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]] | None:
    """Return the names from each repeat to the next one, and from the last to the target; None if they don't nest."""
    target, *repeats = paths
    parts: list[tuple[str, ...]] = []
    above: tuple[str, ...] = ()
    for path in (*repeats, target):
        if path[: len(above)] != above or path == above:
            return None
        parts.append(path[len(above) :])
        above = path
    return parts


def _around(names: tuple[str, ...], scope: Scope) -> dict[str, int]:
    """Return the repeats around the outermost repeat of a call, and how many steps of its path each one takes."""
    prefixes = {"/" + "/".join(names[:count]): count for count in range(1, len(names))}
    return {path: count for path, count in prefixes.items() if path in scope.repeats}


def _walker(
    parts: list[tuple[str, ...]], places: list[Callable[[Context], float]], around: dict[str, int]
) -> Callable[[Context], list[Node]]:
    def start(context: Context) -> tuple[Node, int]:
        """The current instance of a repeat around the call's outermost one, as for any absolute path."""
        node: Node | None = context.current if around else None
        while node is not None:
            if node.path in around:
                return node, around[node.path]
            node = node.parent
        return context.root, 0

    def walk(context: Context) -> list[Node]:
        origin, taken = start(context)
        node: Node | None = origin
        for names, place in zip([parts[0][taken:], *parts[1:]], places, strict=False):
            node = None if node is None else _at(_down(node, names), place(context))
        return [] if node is None else _down(node, parts[-1])

    return walk


def _down(node: Node, names: tuple[str, ...]) -> list[Node]:
    nodes = [node]
    for name in names:
        nodes = [one for each in nodes for one in each.named(name)]
    return nodes


@special("pulldata(string, string, string, string)", "string")
def pulldata(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return a column of the first item of attached data whose key column has a value."""
    name_of, column_of, key_of, value_of = (string_run(compiler.compile(one)) for one in arguments)

    def pull(context: Context) -> str:
        name = name_of(context)
        secondary = context.instances(name) if context.instances is not None else None
        if secondary is None:
            raise ExpressionError("FORMS_EXPRESSION_UNKNOWN_INSTANCE", id=name)
        key, value = key_of(context), value_of(context)
        items = secondary.lookup(("root", "item"), key, value)
        if items is None:
            items = [one for one in _down(secondary.document, ("root", "item")) if _text(one, key) == value]
        return _text(items[0], column_of(context)) if items else ""

    return Code("string", pull)


def _text(item: Node, column: str) -> str:
    found = item.first(column)
    return "" if found is None else found.text()


