"""The shipped ledgers: the names other parts rely on, privacy on every answer, and interviews that come out right."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forms.attachments import RowAttachments
from forms.choices import labels_of
from forms.clock import FixedClock
from forms.definition import Form, Question
from forms.instance import Instance
from forms.program import compile_form
from forms.reader import load_shipped, shipped
from forms.tables import tables_of
from forms.vocabulary import PRIVACY

CLOCK = FixedClock(datetime(2026, 3, 1, 9, 0, tzinfo=UTC))
ATTACHED = RowAttachments(
    {
        "village.csv": [{"name": "999999001001", "label": "甲村"}, {"name": "999999001002", "label": "乙村"}],
        "household.csv": [
            {"name": "h1", "label": "张三（001）", "village": "999999001001", "head_name": "张三"},
            {"name": "h2", "label": "李四", "village": "999999001002", "head_name": "李四"},
        ],
        "household_member.csv": [
            {"name": "m1", "label": "小明", "_parent": "h1", "resident_id": "11010120150307889X", "sex": "",
             "birth_date": "", "phone": "13800000000"},
            {"name": "m2", "label": "奶奶", "_parent": "h1", "resident_id": "", "sex": "female",
             "birth_date": "1950-05-01", "phone": ""},
        ],
    }
)  # fmt: skip
ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
MINORS = "left_behind"


def fill(name: str, answers: dict[str, str]) -> Instance:
    instance = Instance.new(compile_form(load_shipped(name)), clock=CLOCK, attachments=ATTACHED)
    paths = {question.name: question.path for question in reversed(list(load_shipped(name).questions()))}
    for key, value in answers.items():
        instance.set(paths.get(key, key), value)
    return instance


def faults(instance: Instance) -> set[str]:
    return {problem.place.name.rpartition("/")[2] for problem in instance.problems() if problem.severity == "error"}


def data_questions(form: Form) -> list[Question]:
    return [question for question in form.questions() if not question.path.startswith(form.meta_path)]


@pytest.mark.parametrize("name", shipped())
def test_a_ledger_is_free_of_faults_and_warnings(name: str) -> None:
    form = load_shipped(name)
    assert form.warnings == ()
    assert (form.form_id, form.languages) == (name, ("中文 (zh)", "English (en)"))
    assert form.instance_name is not None


@pytest.mark.parametrize("name", shipped())
def test_every_answer_has_a_privacy_a_header_and_both_languages(name: str) -> None:
    for question in data_questions(load_shipped(name)):
        assert question.ledger.get("privacy") in PRIVACY, question.path
        assert question.ledger.get("header"), question.path
        assert set(question.label.texts) == {"中文 (zh)", "English (en)"}, question.path
        if question.constraint is not None:
            assert set(question.constraint_message.texts) == {"中文 (zh)", "English (en)"}, question.path


@pytest.mark.parametrize("name", shipped())
def test_names_ids_and_phones_are_never_public(name: str) -> None:
    for question in data_questions(load_shipped(name)):
        personal = question.ledger.get("standard") in ("resident_id", "mobile", "disability_certificate")
        person = re.search(r"(head|monitor|leader|secretary|guardian|contact|grid_worker)", question.name)
        if personal or person:
            assert question.ledger["privacy"] != "public", question.path
        if name == MINORS and question.name not in ("village", "household"):
            assert question.ledger["privacy"] == "minor", question.path


def test_the_ledgers_have_the_columns_that_other_parts_rely_on() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8").partition("Names that other parts rely on:")[2]
    text = " ".join(text.split())
    for name in shipped():
        found = re.search(rf"`{name}`: (.+?)(?:\. `|\.$)", text)
        assert found, name
        listed = re.sub(r"\([^)]*\)|`", " ", found[1])
        wanted = set(re.findall(r"[a-z][a-z_]+", listed)) - {"with", "and", "repeat"}
        columns = {column.name for table in tables_of(load_shipped(name)) for column in table.columns}
        columns |= {table.key for table in tables_of(load_shipped(name))}
        assert wanted <= columns, (name, wanted - columns)


def test_code_lists_are_whole() -> None:
    form = load_shipped("household")
    questions = {question.name: question for question in form.questions()}
    nations = labels_of(form, questions["nation"])
    assert [nations[f"{code:02d}"] for code in (1, 15, 56)] == ["汉族", "土家族", "基诺族"]
    assert len(nations) == 58
    assert labels_of(form, questions["relation"], "English (en)")["10"] == "Spouse"
    assert list(labels_of(form, questions["education"])) == ["80", "70", "60", "40", "30", "20", "10", "90"]


def test_a_resident_id_gives_sex_birth_date_and_age() -> None:
    household = fill("household", {"village": "999999001001", "head_name": "张三", "/data/member[1]/name": "张三",
                                   "/data/member[1]/resident_id": "11010119900307889X"})  # fmt: skip
    member = household.answers()["member"][0]
    assert (member["sex"], member["birth_date"], member["age"], member["relation"]) == ("male", "1990-03-07", 35, "02")
    assert household.instance_name == "张三"
    household.set("/data/member[1]/sex", "female")
    household.set("/data/member[1]/birth_date", "1990-03-08")
    assert faults(household) == {"sex", "birth_date"}
    household.set("/data/member[1]/resident_id", "")
    assert faults(household) == set(), "without an ID, what was typed stands"


def test_members_and_labour_are_counted() -> None:
    household = fill("household", {"village": "999999001001", "head_name": "张三", "household_number": "001"})
    household.set("/data/member[1]/birth_date", "1980-01-01")
    child = household.add("/data/member")
    household.set(f"{child}/birth_date", "2012-01-01")
    grown = household.add("/data/member")
    household.set(f"{grown}/birth_date", "1950-01-01")
    household.set(f"{grown}/labour_ability", "none")
    answers = household.answers()
    assert (answers["member_count"], answers["labour_count"]) == (3, 1)
    assert "labour_ability" not in answers["member"][1], "nobody asks it of a child"
    assert household.instance_name == "张三（001）"


def test_an_ordinary_household_is_nothing_else() -> None:
    household = fill("household", {"village": "999999001001", "head_name": "张三", "/data/member[1]/name": "张三"})
    household.set("/data/household_basic/household_type", "ordinary monitored")
    assert faults(household) == {"household_type"}


def test_a_left_behind_person_is_filled_in_from_the_household_ledger() -> None:
    record = fill("left_behind", {"village": "999999001001", "household": "h1", "person": "m1"})
    answers = record.answers()
    assert [answers[key] for key in ("name", "resident_id", "sex", "birth_date", "phone")] == [
        "小明", "11010120150307889X", "male", "2015-03-07", "13800000000",
    ]  # fmt: skip
    record.set("/data/left_behind_person/person", "m2")
    record.set("/data/left_behind_person/resident_id", "")
    answers = record.answers()
    assert [answers.get(key) for key in ("name", "sex", "birth_date", "age")] == ["奶奶", "female", "1950-05-01", 75]


@pytest.mark.parametrize(
    ("kind", "born", "sex", "fits"),
    [
        ("child", "2010-03-02", "male", True),
        ("child", "2010-03-01", "male", False),
        ("woman", "2000-01-01", "female", True),
        ("woman", "2000-01-01", "male", False),
        ("woman", "1960-01-01", "female", False),
        ("elder", "1966-03-01", "male", True),
        ("elder", "1966-03-02", "male", False),
        ("elder", "", "", True),
    ],
)
def test_the_kind_of_a_left_behind_person_fits_age_and_sex(kind: str, born: str, sex: str, fits: bool) -> None:
    record = fill("left_behind", {"village": "999999001001", "name": "某某", "birth_date": born, "sex": sex,
                                  "kind": kind})  # fmt: skip
    assert ("kind" not in faults(record)) is fits


def test_only_children_have_guardians() -> None:
    record = fill("left_behind", {"village": "999999001001", "name": "某某", "kind": "elder"})
    assert not any(state.relevant for state in record.walk() if state.ref.startswith("/data/guardian"))


def test_choices_of_households_follow_the_village() -> None:
    record = fill("visit", {"village": "999999001002"})
    assert [choice.name for choice in record.choices("/data/visit_who/household")] == ["h2"]


def test_a_visit_needs_few_keys_and_asks_for_handling_only_where_there_is_something() -> None:
    record = fill("visit", {"village": "999999001001", "household": "h1", "grid_worker": "王五"})
    assert faults(record) == set()
    assert record.answers()["started"].startswith("2026-03-01T09:00")
    record.set("/data/visit_heard/hazards_seen", "yes")
    assert faults(record) == {"hazard_note", "handling"}
    record.set("/data/visit_who/ended", "2026-03-01T08:00:00.000+00:00")
    assert "ended" in faults(record)


def test_risk_of_a_needy_household_is_only_asked_of_the_monitored() -> None:
    record = fill("needy_household", {"village": "999999001001", "household": "h1", "category": "subsistence"})
    shown = {state.ref: state.relevant for state in record.walk()}
    assert not shown["/data/needy_risk/risk_type"]
    record.set("/data/needy_who/category", "subsistence sudden")
    record.set("/data/needy_who/recognised_on", "2026-01-10")
    record.set("/data/needy_risk/risk_removed_on", "2026-01-01")
    assert faults(record) == {"risk_removed_on"}
    assert record.answers()["head_name"] == "张三"


def test_a_removed_risk_point_needs_no_watch() -> None:
    record = fill("risk_point", {"village": "999999001001", "name": "后山", "hazard_type": "landslide",
                                 "households": "5", "people": "3"})  # fmt: skip
    assert faults(record) == {"people"}
    record.set("/data/risk_what/state", "removed")
    assert not {state.ref: state.relevant for state in record.walk()}["/data/risk_watch/monitor_name"]
