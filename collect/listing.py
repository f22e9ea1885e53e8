"""Listing a ledger as people ask for it: conditions in words, sorting, pages of rows with labels instead of codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.conditions import AnyOf, Called, Condition, Where
from collect.database import connect, quoted
from collect.ledgers import Ledger, Ledgers, language
from forms.problems import CunceError, Problem

_WORD = re.compile(r"^(?P<name>[^=<>!~]+?)\s*(?P<sign>!=|>=|<=|=|>|<|~)\s*(?P<value>.*)$", re.S)
_CHUNK = 500


class ListError(CunceError):
    """A condition or a column that the ledger does not know; every fault at once."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows of a ledger.

    `columns`: SQL names; `sort`: one of them or ""; `limit` 0: all rows; `target`: the ledger whose records `sort`
    points at, which are sorted by what they are called.
    """

    ledger: Ledger
    columns: tuple[str, ...]
    where: tuple[Where, ...] = ()
    sort: str = ""
    descending: bool = False
    limit: int = 0
    offset: int = 0
    target: Ledger | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list: how many fit the conditions in all, and those of this page by SQL column, as labels."""

    total: int
    rows: tuple[dict[str, Any], ...]


def columns_of(ledger: Ledger, lang: str = "zh") -> dict[str, str]:
    """Return SQL column -> label of a ledger's answers, in the form's order (a point's parts share their label)."""
    spoken = language(ledger.form, lang)
    return {
        stored.name: column.question.label.plain(spoken).strip() or column.name
        for column in ledger.table.columns
        for stored in column.stored
    }


def listing(
    ledger: Ledger,
    *,
    words: Iterable[str] = (),
    columns: Sequence[str] = (),
    villages: Mapping[str, str] | None = None,
    ledgers: Ledgers | None = None,
    sort: str = "",
    limit: int = 0,
    offset: int = 0,
) -> Listing:
    """Return what to list, from words: conditions `name=value`, columns by name or label, `sort` (`-name` descends).

    Names are the form's names or its labels; values of choices are codes or labels, of villages (`villages`: code ->
    name) too; several with `|` between mean any of them. `~` on a choice looks into its labels, on a link to another
    ledger (of `ledgers`) into what the record is called. Raises ListError with every word that says nothing
    (COLLECT_LIST_COLUMN, COLLECT_LIST_WHERE).
    """
    problems: list[Problem] = []
    known = {**dict(_by_label(ledger)), **{name: name for name in ledger.columns}}

    def column(name: str) -> str:
        found = known.get(name.strip())
        if found is None:
            names = "、".join(columns_of(ledger))
            problems.append(Problem("COLLECT_LIST_COLUMN", context={"name": name, "names": names}))
        return found or "_id"

    where: list[Where] = []
    for word in words:
        found = _WORD.match(word.strip())
        if found is None:
            problems.append(Problem("COLLECT_LIST_WHERE", context={"word": word}))
            continue
        name = column(found["name"])
        pointed = (ledgers or Ledgers()).of(target_of(ledger, name))
        codes = _codes(ledger, name, villages or {})
        where.append(_condition(Condition(name, found["sign"], found["value"].strip()), ledger, codes, pointed))
    chosen = tuple(dict.fromkeys(column(name) for name in columns)) or tuple(columns_of(ledger))
    sorted_by = column(sort.removeprefix("-")) if sort else ""
    if problems:
        raise ListError(problems)
    target = (ledgers or Ledgers()).of(target_of(ledger, sorted_by))
    return Listing(ledger, chosen, tuple(where), sorted_by, sort.startswith("-"), limit, offset, target)


def _condition(
    said: Condition, ledger: Ledger, known: tuple[dict[str, str], bool], target: Ledger | None
) -> Where:
    """One condition as it was written, in codes; `known`: label -> code, and whether it holds several."""
    (codes, several), name, value = known, said.column, said.value
    if said.sign == "~" and target is not None:
        return Called(name, target, value)
    if said.sign == "~" and codes:
        fitting = dict.fromkeys(code for label, code in codes.items() if value in label or value == code)
        return AnyOf([Condition(name, "=", code, several) for code in fitting])
    if said.sign == "=" and codes and "|" in value and value not in codes.values():
        parts = [codes.get(part.strip(), part.strip()) for part in value.split("|")]
        return AnyOf([Condition(name, "=", part, several) for part in dict.fromkeys(parts)])
    return Condition(name, said.sign, codes.get(value, value), several, ledger.types[name] is not str)


def target_of(ledger: Ledger, name: str) -> str:
    """Return the ledger whose records a SQL column points at, "" for a column that points at none."""
    if name == "_parent":
        return ledger.parent
    column = ledger.fields.get(name)
    return "" if column is None or column.multiple else column.source.removesuffix(".csv")


