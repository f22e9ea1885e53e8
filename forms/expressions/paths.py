"""Compile location paths: single nodes by look-up, repeats by the current instance, the rest step by step."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from forms.expressions.axes import reach
from forms.expressions.code import Code, boolean_run
from forms.expressions.context import Context, Scope
from forms.expressions.errors import ExpressionError
from forms.expressions.nodes import Node, in_order
from forms.expressions.syntax import REVERSE_AXES, Call, Chain, Literal, Negate, Number, Path, Step, Syntax

Nodes = Callable[[Context], list[Node]]
# From the nodes that one step reached to those that the next one reaches.
Walk = Callable[[Context, list[Node]], list[Node]]
_ORDERED_AXES = frozenset({"child", "self", "attribute", "namespace"})
_DOWNWARD_AXES = frozenset({"attribute", "child", "descendant", "descendant-or-self", "self"})
_CONTEXT_FREE = frozenset({"true", "false", "pi", "today", "now", "current", "instance"})
_POSITIONAL = frozenset({"position", "last", "once"})


class Compiling(Protocol):
    """What a path needs of the compiler: to compile what stands inside it."""

    scope: Scope

    def compile(self, tree: Syntax) -> Code:
        """Return the code of a syntax tree."""
        ...


def compile_path(path: Path, compiler: Compiling) -> Code:
    """Return the code of a location path; raises ExpressionError for what it holds."""
    scope = compiler.scope
    if path.start == "/":
        if path.plain and not scope.plain and _outside_repeats(path.plain, scope.repeats):
            return _single(path.plain)
        if not scope.plain:
            return _absolute(path.steps, compiler)
        return _from_root(path.steps, compiler)
    if path.start is None or isinstance(path.start, str):
        return _relative(path.steps, compiler)
    indexed = _from_instance(path, compiler)
    if indexed is not None:
        return indexed
    start = compiler.compile(path.start)
    if start.type not in ("nodes", "value"):
        raise ExpressionError("FORMS_EXPRESSION_NOT_NODES", name="/")
    if isinstance(path.start, Call) and path.start.name == "current" and _ups_and_names(path.steps) is not None:
        return _relative(path.steps, compiler, from_current=True)
    return _continue(start, path.steps, compiler)


def filtered(base: Code, predicates: tuple[Syntax, ...], compiler: Compiling) -> Code:
    """Return the code of a node-set expression with predicates, which count in document order."""
    if base.type not in ("nodes", "value"):
        raise ExpressionError("FORMS_EXPRESSION_NOT_NODES", name="[]")
    picks = [_pick(one, compiler) for one in predicates]
    run = base.run

    def select(context: Context) -> list[Node]:
        nodes = _checked(run(context))
        for pick in picks:
            nodes = pick(context, nodes)
        return nodes

    return Code("nodes", select)


def _checked(value: object) -> list[Node]:
    if not isinstance(value, list):
        raise ExpressionError("FORMS_EXPRESSION_NOT_NODES", name="/")
    return value


def is_name_step(step: Step) -> bool:
    """Return whether a step is a child's name and nothing else."""
    return step.axis == "child" and step.test.type == "name" and step.test.local != "*" and not step.predicates


def step_name(step: Step) -> str:
    """Return a name step's name with its prefix."""
    return f"{step.test.prefix}:{step.test.local}" if step.test.prefix else step.test.local


# Absolute paths


def _from_root(steps: tuple[Step, ...], compiler: Compiling) -> Code:
    return _continue(Code("nodes", lambda context: [context.root], single=True), steps, compiler)


def _absolute(steps: tuple[Step, ...], compiler: Compiling) -> Code:
    """ODK's absolute path: a single node where no repeat is on the way, else bound to the current instance."""
    scope = compiler.scope
    plain_steps = 0
    while plain_steps < len(steps) and is_name_step(steps[plain_steps]):
        plain_steps += 1
    prefixes = [
        "/" + "/".join(step_name(step) for step in steps[: count + 1]) for count in range(min(plain_steps, len(steps)))
    ]
    repeats = [count for count, prefix in enumerate(prefixes) if prefix in scope.repeats]
    bound = [count for count in repeats if count < len(steps) - 1 and _inside(prefixes[count], scope)]
    if bound:
        anchored = _at_ancestor([prefixes[count] for count in reversed(bound)], bound, steps, compiler)
        if anchored is not None:
            return anchored
    single = repeats[0] if repeats else plain_steps
    if single == 0:
        return _from_root(steps, compiler)
    return _continue(_single(prefixes[single - 1]), steps[single:], compiler)


