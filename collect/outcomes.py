"""What people's doings on a station come to: saved, erased and received."""

from __future__ import annotations

from dataclasses import dataclass

from collect.projection import Conflict
from collect.revision import Revision
from forms.problems import CunceError, Problem


@dataclass(frozen=True, slots=True)
class Saved:
    """A record that was saved, and the revisions that took (none where nothing had changed).

    `warnings`: what a form wanted to save to other ledgers and could not.
    """

    record: str
    revisions: tuple[Revision, ...]
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedMany:
    """Records that were saved, in the order given, and how many revisions that took."""

    records: tuple[str, ...]
    revisions: int


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: (table, record) of the record and its rows, the revisions that say so.

    `scrubbed`: whether the content is gone from the files themselves; a file in use is written anew when the station is
    next opened.
    """

    records: tuple[tuple[str, str], ...]
    revisions: tuple[Revision, ...]
    scrubbed: bool


@dataclass(frozen=True, slots=True)
class Received:
    """What came of revisions from elsewhere.

    Numbers of new ones, of those known before, of parked ones and of ones released from parking; the conflicts that
    the records concerned are in now; `problems`: form definitions that contradict the ones here, which stay.
    """

    new: int
    known: int
    parked: int
    released: int
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...] = ()


class LedgersBehindError(CunceError):
    """What was saved or received is safe in the journal, but the ledgers could not follow (full disk, locked file).

    Saving again is wrong; the next catch-up mends it.
    """
