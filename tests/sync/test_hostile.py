"""Hostile senders: whatever arrives by network or stick is refused or quarantined, named, and in the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from collect.accounts import Accounts
from collect.peers import Peers
from collect.station import Station
from collect.structure import StructureError
from sync.bundle import Bundle, open_bundle, write_bundle
from sync.exchange import incoming, outgoing
from sync.identity import token_of
from sync.keys import OwnKeys, keys_of, new_pair
from sync.quarantine import QuarantineError, discard, quarantined, release
from sync.seal import Seal, SealError, Trust
from sync.serving import MAX_BODY, answer
from sync.stick import attend
from sync.transport.folder import to_hub
from tests.datasette_plugins.hub.township import running
from tests.sync.township import (
    EAST,
    WEST,
    Line,
    by_line,
    by_stick,
    closing_of,
    household,
    hub_row,
    ledger,
    make_hub,
    make_laptop,
    opened_of,
    save,
)

Send = Callable[[bytes], list[str]]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


@pytest.fixture
def laptop(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "laptop", hub, "一号", EAST) as station:
        by_line(station, Line(hub))
        save(station, head_name="张三")
        yield station


@pytest.fixture(params=["network", "server", "stick"])
def send(request: pytest.FixtureRequest, tmp_path: Path, hub: Station, laptop: Station) -> Iterator[Send]:
    """Bring bytes to the hub in the laptop's name; return the codes of its problems."""

    def over_network(data: bytes) -> list[str]:
        response = answer(hub, "push", f"Bearer {laptop.id}.{token_of(laptop.folder, hub.id)}", data)
        return [] if response.status == 200 else [each["code"] for each in json.loads(response.body)["problems"]]

    def over_http(data: bytes) -> list[str]:
        headers = {"Authorization": f"Bearer {laptop.id}.{token_of(laptop.folder, hub.id)}"}
        response = client.post("/-/exchange/push", content=data, headers=headers)
        return [] if response.status_code == 200 else [each["code"] for each in response.json()["problems"]]

    def by_folder(data: bytes) -> list[str]:
        box = to_hub(tmp_path / "stick", hub.id)
        box.mkdir(parents=True, exist_ok=True)
        (box / f"{laptop.id}-1-1.cunce").write_bytes(data)
        return [problem.code for problem in attend(hub, tmp_path / "stick").problems]

    if request.param == "server":
        with running(hub.folder, {}) as served, served.client() as client:
            yield over_http
            assert client.get("/-/login").status_code == 200, "whatever came, the hub goes on serving"
    else:
        yield over_network if request.param == "network" else by_folder


def bundle_of(laptop: Station, **changes: Any) -> Bundle:
    return replace(next(outgoing(laptop, hub_row(laptop))), **changes)


def audited(hub: Station, action: str) -> list[dict[str, Any]]:
    with closing(Accounts(hub.folder)) as accounts:
        return [dict(entry.detail) for entry in accounts.log(action=action)]


def refused_as(hub: Station, send: Send, data: bytes, code: str) -> None:
    """Nothing taken, the code told, and why in the audit log."""
    assert set(send(data)) == {code}
    assert not ledger(hub)
    assert audited(hub, "bundle refused")[0]["problems"][0]["code"] == code


def test_an_honest_bundle_is_taken(hub: Station, laptop: Station, send: Send) -> None:
    assert send(write_bundle(bundle_of(laptop), closing_of(laptop, hub))) == []
    assert len(ledger(hub)) == 1
    assert not audited(hub, "bundle refused")
    assert audited(hub, "laptop author new") == [{"authors": ["一号"]}]


def test_a_bundle_in_the_open_is_refused(hub: Station, laptop: Station, send: Send) -> None:
    refused_as(hub, send, write_bundle(bundle_of(laptop)), "SYNC_BUNDLE_UNSIGNED")


def test_a_bundle_signed_by_another_is_refused(hub: Station, laptop: Station, send: Send) -> None:
    seal = Seal(OwnKeys(new_pair()), closing_of(laptop, hub).to)
    refused_as(hub, send, write_bundle(bundle_of(laptop), seal), "SYNC_SIGNER_UNKNOWN")


def test_a_bundle_sealed_to_another_is_refused(hub: Station, laptop: Station, send: Send) -> None:
    seal = Seal(closing_of(laptop, hub).keys, new_pair().public)
    refused_as(hub, send, write_bundle(bundle_of(laptop), seal), "SYNC_BUNDLE_OTHER_KEY")


def test_an_altered_bundle_is_refused_though_its_digest_was_made_anew(
    hub: Station, laptop: Station, send: Send
) -> None:
    import hashlib

    data = bytearray(write_bundle(bundle_of(laptop), closing_of(laptop, hub)))
    data[data.index(b"BODY") + 250] ^= 1
    data[-32:] = hashlib.sha256(data[:-32]).digest()
    refused_as(hub, send, bytes(data), "SYNC_SIGNATURE_FALSE")


