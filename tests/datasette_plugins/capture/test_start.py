"""The start page over real HTTP requests: what to do next, progress, drafts, finding."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen

import httpx
import pytest
from uuid6 import uuid7

from collect.station import Station
from datasette_plugins import serving
from datasette_plugins.capture.practice import Practising
from forms.reader import load_shipped, shipped

VILLAGES = (("999999001001", "洗马塘村"), ("999999001002", "青石坡村"))
NOW = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)


class Clock:
    """A clock that goes on by a minute whenever it is looked at."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="一号", villages=VILLAGES, author="王建国", clock=Clock()) as made:
        made.add_forms(load_shipped(name) for name in shipped())
        for at, (name, group) in enumerate([("单雄信", "10组"), ("曾国庆", "2组"), ("仇英", "2组")]):
            people = [{"name": name, "sex": "male", "birth_date": "1949-12-31"}, {"name": f"{name}之子", "sex": "male"}]
            answers = {"village": VILLAGES[0][0], "head_name": name, "household_number": f"{at}", "group_name": group}
            made.save({**answers, "member": people}, "household", author="王建国")
        yield made


@pytest.fixture
def ask(station: Station) -> Iterator[Any]:
    datasette = serving.build(station, mode="laptop")

    def asked(path: str, **fields: str) -> str:
        async def run() -> str:
            transport = httpx.ASGITransport(app=datasette.app())
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                page = await client.get("/" if fields else path)
                if not fields:
                    return page.text
                token = page.text.partition('name="csrftoken" content="')[2].partition('"')[0]
                answer = await client.post(path, data={"csrftoken": token, **fields})
                return (await client.get(answer.headers["location"])).text

        return asyncio.run(run())

    yield asked
    serving.close(datasette)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_it_says_how_far_each_village_and_group_is(ask: Any, station: Station) -> None:
    page = words(ask("/"))
    assert "3 户 6 人" in page
    assert "2组 2 2 10组 1 1" in page
    (home,) = station.find("曾国庆", table="household")
    station.save(
        {"village": VILLAGES[0][0], "household": home.record, "started": "2026-03-02T09:00:00.000+08:00",
         "grid_worker": "张三"}, "visit",
        author="王建国",
    )  # fmt: skip
    page = words(ask("/"))
    assert "2组 2 1 10组 1 1" in page
    assert "1 户本月已走访" in page
    assert "张三 1" in page


def test_it_says_what_to_do_next_and_leads_there(ask: Any, station: Station) -> None:
    page = ask("/")
    for href in ("/-/visits", "/-/sync", "/-/care", "/-/list/household?status=errors"):
        assert f'href="{href}"' in page
    assert "cunce sync run" not in page
    (home,) = station.find("曾国庆", table="household")
    seen = station.opened("household", home.record)
    for phone in ("13812345678", "13912345678"):
        answers = {**seen.answers, "phone": phone}
        station.save(answers, "household", record=home.record, author="王建国", seen=seen.seen)
    assert 'href="/-/sync#conflicts"' in ask("/")


def test_a_draft_is_discarded_and_taken_back(ask: Any, station: Station) -> None:
    draft = str(uuid7())
    station.drafts.put(draft, "household", station.form("household").version, None, {"head_name": "赵六"}, title="赵六")
    assert "赵六" in ask("/")
    page = ask("/-/drafts", draft=draft, do="discard")
    assert station.drafts.list() == ()
    assert "草稿已丢弃" in page
    assert "赵六" in ask("/-/drafts", draft=draft, do="restore")
    assert len(station.drafts.list()) == 1


def test_hits_say_group_and_age_and_the_latest_comes_first(ask: Any, station: Station) -> None:
    found = words(ask("/-/capture/-/find?q=单雄信"))
    assert "76 岁" in found
    assert "10组" in found
    for name in ("仇英", "曾国庆"):
        (home,) = station.find(name, table="household")
        answers = {**station.answers("household", home.record), "phone": "13812345678"}
        station.save(answers, "household", record=home.record, author="王建国")
    assert [hit.label.split()[0] for hit in station.find("13812345678")] == ["曾国庆", "仇英"]
    lately = words(ask("/")).partition("刚存过的")[2]
    assert lately.index("曾国庆") < lately.index("仇英") < lately.index("单雄信")


def test_links_of_groups_ask_for_their_village_too(ask: Any) -> None:
    assert "f=village=999999001001&amp;f=group_name=10组" in unquote(ask("/"))


def test_a_practice_opens_beside_the_program_and_leaves_nothing() -> None:
    practising = Practising()
    try:
        address = practising.address()
        with urlopen(address) as answer:
            assert answer.status == 200
        assert practising.address().partition("token=")[0] == address.partition("token=")[0]
    finally:
        practising.end()
    with pytest.raises(OSError):  # noqa: PT011 (whatever way the system says that nobody answers)
        urlopen(address)
