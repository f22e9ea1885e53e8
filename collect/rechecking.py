"""Checking again: whether what a hub received keeps its forms' rules, a little at a time.

`checks.db` can be thrown away. It names records, questions and rules that are broken, and no answer: what is shown is
read anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collect.database import Connection, Connections, DatabaseError, transaction
from collect.hlc import moment_of
from collect.journal import Arrival
from collect.ledgers import language as language_in
from collect.revision import PARENT, Revision
from collect.saving import SaveError
from forms.clock import FixedClock
from forms.problems import CunceError, Problem

if TYPE_CHECKING:
    from collect.ledgers import Ledger
    from collect.seeing import Opened
    from collect.station import Station
    from forms.instance import Instance

SCHEMA = (
    """
    CREATE TABLE failing (
        "table" TEXT NOT NULL, record TEXT NOT NULL, row TEXT NOT NULL, ref TEXT NOT NULL, code TEXT NOT NULL,
        village TEXT NOT NULL, checked INTEGER NOT NULL, PRIMARY KEY ("table", record, row, ref, code)
    ) WITHOUT ROWID;
    CREATE TABLE formless ("table" TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY ("table", record)) WITHOUT ROWID;
    CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
)
EDITION: Final = "1"  # of the way records are checked: another one begins anew
BATCH: Final = 100  # revisions that a step reads
BUDGET: Final = 0.05  # seconds that a step takes, and the one record more that it was at
FUTURE, PAST = "COLLECT_CHECK_FUTURE", "COLLECT_CHECK_PAST"
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATE: Final = timedelta(days=1)  # by which a time may be ahead of this station's clock
_CHOICE: Final = "FORMS_VALUE_CHOICE"  # may come right by a record that comes later
_POSITION: Final = re.compile(r"\[\d+\]")
Key = tuple[str, str]  # a ledger of a form's own, and a record in it


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that an answer of a record breaks, or a time at which nothing can have been saved.

    `table`, `record`: the record; `row`: the record or row the answer is in; `label`: the question's words, "" for a
    time; `value`: the answer as people read it; `author`, `at` (ISO 8601), `station`: who saved it last, when, where.
    """

    table: str
    record: str
    row: str
    ref: str
    label: str
    value: str
    problem: Problem
    author: str
    at: str
    station: str
    village: str


class Rechecking:
    """The door to `checks.db`. A record is judged by the version and at the moment it was last saved with."""

    def __init__(self, path: Path, station: Station) -> None:
        self._connections, self._station = Connections(path, SCHEMA), station

    @property
    def _db(self) -> Connection:
        return self._connections.here

    def close(self) -> None:
        """Close the file."""
        self._connections.close()

    def begin_anew(self) -> None:
        """Forget what was found, and begin with the first revision again."""
        with transaction(self._db):
            self._db.execute("DELETE FROM failing")
            self._db.execute("DELETE FROM formless")
            self._db.execute("DELETE FROM note")

    def step(self, budget: float = BUDGET) -> bool:
        """Check the next records, for `budget` seconds and one record at most; return whether more are to be checked.

        What it found and how far it came is written in one transaction, so it goes on where it was interrupted. Raises
        DatabaseError, LockedError.
        """
        if self._note("edition") != EDITION:
            self.begin_anew()
        until = time.monotonic() + budget
        cursor, end = int(self._note("cursor") or 0), self._station.projection.cursor()
        arrivals = [each for each in self._station.journal.since(cursor, limit=BATCH) if each.number <= end]
        keys, reached = self._keys(arrivals), cursor
        done: dict[Key, list[Finding]] = {}
        for number, key in keys:
            if key is not None and key not in done:
                done[key] = self.check(key)
            reached = number
            if time.monotonic() >= until:
                break
        with transaction(self._db):
            for key, found in done.items():
                self._keep(key, found, reached)
            self._db.executemany(
                'INSERT OR IGNORE INTO formless ("table", record) VALUES (?, ?)',
                ((each.revision.table, each.revision.record) for each in arrivals
                 if each.number <= reached and self._station.projection.ledgers.of(each.revision.table) is None),
            )
            self._remember(cursor=str(reached), edition=EDITION)
        return bool(arrivals) or self._again(end, until)

    def _keys(self, arrivals: Sequence[Arrival]) -> list[tuple[int, Key | None]]:
        """The records that revisions are about, in order; a number stands alone where there is nothing to check."""
        found: list[tuple[int, Key | None]] = []
        for number, revision in arrivals:
            keys = tuple(self._tops(revision))
            # The number counts as reached with the last of its records only.
            found += [(number - 1, key) for key in keys[:-1]]
            found.append((number, keys[-1] if keys else None))
        return found

    def _tops(self, revision: Revision) -> Iterator[Key]:
        """The records of a form's own ledger that a revision is about: of a row that moved, both."""
        ledgers, projection = self._station.projection.ledgers, self._station.projection
        ledger = ledgers.of(revision.table)
        if ledger is None:
            return
        if not ledger.parent:
            yield ledger.name, revision.record
            return
        row = projection.record(ledger.name, revision.record)
        if row is not None and not (PARENT in revision.changes and revision.parents):
            parents = [str(row["_parent"])]
        else:
            history = self._station.history(revision.record)
            parents = list(dict.fromkeys(str(each.changes[PARENT]) for each in history if each.changes.get(PARENT)))
        for parent in parents:
            yield from self._above(ledgers[ledger.parent], parent)

    def _above(self, ledger: Ledger, record: str) -> Iterator[Key]:
        while ledger.parent:
            row = self._station.projection.record(ledger.name, record)
            if row is None:
                return
            ledger, record = self._station.projection.ledgers[ledger.parent], str(row["_parent"])
        yield ledger.name, record

    def _again(self, end: int, until: float) -> bool:
        """Check what lacked its form, or a record that may have come meanwhile; return whether there is more."""
        waiting = dict.fromkeys(self._formed())
        more = self._db.rows(
            'SELECT DISTINCT "table", record FROM failing WHERE code = ? AND checked < ? LIMIT ?', (_CHOICE, end, BATCH)
        )
        waiting |= dict.fromkeys((table, record) for table, record in more)
        done: dict[Key, list[Finding]] = {}
        for key in waiting:
            done[key] = self.check(key)
            if time.monotonic() >= until:
                break
        with transaction(self._db):
            for key, found in done.items():
                self._keep(key, found, end)
                self._db.execute('DELETE FROM formless WHERE "table" = ? AND record = ?', key)
        return len(done) < len(waiting) or len(more) == BATCH

    def _formed(self) -> Iterator[Key]:
        """Records that came before their form, and whose form is here now; rows among them follow with their record."""
        ledgers = self._station.projection.ledgers
        for table, record in self._db.rows('SELECT "table", record FROM formless ORDER BY "table", record'):
            ledger = ledgers.of(table)
            if ledger is not None and not ledger.parent:
                yield ledger.name, record

    def _keep(self, key: Key, found: Sequence[Finding], checked: int) -> None:
        self._db.execute('DELETE FROM failing WHERE "table" = ? AND record = ?', key)
        self._db.executemany(
            'INSERT OR IGNORE INTO failing ("table", record, row, ref, code, village, checked) '
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((*key, each.row, each.ref, each.problem.code, each.village, checked) for each in found),
        )

    # ---- judging

    def check(self, key: Key, language: str = "zh") -> list[Finding]:
        """Return what is wrong with a record as it stands now; nothing for one that is gone. `language`: zh or en."""
        table, record = key
        try:
            opened = self._station.opened(table, record)
        except SaveError:
            return []
        histories = {row: self._station.history(row) for row in opened.seen}
        if not histories[record]:
            return []
        now = self._station.clock.now()
        found = list(_impossible(key, opened, histories, now))
        saved = max(moment_of(history[-1].time) for history in histories.values() if history)
        try:
            instance = self._instance(opened, histories[record][-1].version, min(saved, now), language)
            problems = instance.problems()
        except DatabaseError:
            raise
        except CunceError as error:  # a form that cannot be run must not keep all other records from being checked
            last = histories[record][-1]
            who = last.author, moment_of(last.time).isoformat(timespec="seconds"), last.id.station, opened.village
            return [*found, *(Finding(*key, record, "", "", "", problem, *who) for problem in error.problems)]
        errors = (problem for problem in problems if problem.severity == "error")
        return [*found, *(self._finding(key, opened, histories, instance, problem) for problem in errors)]

    def _instance(self, opened: Opened, version: str, at: datetime, language: str) -> Instance:
        """The record in the version it was saved with; in the newest where that has no place for all its answers."""
        from forms.instance import Instance
        from forms.program import compile_form

        station, ledger = self._station, self._station.projection.ledgers[opened.table]
        given: dict[str, Any] = {"clock": FixedClock(at), "attachments": station.attachments}
        versions = station.shelf.versions(ledger.form.form_id)
        saved = next((form for form in versions if form.version == version), ledger.form)
        if saved.version != ledger.form.version:
            instance = Instance.load(
                compile_form(saved), opened.answers, language=language_in(saved, language), **given
            )
            if not instance.unplaced:
                return instance
        excused = station.versions.excused(ledger.form, opened.seen)
        given["language"] = language_in(ledger.form, language)
        return Instance.load(compile_form(ledger.form), opened.answers, excused=excused, **given)

    def _finding(
        self, key: Key, opened: Opened, histories: Mapping[str, Sequence[Revision]], instance: Instance,
        problem: Problem,
    ) -> Finding:  # fmt: skip
        ref = problem.place.name
        ledger, row = self._row_at(ref, self._station.projection.ledgers[opened.table], opened.answers)
        path = _POSITION.sub("", ref)
        field = next((name for name, column in ledger.fields.items() if column.path == path), "")
        history = histories.get(row) or histories[opened.record]
        writer = next((each for each in reversed(history) if field in each.changes), history[-1])
        label, value = _words(instance, ref)
        return Finding(
            *key, row, ref, label or field or ref, value, problem, writer.author,
            moment_of(writer.time).isoformat(timespec="seconds"), writer.id.station, opened.village,
        )  # fmt: skip

    def _row_at(self, ref: str, ledger: Ledger, answers: Mapping[str, Any], here: str = "") -> tuple[Ledger, str]:
        """The ledger and id of the row that a ref stands in."""
        for child in self._station.projection.children(ledger.name):
            above = ledger.table.repeat_path or ""
            path = here + child.table.repeat_path.removeprefix(above)
            for position, row in enumerate(answers.get(child.table.key) or (), start=1):
                inside = f"{path}[{position}]"
                if ref.startswith(inside + "/"):
                    return self._row_at(ref, child, row, inside)
        return ledger, str(answers["_id"])

    # ---- reading

    def count(self) -> int:
        """Return how many records break a rule, as far as they were checked."""
        return int(self._db.value('SELECT count(*) FROM (SELECT DISTINCT "table", record FROM failing)'))

    def progress(self) -> tuple[int, int]:
        """Return up to which arrival number all was checked, and the last one."""
        return int(self._note("cursor") or 0), self._station.projection.cursor()

    def failing(self, *, limit: int, offset: int = 0, language: str = "zh") -> tuple[Finding, ...]:
        """Return what is wrong with the records found, judged anew; those that are in order by now leave the list."""
        keys = self._db.rows(
            'SELECT DISTINCT "table", record FROM failing ORDER BY "table", record LIMIT ? OFFSET ?', (limit, offset)
        )
        judged = {(table, record): self.check((table, record), language) for table, record in keys}
        right = [key for key, found in judged.items() if not found]
        if right:
            with transaction(self._db):
                self._db.executemany('DELETE FROM failing WHERE "table" = ? AND record = ?', right)
        return tuple(each for found in judged.values() for each in found)

    def run(self, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
        """Check all that is to be checked, without a pause; return how many records break a rule."""
        while self.step(budget=1.0):
            progress(*self.progress())
        return self.count()

    def _note(self, key: str) -> str | None:
        found = self._db.value("SELECT value FROM note WHERE key = ?", (key,))
        return None if found is None else str(found)

    def _remember(self, **notes: str) -> None:
        self._db.executemany("INSERT OR REPLACE INTO note (key, value) VALUES (?, ?)", notes.items())


def _impossible(
    key: Key, opened: Opened, histories: Mapping[str, Sequence[Revision]], now: datetime
) -> Iterator[Finding]:
    """Records and rows whose last save was at a time that cannot be."""
    for row, history in histories.items():
        if not history:
            continue
        last = history[-1]
        at = moment_of(last.time)
        code = FUTURE if at > now + LATE else PAST if at < EARLIEST else ""
        if code:
            shown = at.isoformat(timespec="seconds")
            problem = Problem(code, context={"at": shown[:16].replace("T", " ")})
            yield Finding(*key, row, "", "", "", problem, last.author, shown, last.id.station, opened.village)


def _words(instance: Instance, ref: str) -> tuple[str, str]:
    """What a question is called and what is answered, as people read it."""
    state = instance.state(ref)
    chosen = {choice.name: choice.label for choice in state.choices}
    value = "" if state.value is None else str(state.value)
    return state.label, "、".join(chosen.get(code, code) for code in value.split(" ")) if chosen else value
