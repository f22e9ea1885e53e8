"""A laptop joins and sends over real HTTP; the hub's pages show it at once, new villages included."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from collect.database import DatabaseError
from collect.station import Station
from datasette_plugins.hub import refresh
from datasette_plugins.hub.people import accounts_of
from forms.problems import CunceError, Problem
from sync import exchange
from sync.identity import make_invitation
from sync.joining import join, over_network
from sync.keys import keys_of
from tests.datasette_plugins.hub.township import A, Running


def test_what_a_laptop_sends_is_on_the_villages_pages_at_once(fresh: Running, tmp_path: Path) -> None:
    joined = join(tmp_path / "laptop", make_invitation(fresh.station, "笔记本1", [A], fresh.url))
    assert joined.outcome is not None
    with Station.open(tmp_path / "laptop") as laptop:
        assert laptop.projection.counts()["household"] == 3
        laptop.save({"village": A, "head_name": "赤新来"}, "household", author="王芳")
        with over_network(laptop, joined.hub) as road:
            exchange.run(laptop, road)
    with fresh.client("cadre_a") as client:
        assert "赤新来" in client.get(f"/{A}/household").text
    with fresh.client("admin") as client:
        page = client.get("/-/laptops").text
    assert "笔记本1" in page
    assert "今天" in page


def test_a_village_added_later_has_its_page_without_a_restart(fresh: Running) -> None:
    fresh.station.add_villages({"999999001004": "白石村"})
    fresh.station.save({"village": "999999001004", "head_name": "白新"}, "household", author="王芳")
    with fresh.client("leader") as client:
        assert "白新" in client.get("/999999001004/household").text


def test_what_another_process_brought_shows_within_seconds(fresh: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "LOOK_EVERY", 0.0)
    with fresh.client("cadre_a") as client:
        client.get("/")
        with Station.open(fresh.folder) as other:
            other.save({"village": A, "head_name": "赤优盘"}, "household", author="李明")
        assert "赤优盘" in client.get(f"/{A}/household").text


def test_strangers_are_answered_in_data_not_with_a_login_page(township: Running) -> None:
    with httpx.Client(base_url=township.url) as client:
        for endpoint in ("push", "pull", "join"):
            answer = client.post(f"/-/exchange/{endpoint}", content=b"nonsense")
            assert answer.status_code in (400, 401, 403)
            assert answer.json()["problems"][0]["code"].startswith(("SYNC_", "COLLECT_"))
        assert client.get("/-/exchange/push").status_code == 405
        assert client.post("/-/exchange/nothing", content=b"").status_code in (401, 404)


def test_a_laptop_that_was_revoked_sends_and_gets_nothing(fresh: Running, tmp_path: Path) -> None:
    joined = join(tmp_path / "laptop", make_invitation(fresh.station, "笔记本1", [A], fresh.url))
    for name, status in (("reviewer", 403), ("admin", 302)):
        with fresh.client(name) as client:
            page = client.get("/-/laptops").text
            fields = dict(re.findall(r'name="(csrftoken|invitation)" value="([^"]+)"', page))
            if name == "reviewer":
                assert "停用" not in page
                fields["invitation"] = "any"
            assert client.post("/-/laptops", data=fields).status_code == status
    with Station.open(tmp_path / "laptop") as laptop:
        laptop.save({"village": A, "head_name": "赤丢失"}, "household", author="王芳")
        with over_network(laptop, joined.hub, pauses=()) as road, pytest.raises(CunceError):
            exchange.run(laptop, road)
    assert not fresh.station.find("赤丢失")
    assert [line.resource for line in accounts_of(fresh.datasette).log(action="revoke laptop")] == ["笔记本1"]
    with fresh.client("admin") as client:
        page = client.get("/-/laptops").text
        fields = dict(re.findall(r'name="(csrftoken|invitation)" value="([^"]+)"', page))
        client.post("/-/laptops", data={**fields, "do": "readmit"})
    with Station.open(tmp_path / "laptop") as laptop, over_network(laptop, joined.hub, pauses=()) as road:
        exchange.run(laptop, road)
    assert fresh.station.find("赤丢失")


def test_a_full_disk_for_village_files_costs_no_revision(
    fresh: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = join(tmp_path / "laptop", make_invitation(fresh.station, "笔记本1", [A], fresh.url))

    def full(station: Station) -> int:
        raise DatabaseError(Problem("COLLECT_DISK_FULL"))

    with monkeypatch.context() as broken:
        broken.setattr(refresh, "_update", full)
        with Station.open(tmp_path / "laptop") as laptop:
            laptop.save({"village": A, "head_name": "赤满盘"}, "household", author="王芳")
            with over_network(laptop, joined.hub) as road:
                assert not exchange.run(laptop, road).problems
        assert fresh.station.find("赤满盘")
    monkeypatch.setattr(refresh, "LOOK_EVERY", 0.0)
    with fresh.client("cadre_a") as client:
        assert "赤满盘" in client.get(f"/{A}/household").text


@dataclass
class WrongClock:
    """A clock that is off by so much."""

    off: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.mark.parametrize(
    ("off", "words", "wrong"),
    [
        (timedelta(seconds=20), "准", False),
        (timedelta(minutes=3, seconds=5), "+3 分钟", False),
        (-timedelta(minutes=40), "-40 分钟", True),
        (timedelta(days=9), "+9 天", True),
        (-timedelta(days=6 * 365 + 2), "差了 -6 年", True),
    ],
)
def test_how_far_a_laptops_clock_is_off_is_measured_and_shown(
    fresh: Running, tmp_path: Path, off: timedelta, words: str, wrong: bool
) -> None:
    joined = join(tmp_path / "laptop", make_invitation(fresh.station, "笔记本1", [A], fresh.url))
    with Station.open(tmp_path / "laptop", clock=WrongClock(off)) as laptop:
        with over_network(laptop, joined.hub) as road:
            exchange.run(laptop, road)
        key = keys_of(laptop.folder, laptop.id).current.public.id
    with fresh.client("reviewer") as client:
        page = client.get("/-/laptops").text
    assert re.search(rf'<td class="nowrap">(<span class="tag tag-danger">)?{re.escape(words)}(</span>)?</td>', page)
    assert ("10 分钟以上" in page) == wrong
    assert f"{key[:4]} {key[4:8]}" in page
