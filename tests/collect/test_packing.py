"""A form packed for ODK, its attached files out of a station or a folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from collect.packing import pack
from collect.station import Station
from forms.reader import load_shipped
from tests.collect.ledger_forms import VILLAGE, VILLAGES


def test_attached_ledgers_hold_what_the_form_reads_and_what_is_personal_is_named(tmp_path: Path) -> None:
    with Station.create(tmp_path / "a", name="a", villages=VILLAGES) as station:
        household = load_shipped("household")
        answers = {"village": VILLAGE, "head_name": "张三", "phone": "13900000000", "member": [{"name": "张大"}]}
        saved = station.save(answers, household, author="li")
        packed = pack(load_shipped("left_behind"), station=station)
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        files = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    assert set(files) == {
        "left_behind.xml", "left_behind-media/village.csv", "left_behind-media/household.csv",
        "left_behind-media/household_member.csv",
    }  # fmt: skip
    assert files["left_behind-media/household.csv"].splitlines()[0] == "name,label,village"
    assert saved.record in files["left_behind-media/household.csv"]
    assert "13900000000" not in "".join(files.values())
    assert "石桥村" in files["left_behind-media/village.csv"]
    warned = {problem.context["file"]: problem.context["columns"] for problem in packed.warnings}
    assert "label" in warned["household.csv"]
    assert "resident_id (sensitive)" in warned["household_member.csv"]
    assert {problem.code for problem in packed.warnings} == {"COLLECT_PACK_PERSONAL"}


def test_files_beside_the_form_are_taken_and_missing_ones_named(tmp_path: Path) -> None:
    (tmp_path / "village.csv").write_text("name,label\n1,石桥村\n", encoding="utf-8")
    packed = pack(load_shipped("visit"), folder=tmp_path)
    assert packed.files == {"village.csv": "name,label\n1,石桥村\n".encode()}
    assert [(problem.code, problem.place.name) for problem in packed.warnings] == [
        ("COLLECT_PACK_MISSING", "household.csv")
    ]