def page(file: Path, wanted: Listing, *, codes: bool = False) -> Page:
    """Return one page of a list out of a ledger file, read-only; `codes`: stored codes instead of labels.

    Each row has `_id`, `_rev`, `_village`, a repeat's also `_parent`, and the columns wanted.
    """
    ledger = wanted.ledger
    parts = [condition.sql for condition in wanted.where]
    where = f"WHERE {' AND '.join(sql for sql, _ in parts)}" if parts else ""
    values = [value for _, given in parts for value in given]
    order = _order(wanted)
    table = quoted(ledger.name)
    with closing(connect(file, readonly=True)) as connection:
        total = int(connection.value(f"SELECT count(*) FROM {table} {where}", values))  # noqa: S608
        sql = f"SELECT _id FROM {table} {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        ids = [row[0] for row in connection.rows(sql, (*values, wanted.limit or -1, wanted.offset))]
        own = ("_id", "_rev", "_village", *(("_parent",) if ledger.parent else ()))
        names = tuple(dict.fromkeys((*own, *wanted.columns)))
        source = table if codes else quoted(f"{ledger.name}_labels")
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), _CHUNK):
            part = ids[start : start + _CHUNK]
            marks = ", ".join("?" * len(part))
            listed = ", ".join(map(quoted, names))
            for row in connection.rows(f"SELECT {listed} FROM {source} WHERE _id IN ({marks})", part):  # noqa: S608
                found[row[0]] = dict(zip(names, row, strict=True))
    return Page(total, tuple(found[one] for one in ids if one in found))


def fitting_ids(file: Path, wanted: Listing, *, most: int) -> tuple[tuple[str, str], ...]:
    """Return `_id` and `_rev` of the records that fit, in the list's order; `most`: of so many."""
    parts = [condition.sql for condition in wanted.where]
    where = f"WHERE {' AND '.join(sql for sql, _ in parts)}" if parts else ""
    values = [value for _, given in parts for value in given]
    with closing(connect(file, readonly=True)) as connection:
        sql = f"SELECT _id, _rev FROM {quoted(wanted.ledger.name)} {where} ORDER BY {_order(wanted)} LIMIT ?"  # noqa: S608
        return tuple((row[0], row[1]) for row in connection.rows(sql, (*values, most)))


def names_of(file: Path, wanted: Iterable[tuple[Ledger, Iterable[str]]]) -> dict[str, str]:
    """Return record id -> what people call it, of records of several ledgers."""
    found: dict[str, str] = {}
    with closing(connect(file, readonly=True)) as connection:
        for ledger, records in wanted:
            given = "SELECT value FROM json_each(?)"
            sql = f"SELECT _id, {ledger.label_sql()} FROM {quoted(ledger.name)} WHERE _id IN ({given})"  # noqa: S608
            found.update(connection.rows(sql, (json.dumps(list(records)),)))
    return found


def _order(wanted: Listing) -> str:
    """What rows are sorted by: choices in the form's order, texts by the number they begin with; empty ones last."""
    ledger, name = wanted.ledger, wanted.sort
    if not name:
        return "_id"
    column, way = quoted(name), "DESC" if wanted.descending else "ASC"
    found = ledger.fields.get(name)
    codes = list(found.choices()) if found is not None and not found.multiple else []
    if codes:
        listed = " ".join(f"WHEN {_text(code)} THEN {place}" for place, code in enumerate(codes))
        keys = [f"CASE {column} {listed} ELSE {len(codes)} END {way}"]
    elif wanted.target is not None:
        named, table = wanted.target.label_sql("o."), quoted(wanted.target.name)
        keys = [f'(SELECT {named} FROM {table} AS o WHERE o."_id" = {quoted(ledger.name)}.{column}) {way}']  # noqa: S608
    elif ledger.types[name] is str:
        number = f"CASE WHEN {column} GLOB '[0-9]*' THEN CAST({column} AS INTEGER) ELSE 1e30 END"
        keys = [f"{number} {way}", f"{column} {way}"]
    else:
        keys = [f"{column} {way}"]
    return ", ".join([f"({column} IS NULL OR {column} = '')", *keys, "_id"])


def _text(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _by_label(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Labels of columns, in both languages, each with its SQL column: the first of several alike."""
    found: dict[str, str] = {}
    for lang in ("zh", "en"):
        for name, label in columns_of(ledger, lang).items():
            found.setdefault(label, name)
    return iter(found.items())


def _codes(ledger: Ledger, name: str, villages: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """Label -> code of a column's choices, and whether it holds several at once."""
    if name in ("_village", ledger.village_field):
        return {label: code for code, label in villages.items()}, False
    column = next((c for c in ledger.table.columns if any(stored.name == name for stored in c.stored)), None)
    if column is None:
        return {}, False
    labels: dict[str, str] = {}
    for lang in ("zh", "en"):
        labels |= {label: code for code, label in column.choices(language(ledger.form, lang)).items()}
    return labels, column.multiple
