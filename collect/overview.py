"""What pages read of the ledgers beside Datasette's own queries: counts by village, labels and children of records."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from collect.database import connect, quoted
from collect.ledgers import Ledger
from collect.search import literal, normal

MOST_CHILDREN = 200  # rows of one other ledger that a record's page shows


def counts_by_village(file: Path, tables: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return village code -> table -> number of records of a ledger file; tables that are not there count nothing."""
    found: dict[str, dict[str, int]] = {}
    with closing(connect(file, readonly=True)) as connection:
        present = {name for (name,) in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in tables:
            if table not in present:
                continue
            sql = f"SELECT _village, count(*) FROM {quoted(table)} GROUP BY _village"  # noqa: S608 (quoted name)
            for village, number in connection.rows(sql):
                found.setdefault(village or "", {})[table] = number
    return found


def counts_by_group(file: Path, ledger: Ledger, column: str) -> dict[str, dict[str, int]]:
    """Return village code -> what a column holds ("" for nothing) -> number of records."""
    found: dict[str, dict[str, int]] = {}
    with closing(connect(file, readonly=True)) as connection:
        sql = f"SELECT _village, {quoted(column)}, count(*) FROM {quoted(ledger.name)} GROUP BY 1, 2"  # noqa: S608
        for village, group, number in connection.rows(sql):
            found.setdefault(village or "", {})[str(group or "")] = number
    return found


def labels_query(ledger: Ledger, number: int) -> str:
    """Return the query for the id and the name of `number` records, whose ids are its parameters."""
    marks = ", ".join("?" * number)
    return f"SELECT _id, {ledger.label_sql()} FROM {quoted(ledger.name)} WHERE _id IN ({marks})"  # noqa: S608


def rows_query(table: str, column: str) -> str:
    """Return the query for the records whose `column` holds the id that is its one parameter, oldest first."""
    return f"SELECT * FROM {quoted(table)} WHERE {quoted(column)} = ? ORDER BY _id LIMIT {MOST_CHILDREN + 1}"  # noqa: S608


def search_clause(ledger: Ledger, text: str) -> tuple[str, dict[str, str]] | None:
    """Return a condition on `_id` and its parameters for records whose search keys hold every word of `text`.

    As `Station.find`: parts of names, pinyin, initials, numbers. None where a ledger marks nothing to search by, or
    there is nothing to search for.
    """
    words = [word for word in (normal(part) for part in text.split()) if word]
    if not ledger.searched or not words:
        return None
    parameters = {f"q{number}": f"%{literal(word)}%" for number, word in enumerate(words)}
    held = " AND ".join(f"keys LIKE :{name} ESCAPE '\\'" for name in parameters)
    clause = f'_id IN (SELECT record FROM _search WHERE "table" = :q_table AND {held})'  # noqa: S608 (parameters only)
    return clause, {**parameters, "q_table": ledger.name}
