"""What waits for a decision at the hub: how much of each kind, counted once for every state of the ledgers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Response

from datasette_plugins.desk import desk_of
from datasette_plugins.scope import allowed
from datasette_plugins.ui.language import language_of, say
from datasette_plugins.ui.side_by_side import pairs
from sync.quarantine import waits

if TYPE_CHECKING:
    from collect.station import Station

# Kind of what waits -> its page and who may see it; in the order of the tabs.
PAGES = {
    "queue": ("/-/queue", "cunce-settle"),
    "suspects": ("/-/suspects", "view-instance"),
    "failing": ("/-/failing", "cunce-settle"),
    "parked": ("/-/parked", "cunce-stations"),
    "quarantine": ("/-/quarantine", "cunce-stations"),
}
STALE = 5.0  # seconds for which a tab may show how many pairs there were: looking for them takes the longest
_CONFLICTS: WeakKeyDictionary[Any, tuple[object, Counter[str]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of what waits, as a link with its number."""

    kind: str
    address: str
    label: str
    count: int
    current: bool


async def counts(datasette: Any, actor: Any) -> dict[str, int]:
    """Return how much of each kind waits, by the names of `PAGES`; cheap while nothing was saved or received."""
    found = await desk_of(datasette).read(_changing)
    suspected = await pairs(datasette, actor, stale=STALE)
    return {**found, "queue": (await conflicts(datasette)).total(), "suspects": len(suspected)}


async def conflicts(datasette: Any) -> Counter[str]:
    """Return how many conflicts wait in each village."""
    known, state = _CONFLICTS.get(datasette), await _state(datasette)
    if known is None or known[0] != state:
        read = await desk_of(datasette).read(lambda station: station.conflicts())
        known = _CONFLICTS[datasette] = (state, Counter(each.village for each in read))
    return known[1]


async def _state(datasette: Any) -> object:
    return await desk_of(datasette).read(lambda station: station.projection.state())


async def tabs(datasette: Any, request: Any, current: str = "") -> list[Tab]:
    """Return the kinds that the request's actor may see."""
    language = language_of(request)
    numbers = await counts(datasette, request.actor)
    return [
        Tab(kind, datasette.urls.path(address), say(f"nav.{kind}", language), numbers[kind], kind == current)
        for kind, (address, action) in PAGES.items()
        if allowed(request.actor, action)
    ]


async def page(datasette: Any, request: Any, kind: str, context: dict[str, Any]) -> Any:
    """Return the page of one kind, with the tabs of all above it."""
    given = {"tabs": await tabs(datasette, request, kind), "kind": kind, **context}
    return Response.html(await datasette.render_template(f"cunce_{kind}.html", given, request=request))


def _changing(station: Station) -> dict[str, int]:
    """What is counted anew each time: it stands in other files than the ledgers."""
    unknown = sum(station.projection.waiting().values())
    parked = station.journal.parking.count() + unknown
    return {"quarantine": waits(station), "parked": parked, "failing": station.rechecking.count()}
