"""One answer changed in a saved record, or in many at once, by the rules of its form, without opening the form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from uuid6 import uuid7

from collect.saving import Answers, SaveError
from forms.definition import Question
from forms.instance import Instance, InstanceError
from forms.problems import CunceError, Place, Problem

if TYPE_CHECKING:
    from collect.ledgers import Ledger
    from collect.station import Station
    from forms.state import NodeState

MOST = 2000  # records that one change may touch


class EditError(CunceError):
    """A change that was refused, nothing of it saved; `by_record`: row id -> what is wrong with it there."""

    def __init__(self, by_record: Mapping[str, tuple[Problem, ...]]) -> None:
        self.by_record = by_record
        super().__init__(problem for problems in by_record.values() for problem in problems)

    @property
    def moved(self) -> bool:
        """Whether all that is wrong is that the records were changed since."""
        return all(problem.code == "COLLECT_EDIT_MOVED" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Edited:
    """A change that was saved: its save's id ("" where nothing differed), and how many revisions that took."""

    save: str
    revisions: int


@dataclass(slots=True)
class Family:
    """A record of a form opened for editing; `places`: its rows' ids -> the position of each repeat around them."""

    record: str
    instance: Instance
    seen: Mapping[str, str]
    places: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def ref(self, row: str, path: str) -> str:
        """Return where a question of a row stands."""
        for repeat, position in reversed(self.places[row]):
            path = f"{path[: len(repeat)]}[{position}]{path[len(repeat) :]}"
        return path

    def row_of(self, ref: str) -> str:
        """Return the id of the row that a question stands in."""
        inside = ((row, self.ref(row, self.places[row][-1][0]) if self.places[row] else "") for row in self.places)
        return max(((len(path), row) for row, path in inside if ref.startswith(path)), default=(0, self.record))[1]


def state_of(station: Station, table: str, row: str, column: str) -> tuple[Family, NodeState, tuple[Problem, ...]]:
    """Return a record, how one answer of it (or of a row below it) stands, and why it can't be changed here.

    `column`: the question's name in Answers. Raises SaveError (COLLECT_RECORD_UNKNOWN).
    """
    family = opened(station, table, row)
    state, why = _state(station.projection.ledgers[table], family, row, column)
    if state is None:
        raise SaveError(why)
    return family, state, why


def opened(station: Station, table: str, row: str) -> Family:
    """Return the whole record that a row belongs to; raises SaveError (COLLECT_RECORD_UNKNOWN)."""
    top, record = _top(station, table, row)
    known = station.opened(top, record)
    ledger = station.projection.ledgers[top]
    form = ledger.form
    excused = station.versions.excused(form, known.seen)
    instance = Instance.load(
        station.program(form.form_id), known.answers, clock=station.clock, attachments=station.attachments,
        excused=excused,
    )  # fmt: skip
    family = Family(record, instance, known.seen, {record: ()})
    _place(station, ledger, known.answers, (), family.places)
    return family


def _top(station: Station, table: str, row: str) -> tuple[str, str]:
    """The ledger and the id of the whole record that a row belongs to; raises SaveError where the row is gone."""
    ledgers = station.projection.ledgers
    top, record = table, row
    while True:
        found = station.projection.record(top, record) if top in ledgers else None
        if found is None:
            raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": table, "record": row}))
        if not ledgers[top].parent:
            return top, record
        top, record = ledgers[top].parent, str(found["_parent"])


def _place(
    station: Station, ledger: Ledger, answers: Mapping[str, object], around: tuple[tuple[str, int], ...],
    places: dict[str, tuple[tuple[str, int], ...]],
) -> None:  # fmt: skip
    for child in station.projection.children(ledger.name):
        rows = answers.get(child.table.key)
        for position, row in enumerate(rows if isinstance(rows, list) else (), start=1):
            here = (*around, (child.table.repeat_path, position))
            places[row["_id"]] = here
            _place(station, child, row, here, places)


