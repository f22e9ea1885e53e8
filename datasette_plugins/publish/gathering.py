"""From a village's ledgers to its sheet: what is counted, summed and listed, and on which questions it rests. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from datasette_plugins.publish.books import Books, Row, position
from datasette_plugins.publish.sheet_data import (
    Contact,
    Figure,
    PlaceRow,
    RiskRow,
    Section,
    SheetData,
    Sum,
    Value,
)
from datasette_plugins.village_map.geometry import read_geojson
from datasette_plugins.village_map.layers import GroupArea, MapData, MapPlace, MapRisk

# label, unit of the village ledger's own figures, as its form asks for them
_VILLAGE = {
    "area": ("面积", "km²"),
    "altitude": ("海拔", "米"),
    "households_registered": ("上报户籍户数", "户"),
    "population_registered": ("上报户籍人口", "人"),
    "farmland": ("耕地", "亩"),
    "forest": ("林地", "亩"),
    "income_per_capita": ("人均可支配收入", "元"),
    "collective_income": ("村集体收入", "万元"),
    "water": ("通水", ""),
    "power": ("通电", ""),
    "road": ("通村道路", ""),
    "industry": ("主导产业", ""),
}
_HEADS = ("households", "registered", "resident", "labour", "away")
_PEOPLE = ("households_registered", "population_registered")


def gather(books: Books, *, code: str, village: str, township: str, station: str, made: datetime) -> SheetData:
    """Return the internal sheet of a village; `made` also says which month's visits are counted."""
    risks = live_risks(books)
    sums = (
        Sum("left_behind", ("left_behind.child", "left_behind.woman", "left_behind.elder")),
        Sum("registered", ("resident", "away")),
        *_risk_sums(risks),
    )
    sections = (
        _people(books),
        _basics(books),
        _left_behind(books),
        _needy(books),
        _risks(books, risks),
        _visits(books, made),
    )
    return SheetData(
        code,
        village,
        township,
        made,
        as_of=books.last_change[:10],
        station=station,
        sections=tuple(section for section in sections if section.figures),
        sums=sums,
        map=_map(books, risks),
        risks=tuple(_risk_row(books, risk, number) for number, risk in risks),
        places=tuple(_place_row(books, place) for place in books.of("public_place")),
        contacts=_contacts(books, risks),
        public_fields=books.public,
    )


def live_risks(books: Books) -> list[tuple[str, Row]]:
    """Return the risk points that are not removed, each with the short number that map and list give it."""
    rows = [row for row in books.of("risk_point") if row.get("state") != "removed"]
    numbers = [str(row.get("number") or "") for row in rows]
    # The ledger's own numbers are used when they are short and unlike; a long code would not fit its sign.
    is_usable = all(0 < len(number) <= 3 for number in numbers) and len(set(numbers)) == len(numbers)
    return [(numbers[at] if is_usable else str(at + 1), row) for at, row in enumerate(rows)]


def _people(books: Books) -> Section:
    households, members = books.of("household"), books.of("household_member")
    registered = _total(households, "member_count") if households else None
    counted = len(members) if members else registered
    away = sum(row.get("work_away") == "yes" for row in members) if members else None
    resident = None if away is None or counted is None else counted - away
    figures = (
        _count(books, "households", "户数", len(households), "户", rest=("household.village",)),
        _count(books, "registered", "户籍人口", counted, "人", rest=("household.member_count",)),
        _count(books, "resident", "常住人口", resident, "人", rest=("household_member.work_away",)),
        _count(books, "labour", "劳动力", _total(households, "labour_count"), "人", rest=("household.labour_count",)),
        _count(books, "away", "外出务工", away, "人", rest=("household_member.work_away",)),
    )
    return Section("人口与家庭（台账）", figures if books.has("household") else ())


