"""A form that saves to another ledger: its records are created and updated with the same press."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collect.station import Saved, Station
from forms.instance import Instance
from forms.program import compile_form
from forms.reader import read_rows
from tests.collect.ledger_forms import OTHER_VILLAGE, VILLAGE, VILLAGES, household

SETTINGS = ({"form_id": "checkup", "version": "1"},)
CHECKUP = read_rows(
    {
        "survey": (
            {"type": "select_one_from_file household.csv", "name": "which", "label": "户"},
            {"type": "text", "name": "head", "label": "户主", "save_to": "head_name"},
            {"type": "text", "name": "tel", "label": "电话", "save_to": "phone"},
            {"type": "text", "name": "why", "label": "原因", "relevant": "${tel} = '1'", "save_to": "group_name"},
            {"type": "text", "name": "more", "label": "其他", "save_to": "no_such_column"},
        ),
        "entities": (
            {
                "list_name": "household", "label": "${head}", "entity_id": "${which}",
                "create_if": "${which} = ''", "update_if": "${which} != ''",
            },
        ),
        "settings": SETTINGS,
    }
)  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="a", villages=VILLAGES) as found:
        found.add_form(household())
        found.add_form(CHECKUP)
        yield found


def check(station: Station, record: str | None = None, **answers: Any) -> Saved:
    given = {**answers, **({"_id": record} if record else {})}
    return station.save(given, CHECKUP, author="li", village=VILLAGE)


def households(station: Station) -> list[dict[str, Any]]:
    return [station.answers("household", row["_id"]) for row in station.projection.rows("household")]


def test_a_record_is_created_with_the_same_press(station: Station) -> None:
    saved = check(station, head="张三", tel="2")
    (made,) = households(station)
    assert (made["head_name"], made["phone"]) == ("张三", "2")
    assert "group_name" not in made
    assert {revision.table for revision in saved.revisions} == {"checkup", "household"}
    assert len({revision.save for revision in saved.revisions}) == 1
    assert station.opened("household", made["_id"]).village == VILLAGE
    assert station.verify() == ()


def test_saving_again_changes_the_record_it_made_and_makes_no_second(station: Station) -> None:
    saved = check(station, head="张三", tel="2")
    check(station, saved.record, head="张三丰", tel="2")
    (made,) = households(station)
    assert (made["head_name"], made["phone"]) == ("张三丰", "2")


def test_saving_again_leaves_what_others_changed_since(station: Station) -> None:
    saved = check(station, head="张三", tel="2")
    (made,) = households(station)
    station.save({**made, "phone": "9", "village": VILLAGE}, household(), record=made["_id"], author="wang")
    check(station, saved.record, head="张三丰", tel="2")
    assert households(station)[0]["phone"] == "9"
    assert check(station, saved.record, head="张三丰", tel="2").revisions == ()


def test_a_record_is_updated_with_its_rows_left_alone(station: Station) -> None:
    given = {"village": OTHER_VILLAGE, "head_name": "李四", "phone": "1", "group_name": "二组"}
    known = station.save({**given, "member": [{"name": "李大"}]}, household(), author="li").record
    check(station, which=known, tel="7")
    (found,) = households(station)
    assert "head_name" not in found, "shown and left empty: cleared"
    assert (found["phone"], found["group_name"], found["member"][0]["name"]) == ("7", "二组", "李大")
    assert station.opened("household", known).village == OTHER_VILLAGE
    assert station.conflicts() == ()


def test_a_filled_in_form_saves_its_entities_too(station: Station) -> None:
    instance = Instance.new(compile_form(CHECKUP), attachments=station.attachments, clock=station.clock)
    instance.set("/data/head", "王五")
    saved = station.save(instance, CHECKUP, author="li", village=VILLAGE)
    (made,) = households(station)
    assert made["_id"] == instance.entities()[0].id != saved.record


def test_import_saves_entities_as_well(station: Station) -> None:
    station.save_many([(CHECKUP, {"head": f"户{n}"}, VILLAGE) for n in range(3)], author="li")
    assert sorted(each["head_name"] for each in households(station)) == ["户0", "户1", "户2"]


def test_what_cannot_be_saved_is_a_warning_and_the_record_is_saved(station: Station, tmp_path: Path) -> None:
    saved = check(station, head="张三", more="x")
    assert [problem.code for problem in saved.warnings] == ["COLLECT_ENTITY_NO_COLUMN"]
    nobody = check(station, which="nobody", tel="1")
    assert [problem.code for problem in nobody.warnings] == ["COLLECT_ENTITY_NO_RECORD"]
    assert all(problem.words(language) for problem in nobody.warnings for language in ("zh", "en"))
    with Station.create(tmp_path / "b", name="b", villages=VILLAGES) as other:
        found = check(other, head="张三")
        assert [problem.code for problem in found.warnings] == ["COLLECT_ENTITY_NO_LEDGER"]
        assert other.answers("checkup", found.record)["head"] == "张三"
