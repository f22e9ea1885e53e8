"""Exchange: what a station sends its hub, what it takes from it, and the whole conversation between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from collect import restored
from collect.chain import row_of
from collect.definitions import Definition
from collect.leaving import leave
from collect.peers import Hub, PeerError, Peers
from collect.revision import Revision
from collect.shelf import read as read_definition
from collect.structure import check_structure
from forms.problems import CunceError, Problem
from sync import stick_blobs
from sync.bundle import Bundle, BundleError, FormSource, Opened, open_bundle, write_bundle
from sync.carrying import carry
from sync.keys import keys_of
from sync.receipt import Receipt
from sync.request import Request, advanced, pack_request
from sync.seal import Seal, Trust
from sync.transport import Parcel, Refused, Transport
from sync.transport.folder import FolderTransport

if TYPE_CHECKING:
    from collect.station import Received, Station

_T = TypeVar("_T")
BATCH = 5_000  # revisions a bundle: some 200 kB, which a bad network still carries
HEAVY = 4_000_000  # characters of answers a bundle, for ledgers full of long notes and traces


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an exchange has come: `action` is send or receive, `done` and `total` revisions, `size` bytes so far.

    For send-blobs and receive-blobs `done` and `total` are bytes, `left` the seconds it will take, where known.
    """

    action: str
    done: int
    total: int
    size: int
    left: float | None = None


@dataclass(slots=True)
class Outcome:
    """What an exchange came to, in numbers for people.

    `sent`: revisions handed to the road; `confirmed`: of this station's revisions, how many the hub has confirmed in
    all; `waiting`: how many it has not; `received`: new ones from the hub; `known`: ones that were here already;
    `conflicts`: conflicts open here now; `parked`: revisions waiting for others; `forms`: form definitions received;
    `carried`: something lies on the stick that has to be carried to the hub and back; `skew`: seconds by which the
    hub's clock is ahead of this one, known where the hub answers at once.
    `blobs_sent`, `blobs_received`: photos and files handed over and taken in; `blobs_waiting`: of ours, not confirmed
    by the hub; `blobs_lacking`: of our records', not here.
    `left`: records and rows that left this laptop, for they are of none of its villages any more; `leaving`: households
    that will, once the hub holds what was saved of them here.
    `problems`: what was refused or damaged; the rest of the exchange was done all the same.
    """

    hub: str
    name: str
    road: str
    sent: int = 0
    confirmed: int = 0
    waiting: int = 0
    received: int = 0
    known: int = 0
    conflicts: int = 0
    parked: int = 0
    forms: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    requests: int = 0
    blobs_sent: int = 0
    blobs_received: int = 0
    blobs_waiting: int = 0
    blobs_lacking: int = 0
    carried: bool = False
    skew: int | None = None
    left: int = 0
    leaving: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def nothing_to_do(self) -> bool:
        """Whether nothing went either way and nothing is wrong."""
        if self.blobs_sent or self.blobs_received or self.blobs_waiting:
            return False
        return not (self.sent or self.received or self.forms or self.problems or self.waiting or self.carried)


def outgoing(
    station: Station, hub: Hub, *, batch: int = BATCH, behind: Iterable[str] = (), introduce: bool = False
) -> Iterator[Bundle]:
    """Yield, in bundles of at most `batch` revisions, what a hub has not confirmed of this station, and its forms.

    `behind`: stations for which this one, a hub, vouches: theirs go along. `introduce`: send one bundle in any case,
    for a hub that does not know this station's new keys.
    """
    known = set(hub.forms)
    forms = tuple(source_of(form) for form in station.journal.forms() if form.digest not in known)
    for writer in (station.id, *sorted(behind)):
        after = hub.held if writer == station.id else hub.others.get(writer, 0)
        while True:
            found = station.journal.suffix(writer, after, limit=batch)
            taken = found[: light(found)]
            # What left came from the hub or was confirmed by it; without its content it would be taken for erased.
            left = station.journal.elsewhere.is_away
            revisions = tuple(each for each in taken if not (each.erased and left(each.record)))
            if revisions or forms or introduce:
                yield Bundle(station.id, hub.hub, "push", station.clock.now(), revisions, forms)
                forms, introduce = (), False
            if len(found) < batch and len(taken) == len(found):
                break
            after = taken[-1].id.seq


def light(revisions: Sequence[Revision]) -> int:
    """Return how many of the first revisions make no bundle too heavy to carry; at least one, where there is one."""
    weight = 0
    for number, revision in enumerate(revisions):
        weight += 200 + len(row_of(revision)[11] or "")
        if weight > HEAVY and number:
            return number
    return len(revisions)