def _inside(repeat: str, scope: Scope) -> bool:
    return not scope.context or scope.context == repeat or scope.context.startswith(repeat + "/")


def _outside_repeats(path: str, repeats: frozenset[str]) -> bool:
    """Whether no repeat is at or around a path."""
    while path and repeats:
        if path in repeats:
            return False
        path = path.rpartition("/")[0]
    return True


@lru_cache(maxsize=16_384)
def _single(path: str) -> Code:
    """The code of the one node at a path; the same for every form, as it looks into the tree it is given."""

    def first(context: Context) -> Node | None:
        tree = context.tree
        return tree.singles.get(path) or tree.find(path)

    def run(context: Context) -> list[Node]:
        node = first(context)
        return [] if node is None else [node]

    return Code("nodes", run, first=first, single=True)


def _at_ancestor(anchors: list[str], bound: list[int], steps: tuple[Step, ...], compiler: Compiling) -> Code | None:
    """The rest of a path from the current instance of its innermost repeat that the current node is inside of."""
    rests = {
        anchor: _continue(_OWN, steps[count + 1 :], compiler)
        for anchor, count in zip(anchors, reversed(bound), strict=True)
    }
    outside = _from_root(steps, compiler)

    def anchor_of(context: Context) -> Node | None:
        node: Node | None = context.current
        while node is not None:
            if node.path in rests:
                return node
            node = node.parent
        return None

    def run(context: Context) -> list[Node]:
        node = anchor_of(context)
        if node is None:
            found: list[Node] = outside.run(context)
            return found
        kept, context.node = context.node, node
        try:
            nodes: list[Node] = rests[node.path].run(context)
            return nodes
        finally:
            context.node = kept

    names = {anchor: _names(steps[count + 1 :]) for anchor, count in zip(anchors, reversed(bound), strict=True)}
    if any(found is None for found in names.values()):
        return Code("nodes", run)

    def first(context: Context) -> Node | None:
        node = anchor_of(context)
        if node is None:
            found: list[Node] = outside.run(context)
            return found[0] if found else None
        return _down(node, names[node.path] or ())

    return Code("nodes", run, first=first)


_OWN = Code("nodes", lambda context: [context.node], single=True)


def _names(steps: tuple[Step, ...]) -> tuple[str, ...] | None:
    return tuple(step.test.local for step in steps) if all(map(is_name_step, steps)) else None


def _down(node: Node, names: tuple[str, ...]) -> Node | None:
    """Return the first node at a path of names beneath; the first child may lack what its sibling has."""
    if len(names) == 1:
        found = node.named(names[0])
        return found[0] if found else None
    if not names:
        return node
    for child in node.named(names[0]):
        deeper = _down(child, names[1:])
        if deeper is not None:
            return deeper
    return None


# Relative paths


def _relative(steps: tuple[Step, ...], compiler: Compiling, *, from_current: bool = False) -> Code:
    shape = _ups_and_names(steps)
    if shape is None or compiler.scope.plain:
        start = Code("nodes", lambda context: [context.current], single=True) if from_current else _OWN
        return _continue(start, steps, compiler)
    ups, names = shape

    def first(context: Context) -> Node | None:
        node: Node | None = context.current if from_current else context.node
        for _ in range(ups):
            node = node.parent if node is not None else None
        return None if node is None else _down(node, names)

    def run(context: Context) -> list[Node]:
        node: Node | None = context.current if from_current else context.node
        for _ in range(ups):
            node = node.parent if node is not None else None
        if node is None:
            return []
        nodes = [node]
        for name in names:
            nodes = nodes[0].named(name) if len(nodes) == 1 else [one for each in nodes for one in each.named(name)]
        return nodes

    return Code("nodes", run, first=first, single=not names)


def _ups_and_names(steps: tuple[Step, ...]) -> tuple[int, tuple[str, ...]] | None:
    """Return how often `..` leads a path of names, or None for any other path."""
    ups, place = 0, 0
    for step in steps:
        if step.test.type != "node" or step.predicates or step.axis not in ("self", "parent"):
            break
        ups += step.axis == "parent"
        place += 1
    names = _names(steps[place:])
    return None if names is None else (ups, names)


