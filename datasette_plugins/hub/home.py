"""The home page: the villages an actor may see, with their counts and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Response

from collect.overview import counts_by_village
from datasette_plugins.desk import desk_of, mode_of
from datasette_plugins.hub import waiting
from datasette_plugins.scope import TOWNSHIP, allowed, seen_of
from datasette_plugins.ui.browsing import browsing
from datasette_plugins.ui.language import say

if TYPE_CHECKING:
    from collect.station import Station

# What a township counts first; a station with other forms shows its own ledgers instead.
_FIRST = ("household", "household_member", "risk_point")


@dataclass(frozen=True, slots=True)
class VillageCard:
    """One village on the home page: figures are (label, number)."""

    code: str
    name: str
    address: str
    figures: tuple[tuple[str, int], ...]
    conflicts: int
    records: int


async def show(datasette: Any, request: Any) -> Any:
    """Show the home page; who is nobody is sent to log in."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    page = await browsing(datasette, request, TOWNSHIP)
    counts = await desk_of(datasette).read(_read)
    conflicts = await waiting.conflicts(datasette)
    station = desk_of(datasette).station
    counted = [(name, say(f"home.count.{name}", page.language)) for name in _FIRST if name in page.ledgers]
    counted = counted or [(name, ledger.title) for name, ledger in page.ledgers.items() if not ledger.parent][:3]
    villages = seen_of(request.actor, station.villages)
    cards = [
        VillageCard(
            village.code,
            village.name,
            _address(datasette, village.code),
            tuple((title, counts.get(village.code, {}).get(table, 0)) for table, title in counted),
            conflicts[village.code],
            sum(counts.get(village.code, {}).values()),
        )
        for village in villages
    ]
    totals = [(title, sum(card.figures[at][1] for card in cards)) for at, (_, title) in enumerate(counted)]
    context = {
        "cards": cards,
        "totals": totals,
        "township": datasette.urls.database(TOWNSHIP) if allowed(request.actor, "view-database", TOWNSHIP) else "",
        "tabs": await waiting.tabs(datasette, request) if mode_of(datasette) == "hub" else [],
    }
    return Response.html(await datasette.render_template("cunce_home.html", context, request=request))


def _read(station: Station) -> dict[str, dict[str, int]]:
    return counts_by_village(station.folder / "township.db", station.projection.ledgers)


def _address(datasette: Any, village: str) -> str:
    """A hub has a database of the village; a laptop shows the township's, filtered where it is opened."""
    if village in datasette.databases:
        return str(datasette.urls.database(village))
    return str(datasette.urls.database(TOWNSHIP))
