"""How long expressions take, by kind: python -m tests.bench.expressions."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from forms.expressions import Context, Node, Scope, Tree, compile_expression
from forms.secondary import attached_items
from tests.forms.expressions.household import CLOCK, REPEATS, household

ITEMS = 20_000
KINDS: dict[str, str] = {
    "number and selected": "/data/size > 5 and selected(/data/tags, 'x')",
    "text equality": "/data/village = '430'",
    "arithmetic": "/data/size * 2 + 1",
    "if": "if(/data/size > 3, 'many', 'few')",
    "regex": "regex(., '^1[3-9][0-9]{9}$')",
    "relative, in a repeat": "../name = 'Wang'",
    "absolute, in a repeat": "/data/member/name = 'Wang'",
    "position": "position(..) = 2",
    "sum over a repeat": "sum(/data/member[age != '']/age)",
    "indexed-repeat": "indexed-repeat(/data/member/name, /data/member, 1)",
    "date": "int((today() - date('1958-03-04')) div 365.25)",
    "list of 20,000 by key": "instance('list')/root/item[name = /data/village]/label",
    "pulldata": "pulldata('list', 'label', 'name', /data/village)",
}


class Rows:
    """Attached rows with an index."""

    def __init__(self) -> None:
        self._rows = {str(number): {"name": str(number), "label": f"Village {number}"} for number in range(ITEMS)}

    def rows(self) -> list[dict[str, str]]:
        """Return all rows."""
        return list(self._rows.values())

    def lookup(self, column: str, value: str) -> list[dict[str, str]]:
        """Return the row of that name."""
        return [self._rows[value]] if column == "name" and value in self._rows else []


def microseconds(run: Callable[[], object], *, rounds: int = 25, calls: int = 200) -> float:
    """Return the median time of one call, over so many rounds of calls."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        for _ in range(calls):
            run()
        times.append((time.perf_counter_ns() - began) / calls / 1000)
    return statistics.median(times)


def setting() -> tuple[Scope, Context, Tree]:
    """Return the scope and context of the second member's age."""
    tree = household()
    node: Node | None = tree.find("/data/member[2]/age")
    assert node is not None
    items = attached_items(Rows())
    context = Context(node, clock=CLOCK, instances={"list": items}.get)
    return Scope(context=node.path, repeats=REPEATS), context, tree


def main() -> None:
    """Print a line for each kind: to compile, to evaluate."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    scope, context, _ = setting()
    print(f"{'kind':24} {'compile µs':>10} {'evaluate µs':>11}  expression")
    for kind, source in KINDS.items():
        compiled = compile_expression(source, scope=scope)

        def compiling(source: str = source) -> object:
            return compile_expression(source, scope=scope)

        def evaluating(run: Callable[[Context], object] = compiled.evaluate) -> object:
            return run(context)

        print(f"{kind:24} {microseconds(compiling, calls=20):10.1f} {microseconds(evaluating):11.2f}  {source}")


if __name__ == "__main__":
    main()