# Any path, step by step


def _continue(start: Code, steps: tuple[Step, ...], compiler: Compiling) -> Code:
    if not steps:
        return start
    walks: list[Walk] = []
    flat = start.single
    for step in _merged(steps):
        walk, flat = _walk(step, compiler, flat=flat)
        walks.append(walk)
    run = start.run

    def select(context: Context) -> list[Node]:
        nodes = _checked(run(context))
        for walk in walks:
            if not nodes:
                return nodes
            nodes = walk(context, nodes)
        return nodes

    single = start.single and all(step.axis in ("self", "parent") for step in steps)
    return Code("nodes", select, single=single)


def _merged(steps: tuple[Step, ...]) -> list[Step]:
    """Make `//name` one descendant step where no predicate counts positions among children."""
    merged: list[Step] = []
    for step in steps:
        last = merged[-1] if merged else None
        anywhere = last is not None and last.axis == "descendant-or-self" and last.test.type == "node"
        if anywhere and last is not None and not last.predicates and step.axis == "child" and not step.predicates:
            merged[-1] = Step("descendant", step.test)
        else:
            merged.append(step)
    return merged


def _walk(step: Step, compiler: Compiling, *, flat: bool) -> tuple[Walk, bool]:
    """Return a step's closure, and whether its nodes stand in order at one depth when those before it did."""
    to = reach(step, compiler.scope.namespaces, plain=compiler.scope.plain)
    picks = [_pick(one, compiler) for one in step.predicates]
    backwards = step.axis in REVERSE_AXES
    ordered = flat and step.axis in _ORDERED_AXES

    def walk(context: Context, nodes: list[Node]) -> list[Node]:
        if len(nodes) == 1:
            found = _picked(context, to(nodes[0]), picks)
            return found[::-1] if backwards else found
        gathered = [one for node in nodes for one in _picked(context, to(node), picks)]
        return gathered if ordered else in_order(gathered)

    return walk, flat and step.axis in (*_ORDERED_AXES, "parent", "following-sibling", "preceding-sibling")


def _picked(context: Context, nodes: list[Node], picks: list[Walk]) -> list[Node]:
    for pick in picks:
        if not nodes:
            return nodes
        nodes = pick(context, nodes)
    return nodes


def _pick(predicate: Syntax, compiler: Compiling) -> Walk:
    place = _place(predicate)
    wanted = None if place is None else compiler.compile(place)
    return _predicate(compiler.compile(predicate)) if wanted is None or wanted.type != "number" else _nth(wanted)


def _place(predicate: Syntax) -> Syntax | None:
    """Return what `position()` has to be, where that is the same for all nodes (a question of the row before, say)."""
    if not (isinstance(predicate, Chain) and len(predicate.rest) == 1 and predicate.rest[0][0] == "="):
        return None
    sides = (predicate.first, predicate.rest[0][1])
    for side, wanted in (sides, sides[::-1]):
        if isinstance(side, Call) and side.name == "position" and not side.arguments and _fixed(wanted):
            return wanted
    return None


def _nth(wanted: Code) -> Walk:
    number_of = wanted.run

    def nth(context: Context, nodes: list[Node]) -> list[Node]:
        number = number_of(context)
        return nodes[int(number) - 1 : int(number)] if 1 <= number <= len(nodes) and number == int(number) else []

    return nth


def _predicate(code: Code) -> Walk:
    """Return what keeps the nodes for which a predicate holds: a number is a position (XPath 1.0, 2.4)."""
    if code.type == "number" and isinstance(code.constant, float):
        wanted = code.constant
        place = int(wanted) if abs(wanted) < 2**53 and wanted == int(wanted) else 0
        return lambda context, nodes: nodes[place - 1 : place] if place > 0 else []
    run = code.run if code.type in ("number", "value") else boolean_run(code)

    def keep(context: Context, nodes: list[Node]) -> list[Node]:
        node, position, size = context.node, context.position, context.size
        kept: list[Node] = []
        context.size = len(nodes)
        try:
            for place, one in enumerate(nodes, start=1):
                context.node = one
                context.position = place
                value = run(context)
                if value == place if type(value) is float else value:
                    kept.append(one)
        finally:
            context.node, context.position, context.size = node, position, size
        return kept

    return keep


