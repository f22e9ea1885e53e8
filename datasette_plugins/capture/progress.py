"""How far the work has come: households, people and visits by village and group, worked out once a state of data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from collect.overview import counts_by_group, counts_by_village
from collect.visits import natural, visits_due
from forms.tables import table_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collect.station import Station

_WORKERS = 8  # grid workers that are named
HOUSEHOLD, PEOPLE, GROUP = "household", "household_member", "group_name"


@dataclass(frozen=True, slots=True)
class Part:
    """A village, or a group of one (`code` empty): its households, and how many of them are due for a visit."""

    name: str
    households: int
    due: int
    code: str = ""
    people: int = 0
    visited: int = 0
    groups: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole station's; `counts`: table -> number of records, of every ledger; `by`: who visited how many
    households this month, the busiest first."""

    counts: Mapping[str, int]
    households: int
    people: int
    due: int
    visited: int
    villages: tuple[Part, ...]
    rule: bool
    by: tuple[tuple[str, int], ...]


def progress(station: Station) -> Progress:
    """Return how far a station's villages are today."""
    today = station.clock.now().date()
    key = (station.journal.arrived(), tuple(station.projection.ledgers), station.villages, today)
    known = _KNOWN.get(station)
    if known is None or known[0] != key:
        known = _KNOWN[station] = key, _work_out(station, today)
    return known[1]


_KNOWN: WeakKeyDictionary[Any, tuple[tuple[Any, ...], Progress]] = WeakKeyDictionary()


def _work_out(station: Station, today: date) -> Progress:
    file, ledgers = station.folder / "township.db", station.projection.ledgers
    by_village = counts_by_village(file, {*(table_name(form) for form in station.forms()), *ledgers} & ledgers.keys())
    total: Counter[str] = Counter()
    for numbers in by_village.values():
        total.update(numbers)
    visits = visits_due(station, today)
    due = Counter((one.village, one.group) for one in visits.due)
    workers = Counter(by for by, _ in {(one.by, one.household) for one in visits.done} if by)
    household = ledgers.get(HOUSEHOLD)
    groups = counts_by_group(file, household, GROUP) if household is not None and GROUP in household.columns else {}
    villages = []
    for village in station.villages:
        numbers = by_village.get(village.code, {})
        waiting, visited = visits.by_village.get(village.code, (0, 0))
        parts = tuple(
            Part(name, number, due[village.code, name])
            for name, number in sorted(groups.get(village.code, {}).items(), key=lambda each: natural(each[0]))
        )
        villages.append(Part(
            village.name, numbers.get(HOUSEHOLD, 0), waiting, village.code, numbers.get(PEOPLE, 0), visited, parts
        ))  # fmt: skip
    return Progress(
        total, total[HOUSEHOLD], total[PEOPLE], len(visits.due), sum(part.visited for part in villages),
        tuple(villages), visits.rule is not None, tuple(workers.most_common(_WORKERS)),
    )  # fmt: skip
