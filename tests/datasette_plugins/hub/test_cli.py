"""`cunce hub` as people type it: making a hub, accounts, invitations, and serving until interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.accounts import Accounts
from collect.cli import main
from collect.station import Station
from sync.identity import read_invitation

VILLAGES = "999999001001=红星村,999999001002=向阳村"


def cunce(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command; returns exit status, what it printed, what it complained."""
    status = 0
    try:
        main(list(arguments))
    except SystemExit as stop:
        status = int(stop.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "hub"
    status, _, problem = cunce(
        capsys, "hub", "init", "--station", str(folder), "--name", "清河镇", "--code", "999999001",
        "--villages", VILLAGES, "--no-forms",
    )  # fmt: skip
    assert (status, problem) == (0, "")
    return folder


def test_a_hub_knows_its_township_and_villages(hub: Path) -> None:
    with Station.open(hub, readonly=True) as station:
        assert (station.role, station.name) == ("hub", "清河镇")
        assert station.township is not None
        assert station.township.code == "999999001"
        assert [village.name for village in station.villages] == ["红星村", "向阳村"]


def test_villages_come_from_a_csv_file_as_excel_saves_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "villages.csv"
    table.write_text("代码,名称\n999999001001,红星村\n999999001002,向阳村\n", encoding="utf-8-sig")
    status, out, _ = cunce(
        capsys, "hub", "init", "--station", str(tmp_path / "hub"), "--name", "清河镇", "--villages", str(table),
        "--no-forms", "--json",
    )  # fmt: skip
    assert status == 0
    assert json.loads(out)["villages"] == {"999999001001": "红星村", "999999001002": "向阳村"}


@pytest.mark.parametrize("villages", ["红星村", "999999001001=", "nowhere.csv", ","])
def test_villages_that_cannot_be_read_make_no_hub(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], villages: str
) -> None:
    status, _, problem = cunce(
        capsys, "hub", "init", "--station", str(tmp_path / "hub"), "--name", "清河镇", "--villages", villages
    )
    assert status == 2
    assert "代码=名称" in problem
    assert not (tmp_path / "hub").exists()


def test_a_generated_password_is_shown_once_and_works(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = cunce(
        capsys, "hub", "account", "add", "王芳", "--role", "cadre", "--villages", "999999001001", "--generate",
        "--station", str(hub),
    )  # fmt: skip
    password = re.search(r"密码：(\S+)", out)
    assert status == 0
    assert password is not None
    accounts = Accounts(hub)
    assert accounts.log_in("王芳", password[1], address="")
    assert [(line.action, line.resource) for line in accounts.log()] == [("account added", "王芳")]
    assert password[1] not in repr(accounts.log())
    accounts.close()
    assert password[1] not in cunce(capsys, "hub", "account", "list", "--station", str(hub))[1]


def test_accounts_are_listed_disabled_enabled_and_reset(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--station", str(hub))
    for name in ("admin", "second"):
        cunce(capsys, "hub", "account", "add", name, "--role", "administrator", "--generate", *at)
    assert cunce(capsys, "hub", "account", "disable", "second", *at)[0] == 0
    listed: list[dict[str, Any]] = json.loads(cunce(capsys, "hub", "account", "list", "--json", *at)[1])
    assert [(each["name"], each["disabled"]) for each in listed] == [("admin", False), ("second", True)]
    assert cunce(capsys, "hub", "account", "enable", "second", *at)[0] == 0
    told = json.loads(cunce(capsys, "hub", "account", "reset", "second", "--generate", "--json", *at)[1])
    accounts = Accounts(hub)
    assert accounts.log_in("second", told["password"], address="")
    accounts.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "wang", "--role", "cadre", "--generate"], "没有指定村"),
        (["add", "wang", "--role", "cadre", "--villages", "1,2", "--generate"], "代码为 1 的村"),
        (["disable", "nobody"], "没有账号"),
        (["reset", "nobody", "--generate"], "没有账号"),
    ],
)
def test_mistakes_are_said_in_words(
    hub: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    status, _, problem = cunce(capsys, "hub", "account", *arguments, "--station", str(hub))
    assert status == 1
    assert said in problem
    assert "Traceback" not in problem


def test_a_laptop_is_no_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Station.create(tmp_path / "laptop", name="笔记本1").close()
    for command in (["account", "list"], ["serve"]):
        status, _, problem = cunce(capsys, "hub", *command, "--station", str(tmp_path / "laptop"))
        assert status == 1
        assert "不是乡镇站点" in problem
    assert not (tmp_path / "laptop" / "accounts.db").exists()


def test_an_invitation_is_a_file_a_laptop_can_read(
    hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "laptop1.cunce-invite"
    status, out, _ = cunce(
        capsys, "hub", "invite", "--name", "笔记本1", "--villages", "999999001001", "--address", "http://10.0.0.2:8001",
        "-o", str(file), "--station", str(hub),
    )  # fmt: skip
    assert status == 0
    invitation = read_invitation(file)
    assert (invitation.name, dict(invitation.villages)) == ("笔记本1", {"999999001001": "红星村"})
    assert f"cunce join {invitation.text}" in out


def test_serving_says_where_and_stops_when_interrupted(hub: Path) -> None:
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    code = "from collect.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "hub", "serve", "--station", str(hub), "--port", "18800"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", creationflags=flags,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None
        until = time.monotonic() + 20
        while True:
            try:
                answer = httpx.get(f"{address[0]}/", timeout=5)
                break
            except httpx.TransportError:
                assert time.monotonic() < until
                time.sleep(0.1)
        assert (answer.status_code, answer.headers["location"]) == (302, "/-/login?next=%2F")
        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
        out, problem = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert "已停下" in out
    assert "还没有账号" in problem
    assert "Traceback" not in problem


def test_a_certificate_that_is_none_is_refused_before_anything_is_served(
    hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.pem").write_text("no certificate", encoding="utf-8")
    pem = str(tmp_path / "x.pem")
    status, out, err = cunce(capsys, "hub", "serve", "--station", str(hub), "--certificate", pem, "--key", pem)
    assert (status, out) == (1, "")
    assert err.count("[") - err.count("[SSL") == 1
    assert "[PLUGINS_CERTIFICATE]" in err


def test_villages_come_from_a_csv_file_as_chinese_excel_saves_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "villages.csv"
    table.write_text("代码,名称\n999999001001,红星村\n", encoding="gb18030")
    arguments = ("--station", str(tmp_path / "hub"), "--name", "清河镇", "--villages", str(table), "--no-forms")
    assert cunce(capsys, "hub", "init", *arguments)[0] == 0
    with Station.open(tmp_path / "hub", readonly=True) as station:
        assert [village.name for village in station.villages] == ["红星村"]