def test_a_truncated_bundle_is_refused(hub: Station, laptop: Station, send: Send) -> None:
    data = write_bundle(bundle_of(laptop), closing_of(laptop, hub))
    problems = send(data[: len(data) // 2])
    assert set(problems) <= {"SYNC_BUNDLE_CUT", "SYNC_BUNDLE_DAMAGED"}
    assert problems
    assert not ledger(hub)


def test_a_replayed_bundle_changes_nothing(hub: Station, laptop: Station, send: Send) -> None:
    data = write_bundle(bundle_of(laptop), closing_of(laptop, hub))
    for _ in range(3):
        assert send(data) == []
    assert hub.journal.held() == {laptop.id: 1}


def test_a_bomb_is_not_unpacked(hub: Station, laptop: Station, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender's keys are right, and its body unpacks to much more than it says."""
    bundle, seal = bundle_of(laptop), closing_of(laptop, hub)
    real = zstandard.ZstdCompressor

    class Bomb:
        def __init__(self, **options: Any) -> None:
            self.real = real(**options)

        def compress(self, data: bytes) -> bytes:
            return self.real.compress(data + b" " * (1 << 28))

    monkeypatch.setattr("sync.bundle.zstandard.ZstdCompressor", Bomb)
    data = write_bundle(bundle, seal)
    monkeypatch.undo()
    assert len(data) < 100_000
    refused_as(hub, send, data, "SYNC_BUNDLE_MALFORMED")


def test_an_endless_bundle_is_refused_unread(hub: Station, laptop: Station) -> None:
    """As it says itself, and as it comes without saying: the hub stops reading at the limit."""
    headers = {"Authorization": f"Bearer {laptop.id}.{token_of(laptop.folder, hub.id)}"}
    piece = bytes(1024 * 1024)

    def endless() -> Iterator[bytes]:
        for _ in range(MAX_BODY // len(piece) + 2):
            yield piece

    with running(hub.folder, {}) as served, served.client() as client:
        for content in (bytes(MAX_BODY + 1), endless()):
            response = client.post("/-/exchange/push", content=content, headers=headers)
            assert response.status_code == 413
            assert [each["code"] for each in response.json()["problems"]] == ["SYNC_BUNDLE_TOO_LARGE"]
    assert not ledger(hub)


def test_writing_outside_the_scope_is_refused(hub: Station, laptop: Station, send: Send) -> None:
    save(laptop, WEST, head_name="李四")
    refused_as(hub, send, write_bundle(bundle_of(laptop), closing_of(laptop, hub)), "SYNC_OUTSIDE_SCOPE")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"version": "77"}, "COLLECT_STRUCTURE_FORM"),
        ({"table": "conflict"}, "COLLECT_STRUCTURE_TABLE"),
        ({"changes": {"_rev": "x"}}, "COLLECT_STRUCTURE_NAME"),
        ({"changes": {"head_name": True}}, "COLLECT_STRUCTURE_TYPE"),
        ({"changes": {"head_name": "x" * 1_000_001}}, "COLLECT_STRUCTURE_LONG"),
        ({"record": "a\u0000b"}, "COLLECT_STRUCTURE_HEAD"),
        ({"time": 2**70}, "COLLECT_STRUCTURE_NUMBER"),
    ],
)
def test_what_no_form_asks_is_refused(
    hub: Station, laptop: Station, send: Send, changes: dict[str, Any], code: str
) -> None:
    bundle = bundle_of(laptop)
    forged = replace(bundle, revisions=(replace(bundle.revisions[0], **changes),))
    refused_as(hub, send, write_bundle(forged, closing_of(laptop, hub)), code)
    assert send(write_bundle(bundle, closing_of(laptop, hub))) == [], "the honest one is taken all the same"


def test_a_laptop_checks_what_a_hub_sends(hub: Station, laptop: Station, tmp_path: Path) -> None:
    """A hub in the wrong hands spoils no laptop: nothing of such an answer is taken."""
    before = laptop.journal.arrived()
    with Station.create(tmp_path / "third", name="三号", villages=(EAST,)) as third:
        third.add_form(household())
        save(third, head_name="李四")
        forged = tuple(
            replace(each, changes={"_rev": "x"}) for each in third.journal.suffix(third.id, 0)
        )
    bundle = Bundle(hub.id, laptop.id, "pull", hub.clock.now(), forged)
    with pytest.raises(StructureError):
        incoming(laptop, bundle)
    assert laptop.journal.arrived() == before


def test_a_forged_author_is_refused(hub: Station, laptop: Station, send: Send, tmp_path: Path) -> None:
    """A reviewer's name, and one that was declared for another laptop."""
    with closing(Accounts(hub.folder)) as accounts:
        accounts.add("shen", role="reviewer", password="long enough 93", display="沈审核")
    make_laptop(tmp_path / "other", hub, "二号", EAST, authors=("王五",)).close()
    bundle = bundle_of(laptop)
    for author in ("shen", "沈审核", "王五"):
        forged = replace(bundle, revisions=tuple(replace(each, author=author) for each in bundle.revisions))
        refused_as(hub, send, write_bundle(forged, closing_of(laptop, hub)), "SYNC_AUTHOR_FORGED")


