"""The first page of a new folder over real HTTP: joins, restores and refuses as the commands do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from collect.backup import back_up
from collect.station import Station
from datasette_plugins.capture.gate import ENTER
from datasette_plugins.capture.welcome import Welcome, is_new
from forms.reader import load_shipped
from sync.identity import make_invitation, write_invitation

VILLAGES = (("999999001001", "洗马塘村"),)
PASSPHRASE = "三个 词 口令"


def asked(welcome: Welcome, work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(app=welcome.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
            client.cookies.update(welcome.door.cookie())
            return await work(client)

    return asyncio.run(run())


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> str:
    page = await client.get("/")
    (token,) = set(re.findall(r'name="token" value="([^"]+)"', page.text))
    return (await client.post(path, data={"token": token, **fields})).text


def closed(folder: Path) -> Welcome:
    welcome = Welcome(folder)
    welcome.door.issue()
    return welcome


def backed_up(folder: Path, stick: Path) -> Path:
    with Station.create(folder, name="一号", villages=VILLAGES, author="王建国") as station:
        station.add_form(load_shipped("household"))
        station.save({"village": VILLAGES[0][0], "head_name": "赵六"}, "household", author="王建国")
    return back_up(folder, stick, passphrase=PASSPHRASE).path


def test_a_backup_is_found_refused_for_a_wrong_passphrase_and_restored(tmp_path: Path) -> None:
    copy, stick = backed_up(tmp_path / "a", tmp_path / "stick"), str(tmp_path / "stick")
    welcome = closed(tmp_path / "new")

    async def work(client: httpx.AsyncClient) -> tuple[str, str, str, str]:
        return (
            (await client.get("/", params={"from": stick})).text,
            (await client.get("/", params={"from": str(tmp_path)})).text,
            await post(client, "/restore", **{"from": stick}, file=str(copy), passphrase="错"),
            await post(client, "/restore", **{"from": stick}, file=str(copy), passphrase=PASSPHRASE),
        )

    found, none, wrong, done = asked(welcome, work)
    assert copy.name in found
    assert "有口令" in found
    assert "没有找到村册的备份" in none
    assert "COLLECT_BACKUP_PASSPHRASE" in wrong
    assert copy.name in wrong
    assert "已恢复“一号”" in done
    assert f"{ENTER}?token={welcome.onward}" in done
    with Station.open(tmp_path / "new") as station:
        assert [row["head_name"] for row in station.projection.rows("household")] == ["赵六"]


def test_what_is_no_backup_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_bytes(b"PK")
    welcome = closed(tmp_path / "new")
    for file, code in ((tmp_path / "notes.zip", "COLLECT_BACKUP_FAULTY"), (tmp_path / "gone.zip", "notice-error")):
        page = asked(welcome, lambda client, file=file: post(client, "/restore", file=str(file)))
        assert code in page, file
    assert welcome.onward == ""
    assert is_new(tmp_path / "new")


def test_an_invitation_joins_even_where_the_hub_is_not_there(tmp_path: Path) -> None:
    with Station.create(tmp_path / "hub", name="清溪镇", role="hub", villages=VILLAGES) as hub:
        hub.add_form(load_shipped("household"))
        invitation = make_invitation(hub, name="3 号", villages=["999999001001"], address="http://127.0.0.1:1")
    welcome = closed(tmp_path / "new")

    async def work(client: httpx.AsyncClient) -> tuple[str, str]:
        wrong = await post(client, "/join", invitation="不是邀请")
        return wrong, await post(client, "/join", invitation=write_invitation(invitation), author="李志强")

    wrong, done = asked(welcome, work)
    assert "SYNC_INVITATION" in wrong
    assert "不是邀请" in wrong
    assert "已加入“清溪镇”" in done
    assert 'http-equiv="refresh"' not in done  # there is something to read: the hub was not reached
    with Station.open(tmp_path / "new") as station:
        assert station.author == "李志强"
        assert [village.code for village in station.villages] == ["999999001001"]


def test_nobody_gets_in_without_the_cookie_the_form_or_from_another_host(tmp_path: Path) -> None:
    copy = backed_up(tmp_path / "a", tmp_path / "stick")
    welcome = closed(tmp_path / "new")

    async def work(client: httpx.AsyncClient) -> list[int]:
        forged = await client.post("/restore", data={"file": str(copy), "passphrase": PASSPHRASE})
        rebound = await client.get("/", headers={"host": "evil.example"})
        client.cookies.clear()
        return [forged.status_code, rebound.status_code, (await client.get("/")).status_code]

    assert asked(welcome, work) == [403, 403, 403]
    assert is_new(tmp_path / "new")
