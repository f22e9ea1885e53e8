"""One record from words on a command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.entry import EntryError, add_record
from collect.settings import Village
from collect.station import Station
from forms.reader import load_shipped


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    villages = [Village("999999001001", "前进村")]
    with Station.create(tmp_path / "laptop", name="一号", villages=villages, author="李志强") as made:
        made.add_form(load_shipped("household"))
        yield made


def test_a_household_with_two_members(station: Station) -> None:
    words = ["village=999999001001", "head_name=王芳", "member[1].name=王芳", "member[2].name=李强"]
    saved = add_record(station, "household", words)
    answers = station.answers("household", saved.record)
    assert [member["name"] for member in answers["member"]] == ["王芳", "李强"]


def test_a_record_is_changed_where_it_is_named(station: Station) -> None:
    first = add_record(station, "household", ["village=999999001001", "head_name=王芳", "member[1].name=王芳"])
    again = add_record(station, "household", ["phone=13800138000"], record=first.record)
    assert (again.record, len(again.revisions)) == (first.record, 1)
    assert station.answers("household", first.record)["phone"] == "13800138000"


def test_every_fault_of_words_and_rules_at_once(station: Station) -> None:
    with pytest.raises(EntryError) as caught:
        add_record(station, "household", ["head_name", "nobody=1", "member[1].age_of=3", "phone=12", "farmland=-1"])
    codes = [problem.code for problem in caught.value.problems]
    assert codes.count("COLLECT_ADD_QUESTION") == 2
    assert codes.count("COLLECT_ADD_VALUE") == 1
    assert len(codes) >= 6  # the village and head that are missing, the phone, the negative area
    assert station.journal.held().get(station.id, 0) == 0
