"""What a laptop sends is checked again in the background; the page lists what breaks a rule, until it is mended."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.station import Station
from forms.reader import load_shipped
from sync import exchange
from sync.identity import make_invitation
from sync.joining import Joined, join, over_network
from tests.datasette_plugins.hub.test_cli import cunce
from tests.datasette_plugins.hub.township import A, Running


def checked(client: httpx.Client, words: str) -> str:
    """The page once it says these words; pushes are followed within seconds."""
    until = time.monotonic() + 20
    while words not in (page := client.get("/-/failing").text) and time.monotonic() < until:
        time.sleep(0.1)
    assert words in page
    return page


def send(folder: Path, joined: Joined, record: str | None, **answers: Any) -> str:
    with Station.open(folder) as laptop:
        given = {**(laptop.answers("household", record) if record else {"village": A}), **answers}
        saved = laptop.save(given, "household", record=record, author="李明")
        with over_network(laptop, joined.hub) as road:
            assert not exchange.run(laptop, road).problems
        return saved.record


def test_what_breaks_a_rule_is_listed_until_it_is_mended_on_the_laptop(fresh: Running, tmp_path: Path) -> None:
    joined = join(tmp_path / "laptop", make_invitation(fresh.station, "笔记本1", [A], fresh.url))
    record = send(tmp_path / "laptop", joined, None, head_name="赤电话", phone="12345")
    with fresh.client("reviewer") as client:
        page = checked(client, "赤电话")
        for words in ("12345", "联系电话", "李明 · 笔记本1", "红星村", "户情台账"):
            assert words in page
        assert "不合规则 " in client.get("/").text
        assert client.get(f"/township/household/{record}").status_code == 200
        send(tmp_path / "laptop", joined, record, phone="13912345678")
        until = time.monotonic() + 20
        while "赤电话" in client.get("/-/failing").text and time.monotonic() < until:
            time.sleep(0.1)
        assert "赤电话" not in client.get("/-/failing").text


def test_the_command_checks_all_and_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Station.create(tmp_path / "hub", name="镇", role="hub", villages={A: "红星村"}) as station:
        station.add_form(load_shipped("household"))
        station.save({"village": A, "head_name": "赤电话", "phone": "12345"}, "household", author="王芳")
    for arguments in ((), ("--all",)):
        status, out, _ = cunce(capsys, "hub", "recheck", *arguments, "--json", "--station", str(tmp_path / "hub"))
        told = json.loads(out)
        assert (status, told["records"]) == (0, 1)
        assert ("联系电话", "12345") in {(each["question"], each["value"]) for each in told["findings"]}
    status, out, _ = cunce(capsys, "hub", "recheck", "--station", str(tmp_path / "hub"))
    assert (status, "1 条记录不合规则" in out) == (0, True)
