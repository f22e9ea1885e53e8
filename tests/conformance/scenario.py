"""Run scripted interviews through the engine: python -m tests.conformance.scenario TRACES.jsonl [--quiet]."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forms.evaluation import MOST_ROWS
from forms.instance import Instance, InstanceError, NodeState
from forms.program import compile_form
from forms.values import number_text
from forms.xform import read_xform
from tests.conformance.xpath import read_lines, speak_plainly

Trace = Mapping[str, Any]
Step = Mapping[str, Any]


class Interview:
    """One form being filled in by the steps of a trace."""

    def __init__(self, form: str) -> None:
        self.instance = Instance.new(compile_form(read_xform(form)))

    def do(self, step: Step) -> None:
        """Carry out a step that isn't an expectation."""
        op, ref = step["op"], step.get("ref", "")
        if op == "answer":
            self._make_room(ref)
            self.instance.set(ref, _typed(step.get("value")))
        elif op == "add":
            self._allowed(lambda: self.instance.add(ref))
        elif op == "remove":
            self._allowed(lambda: self.instance.remove(ref))
        elif op == "language":
            self.instance.language = str(step["value"])
        elif op != "go":
            raise ValueError(f"unknown step {op}")

    def look(self, step: Step) -> Any:
        """Return what an expectation asks for."""
        what = step["what"]
        if what == "value" and "/@" in step["ref"]:
            return self.instance.get(step["ref"])
        state = self._state(step["ref"])
        if state is None and step["ref"].strip("/ ") == self.instance.form.root:
            # The record itself has no state: it is there, and what its bind says holds for its children.
            return {"relevant": True, "readonly": False}.get(what)
        if what == "value":
            return _text(state.value) if state is not None and state.relevant else ""
        if what == "relevant":
            return state is not None and state.relevant
        if what == "count":
            return 0 if state is None else state.count
        if state is None:
            return None
        if what == "readonly":
            return state.readonly
        if what == "label":
            return state.label
        if what in ("choices", "choices_any_order"):
            shown = [[choice.name, choice.label] for choice in state.choices]
            return shown if what == "choices" else sorted(shown)
        if what == "choice_count":
            return len(state.choices)
        if what in ("constraint_message", "required_message"):
            return self._message(state, what)
        raise ValueError(f"unknown expectation {what}")

    def _message(self, state: NodeState, what: str) -> str | None:
        wanted = "FORMS_VALUE_REQUIRED" if what == "required_message" else "FORMS_VALUE_CONSTRAINT"
        if state.problem is None or not state.problem.code.startswith(wanted):
            return None
        return str(state.problem.context.get("message", ""))

    def _state(self, ref: str) -> NodeState | None:
        try:
            return self.instance.state(ref)
        except InstanceError:
            return None

    def _make_room(self, ref: str) -> None:
        """Add the repeat instances that an answer's ref counts on."""
        steps = ref.split("/")
        for place, step in enumerate(steps):
            name, bracket, number = step.partition("[")
            series = "/".join((*steps[:place], name))
            state = self._state(series) if bracket and number[:-1].isdigit() else None
            if state is None or state.kind != "repeat":
                continue
            for _ in range(state.count, min(int(number[:-1]), MOST_ROWS)):
                self._allowed(lambda series=series: self.instance.add(series))  # type: ignore[misc]

    def _allowed(self, change: Callable[[], object]) -> None:
        """Carry out a change of structure; a form that sets its number itself takes none."""
        try:
            change()
        except InstanceError as error:
            if error.code not in ("FORMS_REPEAT_FIXED", "FORMS_REF_UNKNOWN"):
                raise


def run_trace(trace: Trace) -> list[str]:
    """Return what went otherwise than a trace expects, one line each."""
    interview = Interview(trace["form"])
    differences = []
    for number, step in enumerate(trace["steps"], start=1):
        # A step that can't be carried out is a difference like any other: the later ones still tell something.
        try:
            difference = _step(interview, step)
        except Exception as crash:
            difference = f"{step!r}: wanted no fault, got {type(crash).__name__}: {crash}"
        if difference:
            differences.append(f"step {number} {difference}")
    return differences


def _step(interview: Interview, step: Step) -> str:
    if step["op"] != "expect":
        interview.do(step)
        return ""
    got, wanted = interview.look(step), step.get("is")
    same = _same(step["what"], wanted, got)
    return "" if same else f"{step['what']} {step['ref']}: wanted {wanted!r}, got {got!r}"


def _same(what: str, wanted: Any, got: Any) -> bool:
    if what == "value":
        text = _text(wanted)
        return bool(text == got) or any(read(text) == read(got) is not None for read in (_numbers, _moment))
    if what == "choices_any_order":
        return sorted(_choices(wanted)) == sorted(_choices(got))
    if what == "choices":
        return _choices(wanted) == _choices(got)
    if what == "label":
        return _words(wanted) == _words(got)
    if what.endswith("_message") and got == "":
        # The form says nothing of its own: any words will do, as long as there are some.
        return wanted is not None
    return bool(wanted == got)


def _choices(wanted: Any) -> list[list[str]]:
    """Choices as a trace writes them: pairs of value and label, a label that isn't there as null."""
    return [[_words(one) for one in pair] for pair in wanted or ()]


def _words(value: Any) -> str:
    """A text as it is shown, where blanks and line breaks run together."""
    return " ".join(_text(value).split())


def _typed(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(float(value))
    if isinstance(value, list):
        return " ".join(_text(one) for one in value)
    return str(value)


def _numbers(text: str) -> list[float] | None:
    """A number, or the numbers of a position, line or area, however they are written."""
    try:
        numbers = [float(part) for part in text.replace(";", " ").split()]
    except ValueError:
        return None
    # The last digits of fractions differ with the machine's mathematics.
    return [one if one.is_integer() else float(f"{one:.13g}") for one in numbers] or None


def _moment(text: str) -> datetime | None:
    """A date and time, or a time, however its zone and fractions are written."""
    whole = text if "T" in text else f"1970-01-01T{text}"
    try:
        moment = datetime.fromisoformat(whole) if ":" in text else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def run(lines: list[str], *, quiet: bool) -> tuple[int, int]:
    """Run traces, one JSON object a line, and print those that fail; return how many passed and failed."""
    passed = failed = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        # One broken line (or one broken engine) must not hide the others.
        trace: Trace = {}
        try:
            trace = json.loads(line)
            if trace.get("fails"):
                continue
            differences = run_trace(trace)
        except Exception as crash:
            differences = [f"{type(crash).__name__}: {crash}"]
        passed, failed = passed + (not differences), failed + bool(differences)
        if differences and not quiet:
            name = trace.get("id") if isinstance(trace, Mapping) else None
            print(name or f"line {number}", *differences, sep="\n  ")
    return passed, failed


def main() -> int:
    """Run the file named on the command line; 0 unless it can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--quiet", action="store_true")
    chosen = parser.parse_args()
    speak_plainly()
    try:
        lines = read_lines(chosen.traces)
    except (OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    passed, failed = run(lines, quiet=chosen.quiet)
    print(f"{passed} passed, {failed} failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
