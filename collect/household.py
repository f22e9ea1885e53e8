"""What may happen to a household: somebody leaves, it splits, it joins another, it moves away (pure).

Every rule takes households as answers (as `Station.answers` gives them, with `_id` on the record and its rows) and
returns a Plan: how they read afterwards. Nobody is deleted: who leaves keeps the record with a date and a reason, and
who changes household keeps the id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forms.definition import Form
from forms.problems import CunceError, Problem
from forms.tables import tables_of

Answers = Mapping[str, Any]
Row = dict[str, Any]

# GB/T 4761
HEAD, SPOUSE, SON, DAUGHTER, FATHER, MOTHER, SIBLING = "02", "10", "20", "30", "51", "52", "70"
_CHILDREN = (SON, DAUGHTER)
_CHILD_SPOUSES = ("38", "28")
_GRANDCHILDREN = ("41", "42", "43", "44")
LEAVING = ("died", "married_out", "moved_out")


class HouseholdError(CunceError):
    """Something that cannot be done to a household; every reason at once."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Which of a form's columns mean what; found by their names, "" where the form does not ask.

    `members`: the repeat of people, the one that asks for a relation. `left*`: why, when and where to a person left;
    `gone`: the mark that makes these questions appear; `state*`, `away`: the same of the household.
    """

    members: str
    name: str = "name"
    relation: str = "relation"
    head_name: str = ""
    left: str = ""
    left_on: str = ""
    left_to: str = ""
    gone: str = ""
    state: str = ""
    state_on: str = ""
    state_to: str = ""
    away: str = ""
    number: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of it: `before` and `after` by household id ("" in `created` marks new ones), in order.

    `unsure`: ids of people whose relation to the new head nobody can derive: it was emptied and is to be asked for.
    `moved`: id of a person -> id of the household they are in now. `joined`: household -> the one that took it in.
    """

    after: Mapping[str, Answers]
    created: frozenset[str] = frozenset()
    unsure: tuple[str, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    joined: Mapping[str, str] = field(default_factory=dict)


def shape_of(form: Form) -> Shape | None:
    """Return which columns of a form mean what, None for a form that is about no household."""
    root, *repeats = tables_of(form)
    members = next((t for t in repeats if {"name", "relation"} <= {column.name for column in t.columns}), None)
    if members is None or members.parent != root.name:
        return None
    own, theirs = {column.name for column in root.columns}, {column.name for column in members.columns}
    of_people: tuple[str, ...] = ("left", "left_on", "left_to", "gone")
    of_homes: tuple[str, ...] = ("head_name", "state", "state_on", "state_to", "away", "phone")
    asked = {name: name for name in of_people if name in theirs} | {name: name for name in of_homes if name in own}
    number = "household_number" if "household_number" in own else ""
    return Shape(members.key, number=number, **asked)


def present(shape: Shape, household: Answers) -> tuple[Answers, ...]:
    """Return the people who have not left."""
    return tuple(row for row in household.get(shape.members) or () if not (shape.left and row.get(shape.left)))


def head_of(shape: Shape, household: Answers) -> Answers | None:
    """Return the head among the people who are there, or None."""
    return next((row for row in present(shape, household) if row.get(shape.relation) == HEAD), None)


def leave(
    shape: Shape, household: Answers, person: str, *, why: str, on: str, to: str = "", head: str = ""
) -> Plan:
    """Let a person leave: died, married_out or moved_out. `head`: who becomes head where the head leaves.

    Raises HouseholdError: COLLECT_HOUSEHOLD_PERSON, COLLECT_HOUSEHOLD_HEAD, COLLECT_HOUSEHOLD_REASON.
    """
    if why not in LEAVING or not shape.left:
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_REASON", context={"reason": why}))
    after, rows = _copy(shape, household)
    row = _person(shape, rows, person, household)
    was_head = row.get(shape.relation) == HEAD
    row |= {shape.left: why, **_given(shape, left_on=on, left_to=to), **({shape.gone: "yes"} if shape.gone else {})}
    unsure = _succeed(shape, after, rows, head, person) if was_head else ()
    return Plan({after["_id"]: after}, unsure=unsure)


def come_back(shape: Shape, household: Answers, person: str = "") -> Plan:
    """Take back that a person (or, without one, the household) left."""
    after, rows = _copy(shape, household)
    if not person:
        for name in (shape.state, shape.state_on, shape.state_to, shape.away):
            after.pop(name, None)
        return Plan({after["_id"]: after})
    row = _person(shape, rows, person, household, gone=True)
    for name in (shape.left, shape.left_on, shape.left_to, shape.gone):
        row.pop(name, None)
    if row.get(shape.relation) == HEAD and sum(each.get(shape.relation) == HEAD for each in rows) > 1:
        row.pop(shape.relation)
        return Plan({after["_id"]: after}, unsure=(person,))
    return Plan({after["_id"]: after})


def move_away(shape: Shape, household: Answers, *, on: str, to: str = "", state: str = "moved_away") -> Plan:
    """Let a whole household leave; its people stay with it. Raises HouseholdError (COLLECT_HOUSEHOLD_REASON)."""
    if not shape.state:
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_REASON", context={"reason": state}))
    after, _ = _copy(shape, household)
    after |= {shape.state: state, **_given(shape, state_on=on, state_to=to)}
    if shape.away:
        after[shape.away] = "yes"
    return Plan({after["_id"]: after})


def move_person(
    shape: Shape, source: Answers, target: Answers, person: str, *, relation: str = "", head: str = ""
) -> Plan:
    """Move a person to another household, where they are `relation` to its head.

    `head`: who becomes head of the household left behind, where its head moves. Raises HouseholdError.
    """
    _different(source, target)
    left, rows = _copy(shape, source)
    taking, theirs = _copy(shape, target)
    row = _person(shape, rows, person, source)
    was_head = row.get(shape.relation) == HEAD
    if was_head and len(present(shape, source)) == 1:
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_LAST", context={"name": row.get(shape.name, "")}))
    rows.remove(row)
    unsure = list(_succeed(shape, left, rows, head, person)) if was_head else []
    if relation == HEAD:
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_TWO_HEADS"))
    _relate(shape, row, relation)
    if not relation:
        unsure.append(person)
    theirs.append(row)
    return Plan({left["_id"]: left, taking["_id"]: taking}, unsure=tuple(unsure), moved={person: taking["_id"]})


def split(
    shape: Shape, source: Answers, people: Sequence[str], *,
    head: str, record: str, number: str = "", rest_head: str = "",
) -> Plan:  # fmt: skip
    """Make a household of its own out of some people: `head` heads it, `record` is its new id.

    It takes over village, group and address; what is counted of house and land stays. `rest_head`: who heads the rest
    where the head goes. Raises HouseholdError with every reason.
    """
    going = dict.fromkeys(people)
    left, rows = _copy(shape, source)
    moving = [row for row in rows if row["_id"] in going]
    problems = []
    if not moving or len(moving) != len(going):
        problems.append(Problem("COLLECT_HOUSEHOLD_PERSON", context={"name": "", "household": _name(shape, source)}))
    if head not in going:
        problems.append(Problem("COLLECT_HOUSEHOLD_HEAD", context={"household": _name(shape, source)}))
    if all(row["_id"] in going for row in present(shape, source)):
        problems.append(Problem("COLLECT_HOUSEHOLD_ALL"))
    if problems:
        raise HouseholdError(problems)
    rows[:] = [row for row in rows if row["_id"] not in going]
    old_head = head_of(shape, source)
    unsure: list[str] = []
    if old_head is not None and old_head["_id"] in going:
        unsure += _succeed(shape, left, rows, rest_head, old_head["_id"])
    new = {name: value for name, value in source.items() if name in _INHERITED} | {"_id": record}
    new[shape.members] = moving
    if number and shape.number:
        new[shape.number] = number
    unsure += _rehead(shape, new, moving, head)
    first = next(row for row in moving if row["_id"] == head)
    if shape.phone and first.get("phone"):
        new[shape.phone] = first["phone"]
    after = {left["_id"]: left, record: new}
    return Plan(after, frozenset({record}), tuple(unsure), {row["_id"]: record for row in moving})


def merge(
    shape: Shape, source: Answers, target: Answers, *, on: str, relations: Mapping[str, str] | None = None
) -> Plan:
    """Let a household join another; `relations`: person -> relation to the head there. Nothing of it is deleted."""
    _different(source, target)
    taking, theirs = _copy(shape, target)
    left, rows = _copy(shape, source)
    unsure = []
    for row in rows:
        relation = (relations or {}).get(row["_id"], "")
        if relation == HEAD and head_of(shape, target) is not None:
            raise HouseholdError(Problem("COLLECT_HOUSEHOLD_TWO_HEADS"))
        _relate(shape, row, relation)
        if not relation:
            unsure.append(row["_id"])
    moved = {row["_id"]: taking["_id"] for row in rows}
    theirs += rows
    left[shape.members] = []
    if shape.state:
        left |= {shape.state: "merged", **_given(shape, state_on=on, state_to=_name(shape, target))}
    if shape.away:
        left[shape.away] = "yes"
    joined = {left["_id"]: taking["_id"]}
    return Plan({left["_id"]: left, taking["_id"]: taking}, unsure=tuple(unsure), moved=moved, joined=joined)


_INHERITED = ("village", "group_name", "address", "location", "water", "road")


def _copy(shape: Shape, household: Answers) -> tuple[Row, list[Row]]:
    rows = [dict(row) for row in household.get(shape.members) or ()]
    return {**household, shape.members: rows}, rows


def _given(shape: Shape, **values: str) -> Row:
    """Those of the values that are given and that the form asks for, under its names."""
    return {getattr(shape, name): value for name, value in values.items() if value and getattr(shape, name)}


def _name(shape: Shape, household: Answers) -> str:
    return str(household.get(shape.head_name) or household.get("_id") or "")


def _different(source: Answers, target: Answers) -> None:
    if source["_id"] == target["_id"]:
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_SAME"))


def _person(shape: Shape, rows: Sequence[Row], person: str, household: Answers, *, gone: bool = False) -> Row:
    for row in rows:
        if row["_id"] == person and bool(shape.left and row.get(shape.left)) == gone:
            return row
    context = {"name": person, "household": _name(shape, household)}
    raise HouseholdError(Problem("COLLECT_HOUSEHOLD_PERSON", context=context))


def _relate(shape: Shape, row: Row, relation: str) -> None:
    if relation:
        row[shape.relation] = relation
    else:
        row.pop(shape.relation, None)


def _succeed(shape: Shape, household: Row, rows: list[Row], head: str, leaving: str) -> tuple[str, ...]:
    """Make somebody else the head; nobody where nobody is left."""
    staying = [row for row in rows if row["_id"] != leaving and not (shape.left and row.get(shape.left))]
    if not staying:
        return ()
    if head not in {row["_id"] for row in staying}:
        context = {"household": _name(shape, household)}
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_HEAD", context=context))
    return _rehead(shape, household, rows, head)


def _rehead(shape: Shape, household: Row, rows: Sequence[Row], head: str) -> tuple[str, ...]:
    """Relate everybody to a new head; returns who is left without a relation that could be derived."""
    first = next(row for row in rows if row["_id"] == head)
    was = str(first.get(shape.relation) or "")
    unsure = []
    for row in rows:
        if row is first or was == HEAD:
            continue
        relation = related(str(row.get(shape.relation) or ""), was, row.get("sex"), first.get("sex"))
        if not relation and row.get(shape.relation):
            unsure.append(row["_id"])
        _relate(shape, row, relation)
    first[shape.relation] = HEAD
    if shape.head_name:
        household[shape.head_name] = first.get(shape.name, "")
    return tuple(unsure)


def related(relation: str, head: str, sex: object = "", head_sex: object = "") -> str:
    """Return what somebody is to a new head who was `head` to the old one, "" where nobody can tell.

    `relation`: to the old head; `sex`, `head_sex`: male or female. Only what always holds; source: GB/T 4761-2008.
    """
    if head == SPOUSE:
        kept = (*_CHILDREN, *_CHILD_SPOUSES, *_GRANDCHILDREN)
        in_laws = {"55": FATHER, "56": MOTHER, "53": FATHER, "54": MOTHER}
        parents = {FATHER: "53", MOTHER: "54"} if head_sex == "female" else {FATHER: "55", MOTHER: "56"}
        return SPOUSE if relation == HEAD else relation if relation in kept else (in_laws | parents).get(relation, "")
    if head in _CHILDREN:
        if relation in (HEAD, SPOUSE):
            return {"male": FATHER, "female": MOTHER}.get(str(sex), "")
        spouse = "38" if head == SON else "28"
        grand = {FATHER: "61", MOTHER: "62"} if relation in (FATHER, MOTHER) else {}
        return SIBLING if relation in _CHILDREN else SPOUSE if relation == spouse else grand.get(relation, "")
    if head in (FATHER, MOTHER):
        if relation == HEAD:
            return {"male": SON, "female": DAUGHTER}.get(str(sex), "")
        return SPOUSE if relation in (FATHER, MOTHER) else ""
    return ""
