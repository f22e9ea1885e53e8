"""Peers: the stations a hub has invited, the hubs a laptop has joined, and what each is known to hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from collect.database import Connection, Connections, transaction
from collect.keys import PublicKeys, public_keys
from forms.clock import Clock, SystemClock
from forms.problems import CunceError, Problem

if TYPE_CHECKING:
    from collect.journal import Journal

State = Literal["invited", "joined", "revoked"]

_SCHEMA = """
CREATE TABLE peer (
    invitation TEXT PRIMARY KEY, name TEXT NOT NULL, villages TEXT NOT NULL, secret TEXT NOT NULL,
    station TEXT UNIQUE, token TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, invited_at TEXT NOT NULL,
    joined_at TEXT NOT NULL DEFAULT '', seen_at TEXT NOT NULL DEFAULT '', received INTEGER NOT NULL DEFAULT 0,
    cursor INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE hub (
    hub TEXT PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL, petition TEXT NOT NULL, joined_at TEXT NOT NULL,
    exchanged_at TEXT NOT NULL DEFAULT '', held INTEGER NOT NULL DEFAULT 0, cursors TEXT NOT NULL DEFAULT '{}',
    mark TEXT NOT NULL DEFAULT '', arrived INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT '', forms TEXT NOT NULL DEFAULT '[]',
    villages TEXT NOT NULL DEFAULT '{}', received INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE confirmation (
    hub TEXT NOT NULL REFERENCES hub (hub), seq INTEGER NOT NULL, at TEXT NOT NULL, PRIMARY KEY (hub, seq)
) STRICT, WITHOUT ROWID;
"""
# What sealing and vouching need. Of a peer: its public keys; whether it vouches for stations behind it, and for which;
# the authors it was allowed and those it was met with. Of a hub: its public keys, ours as it knows them, and what it
# confirmed of the stations we vouch for.
_TRUST = """
ALTER TABLE peer ADD COLUMN keys TEXT NOT NULL DEFAULT '';
ALTER TABLE peer ADD COLUMN vouches INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peer ADD COLUMN stations TEXT NOT NULL DEFAULT '[]';
ALTER TABLE peer ADD COLUMN authors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE peer ADD COLUMN met TEXT NOT NULL DEFAULT '[]';
ALTER TABLE hub ADD COLUMN keys TEXT NOT NULL DEFAULT '';
ALTER TABLE hub ADD COLUMN told TEXT NOT NULL DEFAULT '';
ALTER TABLE hub ADD COLUMN others TEXT NOT NULL DEFAULT '{}';
"""
# By how many seconds a peer's clock was ahead when it last asked something over a network, and when that was.
_SKEW = """
ALTER TABLE peer ADD COLUMN skew INTEGER;
ALTER TABLE peer ADD COLUMN measured_at TEXT NOT NULL DEFAULT '';
"""


class PeerError(CunceError):
    """A station that was not invited, an invitation used by another station, or a hub that was never joined."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A station a hub has invited.

    `villages`: the codes it may send and is sent. `secret`, `token`: hex SHA-256 of the invitation's secret and of the
    station's token; neither is ever kept itself. `station`: "" until it has joined. `received`: its sequence number up
    to which everything is here; `cursor`: this hub's arrival number up to which it says it has been served.
    `keys`: its public keys, None until it has joined. `vouches`: it is a hub that sends on what `stations` wrote.
    `authors`: who may save on it, nobody in particular where empty; `met`: who did. `skew`: seconds by which its clock
    was ahead of ours when that was last measured (`measured_at`), None where it never was.
    """

    invitation: str
    name: str
    villages: tuple[str, ...]
    secret: str
    station: str
    token: str
    state: State
    invited_at: str
    joined_at: str
    seen_at: str
    received: int
    cursor: int
    keys: PublicKeys | None = None
    vouches: bool = False
    stations: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    skew: int | None = None
    measured_at: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub this station has joined.

    `petition`: the request to join, sent along until the hub first answers, then "". `held`: this station's sequence
    number up to which the hub has confirmed everything. `cursors`: village -> the hub's arrival number up to which its
    revisions are here; `mark`, `arrived`, `state`: see `sync.receipt`. `forms`: digests of the hub's form definitions.
    `villages`: this station's scope there, code -> name. `received`: revisions that came from it in all. `keys`: its
    public keys. `told`: the id of this station's keys that it is known to know. `others`: station -> number up to which
    the hub has confirmed what this one, a hub itself, sent on of it.
    """

    hub: str
    name: str
    address: str
    petition: str
    joined_at: str
    exchanged_at: str
    held: int
    cursors: Mapping[str, int]
    mark: str
    arrived: int
    state: str
    forms: tuple[str, ...]
    villages: Mapping[str, str]
    received: int
    keys: PublicKeys | None = None
    told: str = ""
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Whether a hub holds all that was saved here to a record: since when (ISO 8601), or "" while something waits."""

    hub: str
    at: str


class Peers:
    """The door to `peers.db`; safe to call from several threads."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._connections = Connections(folder / "peers.db", [_SCHEMA, _TRUST, _SKEW], durable=True)

    @property
    def _db(self) -> Connection:
        return self._connections.here

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds")

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    # ---- at a hub: who was invited

    def invite(
        self, invitation: str, *, name: str, villages: Iterable[str], secret: str, vouches: bool = False,
        authors: Iterable[str] = (),
    ) -> Peer:  # fmt: skip
        """Keep an invitation. `secret`: hex SHA-256 of its secret; `vouches`: it is for a hub; `authors`: see Peer."""
        codes = json.dumps(list(dict.fromkeys(villages)))
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO peer (invitation, name, villages, secret, state, invited_at, vouches, authors) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (invitation, name, codes, secret, "invited", self._now(), int(vouches), _json(list(authors))),
            )
        return self._peer("invitation", invitation)

    def withdraw(self, invitation: str) -> None:
        """Forget an invitation that reached nobody; one that was answered stays."""
        with transaction(self._db):
            self._db.execute("DELETE FROM peer WHERE invitation = ? AND state = 'invited'", (invitation,))

    def peers(self) -> tuple[Peer, ...]:
        """Return every invited station, in the order of invitation."""
        rows = self._db.rows(f"SELECT {_PEER} FROM peer ORDER BY invited_at, rowid")  # noqa: S608
        return tuple(_peer(row) for row in rows)

    def invited(self, invitation: str) -> Peer | None:
        """Return who an invitation is for, or None where it was never made here."""
        return self._find("invitation", invitation)

    def peer(self, station: str) -> Peer | None:
        """Return the station that joined under this id, or None."""
        return self._find("station", station) if station else None

    def register(self, invitation: str, *, station: str, token: str, keys: PublicKeys | None = None) -> Peer:
        """Bind an invitation to the station that answered it; again by the same station changes its token only.

        `token`: hex SHA-256 of the station's token. A station that shows other keys than before is another one: new
        ones must be signed by the old ones. Raises PeerError: COLLECT_PEER_UNKNOWN, COLLECT_INVITATION_USED,
        COLLECT_PEER_REVOKED.
        """
        with transaction(self._db):
            peer = self._peer("invitation", invitation)
            other = self.peer(station)
            if peer.state == "revoked":
                raise PeerError(Problem("COLLECT_PEER_REVOKED", context={"name": peer.name}))
            if peer.station not in ("", station) or (other is not None and other.invitation != invitation):
                raise PeerError(Problem("COLLECT_INVITATION_USED", context={"name": peer.name}))
            if peer.station and keys is not None and peer.keys not in (None, keys):
                if token != peer.token:
                    raise PeerError(Problem("COLLECT_INVITATION_USED", context={"name": peer.name}))
                keys = peer.keys  # an old petition, met again after the station got new keys
            self._db.execute(
                "UPDATE peer SET station = ?, token = ?, keys = ?, state = 'joined', joined_at = "
                "CASE joined_at WHEN '' THEN ? ELSE joined_at END WHERE invitation = ?",
                (station, token, _keys(keys or peer.keys), self._now(), invitation),
            )
        return self._peer("invitation", invitation)

    def set_scope(self, invitation: str, villages: Iterable[str]) -> Peer:
        """Change the villages a station may send and is sent; raises PeerError (COLLECT_PEER_UNKNOWN)."""
        codes = json.dumps(list(dict.fromkeys(villages)))
        return self._change(invitation, "villages = ?", codes)

    def revoke(self, invitation: str) -> Peer:
        """Let a lost laptop in no more; raises PeerError (COLLECT_PEER_UNKNOWN)."""
        return self._change(invitation, "state = ?", "revoked")

    def readmit(self, invitation: str) -> Peer:
        """Let a revoked laptop in again, as it was; one that is not revoked stays as it is.

        Raises PeerError (COLLECT_PEER_UNKNOWN).
        """
        with transaction(self._db):
            self._db.execute(
                "UPDATE peer SET state = CASE WHEN station IS NULL THEN 'invited' ELSE 'joined' END "
                "WHERE invitation = ? AND state = 'revoked'",
                (invitation,),
            )
        return self._peer("invitation", invitation)

    def set_authors(self, invitation: str, authors: Iterable[str]) -> Peer:
        """Change who may save on a station, nobody in particular for none; raises PeerError (COLLECT_PEER_UNKNOWN)."""
        return self._change(invitation, "authors = ?", _json(list(dict.fromkeys(authors))))

    def learned(
        self, station: str, *, keys: PublicKeys, stations: Iterable[str] = (), authors: Iterable[str] = ()
    ) -> Peer:
        """Note what a bundle taken in told of its sender: its keys now, further stations and authors it brought."""
        with transaction(self._db):
            peer = self._peer("station", station)
            behind, met = {*peer.stations, *stations} - {station}, {*peer.met, *authors}
            if (peer.keys, set(peer.stations), set(peer.met)) == (keys, behind, met):
                return peer
            self._db.execute(
                "UPDATE peer SET keys = ?, stations = ?, met = ? WHERE station = ?",
                (_keys(keys), _json(sorted(behind)), _json(sorted(met)), station),
            )
        return self._peer("station", station)

    def behind(self) -> frozenset[str]:
        """Return the stations whose revisions came from peers: the peers themselves and those they vouch for."""
        return frozenset(each for peer in self.peers() for each in (peer.station, *peer.stations) if each)

    def seen(self, station: str, *, received: int, cursor: int | None = None) -> None:
        """Note an exchange with a station: up to which of its numbers everything is here, and what it was served."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE peer SET seen_at = ?, received = ?, cursor = coalesce(?, cursor) WHERE station = ?",
                (self._now(), received, cursor, station),
            )

    def measured(self, station: str, *, skew: int) -> None:
        """Note by how many seconds a station's clock is ahead of ours now; written where that has changed."""
        limit = (1 << 62) - 1
        with transaction(self._db):
            self._db.execute(
                "UPDATE peer SET skew = ?, measured_at = ? WHERE station = ? AND (skew IS NULL OR abs(skew - ?1) > 5 "
                "OR substr(measured_at, 1, 10) <> substr(?2, 1, 10))",
                (max(-limit, min(skew, limit)), self._now(), station),
            )

    def _change(self, invitation: str, assignment: str, value: str) -> Peer:
        with transaction(self._db):
            self._db.execute(f"UPDATE peer SET {assignment} WHERE invitation = ?", (value, invitation))  # noqa: S608
        return self._peer("invitation", invitation)

    def _find(self, column: str, value: str) -> Peer | None:
        rows = self._db.rows(f"SELECT {_PEER} FROM peer WHERE {column} = ?", (value,))  # noqa: S608
        return _peer(rows[0]) if rows else None

    def _peer(self, column: str, value: str) -> Peer:
        found = self._find(column, value)
        if found is None:
            raise PeerError(Problem("COLLECT_PEER_UNKNOWN", context={"station": value}))
        return found

    # ---- at a laptop: which hubs were joined

    def join(
        self, hub: str, *, name: str, address: str, petition: str, villages: Mapping[str, str],
        keys: PublicKeys | None = None, told: str = "",
    ) -> Hub:  # fmt: skip
        """Note that this station belongs to a hub; again keeps what was exchanged and renews the rest.

        `told`: the id of this station's keys that the petition names.
        """
        with transaction(self._db):
            self._db.execute(
                "INSERT INTO hub (hub, name, address, petition, joined_at, villages, keys, told) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hub) DO UPDATE SET name = excluded.name, "
                "address = excluded.address, petition = excluded.petition, keys = excluded.keys",
                (hub, name, address, petition, self._now(), _json(villages), _keys(keys), told),
            )
        return self.hub(hub)

    def hubs(self) -> tuple[Hub, ...]:
        """Return every hub this station has joined, in the order of joining."""
        return tuple(_hub(row) for row in self._db.rows(f"SELECT {_HUB} FROM hub ORDER BY joined_at, rowid"))  # noqa: S608

    def hub(self, hub: str) -> Hub:
        """Return a hub by its id; raises PeerError (COLLECT_HUB_UNKNOWN)."""
        rows = self._db.rows(f"SELECT {_HUB} FROM hub WHERE hub = ?", (hub,))  # noqa: S608
        if not rows:
            raise PeerError(Problem("COLLECT_HUB_UNKNOWN", context={"hub": hub}))
        return _hub(rows[0])

    def set_address(self, hub: str, address: str) -> Hub:
        """Note where a hub is reached now; raises PeerError (COLLECT_HUB_UNKNOWN)."""
        with transaction(self._db):
            self._db.execute("UPDATE hub SET address = ? WHERE hub = ?", (address, hub))
        return self.hub(hub)

    def trusted(self, hub: str, *, keys: PublicKeys, told: str | None = None) -> Hub:
        """Note a hub's keys as they are now and, where given, the id of ours that it knows."""
        with transaction(self._db):
            self._db.execute(
                "UPDATE hub SET keys = ?, told = coalesce(?, told) WHERE hub = ?", (_keys(keys), told, hub)
            )
        return self.hub(hub)

    def exchanged(
        self,
        hub: str,
        *,
        held: int,
        cursors: Mapping[str, int],
        mark: str,
        arrived: int,
        state: str,
        forms: Iterable[str],
        villages: Mapping[str, str],
        received: int = 0,
        others: Mapping[str, int] | None = None,
    ) -> Hub:
        """Keep what a hub's receipt says, and the moment since which it holds this station's numbers up to `held`."""
        with transaction(self._db):
            before = self.hub(hub)
            if held < before.held:  # a hub put back from an older copy: what it lost is confirmed no more
                self._db.execute("DELETE FROM confirmation WHERE hub = ? AND seq > ?", (hub, held))
            last = self._db.value("SELECT max(seq) FROM confirmation WHERE hub = ?", (hub,)) or 0
            if held > last:
                self._db.execute("INSERT INTO confirmation (hub, seq, at) VALUES (?, ?, ?)", (hub, held, self._now()))
            self._db.execute(
                "UPDATE hub SET petition = '', exchanged_at = ?, held = ?, cursors = ?, mark = ?, arrived = ?,"
                " state = ?, forms = ?, villages = ?, received = received + ?, others = ? WHERE hub = ?",
                (
                    self._now(), held, _json(cursors), mark, arrived, state, _json(list(forms)), _json(villages),
                    received, _json(before.others if others is None else others), hub,
                ),
            )  # fmt: skip
        return self.hub(hub)

    def met(self, hub: str) -> Hub:
        """Note that an exchange with a hub has just ended well; raises PeerError (COLLECT_HUB_UNKNOWN)."""
        with transaction(self._db):
            self._db.execute("UPDATE hub SET exchanged_at = ? WHERE hub = ?", (self._now(), hub))
        return self.hub(hub)

    def confirmed(self, journal: Journal, *records: str) -> tuple[Confirmed, ...]:
        """Tell for each hub since when it holds everything this station's people saved to a record and its rows.

        A record nobody here touched came from a hub and counts as held there since the last exchange.
        """
        revisions = (each for record in records for each in journal.of_record(record))
        numbers = [each.id.seq for each in revisions if each.id.station == journal.station]
        return tuple(Confirmed(hub.hub, self.confirmed_at(hub.hub, max(numbers, default=0))) for hub in self.hubs())

    def confirmed_at(self, hub: str, seq: int) -> str:
        """Return since when a hub holds this station's numbers up to `seq` (ISO 8601), "" while it does not."""
        if seq <= 0:
            return self.hub(hub).exchanged_at
        found = self._db.value(
            "SELECT at FROM confirmation WHERE hub = ? AND seq >= ? ORDER BY seq LIMIT 1", (hub, seq)
        )
        return str(found or "")


_PEER = (
    "invitation, name, villages, secret, coalesce(station, ''), token, state, invited_at, joined_at, seen_at, "
    "received, cursor, keys, vouches, stations, authors, met, skew, measured_at"
)
_HUB = (
    "hub, name, address, petition, joined_at, exchanged_at, held, cursors, mark, arrived, state, "
    "forms, villages, received, keys, told, others"
)


def _peer(row: tuple[Any, ...]) -> Peer:
    lists = (tuple(json.loads(text)) for text in row[14:17])
    told = tuple(json.loads(row[2])), *row[3:12], _read_keys(row[12]), bool(row[13]), *lists, *row[17:]
    return Peer(*row[:2], *told)


def _hub(row: tuple[Any, ...]) -> Hub:
    cursors, forms, villages = json.loads(row[7]), tuple(json.loads(row[11])), json.loads(row[12])
    return Hub(*[*row[:7], cursors, row[8], row[9], row[10], forms, villages, row[13], _read_keys(row[14]), row[15],
                 json.loads(row[16])])  # fmt: skip


def _keys(keys: PublicKeys | None) -> str:
    return "" if keys is None else json.dumps(keys.pair)


def _read_keys(text: str) -> PublicKeys | None:
    return public_keys(json.loads(text)) if text else None


def _json(data: Any) -> str:
    return json.dumps(data if isinstance(data, list) else dict(data), ensure_ascii=False)
