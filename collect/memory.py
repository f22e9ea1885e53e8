"""The garbage collector, set for work on much plain data at once."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 100_000, 20, 20


def collect_rarely() -> None:
    """Let the collector look for cycles less often: it would walk over thousands of rows again and again.

    What is no longer used is freed at once all the same; only cycles wait, and ours are few.
    """
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
