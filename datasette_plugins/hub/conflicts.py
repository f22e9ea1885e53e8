"""The queue of conflicts: each with both values, who wrote them and where, and a button to settle it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Forbidden, Response

from collect.hlc import shown
from collect.peers import Peers
from collect.revision import DELETED
from collect.undoing import UNDO
from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.hub.decisions import decided, last, take_back
from datasette_plugins.scope import TOWNSHIP, allowed
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import language_of, say
from datasette_plugins.ui.ledgers import shown_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collect.merge import Candidate
    from collect.outcomes import Saved
    from collect.projection import Conflict
    from collect.revision import Revision, RevisionId
    from collect.station import Station

PAGE = 40
SETTLED = "settle"  # in the audit log


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


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote the value of a candidate (`revision`), when (hybrid logical clock) and on which station."""

    revision: RevisionId
    author: str
    time: int
    station: str


@dataclass(frozen=True, slots=True)
class _Read:
    """The first conflicts, how many there are, who wrote their values, and the stations' names."""

    conflicts: tuple[Conflict, ...]
    total: int
    writers: dict[RevisionId, Writer]
    names: dict[str, str]


async def queue(datasette: Any, request: Any) -> Any:
    """Show what waits to be settled (GET), or settle one conflict with the value chosen, or take that back (POST)."""
    if not allowed(request.actor, "cunce-settle"):
        raise Forbidden("cunce-settle")
    if request.method == "POST":
        return await _settle(datasette, request)
    page = await browsing(datasette, request, TOWNSHIP)
    record = request.args.get("record") or ""
    read = await desk_of(datasette).read(lambda station: _read(station, record))
    listed = [await _waiting(page, conflict, read) for conflict in read.conflicts]
    context: dict[str, Any] = {"waiting": listed, "total": read.total, "record": record}
    context["last"] = await last(datasette, request, SETTLED)
    return await waiting.page(datasette, request, "queue", context)


async def _settle(datasette: Any, request: Any) -> Any:
    fields = await request.post_vars()
    back = Response.redirect(datasette.urls.path("/-/queue"))
    if fields.get("do") == "undo":
        await take_back(datasette, request, SETTLED)
        return back
    key = (fields.get("table"), fields.get("record"), fields.get("field"))
    language, author = language_of(request), request.actor["id"]

    def settle(station: Station) -> Saved | None:
        for conflict in station.conflicts():
            if (conflict.table, conflict.record, conflict.field) == key:
                chosen = [each for each in conflict.candidates if str(each.revision) == fields.get("revision")]
                if chosen:
                    return station.settle(conflict, chosen[0].value, author=author)
        return None

    saved = await desk_of(datasette).run(settle)
    if saved is None:
        datasette.add_message(request, say("queue.gone", language), datasette.WARNING)
        return back
    said = "/".join(str(part) for part in key)
    await decided(datasette, request, SETTLED, said, saved, said=said, revision=fields.get("revision"))
    datasette.add_message(request, say("queue.settled", language), datasette.INFO)
    return back


def _read(station: Station, record: str) -> _Read:
    """The conflicts of the station, or of one record, as many as the page shows, and their number."""
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        names = {peer.station: peer.name for peer in peers.peers() if peer.station}
    conflicts = station.conflicts(record=record or None)
    writers = {each.revision: each for conflict in conflicts[:PAGE] for each in _writers(station, conflict)}
    return _Read(conflicts[:PAGE], len(conflicts), writers, {**names, station.id: station.name})


def _writers(station: Station, conflict: Conflict) -> Iterator[Writer]:
    """Who wrote each value first: one that came back when a decision was undone is still its author's."""
    history: tuple[Revision, ...] = ()
    for each in conflict.candidates:
        revision = None
        if each.revision.station == station.id:
            history = history or station.history(conflict.record)
            revision = _first(history, each.revision, conflict.field)
        if revision is None:
            yield Writer(each.revision, each.author, each.time, each.revision.station)
        else:
            yield Writer(each.revision, revision.author, revision.time, revision.id.station)


def _first(history: tuple[Revision, ...], wanted: RevisionId, field: str) -> Revision | None:
    """The revision, or where it is an undo the last one before that wrote the same; None where there is none."""
    revision = next((each for each in history if each.id == wanted), None)
    if revision is None or not revision.save.startswith(UNDO):
        return revision
    value = revision.changes.get(field)
    earlier = [
        each for each in history
        if not each.save.startswith(UNDO) and field in each.changes and each.changes[field] == value
        and len(each.parents) < 2
    ]  # fmt: skip
    return earlier[-1] if earlier else revision


async def _waiting(page: Browsing, conflict: Conflict, read: _Read) -> Waiting:
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

    def way(each: Candidate) -> Way:
        writer = read.writers[each.revision]
        return Way(
            words(each.value), writer.author, shown(writer.time)[:16].replace("T", " "),
            read.names.get(writer.station, writer.station), str(each.revision), each.value == conflict.shown,
        )  # fmt: skip

    label = say("queue.whether", language) if conflict.field == DELETED else column.label
    return Waiting(
        conflict.table, conflict.record, conflict.field, ledger.title, page.villages.get(conflict.village, ""),
        page.label_of(conflict.table, conflict.record) or say("record.unnamed", language),
        page.row_address(conflict.table, conflict.record), label, tuple(map(way, conflict.candidates)),
    )  # fmt: skip
