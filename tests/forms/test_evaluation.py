"""Evaluation step by step gives what evaluation from nothing gives, whatever the form and whatever the edits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from forms.clock import FixedClock
from forms.definition import Choice, Expression, Form, Group, Itemset, Label, Node, Question, Repeat
from forms.instance import Instance, NodeState
from forms.program import compile_form
from forms.xform import read_xform

CLOCK = FixedClock(datetime(2026, 3, 4, 8, 30, tzinfo=UTC))
CODES = Itemset(tuple(Choice(str(code), Label({"": (str(code),)})) for code in range(4)))


def expression(source: str) -> Expression:
    return Expression(source)


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Forms of some questions, a group, a repeat with a nested one and a counted one; rules read what stands above."""
    outer: list[str] = []
    inner: list[str] = []

    def outer_rule() -> str:
        return draw(st.sampled_from([
            *(f"/data/{name} + 1" for name in outer), *(f"/data/{name} > 2" for name in outer),
            "sum(/data/r/x)", "count(/data/r)", "count(/data/r[x > 1])", "max(/data/r/n/z)", "count(/data/r/n)",
            "indexed-repeat(/data/r/x, /data/r, /data/a)", "join(',', /data/r/x)", "3", "count(//z)", "sum(//x)",
            "/data/r[last()]/x", "sum(/data/r[n/z > 1]/x)", "string(/data/r)", "count(/data/r/*)",
            "/data/r[2]/x | /data/r[1]/x", "join(' ', randomize(/data/r/x, 3))", "count(/data/descendant::n)",
        ]))  # fmt: skip

    def inner_rule() -> str:
        return draw(st.sampled_from([
            *(f"../{name} * 2" for name in inner), *(f"../{name} > 1" for name in inner),
            "position(..)", "/data/a > 1", "count(../../r)", "sum(../../r/x)", "sum(../n/z)", "count(../n)",
            "indexed-repeat(/data/r/x, /data/r, position(..) - 1)", "/data/r/x > 0", "current()/../x + /data/b",
            "../preceding-sibling::r[1]/x", "../../r[position() = position(current()/..) - 1]/x", "count(ancestor::r)",
            "sum(/data/r/n/z)", "sum(../../r[x = current()/../x]/x)", "../following-sibling::r/x", "count(../x | ../n)",
            "sum(/data/r[position() < 3]/n/z)", "../n[2]/z", "../n[last()]/z", "count(/data/r[n])",
            "position(../../r[1])",
        ]))  # fmt: skip

    def rules(rule: Any, *, calculated: bool) -> dict[str, Any]:
        maybe = st.booleans()
        if calculated:
            return {"calculate": expression(rule()), "shown": False, "relevant": None}
        return {
            "relevant": expression(rule()) if draw(maybe) else None,
            "required": expression(rule()) if draw(maybe) else None,
            "readonly": expression(rule()) if draw(maybe) else None,
            "constraint": expression(f". != {draw(st.integers(0, 3))}") if draw(maybe) else None,
        }

    def question(path: str, **more: Any) -> Question:
        return Question(path.rpartition("/")[2], path, "integer", "int", **more)

    row: list[Node] = [question("/data/r/x", default=draw(st.sampled_from(["", "2"])))]
    inner.append("x")
    row.append(Repeat("n", "/data/r/n", (question("/data/r/n/z"),), initial=draw(st.integers(0, 2))))
    for number in range(draw(st.integers(0, 3))):
        name = f"i{number}"
        row.append(question(f"/data/r/{name}", **rules(inner_rule, calculated=draw(st.booleans()))))
        inner.append(name)
    children: list[Node] = [question("/data/a"), question("/data/b", default="1")]
    outer += ["a", "b"]
    relevant = expression("/data/b > 0") if draw(st.booleans()) else None
    children.append(Repeat("r", "/data/r", tuple(row), initial=draw(st.integers(0, 2)), relevant=relevant))
    for number in range(draw(st.integers(0, 4))):
        name = f"o{number}"
        children.append(question(f"/data/{name}", **rules(outer_rule, calculated=draw(st.booleans()))))
        outer.append(name)
    filtered = Itemset(nodeset=Expression("/data/r[x != '']"), value="x", label="x")
    choices = filtered if draw(st.booleans()) else CODES
    children.append(Question("s", "/data/s", "select_one", "string", itemset=choices))
    within = question("/data/g/k", relevant=expression(outer_rule()))
    children.append(Group("g", "/data/g", (within,), relevant=expression(outer_rule())))
    count = expression(draw(st.sampled_from(["/data/a", "/data/b + 1"])))
    children.append(Repeat("c", "/data/c", (question("/data/c/w"),), count=count))
    return Form("random", "1", "", "data", tuple(children), "", "")


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "set", "add", "remove"]),
        st.integers(0, 40),
        st.sampled_from([None, 0, 1, 2, 3, "x"]),
    ),
    max_size=12,
)


