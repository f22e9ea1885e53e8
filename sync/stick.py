"""A hub and a stick: takes in what laptops left in a folder, and leaves them answers and receipts."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from collect.blobs import is_name
from collect.peers import Peer, Peers
from forms.problems import CunceError, Place, Problem
from sync import stick_blobs
from sync.admission import note_refusal, seal_for
from sync.bundle import Bundle, inspect_bundle, write_bundle
from sync.identity import NotAdmittedError, admit
from sync.quarantine import hold
from sync.request import Request, unpack_request
from sync.serving import give, receipt_for, take
from sync.transport import TransportError
from sync.transport.files import expect_folder, files, read, remove, write
from sync.transport.folder import name_parts, to_hub, to_station

if TYPE_CHECKING:
    from collect.station import Station


@dataclass(slots=True)
class Attended:
    """What a hub did with a folder.

    `stations`: names of those met. `received`: new revisions taken in; `known`: ones that were here already; `sent`:
    revisions left for laptops. `blobs_received`, `blobs_sent`: photos and files that became whole here, and ones left
    for laptops. `problems`: what was not taken, each with its file's name; it stays on the stick.
    """

    road: str
    stations: list[str] = field(default_factory=list)
    received: int = 0
    known: int = 0
    sent: int = 0
    blobs_received: int = 0
    blobs_sent: int = 0
    problems: list[Problem] = field(default_factory=list)


def attend(station: Station, folder: Path) -> Attended:
    """Serve every laptop that left something in `folder` for this hub; again changes nothing.

    Raises TransportError where the folder can't be read or written, DatabaseError where the station can't.
    """
    expect_folder(folder)
    done = Attended(str(folder))
    inbox = to_hub(folder, station.id)
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        _admit_all(peers, inbox, done)
        refused = {path.name.removesuffix(".wanted"): list[Problem]() for path in files(inbox, ".wanted")}
        for path in sorted(files(inbox, ".cunce"), key=lambda path: name_parts(path.name)):
            sender, problems = _take(station, peers, path, done)
            refused.setdefault(sender, []).extend(problems)
        for sender, problems in refused.items():
            peer = peers.peer(sender)
            if peer is not None and peer.state == "joined":
                news = _leave(station, peers, peer, folder, refused=problems, done=done)
                seal = seal_for(station, peer)
                closure = stick_blobs.Closure(seal, seal.keys.pairs)
                blobs = stick_blobs.serve(station, peer, inbox.parent, closure, news=news)
                done.blobs_received += blobs.received
                done.blobs_sent += blobs.sent
                done.problems.extend(blobs.problems)
                done.stations.append(peer.name)
    return done


def _admit_all(peers: Peers, inbox: Path, done: Attended) -> None:
    for path in files(inbox, ".join"):
        try:
            admit(peers, read(path))
            remove(path)
        except CunceError as error:
            done.problems.extend(_of_file(path, error.problems))


def _take(station: Station, peers: Peers, path: Path, done: Attended) -> tuple[str, list[Problem]]:
    """Take in one file and return from whom it is and why it was not taken; a busy or full disk ends the whole run.

    What a revoked station sent goes from the stick into quarantine.
    """
    sender, peer, problems = name_parts(path.name)[0], None, list[Problem]()
    try:
        data = read(path)
        sender = inspect_bundle(data).sender
        peer = peers.peer(sender)
        if peer is None:
            raise NotAdmittedError(Problem("SYNC_NOT_ADMITTED"))
        if peer.state == "revoked":
            problems = _of_file(path, [hold(station, peer, data, road=path.name)])
        else:
            taken, _ = take(station, peers, peer, data)
            done.received += taken.new
            done.known += taken.known
        remove(path)
    except TransportError:
        raise
    except CunceError as error:
        if error.retryable:
            raise
        if peer is not None:
            note_refusal(station, peer, error, road=path.name)
        problems = _of_file(path, error.problems)
    done.problems.extend(problems)
    return sender, problems


def _leave(
    station: Station, peers: Peers, peer: Peer, folder: Path, *, refused: Iterable[Problem], done: Attended
) -> set[str]:
    """Leave a station its receipt and everything it lacks; earlier answers, which these contain, go.

    Returns the blobs that the revisions left refer to.
    """
    news: set[str] = set()
    box = to_station(folder, station.id, peer.station)
    request = _request(to_hub(folder, station.id) / f"{peer.station}.wanted", peer, done)
    written: list[Path] = []
    bundle = give(station, peers, peer, request) or _bare(station, peer)
    while True:
        receipt = bundle.receipt
        assert receipt is not None, "a hub's answers carry a receipt"
        told = replace(bundle, receipt=replace(receipt, refused=tuple(refused)))
        path = box / f"{receipt.arrived:012d}-{len(written):06d}.cunce"
        write(path, write_bundle(told, seal_for(station, peer)))
        written.append(path)
        done.sent += len(bundle.revisions)
        news.update(str(value) for each in bundle.revisions for value in each.changes.values() if is_name(value))
        request = request.after(receipt)
        following = give(station, peers, peer, request) if receipt.more else None
        if following is None:
            break
        bundle = following
    for path in files(box, ".cunce"):
        if path not in written:
            remove(path)
    return news


def _request(path: Path, peer: Peer, done: Attended) -> Request:
    """How far a station says it has come; from the beginning where it does not say."""
    nowhere = Request(own=peer.received, cursors={}, forms=())
    if not path.exists():
        return nowhere
    try:
        return unpack_request(read(path))
    except CunceError as error:
        done.problems.extend(_of_file(path, error.problems))
        return nowhere


def _bare(station: Station, peer: Peer) -> Bundle:
    receipt = receipt_for(station, peer)
    return Bundle(station.id, peer.station, "pull", station.clock.now(), receipt=receipt)


def _of_file(path: Path, problems: Iterable[Problem]) -> list[Problem]:
    return [replace(problem, place=Place(file=path.name)) for problem in problems]
