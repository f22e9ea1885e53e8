"""Joining: an invitation makes a folder a station of a hub, with or without a network."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from collect.peers import Hub, PeerError, Peers
from collect.station import Station, Village
from forms.clock import Clock, SystemClock
from forms.problems import Problem
from sync.exchange import Outcome, Progress, run
from sync.identity import Invitation, InvitationError, completed, petition, token_of
from sync.keys import keys_of
from sync.transport import Refused, TransportError
from sync.transport.folder import FolderTransport
from sync.transport.http import PAUSES, HttpTransport


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of an invitation.

    `outcome`: of the first exchange; None where the hub could not be reached, for the reasons in `later`: then the
    petition goes with its next exchange by any road. `ready`: it has forms to fill in.
    """

    station: str
    name: str
    hub: Hub
    outcome: Outcome | None
    later: tuple[Problem, ...] = ()
    ready: bool = True


def join(
    folder: Path,
    invitation: Invitation,
    *,
    clock: Clock | None = None,
    progress: Callable[[Progress], None] = lambda step: None,
) -> Joined:
    """Make `folder` a station (or take the one that is there) and let it join the hub that invited it.

    Fetches forms and what the villages already have where the hub can be reached. The same invitation again is fine.
    Raises InvitationError, Refused (the hub said no: a folder that was empty or new is so again), StationError or
    DatabaseError.
    """
    clock = clock or SystemClock()
    whole = invitation if invitation.hub else _asked(invitation)
    fresh = not folder.exists() or not any(folder.iterdir())
    try:
        return _joined(folder, whole, clock, progress)
    except Refused:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _joined(folder: Path, whole: Invitation, clock: Clock, progress: Callable[[Progress], None]) -> Joined:
    with closing(_station(folder, whole, clock)) as station:
        if station.id == whole.hub:
            raise InvitationError(Problem("SYNC_JOIN_ITSELF", context={"name": station.name}))
        token = token_of(folder, whole.hub)
        keys = keys_of(folder, station.id).current.public
        asking = petition(whole, station=station.id, token=token, keys=keys).decode("utf-8")
        with closing(Peers(folder, clock=clock)) as peers:
            hub = peers.join(
                whole.hub, name=whole.hub_name, address=whole.address, petition=asking, villages=whole.villages,
                keys=whole.keys, told=keys.id,
            )  # fmt: skip
        if not whole.address:
            return Joined(station.id, station.name, hub, None, ready=_begun(station, whole))
        try:
            # The petition can wait: a hub that is not there now is met at the next exchange.
            with over_network(station, hub, pauses=()) as transport:
                outcome = run(station, transport, progress=progress)
        except Refused:
            raise
        except TransportError as error:
            return Joined(station.id, station.name, hub, None, error.problems, _begun(station, whole))
        return Joined(station.id, station.name, hub, outcome)


def _begun(station: Station, invitation: Invitation) -> bool:
    """Give a laptop the shipped ledgers that its hub uses unchanged; return whether it has any form to fill in."""
    if not station.forms():
        from forms.reader import load_shipped, shipped

        known = [load_shipped(name) for name in shipped()] if invitation.forms else []
        station.add_forms(form for form in known if form.digest in invitation.forms)
    return bool(station.forms())


def over_network(
    station: Station, hub: Hub, address: str = "", *, pauses: tuple[float, ...] = PAUSES
) -> HttpTransport:
    """Return the road to a hub's address (its own, or another one given); raises PeerError (SYNC_NO_ADDRESS).

    `pauses`: seconds before each further attempt.
    """
    if not (address or hub.address):
        raise PeerError(Problem("SYNC_NO_ADDRESS"))
    token = token_of(station.folder, hub.hub)
    return HttpTransport(address or hub.address, hub=hub.hub, station=station.id, token=token, pauses=pauses)


def over_folder(station: Station, hub: Hub, folder: Path) -> FolderTransport:
    """Return the road to a hub by a stick or shared folder; raises TransportError where the folder is not there."""
    return FolderTransport(folder, hub=hub.hub, station=station.id)


def hub_of(peers: Peers, address: str = "") -> Hub:
    """Return the hub meant: the one with this address, else the only one; raises PeerError."""
    hubs = peers.hubs()
    if not hubs:
        raise PeerError(Problem("SYNC_HUB_NONE"))
    named = [hub for hub in hubs if address and hub.address == address.rstrip("/")]
    if len(named or hubs) > 1:
        names = ", ".join(f"{hub.name} ({hub.address})" for hub in named or hubs)
        raise PeerError(Problem("SYNC_HUB_AMBIGUOUS", context={"hubs": names}))
    return (named or hubs)[0]


def _asked(invitation: Invitation) -> Invitation:
    """Ask the hub for what the short form lacks; the hub binds nothing yet."""
    try:
        with HttpTransport(invitation.address, hub="", station="", token="") as transport:
            told = transport.join(petition(invitation))
    except Refused:
        raise
    except TransportError as error:
        short = Problem("SYNC_INVITATION_SHORT", context={"address": invitation.address})
        raise InvitationError([short, *error.problems]) from error
    return completed(invitation, told or b"")


def _station(folder: Path, invitation: Invitation, clock: Clock) -> Station:
    """The station in the folder, or a new laptop with the invitation's name and villages."""
    if (folder / "station.json").is_file():
        return Station.open(folder, clock=clock)
    return Station.create(
        folder, name=invitation.name, role="laptop",
        township=None if invitation.township is None else Village(*invitation.township),
        villages=list(invitation.villages.items()), clock=clock,
    )  # fmt: skip
