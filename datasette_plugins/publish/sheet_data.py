"""What a village profile sheet says, as data: figures, tables, contacts, the map and where it all comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from datasette_plugins.village_map.layers import MapData

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a village.

    `key`: its name for sums and data; `value`: None is drawn as —. `people`: it counts persons or their households,
    so that small counts are masked in public. `public`: every question it rests on is `ledger::privacy: public`.
    `child`: it is about children, never public. `head`: it also stands large at the top. `mask`: what a public sheet
    shows in the value's place.
    """

    key: str
    label: str
    value: Value = None
    unit: str = ""
    people: bool = False
    public: bool = False
    child: bool = False
    head: bool = False
    mask: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures under one heading, in the order they are read."""

    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """A figure that is the sum of others, by their keys: whoever knows all but one knows that one."""

    total: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RiskRow:
    """A risk point in the list; `households`, `people`: threatened there; `code`: of its hazard, as on the map."""

    number: str
    name: str
    hazard: str
    place: str = ""
    households: Value = None
    people: Value = None
    state: str = ""
    trigger: str = ""
    signal: str = ""
    shelter: str = ""
    monitor: str = ""
    monitor_phone: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A public place in the list."""

    name: str
    kind: str
    address: str = ""
    capacity: Value = None
    contact: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody on duty: what for, who, and the telephone. Internal sheets only."""

    role: str
    name: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class SheetData:
    """A village's sheet. `made`: when, with its zone; `as_of`: the last change it knows, as it is printed.

    `approval`: the 审图号 a public map with a boundary needs; `address`: of the public page, drawn as a QR code.
    `public_fields`: `table.column` of every question that its form calls public; rows and map rest on them.
    """

    code: str
    village: str
    township: str
    made: datetime
    as_of: str = ""
    station: str = ""
    sections: tuple[Section, ...] = ()
    sums: tuple[Sum, ...] = ()
    map: MapData = field(default_factory=MapData)
    risks: tuple[RiskRow, ...] = ()
    places: tuple[PlaceRow, ...] = ()
    contacts: tuple[Contact, ...] = ()
    is_public: bool = False
    approval: str = ""
    address: str = ""
    public_fields: frozenset[str] = frozenset()

    def figures(self) -> Iterator[Figure]:
        """Yield every figure in order."""
        return (figure for section in self.sections for figure in section.figures)


def shown(value: Value) -> str:
    """Return a value as the sheet prints it: thousands apart, decimals only where there are any, — for none."""
    if value is None or value == "":
        return "—"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{int(value):,}"