def _basics(books: Books) -> Section:
    row: Row = next(iter(books.of("village")), {})
    figures = []
    for name, (label, unit) in _VILLAGE.items():
        value = books.label("village", name, row[name]) if name in _coded(books) and row.get(name) else row.get(name)
        is_public = f"village.{name}" in books.public
        figures.append(Figure(f"village.{name}", label, value, unit, people=name in _PEOPLE, public=is_public))
    has_groups = "village_group.name" in books.public
    groups = Figure("groups", "村民小组", len(books.of("village_group")), "个", public=has_groups)
    return Section("基本情况", (*figures[:2], groups, *figures[2:]) if books.has("village") else ())


def _coded(books: Books) -> set[str]:
    """The village questions that are answered by codes."""
    return {name for name in _VILLAGE if books.labels.get(f"village.{name}")}


def _left_behind(books: Books) -> Section:
    if not books.has("left_behind"):
        return Section("", ())
    kinds = Counter(str(row.get("kind") or "") for row in books.of("left_behind"))
    total = sum(kinds[kind] for kind in ("child", "woman", "elder"))
    rest = ("left_behind.kind",)
    figures = [_count(books, "left_behind", "三留守合计", total, "人", rest=rest)]
    for kind, label in (("child", "留守儿童"), ("woman", "留守妇女"), ("elder", "留守老人")):
        figure = _count(books, f"left_behind.{kind}", label, kinds[kind], "人", rest=rest)
        figures.append(replace(figure, child=kind == "child"))
    return Section("三留守人员", tuple(figures))


def _needy(books: Books) -> Section:
    """Households by category; one may be in several, so the categories do not add up to the total."""
    if not books.has("needy_household"):
        return Section("", ())
    rows = [row for row in books.of("needy_household") if not row.get("risk_removed_on")]
    codes = Counter(code for row in rows for code in str(row.get("category") or "").split())
    labels = books.labels.get("needy_household.category", {})
    rest = ("needy_household.category",)
    figures = [_count(books, "needy", "困难户", len(rows), "户", rest=rest)]
    for code in dict.fromkeys([*labels, *codes]):
        label = labels.get(code, code).split("（")[0].removesuffix("户").removesuffix("家庭")
        figures.append(_count(books, f"needy.{code}", label, codes[code], "户", rest=rest))
    return Section("困难户（可兼类）", tuple(figures))


def _risks(books: Books, risks: Sequence[tuple[str, Row]]) -> Section:
    if not books.has("risk_point"):
        return Section("", ())
    rows = [row for _, row in risks]
    kinds = Counter(str(row.get("hazard_type") or "") for row in rows)
    is_public = "risk_point.hazard_type" in books.public
    figures = [
        Figure("risks", "风险点", len(rows), "处", public=is_public, head=True),
        _count(books, "risk_households", "威胁户数", _total(rows, "households"), "户", rest=("risk_point.households",)),
        _count(books, "risk_people", "威胁人数", _total(rows, "people"), "人", rest=("risk_point.people",)),
    ]
    for code, number in kinds.most_common():
        label = books.label("risk_point", "hazard_type", code) or "未分类"
        people = _total([row for row in rows if str(row.get("hazard_type") or "") == code], "people")
        figures.append(Figure(f"risks.{code}", label, number, "处", public=is_public))
        figures.append(_count(books, f"risk_people.{code}", f"{label}威胁", people, "人", rest=("risk_point.people",)))
    return Section("风险点", tuple(figures))


def _risk_sums(risks: Sequence[tuple[str, Row]]) -> Iterable[Sum]:
    """People threatened add up over the kinds of hazard, and over the points of a kind."""
    kinds: dict[str, list[str]] = {}
    for at, (_, row) in enumerate(risks):
        if isinstance(row.get("people"), int | float):
            kinds.setdefault(str(row.get("hazard_type") or ""), []).append(f"risks.{at}.people")
    yield Sum("risk_people", tuple(f"risk_people.{code}" for code in kinds))
    for code, points in kinds.items():
        yield Sum(f"risk_people.{code}", tuple(points))


