"""An answer that breaks a rule stands once somebody has said why, on the page as in an import."""

from __future__ import annotations

from typing import Any

from forms.bulk import Bulk
from forms.clock import SystemClock
from forms.definition import Form
from forms.instance import Instance
from forms.numbering import numbers_of
from forms.program import compile_form
from forms.reader import load_shipped, read_rows

WRONG = "110105194912310021"  # the check character would be X


def form() -> Form:
    return read_rows({
        "survey": [
            {"type": "begin repeat", "name": "person", "label": "人"},
            {"type": "text", "name": "number", "label": "身份证号", "ledger::standard": "resident_id"},
            {"type": "text", "name": "why", "label": "原因", "ledger::confirms": "number"},
            {"type": "integer", "name": "age", "label": "年龄", "constraint": ". < 110"},
            {"type": "text", "name": "why_old", "label": "原因", "ledger::confirms": "age"},
            {"type": "end repeat"},
        ],
        "settings": [{"form_id": "confirm", "version": "1"}],
    })  # fmt: skip


def told(instance: Instance) -> list[tuple[str, str]]:
    return [(problem.place.name, problem.severity) for problem in instance.problems()]


def test_a_broken_rule_is_in_the_way_until_its_reason_stands_in_the_same_row() -> None:
    instance = Instance.new(compile_form(form()), clock=SystemClock())
    instance.add("/data/person")
    for row in (1, 2):
        instance.set(f"/data/person[{row}]/number", WRONG)
        instance.set(f"/data/person[{row}]/age", 111)
    assert {severity for _, severity in told(instance)} == {"error"}
    instance.changes_since()
    instance.set("/data/person[1]/why", "老证未换")
    assert "/data/person[1]/number" in instance.changes_since().altered
    assert told(instance) == [
        ("/data/person[1]/number", "warning"), ("/data/person[1]/age", "error"),
        ("/data/person[2]/number", "error"), ("/data/person[2]/age", "error"),
    ]  # fmt: skip


def test_what_is_of_another_type_is_not_confirmed() -> None:
    instance = Instance.new(compile_form(form()), clock=SystemClock())
    instance.set("/data/person[1]/age", "很老")
    instance.set("/data/person[1]/why_old", "不知道")
    assert told(instance) == [("/data/person[1]/age", "error")]


def test_many_records_are_judged_the_same() -> None:
    bulk = Bulk(compile_form(form()), clock=SystemClock())
    confirmed = {"number": WRONG, "why": "老证未换"}
    rows: list[dict[str, Any]] = [{"number": WRONG}, confirmed, {"age": 120, "why_old": "核过"}]
    assert [[problem.severity for problem in bulk.fill({"person": [row]})] for row in rows] == [
        ["error"], ["warning"], ["warning"],
    ]  # fmt: skip


def test_the_reason_is_no_question_of_the_paper_form() -> None:
    household = load_shipped("household")
    reasons = household.reasons()
    assert reasons == {"/data/member/resident_id": "/data/member/resident_id_reason"}
    assert not set(reasons.values()) & numbers_of(household).keys()
