"""What hubs and laptops remember of each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from collect.peers import PeerError, Peers

HASH = "ab" * 32


class Ticking:
    """A clock that goes on a minute each time it is asked."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 18, 0, tzinfo=timezone(timedelta(hours=8)))

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    with closing(Peers(tmp_path, clock=Ticking())) as opened:
        yield opened


def receipt(peers: Peers, held: int) -> None:
    peers.exchanged(
        "hub", held=held, cursors={"1": 5}, mark="m", arrived=5, state="s", forms=["f"], villages={"1": "东村"},
        received=2,
    )  # fmt: skip


def test_an_invitation_is_kept_until_it_is_answered(peers: Peers) -> None:
    peers.invite("i", name="一号", villages=["1", "2", "1"], secret=HASH)
    peer = peers.peers()[0]
    assert (peer.name, peer.villages, peer.state, peer.station, peer.token) == ("一号", ("1", "2"), "invited", "", "")
    assert peers.peer("") is None
    joined = peers.register("i", station="laptop", token=HASH)
    assert (joined.state, joined.joined_at > joined.invited_at) == ("joined", True)
    again = peers.register("i", station="laptop", token="cd" * 32)
    assert (again.token, again.joined_at) == ("cd" * 32, joined.joined_at)
    assert peers.peer("laptop") == peers.invited("i") == again


def test_scope_and_revocation(peers: Peers) -> None:
    peers.invite("i", name="一号", villages=["1"], secret=HASH)
    peers.register("i", station="laptop", token=HASH)
    assert peers.set_scope("i", ["2", "3"]).villages == ("2", "3")
    assert peers.revoke("i").state == "revoked"
    with pytest.raises(PeerError) as caught:
        peers.register("i", station="laptop", token=HASH)
    assert caught.value.code == "COLLECT_PEER_REVOKED"
    for change in (lambda: peers.revoke("x"), lambda: peers.set_scope("x", [])):
        with pytest.raises(PeerError) as caught:
            change()
        assert caught.value.code == "COLLECT_PEER_UNKNOWN"


def test_confirmations_say_since_when(peers: Peers) -> None:
    peers.join("hub", name="青山镇", address="http://h", petition="p", villages={"1": "东村"})
    assert peers.confirmed_at("hub", 1) == ""
    receipt(peers, 3)
    receipt(peers, 3)
    receipt(peers, 7)
    first, later = peers.confirmed_at("hub", 3), peers.confirmed_at("hub", 4)
    assert "" < first < later
    assert (peers.confirmed_at("hub", 1), peers.confirmed_at("hub", 7)) == (first, later)
    assert peers.confirmed_at("hub", 8) == ""


def test_what_a_hub_put_back_has_lost_is_confirmed_no_more(peers: Peers) -> None:
    peers.join("hub", name="青山镇", address="", petition="", villages={})
    receipt(peers, 3)
    receipt(peers, 7)
    first = peers.confirmed_at("hub", 2)
    receipt(peers, 4)
    assert peers.confirmed_at("hub", 2) == first
    assert peers.confirmed_at("hub", 4) > first
    assert peers.confirmed_at("hub", 5) == ""


def test_joining_again_keeps_what_was_exchanged(peers: Peers) -> None:
    peers.join("hub", name="青山镇", address="http://old", petition="p", villages={})
    receipt(peers, 3)
    hub = peers.hub("hub")
    assert (hub.petition, hub.held, dict(hub.cursors), hub.received) == ("", 3, {"1": 5}, 2)
    again = peers.join("hub", name="青山", address="http://new", petition="q", villages={})
    assert (again.name, again.address, again.petition, again.held) == ("青山", "http://new", "q", 3)
    assert peers.set_address("hub", "http://newest").address == "http://newest"
    assert [each.hub for each in peers.hubs()] == ["hub"]


def test_a_hub_never_joined_is_named(peers: Peers) -> None:
    with pytest.raises(PeerError) as caught:
        peers.hub("nobody")
    assert caught.value.code == "COLLECT_HUB_UNKNOWN"
    assert "nobody" in caught.value.problems[0].words("zh")
