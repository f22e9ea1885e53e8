"""Instance XML out and in: what leaves as OpenRosa XML comes back as the same record."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lxml import etree

from forms.clock import FixedClock
from forms.definition import Question
from forms.instance import Instance
from forms.program import Program, compile_form
from forms.reader import load_shipped, read_form, shipped
from forms.state import NodeState
from tests.forms.inline import form
from tests.forms.test_reader import REACH

CLOCK = FixedClock(datetime(2026, 3, 4, 8, 30, tzinfo=UTC))
VALUES: dict[str, Any] = {
    "int": [0, 3, -7], "decimal": [0.5, 12.0, -3.25], "date": ["1958-03-04"], "time": ["08:30:00.000+08:00"],
    "dateTime": ["2026-03-04T08:30:00.000+08:00"], "geopoint": ["28.2 112.9 0 0"],
    "geotrace": ["28.2 112.9 0 0;28.3 112.9 0 0"], "geoshape": ["28 112 0 0;28 113 0 0;29 113 0 0;28 112 0 0"],
}  # fmt: skip
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXTS = ["张三", "a & b < c", "“引号”", "two  blanks", "x\ny", "𠮷", "]]>"]


@cache
def program(name: str) -> Program:
    return compile_form(load_shipped(name))


def filled(compiled: Program, seed: int) -> Instance:
    """An instance with rows in every open repeat and an answer to most questions."""
    chance = Random(seed)
    instance = Instance.new(compiled, clock=CLOCK)
    for _ in range(2):
        for state in list(instance.walk()):
            if state.kind == "repeat" and "[" not in state.ref.rpartition("/")[2] and chance.random() < 0.8:
                try:
                    instance.add(state.ref)
                except Exception as error:
                    assert "FIXED" in str(error)  # noqa: PT017
    for state in list(instance.walk()):
        node = state.node
        if isinstance(node, Question) and node.shown and node.type != "note" and chance.random() < 0.8:
            answer(instance, state, chance)
    return instance


def answer(instance: Instance, state: NodeState, chance: Random) -> None:
    spec = state.node
    choices = [choice.name for choice in instance.choices(state.ref)] if getattr(spec, "itemset", None) else []
    if choices:
        several = getattr(spec, "type", "") in ("select_multiple", "rank")
        value: Any = chance.sample(choices, min(2, len(choices))) if several else chance.choice(choices)
    else:
        value = chance.choice(VALUES.get(getattr(spec, "data_type", ""), TEXTS))
    instance.set(state.ref, value)


def returns(instance: Instance) -> None:
    xml = instance.xml()
    again = Instance.from_xml(instance.program, xml, clock=CLOCK)
    assert again.record_id == instance.record_id
    # uuid() gives another text with every evaluation.
    assert UUID.sub("", again.xml()) == UUID.sub("", xml)
    assert UUID.sub("", str(without_ids(again.answers()))) == UUID.sub("", str(without_ids(instance.answers())))


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(one) for one in value]
    return {key: without_ids(one) for key, one in value.items() if key != "_id"} if isinstance(value, dict) else value


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("seed", range(5))
def test_a_ledgers_record_returns_from_instance_xml(name: str, seed: int) -> None:
    returns(filled(program(name), seed))


@pytest.mark.skipif(not REACH.exists(), reason="the REACH questionnaire is not at hand")
def test_a_large_questionnaires_record_returns_from_instance_xml(tmp_path: Path) -> None:
    compiled = compile_form(read_form(REACH, cache=tmp_path))
    for seed in range(2):
        returns(filled(compiled, seed))


ENTITIES = """
| type | name | label | save_to | relevant |
| text | who | Who | | |
| text | given | Given | given_name | |
| integer | age | Age | age | |
| text | more | More | more | ${age} > 3 |
entities
| list_name | label | entity_id | update_if | create_if |
| people | ${given} | ${who} | ${who} != '' | ${who} = '' |
"""


def test_an_edited_submission_keeps_what_it_stands_in_for() -> None:
    compiled = compile_form(form("| type | name | label |\n| text | a | A |", instance_name="${a}"))
    instance = Instance.new(compiled, clock=CLOCK)
    instance.set("/data/a", "x")
    edited = instance.xml().replace("</meta>", "<deprecatedID>uuid:before</deprecatedID></meta>")
    again = Instance.from_xml(compiled, edited, clock=CLOCK)
    assert (again.deprecated_id, again.unplaced, again.instance_name) == ("uuid:before", {}, "x")
    assert again.xml() == edited


def test_an_entity_is_written_with_its_attributes() -> None:
    instance = Instance.new(compile_form(form(ENTITIES)), clock=CLOCK)
    instance.set("/data/given", "李")
    instance.set("/data/age", 3)
    (save,) = instance.entities()
    assert (save.dataset, save.create, save.update, save.label) == ("people", True, False, "李")
    assert save.properties == {"given_name": "李", "age": 3}
    entity = etree.fromstring(instance.xml()).find("meta/entity")
    assert entity is not None
    assert dict(entity.attrib) == {"dataset": "people", "id": save.id, "create": "1"}
    assert entity.findtext("label") == "李"
    assert Instance.from_xml(instance.program, instance.xml(), clock=CLOCK).entities()[0].id == save.id
    returns(instance)


def test_an_entity_that_is_updated_names_it_and_clears_what_was_cleared() -> None:
    instance = Instance.new(compile_form(form(ENTITIES)), clock=CLOCK)
    instance.set("/data/who", "0190-x")
    instance.set("/data/age", 4)
    (save,) = instance.entities()
    assert (save.id, save.create, save.update) == ("0190-x", False, True)
    assert save.properties == {"given_name": None, "age": 4, "more": None}
    returns(instance)


def test_irrelevant_answers_stay_out_of_instance_xml() -> None:
    instance = Instance.new(compile_form(form(ENTITIES)), clock=CLOCK)
    instance.set("/data/age", 4)
    instance.set("/data/more", "x")
    instance.set("/data/age", 1)
    assert "more" not in instance.xml()
    assert "<more>x</more>" in instance.xml(relevant_only=False)
    returns(instance)
