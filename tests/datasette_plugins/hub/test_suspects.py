"""Suspected duplicates: side by side, within the viewer's villages, decided by those who may, and taken back."""

from __future__ import annotations

import re
from typing import Any

import httpx

from datasette_plugins.hub.people import accounts_of
from tests.datasette_plugins.hub.township import A, B, Running, posted

PERSON = {"relation": "02", "sex": "male", "birth_date": "1960-01-02"}


def household(village: str, mark: str, number: str, **answers: Any) -> dict[str, Any]:
    member = [{"name": f"{mark}同名", **PERSON}]
    return {"village": village, "household_number": number, "head_name": f"{mark}户主", "member": member, **answers}


def suspect(served: Running) -> tuple[str, str]:
    """Two households of one number in one village, whose members bear one name, and one person in two villages."""
    save = served.station.save
    one = save(household(A, "赤", "赤900", address="赤家湾7号"), "household", author="王芳").record
    two = save(household(A, "赤", "赤900", address="赤家湾8号"), "household", author="李明").record
    for village, number in ((A, "901"), (B, "902")):
        save(household(village, "黄", number), "household", author="王芳")
    return one, two


def pairs(page: str) -> list[dict[str, str]]:
    forms = re.findall(r'<form class="decisions".*?</form>', page, re.DOTALL)
    return [dict(re.findall(r'name="(table|one|other|csrftoken)" value="([^"]*)"', form)) for form in forms]


def decide(client: httpx.Client, table: str, do: str) -> str:
    found = next(pair for pair in pairs(client.get("/-/suspects").text) if pair["table"] == table)
    client.post("/-/suspects", data={**found, "do": do})
    return client.get("/-/suspects").text


def test_two_records_stand_side_by_side_with_what_is_alike_and_what_differs(fresh: Running) -> None:
    suspect(fresh)
    with fresh.client("reviewer") as client:
        page = client.get("/-/suspects").text
    assert "3 对" in page
    reasons = ("村、户编号相同", "姓名、出生日期相同")
    for words in (*reasons, "赤家湾7号", "赤家湾8号", "王芳", "李明", "赤同名", "黄同名"):
        assert words in page, words


def test_everybody_sees_the_pairs_of_their_own_villages_only_and_readers_decide_nothing(fresh: Running) -> None:
    suspect(fresh)
    for name, number in (("leader", 3), ("cadre_ab", 3), ("cadre_a", 2), ("leader_of_b", 0)):
        with fresh.client(name) as client:
            page = client.get("/-/suspects").text
            assert page.count("<section") == number, name
            assert (f"疑似重复 {number}" in client.get("/").text) == bool(number)
            assert "黄" not in page or number == 3
            assert not pairs(page)
            links = re.findall(r'href="(/[^"]+/household[^"]+)"', page)
            assert all(client.get(link).status_code == 200 for link in links), name
            fields = posted(client, {"do": "undo"})
            assert client.post("/-/suspects", data=fields).status_code == 403


def test_told_apart_merged_and_taken_back(fresh: Running) -> None:
    one, two = suspect(fresh)
    with fresh.client("reviewer") as client:
        assert "已记下：不是同一个" in (page := decide(client, "household", "apart"))
        assert len(pairs(page)) == 2
        client.post("/-/suspects", data=posted(client, {"do": "undo"}))
        assert "已撤销" in (page := client.get("/-/suspects").text)
        assert len(pairs(page)) == 3
        assert "已合并" in (page := decide(client, "household", "other"))
        assert fresh.station.projection.record("household", one) is None
        assert len(fresh.station.answers("household", two)["member"]) == 2
        with fresh.client("cadre_a") as cadre:
            assert cadre.get(f"/{A}/household/{one}").status_code == 404
        client.post("/-/suspects", data=posted(client, {"do": "undo"}))
        client.post("/-/suspects", data=posted(client, {"do": "undo"}))  # there is nothing more to take back
        assert "没有可以撤销的处理" in client.get("/-/suspects").text
    assert fresh.station.answers("household", one)["address"] == "赤家湾7号"
    actions = [line.action for line in accounts_of(fresh.datasette).log(account="reviewer") if line.detail.get("save")]
    assert actions == ["decision undone", "records merged", "decision undone", "records told apart"]


def test_a_pair_that_was_decided_meanwhile_is_said(fresh: Running) -> None:
    suspect(fresh)
    with fresh.client("reviewer") as client:
        found = next(pair for pair in pairs(client.get("/-/suspects").text) if pair["table"] == "household")
        decide(client, "household", "apart")
        before = fresh.station.journal.arrived()
        client.post("/-/suspects", data={**found, "do": "one"})
        assert "这一对已经处理过" in client.get("/-/suspects").text
    assert fresh.station.journal.arrived() == before


def test_without_suspicions_the_page_says_so(township: Running) -> None:
    with township.client("cadre_a") as client:
        assert "没有疑似重复" in client.get("/-/suspects").text