def _state(
    ledger: Ledger, family: Family, row: str, column: str
) -> tuple[NodeState | None, tuple[Problem, ...]]:
    """How an answer stands, and why it can't be changed in a list."""
    found = ledger.fields.get(column)
    label = column if found is None else found.question.label.plain(family.instance.language) or column
    refused = (Problem("COLLECT_EDIT_FIXED", context={"question": label}),)
    if found is None or row not in family.places:
        return None, refused
    try:
        state = family.instance.state(family.ref(row, found.path))
    except InstanceError:  # a question of an older version
        return None, refused
    node = state.node
    if not isinstance(node, Question) or not node.shown or node.calculate is not None or state.readonly:
        return state, refused
    if not state.relevant:
        return state, (Problem("COLLECT_EDIT_NOT_ASKED", context={"question": label}),)
    return state, ()


def change(
    station: Station, table: str, column: str, rows: Mapping[str, str], value: str | float, *, author: str
) -> Edited:
    """Answer one question anew in every row of `rows` (id -> the `_rev` its author saw), as one save or not at all.

    `column`: the question's name in Answers; `value`: as a page sends it, codes for choices. A row is refused where it
    was changed since (COLLECT_EDIT_MOVED), where the question is not to be answered, and where the answer, or another
    one because of it, breaks the form's rules; what was wrong elsewhere in the record before is in nobody's way.
    Raises EditError with all of these, SaveError, DatabaseError, LockedError.
    """
    if len(rows) > MOST:
        raise SaveError(Problem("COLLECT_EDIT_MANY", context={"number": len(rows), "most": MOST}))
    station.catch_up()
    refused: dict[str, tuple[Problem, ...]] = {}
    changed: list[tuple[Answers, str, Mapping[str, str]]] = []
    ledger = station.projection.ledgers[table]
    for record, below in _by_record(station, table, rows, refused).items():
        family = opened(station, table, next(iter(below)))
        for row, rev in below.items():
            if family.seen.get(row) != rev:
                refused[row] = (Problem("COLLECT_EDIT_MOVED", context={"name": called(station, table, row)}),)
                continue
            state, why = _state(ledger, family, row, column)
            problems = why or tuple(_answer(family.instance, state, value))
            if problems:
                refused[row] = problems
        if not refused:  # an instance is large: of a record that is done with, its answers are kept
            changed.append((family.instance.answers(), record, family.seen))
    if refused:
        raise EditError(refused)
    save = str(uuid7())
    saved = station.save_all(ledger.form, changed, author=author, save=save)
    return Edited(save if saved.revisions else "", saved.revisions)


def _by_record(
    station: Station, table: str, rows: Mapping[str, str], refused: dict[str, tuple[Problem, ...]]
) -> dict[str, dict[str, str]]:
    """The rows by the whole record they belong to; those that are gone are `refused`."""
    found: dict[str, dict[str, str]] = {}
    for row, rev in rows.items():
        try:
            found.setdefault(_top(station, table, row)[1], {})[row] = rev
        except SaveError as error:
            refused[row] = error.problems
    return found


def faults(station: Station, table: str, record: str) -> dict[str, tuple[Problem, ...]]:
    """Return what is wrong with a saved record now, by the id of the row it is in; places name the question's label."""
    try:
        family = opened(station, table, record)
    except SaveError:  # it has just gone
        return {}
    found: dict[str, list[Problem]] = {}
    for problem in _errors(family.instance):
        row = family.row_of(problem.place.name)
        found.setdefault(row, []).append(_named(family.instance, problem))
    return {row: tuple(problems) for row, problems in found.items()}


def _named(instance: Instance, problem: Problem) -> Problem:
    """A problem whose place is its question's label."""
    try:
        label = instance.state(problem.place.name).label
    except InstanceError:
        label = ""
    return replace(problem, place=Place(name=label or problem.place.name))


def _answer(instance: Instance, state: NodeState | None, value: str | float) -> Iterator[Problem]:
    """Set one answer; yield what is wrong because of it."""
    assert state is not None
    before = {(problem.code, problem.place) for problem in _errors(instance)}
    instance.set(state.ref, value)
    for problem in _errors(instance):
        if problem.place.name == state.ref:
            yield problem
        elif (problem.code, problem.place) not in before:
            # Said beside one cell, what is wrong with another answer needs its question's name.
            yield _named(instance, problem)


def _errors(instance: Instance) -> Iterator[Problem]:
    return (problem for problem in instance.problems() if problem.severity == "error")


def called(station: Station, table: str, row: str) -> str:
    """Return what people call a row, its id where it is gone."""
    found = next(station.projection.labelled(table, "_id", row), None)
    return row if found is None else str(found["label"] or row)
