"""Invitations, petitions and tokens: who is let in, and who is not."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.peers import PeerError, Peers
from collect.station import Station
from sync.identity import (
    Invitation,
    InvitationError,
    NotAdmittedError,
    admit,
    make_invitation,
    petition,
    read_invitation,
    recognise,
    token_of,
    write_invitation,
)
from sync.keys import new_pair
from tests.sync.township import EAST, WEST, make_hub

HEX = st.binary(min_size=5, max_size=5).map(bytes.hex)
KEYS = new_pair().public
SECRET = st.binary(min_size=10, max_size=10).map(bytes.hex)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


@pytest.fixture
def peers(hub: Station) -> Iterator[Peers]:
    with closing(Peers(hub.folder, clock=hub.clock)) as opened:
        yield opened


@given(HEX, SECRET)
def test_a_code_may_be_typed_carelessly(number: str, secret: str) -> None:
    invitation = Invitation(number, secret, "http://192.168.1.5:8001")
    assert len(invitation.code) == 29
    careless = invitation.text.lower().replace("-", " ").replace("o", "0")
    address, _, code = careless.rpartition("#")
    assert read_invitation(f"http://192.168.1.5:8001#{code}") == invitation
    assert address


@given(HEX, SECRET, st.text(max_size=9), st.dictionaries(st.text(min_size=1), st.text(), min_size=1))
def test_an_invitation_file_reads_back(number: str, secret: str, name: str, villages: dict[str, str]) -> None:
    invitation = Invitation(number, secret, "", "hub", "青山镇", ("1", "青山镇"), name, villages, keys=KEYS)
    assert read_invitation(write_invitation(invitation)) == invitation


def test_only_a_digest_of_the_secret_stays_at_the_hub(hub: Station, peers: Peers) -> None:
    invitation = make_invitation(hub, "一号", [EAST[0]], "http://h:1/")
    assert invitation.address == "http://h:1"
    (peer,) = peers.peers()
    assert invitation.secret not in "".join(map(str, (peer.secret, peer.token, peer.invitation)))
    kept = b"".join(path.read_bytes() for path in hub.folder.glob("peers.db*"))
    assert invitation.secret.encode() not in kept
    assert invitation.code.encode() not in kept


def test_all_that_is_wrong_with_an_invitation_is_said_at_once(hub: Station) -> None:
    with pytest.raises(InvitationError) as caught:
        make_invitation(hub, " ", ["1", "2"], "hub:8001")
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["SYNC_VILLAGE_UNKNOWN", "SYNC_VILLAGE_UNKNOWN", "SYNC_INVITATION_WITHOUT_NAME", "SYNC_ADDRESS"]
    with pytest.raises(InvitationError) as caught:
        make_invitation(hub, "一号", [], "")
    assert caught.value.code == "SYNC_INVITATION_WITHOUT_VILLAGE"


def test_the_right_petition_is_admitted_again_and_again_but_only_for_one_station(hub: Station, peers: Peers) -> None:
    invitation = make_invitation(hub, "一号", [EAST[0], WEST[0]], "")
    asked = petition(invitation, station="laptop", token="t", keys=KEYS)
    assert b"laptop" in asked
    assert invitation.secret.encode() not in asked
    for _ in range(2):
        peer = admit(peers, asked)
    assert (peer.station, peer.state, peer.villages) == ("laptop", "joined", (EAST[0], WEST[0]))
    assert recognise(peers, "Bearer laptop.t") == peers.peer("laptop")
    with pytest.raises(PeerError) as caught:
        admit(peers, petition(invitation, station="another", token="t", keys=KEYS))
    assert caught.value.code == "COLLECT_INVITATION_USED"
    second = make_invitation(hub, "二号", [EAST[0]], "")
    with pytest.raises(PeerError) as caught:
        admit(peers, petition(second, station="laptop", token="t", keys=KEYS))
    assert caught.value.code == "COLLECT_INVITATION_USED", "one station, one invitation"


def test_a_petition_changed_on_its_way_is_refused(hub: Station, peers: Peers) -> None:
    invitation = make_invitation(hub, "一号", [EAST[0]], "")
    asked = json.loads(petition(invitation, station="laptop", token="t", keys=KEYS))
    for name, wrong in (("station", "thief"), ("token", "ab" * 32), ("invitation", "0" * 10), ("proof", "0" * 64)):
        with pytest.raises(NotAdmittedError) as caught:
            admit(peers, json.dumps({**asked, name: wrong}).encode())
        assert caught.value.code == "SYNC_NOT_INVITED"
    for station in ("", "..", "../x", "a/b", "车", "a\n"):
        with pytest.raises(NotAdmittedError) as caught:
            admit(peers, petition(invitation, station=station, token="t", keys=KEYS))
        assert caught.value.code == "SYNC_PETITION_UNREADABLE", "a station's id names folders on a stick"
    with pytest.raises(NotAdmittedError):
        admit(peers, petition(replace(invitation, secret="00" * 10), station="laptop", token="t", keys=KEYS))
    assert peers.peer("laptop") is None


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=40)
    | st.dictionaries(
        st.sampled_from(["invitation", "station", "token", "proof"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=1) | st.just("\ud800"),
    ).map(lambda data: json.dumps(data).encode())
)
def test_no_petition_is_ever_an_exception_of_another_kind(data: bytes) -> None:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        closing(Peers(Path(folder))) as peers,
        pytest.raises((NotAdmittedError, PeerError)),
    ):
        admit(peers, data)


def test_tokens_open_only_their_own_door(hub: Station, peers: Peers) -> None:
    invitations = [make_invitation(hub, name, [EAST[0]], "") for name in ("a", "b")]
    for invitation in invitations:
        admit(peers, petition(invitation, station=invitation.name, token=f"token {invitation.name}", keys=KEYS))
    make_invitation(hub, "c", [EAST[0]], "")
    wrong = ["", "Bearer", "Bearer a", "Bearer .", "Bearer a.token b", "Bearer b.token a", "Bearer c.", "Bearer a.令牌"]
    for header in wrong:
        with pytest.raises(NotAdmittedError) as caught:
            recognise(peers, header)
        assert caught.value.code == "SYNC_NOT_ADMITTED"
    peers.revoke(peers.peers()[0].invitation)
    assert recognise(peers, "Bearer a.token a").state == "revoked", "known, but not welcome"
    with pytest.raises(PeerError) as revoked:
        admit(peers, petition(invitations[0], station="a", token="t", keys=KEYS))
    assert revoked.value.code == "COLLECT_PEER_REVOKED"


def test_a_laptop_keeps_its_token_beside_other_secrets(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"datasette": "x"}', encoding="utf-8")
    token = token_of(tmp_path, "hub")
    assert len(token) == 64
    assert token_of(tmp_path, "hub") == token != token_of(tmp_path, "other")
    assert json.loads((tmp_path / "secrets.json").read_text(encoding="utf-8"))["datasette"] == "x"


def test_a_file_that_is_no_invitation_is_named(tmp_path: Path) -> None:
    for number, text in enumerate(["", "[]", "{}", '{"cunce_invite": 1}', "\ufeffx", "{" * 9]):
        file = tmp_path / f"{number}.cunce-invite"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InvitationError) as caught:
            read_invitation(file)
        assert caught.value.code == "SYNC_INVITATION_UNREADABLE"
        assert caught.value.problems[0].place.file == file.name
    file.write_text('{"cunce_invite": 2}', encoding="utf-8")
    with pytest.raises(InvitationError) as caught:
        read_invitation(file)
    assert caught.value.code == "SYNC_INVITATION_NEWER"
