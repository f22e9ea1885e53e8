"""randomize(): Fisher and Yates' shuffle by Park and Miller's generator, so that equal seeds give equal orders."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable

from forms.expressions.code import Code, nodes_run
from forms.expressions.context import Context
from forms.expressions.functions.registry import Compiling, special
from forms.expressions.nodes import Node, in_order
from forms.expressions.syntax import Syntax
from forms.expressions.values import Value, to_number, to_string

_MODULUS = 2_147_483_647
_MULTIPLIER = 16_807


@special("randomize(nodes, value?)", "nodes")
def randomize(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return a node-set's nodes in random order, the same one for the same seed."""
    nodes_of = nodes_run(compiler.compile(arguments[0]), "randomize")
    seed_of = compiler.compile(arguments[1]).run if len(arguments) > 1 else None

    def shuffle(context: Context) -> list[Node]:
        nodes = [node for node in in_order(nodes_of(context)) if node.relevant]
        draw = context.random.random if seed_of is None else _generator(seed_number(seed_of(context), context))
        for last in range(len(nodes) - 1, 0, -1):
            other = int(draw() * (last + 1))
            nodes[last], nodes[other] = nodes[other], nodes[last]
        return nodes

    return Code("nodes", shuffle)


def seed_number(seed: Value, context: Context) -> int:
    """Return a seed as a whole number; text that is no number gives the first eight bytes of its SHA-256."""
    number = to_number(seed, context)
    if math.isfinite(number):
        return int(number)
    digest = hashlib.sha256(to_string(seed).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _generator(seed: int) -> Callable[[], float]:
    state = int(math.fmod(seed, _MODULUS)) if abs(seed) < 2**53 else abs(seed) % _MODULUS * (1 if seed > 0 else -1)
    if state <= 0:
        state += _MODULUS - 1

    def draw() -> float:
        nonlocal state
        state = state * _MULTIPLIER % _MODULUS
        return (state - 1) / (_MODULUS - 1)

    return draw
