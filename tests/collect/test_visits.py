"""Who is due for a visit by the shipped rule: monthly, quarterly, in the order one walks, out of real ledgers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from collect.visits import PERIODS, period_start, visits_due
from forms.clock import FixedClock
from forms.reader import load_shipped

VILLAGE, OTHER = "999999001001", "999999001002"
TODAY = date(2026, 5, 20)


@pytest.fixture
def station(tmp_path: Path) -> Any:
    villages = ((VILLAGE, "洗马塘村"), (OTHER, "青石坡村"))
    clock = FixedClock(datetime(2026, 5, 20, 8, tzinfo=UTC))
    with Station.create(tmp_path / "s", name="电脑", villages=villages, clock=clock) as made:
        made.add_forms([load_shipped(name) for name in ("household", "visit", "needy_household", "issue")])
        yield made


def household(station: Station, name: str, group: str = "", number: str = "", **more: Any) -> str:
    given = {"village": VILLAGE, "head_name": name, "group_name": group, "household_number": number, **more}
    return station.save(given, "household", author="甲").record


def visit(station: Station, home: str, on: str, **more: Any) -> str:
    given = {"village": VILLAGE, "household": home, "grid_worker": "甲", "started": f"{on}T08:30:00+08:00", **more}
    return station.save(given, "visit", author="甲").record


def names(station: Station, today: date = TODAY, villages: Any = None) -> list[str]:
    return [one.name for one in visits_due(station, today, villages).due]


def test_a_household_is_due_until_it_is_visited_in_its_quarter(station: Station) -> None:
    home = household(station, "王一")
    visit(station, home, "2026-03-31")
    assert names(station) == ["王一"], "the visit was in the quarter before"
    visit(station, home, "2026-04-01")
    assert names(station) == []
    assert names(station, date(2026, 7, 1)) == ["王一"]


def test_needy_and_monitored_households_are_due_every_month(station: Station) -> None:
    needy, watched = household(station, "王一"), household(station, "李二", household_type="disabled monitored")
    station.save(
        {"village": VILLAGE, "household": needy, "head_name": "王一", "category": "subsistence"},
        "needy_household", author="甲",
    )  # fmt: skip
    for home in (needy, watched, household(station, "赵三")):
        visit(station, home, "2026-04-02")
    found = visits_due(station, TODAY)
    assert {one.name: (one.period, one.why) for one in found.due} == {
        "王一": ("month", ("needy_household",)), "李二": ("month", ("monitored",)),
    }  # fmt: skip
    assert [one.last for one in found.due] == ["2026-04-02"] * 2


def test_the_route_goes_by_group_then_house_number_as_people_count(station: Station) -> None:
    for name, group, number in (("丁", "10组", "1"), ("丙", "2组", "12"), ("乙", "二组", "3"), ("戊", "", "1")):
        household(station, name, group, number)
    household(station, "己", "十一组", "1")
    assert names(station) == ["乙", "丙", "丁", "己", "戊"]


def test_households_that_left_are_not_visited_and_villages_can_be_chosen(station: Station) -> None:
    household(station, "王一", away="yes", state="moved_away")
    household(station, "李二", village=OTHER)
    assert names(station) == ["李二"]
    assert names(station, villages=[VILLAGE]) == []


def test_visits_of_this_month_are_listed_and_counted_by_village(station: Station) -> None:
    home = household(station, "王一")
    household(station, "李二")
    visit(station, home, "2026-05-03")
    visit(station, home, "2026-05-09")
    visit(station, home, "2026-04-30")
    found = visits_due(station, TODAY)
    assert [(one.name, one.on) for one in found.done] == [("王一", "2026-05-09"), ("王一", "2026-05-03")]
    assert (found.by_village, found.households) == ({VILLAGE: (1, 1)}, 2)


def test_a_station_without_a_visit_form_has_no_rule(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="电脑", villages=((VILLAGE, "洗马塘村"),)) as made:
        made.add_form(load_shipped("household"))
        assert visits_due(made, TODAY).rule is None


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_begins_on_the_first_of_a_month(period: str) -> None:
    starts = {period_start(date(2026, month, 17), period) for month in range(1, 13)}
    assert len(starts) == 12 // PERIODS[period]
    assert all(start.day == 1 and start <= date(2026, 12, 17) for start in starts)


def test_what_a_visit_reports_becomes_an_issue_of_the_household_and_of_the_visit(station: Station) -> None:
    home = household(station, "王一")
    made = visit(station, home, "2026-05-09", requests="想通自来水", handling="reported")
    issue = next(station.attachments.open("issue.csv").rows())
    assert (issue["problem"], issue["household"], issue["visit"]) == ("想通自来水", home, made)
    assert (issue["reported_by"], issue["found_on"]) == ("甲", "2026-05-09")
