"""Clocks that are passed in: nothing in the engine reads the machine's time by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current time with its zone."""
        ...


class SystemClock:
    """The machine's clock in its local zone."""

    def now(self) -> datetime:
        """Return the current local time with its zone."""
        return datetime.now().astimezone()


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for tests and conformance cases; `at` carries its zone."""

    at: datetime

    def now(self) -> datetime:
        """Return the fixed time."""
        return self.at
