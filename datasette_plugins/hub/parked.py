"""What came and cannot be applied yet: what it waits for, since when, from whom, and what to do about it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Forbidden

from collect.hlc import shown
from collect.parking import Parked
from collect.peers import Peer, Peers
from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.scope import TOWNSHIP, allowed
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import say

if TYPE_CHECKING:
    from collect.revision import Revision, RevisionId
    from collect.station import Station

MOST = 200  # revisions that are looked at


@dataclass(frozen=True, slots=True)
class Waits:
    """One revision that waits: the record, who saved it when on which laptop, and since when it is here."""

    title: str
    address: str
    ledger: str
    village: str
    author: str
    laptop: str
    saved: str
    since: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """One thing that is lacking, in words, what to do about it, and all that waits for it."""

    words: str
    fix: str
    waits: tuple[Waits, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read of the station: what is parked, records of unknown forms, and the stations known here."""

    parked: tuple[Parked, ...]
    unknown: tuple[Revision, ...]
    peers: dict[str, Peer]
    names: dict[str, str]
    held: dict[str, int]
    here: str


async def show(datasette: Any, request: Any) -> Any:
    """Show what waits for earlier revisions, and for form definitions."""
    if not allowed(request.actor, "cunce-stations"):
        raise Forbidden("cunce-stations")
    page = await browsing(datasette, request, TOWNSHIP)
    found = await desk_of(datasette).read(_read)
    for table in {each.revision.table for each in found.parked} & page.ledgers.keys():
        await page.label_records(table, [each.revision.record for each in found.parked if each.revision.table == table])
    context = {"lacking": [*_earlier(page, found), *_forms(page, found)], "most": MOST, "number": len(found.parked)}
    return await waiting.page(datasette, request, "parked", context)


def _read(station: Station) -> _Found:
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        known = {peer.station: peer for peer in peers.peers() if peer.station}
    names = {name: peer.name for name, peer in known.items()} | {station.id: station.name}
    journal = station.journal
    histories = (journal.of_record(record, (table,)) for table, record in station.projection.without_form(MOST))
    unknown = tuple(history[-1] for history in histories if history)
    return _Found(journal.parking.all(limit=MOST), unknown, known, names, journal.held(), station.id)


def _earlier(page: Browsing, found: _Found) -> list[Lacking]:
    groups: dict[RevisionId, list[Parked]] = {}
    for each in found.parked:
        groups.setdefault(each.missing, []).append(each)
    return [
        Lacking(_lacks(page, found, missing), _fix(page, found, missing), tuple(_waits(page, found, each.revision,
                each.since) for each in waits))
        for missing, waits in groups.items()
    ]  # fmt: skip


def _lacks(page: Browsing, found: _Found, missing: RevisionId) -> str:
    name = found.names.get(missing.station, missing.station[:8])
    held = found.held.get(missing.station, 0)
    return say("parked.lacks" if held else "parked.lacks_all", page.language, name=name, seq=missing.seq, held=held)


def _fix(page: Browsing, found: _Found, missing: RevisionId) -> str:
    """What a person does, by what is known of the station that wrote what is lacking."""
    peer = found.peers.get(missing.station)
    if missing.station == found.here:
        return say("parked.fix_own", page.language)
    if peer is None:
        return say("parked.fix_unknown", page.language)
    return say("parked.fix_revoked" if peer.state == "revoked" else "parked.fix_sync", page.language, name=peer.name)


def _forms(page: Browsing, found: _Found) -> list[Lacking]:
    groups: dict[tuple[str, str], list[Revision]] = {}
    for each in found.unknown:
        groups.setdefault((each.form, each.version), []).append(each)
    return [
        Lacking(
            say("parked.form", page.language, form=form, version=version), say("parked.fix_form", page.language),
            tuple(_waits(page, found, each, "") for each in waits),
        )
        for (form, version), waits in groups.items()
    ]  # fmt: skip


def _waits(page: Browsing, found: _Found, revision: Revision, since: str) -> Waits:
    ledger = page.ledger(revision.table)
    known = page.label_of(revision.table, revision.record)
    title = str(revision.changes.get(ledger.label) or "") or known or say("record.unnamed", page.language)
    return Waits(
        title, page.row_address(revision.table, revision.record) if known else "", ledger.title,
        page.villages.get(revision.village, revision.village), revision.author,
        found.names.get(revision.id.station, revision.id.station[:8]),
        shown(revision.time)[:16].replace("T", " "), since,
    )  # fmt: skip
