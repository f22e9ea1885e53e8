"""Whatever is typed into the shipped ledgers, nothing breaks and nothing that can be kept is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from forms.clock import FixedClock
from forms.instance import Instance
from forms.program import Program, compile_form
from forms.reader import load_shipped, shipped

CLOCK = FixedClock(datetime(2026, 3, 4, 8, 30, tzinfo=UTC))
TYPED = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.sampled_from(["y", "n", "1", "01", "28.2 112.9", "28 112;28 113;29 113", "1958-3-4", "11010519491231002x"]),
    st.just("9" * 5000),
)


@cache
def program(name: str) -> Program:
    return compile_form(load_shipped(name))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(shipped()), st.lists(st.tuples(st.integers(0, 200), TYPED), max_size=15))
def test_anything_may_be_typed_anywhere(name: str, typed: list[tuple[int, Any]]) -> None:
    instance = Instance.new(program(name), clock=CLOCK)
    for which, value in typed:
        places = [state.ref for state in instance.walk() if state.kind == "question"]
        place = places[which % len(places)]
        instance.set(place, value)
        held = instance.get(place)
        instance.set(place, held)
        assert instance.get(place) == held
    for problem in instance.problems():
        assert problem.words("zh")
        assert problem.words("en")
    draft = instance.answers(relevant_only=False)
    again = Instance.load(program(name), json.loads(json.dumps(draft)), clock=CLOCK)
    assert again.answers(relevant_only=False) == draft
    assert etree.fromstring(instance.xml()).get("id") == program(name).form.form_id


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(shipped()),
    st.dictionaries(
        st.text(max_size=8), st.one_of(TYPED, st.lists(TYPED, max_size=3), st.dictionaries(st.text(), TYPED))
    ),
)
def test_any_answers_may_come_from_outside(name: str, answers: dict[str, Any]) -> None:
    instance = Instance.new(program(name), clock=CLOCK)
    keys = [*program(name).keys[""], *answers]
    mixed = {keys[index % len(keys)]: value for index, value in enumerate(answers.values())}
    for given_answers in (answers, mixed):
        assert all(problem.words("zh") for problem in instance.fill(given_answers))
        Instance.load(program(name), given_answers, clock=CLOCK, first=True)
