"""Request: what a station asks of its hub, as small as can be where it has nothing to ask (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from forms.problems import CunceError, Problem
from sync.receipt import Receipt


class RequestError(CunceError):
    """Bytes that are no request (SYNC_REQUEST_UNREADABLE)."""


@dataclass(frozen=True, slots=True)
class Request:
    """How far a station has come.

    `own`: up to which of its own numbers it has everything that is of its villages. `state`: that of the last receipt.
    `cursor`: the highest of its cursors, and `mark` the digest the hub gave with it. `cursors`: village -> arrival
    number; None says "all villages of that state stand at `cursor`". `forms`: digests of the definitions it has; None
    asks for none. `others`: of a hub, station -> number up to which it has what it sent on of it. `now`: what its clock
    says, in seconds since 1970 UTC, on a road that answers at once.
    """

    own: int
    state: str = ""
    cursor: int = 0
    mark: str = ""
    cursors: Mapping[str, int] | None = None
    forms: tuple[str, ...] | None = None
    others: Mapping[str, int] | None = None
    now: int | None = None

    def widened(self, villages: Iterable[str]) -> Request:
        """Return the request as it is when its station works in these villages now.

        One that is new to it may have been its before: then what it wrote there itself has left it, and is sent again.
        """
        return replace(self, own=0) if self.cursors and set(villages) - set(self.cursors) else self

    def after(self, receipt: Receipt) -> Request:
        """Return the request as it will be once the receipt's bundle has been taken in."""
        cursors, widened = advanced(self.cursors or {}, receipt), self.widened(receipt.villages)
        return replace(
            widened, state=receipt.state, cursors=cursors, cursor=max(cursors.values(), default=0),
            mark=receipt.mark or self.mark, forms=receipt.forms,
        )  # fmt: skip


def advanced(cursors: Mapping[str, int], receipt: Receipt) -> dict[str, int]:
    """Return the cursors after a receipt: only villages in scope, and none moved over a gap."""
    if receipt.reset:
        cursors = dict.fromkeys(cursors, 0)
    moved = {village: cursors.get(village, 0) for village in receipt.villages}
    for village in receipt.served:
        if village in moved and moved[village] >= receipt.after:
            moved[village] = max(moved[village], receipt.cursor)
    return moved


def pack_request(request: Request) -> bytes:
    """Return a request as JSON."""
    data: dict[str, Any] = {"own": request.own, "state": request.state, "cursor": request.cursor, "mark": request.mark}
    if request.cursors is not None:
        data["cursors"] = dict(request.cursors)
    if request.forms is not None:
        data["forms"] = list(request.forms)
    if request.others is not None:
        data["others"] = dict(request.others)
    if request.now is not None:
        data["now"] = request.now
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def unpack_request(data: bytes) -> Request:
    """Return the request that `pack_request` wrote; raises RequestError."""
    try:
        asked = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestError(Problem("SYNC_REQUEST_UNREADABLE")) from error
    match asked:
        case {"own": int(own), "state": str(state), "cursor": int(cursor), "mark": str(mark)}:
            cursors, forms, others = asked.get("cursors"), asked.get("forms"), asked.get("others")
        case _:
            raise RequestError(Problem("SYNC_REQUEST_UNREADABLE"))
    now = asked.get("now")
    numbers = [number for each in (cursors, others) if isinstance(each, dict) for number in each.values()]
    sound = (
        all(each is None or isinstance(each, dict) for each in (cursors, others))
        and all(type(number) is int and 0 <= number < 1 << 63 for number in (own, cursor, *numbers))
        and (now is None or (type(now) is int and abs(now) < 1 << 63))
        and (forms is None or (isinstance(forms, list) and all(type(digest) is str for digest in forms)))
    )
    if not sound:
        raise RequestError(Problem("SYNC_REQUEST_UNREADABLE"))
    return Request(own, state, cursor, mark, cursors, None if forms is None else tuple(forms), others, now)
