"""Keys: kept under a lock, renewed by the old ones, backed up and put back; and hubs above hubs that vouch by them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from collect.keychain import Keychain, KeychainError
from collect.peers import Peers
from collect.station import Station
from sync.identity import make_invitation
from sync.joining import join
from sync.keys import back_up_keys, keys_of, new_pair, restore_keys, rotate_keys, succeeded
from sync.stick import attend
from tests.sync.township import (
    EAST,
    NORTH,
    WEST,
    Line,
    MovableClock,
    by_line,
    by_stick,
    ledger,
    make_hub,
    make_laptop,
    save,
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


def test_keys_are_made_once(tmp_path: Path) -> None:
    first = keys_of(tmp_path, "me")
    assert keys_of(tmp_path, "me") == first
    assert Keychain(tmp_path).lock == "rights", "no keyring, no passphrase"
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_a_passphrase_locks_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNCE_PASSPHRASE", "山高路远")
    made = keys_of(tmp_path, "me")
    text = (tmp_path / "keys.json").read_text(encoding="utf-8")
    assert made.current.sealing not in text
    assert made.current.signing not in text
    assert keys_of(tmp_path, "me") == made
    monkeypatch.setenv("CUNCE_PASSPHRASE", "wrong")
    with pytest.raises(KeychainError) as caught:
        keys_of(tmp_path, "me")
    assert caught.value.code == "COLLECT_KEYS_PASSPHRASE"
    monkeypatch.delenv("CUNCE_PASSPHRASE")
    assert Keychain(tmp_path).locked
    with pytest.raises(KeychainError) as caught:
        keys_of(tmp_path, "me")
    assert caught.value.code == "COLLECT_KEYS_LOCKED"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"lock":{"by":"x"}}', '{"lock":{"by":"rights"},"keys":{}}', "[" * 9999]
)
def test_a_damaged_file_of_keys_is_said_to_be_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text, encoding="utf-8")
    with pytest.raises(KeychainError) as caught:
        keys_of(tmp_path, "me")
    assert caught.value.code == "COLLECT_KEYS_FAULTY"


def test_a_backup_needs_its_passphrase_and_its_station(tmp_path: Path) -> None:
    old = keys_of(tmp_path, "me")
    back_up_keys(tmp_path, "me", "山高路远", tmp_path / "backup")
    assert old.current.signing not in (tmp_path / "backup").read_text(encoding="utf-8")
    (tmp_path / "keys.json").unlink()
    other = keys_of(tmp_path, "me")
    for station, phrase, code in (("me", "x", "COLLECT_KEYS_PASSPHRASE"), ("you", "山高路远", "SYNC_KEYS_OF_ANOTHER")):
        with pytest.raises(KeychainError) as caught:
            restore_keys(tmp_path, station, phrase, tmp_path / "backup")
        assert caught.value.code == code
    restored = restore_keys(tmp_path, "me", "山高路远", tmp_path / "backup")
    assert (restored.current, restored.former) == (old.current, (other.current,))
    assert keys_of(tmp_path, "me") == restored
    dear = json.loads((tmp_path / "backup").read_text(encoding="utf-8"))
    dear["lock"]["memory"] = 1 << 40
    (tmp_path / "backup").write_text(json.dumps(dear), encoding="utf-8")
    with pytest.raises(KeychainError):
        restore_keys(tmp_path, "me", "山高路远", tmp_path / "backup")


def test_new_keys_follow_only_by_the_signature_of_the_old(tmp_path: Path) -> None:
    first = keys_of(tmp_path, "me").current.public
    for _ in range(2):
        now = rotate_keys(tmp_path, "me")
    assert succeeded(first, now.successions, "me")[-1] == now.current.public
    assert succeeded(first, now.successions, "you") == (first,)
    assert succeeded(new_pair().public, now.successions, "me")[1:] == ()


@pytest.mark.parametrize("road", ["network", "stick"])
def test_both_ends_learn_new_keys(tmp_path: Path, hub: Station, road: str) -> None:
    (tmp_path / "stick").mkdir()

    def meet() -> None:
        if road == "network":
            assert by_line(laptop, Line(hub)).problems == []
            return
        for _ in range(2):
            assert by_stick(laptop, tmp_path / "stick").problems == []
            assert attend(hub, tmp_path / "stick").problems == []
        by_stick(laptop, tmp_path / "stick")

    with make_laptop(tmp_path / "laptop", hub, "一号", EAST) as laptop:
        meet()
        rotate_keys(laptop.folder, laptop.id)
        meet()
        with closing(Peers(hub.folder)) as peers:
            assert peers.peers()[0].keys == keys_of(laptop.folder, laptop.id).current.public, "with nothing else to say"
        rotate_keys(hub.folder, hub.id)
        save(laptop, head_name="张三")
        meet()
        with closing(Peers(laptop.folder)) as peers:
            assert peers.hubs()[0].keys == keys_of(hub.folder, hub.id).current.public
        rotate_keys(laptop.folder, laptop.id)
        save(laptop, head_name="李四")
        meet()
        assert ledger(hub) == ledger(laptop)
        assert len(ledger(hub)) == 2


@pytest.mark.parametrize("road", ["network", "stick"])
def test_a_township_exchanges_with_its_county_as_a_laptop_does(tmp_path: Path, road: str) -> None:
    with ExitStack() as opened:
        county = opened.enter_context(make_hub(tmp_path / "county"))
        towns = [opened.enter_context(make_hub(tmp_path / name, villages=places))
                 for name, places in (("green", (EAST, WEST)), ("blue", (EAST, NORTH)))]  # fmt: skip
        for town in towns:
            scope = [village.code for village in town.villages]
            join(town.folder, make_invitation(county, town.name, scope, "", vouches=True), clock=MovableClock())
        one = opened.enter_context(make_laptop(tmp_path / "one", towns[0], "一号", EAST, WEST))
        two = opened.enter_context(make_laptop(tmp_path / "two", towns[1], "二号", EAST, NORTH))
        (tmp_path / "stick").mkdir()

        def meet(below: Station, above: Station) -> None:
            if road == "network":
                assert by_line(below, Line(above)).problems == []
                return
            for _ in range(2):
                assert by_stick(below, tmp_path / "stick").problems == []
                assert attend(above, tmp_path / "stick").problems == []
            by_stick(below, tmp_path / "stick")

        for _ in range(2):
            for below, above in ((one, towns[0]), (two, towns[1]), (towns[0], county), (towns[1], county)):
                meet(below, above)
        shared = save(one, EAST, head_name="张三")
        west = save(one, WEST, head_name="西")
        north = save(two, NORTH, head_name="北")
        save(towns[0], WEST, head_name="镇里录的")
        for _ in range(2):
            for below, above in ((one, towns[0]), (towns[0], county), (two, towns[1]), (towns[1], county)):
                meet(below, above)
        meet(two, towns[1])
        assert {shared, west, north} <= set(ledger(county))
        assert len(ledger(county)) == 4
        assert set(ledger(two)) == {shared, north}
        assert north not in ledger(towns[0])
        writers = {one.id, two.id, towns[0].id}
        assert set(county.journal.held()) == writers
        assert county.journal.of_record(shared)[0].id.station == one.id, "number, author and chain are the laptop's"
        assert all(not station.verify() for station in (county, *towns, one, two))
        before = county.journal.arrived()
        for below, above in ((towns[0], county), (towns[1], county), (towns[0], county)):
            meet(below, above)
        assert county.journal.arrived() == before, "nothing goes round"
        assert [village.code for village in towns[0].villages] == [EAST[0], WEST[0]]


class FileKeyring(KeyringBackend):
    """A keyring that keeps its passwords in a file, as a system's would in its own place."""

    priority = 1.0

    def __init__(self, file: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.file = file

    def _all(self) -> dict[str, str]:
        return dict(json.loads(self.file.read_text(encoding="utf-8"))) if self.file.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.file.write_text(json.dumps({**self._all(), f"{service} {username}": password}), encoding="utf-8")

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def test_a_systems_keyring_locks_them_where_there_is_one(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring(tmp_path / "ring"))
    try:
        made = keys_of(tmp_path, "me")
        assert Keychain(tmp_path).lock == "keyring"
        assert made.current.signing not in (tmp_path / "keys.json").read_text(encoding="utf-8")
        assert keys_of(tmp_path, "me") == made
        (tmp_path / "ring").unlink()
        with pytest.raises(KeychainError) as caught:
            keys_of(tmp_path, "me")
        assert caught.value.code == "COLLECT_KEYS_KEYRING"
    finally:
        keyring.set_keyring(before)
