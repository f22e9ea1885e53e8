"""Practice: a station of invented people in a folder that is thrown away, marked on every page, that never syncs."""

from __future__ import annotations

import atexit
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from collect.station import Station
from forms.clock import SystemClock
from forms.problems import CunceError, Problem
from forms.reader import load_shipped, shipped

MARK = "practice"  # a file of this name in a station's folder
HOST = "127.0.0.1"
_PORT = 8100
_HOMES = 12
_PATIENCE = 60  # seconds until it is there, and until it has ended


class PracticeError(CunceError):
    """What a practice station never does."""


def is_practice(station: Station) -> bool:
    """Return whether a station is one to practise on."""
    return (station.folder / MARK).exists()


@contextmanager
def practice_station() -> Iterator[Path]:
    """Make a practice station and yield its folder; thrown away afterwards, whatever was entered."""
    # What invents people is imported by whoever practises.
    from collect.importer.ledger import import_ledger
    from datasette_plugins.demo.ledger import write_ledger
    from datasette_plugins.demo.people import Census
    from datasette_plugins.demo.township import TOWNSHIP, places

    with tempfile.TemporaryDirectory(prefix="cunce-practice-", ignore_cleanup_errors=True) as scratch:
        folder, today = Path(scratch) / "station", SystemClock().now().date()
        place = places(random.Random(1))[0]
        census = Census(1, today)
        homes = [
            census.household(place.code, place.groups[turn % 4][0], turn + 1, place.groups[turn % 4][1])
            for turn in range(_HOMES)
        ]
        with Station.create(
            folder, name=f"练习 · {place.village.name}", township=TOWNSHIP, villages=[place.village], author="练习"
        ) as station:
            (folder / MARK).touch()
            station.add_forms(load_shipped(name) for name in shipped())
            sheet = Path(scratch) / f"{place.village.name}.xlsx"
            write_ledger(sheet, place.village.name, homes, today)
            import_ledger(station, "household", sheet, author="练习")
        yield folder


class Practising:
    """One practice station served beside the program that is running, until that program ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = lambda: None
        self._issue: Callable[[], str] | None = None
        self._problem: BaseException | None = None

    def address(self) -> str:
        """Return an address that opens it once, having begun it where it is not there; raises CunceError, OSError."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._begin()
            if self._issue is None:
                raise self._problem or PracticeError(Problem("PLUGINS_PRACTICE_NOT_BEGUN"))
            return self._issue()

    def end(self) -> None:
        """Stop it and wait until its station is thrown away."""
        self._stop()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _begin(self) -> None:
        begun = threading.Event()
        self._issue, self._problem = None, None
        self._thread = threading.Thread(target=self._serve, args=(begun,), name="cunce-practice", daemon=True)
        self._thread.start()
        begun.wait(_PATIENCE)
        atexit.register(self.end)

    def _serve(self, begun: threading.Event) -> None:
        from datasette_plugins import serving
        from datasette_plugins.capture.gate import ENTER, gate_of

        def ready(datasette: Any) -> None:
            self._issue = lambda: f"http://{HOST}:{port}{ENTER}?token={gate_of(datasette).issue()}"
            begun.set()

        def can_stop(stop: Callable[[], None]) -> None:
            self._stop = stop

        try:
            with practice_station() as folder, Station.open(folder) as station:
                listening = serving.listen(HOST, _PORT)
                port = listening.getsockname()[1]
                with listening:
                    serving.serve(station, mode="laptop", listening=listening, ready=ready, begun=can_stop)
        except (CunceError, OSError) as error:
            self._problem = error
        finally:
            self._issue = None
            begun.set()


_PRACTISING: WeakKeyDictionary[Any, Practising] = WeakKeyDictionary()


def practising(datasette: Any) -> Practising:
    """Return the practice of a running Datasette."""
    return _PRACTISING.setdefault(datasette, Practising())
