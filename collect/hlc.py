"""The hybrid logical clock: times that follow the machine's clock but never run backwards on a station."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache

COUNTER_BITS = 16
# A station whose clock is years ahead must not drag the others along: what is further ahead than this is not followed.
FOLLOWED = timedelta(days=1)
# One zone for the country, so that every machine writes the same text into its ledgers.
SHOWN_ZONE = timezone(timedelta(hours=8))


def tick(now: datetime, last: int, seen: int = 0) -> int:
    """Return a time after `last` (this station's own latest) and `seen` (the latest received that is `followed`).

    Times are milliseconds since 1970-01-01 UTC shifted left by 16 bits plus a counter. Source: Kulkarni et al.,
    Logical Physical Clocks (2014).
    """
    physical = stamp(now)
    latest = max(last, seen)
    return physical if physical > latest else latest + 1


def followed(now: datetime) -> int:
    """Return the latest time of another station that this one's clock follows."""
    return stamp(now + FOLLOWED)


def stamp(moment: datetime) -> int:
    """Return the first time of a moment's millisecond."""
    return int(moment.timestamp() * 1000) << COUNTER_BITS


def moment_of(time: int) -> datetime:
    """Return the moment a time stands for, in the zone ledgers are written in; clamped to what a date can say."""
    seconds = min(max((time >> COUNTER_BITS) / 1000, 0.0), 253_402_000_000.0)
    return datetime.fromtimestamp(seconds, SHOWN_ZONE)


def shown(time: int) -> str:
    """Return a time as ledgers show it: ISO 8601 to the second, Beijing time."""
    return _second((time >> COUNTER_BITS) // 1000)


def local(text: str) -> str:
    """Return a moment (ISO 8601) as people write it, to the second, in the zone of the ledgers; "" for none."""
    return f"{datetime.fromisoformat(text).astimezone(SHOWN_ZONE):%Y-%m-%d %H:%M:%S}" if text else ""


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """A second as text; the revisions of an import share it."""
    return moment_of((seconds * 1000) << COUNTER_BITS).isoformat(timespec="seconds")
