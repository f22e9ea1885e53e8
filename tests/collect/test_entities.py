"""A form that saves to another ledger: its records are created and updated with the same press."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from collect.packing import pack
from collect.station import Saved, Station
from forms.definition import Form
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


def entity(station: Station, form: Form = CHECKUP, **answers: str) -> dict[str, str]:
    """The attributes of the entity in the XML of a filled-in form."""
    instance = Instance.new(compile_form(form), attachments=station.attachments, clock=station.clock)
    for name, value in answers.items():
        instance.set(f"/data/{name}", value)
    found = etree.fromstring(instance.xml()).find("meta/entity")
    assert found is not None
    return {str(name): str(value) for name, value in found.attrib.items()}


def test_an_update_names_the_version_that_it_is_based_on(station: Station) -> None:
    known = station.save({"village": VILLAGE, "head_name": "李四"}, household(), author="li").record
    first = entity(station, which=known, tel="7")
    assert (first["id"], first["update"], first["baseVersion"], first["trunkVersion"]) == (known, "1", "1", "1")
    check(station, which=known, tel="7")
    check(station, which=known, tel="8", head="李四")
    later = entity(station, which=known, tel="9")
    assert (later["baseVersion"], later["trunkVersion"]) == ("3", "3")
    assert entity(station, which=known, tel="1")["branchId"] == later["branchId"] != first["branchId"]


def test_a_new_record_has_no_version_to_be_based_on(station: Station) -> None:
    assert entity(station, head="张三").keys() == {"dataset", "id", "create"}
    assert entity(station, which="nobody").keys() == {"dataset", "id", "update"}


UPSERT = read_rows(
    {
        "survey": ({"type": "text", "name": "which", "label": "户"},
                   {"type": "text", "name": "head", "label": "户主", "save_to": "head_name"}),
        "entities": ({"list_name": "household", "label": "${head}", "entity_id": "${which}", "create_if": "true()",
                      "update_if": "true()"},),
        "settings": ({"form_id": "upsert", "version": "1"},),
    }
)  # fmt: skip


def test_an_upsert_of_a_known_record_has_its_version_and_of_another_none(station: Station) -> None:
    new = "0193e5a0-1111-7aaa-8aaa-0123456789ab"
    said = entity(station, UPSERT, which=new, head="张三")
    assert said == {"dataset": "household", "id": new, "create": "1", "update": "1"}
    station.save({"which": new, "head": "张三"}, UPSERT, author="li", village=VILLAGE)
    assert entity(station, UPSERT, which=new, head="张三")["baseVersion"] == "1"


def test_a_ledgers_file_gives_versions_where_they_are_asked_for_only(station: Station) -> None:
    known = station.save({"village": VILLAGE, "head_name": "李四"}, household(), author="li").record
    (row,) = station.attachments.open("household.csv").rows()
    assert "__version" not in list(row)
    assert (row["__version"], row.get("__version"), row.get("nothing")) == ("1", "1", None)
    found = station.attachments.open("household.csv").lookup("__version", "1")
    assert [each["name"] for each in found] == [known]
    packed = pack(CHECKUP, station=station)
    assert packed.files["household.csv"].decode().splitlines() == ["name,label,__version", f"{known},李四,1"]


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
