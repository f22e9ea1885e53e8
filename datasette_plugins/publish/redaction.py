"""From the internal sheet to the public one: a whitelist, small counts masked, nothing to be had by subtraction. Pure.

Sources: Personal Information Protection Law arts. 6, 25, 28, 31; Law on the Protection of Minors art. 4; Map
Administration Regulations (地图管理条例) arts. 15, 22.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasette_plugins.publish.sheet_data import Figure, PlaceRow, RiskRow, Section, SheetData, Sum, Value, shown
from datasette_plugins.village_map.layers import MapData, MapRisk

LEAST = 5
SMALL = f"<{LEAST}"
WITHHELD = "不公布"
UNPUBLISHED = ""
_RISK_COLUMNS = {
    "name": "name", "place": "place", "households": "households", "people": "people", "state": "state",
    "trigger": "trigger_condition", "signal": "warning_signal", "shelter": "shelter",
}  # fmt: skip
# Hazards that are somebody's house: where it stands is nobody's business.
DWELLINGS = frozenset({"dangerous_house"})
_ENDLESS = float("inf")
_LEAST_CHOICES = 2  # a masked count must leave a reader at least this many possible values


def redact(sheet: SheetData, *, approval: str = "") -> SheetData:
    """Return what may be public of a sheet.

    Kept: figures whose questions are public and not about children; public fields of risk points and public places,
    never people's names or telephones; the map without houses, and with the boundary only where `approval` (审图号)
    is given.
    """
    sections = _public_sections(sheet.sections)
    risks = _public_risks(sheet)
    everything = _amounts(sheet.sections) | _risk_counts(sheet.risks)
    unpublished = everything.keys() - _amounts(sections).keys() - _risk_counts(risks).keys()
    masked = mask(everything, sheet.sums + _risk_sums(sheet), unpublished=frozenset(unpublished))
    return replace(
        sheet,
        sections=tuple(_masked_section(section, masked) for section in sections),
        map=public_map(sheet.map, sheet.public_fields, has_boundary=bool(approval)),
        risks=tuple(_masked_risk(risk, index, masked) for index, risk in enumerate(risks)),
        places=_public_places(sheet),
        contacts=(),
        sums=(),
        station="",
        is_public=True,
        approval=approval,
    )


def public_map(data: MapData, fields: frozenset[str], *, has_boundary: bool) -> MapData:
    """Return the map without houses; layers whose location is public; boundaries only under an approval number.

    The forms call boundaries internal because of that law, not for anybody's privacy: the number is what frees them.
    """
    has_groups = "village_group.name" in fields and "village_group.location" in fields
    groups = data.groups if has_groups else ()
    risks = data.risks if "risk_point.location" in fields else ()
    has_routes = "risk_point.evacuation_route" in fields
    return replace(
        data,
        houses=(),
        boundary=data.boundary if has_boundary else (),
        groups=tuple(group if has_boundary else replace(group, outline=()) for group in groups),
        risks=tuple(_public_map_risk(risk, has_routes=has_routes) for risk in risks),
        places=data.places if "public_place.location" in fields else (),
    )


def _public_map_risk(risk: MapRisk, *, has_routes: bool) -> MapRisk:
    if risk.hazard in DWELLINGS:
        return replace(risk, position=None, route=())
    return risk if has_routes else replace(risk, route=())


def mask(
    counts: Mapping[str, int], sums: Iterable[Sum], *, unpublished: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return what stands in the place of each count that must not be shown: `<5`, or 不公布 for its protection.

    `counts`: counts of people by key; `unpublished`: those that the sheet leaves out altogether (children, internal
    questions). Counts from 1 to 4 are masked; then, as long as a sum lets a reader narrow a masked or unpublished one
    to a single value, the smallest shown count of that sum is withheld too. A sum with a member that is not in
    `counts` (never counted at all) gives nothing away and is passed over.
    """
    hidden = {key: SMALL for key, count in counts.items() if 0 < count < LEAST}
    hidden |= dict.fromkeys(unpublished, UNPUBLISHED)
    known = [item for item in sums if all(key in counts for key in (item.total, *item.parts))]
    while True:
        given_away = _given_away(counts, hidden, known)
        if given_away is None:
            return _without_needless(counts, hidden, known)
        hidden[given_away] = WITHHELD