def incoming(station: Station, bundle: Bundle) -> Received:
    """Take in a bundle's forms and revisions; a second time changes nothing.

    Raises BundleError (SYNC_FORM_FAULTY) for a definition that is not the form it says, StructureError for revisions
    that answer no known form, JournalError, DatabaseError; then no revision was taken in.
    """
    held = {digest for _, _, digest in station.journal.form_keys()}
    forms = [definition_of(form) for form in bundle.forms if form.digest not in held]
    check_structure(bundle.revisions, station.shelf.shapes(map(read_definition, forms)))
    return station.receive(bundle.revisions, forms=forms)


def source_of(form: Definition) -> FormSource:
    """Return a form definition as it travels."""
    return FormSource(form.form_id, form.version, form.digest, form.xform, form.rows)


def definition_of(source: FormSource) -> Definition:
    """Return a definition that came from elsewhere, once it has proved readable; raises BundleError."""
    definition = Definition(source.form_id, source.version, source.xform, source.rows, source.digest)
    try:
        form = read_definition(definition)
        sound = (form.form_id, form.version) == (source.form_id, source.version)
    except CunceError:
        sound = False
    if not sound:
        context = {"form": source.form_id, "version": source.version}
        raise BundleError(Problem("SYNC_FORM_FAULTY", context=context))
    return definition


def run(
    station: Station, transport: Transport, *, progress: Callable[[Progress], None] = lambda step: None
) -> Outcome:
    """Exchange everything with the hub at the other end of a road; interrupted anywhere, the next run goes on.

    Raises CunceError where the hub was never joined or does not answer; what was confirmed until then stays so. What
    the hub refuses, and bundles that are damaged, stand in the outcome's problems.
    """
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        conversation = _Conversation(station, peers, transport, progress)
        conversation.hold()
        return conversation.outcome


