"""Ledgers as SQLite tables: their shape from the versions of a form, and the making of tables, views and metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import sqlite_utils

from collect.database import Connection, quoted
from collect.hlc import shown
from collect.merge import Merged
from collect.revision import PARENT, Revision, RevisionId, Value
from forms.definition import Form
from forms.lineage import union
from forms.tables import Column, Table, tables_of
from forms.values import kind_of

# How many of the first columns name a record where the form does not say (no instance_name, no ledger::search name).
_NAMING = 1
_CONVERTED = ("geopoint", "geotrace", "geoshape")  # data types that are stored otherwise than they are answered
_SQLITE_INTEGERS = 2**63


@dataclass(frozen=True)
class Ledger:
    """One ledger table: the union of a form's versions, and how revisions become its rows; `form`: the newest one."""

    table: Table
    form: Form

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def names(self) -> tuple[str, ...]:
        """The table's name and those it had in older versions: what its revisions may call it."""
        return (self.name, *self.table.older_names)

    @property
    def parent(self) -> str:
        """The name of the table above, or ""."""
        return self.table.parent

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The projection's own columns behind the answers."""
        parent = ("_parent",) if self.parent else ()
        return ("_village", *parent, "_rev", "_updated_at", "_updated_by", "_status", "_extra")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every SQL column in order."""
        return ("_id", *(stored.name for stored in self.table.stored), *self.own)

    @cached_property
    def types(self) -> dict[str, type]:
        """Python type of every SQL column, as sqlite-utils takes them."""
        python = {"INTEGER": int, "REAL": float}
        answers = {stored.name: python.get(stored.sql_type, str) for stored in self.table.stored}
        return {"_id": str, **answers, **dict.fromkeys(self.own, str)}

    @cached_property
    def fields(self) -> dict[str, Column]:
        """Columns by the field that revisions write."""
        return {column.name: column for column in self.table.columns}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """Names that fields had in older versions -> the name they have now."""
        return dict(self.table.aliases)

    @cached_property
    def village_field(self) -> str:
        """The field that holds the record's village, or ""."""
        return next(
            (c.name for c in self.table.columns if c.question.ledger.get("standard") == "village"), ""
        )  # fmt: skip

    @cached_property
    def searched(self) -> tuple[tuple[Column, frozenset[str]], ...]:
        """The columns people search by, with the ways: name, pinyin, id, phone, address."""
        found = ((column, column.question.ledger.get("search", "")) for column in self.table.columns)
        return tuple((column, frozenset(re.split(r"[\s,]+", ways.strip()))) for column, ways in found if ways.strip())

    @cached_property
    def identities(self) -> tuple[tuple[str, ...], ...]:
        """The SQL columns, alone or together, that should tell records apart: numbers, and a name with a birth date."""
        alone, in_village = list[tuple[str, ...]](), list[tuple[str, ...]]()
        for column in self.table.columns:
            about, stored = column.question.ledger, column.stored[0].name
            if about.get("standard") == "resident_id" or about.get("unique") == "yes":
                alone.append((stored,))
            elif about.get("unique") == "village":
                in_village.append(("_village", stored))
        names = [column.stored[0].name for column, ways in self.searched if ways & {"name", "pinyin"}]
        born = [("birth_date",)] if names and "birth_date" in self.fields else []
        return (*alone, *in_village, *((names[0], *each) for each in born))

    @cached_property
    def phones(self) -> tuple[str, ...]:
        """The SQL columns of mobile numbers: people share them, so they are a hint and no identity."""
        return tuple(
            column.stored[0].name
            for column in self.table.columns
            if column.question.ledger.get("standard") == "mobile"
        )

    @cached_property
    def naming(self) -> tuple[Column, ...]:
        """The columns that name a record: those of instance_name, else the searched names, else the first text."""
        if not self.parent and self.form.instance_name is not None:
            paths = re.findall(r"/[^\s,()'\"=<>+*|\[\]]+", self.form.instance_name.source)
            by_path = {column.path: column for column in self.table.columns}
            named = tuple(by_path[path] for path in dict.fromkeys(paths) if path in by_path)
            if named:
                return named
        named = tuple(column for column, ways in self.searched if ways & {"name", "pinyin"})
        texts = tuple(c for c in self.table.columns if c.stored[0].sql_type == "TEXT" and c.name != self.village_field)
        return named or texts[:_NAMING]

    def current(self, changes: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return changes under the names fields have now."""
        if not self.renamed:
            return changes
        return {self.renamed.get(name, name): value for name, value in changes.items()}

    def knows(self, changes: Mapping[str, Value]) -> bool:
        """Whether every field of `changes` has a column."""
        return all(name in self.fields for name in changes)

    @cached_property
    def _places(self) -> tuple[tuple[str, type | None, tuple[None, ...], Column], ...]:
        """For each column: its field, the type of values that are stored as they are, what empty is, itself."""
        python: dict[str, type] = {"INTEGER": int, "REAL": float}
        places: list[tuple[str, type | None, tuple[None, ...], Column]] = []
        for column in self.table.columns:
            converted = kind_of(column.question.data_type) in _CONVERTED
            fits = None if converted else python.get(column.stored[0].sql_type, str)
            places.append((column.name, fits, (None,) * len(column.stored), column))
        return tuple(places)

    def row(self, record: str, fields: Mapping[str, Value], about: About) -> tuple[Any, ...]:
        """Return the values of a whole row, in the order of `columns`."""
        return self.rows([(record, fields, about)])[0]

    def rows(self, given: Sequence[tuple[str, Mapping[str, Value], About]]) -> list[tuple[Any, ...]]:
        """Return the values of whole rows, given as record, fields and what is said of each; a column at a time."""
        fields = [each for _, each, _ in given]
        said = [about for _, _, about in given]
        cells: list[Sequence[Any]] = [[record for record, _, _ in given]]
        for name, fits, empty, column in self._places:
            values = [each.get(name) for each in fields]
            if fits is not None and _as_they_are(values, fits):
                cells.append(values)
            else:
                stored = [empty if value is None or value == "" else column.store(value) for value in values]
                cells += zip(*stored, strict=True)
        cells.append([about.village for about in said])
        if self.parent:
            cells.append([each.get(PARENT) for each in fields])
        cells += ([about.rev for about in said], [about.updated_at for about in said])
        cells += ([about.updated_by for about in said], [about.status for about in said])
        # Questions never begin with a line: such fields are the ledger's own.
        unknown = {name for name in set[str]().union(*fields) - self.fields.keys() if not name.startswith("_")}
        cells.append([_extra(each, unknown) for each in fields] if unknown else [None] * len(given))
        return list(zip(*cells, strict=True))

    @cached_property
    def insert_sql(self) -> str:
        """The statement that inserts a whole row."""
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {quoted(self.name)} ({', '.join(map(quoted, self.columns))}) VALUES ({marks})"  # noqa: S608

    def answers(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers of a row (SQL column -> value), with `_id`, empty ones left out."""
        loaded = ((column.name, column.load(row)) for column in self.table.columns)
        return {"_id": row["_id"], **{name: value for name, value in loaded if value is not None}}

    def label_sql(self, prefix: str = "") -> str:
        """Return an SQL expression for what people call a row."""
        parts = []
        for column in self.naming:
            value = f"{prefix}{quoted(column.stored[0].name)}"
            if kind_of(column.question.data_type) == "dateTime":
                value = f"replace(substr({value}, 1, 16), 'T', ' ')"  # to the minute, as people write it
            parts.append(f"coalesce({_label(self, column, value, Ledgers()) or value} || ' ', '')")
        return f"trim({' || '.join(parts)})" if parts else f"{prefix}\"_id\""


def _as_they_are(values: Sequence[Any], fits: type) -> bool:
    """Whether a column's answers are all stored as they are: of the column's own type, none of them an empty text."""
    if not set(map(type, values)) <= {fits, type(None)}:
        return False
    if fits is int:
        numbers = [value for value in values if value is not None]
        return not numbers or (max(numbers) < _SQLITE_INTEGERS and min(numbers) > -_SQLITE_INTEGERS)
    return fits is not str or "" not in values


def _extra(fields: Mapping[str, Value], unknown: set[str]) -> str | None:
    """Answers to questions that no form here asks, as JSON."""
    extra = {name: fields[name] for name in unknown & fields.keys() if fields[name] is not None}
    return json.dumps(extra, ensure_ascii=False, sort_keys=True) if extra else None


class About(NamedTuple):
    """What the projection's own columns say of a row."""

    village: str
    rev: str
    updated_at: str
    updated_by: str
    status: str = "ok"


def about(revision: Revision) -> About:
    """Return what is said of a row whose only head is `revision`."""
    station, seq = revision.id
    return About(revision.village, f"{station}:{seq}", shown(revision.time), revision.author)


def about_merged(merged: Merged, status: str) -> About:
    """Return what is said of a row that several heads came to."""
    latest = merged.latest
    return About(merged.village, rev_text(merged.heads), shown(latest.time), latest.author, status)


def rev_text(heads: Iterable[RevisionId]) -> str:
    """Return heads as the column `_rev` holds them: `station:seq`, several joined by a blank."""
    return " ".join(str(head) for head in sorted(heads))


def heads_of(rev: str) -> tuple[RevisionId, ...]:
    """Return the heads that a `_rev` names."""
    pairs = (head.rpartition(":") for head in rev.split())
    return tuple(RevisionId(station, int(seq)) for station, _, seq in pairs)


class Ledgers(dict[str, Ledger]):
    """Every ledger by its table's name, parents before their repeats."""

    @cached_property
    def older(self) -> dict[str, str]:
        """Names that tables had in older versions of their forms (a renamed repeat) -> the name they have now."""
        return {name: ledger.name for ledger in self.values() for name in ledger.table.older_names}

    def of(self, table: str) -> Ledger | None:
        """Return the ledger that a table's name means, be it one of an older version; None for an unknown one."""
        return self.get(self.older.get(table, table))

    def current(self, table: str) -> str:
        """Return the name that a table has now; one that is not known stays as it is."""
        return self.older.get(table, table)


def ledgers_of(versions: Mapping[str, Sequence[Form]]) -> Ledgers:
    """Return the ledgers of all forms; `versions`: form id -> forms, newest first."""
    tables: dict[str, tuple[Table, Form]] = {}
    for forms in versions.values():
        for table in union([tables_of(form) for form in forms]):
            tables.setdefault(table.name, (table, forms[0]))
    taken = set(tables)
    found = Ledgers()
    for name, (table, form) in tables.items():
        older = tuple(each for each in table.older_names if each not in taken)
        taken.update(older)
        found[name] = Ledger(replace(table, older_names=older), form)
    return found


def create(connection: Connection, ledger: Ledger, existing: Sequence[str] = ()) -> None:
    """Make a ledger's table, or give it its present columns in their order, keeping what the old ones held."""
    database = sqlite_utils.Database(connection, recursive_triggers=False)
    temporary = f"_new_{ledger.name}"
    sql = database.create_table_sql(temporary if existing else ledger.name, ledger.types, pk="_id", not_null={"_id"})
    connection.execute(sql)
    if existing:
        kept = ", ".join(quoted(name) for name in ledger.columns if name in existing)
        new, old = quoted(temporary), quoted(ledger.name)
        connection.execute(f"INSERT INTO {new} ({kept}) SELECT {kept} FROM {old} ORDER BY _id")  # noqa: S608
        connection.execute(f"DROP TABLE {old}")
        connection.execute(f"ALTER TABLE {new} RENAME TO {old}")
    for columns in (*ledger.identities, *((phone,) for phone in ledger.phones)):
        index, listed = quoted(f"_{ledger.name}_{'_'.join(columns)}_same"), ", ".join(map(quoted, columns))
        connection.execute(f"CREATE INDEX {index} ON {quoted(ledger.name)} ({listed})")
    indexed = [ledger.own[0], *(["_parent"] if ledger.parent else [])]
    for name in indexed:
        connection.execute(
            f"CREATE INDEX {quoted(f'_{ledger.name}{name}')} ON {quoted(ledger.name)} ({quoted(name)})"
        )


def describe(connection: Connection, ledgers: Ledgers, versions: Mapping[str, Sequence[Form]]) -> None:
    """Write what any tool may read about the ledgers: forms, columns, choices; and make the views with labels."""
    for table in ("_form", "_column", "_choice"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
    for form_id, forms in versions.items():
        connection.executemany(
            "INSERT INTO _form (form_id, version, title, digest, newest) VALUES (?, ?, ?, ?, ?)",
            ((form_id, form.version, form.title, form.digest, int(at == 0)) for at, form in enumerate(forms)),
        )
    for ledger in ledgers.values():
        connection.executemany(
            'INSERT INTO _column ("table", "column", field, position, label_zh, label_en, type, privacy, standard) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _described(ledger),
        )
        connection.executemany(
            'INSERT INTO _choice ("table", field, code, label) VALUES (?, ?, ?, ?)',
            (
                (ledger.name, column.name, code, label)
                for column in ledger.table.columns
                for code, label in column.choices(language(ledger.form, "zh")).items()
            ),
        )
    for ledger in ledgers.values():
        connection.execute(labels_view(ledger, ledgers))


def language(form: Form, wanted: str) -> str:
    """Return the name the form gives a language: `wanted` is zh or en, forms write `zh`, `中文 (zh)` or nothing."""
    for name in form.languages:
        if name == wanted or f"({wanted})" in name or name.startswith(f"{wanted}-"):
            return name
    return form.default_language if wanted == "zh" else ""


def _described(ledger: Ledger) -> Iterator[tuple[Any, ...]]:
    """Rows of `_column`."""
    position = 0
    zh, en = language(ledger.form, "zh"), language(ledger.form, "en")
    for column in ledger.table.columns:
        question = column.question
        for stored in column.stored:
            position += 1
            yield (
                ledger.name, stored.name, column.name, position, question.label.plain(zh),
                question.label.texts.get(en) and question.label.plain(en), question.type,
                question.ledger.get("privacy", ""), question.ledger.get("standard", ""),
            )  # fmt: skip


def labels_view(ledger: Ledger, ledgers: Ledgers) -> str:
    """Return the SQL of `<table>_labels`: labels instead of codes, names instead of record ids."""
    parts = ['t."_id"']
    for column in ledger.table.columns:
        for stored in column.stored:
            value = f"t.{quoted(stored.name)}"
            label = _label(ledger, column, value, ledgers)
            parts.append(f"{label} AS {quoted(stored.name)}" if label else value)
    parts += [f"t.{quoted(name)}" for name in ledger.own]
    view, table = quoted(f"{ledger.name}_labels"), quoted(ledger.name)
    return f"CREATE VIEW {view} AS SELECT {', '.join(parts)} FROM {table} AS t"  # noqa: S608


def _label(ledger: Ledger, column: Column, value: str, ledgers: Ledgers) -> str:
    """SQL for the label of a code, "" for a column without codes."""
    if column.source == "village.csv" or column.name == ledger.village_field:
        return f"coalesce((SELECT name FROM _village_name WHERE code = {value}), {value})"  # noqa: S608
    named = None if column.multiple else ledgers.of(column.source.removesuffix(".csv"))
    if named is not None:
        label, of = named.label_sql("o."), quoted(named.name)
        return f'coalesce((SELECT {label} FROM {of} AS o WHERE o."_id" = {value}), {value})'  # noqa: S608
    if not column.choices():
        return ""
    table, field = (text.replace("'", "''") for text in (ledger.name, column.name))
    of_it = f"c.\"table\" = '{table}' AND c.field = '{field}'"
    if not column.multiple:
        return f"coalesce((SELECT c.label FROM _choice AS c WHERE {of_it} AND c.code = {value}), {value})"  # noqa: S608
    codes = f"json_each('[\"' || replace(replace({value}, '\"', ''), ' ', '\",\"') || '\"]')"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL ELSE (SELECT group_concat(coalesce(c.label, j.value), '、') "  # noqa: S608
        f"FROM {codes} AS j LEFT JOIN _choice AS c ON {of_it} AND c.code = j.value) END"
    )
