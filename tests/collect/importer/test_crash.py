"""An import and a restore that are killed in the middle: nothing half, and doing it again finishes the work."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from collect.backup import back_up, restore
from collect.importer.ledger import import_ledger
from collect.station import Station

_ROWS = 1500
_IMPORT = (
    "import sys; from pathlib import Path; from collect.station import Station;"
    "from collect.importer.ledger import import_ledger;"
    "import_ledger(Station.open(Path(sys.argv[1])), 'household', Path(sys.argv[2]), author='甲',"
    " progress=lambda done, total: print(done, flush=True))"
)
_RESTORE = (
    "import sys; from pathlib import Path; from collect.backup import restore;"
    "restore(Path(sys.argv[1]), Path(sys.argv[2])); print('done')"
)


def test_a_killed_import_leaves_whole_batches_and_goes_on(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "台账.csv"
    lines = ["户编号,户主姓名,姓名,与户主关系", *(f"{n},王{n},王{n},本人" for n in range(_ROWS))]
    path.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-c", _IMPORT, str(station.folder), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        for line in killed.stdout:
            if int(line) >= 700:
                break
        killed.kill()
    station.projection.catch_up()
    before = len(list(station.projection.rows("household")))
    assert before % 500 == 0

    result = import_ledger(station, "household", path, author="甲")

    assert (result.created, result.unchanged) == (_ROWS - before, before)
    assert len(list(station.projection.rows("household"))) == _ROWS
    assert station.verify() == ()


def test_a_killed_restore_can_be_done_again(station: Station, tmp_path: Path) -> None:
    answers = {"village": "999999001001", "head_name": "王芳", "household_number": "1"}
    record = station.save(answers, "household", author="甲").record
    copied = back_up(station.folder, tmp_path / "stick")
    target = tmp_path / "back"
    for wait in (0.25, 0.3, 0.35, 0.4):
        with subprocess.Popen([sys.executable, "-c", _RESTORE, str(copied.path), str(target)]) as killed:
            time.sleep(wait)
            killed.kill()
        if (target / "station.json").exists():
            with Station.open(target) as whole:
                assert whole.verify() == ()
    restore(copied.path, target)
    with Station.open(target) as back:
        assert back.answers("household", record)["head_name"] == "王芳"
