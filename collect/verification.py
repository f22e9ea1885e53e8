"""Verification: is the journal whole, and are the ledgers what it says they are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from collect.journal import Journal
from collect.projection import Projection
from collect.shelf import Shelf
from forms.problems import Place, Problem

MOST = 20  # differing places that are named; the rest is counted


def verify(journal: Journal, projection: Projection, shelf: Shelf) -> tuple[Problem, ...]:
    """Return everything that is wrong with a station's files; changes nothing."""
    return (*journal.check(), *_ledgers(journal, projection, shelf))


def _ledgers(journal: Journal, projection: Projection, shelf: Shelf) -> Iterator[Problem]:
    """Compare the ledgers with ones made anew beside them."""
    with tempfile.TemporaryDirectory(prefix="cunce-", ignore_cleanup_errors=True) as folder:
        fresh = Projection(Path(folder) / "township.db", journal, shelf)
        try:
            fresh.catch_up(upto=projection.cursor())
            differing = 0
            for table, row in _differences(projection, fresh):
                differing += 1
                if differing <= MOST:
                    yield Problem("COLLECT_LEDGER_DIFFERS", Place(file=str(projection.path), sheet=table), {"row": row})
            if differing > MOST:
                context = {"row": f"… {differing - MOST}"}
                yield Problem("COLLECT_LEDGER_DIFFERS", Place(file=str(projection.path)), context)
        finally:
            fresh.close()


def _differences(projection: Projection, fresh: Projection) -> Iterator[tuple[str, str]]:
    """Table and first column of every row that is in one and not, or not so, in the other."""
    ours: dict[str, list[tuple[object, ...]]] = {}
    theirs: dict[str, list[tuple[object, ...]]] = {}
    for content, source in ((ours, projection), (theirs, fresh)):
        for table, row in source.dump():
            content.setdefault(table, []).append(row)
    for table in sorted({*ours, *theirs}):
        if ours.get(table) == theirs.get(table):
            continue
        one, other = set(map(repr, ours.get(table, ()))), set(map(repr, theirs.get(table, ())))
        for differing in sorted(one ^ other):
            yield table, differing
