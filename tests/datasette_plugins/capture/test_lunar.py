"""Birthdays of the Chinese calendar, in the ways they are written down, and those that it doesn't have."""

from __future__ import annotations

from datetime import date

import pytest
from borax.calendars.lunardate import LunarDate
from hypothesis import given
from hypothesis import strategies as st

from datasette_plugins.capture.lunar import Told, marked, read


@pytest.mark.parametrize(
    "text",
    [
        "n19580304", "N 1958-3-4", "农19580304", "农历1958年3月4日", "农历一九五八年三月初四", "阴历1958.03.04",
        "农历：一九五八年三月四日", "ｎ１９５８０３０４", "农1958年三月初四",
    ],
)  # fmt: skip
def test_the_same_day_in_any_spelling(text: str) -> None:
    assert marked(text)
    assert read(text) == Told("1958-04-22", "农历1958年三月初四")


@pytest.mark.parametrize(
    ("text", "day", "words"),
    [
        ("n闰20200401", "2020-05-23", "农历2020年闰四月初一"),
        ("n2020闰0401", "2020-05-23", "农历2020年闰四月初一"),
        ("农历二〇二〇年闰四月初一", "2020-05-23", "农历2020年闰四月初一"),
        ("农2020-闰4-1", "2020-05-23", "农历2020年闰四月初一"),
        ("农历一九六五年腊月廿九", "1966-01-20", "农历1965年腊月廿九"),
        ("农历一九七〇年正月十五", "1970-02-20", "农历1970年正月十五"),
        ("农历一九七〇年冬月初一", "1970-11-29", "农历1970年冬月初一"),
        ("农历1949年闰七月初五", "1949-08-28", "农历1949年闰七月初五"),
    ],
)
def test_leap_months_and_the_months_with_names(text: str, day: str, words: str) -> None:
    assert read(text) == Told(day, words)


@pytest.mark.parametrize(
    "text",
    ["n闰20210401", "n20210430", "n20211301", "n1958", "农历某年某月", "n18500101", "农历一九五八年三月初四十", "n"],
)
def test_days_that_are_none_are_not_guessed(text: str) -> None:
    assert read(text) == Told("", "")


@pytest.mark.parametrize("text", ["19580304", "1958-03-04", "1958年3月4日", "", "三月初四"])
def test_what_is_not_marked_is_of_the_common_calendar(text: str) -> None:
    assert not marked(text)


@given(st.dates(date(1901, 3, 1), date(2099, 12, 31)))
def test_every_day_comes_back_from_its_words(day: date) -> None:
    lunar = LunarDate.from_solar_date(day.year, day.month, day.day)
    told = read(f"农{lunar.year}{'闰' if lunar.leap else ''}{lunar.month:02}{lunar.day:02}")
    assert told.day == day.isoformat()
    assert read(told.words) == told
