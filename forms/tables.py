"""From a form to its ledger tables: names, typed columns, and how an answer is stored in them and loaded again."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forms.choices import labels_of
from forms.definition import Form, Group, Node, Question, Repeat
from forms.values import Value, geojson_of, kind_of, point_numbers, point_text, text_of, text_of_geojson, typed

StoredValue = str | int | float | None
# Names SQLite, Datasette or the projection give a meaning of their own; compared in lower case.
_TAKEN_COLUMNS = frozenset({"rowid", "oid"})
_TAKEN_TABLES = frozenset({"conflict"})
_WITHOUT_DATA = frozenset({"note", "audit"})
_POINT_SUFFIXES = ("_lat", "_lon", "_altitude", "_accuracy")
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Stored:
    """One SQL column: its name (to be quoted) and its type (TEXT, INTEGER or REAL)."""

    name: str
    sql_type: str


@dataclass(frozen=True, slots=True)
class Column:
    """One question's place in a table.

    `name`: the key in Answers; `was`: the key it had in older versions (`ledger::was`), or ''; `source`: the attached
    file its choices come from (`household.csv`), or ''; `multiple`: several choice codes joined by blanks.
    """

    name: str
    path: str
    question: Question
    stored: tuple[Stored, ...]
    was: str = ""
    source: str = ""
    multiple: bool = False
    form: Form | None = field(default=None, repr=False, compare=False)

    def store(self, value: Value | None) -> tuple[StoredValue, ...]:
        """Return the value of each SQL column for an answer; what doesn't fit the type stays as text."""
        kind = kind_of(self.question.data_type)
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            return (None,) * len(self.stored)
        if kind == "geopoint":
            return _stored_point(text_of(value))
        if kind in ("geotrace", "geoshape"):
            return (geojson_of(text_of(value), kind),)
        if kind in ("int", "decimal"):
            return (_stored_number(value, self.question.data_type),)
        return (text_of(value),)

    def load(self, row: Mapping[str, Any]) -> Value | None:
        """Return the answer that `store` put into `row` (SQL column name -> value), None for empty."""
        kind = kind_of(self.question.data_type)
        values = [row[stored.name] for stored in self.stored]
        if values[0] is None:
            return None
        if kind == "geopoint":
            return _loaded_point(values)
        if kind in ("geotrace", "geoshape"):
            return text_of_geojson(values[0])
        if kind in ("int", "decimal"):
            return typed(values[0], self.question.data_type) if isinstance(values[0], str) else _number(values[0], kind)
        return text_of(values[0])

    def choices(self, language: str = "") -> Mapping[str, str]:
        """Return the labels of all its choices by code, empty where they come from a file or there are none."""
        return {} if self.form is None else labels_of(self.form, self.question, language)


@dataclass(frozen=True, slots=True)
class Table:
    """A ledger's table: the form's own (`repeat_path` and `parent` empty) or a repeat's.

    `parent`: the name of the table above; `key`: the name under which the row above holds these rows in Answers;
    `was`: the key it had in older versions (`ledger::was`), or ''. Only after `lineage.union`: `aliases`, the names
    that columns had in older versions -> the name of today; `older_keys`, `older_names`: those it had itself.
    """

    name: str
    form_id: str
    repeat_path: str
    parent: str
    columns: tuple[Column, ...]
    key: str = ""
    was: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict, compare=False)
    older_keys: tuple[str, ...] = field(default=(), compare=False)
    older_names: tuple[str, ...] = field(default=(), compare=False)

    def column(self, name: str) -> Column:
        """Return the column of an Answers key; raises KeyError for one there is none of."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def stored(self) -> tuple[Stored, ...]:
        """The SQL columns in order, without the projection's own (`_id` and so on)."""
        return tuple(stored for column in self.columns for stored in column.stored)


def safe_name(name: str) -> str:
    """Return a name that is fit for SQL between quotes: letters of any script, digits and `_`, no `_` in front."""
    plain = re.sub(r"\W", "_", name).lstrip("_")
    return plain or "x"


def table_name(form: Form) -> str:
    """Return the name of a form's root table."""
    name = safe_name(form.form_id)
    taken = name.lower() in _TAKEN_TABLES or name.lower().startswith("sqlite_")
    return f"ledger_{name}" if taken else name


def tables_of(form: Form) -> tuple[Table, ...]:
    """Return the tables of a form, root first, every repeat after its parent."""
    found: list[Table] = []
    names: set[str] = set()
    _collect(form, form.children, name=table_name(form), above=None, repeat=None, key="", found=found, names=names)
    return tuple(found)


