"""Import a ledger: every row through the form engine, good rows in, bad rows back with their reasons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from uuid6 import uuid7

from collect.importer.cells import CellReader, label
from collect.importer.gathering import Fault, Gathered, gather
from collect.importer.headers import Vocabulary
from collect.importer.known import Key, Known, paired
from collect.importer.layout import Layout, find_layout
from collect.importer.mappings import remember, remembered, signature
from collect.importer.returned import write_returned
from collect.importer.workbook import ImportFileError, Sheet, read_sheets
from collect.station import Station
from collect.undoing import IMPORT
from forms.answers import Answers
from forms.bulk import Bulk
from forms.problems import Place, Problem
from forms.tables import tables_of

Progress = Callable[[int, int], None]
_BATCH = 500  # records saved in one transaction
_POSITIONS = re.compile(r"\[(\d+)\]")


@dataclass(slots=True)
class Imported:
    """What became of a file's rows.

    `rejected`: 1-based Excel rows that did not go in; `incomplete`: rows that did, but for an answer that the form does
    not ask in their case; `faults`: all reasons by cell; `returned`: the workbook that holds both kinds of rows.
    `save`: the id under which all of it was saved, for `collect.undoing`; "" for a dry run.
    `stopped`: somebody stopped it.
    """

    form_id: str
    sheet: str
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    rows: int = 0
    rejected: list[int] = field(default_factory=list)
    incomplete: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unmatched: tuple[str, ...] = ()
    returned: Path | None = None
    save: str = ""
    stopped: bool = False

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "form": self.form_id, "sheet": self.sheet, "created": self.created, "changed": self.changed,
            "unchanged": self.unchanged, "rows": self.rows, "rejected_rows": len(self.rejected),
            "rejected": self.rejected, "incomplete_rows": len(self.incomplete), "incomplete": self.incomplete,
            "unmatched_headers": list(self.unmatched),
            "returned": str(self.returned) if self.returned else None,
            "save": self.save, "stopped": self.stopped, "problems": [fault.problem.as_data() for fault in self.faults],
        }  # fmt: skip


def import_ledger(
    station: Station,
    form_id: str,
    path: Path,
    *,
    author: str,
    village: str | None = None,
    mapping: Mapping[str, str] | None = None,
    returned: Path | None = None,
    language: str = "zh",
    progress: Progress | None = None,
    sheet: str = "",
    dry_run: bool = False,
    go_on: Callable[[], bool] = lambda: True,
) -> Imported:
    """Import an Excel or CSV ledger into a station.

    `village`: code for rows that name none. `mapping`: header as in the file -> column name ("" for none), over what is
    found by itself; what was said before of a table with the same headers counts where it is None. `returned`: where
    the workbook of failed rows goes (by default beside `path`, `<name>_未导入.xlsx`); written only if there are any.
    `sheet`: the sheet's name, else the one that fits best. `dry_run`: find out what would happen and save nothing.
    `go_on`: asked before each record; False stops, and what is saved stays. `progress`: called with rows done and in
    all. Raises ImportFileError where the file or its headers cannot be read, before anything is saved. Good records are
    saved in batches; importing the file again goes on where it stopped and changes nothing else.
    """
    layout = choose_layout(station, form_id, path, mapping, sheet)
    run = _Run(station, form_id, layout, author, village, dry_run=dry_run)
    result = run.import_all(progress, go_on)
    if mapping and not dry_run:
        remember(station.folder, form_id, layout.headers, mapping)
    if (result.rejected or result.incomplete) and (returned is not None or not dry_run):
        result.returned = returned or path.with_name(f"{path.stem}_未导入.xlsx")
        rows = [row - 1 for row in (*result.rejected, *result.incomplete)]
        write_returned(result.returned, layout, result.faults, rows, language)
    return result


def choose_layout(
    station: Station, form_id: str, path: Path, mapping: Mapping[str, str] | None = None, sheet: str = ""
) -> Layout:
    """Return the layout of the sheet that names most of the form's questions, or of the one named.

    Without `mapping`, what was said of a table with the same headers before counts. Raises ImportFileError.
    """
    sheets = tuple(each for each in read_sheets(path) if sheet in ("", each.name))
    for name, told in remembered(station.folder, form_id).items() if mapping is None else ():
        with suppress(ImportFileError):
            layout = _layout_by(station, form_id, path, told, sheets)
            if signature(form_id, layout.headers) == name:
                return layout
    return _layout_by(station, form_id, path, mapping, sheets)


def _layout_by(
    station: Station, form_id: str, path: Path, mapping: Mapping[str, str] | None, sheets: Sequence[Sheet]
) -> Layout:
    try:
        vocabulary = Vocabulary(station.form(form_id), mapping)
    except KeyError as error:
        context = {"name": error.args[0], "form": form_id}
        raise ImportFileError(Problem("COLLECT_IMPORT_MAPPING", Place(file=path.name), context)) from error
    layouts = [layout for each in sheets if (layout := find_layout(each, vocabulary))]
    if not layouts:
        targets = [target for targets in vocabulary.targets.values() for target in targets]
        known = "、".join(dict.fromkeys(label(target.column.question) for target in targets))
        context = {"form": form_id, "headers": known}
        raise ImportFileError(Problem("COLLECT_IMPORT_NO_HEADER", Place(file=path.name), context))
    return max(layouts, key=lambda layout: layout.matched)


@dataclass(frozen=True, slots=True)
class _Filled:
    """A record in the form.

    `answers`: as the form has them; `before`: as the station had them, empty for a new record; `problems`: the form's
    verdicts; `places`: (repeat key, index in the answers) -> index of the row as gathered; `stood`: faults (code and
    ref) that the record had before the import.
    """

    answers: Answers
    before: Answers
    problems: tuple[Problem, ...]
    places: Mapping[tuple[str, int], int]
    stood: frozenset[tuple[str, str]]


class _Run:
    """One import: what is known, what the file said already, and the records waiting to be saved."""

    def __init__(
        self, station: Station, form_id: str, layout: Layout, author: str, village: str | None, *, dry_run: bool
    ) -> None:
        self.station, self.layout, self.author = station, layout, author
        self.form = station.form(form_id)
        tables = tables_of(self.form)
        root = tables[0]
        self.root = root.name
        mapped = [t.column for t in layout.targets if t is not None and t.table.name == root.name]
        self.known = Known(root, mapped, station.attachments, [t for t in tables if t.parent == root.name])
        self.village = village or (station.villages[0].code if len(station.villages) == 1 else "")
        self.seen: dict[Key, int] = {}
        self.persons: dict[str, int] = {}
        self.result = Imported(form_id, layout.sheet.name, unmatched=layout.unmatched)
        self.dry_run = dry_run
        self.result.save = "" if dry_run else f"{IMPORT}{uuid7()}"
        self.matched: dict[str, int] = {}
        self.waiting: list[tuple[Answers, str]] = []
        self.bulk: Bulk | None = None
        self.columns = {column.path: (table.key, column.name) for table in tables for column in table.columns}
        self.keys = [table.key for table in tables if table.parent == root.name]

    def import_all(self, progress: Progress | None, go_on: Callable[[], bool]) -> Imported:
        """Take every record of the sheet in order and save what is good; the last batch too."""
        total = sum(1 for _ in self.layout.data_rows())
        for record in gather(self.layout, CellReader(self.station.attachments)):
            if not go_on():
                self.result.stopped = True
                break
            self._take(record)
            if len(self.waiting) >= _BATCH:
                self._save()
            if progress is not None:
                progress(self.result.rows, total)
        self._save()
        self.result.rejected.sort()
        self.result.incomplete.sort()
        return self.result

    def _take(self, record: Gathered) -> None:
        self.result.rows += len(record.rows)
        if self.known.village and self.village:
            record.answers.setdefault(self.known.village, self.village)
        faults = [*record.faults, *self._twice(record)]
        existing = self.known.find(record.answers, self._village_of(record))
        first = self.matched.setdefault(existing, record.rows[0]) if existing else record.rows[0]
        if first != record.rows[0] and not faults:
            faults.append(self._fault(record.rows[0], None, "COLLECT_IMPORT_TWICE", {"row": first + 1}))
        while True:
            if any(self._of_record(fault) for fault in faults):
                self._reject(record, faults, record.rows)
                return
            bad = {fault.row for fault in faults}
            filled = self._fill(record, existing, bad)
            found = self._verdicts(record, filled)
            if not found:
                break
            faults += found
        self._reject(record, faults, sorted(bad))
        if len(bad) == len(record.rows):
            return
        unasked = list(self._unasked(record, filled, bad))
        self.result.faults += unasked
        self.result.incomplete += sorted({fault.row + 1 for fault in unasked})
        if existing is None:
            self.result.created += 1
        elif filled.answers == filled.before:
            self.result.unchanged += 1
            return
        else:
            self.result.changed += 1
        self.waiting.append((filled.answers, self._village_of(record)))

    def _village_of(self, record: Gathered) -> str:
        return str(record.answers.get(self.known.village) or self.village)

    def _of_record(self, fault: Fault) -> bool:
        """Tell whether a fault is of the record itself, not of one row of a repeat."""
        target = self.layout.targets[fault.column] if fault.column is not None else None
        return target is None or not target.table.parent

    def _twice(self, record: Gathered) -> list[Fault]:
        """What the file already said in an earlier row: the same household, the same ID number."""
        faults = []
        key = self.known.key(record.answers, self._village_of(record))
        first = self.seen.setdefault(key, record.rows[0]) if any(key[1:]) else record.rows[0]
        if first != record.rows[0]:
            faults.append(self._fault(record.rows[0], None, "COLLECT_IMPORT_TWICE", {"row": first + 1}))
            return faults
        for (_, _, column), (row, cell) in record.sources.items():
            target = self.layout.targets[cell]
            if column == "resident_id" and target is not None and target.table.parent:
                number = str(self.layout.sheet.cell(row, cell)).strip()
                before = self.persons.setdefault(number, row)
                if before != row:
                    faults.append(self._fault(row, cell, "COLLECT_IMPORT_PERSON_TWICE", {"row": before + 1}))
        return faults

    def _fill(self, record: Gathered, existing: str | None, bad: set[int]) -> _Filled:
        """Fill the form with a record's good rows over what is known of it."""
        before = self.station.answers(self.root, existing) if existing else {}
        answers = dict(before)
        places: dict[tuple[str, int], int] = {}
        for name, value in record.answers.items():
            if name not in self.keys:
                answers[name] = value
                continue
            given = [(i, row) for i, row in enumerate(value) if record.row_of(name, i) not in bad]
            rows = paired(answers.get(name, []), given)
            places |= {(name, new): old for new, (old, _) in enumerate(rows) if old is not None}
            answers[name] = [row for _, row in rows]
        told = {name: value for name, value in answers.items() if name != "_id"}
        if existing is None:
            # A new form begins with an empty row of each repeat, which the file does not speak of.
            bulk = self._bulk()
            problems = bulk.fill({key: [] for key in self.keys} | told)
            return _Filled(bulk.answers(), before, problems, places, frozenset())
        instance = self.station.instance(self.form.form_id, existing)
        stood = frozenset((p.code, p.place.name) for p in instance.problems())
        problems = instance.fill(told)
        return _Filled(instance.answers(), before, problems, places, stood)

    def _bulk(self) -> Bulk:
        """The filler of new records; it sees other ledgers as they were when the batch began."""
        if self.bulk is None:
            program, at = self.station.program(self.form.form_id), self.station
            self.bulk = Bulk(program, clock=at.clock, attachments=at.attachments)
        return self.bulk

    def _verdicts(self, record: Gathered, filled: _Filled) -> list[Fault]:
        """The errors of the form's rules, each at its cell.

        Warnings let a row pass, and so does what was wrong before with an answer that the file does not speak of.
        """
        faults = []
        for problem in filled.problems:
            if problem.severity == "error":
                row, column = self._cell_of(record, problem.place.name, filled.places)
                untouched = column is None or (row, column) not in record.sources.values()
                if not (untouched and (problem.code, problem.place.name) in filled.stood):
                    faults.append(Fault(row, column, self._placed(problem, row, column)))
        return faults

    def _unasked(self, record: Gathered, filled: _Filled, bad: set[int]) -> Iterator[Fault]:
        """Cells whose question the form does not ask in this case: their answers stay behind, and that is said."""
        at = {(key, old): new for (key, new), old in filled.places.items()}
        for (key, index, column), (row, cell) in record.sources.items():
            target = self.layout.targets[cell]
            if row in bad or target is None:
                continue
            answers = filled.answers[key][at[key, index]] if key else filled.answers
            if answers.get(column) is None:
                context = {"question": label(target.column.question), "value": self.layout.sheet.cell(row, cell)}
                problem = Problem("COLLECT_IMPORT_NOT_ASKED", context=context, severity="warning")
                yield Fault(row, cell, self._placed(problem, row, cell))

    def _cell_of(
        self, record: Gathered, ref: str, places: Mapping[tuple[str, int], int]
    ) -> tuple[int, int | None]:
        key, column = self.columns.get(_POSITIONS.sub("", ref), ("", ""))
        index = int(_POSITIONS.findall(ref)[0]) - 1 if key else 0
        given = places.get((key, index)) if key else 0
        if given is None:  # a row that the file does not hold: the record as a whole cannot go in
            return record.rows[0], None
        return record.sources.get((key, given, column), (record.row_of(key, given), self._any_column(key)))

    def _any_column(self, key: str) -> int | None:
        """A column of the repeat, for rules about a question that the file has no column for."""
        columns = [n for n, target in enumerate(self.layout.targets) if target is not None and target.table.key == key]
        return columns[0] if key and columns else None

    def _placed(self, problem: Problem, row: int, column: int | None) -> Problem:
        header = self.layout.headers[column] if column is not None else ""
        return replace(problem, place=Place(self.layout.sheet.file, self.layout.sheet.name, row + 1, header))

    def _fault(self, row: int, column: int | None, code: str, context: Mapping[str, Any]) -> Fault:
        return Fault(row, column, self._placed(Problem(code, context=context), row, column))

    def _reject(self, record: Gathered, faults: list[Fault], rows: list[int]) -> None:
        self.result.faults += faults
        self.result.rejected += [row + 1 for row in rows]

    def _save(self) -> None:
        """Save the waiting records: all of a batch or none of it."""
        rows = [(self.form, answers, village or None) for answers, village in self.waiting]
        if not self.dry_run:
            self.station.save_many(rows, author=self.author, save=self.result.save)
        self.waiting.clear()
        self.bulk = None
