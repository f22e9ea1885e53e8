"""Copying: what the next household has in common with the one before it, taken over by one key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from forms.definition import Form, Question
from forms.tables import Column, Table, table_name

if TYPE_CHECKING:
    from collect.station import Station
    from forms.instance import Instance


class Carried(NamedTuple):
    """What may be taken over: refs with the values there, their labels, and what people call the record they are of."""

    values: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    of: str


def is_carried(form: Form) -> bool:
    """Tell whether any question of a form is marked `ledger::carry`."""
    return any(question.ledger.get("carry") == "yes" for question in form.questions())


def carried(station: Station, instance: Instance, *, author: str, village: str, record: str) -> Carried | None:
    """Return what the record that this author saved last, of this form and village, has for empty questions here.

    `village`: `""` for any, when its own is taken over as well. None where there is no such record.
    """
    form = instance.program.form
    table = table_name(form)
    row = station.projection.latest(table, author=author, village=village, apart=record)
    if row is None:
        return None
    answers = station.projection.ledgers[table].answers(row)
    found = [
        (column.question, str(answers[column.name]))
        for column in _marked(station.shelf.tables(form)[0], village)
        if answers.get(column.name) not in (None, "") and _is_open(instance, column.question)
    ]
    labels = tuple(question.label.plain(instance.language) for question, _ in found)
    return Carried(tuple((question.path, value) for question, value in found), labels, row["label"] or "")


def _marked(table: Table, village: str) -> Iterator[Column]:
    """The questions to take over: those marked, outside rows, and the village where it isn't known yet."""
    for column in table.columns:
        about = column.question.ledger
        if about.get("carry") == "yes" or (about.get("standard") == "village" and not village):
            yield column


def _is_open(instance: Instance, question: Question) -> bool:
    """Whether a question is asked now and has no answer yet."""
    state = instance.state(question.path)
    return state.relevant and not state.readonly and state.value in ("", None)
