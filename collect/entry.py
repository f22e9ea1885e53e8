"""Enter one record from words on a command line, by the same rules as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import IO, Any

from collect.station import Saved, Station
from forms.definition import Form
from forms.problems import CunceError, Place, Problem
from forms.schemas import AnswersError, read_answers
from forms.tables import Table, tables_of

_NAME = re.compile(r"^(?:(?P<repeat>[^\[\].=]+)\[(?P<number>[1-9]\d{0,3})\]\.)?(?P<name>[^\[\].=]+)$")


class EntryError(CunceError):
    """Some of the words or answers are wrong; nothing was saved."""


def add_record(
    station: Station,
    form_id: str,
    values: Iterable[str],
    *,
    given: object = None,
    record: str | None = None,
    village: str | None = None,
    author: str | None = None,
) -> Saved:
    """Save a new record, or change `record`, from `NAME=VALUE` words (`member[2].name=…` for a repeat's second row).

    `given`: Answers from outside (JSON), which the words add to; a repeat in them replaces the rows there are.
    Raises EntryError with every fault of the answers, the words and the form's rules; then nothing is saved.
    """
    form = station.form(form_id)
    tables = tables_of(form)
    answers: dict[str, Any] = station.answers(tables[0].name, record) if record else {}
    fitting, problems = _fitting(form, {} if given is None else given)
    answers |= {name: value for name, value in fitting.items() if name != "_id"}
    problems += _enter(answers, tables, values, form_id)
    for table in tables:  # a new form begins with an empty row of each repeat, which the words do not speak of
        if table.parent == tables[0].name:
            answers.setdefault(table.key, [])
    instance = station.instance(form_id, record)
    problems += instance.fill({name: value for name, value in answers.items() if name != "_id"})
    found = [*problems, *(p for p in instance.problems() if p.severity == "error" and p not in problems)]
    if any(problem.severity == "error" for problem in found):
        raise EntryError(found)
    by = author or station.author or station.name
    return station.save(instance, form, record=record, author=by, village=village)


def answers_in(file: IO[str]) -> object:
    """Return what a JSON file holds; raises EntryError (COLLECT_ADD_JSON) where it is none."""
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise EntryError(Problem("COLLECT_ADD_JSON", Place(file=str(file.name)), {"said": error})) from error


def _fitting(form: Form, given: object) -> tuple[Mapping[str, Any], list[Problem]]:
    """Answers from outside that fit the form, and what is wrong with their shape.

    Answers that only are of the wrong type stay, for the form's rules to say so together with everything else.
    """
    try:
        return read_answers(form, given), []
    except AnswersError as error:
        shape = [problem for problem in error.problems if problem.code.startswith("FORMS_ANSWERS")]
        if shape or not isinstance(given, Mapping):
            return {}, list(error.problems)
        return given, []


def _enter(
    answers: dict[str, Any], tables: tuple[Table, ...], values: Iterable[str], form_id: str
) -> Iterable[Problem]:
    by_key = {table.key: table for table in tables if not table.parent or table.parent == tables[0].name}
    for word in values:
        name, sign, value = word.partition("=")
        found = _NAME.match(name.strip())
        if not sign or found is None:
            yield Problem("COLLECT_ADD_VALUE", context={"value": word})
            continue
        table = by_key.get(found["repeat"] or "")
        names = [column.name for column in table.columns] if table else sorted(filter(None, by_key))
        if table is None or found["name"] not in names:
            yield Problem("COLLECT_ADD_QUESTION", context={"form": form_id, "name": name, "names": "、".join(names)})
            continue
        _row(answers, found)[found["name"]] = value


def _row(answers: dict[str, Any], found: Mapping[str, Any] | re.Match[str]) -> dict[str, Any]:
    """The dict that a name speaks of; rows of a repeat are made as far as they are needed."""
    if not found["repeat"]:
        return answers
    rows: list[dict[str, Any]] = answers.setdefault(found["repeat"], [])
    while len(rows) < int(found["number"]):
        rows.append({})
    return rows[int(found["number"]) - 1]
