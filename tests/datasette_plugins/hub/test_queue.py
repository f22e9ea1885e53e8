"""The queue of conflicts: what it shows, and that settling reaches the ledger, the village's file and the log."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from datasette_plugins.hub.people import accounts_of
from tests.datasette_plugins.hub.township import A, B, Running, posted


def forms(page: str) -> list[dict[str, str]]:
    """The fields of every form that settles something, with the value it shows."""
    found = []
    for form in re.findall(r'<form class="way.*?</form>', page, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        shown = re.search(r'<p class="value">(.*?)</p>', form)
        found.append({**fields, "shown": unescape(shown[1]) if shown else ""})
    return found


def settle(client: httpx.Client, form: dict[str, str]) -> httpx.Response:
    return client.post("/-/queue", data={name: form[name] for name in form if name != "shown"})


def test_a_conflict_shows_both_values_who_wrote_them_and_where(township: Running) -> None:
    with township.client("reviewer") as client:
        page = client.get("/-/queue").text
    assert "赤家湾1号" in page
    assert "赤家湾2号" in page
    assert "王芳 · 清河镇" in page
    assert "李明 · 清河镇" in page
    assert "住址" in page
    assert "赤大0" in page


def test_settling_reaches_ledger_village_file_and_log(fresh: Running) -> None:
    record = fresh.ids[A][0]
    with fresh.client("reviewer") as client:
        chosen = next(form for form in forms(client.get("/-/queue").text) if form["shown"] == "赤家湾1号")
        assert settle(client, chosen).status_code == 302
        after = client.get("/-/queue").text
        assert "已处理" in after
        assert "赤家湾" not in after
        assert "碧家湾" in after
    row = fresh.station.projection.record("household", record)
    assert row is not None
    assert (row["address"], row["_status"]) == ("赤家湾1号", "ok")
    with fresh.client("cadre_a") as client:
        shown = client.get(f"/{A}/household/{record}.json?_shape=array").json()[0]
        assert (shown["address"], shown["_status"]) == ("赤家湾1号", "ok")
    assert fresh.station.history(record)[-1].author == "reviewer"
    noted = next(line for line in accounts_of(fresh.datasette).log() if line.action == "settle")
    assert (noted.account, noted.resource) == ("reviewer", f"household/{record}/address")


def test_settling_twice_says_that_it_was_settled(fresh: Running) -> None:
    with fresh.client("reviewer") as client:
        form = forms(client.get("/-/queue").text)[0]
        settle(client, form)
        before = fresh.station.journal.arrived()
        settle(client, form)
        assert "已经处理过" in client.get("/-/queue").text
    assert fresh.station.journal.arrived() == before


@pytest.mark.parametrize("name", ["leader", "cadre_a", ""])
def test_who_only_reads_cannot_settle(fresh: Running, name: str) -> None:
    with fresh.client("reviewer") as client:
        form = forms(client.get("/-/queue").text)[0]
    before = fresh.station.journal.arrived()
    with fresh.client(name) as client:
        page = client.get("/-/logout").text
        token = re.search(r'name="csrftoken" (?:value|content)="([^"]+)"', page)
        assert token is not None
        assert settle(client, {**form, "csrftoken": token[1]}).status_code in (302, 403)
    assert fresh.station.journal.arrived() == before


def test_settling_without_the_forms_token_is_refused(fresh: Running) -> None:
    with fresh.client("reviewer") as client:
        form = forms(client.get("/-/queue").text)[0]
        assert settle(client, {**form, "csrftoken": "made-up"}).status_code == 403
    assert len(fresh.station.conflicts()) == 3


def test_an_empty_queue_says_so(fresh: Running) -> None:
    for conflict in fresh.station.conflicts():
        fresh.station.settle(conflict, conflict.shown, author="王芳")
    with fresh.client("admin") as client:
        assert "没有待处理的冲突" in client.get("/-/queue").text


def test_the_home_page_points_at_what_waits_for_whom_it_concerns(township: Running) -> None:
    with township.client("reviewer") as client:
        page = client.get("/").text
    assert "填写不一致 3" in page
    assert "疑似重复" not in page  # there are none
    with township.client("leader_of_b") as client:
        page = client.get("/").text
    assert "填写不一致" not in page
    assert page.count("1 处待处理") == 1
    assert f'href="/{B}"' in page
    assert f'href="/{A}"' not in page


def test_who_settled_takes_it_back_and_the_conflict_is_open_again(fresh: Running) -> None:
    with fresh.client("reviewer") as client, fresh.client("admin") as admin:
        chosen = next(form for form in forms(client.get("/-/queue").text) if form["shown"] == "赤家湾1号")
        settle(client, chosen)
        admin.post("/-/queue", data=posted(admin, {"do": "undo"}))  # not the administrator's
        assert "没有可以撤销的处理" in admin.get("/-/queue").text
        assert len(fresh.station.conflicts()) == 2
        client.post("/-/queue", data=posted(client, {"do": "undo"}))
        page = client.get("/-/queue").text
        assert "已撤销" in page
        card = next(part for part in page.split("<section") if "赤家湾1号" in part)
        for words in ("赤家湾2号", "王芳 · 清河镇", "李明 · 清河镇"):  # who wrote them, not who took the decision back
            assert words in card
        assert "reviewer" not in card
        chosen = next(form for form in forms(page) if form["shown"] == "赤家湾2号")
        settle(client, chosen)
    record = fresh.station.projection.record("household", fresh.ids[A][0])
    assert record is not None
    assert (record["address"], record["_status"]) == ("赤家湾2号", "ok")
