"""What a list was asked for: a page's query, read into columns, conditions and an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from collect import preferences
from collect.conditions import Among, Condition, Found, Unsent, Where
from collect.ledgers import Ledger as Kept
from collect.listing import ListError, Listing, listing
from datasette_plugins.capture.start import confirmed
from datasette_plugins.ui.ledgers import Ledger, Shown
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station

STATUSES = ("", "unsent", "errors", "conflict")
LONGEST = 100  # columns


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as it was asked for; `problems`: words of the query that say nothing and were left out."""

    kept: Kept
    shown: Ledger
    wanted: Listing
    words: tuple[str, ...]
    text: str
    status: str
    problems: tuple[Problem, ...] = ()

    @property
    def columns(self) -> tuple[Shown, ...]:
        """The columns in their order."""
        return tuple(self.shown.shown(name) for name in self.wanted.columns)


def asked(
    station: Station, shown: Ledger, query: Mapping[str, Sequence[str]], faulty: Mapping[str, str] | None = None
) -> Asked:
    """Return what a query asks of a ledger: `f` conditions (`age>=60`), `c` columns, `q` text, `status`, `sort`.

    `faulty`: the records with errors, for status `errors`. Columns that are not named are those last chosen, else the
    usual ones.
    """
    kept = shown.kept
    assert kept is not None
    words = tuple(word for word in query.get("f", ()) if word.strip())
    problems: list[Problem] = []
    good = [word for word in words if _says(station, kept, word, problems)]
    text = _one(query, "q").strip()
    status = _one(query, "status") if _one(query, "status") in STATUSES else ""
    sort = _one(query, "sort")
    sort = sort if sort.removeprefix("-") in kept.columns else ""
    found = listing(kept, words=good, columns=columns_of(station, shown, _one(query, "c")),
                    villages=names(station), ledgers=station.projection.ledgers, sort=sort)  # fmt: skip
    more = list(_more(station, kept, text, status, faulty))
    wanted = replace(found, where=(*found.where, *more))
    return Asked(kept, shown, wanted, words, text, status, tuple(problems))


def columns_of(station: Station, shown: Ledger, given: str) -> list[str]:
    """Return the columns to show: those given (`a,b`), else those remembered, else the usual ones."""
    kept = shown.kept
    assert kept is not None
    known = set(kept.columns)
    remembered = preferences.read(station.folder).of_list(shown.table).columns
    for names_ in (given.split(","), remembered):
        found = [name for name in names_ if name in known][:LONGEST]
        if found:
            return found
    usual = [name for name in dict.fromkeys((shown.label, *shown.chosen)) if name in known]
    return [*usual[:1], "_parent", *usual[1:]] if shown.parent and "_parent" not in usual else usual


def names(station: Station) -> dict[str, str]:
    """Return the villages' names by code."""
    return {village.code: village.name for village in station.villages}


def _says(station: Station, kept: Kept, word: str, problems: list[Problem]) -> bool:
    try:
        listing(kept, words=[word], villages=names(station), ledgers=station.projection.ledgers)
    except ListError as error:
        problems += error.problems
        return False
    return True


def _more(
    station: Station, kept: Kept, text: str, status: str, faulty: Mapping[str, str] | None
) -> Sequence[Where]:
    found: list[Where] = [Found(kept, text)] if text else []
    if status == "unsent":
        below = station.projection.children(kept.name)
        found.append(Unsent(kept, below, station.id, confirmed(station)))
    elif status == "conflict":
        found.append(Condition("_status", "=", "conflict"))
    elif status == "errors":
        found.append(Among((faulty or {}).keys()))
    return found


def _one(query: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(query.get(name, ())), "")
