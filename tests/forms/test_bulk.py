"""Bulk gives what an instance gives, whatever the form and whatever the answers, and record after record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from forms.attachments import RowAttachments
from forms.bulk import Bulk
from forms.clock import FixedClock
from forms.definition import Form
from forms.instance import Instance
from forms.problems import CunceError
from forms.program import compile_form
from forms.reader import load_shipped, shipped
from forms.tables import Column, tables_of
from tests.forms.inline import form

CLOCK = FixedClock(datetime(2026, 3, 4, 8, 30, tzinfo=UTC))
FILES = RowAttachments({
    "village.csv": [{"name": "520000000001", "label": "前进村"}, {"name": "520000000002", "label": "红旗村"}],
    "household.csv": [{"name": "h1", "label": "张三", "head_name": "张三", "village": "520000000001"}],
    "household_member.csv": [
        {"name": "p1", "label": "李四", "resident_id": "11010519491231002X", "phone": "13800000000", "_parent": "h1"}
    ],
})  # fmt: skip
GOOD: dict[str, tuple[Any, ...]] = {"int": (1, 40), "date": ("1990-05-06",), "decimal": (1.5,)}
ID = "0190a000-0000-7000-8000-000000000000"


class Moving:
    """A clock that a test moves."""

    hour = 8

    def now(self) -> datetime:
        return datetime(2026, 3, 4, self.hour, 30, tzinfo=UTC)


def without_ids(answers: Any) -> Any:
    """Answers without the ids that are made anew each time."""
    if isinstance(answers, dict):
        return {key: without_ids(value) for key, value in answers.items() if key != "_id"}
    return [without_ids(one) for one in answers] if isinstance(answers, list) else answers


def same(bulk: Bulk, program: Any, answers: dict[str, Any]) -> None:
    """Fill in one record both ways; every verdict, its words' values and the record must be the same."""
    one = Instance.new(program, clock=CLOCK, attachments=FILES, metadata={"username": "甲"}, record_id=ID)
    wanted = one.fill(answers)
    assert bulk.fill(answers, record_id=ID) == wanted
    assert bulk.unplaced == one.unplaced
    assert without_ids(bulk.answers()) == without_ids(one.answers())
    assert bulk.answers()["_id"] == ID


def bulk_of(program: Any) -> Bulk:
    return Bulk(program, clock=CLOCK, attachments=FILES, metadata={"username": "甲"})


def values(column: Column) -> st.SearchStrategy[Any]:
    """Answers to a question, good ones more often than bad ones."""
    codes = list(column.choices())[:5]
    tried: list[Any] = ["", None, "x", " 王芳 ", 0, 3, -1, "17", "2.5", 2.5, "２０２０年1月2日", "2031-01-01"]
    tried += ["11010519491231002x", "13800000000", "520000000001", "h1", "p1", "26.5 106.7 0 0", 10**20]
    good: list[Any] = list(codes) or list(GOOD.get(column.question.data_type, ("字",)))
    if column.multiple and len(codes) > 1:
        good = [*codes, " ".join(codes[:2]), codes[:2]]
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(tried))


