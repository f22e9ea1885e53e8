"""Many records of one form, one after another: the verdicts of `Instance`, without building an instance for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from forms.answers import Answers
from forms.attachments import Attachments, NoAttachments
from forms.clock import Clock, SystemClock
from forms.instance import Instance
from forms.problems import Problem
from forms.program import Program
from forms.reused import OtherwiseError, Reused
from forms.steadiness import unsteady

_NO_ATTACHMENTS = NoAttachments()
_NO_METADATA: Mapping[str, str] = {}


class Bulk:
    """Fills in one new record after another: `fill` says what is wrong with it, `answers` takes it out.

    Each is what `Instance.new(...).fill(answers)` and then `Instance.answers()` give. Forms of questions and one level
    of repeats run on one tree of cells that is used again; where that could come out otherwise (`why` says the reason;
    also for a single odd record) an instance of its own does it. Attached files are read as they stand when this is
    made.
    """

    def __init__(
        self,
        program: Program,
        *,
        clock: Clock | None = None,
        attachments: Attachments = _NO_ATTACHMENTS,
        language: str = "",
        metadata: Mapping[str, str] = _NO_METADATA,
    ) -> None:
        self.why = unsteady(program)
        self.unplaced: dict[str, Any] = {}
        given: dict[str, Any] = {
            "clock": clock or SystemClock(), "attachments": attachments, "language": language, "metadata": metadata,
        }  # fmt: skip
        self._begin: Callable[[str], Instance] = lambda record_id: Instance.new(program, **given, record_id=record_id)
        self._reused = None if self.why else Reused.new(program, **given)
        if self._reused is not None:
            self._reused.prepare()
        self._current: Instance | Reused | None = None

    def fill(self, answers: Mapping[str, Any], *, record_id: str = "") -> tuple[Problem, ...]:
        """Begin a new record with these answers and return every problem of it, unknown names (warnings) among them.

        `answers` as `Instance.fill` takes them; `record_id`: a UUIDv7, made where none is given.
        """
        if self._reused is not None:
            try:
                problems = self._reused.again(answers, record_id)
                self._current, self.unplaced = self._reused, self._reused.unplaced
                return problems
            except OtherwiseError:
                pass
        instance = self._begin(record_id)
        problems = instance.fill(answers)
        self._current, self.unplaced = instance, instance.unplaced
        return problems

    def answers(self) -> Answers:
        """Return the record that was filled in last as data; raises RuntimeError before the first one."""
        if self._current is None:
            raise RuntimeError("fill comes first")
        return self._current.answers()
