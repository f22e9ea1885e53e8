"""The hub's end of an exchange: pure answers to what stations send, whatever road brought it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from collect.blobs import BlobError
from collect.chain import JournalError
from collect.journal import Arrival, Definition
from collect.peers import Peer, PeerError, Peers
from collect.revision import RevisionId
from forms.problems import CunceError, Problem
from sync import blobs
from sync.bundle import Bundle, BundleError, read_bundle, write_bundle
from sync.exchange import BATCH, incoming, light, source_of
from sync.identity import Invitation, NotAdmittedError, admit, details, recognise, township_of
from sync.receipt import Receipt
from sync.request import Request, RequestError, unpack_request

if TYPE_CHECKING:
    from collect.station import Received, Station

MAX_BODY: Final = 64 * 1024 * 1024  # a server may refuse longer requests unread
FAR: Final = 200  # arrivals: a station that lags further behind is told so, though nothing among them is for it
JSON: Final = "application/json"
BUNDLE: Final = "application/vnd.cunce.bundle"
_STATUS: Final = {
    NotAdmittedError: 401, PeerError: 403, BundleError: 400, BlobError: 400, RequestError: 400, JournalError: 409,
}  # fmt: skip


class ScopeError(CunceError):
    """A station sent what it may not: another station's revisions, or villages outside its scope."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a web server is to answer: status, body and its media type."""

    status: int
    body: bytes = b""
    content_type: str = JSON


def answer(station: Station, endpoint: str, authorization: str, body: bytes) -> Response:
    """Answer a POST to `/-/exchange/<endpoint>`: join, push or pull; never raises what a station may cause.

    `authorization`: the request's header of that name. May be called from any thread.
    """
    try:
        with closing(Peers(station.folder, clock=station.clock)) as peers:
            if endpoint == "join":
                return Response(200, greeting(station, admit(peers, body)))
            peer = recognise(peers, authorization)
            if endpoint == "push":
                return Response(200, write_bundle(take(station, peers, peer, body)[1]), BUNDLE)
            if endpoint == "pull":
                given = give(station, peers, peer, unpack_request(body))
                return Response(204) if given is None else Response(200, write_bundle(given), BUNDLE)
            if endpoint in blobs.ENDPOINTS:
                return Response(200, blobs.respond(station, peer.station, peer.villages, endpoint, body), blobs.MEDIA)
    except CunceError as error:
        status = 503 if error.retryable else next((n for kind, n in _STATUS.items() if isinstance(error, kind)), 403)
        return Response(status, _json({"problems": [problem.as_data() for problem in error.problems]}))
    return Response(404, _json({"problems": [Problem("SYNC_ENDPOINT", context={"name": endpoint}).as_data()]}))


def greeting(station: Station, peer: Peer) -> bytes:
    """Return what a station that joins is told: all that its invitation's short form lacks."""
    names = _names(station)
    villages = {code: names.get(code, code) for code in peer.villages}
    township = township_of(station)
    return _json(details(Invitation("", "", "", station.id, station.name, township, peer.name, villages)))


def busy() -> Response:
    """Return the answer to a station that is to come back a little later: others are being served."""
    return Response(503, _json({"problems": [Problem("SYNC_HUB_BUSY").as_data()]}))


def take(station: Station, peers: Peers, peer: Peer, data: bytes) -> tuple[Received, Bundle]:
    """Take in a station's bundle and return what came of it and the receipt, written after the commit.

    Raises BundleError, ScopeError, JournalError or DatabaseError; then nothing of it was taken.
    """
    bundle = read_bundle(data, receiver=station.id)
    _check_scope(peer, bundle)
    received = incoming(station, bundle)
    receipt = replace(receipt_for(station, peer), refused=received.problems)
    peers.seen(peer.station, received=receipt.held[peer.station])
    return received, _to(station, peer, receipt)


def give(station: Station, peers: Peers, peer: Peer, request: Request) -> Bundle | None:
    """Return the next bundle for a station, or None where it has everything; raises DatabaseError.

    Villages are served from where the station stands in each: one newly in its scope from the beginning.
    """
    receipt = receipt_for(station, peer)
    up_to_date = request.state == receipt.state
    reset = request.cursor > 0 and _mark(station, request.cursor) != request.mark
    if reset:
        cursors = dict.fromkeys(peer.villages, 0)
    elif request.cursors is not None:
        cursors = {village: request.cursors.get(village, 0) for village in peer.villages}
    elif up_to_date:
        cursors = dict.fromkeys(peer.villages, request.cursor)
    else:
        return _to(station, peer, replace(receipt, more=True))
    level = len(set(cursors.values())) <= 1
    own = RevisionId(peer.station, request.own)
    receipt, arrivals = _serve(station, replace(receipt, reset=reset), cursors, own)
    wanted = _wanted(arrivals, peer.station, request.own)
    while level and receipt.more and not wanted:  # a batch of nothing but the station's own: read on
        further, arrivals = _serve(station, receipt, dict.fromkeys(cursors, receipt.cursor), own)
        receipt, wanted = replace(further, after=receipt.after), _wanted(arrivals, peer.station, request.own)
    forms = _forms(station, request)
    peers.seen(peer.station, received=receipt.held[peer.station], cursor=min(cursors.values(), default=0))
    if up_to_date and level and not (reset or wanted or forms or receipt.cursor - receipt.after > FAR):
        return None
    return _to(station, peer, receipt, wanted, forms)


