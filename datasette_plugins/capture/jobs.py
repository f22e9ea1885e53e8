"""Jobs: long work (an exchange, an import) on a thread of its own, one at a time, whatever page is open or closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from forms.problems import CunceError, Problem


class StoppedError(Exception):
    """Somebody pressed stop."""


@dataclass(slots=True)
class Job:
    """One piece of work as pages see it. `kind`: sync, dry, import or undo; `done` of `total`, `size` bytes so far."""

    kind: str
    token: str = ""
    done: int = 0
    total: int = 0
    size: int = 0
    running: bool = True
    stopping: bool = False
    result: Any = None
    problems: tuple[Problem, ...] = ()
    began: float = field(default_factory=time.monotonic)

    def advance(self, done: int, total: int, size: int = 0) -> None:
        """Note how far it has come; raises StoppedError where it is to stop here."""
        self.done, self.total, self.size = done, total, size
        if self.stopping and self.kind == "sync":
            raise StoppedError

    @property
    def seconds_left(self) -> int:
        """A guess by what it took so far, 0 where there is nothing to guess by."""
        took = time.monotonic() - self.began
        return round(took / self.done * (self.total - self.done)) if self.done and self.total > self.done else 0


class Jobs:
    """The last job of a running Datasette; another begins only when it has ended."""

    def __init__(self) -> None:
        self.last: Job | None = None
        self._lock = threading.Lock()

    def start(self, job: Job, work: Callable[[Job], Any]) -> bool:
        """Begin `work(job)` on a thread; False where another job is running."""
        with self._lock:
            if self.last is not None and self.last.running:
                return False
            self.last = job
        threading.Thread(target=_run, args=(job, work), name="cunce-job", daemon=True).start()
        return True


def _run(job: Job, work: Callable[[Job], Any]) -> None:
    try:
        job.result = work(job)
    except StoppedError:
        job.problems = (Problem("PLUGINS_JOB_STOPPED", severity="warning"),)
    except CunceError as error:
        job.problems = tuple(error.problems)
    except Exception as error:  # whatever it is, the page says so
        job.problems = (Problem("PLUGINS_JOB_FAILED", context={"detail": f"{type(error).__name__}: {error}"}),)
    finally:
        job.running = False


_JOBS: WeakKeyDictionary[Any, Jobs] = WeakKeyDictionary()


def jobs_of(datasette: Any) -> Jobs:
    """Return the jobs of a running Datasette."""
    return _JOBS.setdefault(datasette, Jobs())
