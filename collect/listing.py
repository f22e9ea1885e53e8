"""Listing a ledger as people ask for it: conditions in words, sorting, pages of rows with labels instead of codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect.database import connect, quoted
from collect.ledgers import Ledger, language
from collect.search import literal
from forms.problems import CunceError, Problem

_WORD = re.compile(r"^(?P<name>[^=<>!~]+?)\s*(?P<sign>!=|>=|<=|=|>|<|~)\s*(?P<value>.*)$", re.S)
_CHUNK = 500


class ListError(CunceError):
    """A condition or a column that the ledger does not know; every fault at once."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a SQL column; `sign`: = != > < >= <= or ~ (holds the text). An empty `value` means no answer."""

    column: str
    sign: str
    value: str
    several: bool = False
    numeric: bool = False

    @property
    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        name = quoted(self.column)
        if self.sign == "~":
            return f"{name} LIKE ? ESCAPE '\\'", (f"%{literal(self.value)}%",)
        if self.value == "":
            empty = f"({name} IS NULL OR {name} = '')"
            return (empty if self.sign in ("=", "<", "<=") else f"NOT {empty}"), ()
        if self.several and self.sign in ("=", "!="):
            held = f"(' ' || coalesce({name}, '') || ' ') LIKE ? ESCAPE '\\'"
            return (held if self.sign == "=" else f"NOT {held}"), (f"% {literal(self.value)} %",)
        # A number compares with numbers, text with text: an ID number is text, and 0012 is not 12.
        number = _number(self.value) if self.numeric else None
        compared = f"{name} IS NOT ?" if self.sign == "!=" else f"{name} {self.sign} ?"
        return compared, (self.value if number is None else number,)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows of a ledger; `columns`: SQL names; `sort`: one of them or ""; `limit` 0: all rows."""

    ledger: Ledger
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    sort: str = ""
    descending: bool = False
    limit: int = 0
    offset: int = 0


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
    sort: str = "",
    limit: int = 0,
    offset: int = 0,
) -> Listing:
    """Return what to list, from words: conditions `name=value`, columns by name or label, `sort` (`-name` descends).

    Names are the form's names or its labels; values of choices are codes or labels, of villages (`villages`: code ->
    name) too. Raises ListError with every word that says nothing (COLLECT_LIST_COLUMN, COLLECT_LIST_WHERE).
    """
    problems: list[Problem] = []
    known = {**dict(_by_label(ledger)), **{name: name for name in ledger.columns}}

    def column(name: str) -> str:
        found = known.get(name.strip())
        if found is None:
            names = "、".join(columns_of(ledger))
            problems.append(Problem("COLLECT_LIST_COLUMN", context={"name": name, "names": names}))
        return found or "_id"

    where = []
    for word in words:
        found = _WORD.match(word.strip())
        if found is None:
            problems.append(Problem("COLLECT_LIST_WHERE", context={"word": word}))
            continue
        name = column(found["name"])
        codes, several = _codes(ledger, name, villages or {})
        value = found["value"].strip()
        where.append(Condition(name, found["sign"], codes.get(value, value), several, ledger.types[name] is not str))
    chosen = tuple(dict.fromkeys(column(name) for name in columns)) or tuple(columns_of(ledger))
    sorted_by = column(sort.removeprefix("-")) if sort else ""
    if problems:
        raise ListError(problems)
    return Listing(ledger, chosen, tuple(where), sorted_by, sort.startswith("-"), limit, offset)


def page(file: Path, wanted: Listing, *, codes: bool = False) -> Page:
    """Return one page of a list out of a ledger file, read-only; `codes`: stored codes instead of labels.

    Each row has `_id`, `_rev`, `_village`, a repeat's also `_parent`, and the columns wanted.
    """
    ledger = wanted.ledger
    parts = [condition.sql for condition in wanted.where]
    where = f"WHERE {' AND '.join(sql for sql, _ in parts)}" if parts else ""
    values = [value for _, given in parts for value in given]
    order = f"{quoted(wanted.sort)} {'DESC' if wanted.descending else 'ASC'}, _id" if wanted.sort else "_id"
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


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
