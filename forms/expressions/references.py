"""What an expression reads, found without evaluating it: paths, secondary instances, time and chance."""

from __future__ import annotations

from dataclasses import dataclass, field

from forms.expressions.context import Scope
from forms.expressions.functions import FUNCTIONS
from forms.expressions.syntax import Call, Chain, Filter, Literal, Negate, Number, Path, Step, Syntax

_POSITIONAL = frozenset({"position", "last", "indexed-repeat"})
_OUTSIDE = "//"


@dataclass(frozen=True, slots=True)
class References:
    """What an expression's value depends on.

    `paths`: absolute position-free paths of nodes it reads, resolved against the scope's context; a path of a group
    or repeat stands for its presence and everything beneath. `subtrees`: paths under which anything may be read
    (wildcards, `//`; "" for the whole document). `instances`: ids of secondary instances. `volatile`: its value
    changes by time, chance or its node's own value. `positional`: it depends on the order or number of nodes.
    `choice_names`, `itexts`: literal arguments of jr:choice-name and jr:itext.
    """

    paths: frozenset[str] = frozenset()
    subtrees: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    volatile: bool = False
    positional: bool = False
    choice_names: frozenset[str] = frozenset()
    itexts: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Found:
    scope: Scope
    paths: set[str] = field(default_factory=set)
    subtrees: set[str] = field(default_factory=set)
    instances: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    choice_names: set[str] = field(default_factory=set)
    itexts: set[str] = field(default_factory=set)
    positional: bool = False


def references_of(tree: Syntax, scope: Scope) -> tuple[References, frozenset[str]]:
    """Return what a syntax tree reads, and the names of the functions it calls."""
    found = _Found(scope)
    _read(tree, scope.context or None, found)
    return (
        References(
            paths=frozenset(found.paths),
            subtrees=frozenset(found.subtrees),
            instances=frozenset(found.instances),
            volatile=any(FUNCTIONS[name].volatile for name in found.functions if name in FUNCTIONS),
            positional=found.positional or not found.functions.isdisjoint(_POSITIONAL),
            choice_names=frozenset(found.choice_names),
            itexts=frozenset(found.itexts),
        ),
        frozenset(found.functions),
    )


def _read(tree: Syntax, at: str | None, found: _Found) -> None:
    """Collect from a tree whose context node stands at `at`: None unknown, `//` in another document."""
    if isinstance(tree, Path):
        _path(tree, at, found)
    elif isinstance(tree, Call):
        _call(tree, at, found)
    elif isinstance(tree, Chain):
        _read(tree.first, at, found)
        for _, operand in tree.rest:
            if not isinstance(operand, (Literal, Number)):
                _read(operand, at, found)
    elif isinstance(tree, Negate):
        _read(tree.operand, at, found)
    elif isinstance(tree, Filter):
        _read(tree.primary, at, found)
        for predicate in tree.predicates:
            _predicate(predicate, at, found)


def _predicate(tree: Syntax, at: str | None, found: _Found) -> None:
    found.positional = found.positional or isinstance(tree, Number)
    _read(tree, at, found)


def _call(tree: Call, at: str | None, found: _Found) -> None:
    found.functions.add(tree.name)
    literal = tree.arguments[0].value if tree.arguments and isinstance(tree.arguments[0], Literal) else None
    if tree.name in ("instance", "pulldata") and literal is not None:
        found.instances.add(literal)
    if tree.name == "jr:itext" and literal is not None:
        found.itexts.add(literal)
    if tree.name == "jr:choice-name" and len(tree.arguments) == 2 and isinstance(tree.arguments[1], Literal):
        found.choice_names.add(tree.arguments[1].value.strip())
    if tree.name == "current":
        _add(found.scope.context or None, found)
    elif not tree.arguments and tree.name in ("string", "number", "normalize-space"):
        _add(at, found)
    elif tree.name == "id":
        found.subtrees.add("")
    for argument in tree.arguments:
        _read(argument, at, found)


def _add(path: str | None, found: _Found) -> None:
    if path is None:
        found.subtrees.add("")
    elif path != _OUTSIDE:
        found.paths.add(path)


def _path(tree: Path, at: str | None, found: _Found) -> None:
    if tree.plain:
        found.paths.add(tree.plain)
        return
    start = tree.start
    if start == "/":
        here: str | None = ""
    elif start is None or isinstance(start, str):
        here = at
    elif isinstance(start, Call) and start.name == "current":
        found.functions.add("current")
        here = found.scope.context or None
    elif isinstance(start, Call) and start.name == "instance":
        _read(start, at, found)
        here = _OUTSIDE
    else:
        _read(start, at, found)
        here = None
    wild = False
    for step in tree.steps:
        # Beneath a wildcard only the subtree it began in is known.
        here, loose = (here, False) if wild else _stepped(here, step)
        wild = wild or loose
        for predicate in step.predicates:
            _predicate(predicate, here if not wild else None, found)
    if here == _OUTSIDE:
        return
    if wild:
        found.subtrees.add(here or "")
    else:
        _add(here, found)


def _stepped(here: str | None, step: Step) -> tuple[str | None, bool]:
    """Return where a step leads, and whether it may lead anywhere beneath that."""
    if here is None or here == _OUTSIDE:
        return here, False
    if step.test.type == "node" and step.axis == "self":
        return here, False
    if step.axis == "parent":
        return here.rpartition("/")[0], False
    if step.test.type == "name" and step.test.local != "*" and step.axis == "child":
        name = f"{step.test.prefix}:{step.test.local}" if step.test.prefix else step.test.local
        return f"{here}/{name}", False
    if step.axis in ("child", "descendant", "descendant-or-self", "attribute", "self", "namespace"):
        return here, True
    if step.axis.endswith("-sibling"):
        return here.rpartition("/")[0], True
    return "", True
