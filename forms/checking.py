"""What is wrong with the answers of a filled-in form: required, type, constraint, standard, choices."""

from __future__ import annotations

from collections.abc import Iterator

from forms.cells import Cell
from forms.evaluation import Evaluation
from forms.problems import Place, Problem, Severity
from forms.program import Spec, Text
from forms.standards import check

# Without and with words of the form's own.
_REQUIRED = ("FORMS_VALUE_REQUIRED", "FORMS_VALUE_REQUIRED_SAID")
_REQUIRED_SINCE = ("FORMS_VALUE_REQUIRED_SINCE", "FORMS_VALUE_REQUIRED_SINCE")
_CONSTRAINT = ("FORMS_VALUE_CONSTRAINT", "FORMS_VALUE_CONSTRAINT_SAID")


class Checking:
    """Checks the cells of one filled-in form; only relevant ones have problems."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation
        self.selects = evaluation.selects
        # Questions newer than the record: that they are still empty is to be followed up, not in the way.
        self.excused: set[Cell] = set()

    def beneath(self, cell: Cell) -> Iterator[Problem]:
        """Yield every problem beneath a cell in document order."""
        for child in cell.cells:
            if not child.relevant:
                continue
            if child.spec.is_leaf:
                yield from self.faults(child)
            else:
                yield from self.beneath(child)

    def faults(self, cell: Cell) -> Iterator[Problem]:
        """Yield what is wrong with a relevant question's answer; places are refs."""
        spec = cell.spec
        asked = spec.question.shown
        if not cell.value:
            if asked and not always_in_the_way(spec) and self.evaluation.holds(spec.required, cell, otherwise=False):
                if cell in self.excused:
                    yield self._said(_REQUIRED_SINCE, spec.required_message, cell, "warning")
                else:
                    yield self._said(_REQUIRED, spec.required_message, cell)
            return
        if cell.code:
            yield Problem(cell.code, Place(name=cell.ref), {"value": cell.value})
            return
        if asked and not self.evaluation.holds(spec.constraint, cell, otherwise=True):
            yield self._said(_CONSTRAINT, spec.constraint_message, cell, self._severity(cell))
        if spec.standard:
            for problem in check(spec.standard, cell.value):
                severity = self._severity(cell) if problem.severity == "error" else problem.severity
                yield Problem(problem.code, Place(name=cell.ref), problem.context, severity)
        if spec.options is not None:
            for code in cell.value.split() if spec.multiple else (cell.value,):
                if not self.selects.offers(cell, code):
                    yield Problem("FORMS_VALUE_CHOICE", Place(name=cell.ref), {"value": code})

    def _severity(self, cell: Cell) -> Severity:
        """What a broken rule is: in the way, unless somebody has said why the answer stands (`ledger::confirms`)."""
        return "warning" if self.evaluation.holds(cell.spec.confirmed, cell, otherwise=False) else "error"

    def _said(
        self, codes: tuple[str, str], message: Text | None, cell: Cell, severity: Severity = "error"
    ) -> Problem:
        context = self.evaluation.context
        words = "" if message is None else message.say(context.language, context.at(cell))
        shown = {"value": cell.value, "message": words}
        rule = cell.spec.constraint
        if not words and rule is not None and rule.compiled is not None:
            shown["rule"] = rule.compiled.source
        return Problem(codes[bool(words)], Place(name=cell.ref), shown, severity)


def always_in_the_way(spec: Spec) -> bool:
    """A required note stops whom it is shown to until an answer above is mended; one that is always shown, by a slip
    of its author, would let nobody ever finish."""
    return spec.question.type == "note" and spec.relevant is None
