"""The desk: what a running Datasette serves, and the one thread that works on its station."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from weakref import WeakKeyDictionary

from pluggy import HookimplMarker

if TYPE_CHECKING:
    from collect.station import Station

# Datasette's own marker is untyped; this is the same one.
hookimpl = HookimplMarker("datasette")

Mode = Literal["laptop", "hub"]
T = TypeVar("T")


class Desk:
    """A running station and the one thread that works on it: calls queue up and never block the event loop."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.waiting = 0  # calls of `run` that are not done
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cunce-station")

    async def run(self, work: Callable[[Station], T]) -> T:
        """Return `work(station)`, done on the station's thread."""
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, work, self.station)
        finally:
            self.waiting -= 1

    async def read(self, work: Callable[[Station], T]) -> T:
        """Return `work(station)`, which only reads, without waiting for what the station's thread is writing."""
        return await asyncio.to_thread(work, self.station)

    def close(self) -> None:
        """Finish what is queued and stop the thread; the station itself stays open."""
        self._worker.shutdown(wait=True)


_DESKS: WeakKeyDictionary[Any, Desk] = WeakKeyDictionary()


def configuration(datasette: Any) -> dict[str, Any] | None:
    """Return our plugin configuration `{station, mode}`; None in any other Datasette, where our plugins do nothing."""
    found = datasette.plugin_config("cunce")
    return dict(found) if isinstance(found, dict) and found.get("station") else None


def mode_of(datasette: Any) -> Mode | None:
    """Return laptop or hub; None in a Datasette that serves no station."""
    found = configuration(datasette)
    if found is None:
        return None
    return "laptop" if found.get("mode") == "laptop" else "hub"


def desk_of(datasette: Any) -> Desk:
    """Return the desk of the station this Datasette serves; a station named only in the configuration is opened."""
    desk = _DESKS.get(datasette)
    if desk is None:
        from collect.station import Station

        found = configuration(datasette) or {}
        desk = _DESKS[datasette] = Desk(Station.open(Path(found["station"])))
    return desk


def open_desk(datasette: Any, station: Station) -> Desk:
    """Return a new desk for a station, which this Datasette serves from now on."""
    desk = _DESKS[datasette] = Desk(station)
    return desk
