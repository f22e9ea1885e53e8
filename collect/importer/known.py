"""Find the record a row speaks of among those the station already has, so that importing twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from forms.attachments import Attachments
from forms.tables import Column, Table

Key = tuple[str, ...]


def identifying(table: Table) -> tuple[Column, ...]:
    """Return the columns that tell one record of a table from another, the surest kind that the table has.

    `ledger::unique` columns; else resident ID numbers; else none (then only a wholly equal record is the same).
    """
    unique = tuple(column for column in table.columns if "unique" in column.question.ledger)
    if unique:
        return unique
    return tuple(column for column in table.columns if column.question.ledger.get("standard") == "resident_id")[:1]


class Known:
    """The records of one ledger by their identifying values, read once an import."""

    def __init__(self, table: Table, columns: Iterable[Column], attachments: Attachments) -> None:
        self.identity = identifying(table)
        self.compared = self.identity or tuple(columns)
        self.village = next((c.name for c in table.columns if c.question.ledger.get("standard") == "village"), "")
        self._records: dict[Key, str] = {}
        for row in attachments.open(f"{table.name}.csv").rows():
            key = self.key(row, row.get(self.village, "") if self.village else "")
            if any(key[1:]):
                self._records.setdefault(key, row["name"])

    def key(self, answers: Mapping[str, Any], village: str) -> Key:
        """Return the identity of a record: its village and the text of its identifying answers."""
        values = (answers.get(column.name) for column in self.compared)
        return (village, *("" if value is None else _text(value) for value in values))

    def find(self, answers: Mapping[str, Any], village: str) -> str | None:
        """Return the id of the record these answers speak of, None where it is new."""
        key = self.key(answers, village)
        return self._records.get(key) if any(key[1:]) else None


def paired(
    known: list[dict[str, Any]], given: list[tuple[int, dict[str, Any]]]
) -> list[tuple[int | None, dict[str, Any]]]:
    """Return a repeat's rows after an import, each with the index it was given under (None: not in the file).

    Known rows come first, changed by the given one they match, then the new ones. Rows match by resident ID where both
    have one, else by name. A known row that the file does not mention stays as it is.
    """
    rest = list(given)
    result: list[tuple[int | None, dict[str, Any]]] = []
    for old in known:
        match = next((pair for pair in rest if _same(old, pair[1])), None)
        if match is None:
            result.append((None, dict(old)))
        else:
            rest.remove(match)
            result.append((match[0], {**old, **match[1]}))
    return [*result, *rest]


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if old.get("resident_id") and new.get("resident_id"):
        return bool(old["resident_id"] == new["resident_id"])
    if old.get("name") or new.get("name"):
        return old.get("name") == new.get("name")
    return all(old.get(name) == value for name, value in new.items())


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
