"""Answers from outside: shape, types and standards, with every fault at once."""

from typing import Any

import pytest
from marshmallow import ValidationError

from forms.definition import Choice, Form, Itemset, Label, Question, Repeat
from forms.schemas import problems_of, schema_of


def question(path: str, data_type: str = "string", kind: str = "text", **more: Any) -> Question:
    return Question(name=path.rpartition("/")[2], path=path, type=kind, data_type=data_type, **more)


YES_NO = Itemset((Choice("y", Label({"": ("是",)})), Choice("n", Label({"": ("否",)}))))
FORM = Form(
    "household",
    "1",
    "",
    "data",
    (
        question("/data/name"),
        question("/data/Meta"),
        question("/data/fields"),
        question("/data/people", "int", "integer"),
        question("/data/area", "decimal", "decimal"),
        question("/data/phone", ledger={"standard": "mobile"}),
        question("/data/poor", kind="select_one", itemset=YES_NO),
        Repeat("member", "/data/member", (question("/data/member/age", "int", "integer"),)),
    ),
    "",
    "",
)


def faults(answers: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        schema_of(FORM).load(answers)
    return [(problem.place.name, problem.code) for problem in problems_of(caught.value)]


def test_good_answers_come_back_in_canonical_spelling() -> None:
    loaded = schema_of(FORM).load(
        {
            "_id": "018f",
            "name": " 张三 ",
            "Meta": "m",
            "fields": "f",
            "people": "４",
            "area": 80,
            "phone": "138 0000 0000",
            "poor": "y",
            "member": [{"_id": "1", "age": 12}, {"age": None}],
        }
    )
    assert loaded == {
        "_id": "018f",
        "name": "张三",
        "Meta": "m",
        "fields": "f",
        "people": 4,
        "area": 80.0,
        "phone": "13800000000",
        "poor": "y",
        "member": [{"_id": "1", "age": 12}, {"age": None}],
    }


def test_all_faults_are_told_at_once_each_with_its_place() -> None:
    assert sorted(
        faults({"people": 12.7, "area": "x", "phone": "1", "poor": "z", "weight": 3, "member": [{}, {"age": "old"}]})
    ) == [
        ("area", "FORMS_VALUE_DECIMAL"),
        ("member[2]/age", "FORMS_VALUE_INTEGER"),
        ("people", "FORMS_VALUE_INTEGER"),
        ("phone", "FORMS_STANDARD_MOBILE"),
        ("poor", "FORMS_VALUE_CHOICE"),
        ("weight", "FORMS_ANSWERS_UNKNOWN"),
    ]


def test_wrong_shapes_are_faults_too() -> None:
    assert faults([1]) == [("", "FORMS_ANSWERS_SHAPE")]
    assert faults({"member": {"age": 1}}) == [("member", "FORMS_ANSWERS_ROWS")]
    assert faults({"member": [3]}) == [("member[1]", "FORMS_ANSWERS_SHAPE")]
    assert faults({"people": True, "name": ["x"]}) == [
        ("name", "FORMS_ANSWERS_VALUE"),
        ("people", "FORMS_ANSWERS_VALUE"),
    ]


def test_problems_speak_both_languages() -> None:
    with pytest.raises(ValidationError) as caught:
        schema_of(FORM).load({"people": "x"})
    (problem,) = problems_of(caught.value)
    assert "不是整数" in problem.words("zh")
    assert "not a whole number" in problem.words("en")
