"""Whom a hub trusts, as people type it: scope, villages, revoking, quarantine, keys, and an invitation as a picture."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from collect.accounts import Accounts
from collect.peers import Peers
from collect.station import Station
from tests.datasette_plugins.hub.test_cli import cunce
from tests.sync.township import EAST, WEST, by_stick, ledger, make_hub, make_laptop, save


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    make_hub(tmp_path / "hub").close()
    return tmp_path / "hub"


def ran(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    status, out, problem = cunce(capsys, *map(str, arguments))
    assert (status, problem) == (0, "")
    return out


def test_a_revoked_laptops_stick_waits_until_a_person_releases_it(
    tmp_path: Path, hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    with Station.open(hub) as station, make_laptop(tmp_path / "one", station, "一号", EAST) as laptop:
        by_stick(laptop, stick)
        ran(capsys, "sync", "run", "--station", hub, "--folder", stick)
        by_stick(laptop, stick)
        save(laptop, head_name="张三")
        by_stick(laptop, stick)
    ran(capsys, "hub", "revoke", "一号", "--station", hub)
    status, _, problem = cunce(capsys, "sync", "run", "--station", str(hub), "--folder", str(stick))
    assert status == 1
    assert "SYNC_QUARANTINED" in problem
    (held,) = json.loads(ran(capsys, "hub", "quarantine", "list", "--json", "--station", hub))
    assert (held["name"], held["revisions"], held["state"]) == ("一号", 1, "waiting")
    assert json.loads(ran(capsys, "hub", "quarantine", "release", held["id"], "--json", "--station", hub))["new"] == 1
    assert "空" in ran(capsys, "hub", "quarantine", "list", "--station", hub)
    with Station.open(hub) as station:
        assert len(ledger(station)) == 1
    status, _, problem = cunce(capsys, "hub", "quarantine", "discard", held["id"], "--station", str(hub))
    assert (status, "SYNC_QUARANTINE_DECIDED" in problem) == (1, True)
    with closing(Accounts(hub)) as accounts:
        actions = {entry.action for entry in accounts.log()}
    assert {"laptop revoked", "bundle quarantined", "bundle released"} <= actions


def test_scope_and_villages_are_changed_by_name(tmp_path: Path, hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Station.open(hub) as station:
        make_laptop(tmp_path / "one", station, "一号", EAST).close()
    ran(capsys, "hub", "village", "add", "999999001009", "新村", "--station", hub)
    ran(capsys, "hub", "village", "rename", "999999001009", "新新村", "--station", hub)
    ran(capsys, "hub", "scope", "一号", "--villages", f"{WEST[0]}，999999001009", "--station", hub)
    ran(capsys, "hub", "authors", "一号", "--names", "张三,李四", "--station", hub)
    with closing(Peers(hub)) as peers:
        assert peers.peers()[0].villages == (WEST[0], "999999001009")
        assert peers.peers()[0].authors == ("张三", "李四")
    for arguments, code in (
        (("village", "add", EAST[0], "东村"), "PLUGINS_VILLAGE_KNOWN"),
        (("village", "rename", "999999001888", "无"), "PLUGINS_VILLAGE_UNKNOWN"),
        (("scope", "二号", "--villages", EAST[0]), "COLLECT_PEER_UNKNOWN"),
        (("scope", "一号", "--villages", "999999001888"), "COLLECT_ACCOUNT_VILLAGE_UNKNOWN"),
    ):
        status, _, problem = cunce(capsys, "hub", *arguments, "--station", str(hub))
        assert (status, code in problem) == (1, True)


def test_an_invitation_is_a_picture_too(tmp_path: Path, hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, address in enumerate(("http://192.168.1.5:8001", "")):
        picture = tmp_path / f"{number}.png"
        ran(
            capsys, "hub", "invite", "--station", hub, "--name", f"{number}号", "--villages", EAST[0],
            "--address", address, "--qr", picture, "-o", tmp_path / f"{number}.cunce-invite",
        )  # fmt: skip
        with Image.open(picture) as drawn:
            assert drawn.size[0] == drawn.size[1] > 200


def test_a_hub_renews_its_keys(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(ran(capsys, "hub", "keys", "show", "--json", "--station", hub))
    ran(capsys, "hub", "keys", "rotate", "--station", hub)
    after = json.loads(ran(capsys, "hub", "keys", "show", "--json", "--station", hub))
    assert before["id"] != after["id"]


def test_a_laptop_that_was_found_is_readmitted_and_sends_again(
    tmp_path: Path, hub: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    with Station.open(hub) as station, make_laptop(tmp_path / "one", station, "一号", EAST) as laptop:
        for _ in range(2):
            by_stick(laptop, stick)
            ran(capsys, "sync", "run", "--station", hub, "--folder", stick)
        ran(capsys, "hub", "revoke", "一号", "--station", hub)
        assert "再同步" in ran(capsys, "hub", "readmit", "一号", "--reason", "找到了", "--station", hub)
        ran(capsys, "hub", "readmit", "一号", "--station", hub)  # again changes nothing
        save(laptop, head_name="张三")
        by_stick(laptop, stick)
        ran(capsys, "sync", "run", "--station", hub, "--folder", stick)
    with Station.open(hub) as station:
        assert [each["head_name"] for each in ledger(station).values()] == ["张三"]
    with closing(Accounts(hub)) as accounts:
        (line,) = accounts.log(action="laptop readmitted")
    assert (line.resource, line.detail["reason"]) == ("一号", "找到了")
