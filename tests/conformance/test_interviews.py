"""Interviews with raw XForms, area by area, each decided by the specification (docs/conformance.md)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.scenario import run_trace

LINES = Path(__file__).with_name("interviews.jsonl").read_text(encoding="utf-8").splitlines()
TRACES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


@pytest.mark.parametrize("trace", TRACES, ids=[trace["id"] for trace in TRACES])
def test_an_interview_goes_as_written(trace: dict[str, Any]) -> None:
    assert run_trace(trace) == []


def test_every_interview_has_a_name_of_its_own_and_expects_something() -> None:
    assert len({trace["id"] for trace in TRACES}) == len(TRACES) >= 200
    assert all(any(step["op"] == "expect" for step in trace["steps"]) for trace in TRACES)