def _visits(books: Books, made: datetime) -> Section:
    if not books.has("visit"):
        return Section("", ())
    rows = [row for row in books.of("visit") if str(row.get("started") or "").startswith(f"{made:%Y-%m}")]
    visited = len({row.get("household") for row in rows} - {None, ""})
    households = len(books.of("household"))
    coverage = f"{visited / households:.1%}" if households else None
    is_public = "visit.started" in books.public
    return Section(
        "走访",
        (
            Figure("visits", "本月走访", len(rows), "次", public=is_public),
            Figure("visits.households", "本月走访户", visited, "户", people=True, public=is_public),
            Figure("visits.coverage", "本月覆盖", coverage),
            Figure("visits.hazards", "发现隐患", sum(row.get("hazards_seen") == "yes" for row in rows), "次"),
        ),
    )


def _map(books: Books, risks: Sequence[tuple[str, Row]]) -> MapData:
    village: Row = next(iter(books.of("village")), {})
    places = [
        MapPlace(str(row.get("name") or ""), str(row.get("kind") or ""), position(row, "location"))
        for row in books.of("public_place")
    ]
    return MapData(
        boundary=read_geojson(str(village.get("boundary") or "")),
        groups=tuple(
            GroupArea(str(row.get("name") or ""), position(row, "location")) for row in books.of("village_group")
        ),
        houses=tuple(spot for row in books.of("household") if (spot := position(row, "location")) is not None),
        risks=tuple(
            MapRisk(number, str(row.get("hazard_type") or ""), position(row, "location"),
                    read_geojson(str(row.get("evacuation_route") or "")))
            for number, row in risks
        ),
        places=tuple(places),
        hazards=books.labels.get("risk_point.hazard_type", {}),
        kinds={code: label.split("、")[0] for code, label in books.labels.get("public_place.kind", {}).items()},
    )  # fmt: skip


def _risk_row(books: Books, row: Row, number: str) -> RiskRow:
    return RiskRow(
        number,
        _text(row, "name"),
        books.label("risk_point", "hazard_type", row.get("hazard_type")),
        _text(row, "place"),
        row.get("households"),
        row.get("people"),
        books.label("risk_point", "state", row.get("state")),
        _text(row, "trigger_condition"),
        _text(row, "warning_signal"),
        _text(row, "shelter"),
        _text(row, "monitor_name"),
        _text(row, "monitor_phone"),
        _text(row, "hazard_type"),
    )


def _place_row(books: Books, row: Row) -> PlaceRow:
    return PlaceRow(
        _text(row, "name"),
        books.label("public_place", "kind", row.get("kind")),
        _text(row, "address"),
        row.get("capacity"),
        _text(row, "contact"),
        _text(row, "phone"),
    )


def _contacts(books: Books, risks: Sequence[tuple[str, Row]]) -> tuple[Contact, ...]:
    """Who is called: the secretary, the monitors of risk points, the group leaders; each person once."""
    village: Row = next(iter(books.of("village")), {})
    found = [Contact("村党组织书记", _text(village, "secretary"), _text(village, "secretary_phone"))]
    watched: dict[tuple[str, str], list[str]] = {}
    for number, row in risks:
        watched.setdefault((_text(row, "monitor_name"), _text(row, "monitor_phone")), []).append(number)
    found += [Contact(f"风险点监测（{'、'.join(numbers)}）", name, phone) for (name, phone), numbers in watched.items()]
    found += [
        Contact(f"{_text(row, 'name').removesuffix('组')}组长", _text(row, "leader"), _text(row, "phone"))
        for row in books.of("village_group")
    ]
    return tuple(contact for contact in found if contact.name or contact.phone)


def _count(books: Books, key: str, label: str, value: Value, unit: str, *, rest: tuple[str, ...]) -> Figure:
    """A count of people, public where every question it rests on is."""
    is_public = books.public.issuperset(rest)
    return Figure(key, label, value, unit, people=True, public=is_public, head=key in _HEADS)


def _total(rows: Iterable[Row], column: str) -> int | None:
    """The sum of a column's numbers, or None where there is none."""
    numbers = [number for row in rows if (number := _number(row.get(column))) is not None]
    return int(sum(numbers)) if numbers else None


def _number(value: Any) -> float | None:
    """A number as it is stored: calculations without a type of their own are text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(row: Row, column: str) -> str:
    value: Any = row.get(column)
    return "" if value is None else str(value)