def keys_of(form: Form, children: Iterable[Node]) -> dict[str, str]:
    """Return path -> Answers key of the questions and repeats directly in one row (groups looked through)."""
    members = [(node, groups) for node, groups in _members(form, children, ())]
    plain = [safe_name(node.name).lower() for node, _ in members]
    often = Counter(plain)
    taken: set[str] = set(_TAKEN_COLUMNS)
    keys: dict[str, str] = {}
    for (node, groups), lower in zip(members, plain, strict=True):
        wished = safe_name(node.name)
        if often[lower] > 1 and groups:
            wished = safe_name(f"{groups[-1]}_{node.name}")
            if wished.lower() in taken:
                wished = safe_name("_".join((*groups, node.name)))
        name = _free(wished, taken, _suffixes(node))
        taken.update(f"{name}{suffix}".lower() for suffix in ("", *_suffixes(node)))
        keys[node.path] = name
    return keys


def _collect(
    form: Form,
    children: Iterable[Node],
    *,
    name: str,
    above: Table | None,
    repeat: Repeat | None,
    key: str,
    found: list[Table],
    names: set[str],
) -> None:
    nodes = tuple(children)
    keys = keys_of(form, nodes)
    columns = tuple(
        _column(form, node, keys[node.path]) for node, _ in _members(form, nodes, ()) if isinstance(node, Question)
    )
    parent = "" if above is None else above.name
    was = _was(repeat) if repeat else ""
    table = Table(name, form.form_id, repeat.path if repeat else "", parent, columns, key, was)
    found.append(table)
    # A table's labels have a view of their own, `<table>_labels`.
    names.update((name.lower(), f"{name}_labels".lower()))
    for node, _ in _members(form, nodes, ()):
        if isinstance(node, Repeat):
            child = _free(f"{name}_{keys[node.path]}", names, ("_labels",))
            _collect(
                form, node.children, name=child, above=table, repeat=node, key=keys[node.path], found=found, names=names
            )


def _members(
    form: Form, children: Iterable[Node], groups: tuple[str, ...]
) -> Iterator[tuple[Question | Repeat, tuple[str, ...]]]:
    for node in children:
        if isinstance(node, Group):
            # Repeats may have a meta block of their own (entities).
            if node.name.rpartition(":")[2] != "meta":
                yield from _members(form, node.children, (*groups, node.name))
        elif isinstance(node, Repeat) or has_data(node):
            yield node, groups


def has_data(question: Question) -> bool:
    """Tell whether a question's answer is kept (notes and the form's own metadata are not)."""
    return question.type not in _WITHOUT_DATA


def _suffixes(node: Question | Repeat) -> tuple[str, ...]:
    is_point = isinstance(node, Question) and kind_of(node.data_type) == "geopoint"
    return _POINT_SUFFIXES if is_point else ()


def _free(wished: str, taken: set[str], suffixes: tuple[str, ...]) -> str:
    name, number = wished, 2
    while any(f"{name}{suffix}".lower() in taken for suffix in ("", *suffixes)):
        name, number = f"{wished}_{number}", number + 1
    return name


def _column(form: Form, question: Question, name: str) -> Column:
    kind = kind_of(question.data_type)
    if kind == "geopoint":
        stored = tuple(Stored(f"{name}{suffix}", "REAL") for suffix in _POINT_SUFFIXES)
    else:
        stored = (Stored(name, {"int": "INTEGER", "decimal": "REAL"}.get(kind, "TEXT")),)
    itemset = question.itemset
    secondary = form.secondary_instances.get(itemset.list_name) if itemset else None
    return Column(
        name=name,
        path=question.path,
        question=question,
        stored=stored,
        was=_was(question),
        source=secondary.source if secondary else "",
        multiple=question.type in ("select_multiple", "select_multiple_from_file", "rank"),
        form=form,
    )


def _was(node: Question | Repeat) -> str:
    was = node.ledger.get("was", "")
    return safe_name(was) if was else ""


def _stored_number(value: Value, data_type: str) -> StoredValue:
    number = typed(value, data_type) if isinstance(value, str) else _number(value, kind_of(data_type))
    # SQLite's integers have 64 bits; a longer one is kept whole as text.
    if isinstance(number, int) and not -_INT64 <= number < _INT64:
        return str(number)
    return number


def _number(value: Value, kind: str) -> Value:
    if kind == "int" and isinstance(value, float) and value.is_integer():
        return int(value)
    return float(value) if kind == "decimal" and isinstance(value, int) else value


def _stored_point(text: str) -> tuple[StoredValue, ...]:
    numbers = point_numbers(text)
    if numbers is None:
        return (text, None, None, None)
    return (*numbers, None, None)[:4]


def _loaded_point(values: Sequence[Any]) -> str:
    if isinstance(values[0], str):
        return values[0]
    given = [value for value in values if value is not None]
    if len(given) == 3 and values[2] is None:
        given = [*values[:2], 0.0, values[3]]
    return point_text(tuple(map(float, given)))
