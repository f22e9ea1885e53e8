"""Receipt: what a hub holds and allows after an exchange, as it travels back to a station (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collect.revision import canonical
from forms.problems import Problem
from sync.columns import MalformedError


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the hub holds now, written after its commit.

    `held`: station id -> gapless sequence number, of the stations whose revisions the receiver may send. `served`: the
    villages whose revisions this bundle carries, from the hub's arrival number `after` (not included) to `cursor`.
    `mark`: digest of the hub's revision at that number, by which a hub restored from a backup is recognised; `reset`:
    it is one, all cursors begin anew. `arrived`: the hub's latest arrival number; an older receipt has a lower one.
    `more`: further revisions wait. `villages`: the receiver's scope, code -> name. `forms`: digests of all form
    definitions the hub holds. `refused`: why something sent was not taken.
    """

    held: Mapping[str, int]
    served: tuple[str, ...] = ()
    after: int = 0
    cursor: int = 0
    mark: str = ""
    reset: bool = False
    arrived: int = 0
    more: bool = False
    villages: Mapping[str, str] = field(default_factory=dict)
    forms: tuple[str, ...] = ()
    refused: tuple[Problem, ...] = ()

    @property
    def state(self) -> str:
        """Sixteen hex digits that change with held, villages and forms: a station that names them is up to date."""
        told = [dict(self.held), dict(self.villages), sorted(self.forms)]
        return hashlib.sha256(canonical(told)).hexdigest()[:16]


def pack_receipt(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as JSON-ready data."""
    return {
        "held": dict(receipt.held),
        "served": list(receipt.served),
        "after": receipt.after,
        "cursor": receipt.cursor,
        "mark": receipt.mark,
        "reset": receipt.reset,
        "arrived": receipt.arrived,
        "more": receipt.more,
        "villages": dict(receipt.villages),
        "forms": list(receipt.forms),
        "refused": [
            {"code": problem.code, "context": {key: str(value) for key, value in problem.context.items()}}
            for problem in receipt.refused
        ],
    }


def unpack_receipt(data: Any) -> Receipt:
    """Return the receipt that `pack_receipt` wrote. Raises MalformedError."""
    match data:
        case {
            "held": dict(held),
            "served": list(served),
            "after": int(after),
            "cursor": int(cursor),
            "mark": str(mark),
            "reset": bool(reset),
            "arrived": int(arrived),
            "more": bool(more),
            "villages": dict(villages),
            "forms": list(forms),
            "refused": list(refused),
        } if {type(after), type(cursor), type(arrived)} == {int} and 0 <= after <= cursor:
            pass
        case _:
            raise MalformedError("a receipt of no known shape")
    if not all(type(seq) is int and seq >= 0 for seq in held.values()):
        raise MalformedError("a receipt that holds no numbers")
    if not all(type(text) is str for text in (*villages.values(), *forms, *served)):
        raise MalformedError("a receipt with a name that is not text")
    problems = tuple(_unpack_problem(problem) for problem in refused)
    return Receipt(held, tuple(served), after, cursor, mark, reset, arrived, more, villages, tuple(forms), problems)


def _unpack_problem(data: Any) -> Problem:
    match data:
        case {"code": str(code), "context": dict(context)} if all(type(text) is str for text in context.values()):
            return Problem(code, context=context)
        case _:
            raise MalformedError("a refusal of no known shape")
