"""The registry of functions: each by its signature, so that arguments arrive converted and counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, get_args

from forms.expressions.code import Code, Type
from forms.expressions.context import Context, Scope
from forms.expressions.syntax import Syntax
from forms.expressions.values import to_string

Kind = Literal["number", "string", "boolean", "value", "nodes", "path"]
Run = Callable[..., Any]
_Made = TypeVar("_Made", bound=Callable[..., Any])
_SIGNATURE = re.compile(r"(?P<name>[\w:.\-]+)\((?P<kinds>[^)]*)\)")


class Compiling(Protocol):
    """What a function that compiles its own arguments may ask of the compiler."""

    scope: Scope

    def compile(self, tree: Syntax) -> Code:
        """Return the code of a syntax tree."""
        ...


Build = Callable[[Compiling, tuple[Syntax, ...]], Code]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the expression language.

    `kinds`: one for each argument, the last one for all further arguments. `maximum`: None for any number. `run` gets
    the context and the converted arguments; `build`, where given, compiles the call itself instead. `volatile`: its
    value changes though no node does.
    """

    name: str
    kinds: tuple[Kind, ...]
    minimum: int
    maximum: int | None
    returns: Type
    run: Run | None = None
    build: Build | None = None
    volatile: bool = False


FUNCTIONS: dict[str, Function] = {}


def function(signature: str, returns: Type, *, volatile: bool = False) -> Callable[[_Made], _Made]:
    """Register what follows under a signature such as `substr(string, number, number?)` or `concat(value*)`.

    Kinds: number, string, boolean, value (as it is), nodes (a node-set, irrelevant nodes left out), path (a node-set
    as it is); `?` optional, `*` any number, `+` one or more. The function is called with the context and arguments.
    """

    def register(run: _Made) -> _Made:
        name, kinds, minimum, maximum = _read(signature)
        FUNCTIONS[name] = Function(name, kinds, minimum, maximum, returns, run=run, volatile=volatile)
        return run

    return register


def special(signature: str, returns: Type, *, volatile: bool = False) -> Callable[[_Made], _Made]:
    """Register a function that compiles its call: it gets the compiler and the arguments' syntax, and returns Code."""

    def register(build: _Made) -> _Made:
        name, kinds, minimum, maximum = _read(signature)
        FUNCTIONS[name] = Function(name, kinds, minimum, maximum, returns, build=build, volatile=volatile)
        return build

    return register


def _read(signature: str) -> tuple[str, tuple[Kind, ...], int, int | None]:
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(signature)
    written = [part.strip() for part in match["kinds"].split(",") if part.strip()]
    kinds: list[Kind] = []
    minimum = 0
    for part in written:
        bare = part.rstrip("?*+")
        kind = next(one for one in get_args(Kind) if one == bare)
        kinds.append(kind)
        minimum += not part.endswith(("?", "*"))
    open_ended = bool(written) and written[-1].endswith(("*", "+"))
    return match["name"], tuple(kinds), minimum, None if open_ended else len(written)


def each_text(context: Context, values: tuple[Any, ...]) -> list[str]:
    """Return the texts of values, a node-set's nodes one by one, irrelevant ones left out."""
    texts: list[str] = []
    for value in values:
        if isinstance(value, list):
            texts.extend(node.text() for node in value if node.relevant)
        else:
            texts.append(to_string(value))
    return texts
