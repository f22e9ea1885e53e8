"""After every change: village slices brought up to date, new ones opened, and what came checked in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette.database import Database

from collect.slices import slice_path, update_slices
from datasette_plugins.desk import desk_of
from datasette_plugins.hub.failing import check_soon
from forms.problems import CunceError

if TYPE_CHECKING:
    from collect.station import Station

_LOG = logging.getLogger("cunce.hub")
QUIET, LONGEST_WAIT = 2.0, 30.0  # seconds without a push before slices follow; seconds they wait at most
LOOK_EVERY = 2.0  # seconds between looks at whether another process wrote into the journal


@dataclass(slots=True)
class _Known:
    """When this server last looked, and up to which arrival its slices show the journal."""

    looked: float = 0.0
    arrived: int = -1
    pushed: float = 0.0
    waiting: asyncio.Task[None] | None = None
    following: asyncio.Task[None] | None = None


_KNOWN: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()


async def refresh(datasette: Any) -> None:
    """Bring the slices of a hub to what its township shows now and open those this Datasette does not serve yet.

    What was saved or received stays so when this fails (a full disk, a locked file): it is said in the server's log,
    and the next look tries again.
    """
    desk = desk_of(datasette)
    known = _KNOWN.setdefault(datasette, _Known())
    try:
        known.arrived = await desk.run(_update)
    except CunceError as error:
        for problem in error.problems:
            _LOG.warning(problem.words())
        return
    for village in desk.station.villages:
        if village.code not in datasette.databases:
            path = slice_path(desk.station.folder, village.code)
            datasette.add_database(Database(datasette, str(path), is_mutable=True), name=village.code)
    check_soon(datasette)


def follow(datasette: Any) -> None:
    """Refresh now, without keeping whoever decided something waiting; readers of a village's file wait for it."""
    known = _KNOWN.setdefault(datasette, _Known())
    known.following = asyncio.create_task(refresh(datasette))


async def followed(datasette: Any) -> None:
    """Wait until the villages' files show what was decided."""
    following = _KNOWN.setdefault(datasette, _Known()).following
    if following is not None and not following.done():
        await asyncio.wait([following])


def soon(datasette: Any) -> None:
    """Refresh once no further push has come for a moment: stations do not wait for the slices with their receipts."""
    known = _KNOWN.setdefault(datasette, _Known())
    pushing(datasette)
    if known.waiting is None or known.waiting.done():
        known.waiting = asyncio.create_task(_when_quiet(datasette, known))


def pushing(datasette: Any) -> None:
    """Note that a push comes in: slices wait for the end of what a station sends in several."""
    _KNOWN.setdefault(datasette, _Known()).pushed = time.monotonic()


async def _when_quiet(datasette: Any, known: _Known) -> None:
    began = time.monotonic()
    while (now := time.monotonic()) < min(known.pushed + QUIET, began + LONGEST_WAIT):
        await asyncio.sleep(known.pushed + QUIET - now)
    await refresh(datasette)


async def look(datasette: Any) -> None:
    """Refresh where something arrived by another process, such as `cunce sync run` with a USB stick on this machine."""
    known = _KNOWN.setdefault(datasette, _Known())
    following = known.following is not None and not known.following.done()
    if following or time.monotonic() - known.looked < LOOK_EVERY:
        return
    known.looked = time.monotonic()
    arrived = await desk_of(datasette).read(lambda station: station.journal.arrived())
    if arrived != known.arrived:
        await refresh(datasette)


def _update(station: Station) -> int:
    arrived = station.journal.arrived()
    update_slices(station)
    return arrived
