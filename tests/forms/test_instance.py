"""A filled-in form as pages, the importer and the station use it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from forms.attachments import RowAttachments
from forms.clock import FixedClock
from forms.definition import Expression, Form, Question, Repeat
from forms.instance import Instance, InstanceError
from forms.openrosa import OpenRosaError
from forms.problems import Place
from forms.program import Program, compile_form
from forms.reader import FormError, read_rows

CLOCK = FixedClock(datetime(2026, 3, 4, 8, 30, tzinfo=UTC))
VILLAGES = RowAttachments({
    "village.csv": [{"name": "999999000001", "label": "青石村"}, {"name": "999999000002", "label": "白石村"}],
    "household.csv": [
        {"name": "h1", "label": "张三", "village": "999999000001", "phone": "13800000001"},
        {"name": "h2", "label": "李四", "village": "999999000002", "phone": "13800000002"},
    ],
})  # fmt: skip


def program(*survey: dict[str, str], choices: tuple[dict[str, str], ...] = (), **settings: str) -> Program:
    sheets = {"survey": survey, "choices": choices, "settings": ({"form_id": "household", "version": "1", **settings},)}
    return compile_form(read_rows({name: rows for name, rows in sheets.items() if rows}))


def row(kind: str, name: str, label: str = "", **more: str) -> dict[str, str]:
    return {"type": kind, "name": name, "label": label or name, **{k.replace("__", "::"): v for k, v in more.items()}}


def begin(made: Program, **more: Any) -> Instance:
    return Instance.new(made, **{"clock": CLOCK, "attachments": VILLAGES, **more})


def codes(instance: Instance) -> dict[str, str]:
    return {problem.place.name: problem.code for problem in instance.problems()}


HOUSEHOLD = program(
    row("text", "head", "户主", required="yes", required_message="户主必填"),
    row("integer", "area", "面积", constraint=". < 1000", constraint_message="太大：不到 1000"),
    row("date", "born", "出生"),
    row("text", "phone", "电话", ledger__standard="mobile"),
    row("select_one yn", "poor", "贫困", default="n"),
    row("text", "why", "原因", relevant="${poor} = 'y'"),
    row("begin repeat", "member", "成员"),
    row("text", "name", "姓名"),
    row("text", "id", "身份证", ledger__standard="resident_id"),
    row("end repeat", ""),
    row("calculate", "people", calculation="count(${member})"),
    choices=(
        {"list_name": "yn", "name": "y", "label": "是"},
        {"list_name": "yn", "name": "n", "label": "否"},
    ),
    instance_name="concat(${head}, '户')",
)


def test_values_are_kept_in_canonical_spelling_and_typed() -> None:
    instance = begin(HOUSEHOLD)
    for ref, typed_in, held in [
        ("/data/head", " 张三　", "张三"),
        ("/data/area", "１２", 12),
        ("/data/born", "1958年3月4日", "1958-03-04"),
        ("/data/phone", "138 0000 0000", "13800000000"),
        ("/data/member[1]/id", "11010519491231002x", "11010519491231002X"),
    ]:
        instance.set(ref, typed_in)
        assert instance.get(ref) == held
    assert codes(instance) == {}
    assert instance.instance_name == "张三户"


def test_what_cannot_be_read_is_kept_with_a_problem() -> None:
    instance = begin(HOUSEHOLD)
    instance.set("/data/area", "很大")
    instance.set("/data/born", "1958-13-40")
    assert (instance.get("/data/area"), instance.get("/data/born")) == ("很大", "1958-13-40")
    assert codes(instance) == {
        "/data/head": "FORMS_VALUE_REQUIRED_SAID",
        "/data/area": "FORMS_VALUE_INTEGER",
        "/data/born": "FORMS_VALUE_DATE",
    }
    again = Instance.load(HOUSEHOLD, instance.answers(), clock=CLOCK)
    assert again.get("/data/area") == "很大"
    assert codes(again) == codes(instance)


def test_problems_say_what_the_form_says() -> None:
    instance = begin(HOUSEHOLD)
    instance.fill({"head": "张三", "area": 5000, "phone": "12345", "poor": "maybe", "member": [{"id": "123"}]})
    assert codes(instance) == {
        "/data/area": "FORMS_VALUE_CONSTRAINT_SAID",
        "/data/phone": "FORMS_STANDARD_MOBILE",
        "/data/poor": "FORMS_VALUE_CHOICE",
        "/data/member[1]/id": "FORMS_STANDARD_ID_SHAPE",
    }
    state = instance.state("/data/area")
    assert state.problem is not None
    assert "太大：不到 1000" in state.problem.words("zh")


def test_answers_leave_out_what_is_empty_or_irrelevant_but_a_draft_keeps_it() -> None:
    instance = begin(HOUSEHOLD)
    instance.set("/data/poor", "y")
    instance.set("/data/why", "病")
    instance.set("/data/poor", "n")
    instance.set("/data/member[1]/name", "张三")
    answers, draft = instance.answers(), instance.answers(relevant_only=False)
    assert "why" not in answers
    assert draft["why"] == "病"
    assert [member["name"] for member in answers["member"]] == ["张三"]
    assert len(answers["_id"]) == len(answers["member"][0]["_id"]) == 36
    again = Instance.load(HOUSEHOLD, draft, clock=CLOCK)
    assert again.answers(relevant_only=False) == draft


def test_a_saved_record_gets_no_defaults_and_no_rows_it_does_not_have() -> None:
    instance = Instance.load(HOUSEHOLD, {"_id": "r1", "head": "张三"}, clock=CLOCK)
    assert instance.get("/data/poor") == ""
    assert instance.state("/data/member").count == 0
    assert instance.answers() == {"_id": "r1", "head": "张三", "member": [], "people": "0"}


def test_a_new_record_with_answers_keeps_defaults_where_nothing_is_given() -> None:
    instance = Instance.load(HOUSEHOLD, {"head": "张三"}, clock=CLOCK, first=True)
    assert instance.get("/data/poor") == "n"


def test_what_has_no_place_is_told_and_kept_aside() -> None:
    instance = begin(HOUSEHOLD)
    found = instance.fill({"head": "张三", "cows": 3, "member": [{"name": "a", "shoe": 42}], "_extra": 1})
    assert instance.unplaced == {"cows": 3, "member[1]/shoe": 42}
    assert [problem.code for problem in found] == ["FORMS_ANSWERS_UNKNOWN"] * 2


def test_filling_again_keeps_the_rows_that_carry_an_id() -> None:
    instance = begin(HOUSEHOLD)
    instance.fill({"member": [{"_id": "m1", "name": "a", "id": "1"}, {"_id": "m2", "name": "b"}]})
    instance.fill({"member": [{"_id": "m2", "name": "B"}, {"name": "c"}, {"_id": "m1", "name": "A"}]})
    members = instance.answers()["member"]
    assert [(member.get("name"), member.get("id")) for member in members] == [("B", None), ("c", None), ("A", "1")]
    assert [members[0]["_id"], members[2]["_id"]] == ["m2", "m1"]
    instance.fill({"head": None})
    assert instance.get("/data/head") == ""
    assert len(instance.answers()["member"]) == 3


def test_answers_of_the_wrong_shape_are_problems() -> None:
    instance = begin(HOUSEHOLD)
    found = instance.fill({"member": "张三", "head": {"name": "张三"}, "area": [1, 2]})
    assert {problem.place.name: problem.code for problem in found if not problem.place.name.startswith("/")} == {
        "member": "FORMS_ANSWERS_ROWS",
        "head": "FORMS_ANSWERS_VALUE",
        "area": "FORMS_ANSWERS_VALUE",
    }


def test_renamed_questions_take_over_old_answers() -> None:
    renamed = program(row("text", "head_name", ledger__was="head"))
    instance = Instance.load(renamed, {"head": "张三"}, clock=CLOCK)
    assert instance.get("/data/head_name") == "张三"


def test_metadata_is_set_once_and_the_end_when_finished() -> None:
    made = program(
        row("start", "began"), row("end", "ended"), row("today", "day"), row("username", "who"), row("text", "a")
    )
    instance = begin(made, metadata={"username": "李会计"})
    instance.finish()
    answers = instance.answers()
    assert (answers["began"], answers["ended"]) == ("2026-03-04T08:30:00.000+00:00",) * 2
    assert (answers["day"], answers["who"]) == ("2026-03-04", "李会计")
    later = FixedClock(datetime(2026, 3, 5, 9, 0, tzinfo=UTC))
    again = Instance.load(made, answers, clock=later)
    assert again.answers() == answers
    again.finish()
    assert again.answers()["ended"] == "2026-03-05T09:00:00.000+00:00"


def test_choices_and_look_ups_from_other_ledgers() -> None:
    made = program(
        row("select_one_from_file village.csv", "village", ledger__standard="village"),
        row("select_one_from_file household.csv", "household", choice_filter="village = ${village}"),
        row("calculate", "phone", calculation="instance('household')/root/item[name = ${household}]/phone"),
        row("calculate", "pulled", calculation="pulldata('household', 'label', 'name', ${household})"),
    )
    instance = begin(made)
    assert [choice.label for choice in instance.choices("/data/village")] == ["青石村", "白石村"]
    assert instance.choices("/data/household") == ()
    instance.set("/data/village", "999999000001")
    assert [(choice.name, choice.label) for choice in instance.choices("/data/household")] == [("h1", "张三")]
    instance.set("/data/household", "h1")
    assert (instance.get("/data/phone"), instance.get("/data/pulled")) == ("13800000001", "张三")
    instance.set("/data/village", "999999000002")
    assert (instance.get("/data/household"), instance.get("/data/phone")) == ("", "")
    instance.set("/data/village", "999999000009")
    assert codes(instance) == {"/data/village": "FORMS_VALUE_CHOICE"}


def test_an_import_keeps_a_choice_the_filter_refuses_and_says_so() -> None:
    made = program(
        row("select_one_from_file village.csv", "village"),
        row("select_one_from_file household.csv", "household", choice_filter="village = ${village}"),
    )
    instance = begin(made)
    instance.fill({"village": "999999000001", "household": "h2"})
    assert instance.get("/data/household") == "h2"
    assert codes(instance) == {"/data/household": "FORMS_VALUE_CHOICE"}


def test_triggers_and_calculated_questions_give_way_to_what_an_import_gives() -> None:
    made = program(
        row("text", "a"),
        row("text", "b", calculation="concat(${a}, '!')"),
        row("calculate", "c", calculation="concat(${a}, '?')", trigger="${a}"),
        row("text", "d", calculation="concat(${a}, '+')"),
    )
    instance = begin(made)
    instance.fill({"a": "x", "b": "own", "c": "own"})
    assert [instance.get(f"/data/{name}") for name in "bcd"] == ["own", "own", "x+"]
    again = Instance.load(made, instance.answers(), clock=CLOCK)
    assert again.get("/data/b") == "own"
    again.set("/data/a", "y")
    assert [again.get(f"/data/{name}") for name in "bcd"] == ["y!", "y?", "y+"]


def test_dynamic_defaults_stay_away_from_given_answers() -> None:
    made = program(row("date", "day", default="today()"), row("integer", "n", default="1 + 1"))
    assert begin(made).answers()["day"] == "2026-03-04"
    given = Instance.load(made, {"day": "2026-01-01"}, clock=CLOCK, first=True)
    assert (given.get("/data/day"), given.get("/data/n")) == ("2026-01-01", 2)
    assert Instance.load(made, {"n": 5}, clock=CLOCK).answers() | {"_id": ""} == {"_id": "", "n": 5}


def test_states_carry_what_a_page_needs() -> None:
    made = program(
        row("begin group", "g", "一组", appearance="field-list"),
        row("integer", "n", "${head}的人数", hint="写数字", guidance_hint="细", appearance="minimal", read_only="yes"),
        row("end group", ""),
        row("begin repeat", "member", "成员"),
        row("range", "age", "年龄", parameters="start=0 end=120 step=1"),
        row("end repeat", ""),
        row("text", "head"),
        row("begin repeat", "fixed", "固定", repeat_count="2"),
        row("text", "x"),
        row("end repeat", ""),
    )
    instance = begin(made)
    instance.set("/data/head", "张三")
    state = instance.state("/data/g/n")
    assert (state.label, state.hint, state.guidance, state.within) == ("张三的人数", "写数字", "细", ("一组",))
    assert (state.kind, state.type, state.appearance, state.readonly, state.depth) == (
        "question", "integer", ("minimal",), True, 1,
    )  # fmt: skip
    assert instance.add("/data/member") == "/data/member[2]"
    series, member = instance.state("/data/member"), instance.state("/data/member[2]")
    assert (series.kind, series.count, series.can_add, series.can_remove) == ("repeat", 2, True, False)
    assert (member.kind, member.position, member.count, member.can_remove) == ("row", 2, 2, True)
    age = instance.state("/data/member[2]/age")
    assert (dict(age.parameters), age.within) == ({"start": "0", "end": "120", "step": "1"}, ("成员",))
    fixed = instance.state("/data/fixed")
    assert (fixed.count, fixed.can_add, instance.state("/data/fixed[1]").can_remove) == (2, False, False)
    walked = [state.ref for state in instance.walk()]
    assert walked.index("/data/member") + 1 == walked.index("/data/member[1]")
    assert all(instance.state(state.ref) == state for state in instance.walk())


def test_changes_tell_what_a_page_has_to_draw_again() -> None:
    instance = begin(HOUSEHOLD)
    instance.changes_since()
    instance.set("/data/poor", "y")
    assert instance.changes_since().altered == {
        "/data/poor": frozenset({"value"}),
        "/data/why": frozenset({"relevant"}),
    }
    instance.add("/data/member")
    changes = instance.changes_since()
    assert changes.repeats == ("/data/member",)
    assert "/data/people" in changes.refs
    assert not instance.changes_since()
    instance.language = "en"
    assert instance.changes_since().language


def test_refs_that_lead_nowhere_and_changes_the_form_forbids_are_errors() -> None:
    instance = begin(program(row("begin repeat", "r", repeat_count="2"), row("text", "x"), row("end repeat", "")))
    for call, code in [
        (lambda: instance.get("/data/none"), "FORMS_REF_UNKNOWN"),
        (lambda: instance.set("/data/r[9]/x", "1"), "FORMS_REF_UNKNOWN"),
        (lambda: instance.set("/data/r[1]", "1"), "FORMS_REF_NO_QUESTION"),
        (lambda: instance.add("/data/r[1]/x"), "FORMS_REF_NO_REPEAT"),
        (lambda: instance.add("/data/r"), "FORMS_REPEAT_FIXED"),
        (lambda: instance.remove("/data/r[1]"), "FORMS_REPEAT_FIXED"),
        (lambda: instance.remove("/data/r[1]/x"), "FORMS_REF_NO_ROW"),
        (lambda: instance.state("/data"), "FORMS_REF_NO_QUESTION"),
    ]:
        with pytest.raises(InstanceError) as caught:
            call()
        assert caught.value.code == code


def test_a_count_typed_by_mistake_adds_nothing_and_says_so() -> None:
    counted = row("begin repeat", "r", repeat_count="${n}")
    instance = begin(program(row("integer", "n"), counted, row("text", "x"), row("end repeat", "")))
    instance.set("/data/n", 2)
    instance.set("/data/n", "13800000000")
    assert instance.state("/data/r").count == 2
    assert [problem.code for problem in instance.problems()] == ["FORMS_REPEAT_COUNT"]
    instance.set("/data/n", 3)
    assert (instance.state("/data/r").count, instance.problems()) == (3, ())


def test_an_expression_that_fails_while_it_runs_hides_nothing_and_is_told() -> None:
    relevant = Expression("count(if(/data/b = 1, 'no nodes', /data/b)) = 1", Place(row=7))
    asked = Question("a", "/data/a", "text", relevant=relevant)
    instance = begin(compile_form(plain(Question("b", "/data/b", "text"), asked)))
    assert (instance.state("/data/a").relevant, instance.problems()) == (True, ())
    instance.set("/data/b", "1")
    assert instance.state("/data/a").relevant
    (problem,) = instance.problems()
    assert (problem.code, problem.place.row) == ("FORMS_EXPRESSION_NOT_NODES", 7)
    instance.set("/data/b", "2")
    assert instance.problems() == ()


def test_labels_choices_and_language() -> None:
    made = program(
        {"type": "select_one c", "name": "a", "label::中文": "种类", "label::English": "Kind"},
        {"type": "calculate", "name": "b", "calculation": "jr:choice-name(${a}, '${a}')"},
        choices=({"list_name": "c", "name": "1", "label::中文": "一", "label::English": "One"},),
        default_language="中文",
    )
    instance = begin(made)
    instance.set("/data/a", "1")
    assert (instance.language, instance.state("/data/a").label, instance.get("/data/b")) == ("中文", "种类", "一")
    instance.language = "English"
    assert (instance.state("/data/a").label, instance.choices("/data/a")[0].label) == ("Kind", "One")
    assert instance.get("/data/b") == "One"


@pytest.mark.parametrize(
    ("wanted", "label"), [("zh", "姓名"), ("en", "Name"), ("English (en)", "Name"), ("fr", "姓名")]
)
def test_a_language_may_be_named_by_its_code(wanted: str, label: str) -> None:
    both = {"label::中文 (zh)": "姓名", "label::English (en)": "Name"}
    made = program({"type": "text", "name": "a", **both}, default_language="中文 (zh)")
    assert begin(made, language=wanted).state("/data/a").label == label
    other = begin(made)
    other.language = wanted
    assert other.state("/data/a").label == label


def test_randomized_choices_stay_in_their_order_for_a_record() -> None:
    made = program(
        row("select_one c", "a", parameters="randomize=true"),
        choices=tuple({"list_name": "c", "name": str(n), "label": str(n)} for n in range(30)),
    )
    instance = begin(made)
    order = [choice.name for choice in instance.choices("/data/a")]
    again = Instance.load(made, instance.answers(), clock=CLOCK)
    assert [choice.name for choice in again.choices("/data/a")] == order
    assert sorted(order, key=int) == [str(n) for n in range(30)]
    instance.set("/data/a", "7")
    assert instance.problems() == ()


def test_instance_xml_goes_out_and_comes_in() -> None:
    instance = begin(HOUSEHOLD)
    instance.fill({"head": "张三 & 家", "member": [{"name": "a"}, {"name": "b"}]})
    xml = instance.xml()
    assert "<head>张三 &amp; 家</head>" in xml
    assert f"uuid:{instance.record_id}" in xml
    assert "<why" not in xml
    again = Instance.from_xml(HOUSEHOLD, xml, clock=CLOCK)
    assert again.record_id == instance.record_id
    assert again.xml() == xml
    assert [member["name"] for member in again.answers()["member"]] == ["a", "b"]


def test_xml_of_another_version_loses_nothing() -> None:
    xml = '<data id="household"><cows>3</cows><g><head>张三</head></g></data>'
    again = Instance.from_xml(HOUSEHOLD, xml, clock=CLOCK)
    assert (again.unplaced, again.get("/data/head")) == ({"cows": "3"}, "张三")


@pytest.mark.parametrize(
    ("xml", "code"),
    [("<data", "FORMS_OPENROSA_NOT_XML"), ('<data id="visit"/>', "FORMS_OPENROSA_OTHER_FORM")],
)
def test_xml_of_something_else_is_refused(xml: str, code: str) -> None:
    with pytest.raises(OpenRosaError) as caught:
        Instance.from_xml(HOUSEHOLD, xml, clock=CLOCK)
    assert caught.value.code == code


def plain(*children: Question | Repeat) -> Form:
    return Form("f", "1", "", "data", children, "", "")


def test_every_faulty_expression_is_told_with_its_place() -> None:
    form = plain(
        Question("a", "/data/a", "text", relevant=Expression("1 +", Place(sheet="survey", row=2))),
        Question("b", "/data/b", "text", calculate=Expression("nosuch()", Place(sheet="survey", row=3))),
    )
    with pytest.raises(FormError) as caught:
        compile_form(form)
    assert [problem.place.row for problem in caught.value.problems] == [2, 3]


@pytest.mark.parametrize(
    "rules",
    [
        {"a": {"calculate": "/data/b"}, "b": {"calculate": "/data/a"}},
        {"a": {"relevant": "/data/b = 1"}, "b": {"relevant": "/data/a = 1"}},
        {"a": {"relevant": "/data/a = 1"}, "b": {}},
    ],
)
def test_circles_are_refused(rules: dict[str, dict[str, str]]) -> None:
    form = plain(*(
        Question(name, f"/data/{name}", "text", **{k: Expression(v, Place(row=2)) for k, v in own.items()})  # type: ignore[arg-type]
        for name, own in rules.items()
    ))  # fmt: skip
    with pytest.raises(FormError) as caught:
        compile_form(form)
    assert {problem.code for problem in caught.value.problems} == {"FORMS_CIRCLE"}
    assert all(problem.place.row == 2 for problem in caught.value.problems)


def test_the_last_instance_may_ask_for_another() -> None:
    made = program(
        row("begin repeat", "child", repeat_count="count(${child}[more = 'y']) + 1"),
        row("text", "name"),
        row("text", "more"),
        row("end repeat", ""),
    )
    instance = begin(made)
    assert instance.state("/data/child").count == 1
    instance.set("/data/child[1]/more", "y")
    assert instance.state("/data/child").count == 2
    instance.set("/data/child[2]/more", "y")
    assert instance.state("/data/child").count == 3
    instance.set("/data/child[1]/more", "n")
    assert instance.state("/data/child").count == 2


def test_a_number_of_instances_that_feeds_itself_stops() -> None:
    made = program(row("begin repeat", "r", repeat_count="count(${r}) + 1"), row("text", "x"), row("end repeat", ""))
    assert 0 < begin(made).state("/data/r").count <= 200


def test_choices_may_exclude_each_other() -> None:
    made = program(
        row("select_one c", "a", choice_filter="name != ${b}"),
        row("select_one c", "b", choice_filter="name != ${a}"),
        choices=tuple({"list_name": "c", "name": n, "label": n} for n in "xyz"),
    )
    instance = begin(made)
    instance.set("/data/a", "x")
    assert [choice.name for choice in instance.choices("/data/b")] == ["y", "z"]
    instance.set("/data/b", "y")
    assert [choice.name for choice in instance.choices("/data/a")] == ["x", "z"]
    assert instance.problems() == ()


def test_reading_the_instance_before_is_no_circle() -> None:
    previous = Expression("coalesce(indexed-repeat(/data/r/x, /data/r, position(..) - 1), 0) + 1")
    number = Question("x", "/data/r/x", "integer", "int", calculate=previous)
    instance = begin(compile_form(plain(Repeat("r", "/data/r", (number,)))))
    for _ in range(60):
        instance.add("/data/r")
    assert instance.get("/data/r[61]/x") == 61


def test_equal_forms_share_their_program() -> None:
    assert compile_form(HOUSEHOLD.form) is compile_form(HOUSEHOLD.form)
    assert HOUSEHOLD.affected("/data/poor") == {"/data/why"}


@pytest.mark.parametrize(
    "ref", ["", "/", "/data/a[x]", "/data/a[]", "/data/a[-1]", "/data/a]", f"/data/a[{'9' * 5000}]"]
)
def test_a_ref_that_makes_no_sense_is_refused_with_words(ref: str) -> None:
    instance = begin(program(row("text", "a")))
    for ask in (instance.get, instance.state, instance.add, instance.remove):
        with pytest.raises(InstanceError):
            ask(ref)
