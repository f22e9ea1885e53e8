"""The schema at the boundary and the filled-in form agree on every value: what it is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from forms.clock import FixedClock
from forms.instance import Instance
from forms.problems import Problem
from forms.program import compile_form
from forms.schemas import AnswersError, read_answers
from forms.standards import STANDARDS
from tests.forms.inline import form

KINDS = ("text", "integer", "decimal", "date", "time", "dateTime", "geopoint", "geotrace", "geoshape", "barcode")
SURVEY = "\n".join([
    "| type | name | label | ledger::standard |",
    *(f"| {kind} | {kind.lower()} | {kind} | |" for kind in KINDS),
    "| select_one c | one | One | |", "| select_multiple c | many | Many | |",
    *(f"| text | {name} | {name} | {name} |" for name in STANDARDS if name != "village"),
    "choices", "| list_name | name | label |", "| c | a | A |", "| c | b | B |", "| c | 3 | C |",
])  # fmt: skip
FORM = form(SURVEY)
PROGRAM = compile_form(FORM)
CLOCK = FixedClock(datetime(2026, 3, 4, 8, 30, tzinfo=UTC))
NAMES = list(PROGRAM.keys[""])
TYPED = st.one_of(
    st.text(max_size=12), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False),
    st.from_regex(r"[12][0-9]{3}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?", fullmatch=True),
    st.from_regex(r"[0-2]?[0-9][:：][0-9]{2}(:[0-9]{2})?", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,3}\.[0-9]{1,3} -?[0-9]{1,3}(\.[0-9])?( [0-9]{1,2}){0,2}(;1 2){0,3}", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{1,3}(,[0-9]{3}){0,2}(\.[0-9]{0,3})?", fullmatch=True),
    st.sampled_from([
        "11010519491231002x", "11010519491231002X", "８６ 138-0000-0000", "+8613800000000", "520000000001", "a b",
        "a  b", "a z", "a", "3", 3, 3.0, "", " ", None, "２０２０年1月2日", "11010519491231002X11", "1e3", "0x10",
        "٣", "12.0",
    ]),
)  # fmt: skip


def read(answers: dict[str, Any]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    try:
        return read_answers(FORM, answers), ()
    except AnswersError as error:
        return {}, error.problems


def brief(problems: Iterable[Problem]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(problem.code, problem.context) for problem in problems if problem.severity == "error"]


@given(st.sampled_from(NAMES), TYPED)
@example("many", "a  b")
@example("decimal", "1e400")
@example("integer", "9" * 500)
def test_they_agree(name: str, value: object) -> None:
    instance = Instance.new(PROGRAM, clock=CLOCK)
    told = brief(instance.fill({name: value}))
    loaded, problems = read({name: value})
    assert brief(problems) == told
    assert all(problem.place.name == name for problem in problems)
    if not told:
        assert {key: each for key, each in instance.answers().items() if key != "_id"} == loaded


@given(st.lists(st.sampled_from(["a", "b", "3", "z"]), max_size=4))
def test_several_codes_may_be_a_list(codes: list[str]) -> None:
    instance = Instance.new(PROGRAM, clock=CLOCK)
    told = brief(instance.fill({"many": codes}))
    loaded, problems = read({"many": codes})
    assert brief(problems) == told
    assert told or loaded.get("many", "") == instance.get("/data/many")
