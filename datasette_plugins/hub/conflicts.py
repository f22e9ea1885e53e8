"""The queue of conflicts: each with both values, who wrote them and where, and a button to settle it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Forbidden, Response

from collect.hlc import shown
from collect.peers import Peers
from collect.revision import DELETED
from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.hub.people import note
from datasette_plugins.hub.refresh import refresh
from datasette_plugins.scope import TOWNSHIP, allowed
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import language_of, say
from datasette_plugins.ui.ledgers import shown_value

if TYPE_CHECKING:
    from collect.projection import Conflict
    from collect.station import Station

PAGE = 40


@dataclass(frozen=True, slots=True)
class Way:
    """One of the values a field may be settled with. `revision` names it in the form that is sent back."""

    words: str
    author: str
    at: str
    laptop: str
    revision: str
    shown: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """One conflict as the page shows it."""

    table: str
    record: str
    field: str
    ledger: str
    village: str
    title: str
    address: str
    label: str
    ways: tuple[Way, ...]


async def queue(datasette: Any, request: Any) -> Any:
    """Show what waits to be settled (GET), or settle one conflict with the value chosen (POST)."""
    if not allowed(request.actor, "cunce-settle"):
        raise Forbidden("cunce-settle")
    if request.method == "POST":
        return await _settle(datasette, request)
    page = await browsing(datasette, request, TOWNSHIP)
    record = request.args.get("record")
    conflicts, names = await desk_of(datasette).read(_read)
    wanted = [conflict for conflict in conflicts if not record or conflict.record == record]
    listed = [await _waiting(page, conflict, names) for conflict in wanted[:PAGE]]
    context = {"waiting": listed, "total": len(wanted), "record": record or ""}
    return await waiting.page(datasette, request, "queue", context)


async def _settle(datasette: Any, request: Any) -> Any:
    fields = await request.post_vars()
    key = (fields.get("table"), fields.get("record"), fields.get("field"))
    language = language_of(request)

    def settle(station: Station) -> bool:
        for conflict in station.conflicts():
            if (conflict.table, conflict.record, conflict.field) == key:
                chosen = [each for each in conflict.candidates if str(each.revision) == fields.get("revision")]
                if chosen:
                    station.settle(conflict, chosen[0].value, author=request.actor["id"])
                    return True
        return False

    if await desk_of(datasette).run(settle):
        await refresh(datasette)
        await note(datasette, request, "settle", "/".join(str(part) for part in key), revision=fields.get("revision"))
        datasette.add_message(request, say("queue.settled", language), datasette.INFO)
    else:
        datasette.add_message(request, say("queue.gone", language), datasette.WARNING)
    return Response.redirect(datasette.urls.path("/-/queue"))


def _read(station: Station) -> tuple[tuple[Conflict, ...], dict[str, str]]:
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        names = {peer.station: peer.name for peer in peers.peers() if peer.station}
    return station.conflicts(), {**names, station.id: station.name}


async def _waiting(page: Browsing, conflict: Conflict, names: dict[str, str]) -> Waiting:
    ledger, language = page.ledger(conflict.table), page.language
    column = ledger.of_question(conflict.field)
    await page.label_records(conflict.table, [conflict.record])
    if column.kind == "record":
        await page.label_rows(conflict.table, [{column.name: each.value} for each in conflict.candidates])

    def words(value: Any) -> str:
        if conflict.field == DELETED:
            return say("queue.deleted" if value else "queue.kept", language)
        text = page.cell(column, value) if column.kind == "record" else shown_value(column, value, language)
        return text or say("queue.emptied", language)

    ways = tuple(
        Way(
            words(each.value), each.author, shown(each.time)[:16].replace("T", " "),
            names.get(each.revision.station, each.revision.station), str(each.revision), each.value == conflict.shown,
        )
        for each in conflict.candidates
    )  # fmt: skip
    label = say("queue.whether", language) if conflict.field == DELETED else column.label
    return Waiting(
        conflict.table, conflict.record, conflict.field, ledger.title, page.villages.get(conflict.village, ""),
        page.label_of(conflict.table, conflict.record) or say("record.unnamed", language),
        page.row_address(conflict.table, conflict.record), label, ways,
    )  # fmt: skip
