from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collect.backup import BackupError, back_up, copies, restore
from collect.station import Station
from forms.clock import FixedClock
from tests.collect.ledger_forms import VILLAGE, VILLAGES, household

ANSWERS = {"village": VILLAGE, "head_name": "张三"}


def begun(folder: Path) -> str:
    with Station.create(folder, name="一号", villages=VILLAGES) as station:
        station.add_form(household())
        return station.save(ANSWERS, "household", author="甲").record


@pytest.mark.parametrize("passphrase", ["", "三个 词 口令"])
def test_a_copy_made_while_in_use_comes_back_whole(tmp_path: Path, passphrase: str) -> None:
    record = begun(tmp_path / "a")
    with Station.open(tmp_path / "a"):
        copied = back_up(tmp_path / "a", tmp_path / "stick", passphrase=passphrase)
    if passphrase:
        with pytest.raises(BackupError):
            restore(copied.path, tmp_path / "b", passphrase="错")
    restore(copied.path, tmp_path / "b", passphrase=passphrase)
    with Station.open(tmp_path / "b") as station:
        assert station.answers("household", record)["head_name"] == "张三"
        assert station.verify() == ()
        station.save({**ANSWERS, "head_name": "李四"}, "household", author="甲")
    assert (copied.path.read_bytes()[:2] == b"PK") is (passphrase == "")


def test_a_damaged_copy_changes_nothing(tmp_path: Path) -> None:
    begun(tmp_path / "a")
    plain = back_up(tmp_path / "a", tmp_path / "stick")
    plain.path.write_bytes(plain.path.read_bytes()[:-200])
    with pytest.raises(BackupError):
        restore(plain.path, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_folder_with_newer_data_is_not_overwritten_and_an_older_one_is_kept_aside(tmp_path: Path) -> None:
    begun(tmp_path / "a")
    copied = back_up(tmp_path / "a", tmp_path / "stick")
    done = restore(copied.path, tmp_path / "a")
    assert done.before is not None
    assert (done.before / "journal.db").exists()
    with Station.open(tmp_path / "a") as station:
        station.save({**ANSWERS, "head_name": "李四"}, "household", author="甲")
    with pytest.raises(BackupError) as caught:
        restore(copied.path, tmp_path / "a")
    assert [problem.code for problem in caught.value.problems] == ["COLLECT_RESTORE_NEWER"]


def test_only_the_last_copies_stay(tmp_path: Path) -> None:
    begun(tmp_path / "a")
    (tmp_path / "stick").mkdir()
    with Station.open(tmp_path / "a") as station:
        for second in range(3):
            (tmp_path / "stick" / f"cunce-{station.id}-20200101-00000{second}.zip").write_bytes(b"old")
    copied = back_up(tmp_path / "a", tmp_path / "stick", keep=2)
    assert len(list((tmp_path / "stick").iterdir())) == 2
    assert copied.path.exists()


def test_the_copies_in_a_folder_are_listed_newest_first_and_by_station(tmp_path: Path) -> None:
    begun(tmp_path / "a")
    begun(tmp_path / "b")
    stick = tmp_path / "stick"
    for day, folder, passphrase in ((1, "a", ""), (3, "a", "口令 三个 词"), (2, "b", "")):
        back_up(tmp_path / folder, stick, passphrase=passphrase, clock=FixedClock(datetime(2026, 3, day, tzinfo=UTC)))
    (stick / "别的.zip").write_bytes(b"PK")
    found = copies(stick)
    assert [(kept.at.day, kept.sealed) for kept in found] == [(3, True), (2, False), (1, False)]
    assert [kept.size for kept in found] == [kept.path.stat().st_size for kept in found]
    assert [kept.at.day for kept in copies(stick, found[0].station)] == [3, 1]
    assert copies(found[1].path) == found[1:2]
    assert copies(tmp_path / "nowhere") == ()
