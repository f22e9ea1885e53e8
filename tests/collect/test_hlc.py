from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collect.hlc import followed, moment_of, shown, stamp, tick

NOON = datetime(2026, 11, 22, 4, 0, 0, 123_000, tzinfo=UTC)


def test_time_follows_the_machines_clock() -> None:
    assert tick(NOON, 0) == stamp(NOON)
    assert moment_of(tick(NOON, 0)) == NOON
    assert shown(stamp(NOON)) == "2026-11-22T12:00:00+08:00"


@given(st.lists(st.integers(-(10**6), 10**6), min_size=2))
def test_time_never_runs_back_even_if_the_clock_does(jumps: list[int]) -> None:
    last = 0
    for jump in jumps:
        now = tick(NOON + timedelta(seconds=jump), last)
        assert now > last
        last = now


def test_more_saves_in_a_millisecond_than_the_counter_holds() -> None:
    last = stamp(NOON) + (1 << 16) - 1
    assert tick(NOON, last) == last + 1


def test_stations_years_ahead_are_not_followed() -> None:
    assert stamp(NOON + timedelta(hours=1)) < followed(NOON) < stamp(NOON + timedelta(days=2))


def test_times_that_no_date_can_say_are_still_shown() -> None:
    assert shown(2**62).startswith("4199-")
    assert shown(2**70).startswith("9999-")
    assert shown(-5).startswith("1970-")
