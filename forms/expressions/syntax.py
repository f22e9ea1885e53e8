"""The syntax tree of an expression: a handful of frozen records."""

from __future__ import annotations

from dataclasses import dataclass

AXES = frozenset({
    "ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self", "following",
    "following-sibling", "namespace", "parent", "preceding", "preceding-sibling", "self",
})
REVERSE_AXES = frozenset({"ancestor", "ancestor-or-self", "preceding", "preceding-sibling"})
NODE_TYPES = frozenset({"comment", "text", "processing-instruction", "node"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal."""

    value: float
    offset: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A string literal."""

    value: str
    offset: int


@dataclass(frozen=True, slots=True)
class Negate:
    """A unary minus, `times` of them in a row."""

    operand: Syntax
    times: int
    offset: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined by left-associative operators of one precedence: `a + b - c` in one node, however long."""

    first: Syntax
    rest: tuple[tuple[str, Syntax], ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `name` with its prefix as written."""

    name: str
    arguments: tuple[Syntax, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class NodeTest:
    """A node test: `type` node, text, comment, processing-instruction, or name (with `prefix`, `local`, either `*`)."""

    type: str
    local: str = "*"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a location path."""

    axis: str
    test: NodeTest
    predicates: tuple[Syntax, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A location path.

    `start`: None for a relative path, "/" for an absolute one, otherwise the expression before the first slash.
    `plain`: the path itself where it is absolute and of names only, else "".
    """

    start: Syntax | str | None
    steps: tuple[Step, ...]
    offset: int
    plain: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A primary expression with predicates."""

    primary: Syntax
    predicates: tuple[Syntax, ...]
    offset: int


Syntax = Number | Literal | Negate | Chain | Call | Path | Filter
