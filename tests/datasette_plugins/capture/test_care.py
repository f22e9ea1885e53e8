"""Import wizard, sync page and last saves over real HTTP requests."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from collect.station import Station, Village
from datasette_plugins import serving
from forms.reader import load_shipped

CSV = "户编号,户主姓名,姓名,与户主关系\n1,王芳,王芳,本人\n1,王芳,李强,丈夫\n2,赵六,赵六,怪人\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Any, Station]]:
    with Station.create(tmp_path / "a", name="一号", villages=[Village("999999001001", "前进村")]) as station:
        station.add_form(load_shipped("household"))
        datasette = serving.build(station, mode="laptop")
        yield datasette, station
        serving.close(datasette)


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> str:
    """Send a form as a browser does: with the page's token and cookie, following the answer; return the page."""
    page = await client.get(path if not path.endswith("settle") else "/-/sync")
    token = page.text.partition('name="csrftoken" content="')[2].partition('"')[0]
    answer = await client.post(path, data={"csrftoken": token, **fields})
    assert answer.status_code == 303, answer.text
    return (await client.get(answer.headers["location"])).text


async def finished(client: httpx.AsyncClient) -> None:
    until = time.monotonic() + 30
    while (await client.get("/-/capture/-/job")).json()["running"]:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


def asked(served: tuple[Any, Station], work: Any) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(app=served[0].app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await work(client)

    return asyncio.run(run())


def test_a_file_is_tried_imported_and_undone(served: tuple[Any, Station]) -> None:
    station = served[1]

    async def work(client: httpx.AsyncClient) -> None:
        headers = {"x-cunce": "capture", "x-name": quote("台账.csv")}
        answer = await client.post("/-/capture/-/upload", content=CSV.encode("gb18030"), headers=headers)
        path = answer.json()["next"]
        page = (await client.get(path)).text
        assert '<option value="member.relation" selected>' in page
        chosen = {"form": "household", "sheet": "台账"}
        await post(client, path, do="dry", **chosen)
        await finished(client)
        page = (await client.get(path)).text
        assert "新增 1" in page
        assert "怪人" in page
        assert not list(station.projection.rows("household"))
        await post(client, path, do="import", **chosen)
        await finished(client)
        page = (await client.get(path)).text
        assert "撤销这次导入" in page
        assert (await client.get(f"{path}/returned")).content[:2] == b"PK"
        assert len(list(station.projection.rows("household"))) == 1
        page = await post(client, "/-/saves")
        assert "已撤销" in page
        assert not list(station.projection.rows("household"))

    asked(served, work)


def test_headers_that_nobody_knows_are_matched_by_hand(served: tuple[Any, Station]) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        headers = {"x-cunce": "capture", "x-name": quote("登记.csv")}
        content = "编码,当家人\n7,王芳\n".encode()
        path = (await client.post("/-/capture/-/upload", content=content, headers=headers)).json()["next"]
        assert "当家人" in (await client.get(path)).text
        chosen = {"form": "household", "sheet": "登记", "h:编码": "household_number", "h:当家人": "head_name"}
        await post(client, path, do="import", **chosen)
        await finished(client)
        assert "新增 1" in (await client.get(path)).text

    asked(served, work)
    assert [row["head_name"] for row in served[1].projection.rows("household")] == ["王芳"]


def test_a_file_without_our_scripts_header_is_refused(served: tuple[Any, Station]) -> None:
    async def work(client: httpx.AsyncClient) -> int:
        return (await client.post("/-/capture/-/upload", content=b"x")).status_code

    assert asked(served, work) == 400


def test_without_a_hub_the_sync_page_asks_for_the_invitation_and_a_wrong_one_is_explained(
    served: tuple[Any, Station],
) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        await post(client, "/-/sync", invitation="http://127.0.0.1:1#ABCD-EFGH")
        await finished(client)
        page = (await client.get("/-/sync")).text
        assert "notice-error" in page
        assert "Traceback" not in page

    asked(served, work)


def test_conflicts_are_shown_and_settled_here(served: tuple[Any, Station], tmp_path: Path) -> None:
    station = served[1]
    answers = {"village": "999999001001", "head_name": "王芳", "household_number": "1"}
    record = station.save(answers, "household", author="甲").record
    with Station.create(tmp_path / "b", name="二号", villages=[Village("999999001001", "前进村")]) as other:
        other.add_form(load_shipped("household"))
        other.receive(station.journal.suffix(station.id, 0))
        changed = {**other.answers("household", record), "phone": "13800000002"}
        other.save(changed, "household", record=record, author="乙")
        station.save({**answers, "phone": "13800000001"}, "household", record=record, author="甲")
        station.receive(other.journal.suffix(other.id, 0))
    (conflict,) = station.conflicts()
    chosen = next(each for each in conflict.candidates if each.author == "乙")

    async def work(client: httpx.AsyncClient) -> None:
        page = (await client.get("/-/sync")).text
        assert "13800000002" in page
        assert "别的电脑" in page
        fields = {"table": "household", "record": record, "field": conflict.field, "revision": str(chosen.revision)}
        await post(client, "/-/sync/settle", **fields)

    asked(served, work)
    assert station.conflicts() == ()
    assert station.answers("household", record)["phone"] == "13800000002"


def test_settings_are_kept_and_a_backup_is_made_at_once(served: tuple[Any, Station], tmp_path: Path) -> None:
    async def work(client: httpx.AsyncClient) -> str:
        fields = {"author": "李志强", "folder": str(tmp_path / "stick"), "do": "backup"}
        await post(client, "/-/care", **fields)
        await finished(client)
        return (await client.get("/-/care")).text

    page = asked(served, work)
    assert "已备份并检查" in page
    assert served[1].author == "李志强"
    (copy,) = (tmp_path / "stick").glob("*.zip")
    assert copy.name in page
    shutil.rmtree(tmp_path / "stick")

    async def away(client: httpx.AsyncClient) -> str:
        return (await client.get("/-/care")).text

    assert "U盘没插？" in asked(served, away)


def test_the_guide_opens(served: tuple[Any, Station]) -> None:
    async def work(client: httpx.AsyncClient) -> str:
        return (await client.get("/-/guide")).text

    assert "Ctrl+Z" in asked(served, work)


def test_undo_goes_back_to_our_own_pages_only(served: tuple[Any, Station]) -> None:
    station = served[1]
    station.save({"village": "999999001001", "head_name": "赵六"}, "household", author="甲")

    async def work(client: httpx.AsyncClient) -> list[str]:
        token = (await client.get("/")).text.partition('name="csrftoken" content="')[2].partition('"')[0]
        found = []
        for back in ("//evil.example/", "https://evil.example/", "/-/list/household?f=a&redo=x"):
            answer = await client.post("/-/saves", data={"csrftoken": token, "back": back})
            found.append(answer.headers["location"])
        return found

    first, second, third = asked(served, work)
    assert (first, second) == ("/-/saves", "/-/saves")
    assert third == "/-/list/household?f=a"  # nothing more was there to undo, so nothing to redo
    assert not list(station.projection.rows("household"))
