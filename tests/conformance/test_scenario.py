"""The scripted interviews of the project's own, and the runner that plays them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import scenario

TRACES = Path(__file__).with_name("scenario.jsonl").read_text(encoding="utf-8").split("\n")


def test_every_scripted_interview_goes_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    passed, failed = scenario.run(TRACES, quiet=False)
    assert (failed, capsys.readouterr().out) == (0, "")
    assert passed >= 500


def test_a_wrong_expectation_is_told_with_what_was_wanted_and_got(capsys: pytest.CaptureFixture[str]) -> None:
    trace = TRACES[0].replace('"is": 10', '"is": 11').replace('"id": "', '"id": "wrong-')
    assert scenario.run([trace], quiet=False) == (0, 1)
    assert "wanted 11, got '10'" in capsys.readouterr().out


def test_a_trace_that_crashes_does_not_hide_the_others() -> None:
    broken = '{"id": "x", "form": "<nonsense", "steps": []}'
    assert scenario.run([broken, TRACES[0], TRACES[0].replace('"id"', '"fails": true, "id"')], quiet=True) == (1, 1)


def test_lines_that_are_no_traces_fail_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert scenario.run(["not json", "[]", "null", "{}", "", TRACES[0]], quiet=False) == (1, 4)
    assert "line 1\n  JSONDecodeError" in capsys.readouterr().out


def test_unknown_steps_and_expectations_fail() -> None:
    form = json.loads(TRACES[0])["form"]
    mood = {"op": "expect", "what": "mood", "ref": "/data/a", "is": 1}
    for step in ({"op": "fly"}, mood, {"op": "answer", "ref": "/x"}):
        assert scenario.run([json.dumps({"id": "x", "form": form, "steps": [step]})], quiet=True) == (0, 1)


def test_runner_ends_with_its_totals() -> None:
    file = Path(__file__).with_name("scenario.jsonl")
    command = [sys.executable, "-m", "tests.conformance.scenario", str(file), "--quiet"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=file.parents[2])
    assert done.stdout.split("\n")[-2] == f"{len(list(filter(str.strip, TRACES)))} passed, 0 failed"
    missing = subprocess.run([*command[:3], "no-such-file"], capture_output=True, check=False, cwd=file.parents[2])
    assert missing.returncode == 1
