"""Numbers of questions: one counting for paper, page and talk, in the order in which a form asks."""

from __future__ import annotations

from collections.abc import Mapping

from forms.definition import Form, Question

# `1 = 1`: for a text that other parts fill in; a text that is read-only by `true()` is a note without data.
_ALWAYS = frozenset({"true()", "'true'", '"true"', "1 = 1"})


def numbers_of(form: Form) -> Mapping[str, int]:
    """Return the number, from 1, of every question that people answer: path -> number, in document order.

    Skipping a question does not change the numbers after it, and a repeat's questions count once, however many rows
    it has: a number on paper and one on a page are the same question.
    """
    return {question.path: number for number, question in enumerate(filter(is_asked, form.questions()), start=1)}


def is_asked(question: Question) -> bool:
    """Say whether people answer a question: it is shown, and is no note, no calculation, and not fixed for reading."""
    if not question.shown or question.type == "note" or question.calculate is not None:
        return False
    if "confirms" in question.ledger:
        return False  # only asked where a rule is broken
    # The question that carries the heads of a table-list asks nothing itself.
    if "label" in question.appearance:
        return False
    return question.readonly is None or question.readonly.source.strip() not in _ALWAYS
