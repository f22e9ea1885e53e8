"""The scripted interviews of the project's own, and the runner that plays them."""

from pathlib import Path

import pytest

from tests.conformance import scenario

TRACES = Path(__file__).with_name("scenario.jsonl").read_text(encoding="utf-8").split("\n")


def test_every_scripted_interview_goes_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    passed, failed = scenario.run(TRACES, quiet=False)
    assert (failed, capsys.readouterr().out) == (0, "")
    assert passed >= 100


def test_a_wrong_expectation_is_told_with_what_was_wanted_and_got(capsys: pytest.CaptureFixture[str]) -> None:
    trace = TRACES[0].replace('"is": 10', '"is": 11').replace('"id": "', '"id": "wrong-')
    assert scenario.run([trace], quiet=False) == (0, 1)
    assert "wanted 11, got '10'" in capsys.readouterr().out


def test_a_trace_that_crashes_does_not_hide_the_others() -> None:
    broken = '{"id": "x", "form": "<nonsense", "steps": []}'
    assert scenario.run([broken, TRACES[0], TRACES[0].replace('"id"', '"fails": true, "id"')], quiet=True) == (1, 1)
