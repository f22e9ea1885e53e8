"""`cunce join` and `cunce sync` as people and programs use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collect.cli import main
from collect.station import Station
from sync.identity import make_invitation, write_invitation
from tests.sync.township import EAST, MovableClock, make_hub, save


class Shell:
    """Runs `cunce` and keeps what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object, fails: int = 0) -> str:
        try:
            main([str(each) for each in arguments])
            status: Any = 0
        except SystemExit as stop:
            status = stop.code or 0
        said = self.capsys.readouterr()
        assert status == fails, said
        return said.out + said.err

    def json(self, *arguments: object, fails: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", fails=fails).splitlines()[0])


@pytest.fixture
def cunce(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A hub's folder, a joined laptop's, and a stick."""
    with make_hub(tmp_path / "hub") as hub:
        invitation = make_invitation(hub, "一号", [EAST[0]], "")
    (tmp_path / "一号.cunce-invite").write_text(write_invitation(invitation), encoding="utf-8")
    (tmp_path / "stick").mkdir()
    return tmp_path / "hub", tmp_path / "one", tmp_path / "stick"


def test_a_laptop_learns_who_works_on_it_when_it_joins(
    cunce: Shell, places: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    cunce("join", tmp_path / "一号.cunce-invite", "--station", places[1], "--author", "王建国")
    with Station.open(places[1], readonly=True) as station:
        assert (station.name, station.author) == ("一号", "王建国")


def test_a_whole_day_by_stick(cunce: Shell, places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    hub, one, stick = places
    said = cunce("join", tmp_path / "一号.cunce-invite", "--station", one)
    assert "“一号”" in said
    assert "东村" in said
    assert "请把" in cunce("sync", "run", "--station", one, "--folder", stick)
    assert "一号" in cunce("sync", "run", "--station", hub, "--folder", stick)
    assert "收到 1 个表单" in cunce("sync", "run", "--station", one, "--folder", stick)
    with Station.open(one) as station:
        save(station, head_name="张三")
    first = cunce.json("sync", "run", "--station", one, "--folder", stick)
    assert (first["sent"], first["waiting"], first["carried"]) == (1, 1, True)
    (file,) = stick.rglob("*-1-1.cunce")
    shown = cunce.json("sync", "inspect", file)
    assert (shown["kind"], shown["revisions"], list(shown["suffixes"].values())) == ("push", 1, [[1, 1]])
    assert "没有损坏" in cunce("sync", "inspect", file)
    attended = cunce.json("sync", "run", "--station", hub, "--folder", stick)
    assert (attended["received"], attended["stations"]) == (1, ["一号"])
    last = cunce.json("sync", "run", "--station", one, "--folder", stick)
    assert (last["confirmed"], last["waiting"], last["problems"]) == (1, 0, [])
    status = cunce.json("sync", "status", "--station", one)
    assert (status["hubs"][0]["sent"], status["hubs"][0]["waiting"]) == (1, 0)
    assert cunce.json("sync", "status", "--station", hub)["laptops"][0]["received"] == 1
    assert "青山镇" in cunce("sync", "status", "--station", one)
    assert "Laptop “一号” (joined)" in cunce("--lang", "en", "sync", "status", "--station", hub)


def test_nothing_a_user_can_do_wrong_shows_a_traceback(
    cunce: Shell, places: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    hub, one, stick = places
    Station.create(tmp_path / "alone", name="独自", clock=MovableClock()).close()
    assert "SYNC_HUB_NONE" in cunce("sync", "run", "--station", tmp_path / "alone", fails=1)
    cunce("sync", "run", "--station", hub, fails=2)
    cunce("join", tmp_path / "一号.cunce-invite", "--station", one)
    assert "SYNC_NO_ADDRESS" in cunce("sync", "run", "--station", one, fails=1)
    cunce("sync", "run", "--station", one, "--hub", "http://x", "--folder", stick, fails=2)
    assert "SYNC_FOLDER_MISSING" in cunce("sync", "run", "--station", one, "--folder", stick / "no", fails=1)
    (stick / "x.cunce").write_bytes(b"x")
    assert "SYNC_BUNDLE_FOREIGN" in cunce("sync", "inspect", stick / "x.cunce", fails=1)
    for wrong in (stick / "x.cunce", stick / "nothing", "http://127.0.0.1:9#short", "{}"):
        assert "[SYNC_INVITATION_" in cunce("join", wrong, "--station", tmp_path / "new", fails=1)
    assert not (tmp_path / "new").exists()


def test_a_refusal_ends_with_status_one(cunce: Shell, places: tuple[Path, Path, Path], tmp_path: Path) -> None:
    hub, one, stick = places
    cunce("join", tmp_path / "一号.cunce-invite", "--station", one)
    for station in (one, hub, one):
        cunce("sync", "run", "--station", station, "--folder", stick)
    with Station.open(one) as station:
        save(station, ("999999001003", "北村"))
    cunce("sync", "run", "--station", one, "--folder", stick)
    assert "SYNC_OUTSIDE_SCOPE" in cunce("sync", "run", "--station", hub, "--folder", stick, fails=1)
    assert "SYNC_OUTSIDE_SCOPE" in cunce("sync", "run", "--station", one, "--folder", stick, fails=1)
