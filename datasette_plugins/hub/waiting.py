"""What waits for a decision at the hub: how much of each kind, counted once for every state of the ledgers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Response

from datasette_plugins.desk import desk_of
from datasette_plugins.scope import TOWNSHIP, allowed, sees
from datasette_plugins.ui.language import language_of, say
from sync.quarantine import waits

if TYPE_CHECKING:
    from collect.duplicates import Pair
    from collect.station import Station

# Kind of what waits -> its page and who may see it; in the order of the tabs.
PAGES = {
    "queue": ("/-/queue", "cunce-settle"),
    "suspects": ("/-/suspects", "view-instance"),
    "failing": ("/-/failing", "cunce-settle"),
    "parked": ("/-/parked", "cunce-stations"),
    "quarantine": ("/-/quarantine", "cunce-stations"),
}
_SETTLED: WeakKeyDictionary[Any, _Settled] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Settled:
    """What follows from the ledgers alone, and the state of the ledgers it was read at; conflicts by village."""

    state: object
    conflicts: Counter[str]
    pairs: tuple[Pair, ...]


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
    settled = await _settled(datasette)
    found = await desk_of(datasette).read(_changing)
    return {**found, "queue": settled.conflicts.total(), "suspects": len(await pairs(datasette, actor))}


async def conflicts(datasette: Any) -> Counter[str]:
    """Return how many conflicts wait in each village."""
    return (await _settled(datasette)).conflicts


async def pairs(datasette: Any, actor: Any) -> tuple[Pair, ...]:
    """Return the suspected duplicates of which an actor sees both villages."""
    settled = await _settled(datasette)
    return tuple(pair for pair in settled.pairs if all(sees(actor, village or TOWNSHIP) for village in pair.villages))


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


async def _settled(datasette: Any) -> _Settled:
    """What follows from the ledgers, read once for every state of them."""
    known = _SETTLED.get(datasette)
    state = await desk_of(datasette).read(lambda station: station.projection.state())
    if known is None or known.state != state:
        known = _SETTLED[datasette] = await desk_of(datasette).read(lambda station: _read(station, state))
    return known


def _read(station: Station, state: object) -> _Settled:
    conflicts = Counter(each.village for each in station.conflicts())
    return _Settled(state, conflicts, station.projection.duplicates().pairs())


def _changing(station: Station) -> dict[str, int]:
    """What is counted anew each time: it stands in other files than the ledgers."""
    unknown = sum(station.projection.waiting().values())
    parked = station.journal.parking.count() + unknown
    return {"quarantine": waits(station), "parked": parked, "failing": station.rechecking.count()}