def answers_to(made: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Answers to some questions, with rows of its repeats (sometimes none are spoken of), sometimes an unknown name."""
    tables = tables_of(made)

    def of(name: str) -> st.SearchStrategy[dict[str, Any]]:
        table = next(one for one in tables if one.name == name)
        parts: dict[str, st.SearchStrategy[Any]] = {column.name: values(column) for column in table.columns}
        for child in tables:
            if child.parent == name:
                parts[child.key] = st.lists(of(child.name), max_size=3)
        strange = {"cows": st.just(3), "_extra": st.just(1), "_id": st.sampled_from(["", ID])}
        return st.fixed_dictionaries({}, optional={**parts, **strange})

    return of(tables[0].name)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_form_gives_the_same_verdicts(name: str) -> None:
    made = load_shipped(name)
    program = compile_form(made)
    bulk = bulk_of(program)
    assert bulk.why == ""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(answers_to(made), min_size=1, max_size=4))
    def check(records: list[dict[str, Any]]) -> None:
        for answers in records:
            same(bulk, program, answers)

    check()


@st.composite
def steady_forms(draw: st.DrawFn) -> str:
    """Forms of questions, a group and one repeat as the survey sheet's rows: rules read anything above them.

    Now and then something further down too, so that one pass over the rules would not do.
    """
    lines = ["| type | name | label | relevant | required | constraint | calculation | default | trigger |"]
    known: list[str] = []
    rows: list[str] = []

    def rule(inside: bool) -> str:
        named = [*known, *(rows if inside else ())]
        own = [f"${{{name}}}" for name in named] or ["1"]
        one = st.sampled_from(own)
        across = ["sum(${r0})", "count(${r})", "join(' ', ${r0})", "count(${r}[r0 > 1])", "max(${r0})"]
        simple = st.builds(
            lambda a, pattern: pattern.format(a), one,
            st.sampled_from(
                ["{0} > 2", "{0} + 1", "{0} = ''", "concat({0}, '0')", "not({0} = 1)", "string-length({0})"]
            ),
        )
        pair = st.builds(lambda a, b: f"{a} > {b}", one, one)
        place = ["position(..)", "position(..) > 1", "indexed-repeat(${r0}, ${r}, 1)"] if inside else across
        return draw(st.one_of(simple, simple, pair, st.sampled_from([*place, "${last}", "today() > '2026-01-01'"])))

    def question(name: str, *, inside: bool) -> None:
        kind = draw(st.sampled_from(["integer", "text", "decimal", "date", "calculate", "calculate"]))
        if name == "r0":
            kind = "integer"
        cells = {"type": kind, "name": name, "label": "" if kind == "calculate" else name.upper()}
        if draw(st.integers(0, 2)) == 0:
            cells["relevant"] = rule(inside)
        if kind == "calculate" or draw(st.integers(0, 3)) == 0:
            cells["calculation"] = rule(inside)
            if draw(st.booleans()) and (rows if inside else known):
                cells["trigger"] = f"${{{draw(st.sampled_from(rows if inside else known))}}}"
        elif kind != "calculate":
            cells["default"] = draw(st.sampled_from(["", "", "2", "now()", "position(..)" if inside else "1 + 1"]))
        if kind != "calculate":
            cells["required"] = draw(st.sampled_from(["", "yes", rule(inside)]))
            cells["constraint"] = draw(st.sampled_from(["", ". != 1", ". > 0 and . < 3", f". != {rule(inside)}"]))
        columns = ("type", "name", "label", "relevant", "required", "constraint", "calculation", "default", "trigger")
        lines.append("| " + " | ".join(cells.get(column, "") for column in columns) + " |")
        (rows if inside else known).append(name)

    for number in range(draw(st.integers(1, 4))):
        question(f"a{number}", inside=False)
    gate = rule(False) if draw(st.booleans()) else ""
    lines.append(f"| begin repeat | r | R | {gate} | | | | | |")
    for number in range(draw(st.integers(1, 4))):
        question(f"r{number}", inside=True)
    lines.append("| end repeat | | | | | | | | |")
    lines.append(f"| begin group | g | G | {rule(False) if draw(st.booleans()) else ''} | | | | | |")
    for number in range(draw(st.integers(1, 3))):
        question(f"g{number}", inside=False)
    lines.append("| end group | | | | | | | | |")
    lines.append("| integer | last | L | | | | | | |")
    return "\n".join(lines)


ran = {"steady": 0, "other": 0}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(steady_forms(), st.data())
def test_random_forms_give_the_same_verdicts(survey: str, data: st.DataObject) -> None:
    try:
        made = form(survey)
        program = compile_form(made)
    except CunceError:
        assume(False)
    bulk = bulk_of(program)
    ran["other" if bulk.why else "steady"] += 1
    for answers in data.draw(st.lists(answers_to(made), min_size=1, max_size=3)):
        same(bulk, program, answers)


RULES = """
    | type            | name  | label | relevant   | required | constraint       | calculation          | default | trigger | choice_filter |
    | text            | a     | A     |            | yes      | string-length(.) < 3 |                  |         |         |               |
    | integer         | n     | N     |            |          | . < 10           |                      | 2       |         |               |
    | integer         | m     | M     | ${n} > 3   | ${a} = 'x' | . != ${n}      |                      |         |         |               |
    | begin group     | g     | G     | ${n} != 5  |          |                  |                      |         |         |               |
    | date            | d     | D     |            |          | . <= today()     |                      |         |         |               |
    | integer         | twice | T     |            |          |                  | ${n} * 2             |         |         |               |
    | select_one c    | s     | S     | ${twice} > 2 |        |                  |                      |         |         | kind = ${a}   |
    | end group       |       |       |            |          |                  |                      |         |         |               |
    | text            | copy  | C     |            |          |                  | concat(${a}, '!')    |         | ${a}    |               |
    | begin repeat    | r     | R     | ${n} < 9   |          |                  |                      |         |         |               |
    | text            | name  | Name  |            | yes      |                  |                      |         |         |               |
    | integer         | age   | Age   | ${name} != '' |       | . < 120          |                      | 7       |         |               |
    | calculate       | old   |       |            |          |                  | if(${age} > 60, 1, 0) |        |         |               |
    | end repeat      |       |       |            |          |                  |                      |         |         |               |
    | calculate       | many  |       |            |          |                  | count(${r})          |         |         |               |
    | calculate       | olds  |       |            |          |                  | sum(${old})          |         |         |               |
    | note            | stop  | Stop  | ${olds} > 2 | yes     |                  |                      |         |         |               |
    choices
    | list_name | name | label | kind |
    | c         | x    | X     | x    |
    | c         | y    | Y     | yy   |
"""  # noqa: E501


def test_a_form_with_every_kind_of_rule_runs_on_one_tree_and_gives_the_same() -> None:
    made = form(RULES)
    program = compile_form(made)
    bulk = bulk_of(program)
    assert bulk.why == ""

    @settings(max_examples=100, deadline=None)
    @given(st.lists(answers_to(made), min_size=1, max_size=5))
    def check(records: list[dict[str, Any]]) -> None:
        for answers in records:
            same(bulk, program, answers)

    check()


@pytest.mark.parametrize(("survey", "why"), [
    ("| begin repeat | r | R | 3 |\n| text | a | A | |\n| end repeat | | | |", "repeat_count"),
    ("| begin repeat | r | R | |\n| begin repeat | q | Q | |\n| text | a | A | |\n| end repeat | | | |\n"
     "| end repeat | | | |", "nested repeat"),
])  # fmt: skip
def test_what_it_can_not_do_it_leaves_to_instances(survey: str, why: str) -> None:
    program = compile_form(form("| type | name | label | repeat_count |\n" + survey))
    bulk = bulk_of(program)
    assert bulk.why.startswith(why)
    same(bulk, program, {"r": [{"a": "1"}]})


@pytest.mark.parametrize("calculation", ["once(uuid())", "random()", "concat(., 'x')"])
def test_chance_and_what_reads_itself_is_left_to_instances(calculation: str) -> None:
    made = form(f"| type | name | label | calculation |\n| text | a | A | |\n| calculate | b | | {calculation} |")
    bulk = bulk_of(compile_form(made))
    assert bulk.why
    assert bulk.fill({"a": "1"}) == ()


def test_odd_answers_are_told_as_an_instance_tells_them() -> None:
    program = compile_form(form(RULES))
    bulk = bulk_of(program)
    odd: list[dict[str, Any]] = [
        {"a": ["1", "2"]}, {"a": {"b": 1}}, {"r": "x"}, {"r": [1]}, {"n": True}, {"n": 3.0}, {"d": 20200102},
    ]  # fmt: skip
    for answers in odd:
        same(bulk, program, answers)
        same(bulk, program, {"a": "x", "r": [{"name": "b"}]})


def test_every_record_has_its_own_moment_and_rows_their_own_ids() -> None:
    made = form("| type | name | label | default |\n| start | s | | |\n| dateTime | t | T | now() |\n"
                "| begin repeat | r | R | |\n| text | a | A | |\n| end repeat | | | |")  # fmt: skip
    clock = Moving()
    bulk = Bulk(compile_form(made), clock=clock)
    assert bulk.why == ""
    bulk.fill({"r": [{"a": "1"}, {"a": "2"}]})
    first = bulk.answers()
    clock.hour = 9
    bulk.fill({"r": [{"a": "1", "_id": ID}]})
    second = bulk.answers()
    assert (first["s"][:16], second["s"][:16]) == ("2026-03-04T08:30", "2026-03-04T09:30")
    assert (first["t"][:16], second["t"][:16]) == ("2026-03-04T08:30", "2026-03-04T09:30")
    assert len({first["_id"], second["_id"], *(row["_id"] for row in first["r"])}) == 4
    assert second["r"][0]["_id"] == ID


def test_answers_before_the_first_record_are_refused() -> None:
    with pytest.raises(RuntimeError):
        bulk_of(compile_form(form(RULES))).answers()


def test_enough_random_forms_ran_on_one_tree() -> None:
    if sum(ran.values()) > 50:
        assert ran["steady"] > sum(ran.values()) / 6
