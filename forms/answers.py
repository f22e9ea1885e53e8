"""Answers in and out of a filled-in form: the record as plain data, as every part of the system passes it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forms.cells import Cell
from forms.evaluation import Evaluation
from forms.problems import Place, Problem
from forms.program import Program, Spec
from forms.standards import STANDARDS
from forms.standards import normalise as normalise_standard
from forms.values import normalise, text_of, typed

Answers = dict[str, Any]


def answers_of(
    root: Cell, record_id: str, *, relevant_only: bool, leftover: Mapping[str, Mapping[str, Any]] | None = None
) -> Answers:
    """Return a filled-in form as Answers; empty answers are left out, repeats are lists even without rows.

    `leftover`: id of the record or of a row -> answers that go along though the form has no place for them.
    """
    answers: Answers = {"_id": record_id} if record_id else {}
    _gather(root, answers, relevant_only=relevant_only)
    if leftover:
        _add(answers, leftover)
    return answers


def _add(row: Answers, leftover: Mapping[str, Mapping[str, Any]]) -> None:
    for key, value in leftover.get(str(row.get("_id", "")), {}).items():
        row.setdefault(key, value)
    for value in row.values():
        if isinstance(value, list):
            for below in value:
                if isinstance(below, dict):
                    _add(below, leftover)


def _gather(cell: Cell, answers: Answers, *, relevant_only: bool) -> None:
    for spec in cell.spec.children:
        if spec.kind == "repeat":
            if spec.key:
                answers[spec.key] = [
                    _row(row, relevant_only=relevant_only)
                    for row in cell.rows(spec)
                    if row.relevant or not relevant_only
                ]
            continue
        for child in cell.rows(spec):
            if relevant_only and not child.relevant:
                continue
            if spec.kind == "group":
                _gather(child, answers, relevant_only=relevant_only)
            elif spec.key and child.value:
                answers[spec.key] = typed(child.value, spec.data_type)


def _row(cell: Cell, *, relevant_only: bool) -> Answers:
    row: Answers = {"_id": cell.row_id} if cell.row_id else {}
    _gather(cell, row, relevant_only=relevant_only)
    return row


def canonical(spec: Spec, value: object) -> tuple[str, str]:
    """Return what a question's cell holds for an answer, and the code of what is wrong with its type.

    `value`: text, number, None, or a sequence of choice codes.
    """
    if isinstance(value, Sequence) and _is_list(value):
        return " ".join(map(text_of, value)), ""
    parsed, code = normalise(value, spec.data_type)
    text = text_of(parsed)
    if text and not code and spec.standard in STANDARDS:
        return normalise_standard(spec.standard, text), ""
    if spec.multiple:
        return " ".join(text.split()), code
    return text, code


class Filling:
    """Puts Answers into a tree of cells, without evaluating; gathers what has no place in the form.

    `saved`: the answers are a whole record, so that rows get no defaults.
    """

    def __init__(self, evaluation: Evaluation, new_id: Callable[[], str], *, saved: bool = False) -> None:
        self.saved = saved
        self.evaluation = evaluation
        self.program: Program = evaluation.program
        self.new_id = new_id
        self.unplaced: dict[str, Any] = {}
        # The same by the row they belong to: its id ('' for the record) -> name -> value.
        self.leftover: dict[str, dict[str, Any]] = {}
        self.problems: list[Problem] = []
        self.changed: list[Cell] = []
        self.given: list[Cell] = []

    def put(self, row: Cell, answers: Mapping[str, Any], path: str = "", prefix: str = "") -> None:
        """Give the cells of a record or row (`path`: its repeat's) their answers; a repeat's rows become these rows."""
        keys, was = self.program.keys[path], self.program.was[path]
        for key, value in answers.items():
            if key.startswith("_"):
                continue
            spec = keys.get(key) or was.get(key)
            if spec is None:
                self.unplaced[f"{prefix}{key}"] = value
                self.leftover.setdefault(row.row_id if path else "", {})[key] = value
                self.problems.append(
                    Problem("FORMS_ANSWERS_UNKNOWN", Place(name=f"{prefix}{key}"), {"value": key}, "warning")
                )
            elif spec.kind == "repeat":
                self._rows(row, spec, value, f"{prefix}{key}")
            elif isinstance(value, Mapping) or (_is_list(value) and not spec.multiple):
                self.problems.append(Problem("FORMS_ANSWERS_VALUE", Place(name=f"{prefix}{key}"), {"value": value}))
            else:
                self._answer(self._cell(row, spec), value)

    def _answer(self, cell: Cell, value: object) -> None:
        text, code = canonical(cell.spec, value)
        # A hidden calculation is the form's own business, whatever a file says.
        cell.given = bool(text) and (cell.spec.calculate is None or cell.spec.question.shown)
        cell.code = code
        if cell.given:
            self.given.append(cell)
        if cell.value != text:
            cell.value = text
            self.changed.append(cell)

    def _cell(self, row: Cell, spec: Spec) -> Cell:
        above: list[Spec] = []
        parent = spec.parent
        while parent is not None and parent is not row.spec:
            above.append(parent)
            parent = parent.parent
        cell = row
        for step in (*reversed(above), spec):
            cell = cell.only(step)
        return cell

    def _rows(self, row: Cell, repeat: Spec, value: Any, place: str) -> None:
        if not _is_list(value) or not all(isinstance(one, Mapping) for one in value):
            self.problems.append(Problem("FORMS_ANSWERS_ROWS", Place(name=place)))
            return
        container = row if repeat.parent is row.spec or repeat.parent is None else self._cell(row, repeat.parent)
        known = {cell.row_id: cell for cell in container.rows(repeat) if cell.row_id}
        # Rows are taken out and put back, for the order is the answers'.
        for cell in list(container.rows(repeat)):
            self.evaluation.remove_row(cell)
        for number, answers in enumerate(value, start=1):
            row_id = str(answers.get("_id") or "")
            kept = known.pop(row_id, None) if row_id else None
            added = self.evaluation.add_row(container, repeat, row_id or self.new_id(), kept)
            added.given = True
            if self.saved and kept is None:
                self.evaluation.empty(added)
            self.given.append(added)
            self.put(added, answers, repeat.path, f"{place}[{number}]/")


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