# Secondary instances by index


def _from_instance(path: Path, compiler: Compiling) -> Code | None:
    """`instance('id')/root/item[name = VALUE]...`: by the instance's index instead of a look at every item."""
    start = path.start
    if not (isinstance(start, Call) and start.name == "instance" and len(start.arguments) == 1):
        return None
    names: list[str] = []
    for step in path.steps:
        if step.axis != "child" or step.test.type != "name" or step.test.local == "*":
            return None
        names.append(step.test.local)
        if step.predicates:
            break
    last = path.steps[len(names) - 1] if names else None
    if last is None or not last.predicates or not isinstance(start.arguments[0], Literal):
        return None
    found = _key(last.predicates[0])
    # Items that were looked up may stand in no document with their siblings.
    if found is None or any(step.axis not in _DOWNWARD_AXES for step in path.steps[len(names) :]):
        return None
    column, wanted, alone = found
    rest = last.predicates[1:] if alone else last.predicates
    picks = [_pick(one, compiler) for one in rest]
    looked_up = _looked_up(start.arguments[0].value, tuple(names), column, compiler.compile(wanted))
    scan = _continue(compiler.compile(start), path.steps[: len(names)], compiler)

    def select(context: Context) -> list[Node]:
        nodes = looked_up(context)
        if nodes is None:
            found: list[Node] = scan.run(context)
            return found
        return _picked(context, nodes, picks)

    return _continue(Code("nodes", select), path.steps[len(names) :], compiler)


def _looked_up(key: str, names: tuple[str, ...], column: str, wanted: Code) -> Callable[[Context], list[Node] | None]:
    value_of = wanted.run

    def look_up(context: Context) -> list[Node] | None:
        secondary = context.instances(key) if context.instances is not None else None
        if secondary is None:
            return None
        value = value_of(context)
        if type(value) is str:
            return secondary.lookup(names, column, value)
        # Numbers equal in other spellings and dates by instant: only a look at every item tells.
        if not isinstance(value, list) or len(value) > 1:
            return None
        return secondary.lookup(names, column, value[0].text()) if value else []

    return look_up


def _key(predicate: Syntax) -> tuple[str, Syntax, bool] | None:
    """Return a conjunct `column = value`, the value the same for all items, and whether it is the whole predicate."""
    conjuncts = [predicate]
    alone = True
    if isinstance(predicate, Chain) and all(symbol == "and" for symbol, _ in predicate.rest):
        conjuncts = [predicate.first, *(operand for _, operand in predicate.rest)]
        alone = False
    if _counts(predicate):
        return None
    for conjunct in conjuncts:
        if not (isinstance(conjunct, Chain) and len(conjunct.rest) == 1 and conjunct.rest[0][0] == "="):
            continue
        sides = (conjunct.first, conjunct.rest[0][1])
        for column, wanted in (sides, sides[::-1]):
            if isinstance(column, Path) and column.start is None and len(column.steps) == 1:
                step = column.steps[0]
                if is_name_step(step) and _fixed(wanted):
                    return step.test.local, wanted, alone
    return None


def _counts(tree: Syntax) -> bool:
    """Return whether a predicate might ask for its item's position, which an index does not know."""
    if isinstance(tree, Call):
        return (tree.name in _POSITIONAL and not tree.arguments) or any(map(_counts, tree.arguments))
    if isinstance(tree, Chain):
        return _counts(tree.first) or any(_counts(operand) for _, operand in tree.rest)
    return False


def _fixed(tree: Syntax) -> bool:
    """Return whether an expression's value does not depend on the context node."""
    if isinstance(tree, Literal | Number):
        return True
    if isinstance(tree, Negate):
        return _fixed(tree.operand)
    if isinstance(tree, Chain):
        return _fixed(tree.first) and all(_fixed(operand) for _, operand in tree.rest)
    if isinstance(tree, Path):
        start = tree.start
        return start == "/" or (isinstance(start, Call) and start.name in ("current", "instance") and _fixed(start))
    if isinstance(tree, Call):
        if tree.name in _POSITIONAL and not (tree.name == "position" and tree.arguments):
            return False
        if not tree.arguments and tree.name not in _CONTEXT_FREE:
            return False
        return all(map(_fixed, tree.arguments))
    return False