class _Conversation:
    """One exchange of a station with one hub over one road."""

    def __init__(
        self, station: Station, peers: Peers, transport: Transport, progress: Callable[[Progress], None]
    ) -> None:
        self.station, self.peers, self.transport, self.progress = station, peers, transport, progress
        self.hub = peers.hub(transport.hub)
        if self.hub.keys is None:
            raise PeerError(Problem("SYNC_HUB_WITHOUT_KEYS", context={"name": self.hub.name}))
        self.keys = keys_of(station.folder, station.id)
        self.shown: Opened | None = None
        self.behind = peers.behind() - {self.hub.hub} if station.role == "hub" else frozenset()
        self.told: datetime | None = None  # when the hub last said what it holds of this station
        self.outcome = Outcome(self.hub.hub, self.hub.name, transport.road)

    def hold(self) -> None:
        """Let one visit do all it can: over a network the hub's answers are met at once, on a stick read first."""
        if self.transport.answers:
            self.ask_to_join()
            if not self.hub.state:
                self.pull()
            self.push()
            held, forms = self.confirmed, self.hub.forms
            self.pull()
            if set(forms) - set(self.hub.forms) and self.unknown_there():  # a hub put back from an older copy
                self.push()
            if any(self.confirmed.get(name, 0) < number for name, number in held.items()):  # from an older copy
                self.station.references.doubt(self.hub.hub)
                self.push()
            self.hub = self.peers.met(self.hub.hub)
        else:
            self.pull()
            self.ask_to_join()
            self.push()
        self.carry_blobs()
        self.let_go()
        self.count()

    def unknown_there(self) -> bool:
        """Forget that the hub refused answers to forms it lacked, and return whether it did: they go along now."""
        found = [each for each in self.outcome.problems if each.code == "COLLECT_STRUCTURE_FORM"]
        self.outcome.problems = [each for each in self.outcome.problems if each not in found]
        return bool(found)

    def carry_blobs(self) -> None:
        """Let photos and files follow the answers; what does not get through now goes on at the next exchange."""

        def told(action: str, done: int, total: int, left: float | None) -> None:
            transport = self.transport
            size = transport.bytes_sent if action == "send-blobs" else transport.bytes_received
            self.progress(Progress(action, done, total, size, left))

        if isinstance(self.transport, FolderTransport):
            if self.hub.keys is None:
                return
            closure = stick_blobs.Closure(Seal(self.keys, self.hub.keys), self.keys.pairs)
            found = stick_blobs.visit(self.station, self.hub, self.transport.box, told, closure)
        else:
            found = carry(self.station, self.hub, self.transport, told)
        self.outcome.blobs_sent, self.outcome.blobs_received = found.sent, found.received
        self.outcome.blobs_waiting, self.outcome.blobs_lacking = found.waiting, found.lacking
        self.outcome.problems.extend(found.problems)

    def ask_to_join(self) -> None:
        """Send the petition, until the hub has first answered."""
        if self.hub.petition:
            self.transport.join(self.hub.petition.encode("utf-8"))

    def push(self) -> None:
        """Send what the hub lacks; what it refuses is noted, kept here, and does not stop the rest."""
        total = self.waiting
        done = 0
        assert self.hub.keys is not None, "checked when the conversation began"
        seal = Seal(self.keys, self.hub.keys)
        leaving = outgoing(
            self.station, self.hub, batch=self.transport.batch, behind=self.behind,
            introduce=self.hub.told != self.keys.current.public.id,
        )  # fmt: skip
        made = ((each, write_bundle(each, seal)) for each in leaving)
        for bundle, data in _ahead(made) if total > self.transport.batch else made:
            try:
                answer = self.transport.push(_name(bundle), data)
            except Refused as refusal:
                self.outcome.problems.extend(each for each in refusal.problems if each not in self.outcome.problems)
                if refusal.code == "SYNC_QUARANTINED":  # the hub keeps it for a person: let it have the rest too
                    continue
                return
            done += len(bundle.revisions)
            self.outcome.sent += len(bundle.revisions)
            self.progress(Progress("send", done, max(total, done), self.transport.bytes_sent))
            if answer is not None and not self.settle(self.read(answer), 0):
                return

    def pull(self) -> None:
        """Take in what the hub has for this station."""
        for parcel, read in _ahead(self.answers()) if self.transport.answers else self.parcels():
            try:
                bundle = read()
                received = incoming(self.station, bundle)
            except CunceError as error:
                if self.transport.answers or error.retryable:
                    raise
                self.outcome.problems.extend(error.problems)
                continue
            self.outcome.received += received.new
            self.outcome.known += received.known
            self.outcome.forms += len(bundle.forms)
            self.outcome.problems.extend(received.problems)
            self.settle(bundle, received.new)
            parcel.taken()
            self.progress(
                Progress("receive", self.outcome.received, self.outcome.received, self.transport.bytes_received)
            )
            if self.transport.answers and bundle.receipt is not None and not bundle.receipt.more:
                return

    def parcels(self) -> Iterator[tuple[Parcel, Callable[[], Bundle]]]:
        """Yield what lies on a stick, and how each is read."""
        for parcel in self.transport.pull(lambda: pack_request(self.request())):
            yield parcel, partial(self.read, parcel.data)

    def answers(self) -> Iterator[tuple[Parcel, Callable[[], Bundle]]]:
        """Yield a network's answers until the hub says that there are no more.

        Each is asked for as if the one before had been taken in, while it is: should it not be, the hub is asked again
        at the next exchange, for a station's cursors move with what was taken in.
        """
        asked = [self.request()]
        for parcel in self.transport.pull(lambda: pack_request(replace(asked[-1], now=self.now()))):
            bundle = self.read(parcel.data)
            yield parcel, partial(_same, bundle)
            if bundle.receipt is None or not bundle.receipt.more:
                return
            last = asked[-1] if asked[-1].cursors is not None else self.request(whole=True)
            forms = (*(last.forms or ()), *(form.digest for form in bundle.forms))
            asked.append(replace(last.after(bundle.receipt), forms=forms))

    def read(self, data: bytes) -> Bundle:
        """Read a bundle that must come from the hub to this station; raises BundleError."""
        assert self.hub.keys is not None, "checked when the conversation began"
        trust = Trust(self.keys.pairs, self.hub.keys)
        opened = open_bundle(data, trust, receiver=self.station.id, sender=self.hub.hub)
        if opened.bundle.kind != "pull":
            raise BundleError(Problem("SYNC_BUNDLE_FROM_ANOTHER", context={"sender": opened.bundle.sender}))
        self.shown = opened  # noted when it is settled: it may be read ahead, in another thread
        return opened.bundle

    def believe(self) -> None:
        """Keep what the hub's last bundle showed: its keys now, and whether it knows ours."""
        if self.shown is not None:
            known = self.shown.opened_by == self.keys.current.public.id
            told = self.shown.opened_by if known else self.hub.told
            if (self.shown.signer, told) != (self.hub.keys, self.hub.told):
                self.hub = self.peers.trusted(self.hub.hub, keys=self.shown.signer, told=told)

    def settle(self, bundle: Bundle, received: int) -> bool:
        """Keep what a receipt says; return whether nothing was refused."""
        self.believe()
        receipt = bundle.receipt
        if receipt is None:
            return True
        self.told = bundle.created if self.told is None else max(self.told, bundle.created)
        if self.transport.answers:
            self.told = self.station.clock.now()
            self.outcome.skew = round((bundle.created - self.station.clock.now()).total_seconds())
        if receipt.arrived < self.hub.arrived and not receipt.reset:
            receipt = self.outdated(receipt)
        cursors = advanced(self.hub.cursors, receipt)
        latest = receipt.cursor >= max(cursors.values(), default=0) and receipt.mark
        self.hub = self.peers.exchanged(
            self.hub.hub,
            held=receipt.held.get(self.station.id, 0),
            others={name: number for name, number in receipt.held.items() if name in self.behind},
            cursors=cursors,
            mark=receipt.mark if latest else self.hub.mark,
            arrived=receipt.arrived,
            state=receipt.state,
            forms=receipt.forms,
            villages=receipt.villages,
            received=received,
        )
        self.outcome.problems.extend(receipt.refused)
        self.adopt_villages()
        return not receipt.refused

    def outdated(self, receipt: Receipt) -> Receipt:
        """What of an older receipt, found on a stick, still counts: which revisions it came with."""
        return replace(
            receipt, held=self.confirmed, villages=self.hub.villages, forms=self.hub.forms,
            arrived=self.hub.arrived, refused=(),
        )  # fmt: skip

    def adopt_villages(self) -> None:
        """Let the station know the villages its hubs have put in its scope."""
        scope = {code: name for hub in self.peers.hubs() for code, name in hub.villages.items()}
        if self.station.role == "hub":
            return  # it has its own villages, of which a hub above it sees some
        if scope and scope != {village.code: village.name for village in self.station.villages}:
            self.station.set_villages(scope)

    def let_go(self) -> None:
        """Let leave what is of none of a laptop's villages any more, now that the hub has it."""
        if self.station.role == "hub" or not self.hub.state:
            return
        hubs = self.peers.hubs()
        unconfirmed: set[str] = set()
        for each in hubs:
            unconfirmed.update(self.station.references.unconfirmed(each.hub, None))
        left = leave(
            self.station, confirmed=min(each.held for each in hubs), unconfirmed_blobs=unconfirmed if hubs else ()
        )
        self.outcome.left, self.outcome.leaving = len(left.records), len(left.kept)

    def now(self) -> int:
        """What this station's clock says, in seconds since 1970 UTC."""
        return round(self.station.clock.now().timestamp())

    def request(self, *, whole: bool = False) -> Request:
        """What to ask for now: in a few bytes where the hub's last receipt says it all, unless `whole`."""
        hub = self.hub
        mine = tuple(digest for _, _, digest in self.station.journal.form_keys())
        uniform = len(set(hub.cursors.values())) == 1 and set(hub.cursors) == set(hub.villages)
        full = whole or not (self.transport.answers and hub.state and uniform and set(hub.forms) <= set(mine))
        cursor = max(hub.cursors.values(), default=0)
        held = self.station.journal.held() if self.behind else {}
        others = {name: held.get(name, 0) for name in sorted(self.behind)} if self.behind else None
        if not full:
            return Request(self.whole, hub.state, cursor, hub.mark, others=others)
        return Request(self.whole, hub.state, cursor, hub.mark, hub.cursors, mine, others)

    @property
    def confirmed(self) -> dict[str, int]:
        """Up to which numbers the hub holds this station's revisions and those it sent on."""
        return {**self.hub.others, self.station.id: self.hub.held}

    @property
    def waiting(self) -> int:
        """How many revisions the hub has not confirmed."""
        held, confirmed = self.station.journal.held(), self.confirmed
        return sum(
            max(held.get(name, 0) - confirmed.get(name, 0), 0) for name in (self.station.id, *sorted(self.behind))
        )

    @property
    def own(self) -> int:
        """This station's last number."""
        held: dict[str, int] = self.station.journal.held()
        return held.get(self.station.id, 0)

    @property
    def whole(self) -> int:
        """Up to which of its own numbers it has all that is of its villages; what left has to come back."""
        returning = self.station.journal.elsewhere.first_of(self.station.id, self.hub.villages)
        return returning - 1 if returning else self.own

    def count(self) -> None:
        """Fill in what only the end of the exchange tells."""
        outcome, transport = self.outcome, self.transport
        if self.told is not None and self.own >= self.hub.held:
            restored.lift(self.station.folder, self.told)
        outcome.confirmed, outcome.waiting = sum(self.confirmed.values()), self.waiting
        outcome.carried = not transport.answers and bool(outcome.waiting or self.hub.petition)
        outcome.conflicts = len(self.station.conflicts())
        outcome.parked = len(self.station.journal.parked())
        outcome.bytes_sent, outcome.bytes_received = transport.bytes_sent, transport.bytes_received
        outcome.requests = transport.requests


def _same(bundle: Bundle) -> Bundle:
    return bundle


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """Yield items, the next one made in another thread while the one before is on its way."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="cunce-ahead") as worker:
        waiting = worker.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = worker.submit(next, items, None)
            yield item


def _name(bundle: Bundle) -> str:
    """A bundle's file name: sender, the station that wrote where that is another, first and last number."""
    numbers = [revision.id.seq for revision in bundle.revisions] or [0]
    writers = {revision.id.station for revision in bundle.revisions} - {bundle.sender}
    return "-".join([bundle.sender, *sorted(writers), str(numbers[0]), f"{numbers[-1]}.cunce"])