@dataclass(slots=True)
class _Bounds:
    """What a reader knows of each count: lowest and highest possible value."""

    low: dict[str, float]
    high: dict[str, float]

    def narrow(self, item: Sum) -> bool:
        """Apply one sum; say whether anything became narrower."""
        bounds = {part: (self.low[part], self.high[part]) for part in item.parts}
        least = sum(low for low, _ in bounds.values())
        endless = sum(high == _ENDLESS for _, high in bounds.values())
        most = sum(high for _, high in bounds.values() if high < _ENDLESS)
        is_narrower = self._set(item.total, least, _ENDLESS if endless else most)
        for part, (low, high) in bounds.items():
            is_endless = high == _ENDLESS
            others = _ENDLESS if endless > is_endless else most - (0 if is_endless else high)
            is_narrower |= self._set(part, self.low[item.total] - others, self.high[item.total] - (least - low))
        return is_narrower

    def _set(self, key: str, low: float, high: float) -> bool:
        """Narrow one count's bounds; say whether that changed anything."""
        before = self.low[key], self.high[key]
        self.low[key], self.high[key] = max(before[0], low), min(before[1], high)
        return before != (self.low[key], self.high[key])


def _given_away(counts: Mapping[str, int], hidden: Mapping[str, str], sums: list[Sum]) -> str | None:
    """The next count to withhold because a masked one can be worked out, or None when all are safe."""
    bounds = _reader(counts, hidden)
    # The sums of a sheet form a tree, on which this ends after a few rounds with what can be known and no more.
    for _ in range(50):
        if not [item for item in sums if bounds.narrow(item)]:
            break
    for key, shown_as in hidden.items():
        is_cover = shown_as == WITHHELD and not 0 < counts[key] < LEAST
        if is_cover or bounds.high[key] - bounds.low[key] + 1 >= _LEAST_CHOICES:
            continue
        open_ones = _beside(key, sums, lambda other: other not in hidden)
        if open_ones:
            # Zeros last: withholding one says little, and nobody minds that it is known.
            return min(open_ones, key=lambda other: (counts[other] == 0, counts[other]))
        # All are hidden, and "<5" itself says too much: of a sum's total below all of its parts, say.
        small_ones = _beside(key, sums, lambda other: hidden[other] == SMALL)
        if small_ones:
            return max(small_ones, key=lambda other: counts[other])
    return None


def _without_needless(counts: Mapping[str, int], hidden: dict[str, str], sums: list[Sum]) -> dict[str, str]:
    """Show again what was withheld on the way and protects nothing in the end; the greatest counts first."""
    withheld = [key for key, shown_as in hidden.items() if shown_as == WITHHELD and not 0 < counts[key] < LEAST]
    for key in sorted(withheld, key=lambda other: -counts[other]):
        fewer = {other: shown_as for other, shown_as in hidden.items() if other != key}
        if _given_away(counts, fewer, sums) is None:
            hidden = fewer
    return hidden


def _beside(key: str, sums: list[Sum], is_wanted: Callable[[str], bool]) -> list[str]:
    """Wanted counts in a sum with `key`; failing that, in sums reached from it over the others."""
    reached, around = {key}, {key}
    while around:
        beside = [other for item in sums for other in (item.total, *item.parts) if around & {item.total, *item.parts}]
        wanted = [other for other in dict.fromkeys(beside) if is_wanted(other)]
        if wanted:
            return wanted
        around = set(beside) - reached
        reached |= around
    return []


