"""What a receiver checks by column before anything is appended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collect.revision import Revision, RevisionId
from collect.saving import SaveError
from collect.station import Station
from collect.structure import MAX_NUMBER, MAX_TEXT, MOST, StructureError, check_structure, shapes_of
from forms.definition import Form
from forms.reader import load_shipped, read_rows, shipped
from tests.sync.township import EAST, household

FORMS = (household("1"), household("2"))
SHAPES = shapes_of(FORMS)
PARENT = "01930000-0000-7000-8000-000000000001"


def revision(seq: int = 1, **given: Any) -> Revision:
    """An honest new household, or what is changed about it."""
    about: dict[str, Any] = {
        "id": RevisionId("laptop", seq), "parents": (), "time": 1 << 50, "author": "张三", "save": "s1",
        "form": "household", "version": "1", "table": "household", "record": PARENT, "village": EAST[0],
        "changes": {"village": EAST[0], "head_name": "李四", "area": 120},
    }  # fmt: skip
    return Revision(**{**about, **given})


def member(**given: Any) -> Revision:
    about: dict[str, Any] = {"table": "household_member", "changes": {"_parent": PARENT, "name": "王五"}}
    return revision(**{**about, **given})


def faults(*revisions: Revision) -> dict[str, dict[str, Any]]:
    try:
        check_structure(revisions, SHAPES)
    except StructureError as error:
        for problem in error.problems:
            assert problem.words("zh")
            assert "{" not in problem.words("zh") + problem.words("en")
        return {problem.code.removeprefix("COLLECT_STRUCTURE_"): dict(problem.context) for problem in error.problems}
    return {}


@pytest.mark.parametrize(
    "honest",
    [
        revision(),
        revision(changes={}),
        revision(changes={"area": "很大"}),  # what people typed is kept as text
        revision(changes={"area": 2**80}),
        revision(changes={"area": 12.5, "head_name": None}),
        revision(version="2", changes={"note": "新", "phone": "13800000000"}),
        revision(changes={"note": "asked by a newer version of the form"}),
        revision(changes={"_deleted": True}, parents=(RevisionId("other", 3),)),
        member(changes={"_deleted": "parent"}, parents=(RevisionId("other", 3),)),
        member(),
        member(changes={}, erased="0" * 64),
        revision(changes={"_erased": "本人要求"}),
        revision(author="", save=""),
        revision(village="下洼子村"),
        revision(changes={"head_name": "长" * MAX_TEXT}),
    ],
)
def test_what_stations_write_passes(honest: Revision) -> None:
    assert faults(honest) == {}


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        (revision(form="nothing"), "FORM"),
        (revision(version="9"), "FORM"),
        (revision(table="sqlite_master"), "TABLE"),
        (revision(table="household_labels"), "TABLE"),
        (revision(changes={"salary": 1}), "NAME"),
        (revision(changes={'x" TEXT); DROP TABLE household; --': 1}), "NAME"),
        (revision(changes={"_rev": "laptop:1"}), "NAME"),
        (revision(changes={"_id": "other"}), "NAME"),
        (revision(changes={"head_name": True}), "TYPE"),
        (revision(changes={"_deleted": 1}), "TYPE"),
        (revision(changes={"_erased": None}), "TYPE"),
        (revision(changes={"head_name": "长" * (MAX_TEXT + 1)}), "LONG"),
        (revision(changes={"_parent": PARENT}), "PARENT"),
        (member(changes={"name": "孤"}), "PARENT"),
        (revision(village="../../x"), "HEAD"),
        (revision(village="a\\b"), "HEAD"),
        (revision(village=""), "HEAD"),
        (revision(record="x" * 201), "HEAD"),
        (revision(record="two\nlines"), "HEAD"),
        (revision(author="x" * 201), "HEAD"),
        (revision(time=MAX_NUMBER), "NUMBER"),
        (revision(id=RevisionId("laptop", MAX_NUMBER)), "NUMBER"),
        (revision(parents=(RevisionId("l" * 300, 1),), changes={}), "NUMBER"),
    ],
)
def test_what_no_station_writes_is_refused(forged: Revision, code: str) -> None:
    assert list(faults(revision(1), forged, revision(2))) == [code]


def test_everything_is_told_once_with_its_count_and_the_first() -> None:
    many = [revision(seq, changes={"salary": 1, "head_name": True}) for seq in range(1, 1001)]
    found = faults(revision(1), *many, member(seq=2000, village="a/b", changes={"name": "孤"}))
    assert set(found) == {"NAME", "TYPE", "PARENT", "HEAD"}
    assert (found["NAME"]["count"], found["NAME"]["name"]) == (1000, "salary")
    assert (found["TYPE"]["count"], found["PARENT"]["count"]) == (1000, 1)


def test_a_thousand_kinds_of_fault_make_no_endless_report() -> None:
    strange = revision(changes={f"field_{number}": "x" * 500 for number in range(1000)})
    with pytest.raises(StructureError) as caught:
        check_structure([strange], SHAPES)
    assert len(caught.value.problems) == MOST + 1
    assert caught.value.problems[-1].context == {"count": 1000 - MOST}


def test_places_are_text() -> None:
    survey = [
        {"type": "geopoint", "name": "at", "label": "位置"},
        {"type": "acknowledge", "name": "seen", "label": "见"},
    ]
    form = read_rows({"survey": survey, "settings": [{"form_id": "spot", "version": "1", "form_title": "点"}]})
    spot = revision(form="spot", table="spot", changes={"at": "27.1 115.2 0 0", "seen": "OK"})
    check_structure([spot], shapes_of([form]))
    with pytest.raises(StructureError):
        check_structure([replace(spot, changes={"at": 27.1})], shapes_of([form]))


def test_a_renamed_repeat_may_be_answered_by_all_its_versions_and_names(tmp_path: Path) -> None:
    def form(version: str, repeat: str, was: str, question: str) -> Form:
        survey = [
            {"type": "begin_repeat", "name": repeat, "label": "人", "ledger::was": was},
            {"type": "text", "name": question, "label": "问"},
            {"type": "end_repeat", "name": repeat},
        ]
        return read_rows({"survey": survey, "settings": [{"form_id": "f", "version": version, "form_title": "f"}]})

    with Station.create(tmp_path / "s", name="一号", villages=(EAST,)) as station:
        station.add_forms([form("1", "member", "", "nick"), form("2", "person", "member", "name")])
        shapes = station.shelf.shapes()
    for version, table, name in (("1", "f_member", "nick"), ("2", "f_person", "nick"), ("2", "f_person", "name")):
        row = revision(form="f", version=version, table=table, changes={"_parent": PARENT, name: "x"})
        check_structure([row], shapes)
    with pytest.raises(StructureError):
        check_structure([revision(form="f", version="2", table="f_person", changes={"_parent": "x", "z": 1})], shapes)


def test_every_shipped_form_has_shapes() -> None:
    shapes = shapes_of(load_shipped(name) for name in shipped())
    assert len(shapes.versions) == len(shipped())
    assert all(tables for tables in shapes.tables.values())


def test_a_station_saves_nothing_that_others_would_refuse(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="一号", villages=(EAST,)) as station:
        station.add_form(household())
        for answers in ({"village": "../x"}, {"village": EAST[0], "head_name": "长" * (MAX_TEXT + 1)}):
            with pytest.raises(SaveError) as caught:
                station.save(answers, "household", author="张三")
            assert caught.value.problems[0].code in ("COLLECT_STRUCTURE_HEAD", "COLLECT_STRUCTURE_LONG")
        with pytest.raises(SaveError):
            station.save({"village": EAST[0]}, "household", author="张" * 201)
        assert station.journal.arrived() == 0
