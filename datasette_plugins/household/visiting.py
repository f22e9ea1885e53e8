"""The page of visits: who is due in the order one walks, the quick entry of one visit, and what is done this month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collect.station import Saved
from collect.visits import visits_due
from datasette_plugins.capture.sitting import author_of, title_of
from datasette_plugins.ui.language import say
from forms.problems import CunceError

if TYPE_CHECKING:
    from collect.station import Station

PAGE = 50


class VisitError(CunceError):
    """A visit that cannot be saved as it was filled in; nothing was saved."""


def visits_page(station: Station, today: date, lang: str, *, village: str, group: str, at: int) -> dict[str, Any]:
    """Return the context of household/visits.html; `at`: the number of the first due household shown."""
    found = visits_due(station, today, [village] if village else None)
    groups = list(dict.fromkeys(one.group for one in found.due))
    due = [one for one in found.due if not group or one.group == group]
    at = min(max(at, 0), max(len(due) - 1, 0) // PAGE * PAGE)
    titles = {form.form_id: title_of(form, lang) for form in station.forms()}
    names = {one.code: one.name for one in station.villages}
    rows = [
        {
            "record": one.record, "name": one.name, "number": one.number, "group": one.group, "address": one.address,
            "village": names.get(one.village, one.village), "last": one.last,
            "period": say(f"household.period.{one.period}", lang), "href": f"/-/household/{quote(one.record, safe='')}",
            "why": "、".join(titles.get(each, _why(station, each, lang)) for each in one.why),
        }
        for one in due[at : at + PAGE]
    ]  # fmt: skip
    return {
        "rule": found.rule, "rows": rows, "due": len(due), "all": found.households, "at": at, "page": PAGE,
        "done_list": found.done[:30], "done_count": len({one.household for one in found.done}), "groups": groups,
        "group": group, "village": village, "villages": station.villages, "next": at + PAGE if len(due) > at + PAGE
        else None, "before": at - PAGE if at else None,
        "period": say(f"household.period.{found.rule.period}", lang) if found.rule else "",
    }  # fmt: skip


def _why(station: Station, code: str, lang: str) -> str:
    ledger = station.projection.ledgers.get("household")
    column = ledger.fields.get("household_type") if ledger else None
    return column.choices().get(code, code) if column else code


def quick_visit(station: Station, given: Mapping[str, str]) -> Saved:
    """Save a visit of today to a household; raises VisitError with everything that is wrong, SaveError."""
    household = given.get("household", "")
    opened = station.opened("household", household)
    author = author_of(station)
    instance = station.instance("visit")
    hazard = given.get("hazard_note", "").strip()
    requests = given.get("requests", "").strip()
    answers: dict[str, Any] = {
        "village": opened.village, "household": household, "grid_worker": given.get("grid_worker") or author,
        "purpose": given.get("purpose") or "routine", "hazards_seen": "yes" if hazard else "no",
    }  # fmt: skip
    if requests or hazard:
        answers["handling"] = given.get("handling") or "reported"
    if requests:
        answers["requests"] = requests
    if hazard:
        answers["hazard_note"] = hazard
    problems = [*instance.fill(answers), *instance.problems()]
    grave = list(dict.fromkeys(problem for problem in problems if problem.severity == "error"))
    if grave:
        raise VisitError(grave)
    return station.save(instance, "visit", author=author)
