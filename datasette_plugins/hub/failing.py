"""Checking again in the background, and the page of what it found: answers that break a rule, times that cannot be."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Forbidden

from collect.hlc import local
from collect.peers import Peers
from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.scope import TOWNSHIP, allowed
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError

if TYPE_CHECKING:
    from collect.rechecking import Finding
    from collect.station import Station

_LOG = logging.getLogger("cunce.hub")
PAGE = 25  # records
REST = 4  # times as long as a step took are left to others before the next one
SHORTEST = 0.02  # seconds of rest
_TASKS: WeakKeyDictionary[Any, asyncio.Task[None]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that is broken, in words, with who saved it last."""

    label: str
    value: str
    said: str
    author: str
    laptop: str
    at: str


@dataclass(frozen=True, slots=True)
class Failing:
    """One record and all that is wrong with it."""

    title: str
    address: str
    ledger: str
    village: str
    faults: tuple[Fault, ...]


def check_soon(datasette: Any) -> None:
    """See to it that what was saved or received is checked in the background; returns at once."""
    task = _TASKS.get(datasette)
    if task is None or task.done():
        _TASKS[datasette] = asyncio.create_task(_check(datasette))


async def _check(datasette: Any) -> None:
    """Step by step while nothing is written; a fault of the file ends it, and the next change begins it again."""
    desk = desk_of(datasette)
    more = True
    try:
        while more:
            began = time.monotonic()
            more = desk.waiting > 0 or await desk.read(lambda station: station.rechecking.step())
            await asyncio.sleep(max(SHORTEST, REST * (time.monotonic() - began)))
    except CunceError as error:
        for problem in error.problems:
            _LOG.warning(problem.words())


async def show(datasette: Any, request: Any) -> Any:
    """Show the records that break a rule, in the order of their ledgers, by pages."""
    if not allowed(request.actor, "cunce-settle"):
        raise Forbidden("cunce-settle")
    asked = request.args.get("from") or "0"
    start = int(asked) if asked.isdigit() and len(asked) < 10 else 0
    check_soon(datasette)
    language = language_of(request)
    found, names, progress = await desk_of(datasette).read(lambda station: _read(station, start, language))
    page = await browsing(datasette, request, TOWNSHIP)
    by_record: dict[tuple[str, str], list[Finding]] = {}
    for each in found:
        by_record.setdefault((each.table, each.record), []).append(each)
    for table, record in by_record:
        await page.label_records(table, [record])
    total = (await waiting.counts(datasette, request.actor))["failing"]
    context = {
        "failing": [_failing(page, *key, faults, names) for key, faults in by_record.items()],
        "total": total,
        "next": start + PAGE if start + PAGE < total else None,
        "start": start,
        "page_size": PAGE,
        "checked": progress[0] * 100 // progress[1] if progress[1] > progress[0] else None,
    }
    return await waiting.page(datasette, request, "failing", context)


def _read(station: Station, start: int, language: str) -> tuple[tuple[Finding, ...], dict[str, str], tuple[int, int]]:
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        names = {peer.station: peer.name for peer in peers.peers() if peer.station}
    found = station.rechecking.failing(limit=PAGE, offset=start, language=language)
    return found, {**names, station.id: station.name}, station.rechecking.progress()


def _failing(page: Browsing, table: str, record: str, found: list[Finding], names: dict[str, str]) -> Failing:
    faults = []
    for each in found:
        said, _ = each.problem.sentences(page.language)
        faults.append(
            Fault(
                each.label or say("failing.time", page.language), each.value, said, each.author,
                names.get(each.station, each.station[:8]), local(each.at)[:16],
            )
        )  # fmt: skip
    return Failing(
        page.label_of(table, record) or say("record.unnamed", page.language), page.row_address(table, record),
        page.ledger(table).title, page.villages.get(found[0].village, found[0].village), tuple(faults),
    )  # fmt: skip