def test_where_authors_are_declared_nobody_else_saves(hub: Station, laptop: Station, send: Send) -> None:
    with closing(Peers(hub.folder)) as peers:
        (peer,) = peers.peers()
        peers.set_authors(peer.invitation, ["赵六"])
    bundle = bundle_of(laptop)
    for author, expected in (("钱七", ["SYNC_AUTHOR_FORGED"]), ("赵六", [])):
        told = replace(bundle, revisions=tuple(replace(each, author=author) for each in bundle.revisions))
        assert send(write_bundle(told, closing_of(laptop, hub))) == expected


def test_what_a_revoked_laptop_sends_waits_for_a_person(hub: Station, laptop: Station, send: Send) -> None:
    revoke(hub)
    data = write_bundle(bundle_of(laptop), closing_of(laptop, hub))
    assert send(data) == ["SYNC_QUARANTINED"]
    assert send(data) == ["SYNC_QUARANTINED"], "the same again is the same"
    assert not ledger(hub)
    (held,) = quarantined(hub)
    assert (held.station, held.name, held.revisions, held.why) == (laptop.id, "一号", 1, "COLLECT_PEER_REVOKED")
    assert len(audited(hub, "bundle quarantined")) == 1
    assert release(hub, held.id, by="站长").new == 1
    assert [each["head_name"] for each in ledger(hub).values()] == ["张三"]
    assert quarantined(hub) == ()
    assert quarantined(hub, decided=True)[0].by == "站长"
    assert audited(hub, "bundle released")[0]["station"] == laptop.id
    with pytest.raises(QuarantineError):
        release(hub, held.id, by="站长")


def test_what_was_quarantined_can_be_discarded(hub: Station, laptop: Station, send: Send) -> None:
    revoke(hub)
    send(write_bundle(bundle_of(laptop), closing_of(laptop, hub)))
    (held,) = quarantined(hub)
    discard(hub, held.id, by="站长")
    assert not list((hub.folder / "quarantine").glob("*.cunce"))
    assert not ledger(hub)
    assert audited(hub, "bundle discarded")
    for number in ("../../secrets", "", held.id):
        with pytest.raises(QuarantineError):
            discard(hub, number, by="站长")


def test_nobody_fills_quarantine_in_a_revoked_laptops_name(hub: Station, laptop: Station, send: Send) -> None:
    revoke(hub)
    assert send(write_bundle(bundle_of(laptop))) == ["SYNC_BUNDLE_UNSIGNED"]
    forged = Seal(OwnKeys(new_pair()), closing_of(laptop, hub).to)
    assert send(write_bundle(bundle_of(laptop), forged)) == ["SYNC_SIGNER_UNKNOWN"]
    assert quarantined(hub) == ()


def test_a_stick_names_no_path_outside_it(hub: Station, laptop: Station, tmp_path: Path) -> None:
    """Names on a stick are read, never followed: a link or a strange name brings nothing in and leaves nothing out."""
    box = to_hub(tmp_path / "stick", hub.id)
    box.mkdir(parents=True)
    data = write_bundle(bundle_of(laptop, sender="../../evil"), closing_of(laptop, hub))
    (box / "x-1-1.cunce").write_bytes(data)
    (box / "x.wanted").write_bytes(b'{"own":0,"state":"","cursor":0,"mark":"","cursors":{"../../x":1}}')
    before = {path for path in tmp_path.rglob("*") if "stick" not in path.parts and "hub" not in path.parts}
    assert [problem.code for problem in attend(hub, tmp_path / "stick").problems] == ["SYNC_NOT_ADMITTED"]
    after = {path for path in tmp_path.rglob("*") if "stick" not in path.parts and "hub" not in path.parts}
    assert before == after


def test_an_answer_in_the_hubs_name_is_not_believed(hub: Station, laptop: Station, tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    by_stick(laptop, tmp_path / "stick")
    attend(hub, tmp_path / "stick")
    (file,) = (tmp_path / "stick" / "cunce" / hub.id / "to-station" / laptop.id).glob("*.cunce")
    told = opened_of(file.read_bytes(), laptop, hub)
    for data, code in (
        (write_bundle(told), "SYNC_BUNDLE_UNSIGNED"),
        (write_bundle(told, Seal(OwnKeys(new_pair()), closing_of(hub, laptop).to)), "SYNC_SIGNER_UNKNOWN"),
    ):
        file.write_bytes(data)
        outcome = by_stick(laptop, tmp_path / "stick")
        assert [problem.code for problem in outcome.problems] == [code]
        assert outcome.waiting == 1


def test_nobody_else_reads_what_is_on_the_road(hub: Station, laptop: Station) -> None:
    data = write_bundle(bundle_of(laptop), closing_of(laptop, hub))
    assert "张三".encode() not in data
    trust = Trust(keys_of(laptop.folder, laptop.id).pairs, keys_of(laptop.folder, laptop.id).current.public)
    with pytest.raises(SealError) as caught:
        open_bundle(data, trust, receiver=hub.id)
    assert caught.value.code == "SYNC_BUNDLE_OTHER_KEY"


def revoke(hub: Station) -> None:
    with closing(Peers(hub.folder)) as peers:
        peers.revoke(peers.peers()[0].invitation)
