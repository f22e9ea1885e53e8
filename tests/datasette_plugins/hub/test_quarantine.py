"""Quarantine's page: what a revoked laptop sent is listed, looked into, taken in or discarded, by whom that is for."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from collect.peers import Peers
from collect.station import Station
from datasette_plugins.hub.people import accounts_of
from forms.problems import CunceError
from sync import exchange
from sync.identity import make_invitation
from sync.joining import join, over_network
from sync.quarantine import quarantined
from tests.datasette_plugins.hub.township import A, Running, posted


def send_when_revoked(served: Running, folder: Path, *names: str) -> None:
    """Let a laptop join, revoke it, and let it send a household of each name."""
    joined = join(folder, make_invitation(served.station, "笔记本1", [A], served.url))
    with closing(Peers(served.folder)) as peers:
        peers.revoke(peers.peers()[0].invitation)
    with Station.open(folder) as laptop:
        for name in names:
            laptop.save({"village": A, "head_name": name}, "household", author="王芳")
            with over_network(laptop, joined.hub, pauses=()) as road, pytest.raises(CunceError):
                exchange.run(laptop, road)


def test_what_was_held_is_listed_and_looked_into(fresh: Running, tmp_path: Path) -> None:
    send_when_revoked(fresh, tmp_path / "laptop", "赤丢失")
    (held,) = quarantined(fresh.station)
    with fresh.client("reviewer") as client:
        page = client.get("/-/quarantine").text
        assert "笔记本1" in page
        assert "从网络收到" in page
        assert "赤丢失" not in page
        assert "确定收下" not in page  # a reviewer looks, an administrator decides
        page = client.get("/-/quarantine", params={"look": held.id}).text
        for words in ("赤丢失", "红星村", "户情台账", "王芳", "新记录"):
            assert words in page
        fields = posted(client, {"number": held.id, "do": "release"})
        assert client.post("/-/quarantine", data=fields).status_code == 403
    assert len(quarantined(fresh.station)) == 1
    assert accounts_of(fresh.datasette).log(action="bundle looked at")[0].account == "reviewer"


def test_taking_in_needs_a_reason_and_reaches_the_villages_page_and_the_log(fresh: Running, tmp_path: Path) -> None:
    send_when_revoked(fresh, tmp_path / "laptop", "赤丢失")
    (held,) = quarantined(fresh.station)
    with fresh.client("admin") as client:
        fields = posted(client, {"number": held.id, "do": "release", "reason": " "})
        client.post("/-/quarantine", data=fields)
        assert "请写明理由" in client.get("/-/quarantine").text
        assert len(quarantined(fresh.station)) == 1
        client.post("/-/quarantine", data={**fields, "reason": "笔记本找回来了"})
        page = client.get("/-/quarantine").text
        assert "已收下：1 条新的修改" in page
        assert "隔离区是空的" in page
        assert "笔记本找回来了" in page
        client.post("/-/quarantine", data={**fields, "reason": "再点一次"})
        assert "处理过" in client.get("/-/quarantine").text
    with fresh.client("cadre_a") as client:
        assert "赤丢失" in client.get(f"/{A}/household").text
    (line,) = accounts_of(fresh.datasette).log(action="bundle released")
    assert (line.account, line.resource, line.detail["reason"]) == ("admin", held.id, "笔记本找回来了")


def test_discarding_leaves_the_ledgers_alone_and_stays_on_record(fresh: Running, tmp_path: Path) -> None:
    send_when_revoked(fresh, tmp_path / "laptop", "赤丢失")
    (held,) = quarantined(fresh.station)
    with fresh.client("admin") as client:
        client.post("/-/quarantine", data=posted(client, {"number": held.id, "do": "discard", "reason": "被盗后填的"}))
        page = client.get("/-/quarantine").text
    assert "已丢弃" in page
    assert "被盗后填的" in page
    assert not fresh.station.find("赤丢失")


def test_the_same_sent_again_is_held_once_and_more_is_held_beside_it(fresh: Running, tmp_path: Path) -> None:
    send_when_revoked(fresh, tmp_path / "laptop", "赤丢失")
    for name, revisions in (("", [1]), ("", [1]), ("赤后来", [1, 2])):
        with Station.open(tmp_path / "laptop") as laptop, closing(Peers(laptop.folder)) as peers:
            if name:
                laptop.save({"village": A, "head_name": name}, "household", author="王芳")
            with over_network(laptop, peers.hubs()[0], pauses=()) as road, pytest.raises(CunceError):
                exchange.run(laptop, road)
        assert [each.revisions for each in quarantined(fresh.station)] == revisions


def test_what_is_not_there_is_said_and_an_empty_quarantine_too(fresh: Running) -> None:
    with fresh.client("admin") as client:
        assert "没有停用" not in client.get("/-/quarantine").text
        assert "隔离区是空的" in client.get("/-/quarantine").text
        fields = posted(client, {"number": "../../secrets", "do": "discard", "reason": "试试"})
        client.post("/-/quarantine", data=fields)
        assert "隔离区里没有" in client.get("/-/quarantine").text
        assert "隔离区里没有" in client.get("/-/quarantine", params={"look": "nowhere"}).text
