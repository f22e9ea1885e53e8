"""Suspected duplicates on a laptop over real HTTP requests: from the start page, decided, merged by choice, undone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.station import Station
from datasette_plugins import serving
from forms.reader import load_shipped

VILLAGE = "999999001001"


def home(station: Station, number: str, head: str, **answers: Any) -> str:
    people = [{"name": head, "sex": "male"}]
    given = {"village": VILLAGE, "household_number": number, "head_name": head, "member": people, **answers}
    return station.save(given, "household", author="王建国").record


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="一号", villages=((VILLAGE, "洗马塘村"),), author="王建国") as made:
        made.add_forms(load_shipped(name) for name in ("household", "visit"))
        yield made


@pytest.fixture
def ask(station: Station) -> Iterator[Any]:
    """Get a page, or send a form and return the page that its answer leads to."""
    datasette = serving.build(station, mode="laptop")

    def asked(path: str, **fields: str) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=datasette.app())
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                page = await client.get("/" if fields else path)
                if not fields:
                    return page
                token = page.text.partition('name="csrftoken" content="')[2].partition('"')[0]
                answer = await client.post(path, data={"csrftoken": token, **fields})
                return await client.get(answer.headers["location"])

        return asyncio.run(run())

    yield asked
    serving.close(datasette)


def hidden(page: str) -> dict[str, str]:
    """What the last form of decisions, and the undo, would send."""
    return dict(re.findall(r'type="hidden" name="(table|one|other|save|chosen)" value="([^"]*)"', page))


def test_the_start_page_leads_to_the_pair_which_is_merged_and_taken_back(ask: Any, station: Station) -> None:
    one = home(station, "900", "赵六", address="赵家湾7号")
    assert "疑似重复" not in ask("/").text
    two = home(station, "900", "赵陆", address="赵家湾8号")
    assert re.search(r'href="/-/suspects"><span class="tag tag-warning">1<', ask("/").text)
    page = ask("/-/suspects").text
    pages = (f'href="/-/household/{one}"', f'href="/-/household/{two}"')
    for said in ("1 对", "村、户编号相同", "赵家湾7号", "赵家湾8号", *pages):
        assert said in page, said
    page = ask("/-/suspects", **hidden(page), do="one").text
    assert "已合并" in page
    assert "没有疑似重复" in page
    assert station.projection.record("household", two) is None
    assert "疑似重复" not in ask("/").text
    page = ask("/-/suspects", **hidden(page), do="undo").text
    assert "已撤销" in page
    assert station.answers("household", two)["address"] == "赵家湾8号"
    assert "1 对" in page


def test_a_pair_told_apart_is_suspected_no_more_and_a_second_decision_changes_nothing(
    ask: Any, station: Station
) -> None:
    home(station, "900", "赵六"), home(station, "900", "赵陆")
    fields = hidden(ask("/-/suspects").text)
    assert "已记下：不是同一个" in ask("/-/suspects", **fields, do="apart").text
    before = station.journal.arrived()
    assert "这一对已经处理过" in ask("/-/suspects", **fields, do="one").text
    assert station.journal.arrived() == before


def test_a_household_is_merged_with_one_that_was_searched_for(ask: Any, station: Station) -> None:
    one, two = home(station, "1", "赵六", phone="13812340001"), home(station, "2", "欧阳买买提")
    assert f"/-/household/{one}/same" in ask(f"/-/household/{one}").text
    assert "没有找到" in ask(f"/-/household/{one}/same?q=查无此人").text
    assert f'value="{two}"' in ask(f"/-/household/{one}/same?q=欧阳").text
    page = ask(f"/-/household/{one}/same?q=欧阳&other={two}").text
    assert "13812340001" in page
    assert "不是同一个" not in page
    page = ask("/-/suspects", **hidden(page), do="one")
    assert page.url.path == f"/-/household/{one}"
    assert "欧阳买买提" in page.text
    assert "撤销" in page.text
    assert len(station.answers("household", one)["member"]) == 2
    saved = hidden(page.text)["save"]
    ask("/-/household/-/undo", save=saved, back=f"/-/household/{one}")
    assert station.answers("household", two)["head_name"] == "欧阳买买提"


def test_households_that_are_not_there_are_no_page_and_merge_nothing(ask: Any, station: Station) -> None:
    one = home(station, "1", "赵六")
    assert ask("/-/household/nobody/same").status_code == 404
    assert ask(f"/-/household/{one}/same?other=nobody").status_code == 404
    before = station.journal.arrived()
    for other in ("nobody", one):
        page = ask("/-/suspects", table="household", one=one, other=other, chosen="1", do="one").text
        assert "notice-error" in page, other
    assert station.journal.arrived() == before
