"""The one error of the expression engine: what is wrong with an expression, and where in its source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from forms.problems import CunceError, Place, Problem


class ExpressionError(CunceError):
    """An expression that cannot be compiled or evaluated.

    `problem.context` always holds `source` (the expression) and `position` (1-based character, 0 where unknown).
    """

    def __init__(self, code: str, *, source: str = "", position: int = 0, **context: Any) -> None:
        self.problem = Problem(code, Place(), {"source": source, "position": position, **context})
        super().__init__(self.problem)

    def at(self, place: Place) -> Problem:
        """Return the problem with the place of the form's row that holds the expression."""
        return replace(self.problem, place=place)
