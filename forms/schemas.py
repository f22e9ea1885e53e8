"""Answers from outside (JSON, import, command line) checked against a form's shape by marshmallow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields

from forms.answers import Answers
from forms.definition import Form
from forms.problems import CunceError, Place, Problem
from forms.standards import STANDARDS, check
from forms.standards import normalise as normalise_standard
from forms.tables import Column, Table, tables_of
from forms.values import kind_of, normalise, problem_of, text_of

_UNKNOWN, _SHAPE, _ROWS = "FORMS_ANSWERS_UNKNOWN", "FORMS_ANSWERS_SHAPE", "FORMS_ANSWERS_ROWS"


class AnswersError(CunceError):
    """Answers from outside that do not fit the form."""


class AnswersSchema(Schema):
    """The schema of one row of Answers; `load` gives canonical values and raises `ValidationError` with all faults.

    Its fields carry neutral attribute names, since an answer may be called `Meta`, `fields` or `load`.
    """

    error_messages = {"unknown": _UNKNOWN, "type": _SHAPE}  # noqa: RUF012  marshmallow reads it from the class

    class Meta:
        unknown = RAISE


class Answer(fields.Field[Any]):
    """One answer: of its question's type, among its choices where these stand in the form, and up to its standard."""

    def __init__(self, column: Column, **options: Any) -> None:
        super().__init__(allow_none=True, load_default=None, **options)
        self.column = column
        self.codes = frozenset(column.choices())

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Any:
        question = self.column.question
        if isinstance(value, bool) and kind_of(question.data_type) != "boolean":
            raise ValidationError([Problem("FORMS_ANSWERS_VALUE", Place(), {"value": value})])
        if self.column.multiple and isinstance(value, list) and all(isinstance(code, str) for code in value):
            value = " ".join(value)
        if not isinstance(value, str | int | float):
            raise ValidationError([Problem("FORMS_ANSWERS_VALUE", Place(), {"value": value})])
        canonical, code = normalise(value, question.data_type)
        if code:
            raise ValidationError([problem_of(code, canonical, "")])
        standard = question.ledger.get("standard", "")
        if standard in STANDARDS:
            canonical = normalise_standard(standard, canonical)
        elif self.column.multiple:
            canonical = " ".join(text_of(canonical).split())
        faults = [*self._choice_faults(text_of(canonical)), *check(standard, canonical)]
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            raise ValidationError(errors)
        return None if canonical == "" else canonical

    def _choice_faults(self, text: str) -> Iterator[Problem]:
        if not self.codes or not text:
            return
        for code in text.split() if self.column.multiple else [text]:
            if code not in self.codes:
                yield Problem("FORMS_VALUE_CHOICE", Place(), {"value": code})


def schema_of(form: Form) -> Schema:
    """Return the schema of a form's Answers: unknown keys are faults, numbers are strict, repeats are lists of rows.

    Whether an answer is required or relevant is asked of the filled-in form (`forms.instance`), not here.
    """
    tables = tables_of(form)
    return _schema_class(tables[0], tables)()


def read_answers(form: Form, data: object) -> Answers:
    """Return Answers from outside in canonical spelling, without what is empty.

    `data`: what JSON or a program gave. Raises AnswersError with every fault of shape, type, choice and standard, each
    placed by its name (`member[2]/age`). What is required or must hold is for the filled-in form to say.
    """
    try:
        loaded = schema_of(form).load(cast("Any", data))
    except ValidationError as error:
        raise AnswersError(problems_of(error)) from error
    return _without_empty(loaded)


def _without_empty(row: Mapping[str, Any]) -> Answers:
    return {
        key: [_without_empty(below) for below in value] if isinstance(value, list) else value
        for key, value in row.items()
        if value is not None
    }


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Return every fault of a marshmallow error as Problems; a place's name is like `member[2]/age`."""
    return tuple(_flatten(error.messages, ""))


def _schema_class(table: Table, tables: tuple[Table, ...]) -> type[Schema]:
    declared: dict[str, fields.Field[Any]] = {"own_id": fields.String(data_key="_id", attribute="_id")}
    for number, column in enumerate(table.columns):
        declared[f"answer_{number}"] = Answer(column, data_key=column.name, attribute=column.name)
    for number, child in enumerate(row for row in tables if row.parent == table.name):
        rows = fields.Nested(_schema_class(child, tables))
        declared[f"rows_{number}"] = fields.List(
            rows, data_key=child.key, attribute=child.key, error_messages={"invalid": _ROWS}
        )
    return type(f"{table.name}_answers", (AnswersSchema,), declared)


def _flatten(messages: Any, path: str) -> Iterator[Problem]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _flatten(below, _joined(path, key))
    elif isinstance(messages, list):
        for message in messages:
            yield from _flatten(message, path)
    elif isinstance(messages, Problem):
        yield replace(messages, place=replace(messages.place, name=path))
    else:
        code = messages if str(messages).startswith("FORMS_") else "FORMS_ANSWERS_VALUE"
        yield Problem(code, Place(name=path), {"value": path})


def _joined(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key + 1}]"
    if key == "_schema":
        return path
    return f"{path}/{key}" if path else str(key)
