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

    def __init__(
        self, table: Table, columns: Iterable[Column], attachments: Attachments, below: Iterable[Table] = ()
    ) -> None:
        self.identity = identifying(table)
        self.compared = self.identity or tuple(columns)
        self.village = next((c.name for c in table.columns if c.question.ledger.get("standard") == "village"), "")
        self._records: dict[Key, str] = {}
        self._named = next((c.name for c in table.columns if c.question.ledger.get("search") == "name"), "")
        self._names: dict[Key, set[str]] = {}
        self._persons = _persons(below, attachments)
        for row in attachments.open(f"{table.name}.csv").rows():
            key = self.key(row, row.get(self.village, "") if self.village else "")
            if any(key[1:]):
                self._records.setdefault(key, row["name"])
            if row.get(self._named):
                self._names.setdefault((key[0], row[self._named]), set()).add(row["name"])

    def key(self, answers: Mapping[str, Any], village: str) -> Key:
        """Return the identity of a record: its village and the text of its identifying answers."""
        values = (answers.get(column.name) for column in self.compared)
        return (village, *("" if value is None else _text(value) for value in values))

    def find(self, answers: Mapping[str, Any], village: str) -> str | None:
        """Return the id of the record these answers speak of, None where it is new.

        Where the file leaves out what identifies a record (the household's number), the ID numbers of its members
        decide, if all that are known belong to one record; else the name, if only one in the village has it.
        """
        key = self.key(answers, village)
        found = self._records.get(key) if any(key[1:]) else None
        if found is not None or not self.identity or all(key[1:]):
            return found
        rows = [row for value in answers.values() if isinstance(value, list) for row in value]
        persons = {self._persons[each] for row in rows if (each := str(row.get("resident_id") or "")) in self._persons}
        if not persons:
            persons = self._names.get((key[0], str(answers.get(self._named) or "")), set())
        return next(iter(persons)) if len(persons) == 1 else None


def _persons(tables: Iterable[Table], attachments: Attachments) -> dict[str, str]:
    """ID number -> the record above, of every row of a repeat."""
    return {
        row["resident_id"]: row["_parent"]
        for table in tables
        if any(column.name == "resident_id" for column in table.columns)
        for row in attachments.open(f"{table.name}.csv").rows()
        if row.get("resident_id")
    }


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