def _serve(
    station: Station, receipt: Receipt, cursors: dict[str, int], own: RevisionId
) -> tuple[Receipt, tuple[Arrival, ...]]:
    """Serve the villages that lag furthest behind, up to a batch or to where the next ones stand."""
    steps = sorted({*cursors.values(), receipt.arrived})
    after = steps[0]
    upto = min((step for step in steps if after < step <= receipt.arrived), default=after)
    served = tuple(sorted(village for village, cursor in cursors.items() if cursor == after))
    arrivals: tuple[Arrival, ...] = ()
    if served:
        arrivals = station.journal.since(after, villages=served, limit=BATCH, besides=own)
    fitting = light([arrival.revision for arrival in arrivals])
    if fitting < len(arrivals) or len({arrival.number for arrival in arrivals}) >= BATCH:
        # A record's past, come from another village, has the number of the revision that brought it: they go together.
        upto = min(upto, arrivals[fitting - 1].number)
    moved = {village: upto if village in served else cursor for village, cursor in cursors.items()}
    told = replace(
        receipt, served=served, after=after, cursor=upto, mark=_mark(station, upto),
        more=any(cursor < receipt.arrived for cursor in moved.values()),
    )  # fmt: skip
    return told, tuple(arrival for arrival in arrivals if arrival.number <= upto)


def _wanted(arrivals: tuple[Arrival, ...], station: str, own: int) -> tuple[Arrival, ...]:
    """Leave out what the station wrote itself and still has."""
    return tuple(
        arrival for arrival in arrivals if arrival.revision.id.station != station or arrival.revision.id.seq > own
    )


def _forms(station: Station, request: Request) -> tuple[Definition, ...]:
    if request.forms is None:
        return ()
    return tuple(form for form in station.journal.forms() if form.digest not in request.forms)


def receipt_for(station: Station, peer: Peer) -> Receipt:
    """Return what a station is to be told of this hub at any time: what is held of it, its scope, the forms."""
    names = _names(station)
    return Receipt(
        held={peer.station: station.journal.held().get(peer.station, 0)},
        arrived=station.journal.arrived(),
        villages={code: names.get(code, code) for code in peer.villages},
        forms=tuple(sorted(digest for _, _, digest in station.journal.form_keys())),
    )


def _to(
    station: Station,
    peer: Peer,
    receipt: Receipt,
    arrivals: tuple[Arrival, ...] = (),
    forms: tuple[Definition, ...] = (),
) -> Bundle:
    revisions = tuple({arrival.revision.id: arrival.revision for arrival in arrivals}.values())
    sources = tuple(source_of(form) for form in forms)
    return Bundle(station.id, peer.station, "pull", station.clock.now(), revisions, sources, receipt=receipt)


def _check_scope(peer: Peer, bundle: Bundle) -> None:
    """Raise ScopeError unless the bundle is the peer's own and all its villages are in the peer's scope."""
    strangers = {each.id.station for each in bundle.revisions} - {peer.station}
    if bundle.sender != peer.station or bundle.kind != "push" or strangers:
        sender = ", ".join(sorted({bundle.sender, *strangers}))
        raise ScopeError(Problem("SYNC_BUNDLE_FROM_ANOTHER", context={"sender": sender}))
    outside: dict[str, set[str]] = {}
    for each in bundle.revisions:
        if each.village not in peer.villages:
            outside.setdefault(each.village, set()).add(each.record)
    if outside:
        raise ScopeError(
            Problem("SYNC_OUTSIDE_SCOPE", context={"village": village, "count": len(records), "name": peer.name})
            for village, records in sorted(outside.items())
        )


def _mark(station: Station, arrival: int) -> str:
    """Twelve hex digits that tell whether this is still the journal a station once read up to `arrival`."""
    if arrival <= 0:
        return ""
    at = [each for each in station.journal.since(arrival - 1, limit=1) if each.number == arrival]
    return station.journal.digest(at[0].revision.id.station, at[0].revision.id.seq)[:12] if at else ""


def _names(station: Station) -> dict[str, str]:
    return {village.code: village.name for village in station.villages}


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode("utf-8")
