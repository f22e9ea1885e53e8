"""Admission: what a hub takes from a station it knows, and what it writes into its audit log about it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from collect.accounts import Accounts
from collect.peers import Peer, PeerError, Peers
from forms.problems import CunceError, Problem
from sync.bundle import Bundle, Opened, open_bundle
from sync.keys import keys_of
from sync.seal import Seal, Trust

if TYPE_CHECKING:
    from collect.station import Station


class ScopeError(CunceError):
    """A station sent what it may not: another's revisions, villages outside its scope, somebody else's name."""


def seal_for(station: Station, peer: Peer) -> Seal:
    """Return how this hub closes what is for a station; raises PeerError (SYNC_PEER_WITHOUT_KEYS)."""
    if peer.keys is None:
        raise PeerError(Problem("SYNC_PEER_WITHOUT_KEYS", context={"name": peer.name}))
    return Seal(keys_of(station.folder, station.id), peer.keys)


def open_from(station: Station, peer: Peer, data: bytes) -> Opened:
    """Open a bundle that a station must have signed and sealed to this hub; raises BundleError or SealError."""
    seal = seal_for(station, peer)
    return open_bundle(data, Trust(seal.keys.pairs, seal.to), receiver=station.id)


def check(station: Station, peers: Peers, peer: Peer, bundle: Bundle) -> None:
    """Raise ScopeError unless a station may send all that a bundle holds."""
    _check_writers(station, peers, peer, bundle)
    _check_villages(peer, bundle)
    if not peer.vouches:
        _check_authors(station, peers, peer, bundle)


def learn(station: Station, peers: Peers, peer: Peer, opened: Opened) -> Peer:
    """Note what a bundle that was taken in told of its sender: keys, stations behind it, people new on it."""
    authors = frozenset() if peer.vouches else _authors(opened.bundle)
    writers = {each.id.station for each in opened.bundle.revisions}
    now = peers.learned(peer.station, keys=opened.signer, stations=writers if peer.vouches else (), authors=authors)
    if now.keys != peer.keys:
        note(station, "laptop keys renewed", peer, key=opened.signer.id)
    if set(now.met) - set(peer.met):
        note(station, "laptop author new", peer, authors=sorted(set(now.met) - set(peer.met)))
    return now


def note(station: Station, action: str, peer: Peer, **facts: Any) -> None:
    """Append to the audit log what a station did or was refused."""
    with closing(Accounts(station.folder, clock=station.clock)) as accounts:
        accounts.note(action, account=peer.name, resource=peer.station, **facts)


def note_refusal(station: Station, peer: Peer, error: CunceError, *, road: str) -> None:
    """Append to the audit log why something that a station sent was not taken; what may pass is not worth a line."""
    if not error.retryable:
        told = [{"code": each.code, **{key: str(at) for key, at in each.context.items()}} for each in error.problems]
        note(station, "bundle refused", peer, road=road, problems=told[:20])


def _check_writers(station: Station, peers: Peers, peer: Peer, bundle: Bundle) -> None:
    strangers = {each.id.station for each in bundle.revisions} - {peer.station}
    wrong = {bundle.sender} - {peer.station}
    if not peer.vouches:
        wrong |= strangers
    elif strangers:  # a hub vouches for what is behind it, never for us or for what others brought
        others = (each for each in peers.peers() if each.invitation != peer.invitation)
        wrong |= strangers & {station.id, *(name for each in others for name in (each.station, *each.stations))}
    if wrong or bundle.kind != "push":
        sender = ", ".join(sorted(wrong or {bundle.sender}))
        raise ScopeError(Problem("SYNC_BUNDLE_FROM_ANOTHER", context={"sender": sender}))


def _check_villages(peer: Peer, bundle: Bundle) -> None:
    allowed = set(peer.villages)
    outside: dict[str, set[str]] = {}
    for each in bundle.revisions:
        if each.village not in allowed:
            outside.setdefault(each.village, set()).add(each.record)
    if outside:
        raise ScopeError(
            Problem("SYNC_OUTSIDE_SCOPE", context={"village": village, "count": len(records), "name": peer.name})
            for village, records in sorted(outside.items())
        )


def _check_authors(station: Station, peers: Peers, peer: Peer, bundle: Bundle) -> None:
    """A laptop saves in the name of its declared authors; without any, of nobody who belongs elsewhere.

    Elsewhere: the hub's administrators and reviewers, and the declared authors of other stations.
    """
    given = _authors(bundle) - {"", peer.name, *peer.authors}
    if not given or (given <= set(peer.met) and not peer.authors):
        return
    if peer.authors:
        wrong = given
    else:
        with closing(Accounts(station.folder, clock=station.clock)) as accounts:
            taken = {name for each in accounts.all() if each.writes for name in (each.name, each.display)}
        taken |= {name for each in peers.peers() for name in each.authors}
        wrong = given & taken
    if wrong:
        raise ScopeError(
            Problem("SYNC_AUTHOR_FORGED", context={"author": author, "name": peer.name}) for author in sorted(wrong)
        )


def _authors(bundle: Bundle) -> frozenset[str]:
    return frozenset(each.author for each in bundle.revisions)
