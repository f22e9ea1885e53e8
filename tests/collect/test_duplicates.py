"""Suspected duplicates: found while typing and in the ledgers, by the columns that should tell records apart."""

from __future__ import annotations

from pathlib import Path

from collect.station import Station
from forms.reader import load_shipped

EAST, WEST = "999999001001", "999999001002"
PERSON = {"name": "张三", "birth_date": "1960-01-02"}


def test_the_same_person_and_household_number_are_suspected(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="一号", villages={EAST: "东村", WEST: "西村"}) as station:
        station.add_form(load_shipped("household"))
        answers = {"village": EAST, "household_number": "001", "head_name": "张三", "member": [PERSON]}
        first = station.save(answers, "household", author="甲").record
        assert station.duplicates() == ()
        assert not station.suspects("household", station.answers("household", first), record=first)
        found = station.suspects("household", answers)
        assert {(each.table, each.columns) for each in found} == {
            ("household", ("_village", "household_number")), ("household_member", ("name", "birth_date")),
        }  # fmt: skip
        assert {each.table for each in station.suspects("household", {**answers, "village": WEST})} == {
            "household_member"
        }
        second = station.save(answers, "household", author="乙").record
        assert {first, second} in [set(each.records) for each in station.duplicates()]
        assert len(station.duplicates()) == 2
        station.delete("household", second, author="乙")
        assert station.duplicates() == ()
