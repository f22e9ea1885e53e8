"""A station's own data as attached files: its villages as `village.csv`, each ledger as `<table>.csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

from collect.projection import Projection
from collect.settings import Village
from forms.attachments import RowsInMemory, SecondaryRows
from forms.values import text_of

BRANCH: Final = "__branchId"
VERSION: Final = frozenset({"__version", "__trunkVersion", BRANCH})
_BRANCHES: Final = UUID("6d1c7f0e-8a53-5b0f-9f57-2c5d3a0b7e41")


class StationAttachments:
    """Attached files out of a station; rows are read from the ledgers when they are asked for."""

    def __init__(
        self, projection: Projection, villages: Callable[[], Sequence[Village]], township: Callable[[], str]
    ) -> None:
        self._projection, self._villages, self._township = projection, villages, township
        # The list of villages as it was last read: the same object as long as it is the same list, so that those who
        # index it do so once.
        self._listed: tuple[object, RowsInMemory] = ((), RowsInMemory(()))

    def open(self, name: str) -> SecondaryRows:
        """Return the rows of `village.csv` (name, label, township) or of a ledger, none for any other name."""
        table = name.removesuffix(".csv")
        if table == "village":
            # The ledger of villages has the same name; the list of codes is what forms choose from.
            return self._village_rows()
        ledger = self._projection.ledgers.of(table)
        if ledger is not None:
            return LedgerRows(self._projection, ledger.name)
        return RowsInMemory(())

    def _village_rows(self) -> RowsInMemory:
        township, villages = self._township(), tuple(self._villages())
        if self._listed[0] != (township, villages):
            rows = ({"name": one.code, "label": one.name, "township": township} for one in villages)
            self._listed = ((township, villages), RowsInMemory(rows))
        return self._listed[1]


class _Row(dict[str, str]):
    """A record's columns, and its version (ODK Entities), which is counted only where it is asked for."""

    def __init__(self, cells: Mapping[str, str], written: Callable[[], int]) -> None:
        super().__init__(cells)
        self._written = written

    def __contains__(self, column: object) -> bool:
        return super().__contains__(column) or column in VERSION

    def __missing__(self, column: str) -> str:
        if column not in VERSION:
            raise KeyError(column)
        number = str(self._written())
        # What is known here is all that is known: every update begins a branch of its own at the version it saw.
        return str(uuid5(_BRANCHES, f"{self['name']} {number}")) if column == BRANCH else number

    def get(self, column: str, default: Any = None) -> Any:
        """Return a cell, a counted one too."""
        return self[column] if column in self else default  # noqa: SIM401  dict.get knows nothing of `__missing__`


class LedgerRows:
    """A ledger's rows as an attached file: `name` (record id), `label`, and every column as text.

    Each has `__version` besides, how often the record was saved as far as is known here (from 1), `__trunkVersion` and
    `__branchId`, for who updates it as an entity; they are no columns of the whole file.
    """

    def __init__(self, projection: Projection, table: str) -> None:
        self._projection, self._table = projection, table
        self._ledger = projection.ledgers[table]

    def rows(self) -> Iterator[Mapping[str, str]]:
        """Yield every row by record id."""
        return (self._text(row) for row in self._projection.labelled(self._table))

    def lookup(self, column: str, value: str) -> Iterator[Mapping[str, str]]:
        """Yield the rows whose `column` is the text `value`, found by SQL wherever the column is stored as it is."""
        if value == "":
            return (row for row in self.rows() if not row.get(column))
        if column == "name":
            column = "_id"
        stored = self._ledger.fields[column].stored if column in self._ledger.fields else ()
        if column in self._ledger.own or column == "_id" or (len(stored) == 1 and stored[0].name == column):
            found: Iterator[dict[str, Any]] = self._projection.labelled(self._table, column, value)
            return (self._text(row) for row in found)
        return (row for row in self.rows() if row.get(column) == value)

    def _text(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        answers = self._ledger.answers(row)
        own = {"_id": row["_id"], "_village": row["_village"] or "", "_parent": row.get("_parent") or ""}
        texts = {name: text_of(value) for name, value in answers.items()}
        cells = {**texts, **own, "name": row["_id"], "label": row["label"] or row["_id"]}
        return _Row(cells, partial(self._projection.written, self._table, row["_id"]))
