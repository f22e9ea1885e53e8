"""The hub's end of an exchange: pure answers to what stations send, whatever road brought it."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from collect.blobs import BlobError
from collect.chain import JournalError
from collect.definitions import Definition
from collect.following import follow
from collect.journal import Arrival
from collect.peers import Peer, PeerError, Peers
from collect.revision import RevisionId
from collect.structure import StructureError
from forms.problems import CunceError, Problem
from sync import blobs
from sync.admission import check, learn, note_refusal, open_from, seal_for
from sync.bundle import Bundle, BundleError, write_bundle
from sync.exchange import BATCH, incoming, light, source_of
from sync.identity import Invitation, NotAdmittedError, admit, details, proven, recognise, township_of, welcome
from sync.keys import keys_of
from sync.quarantine import hold
from sync.receipt import Receipt
from sync.request import Request, RequestError, unpack_request
from sync.seal import SealError

if TYPE_CHECKING:
    from collect.station import Received, Station

MAX_BODY: Final = 64 * 1024 * 1024  # a server may refuse longer requests unread
FAR: Final = 200  # arrivals: a station that lags further behind is told so, though nothing among them is for it
JSON: Final = "application/json"
BUNDLE: Final = "application/vnd.cunce.bundle"
_STATUS: Final = {
    NotAdmittedError: 401, PeerError: 403, BundleError: 400, SealError: 400, BlobError: 400, RequestError: 400,
    StructureError: 400, JournalError: 409,
}  # fmt: skip


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
            if endpoint in ("push", "pull", *blobs.ENDPOINTS):
                peer = recognise(peers, authorization)
                try:
                    return _answered(station, peers, peer, endpoint, body)
                except CunceError as error:
                    note_refusal(station, peer, error, road="network")
                    raise
    except CunceError as error:
        status = 503 if error.retryable else next((n for kind, n in _STATUS.items() if isinstance(error, kind)), 403)
        return Response(status, _json({"problems": [problem.as_data() for problem in error.problems]}))
    return Response(404, _json({"problems": [Problem("SYNC_ENDPOINT", context={"name": endpoint}).as_data()]}))


def _answered(station: Station, peers: Peers, peer: Peer, endpoint: str, body: bytes) -> Response:
    """Answer a known station; raises CunceError."""
    if endpoint == "push" and peer.state == "revoked":
        return Response(403, _json({"problems": [hold(station, peer, body, road="network").as_data()]}))
    welcome(peer)
    if endpoint in blobs.ENDPOINTS:
        return Response(200, blobs.respond(station, peer.station, peer.villages, endpoint, body), blobs.MEDIA)
    given = take(station, peers, peer, body)[1] if endpoint == "push" else _asked(station, peers, peer, body)
    if given is None:
        return Response(204)
    return Response(200, write_bundle(given, seal_for(station, peers.peer(peer.station) or peer)), BUNDLE)


def _asked(station: Station, peers: Peers, peer: Peer, body: bytes) -> Bundle | None:
    """Answer a request, and note by how much the clock of who asks is off."""
    request = unpack_request(body)
    if request.now is not None:
        peers.measured(peer.station, skew=request.now - round(station.clock.now().timestamp()))
    return give(station, peers, peer, request)


def greeting(station: Station, peer: Peer) -> bytes:
    """Return what a station that joins is told: all that its invitation's short form lacks."""
    names = _names(station)
    villages = {code: names.get(code, code) for code in peer.villages}
    township = township_of(station)
    keys = keys_of(station.folder, station.id).current.public
    told = details(Invitation("", "", "", station.id, station.name, township, peer.name, villages, keys=keys))
    return _json(proven(told, peer))


def busy() -> Response:
    """Return the answer to a station that is to come back a little later: others are being served."""
    return Response(503, _json({"problems": [Problem("SYNC_HUB_BUSY").as_data()]}))


def too_long() -> Response:
    """Return the answer to a body longer than any bundle may be, of which no more was read."""
    problem = Problem("SYNC_BUNDLE_TOO_LARGE", context={"size": f"> {MAX_BODY}", "limit": MAX_BODY})
    return Response(413, _json({"problems": [problem.as_data()]}))


def take(station: Station, peers: Peers, peer: Peer, data: bytes) -> tuple[Received, Bundle]:
    """Take in a station's bundle and return what came of it and the receipt, written after the commit.

    Raises BundleError, SealError, ScopeError, StructureError, JournalError or DatabaseError: nothing of it was taken.
    """
    opened = open_from(station, peer, data)
    check(station, peers, peer, opened.bundle)
    received = incoming(station, opened.bundle)
    follow(station, opened.bundle.revisions, author=station.name)
    peer = learn(station, peers, peer, opened)
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
    request = request.widened(peer.villages)
    own = RevisionId(peer.station, request.own)
    receipt, arrivals = _serve(station, replace(receipt, reset=reset), cursors, own)
    wanted = _wanted(arrivals, peer, request)
    while level and receipt.more and not wanted:  # a batch of nothing but the station's own: read on
        further, arrivals = _serve(station, receipt, dict.fromkeys(cursors, receipt.cursor), own)
        receipt, wanted = replace(further, after=receipt.after), _wanted(arrivals, peer, request)
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


def _wanted(arrivals: tuple[Arrival, ...], peer: Peer, request: Request) -> tuple[Arrival, ...]:
    """Leave out what the station wrote itself, or sent on, and still has.

    The past of a record that came into its villages goes whole, in front of the revision that brought it and under
    that one's number: the station may have let it go when the record left.
    """
    brought = {arrival.number: arrival.revision.id for arrival in arrivals}
    has = {**dict.fromkeys(peer.stations, 0), **(request.others or {}), peer.station: request.own}
    theirs = {peer.station, *peer.stations}
    return tuple(
        arrival
        for arrival in arrivals
        if arrival.revision.id.station not in theirs
        or arrival.revision.id.seq > has[arrival.revision.id.station]
        or brought[arrival.number] != arrival.revision.id
    )


def _forms(station: Station, request: Request) -> tuple[Definition, ...]:
    if request.forms is None:
        return ()
    return tuple(form for form in station.journal.forms() if form.digest not in request.forms)


def receipt_for(station: Station, peer: Peer) -> Receipt:
    """Return what a station is to be told of this hub at any time: what is held of it, its scope, the forms."""
    names, held = _names(station), station.journal.held()
    return Receipt(
        held={name: held.get(name, 0) for name in (peer.station, *peer.stations)},
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
