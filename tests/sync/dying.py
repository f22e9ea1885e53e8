"""Processes that die before or after any commit: what a kill leaves, without a process for every one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

import collect.journal
import collect.peers
import collect.projection
import collect.references
from collect.database import Connection, transaction

_WRITERS: tuple[ModuleType, ...] = (collect.journal, collect.peers, collect.projection, collect.references)


class Killed(BaseException):
    """The process is gone; nothing catches this."""


@contextmanager
def dying_at(moment: int) -> Iterator[None]:
    """Die at the given moment: 1 is before the first transaction begins, 2 after its commit, and so on."""
    left = [moment]

    def passed() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    @contextmanager
    def deadly(connection: Connection) -> Iterator[None]:
        passed()
        with transaction(connection):
            yield
        passed()

    with pytest.MonkeyPatch.context() as patch:
        for module in _WRITERS:
            patch.setattr(module, "transaction", deadly)
        yield
