"""The ledgers as a sheet needs them: one village's rows with the labels and privacy of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collect.figures import LedgerFile, ledger_file
from collect.ledgers import Ledger, language
from datasette_plugins.publish.leaks import Secret
from datasette_plugins.village_map.geometry import Position, valid

Row = Mapping[str, Any]

# Every column a sheet reads, by table; nothing else leaves the ledgers.
READ: Mapping[str, tuple[str, ...]] = {
    "village": (
        "area", "altitude", "farmland", "forest", "population_registered", "households_registered",
        "income_per_capita", "collective_income", "water", "power", "road", "industry", "secretary", "secretary_phone",
        "boundary", "centre_lat", "centre_lon",
    ),
    "village_group": ("name", "leader", "phone", "location_lat", "location_lon"),
    "household": ("member_count", "labour_count", "location_lat", "location_lon"),
    "household_member": ("work_away", "_parent"),
    "left_behind": ("kind",),
    "needy_household": ("category", "risk_removed_on", "household"),
    "risk_point": (
        "number", "name", "hazard_type", "place", "location_lat", "location_lon", "households", "people", "state",
        "trigger_condition", "monitor_name", "monitor_phone", "warning_signal", "evacuation_route", "shelter",
    ),
    "visit": ("household", "started", "hazards_seen"),
    "public_place": ("name", "kind", "location_lat", "location_lon", "address", "contact", "phone", "capacity"),
}  # fmt: skip
# Types of questions that hold what somebody wrote; a choice's code or a record's id names nobody.
_WRITTEN = frozenset({"text", "integer", "barcode", "calculate", "hidden", "phonenumber", "username", "email"})
_NAMED = frozenset({"contact", "companion", "grid_worker", "leader", "secretary"})
_NUMBERS = {
    "resident_id": "身份证号",
    "disability_certificate": "残疾人证号",
    "bank_card": "银行卡号",
    "mobile": "电话",
}


@dataclass(frozen=True, slots=True)
class Books:
    """One village's ledgers.

    `rows`: table -> its records; `labels`: `table.column` -> choice labels by code, in the form's order; `public`:
    `table.column` of every question with `ledger::privacy: public`; `last_change`: when the newest record changed.
    """

    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    public: frozenset[str] = frozenset()
    last_change: str = ""

    def of(self, table: str) -> Sequence[Row]:
        """Return a table's records, none where the village has no such ledger."""
        return self.rows.get(table, ())

    def has(self, table: str) -> bool:
        """Say whether the station keeps such a ledger at all."""
        return table in self.rows

    def label(self, table: str, column: str, code: Any) -> str:
        """Return a code's label; the code itself where the form no longer knows it; "" for none."""
        text = "" if code is None else str(code)
        return self.labels.get(f"{table}.{column}", {}).get(text, text)


def read_books(path: Path, ledgers: Mapping[str, Ledger], village: str) -> Books:
    """Return a village's ledgers from a ledger file, all of one moment; raises DatabaseError."""
    with ledger_file(path) as file:
        present = [table for table in READ if table in ledgers and file.columns(table)]
        rows = {table: file.rows(table, READ[table], village=village) for table in present}
        return Books(rows, _labels(ledgers), public_fields(ledgers), file.last_change(present, village))


def public_fields(ledgers: Mapping[str, Ledger]) -> frozenset[str]:
    """Return `table.column` of every question that its form calls public."""
    return frozenset(
        f"{name}.{column.name}"
        for name, ledger in ledgers.items()
        for column in ledger.table.columns
        if column.question.ledger.get("privacy") == "public"
    )


def read_secrets(path: Path, ledgers: Mapping[str, Ledger]) -> list[Secret]:
    """Return every name, number, telephone and address in the station's ledgers; raises DatabaseError.

    Not among them: what its form calls public, and addresses without a house number (they are names of places).
    """
    with ledger_file(path) as file:
        return [secret for name, ledger in ledgers.items() for secret in _secrets(file, name, ledger)]


def position(row: Row, column: str) -> Position | None:
    """Return a geopoint's position, or None where it is empty or impossible."""
    lat, lon = row.get(f"{column}_lat"), row.get(f"{column}_lon")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    found = Position(float(lat), float(lon))
    return found if valid(found) else None


def _labels(ledgers: Mapping[str, Ledger]) -> dict[str, Mapping[str, str]]:
    return {
        f"{table}.{column.name}": column.choices(language(ledgers[table].form, "zh"))
        for table in READ
        if table in ledgers
        for column in ledgers[table].table.columns
    }


def _secrets(file: LedgerFile, table: str, ledger: Ledger) -> Iterator[Secret]:
    kinds = _kinds(ledger)
    for row in file.rows(table, list(kinds)):
        for column, kind in kinds.items():
            value = str(row.get(column) or "")
            if value and (kind != "住址" or any(character.isdigit() for character in value)):
                yield Secret(value, kind, table, str(row["_id"]), column)


def _kinds(ledger: Ledger) -> dict[str, str]:
    """What each private column of a table holds that may never be published."""
    found: dict[str, str] = {}
    for column in ledger.table.columns:
        rules = column.question.ledger
        if rules.get("privacy") == "public" or column.question.type not in _WRITTEN:
            continue
        kind = _kind(column.name, rules)
        if kind:
            found[column.name] = kind
    return found


def _kind(name: str, rules: Mapping[str, str]) -> str:
    if rules.get("standard") in _NUMBERS:
        return _NUMBERS[rules["standard"]]
    if name == "phone" or name.endswith("_phone"):
        return "电话"
    if name == "address" or name.endswith("_address"):
        return "住址"
    is_name = rules.get("search") == "name" or name in _NAMED or name.endswith("_name")
    return "姓名" if is_name and name != "group_name" else ""
