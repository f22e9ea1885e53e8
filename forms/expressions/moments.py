"""Dates and date-times as expressions see them: ISO text that counts as days since 1970-01-01 UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:T([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?")


class Moment(str):
    """A date or date-time: a string in ISO form that also knows its instant.

    `at`: the instant with its zone (a date's: its midnight in the clock's zone); `days`: days since the epoch.
    """

    __slots__ = ("at", "days")
    at: datetime
    days: float

    @classmethod
    def of_date(cls, day: date, zone: tzinfo) -> Moment:
        """Return a date; its instant is its midnight in `zone`."""
        return cls._make(day.isoformat(), datetime.combine(day, time(), zone))

    @classmethod
    def of_time(cls, at: datetime) -> Moment:
        """Return a date-time written with milliseconds and offset."""
        return cls._make(iso(at), at)

    @classmethod
    def _make(cls, text: str, at: datetime) -> Moment:
        made = cls(text)
        made.at = at
        made.days = days_of(at)
        return made


def days_of(at: datetime) -> float:
    """Return an instant as days since 1970-01-01 UTC."""
    return (at - EPOCH) / _DAY


def at_days(days: float, zone: tzinfo) -> datetime | None:
    """Return the instant so many days after the epoch, in `zone`; None outside the calendar."""
    if not math.isfinite(days):
        return None
    try:
        # Milliseconds are what a date-time shows: rounding there undoes the division by the length of a day.
        return (EPOCH + timedelta(milliseconds=round(days * 86_400_000))).astimezone(zone)
    except OverflowError:
        return None


def iso(at: datetime) -> str:
    """Return `2026-03-17T10:20:30.456-07:00`, also for UTC."""
    return at.isoformat(timespec="milliseconds")


def read_moment(text: str, zone: tzinfo) -> Moment | None:
    """Return the date or date-time that a text writes in ISO form, or None; times without offset are in `zone`."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, *_ = match.groups()
    try:
        if hour is None:
            return Moment.of_date(date(int(year), int(month), int(day)), zone)
        at = datetime.combine(date(int(year), int(month), int(day)), _clock_time(match.groups()[3:], zone))
        return Moment.of_time(at.astimezone(zone))
    except (ValueError, OverflowError):
        return None


def read_time(text: str, zone: tzinfo, day: date) -> datetime | None:
    """Return the instant of a time of day (`06:00:00.000-07:00`) on `day`, in `zone`, or None."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return datetime.combine(day, _clock_time(match.groups(), zone)).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _clock_time(parts: tuple[str | None, ...], zone: tzinfo) -> time:
    hour, minute, second, fraction, offset = parts
    micro = int(((fraction or "") + "000000")[:6])
    return time(int(hour or 0), int(minute or 0), int(second or 0), micro, tzinfo=_offset(offset, zone))


def _offset(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-span if text[0] == "-" else span)
