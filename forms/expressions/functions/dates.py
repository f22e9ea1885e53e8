"""Functions of dates and times: ISO text in the clock's zone, days since 1970-01-01 UTC as numbers."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from forms.expressions.context import Context
from forms.expressions.functions.registry import function
from forms.expressions.moments import Moment, at_days, iso, read_moment, read_time
from forms.expressions.values import NAN, to_number, to_string

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKDAYS_ZH = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


def moment_of(context: Context, value: Any) -> Moment | None:
    """Return the date or date-time that a value stands for (ISO text, or a number of days), or None."""
    if isinstance(value, list):
        value = to_string(value)
    if isinstance(value, Moment):
        return value
    if isinstance(value, str):
        moment = read_moment(value, context.zone)
        if moment is not None:
            return moment
    if isinstance(value, bool):
        return None
    at = at_days(to_number(value, context), context.zone)
    return None if at is None else Moment.of_time(at)


@function("today()", "string", volatile=True)
def today(context: Context) -> Moment:
    """Return today's date in the clock's zone."""
    return Moment.of_date(context.now().date(), context.zone)


@function("now()", "string", volatile=True)
def now(context: Context) -> Moment:
    """Return the current time with milliseconds and offset."""
    return Moment.of_time(context.now())


@function("date(value)", "string")
def date(context: Context, value: Any) -> str:
    """Return the local date of a date, a date-time or a number of days; "" for anything else."""
    moment = moment_of(context, value)
    return "" if moment is None else Moment.of_date(moment.at.astimezone(context.zone).date(), context.zone)


@function("date-time(value)", "string")
def date_time(context: Context, value: Any) -> str:
    """Return the local date-time of a date, a date-time or a number of days; "" for anything else."""
    moment = moment_of(context, value)
    return "" if moment is None else Moment.of_time(moment.at.astimezone(context.zone))


@function("decimal-date-time(value)", "number")
def decimal_date_time(context: Context, value: Any) -> float:
    """Return a date or date-time as days since 1970-01-01 UTC."""
    moment = moment_of(context, value)
    return NAN if moment is None else moment.days


@function("time(value)", "string")
def time(context: Context, value: Any) -> str:
    """Return the local time of day of a date-time, with milliseconds and offset."""
    moment = moment_of(context, value)
    return "" if moment is None else iso(moment.at.astimezone(context.zone)).partition("T")[2]


@function("decimal-time(string)", "number")
def decimal_time(context: Context, text: str) -> float:
    """Return a time of day as a fraction of the local day."""
    at = read_time(text, context.zone, context.now().date())
    if at is None:
        moment = read_moment(text, context.zone)
        if moment is None or "T" not in text:
            return NAN
        at = moment.at.astimezone(context.zone)
    milliseconds = (at.hour * 3600 + at.minute * 60 + at.second) * 1000 + at.microsecond / 1000
    return milliseconds / 86_400_000


@function("format-date(value, string)", "string")
def format_date(context: Context, value: Any, pattern: str) -> str:
    """Write a date by a pattern of %Y %y %m %n %b %d %e %a; "" where it is no date."""
    return _format(context, value, pattern)


@function("format-date-time(value, string)", "string")
def format_date_time(context: Context, value: Any, pattern: str) -> str:
    """Write a date-time by a pattern, with %H %h %M %S %3 as well; "" where it is none."""
    return _format(context, value, pattern)


def _format(context: Context, value: Any, pattern: str) -> str:
    text = to_string(value) if type(value) is str or type(value) is list else ""
    if _DAY.fullmatch(text):
        written_day = _day_written(text, pattern, chinese=_is_chinese(context.language))
        if written_day is not None:
            return written_day
    moment = moment_of(context, value)
    if moment is None:
        return ""
    return _written(moment.at.astimezone(context.zone), pattern, chinese=_is_chinese(context.language))


@lru_cache(maxsize=4096)
def _day_written(text: str, pattern: str, *, chinese: bool) -> str | None:
    """A plain date begins at midnight, whatever the zone; many records are born on the same days."""
    try:
        return _written(datetime.fromisoformat(text), pattern, chinese=chinese)
    except ValueError:
        return None


def _written(at: datetime, pattern: str, *, chinese: bool) -> str:
    written: list[str] = []
    characters = iter(pattern)
    for character in characters:
        written.append(_part(next(characters, ""), at, chinese=chinese) if character == "%" else character)
    return "".join(written)


def _is_chinese(language: str) -> bool:
    return "zh" in language.lower() or "中文" in language or "汉语" in language


def _part(code: str, at: datetime, *, chinese: bool) -> str:
    """Return what one letter after % stands for; an unknown one stays as it is written."""
    match code:
        case "Y":
            return f"{at.year:04}"
        case "y":
            return f"{at.year % 100:02}"
        case "m":
            return f"{at.month:02}"
        case "n":
            return str(at.month)
        case "b":
            return f"{at.month}月" if chinese else _MONTHS[at.month - 1]
        case "d":
            return f"{at.day:02}"
        case "e":
            return str(at.day)
        case "a":
            return (_WEEKDAYS_ZH if chinese else _WEEKDAYS)[at.weekday()]
    return _time_part(code, at)


def _time_part(code: str, at: datetime) -> str:
    match code:
        case "H":
            return f"{at.hour:02}"
        case "h":
            return str(at.hour)
        case "M":
            return f"{at.minute:02}"
        case "S":
            return f"{at.second:02}"
        case "3":
            return f"{at.microsecond // 1000:03}"
        case "%":
            return "%"
    return f"%{code}"