def _reader(counts: Mapping[str, int], hidden: Mapping[str, str]) -> _Bounds:
    """What a reader knows before any sum: shown counts exactly, masked ones as 1 to 4, unpublished ones not at all.

    A withheld count is most often not masked because it is 5 or more, and a reader may count on that.
    """
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for key, count in counts.items():
        shown_as = hidden.get(key)
        least = {SMALL: 1, WITHHELD: LEAST if count >= LEAST else 0, UNPUBLISHED: 0}
        low[key] = count if shown_as is None else least[shown_as]
        high[key] = count if shown_as is None else LEAST - 1 if shown_as == SMALL else _ENDLESS
    return _Bounds(low, high)


def _public_sections(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections with the public figures that have a value; those left without any disappear."""
    found: list[Section] = []
    for section in sections:
        figures = tuple(f for f in section.figures if f.public and not f.child and f.value is not None)
        found += [Section(section.title, figures)] if figures else []
    return tuple(found)


def _amounts(sections: tuple[Section, ...]) -> dict[str, int]:
    """The counts of people among the figures."""
    figures = (figure for section in sections for figure in section.figures)
    return {f.key: int(f.value) for f in figures if f.people and isinstance(f.value, int | float)}


def _risk_counts(risks: tuple[RiskRow, ...]) -> dict[str, int]:
    """Threatened households and people by the list's rows, as counts."""
    counts: dict[str, int] = {}
    for index, risk in enumerate(risks):
        for what, value in (("households", risk.households), ("people", risk.people)):
            if isinstance(value, int | float):
                counts[_risk_key(index, what)] = int(value)
    return counts


def _risk_sums(sheet: SheetData) -> tuple[Sum, ...]:
    """The list's rows add up to the figures `risk_households` and `risk_people`."""
    counts = _risk_counts(sheet.risks)
    keys = {figure.key for figure in sheet.figures()}
    found: list[Sum] = []
    for what in ("households", "people"):
        parts = tuple(key for key in counts if key.endswith(f".{what}"))
        if f"risk_{what}" in keys and parts:
            found.append(Sum(f"risk_{what}", parts))
    return tuple(found)


def _risk_key(index: int, what: str) -> str:
    return f"risks.{index}.{what}"


def _masked_section(section: Section, masked: Mapping[str, str]) -> Section:
    return replace(section, figures=tuple(_masked(figure, masked) for figure in section.figures))


def _masked(figure: Figure, masked: Mapping[str, str]) -> Figure:
    """A masked figure loses its value: what is not there cannot leak."""
    return replace(figure, value=None, mask=masked[figure.key]) if figure.key in masked else figure


def _public_risks(sheet: SheetData) -> tuple[RiskRow, ...]:
    """The list with its public columns; empty where not even the kind of hazard is public."""
    if "risk_point.hazard_type" not in sheet.public_fields:
        return ()
    hidden = [name for name, column in _RISK_COLUMNS.items() if f"risk_point.{column}" not in sheet.public_fields]
    emptied: dict[str, Any] = {name: None if name in ("households", "people") else "" for name in hidden}
    shown_risks = (replace(risk, place="") if risk.code in DWELLINGS else risk for risk in sheet.risks)
    return tuple(replace(risk, monitor="", monitor_phone="", **emptied) for risk in shown_risks)


def _masked_risk(risk: RiskRow, index: int, masked: Mapping[str, str]) -> RiskRow:
    """A row whose small counts are masked and whose others are words too, so that nothing is counted twice."""

    def amount(what: str, value: Value) -> Value:
        return None if value is None else masked.get(_risk_key(index, what), shown(value))

    return replace(risk, people=amount("people", risk.people), households=amount("households", risk.households))


def _public_places(sheet: SheetData) -> tuple[PlaceRow, ...]:
    """Public places with their public columns, without people and telephones."""
    fields = sheet.public_fields
    if "public_place.name" not in fields:
        return ()
    hidden = [name for name in ("kind", "address", "capacity") if f"public_place.{name}" not in fields]
    emptied: dict[str, Any] = {name: None if name == "capacity" else "" for name in hidden}
    return tuple(replace(place, contact="", phone="", **emptied) for place in sheet.places)
