"""A hub's keys kept and put back by somebody at a real terminal, who types passphrases that nobody sees."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from collect.accounts import Accounts
from sync.keys import keys_of, rotate_keys
from tests.sync.township import make_hub

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
SECRET = "三角梅开在山坡上"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    make_hub(tmp_path / "hub").close()
    return tmp_path / "hub"


def at_a_terminal(*arguments: str | Path, typed: tuple[str, ...], **environment: str) -> tuple[int, str]:
    """Run the command on a terminal, typing a line at every prompt; return its status and all that was shown."""
    import pty
    import select

    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"PYTHONUTF8": "1", "CUNCE_LANG": "zh", **environment})
        os.execv(sys.executable, [sys.executable, "-c", "from collect.cli import main; main()", *map(str, arguments)])
    shown, waiting, ends = "", list(typed), time.monotonic() + 60
    while time.monotonic() < ends:
        if not select.select([terminal], [], [], 0.2)[0]:
            if waiting and shown.rstrip().endswith(":"):
                os.write(terminal, f"{waiting.pop(0)}\n".encode())
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        shown += data.decode("utf-8", "replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return status, shown


def test_a_hub_whose_keys_were_lost_gets_them_back(hub: Path, tmp_path: Path) -> None:
    before = keys_of(hub, _station(hub)).current.public
    file = tmp_path / "备份.json"
    status, shown = at_a_terminal("hub", "keys", "backup", file, "--station", hub, typed=(SECRET, SECRET))
    assert status == 0, shown
    assert SECRET not in shown
    assert before.signing not in file.read_text(encoding="utf-8")
    assert SECRET not in file.read_text(encoding="utf-8")
    rotate_keys(hub, _station(hub))
    assert keys_of(hub, _station(hub)).current.public != before
    status, shown = at_a_terminal("hub", "keys", "restore", file, "--station", hub, typed=("不对的口令",))
    assert status == 1
    assert "COLLECT_KEYS_PASSPHRASE" in shown
    assert "Traceback" not in shown
    status, shown = at_a_terminal("hub", "keys", "restore", file, "--station", hub, typed=(SECRET,))
    assert status == 0, shown
    assert keys_of(hub, _station(hub)).current.public == before
    accounts = Accounts(hub)
    actions = [entry.action for entry in accounts.log()]
    accounts.close()
    assert "hub keys backed up" in actions
    assert "hub keys restored" in actions


def test_another_hubs_backup_is_refused(hub: Path, tmp_path: Path) -> None:
    make_hub(tmp_path / "other").close()
    file = tmp_path / "keys.json"
    assert at_a_terminal("hub", "keys", "backup", file, "--station", hub, typed=(SECRET, SECRET))[0] == 0
    status, shown = at_a_terminal("hub", "keys", "restore", file, "--station", tmp_path / "other", typed=(SECRET,))
    assert status == 1
    assert "SYNC_KEYS_OF_ANOTHER" in shown


def test_two_passphrases_that_differ_are_asked_for_again(hub: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    typed = (SECRET, "打错了", SECRET, SECRET)
    assert at_a_terminal("hub", "keys", "backup", file, "--station", hub, typed=typed)[0] == 0
    assert at_a_terminal("hub", "keys", "restore", file, "--station", hub, typed=(SECRET,))[0] == 0


def test_keys_locked_by_a_passphrase_are_asked_for_where_they_are_needed(tmp_path: Path) -> None:
    """The passphrase that locked the keys is not in the environment any more."""
    made = tmp_path / "made"
    make_hub(made).close()
    hub = tmp_path / "hub"
    shutil.copytree(made, hub)
    (hub / "keys.json").unlink(missing_ok=True)
    status, _ = at_a_terminal("hub", "keys", "show", "--station", hub, typed=(), CUNCE_PASSPHRASE=SECRET)
    assert status == 0
    assert json.loads((hub / "keys.json").read_text(encoding="utf-8"))["lock"]["by"] == "passphrase"
    status, shown = at_a_terminal("hub", "keys", "rotate", "--station", hub, typed=(SECRET,), CUNCE_PASSPHRASE="")
    assert status == 0, shown
    assert "口令" in shown
    assert SECRET not in shown
    status, shown = at_a_terminal("hub", "keys", "rotate", "--station", hub, typed=("不对",), CUNCE_PASSPHRASE="")
    assert status == 1
    assert "COLLECT_KEYS_PASSPHRASE" in shown
    assert "Traceback" not in shown


def _station(folder: Path) -> str:
    return str(json.loads((folder / "station.json").read_text(encoding="utf-8"))["id"])
