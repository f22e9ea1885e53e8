"""Entities that the rows of a repeat declare: each row creates or updates a record of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from forms.clock import FixedClock
from forms.entities import EntitySave
from forms.instance import Instance
from forms.program import compile_form
from forms.reader import read_rows

KNOWN = "0193e5a0-1111-7aaa-8aaa-0123456789ab"
SURVEY = (
    {"type": "text", "name": "place", "label": "place"},
    {"type": "begin_repeat", "name": "home", "label": "home"},
    {"type": "text", "name": "head", "label": "head", "save_to": "head_name"},
    {"type": "text", "name": "which", "label": "which"},
    {"type": "end_repeat"},
)


def saves(**entity: str) -> tuple[EntitySave, ...]:
    declared = {"list_name": "household", "label": "${head}", "repeat": "${home}", **entity}
    form = read_rows({"settings": [{"form_id": "f"}], "survey": SURVEY, "entities": [declared]})
    one = Instance.new(compile_form(form), clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
    one.add("/data/home")
    one.set("/data/home[1]/head", "张三")
    one.set("/data/home[2]/head", "李四")
    one.set("/data/home[2]/which", KNOWN)
    return one.entities()


def test_every_row_creates_a_record_of_its_own() -> None:
    first, second = saves()
    assert [(each.label, each.properties) for each in (first, second)] == [
        ("张三", {"head_name": "张三"}), ("李四", {"head_name": "李四"}),
    ]  # fmt: skip
    assert first.create
    assert second.create
    assert first.id != second.id


def test_a_row_updates_or_creates_by_what_stands_in_it() -> None:
    first, second = saves(entity_id="${which}", create_if="${which} = ''", update_if="${which} != ''")
    assert (first.create, first.update) == (True, False)
    assert (second.create, second.update, second.id) == (False, True, KNOWN)


def test_a_row_whose_conditions_do_not_hold_saves_nothing() -> None:
    assert [each.label for each in saves(create_if="${head} = '李四'")] == ["李四"]
