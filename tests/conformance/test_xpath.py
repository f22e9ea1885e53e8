"""The engine passes the project's own XPath cases, which leave no function, operator or axis out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from forms.expressions import ExpressionError
from forms.expressions.functions import FUNCTIONS
from forms.expressions.parser import parse
from forms.expressions.syntax import AXES, NODE_TYPES, Call, Chain, Filter, Negate, Syntax
from forms.expressions.syntax import Path as LocationPath
from tests.conformance.xpath import run, run_case

CASES = Path(__file__).with_name("xpath.jsonl")
LINES = [json.loads(line) for line in CASES.read_text(encoding="utf-8").split("\n") if line.strip()]


@pytest.mark.parametrize("group", sorted({line["id"].rpartition("-")[0] for line in LINES}))
def test_cases(group: str) -> None:
    for case in LINES:
        if case["id"].rpartition("-")[0] == group:
            wanted, got = run_case(case)
            assert wanted == got, case


def test_cases_leave_nothing_of_the_language_out() -> None:
    seen: set[str] = set()
    for case in LINES:
        try:
            _collect(parse(case["expr"]), seen)
        except ExpressionError:
            assert case["kind"] == "error", case
    operators = {"or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "|"}
    assert {*FUNCTIONS, *AXES, *operators, *NODE_TYPES} <= seen
    assert len(LINES) == len({case["id"] for case in LINES}) > 2000


def _collect(tree: Syntax, seen: set[str]) -> None:
    inner: list[Syntax] = []
    if isinstance(tree, Call):
        seen.add(tree.name)
        inner.extend(tree.arguments)
    elif isinstance(tree, Chain):
        seen.update(symbol for symbol, _ in tree.rest)
        inner.extend([tree.first, *(operand for _, operand in tree.rest)])
    elif isinstance(tree, Negate):
        inner.append(tree.operand)
    elif isinstance(tree, Filter):
        inner.extend([tree.primary, *tree.predicates])
    elif isinstance(tree, LocationPath):
        if tree.start is not None and not isinstance(tree.start, str):
            inner.append(tree.start)
        for step in tree.steps:
            seen.update((step.axis, step.test.type))
            inner.extend(step.predicates)
    for one in inner:
        _collect(one, seen)


def test_failures_are_counted_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    good = {"id": "good", "xml": "<a>1</a>", "ctx": "", "expr": "/a + 1", "kind": "number", "expected": 2}
    wrong = {**good, "id": "wrong", "expected": 3}
    broken = {**good, "id": "broken", "xml": "<a>"}
    lines = [json.dumps(case) for case in (good, wrong, broken)]
    assert run(lines, quiet=True) == (1, 2)
    assert capsys.readouterr().out == ""
    run(lines, quiet=False)
    shown = capsys.readouterr().out
    assert "wrong: /a + 1\n  wanted '3'\n  got    '2'" in shown
    assert "broken: /a + 1" in shown


def test_lines_that_are_no_cases_fail_alone(capsys: pytest.CaptureFixture[str]) -> None:
    good = {"id": "good", "xml": "<a>1</a>", "ctx": "", "expr": "/a", "kind": "string", "expected": 1}
    odd = [
        "not json", "[]", "null", "{}", "",
        json.dumps({**good, "kind": "mood"}),
        json.dumps({**good, "ctx": "/none"}),
        json.dumps({**good, "tz": "No/Where"}),
        json.dumps({**good, "expr": 5}),
    ]
    assert run([*odd, json.dumps(good), json.dumps({**good, "fails": True})], quiet=False) == (1, 8)
    assert "line 1: None" in capsys.readouterr().out


def test_names_without_prefix_find_the_elements_of_an_xform() -> None:
    xml = '<h:html xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms"><model/></h:html>'
    case = {"id": "x", "xml": xml, "ctx": "", "expr": "count(/h:html/model)", "kind": "number", "expected": 1}
    assert run_case(case) == ("1", "1")
    prefixed = {**case, "ns": {"f": "http://www.w3.org/2002/xforms"}, "expr": "count(//f:model) - count(//model)"}
    assert run_case(prefixed) == ("1", "1")


def test_a_time_without_offset_is_in_the_zone_given() -> None:
    case = {"id": "x", "expr": "now()", "kind": "string", "tz": "Asia/Shanghai", "now": "2026-03-17T10:00:00"}
    assert run_case({**case, "expected": ""})[1] == "2026-03-17T10:00:00.000+08:00"


def test_runner_ends_with_its_totals() -> None:
    command = [sys.executable, "-m", "tests.conformance.xpath", str(CASES), "--quiet"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=CASES.parents[2])
    assert done.stdout.split("\n")[-2] == f"{len(LINES)} passed, 0 failed"
    missing = subprocess.run([*command[:3], "no-such-file"], capture_output=True, check=False, cwd=CASES.parents[2])
    assert missing.returncode == 1
