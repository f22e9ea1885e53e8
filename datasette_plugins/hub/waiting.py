"""What waits for a decision at the hub: how much of each kind, counted once for every state of the ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Response

from datasette_plugins.desk import desk_of
from datasette_plugins.scope import allowed
from datasette_plugins.ui.language import language_of, say
from sync.quarantine import waits

if TYPE_CHECKING:
    from collect.station import Station

# Kind of what waits -> its page and who may see it; in the order of the tabs.
PAGES = {
    "queue": ("/-/queue", "cunce-settle"),
    "parked": ("/-/parked", "cunce-stations"),
    "quarantine": ("/-/quarantine", "cunce-stations"),
}
_COUNTED: WeakKeyDictionary[Any, tuple[object, dict[str, int]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of what waits, as a link with its number."""

    kind: str
    address: str
    label: str
    count: int
    current: bool


async def counts(datasette: Any) -> dict[str, int]:
    """Return how much of each kind waits, by the names of `PAGES`; cheap while nothing was saved or received."""
    found, version = await desk_of(datasette).read(lambda station: (_changing(station), _version(station)))
    known = _COUNTED.get(datasette)
    if known is None or known[0] != version:
        known = _COUNTED[datasette] = (version, await desk_of(datasette).read(_settled))
    return {**known[1], **found}


async def tabs(datasette: Any, request: Any, current: str = "") -> list[Tab]:
    """Return the kinds that the request's actor may see."""
    language = language_of(request)
    numbers = await counts(datasette)
    return [
        Tab(kind, datasette.urls.path(address), say(f"nav.{kind}", language), numbers[kind], kind == current)
        for kind, (address, action) in PAGES.items()
        if allowed(request.actor, action)
    ]


async def page(datasette: Any, request: Any, kind: str, context: dict[str, Any]) -> Any:
    """Return the page of one kind, with the tabs of all above it."""
    given = {"tabs": await tabs(datasette, request, kind), "kind": kind, **context}
    return Response.html(await datasette.render_template(f"cunce_{kind}.html", given, request=request))


def _version(station: Station) -> object:
    """What the counts below follow from; changes with whatever changes the ledgers."""
    return station.projection.state()


def _changing(station: Station) -> dict[str, int]:
    """What is counted anew each time: other files than the ledgers'."""
    unknown = sum(station.projection.waiting().values())
    return {"quarantine": waits(station), "parked": station.journal.parking.count() + unknown}


def _settled(station: Station) -> dict[str, int]:
    """What follows from the ledgers alone."""
    return {"queue": len(station.conflicts())}