def edit(instance: Instance, kind: str, which: int, value: Any) -> None:
    states = list(instance.walk())
    if kind == "set":
        places = [state.ref for state in states if state.kind == "question" and state.shown]
    elif kind == "add":
        places = [state.ref for state in states if state.kind == "repeat" and state.can_add]
    else:
        places = [state.ref for state in states if state.kind == "row" and state.can_remove]
    if not places:
        return
    place = places[which % len(places)]
    if kind == "set":
        instance.set(place, value)
    elif kind == "add":
        instance.add(place)
    else:
        instance.remove(place)


def seen(instance: Instance) -> list[tuple[Any, ...]]:
    return [look(state) for state in instance.walk()]


def look(state: NodeState) -> tuple[Any, ...]:
    problem = None if state.problem is None else state.problem.code
    shown = tuple(choice.name for choice in state.choices)
    return (state.ref, state.relevant, state.readonly, state.required, state.value, shown, problem, state.count)


@settings(max_examples=150, deadline=None)
@given(forms(), EDITS)
def test_step_by_step_equals_from_nothing(form: Form, edits: list[tuple[str, int, Any]]) -> None:
    program = compile_form(form)
    instance = Instance.new(program, clock=CLOCK)
    for kind, which, value in edits:
        edit(instance, kind, which, value)
    fresh = Instance.load(program, instance.answers(relevant_only=False), clock=CLOCK)
    assert seen(fresh) == seen(instance)
    assert fresh.answers() == instance.answers()
    assert fresh.problems() == instance.problems()


@settings(max_examples=75, deadline=None)
@given(forms(), EDITS)
def test_answers_loaded_and_taken_out_again_are_the_same(form: Form, edits: list[tuple[str, int, Any]]) -> None:
    program = compile_form(form)
    instance = Instance.new(program, clock=CLOCK)
    for kind, which, value in edits:
        edit(instance, kind, which, value)
    answers = instance.answers(relevant_only=False)
    again = Instance.load(program, answers, clock=CLOCK)
    assert again.answers(relevant_only=False) == answers
    assert again.answers() == instance.answers()
    # A record without what relevance hides is one whose hidden answers are empty: it opens without complaint.
    assert Instance.load(program, instance.answers(), clock=CLOCK).unplaced == {}


@settings(max_examples=75, deadline=None)
@given(forms(), EDITS)
def test_changes_name_everything_that_looks_different(form: Form, edits: list[tuple[str, int, Any]]) -> None:
    program = compile_form(form)
    instance = Instance.new(program, clock=CLOCK)
    for kind, which, value in edits:
        before = {state.ref: look(state) for state in instance.walk()}
        instance.changes_since()
        edit(instance, kind, which, value)
        changes = instance.changes_since()
        for state in instance.walk():
            moved = any(state.ref.startswith((f"{series}[", series)) for series in changes.repeats)
            if not moved and look(state) != before.get(state.ref):
                assert state.ref in changes.altered, (state.ref, before.get(state.ref), look(state))


@settings(max_examples=75, deadline=None)
@given(forms(), EDITS)
def test_instance_xml_carries_every_relevant_answer(form: Form, edits: list[tuple[str, int, Any]]) -> None:
    program = compile_form(form)
    instance = Instance.new(program, clock=CLOCK)
    for kind, which, value in edits:
        edit(instance, kind, which, value)
    again = Instance.from_xml(program, instance.xml(relevant_only=False), clock=CLOCK)
    assert [state[:-1] for state in seen(again)] == [state[:-1] for state in seen(instance)]
    assert again.record_id == instance.record_id


def test_instances_that_join_each_others_results_stop_growing() -> None:
    own = '<bind nodeset="/data/r/n" calculate="concat(join(\'\', /data/r[true()]/n), \'x\')"/>'
    body = '<group><repeat nodeset="/data/r"><input ref="/data/r/m"/></repeat></group>'
    record = "<instance><data id='t'><r><n/><m/></r></data></instance>"
    xml = f"<html><model>{record}{own}</model><body>{body}</body></html>"
    instance = Instance.new(compile_form(read_xform(xml)))
    for _ in range(2):
        instance.add("/data/r")
    assert "FORMS_CALCULATION_LONG" in {problem.code for problem in instance.problems()}
    assert all(len(str(instance.get(f"/data/r[{place}]/n"))) <= 200_000 for place in (1, 2, 3))
