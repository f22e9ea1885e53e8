"""One tree of cells filled in with record after record: values put in, rules run once in order, faults looked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from forms.answers import Answers, canonical
from forms.cells import Cell, build
from forms.checking import always_in_the_way
from forms.evaluation import computed
from forms.expressions import Context, ExpressionError
from forms.expressions.values import to_string
from forms.instance import Instance, new_id
from forms.problems import Place, Problem
from forms.program import Deed, Program, Rule, Spec
from forms.selects import Selects
from forms.standards import check
from forms.steadiness import fresh_deeds, simple_deeds
from forms.values import typed

Run = Callable[[], None]
Look = Callable[[list[Problem]], None]
# How many answers of one question are remembered with their spelling and verdict.
_KEPT = 5000
_RUNNING = frozenset({"relevant", "calculate"})


class OtherwiseError(Exception):
    """This record needs an instance of its own."""


class Kind:
    """One question, in whichever row it stands, and what is remembered of its answers."""

    __slots__ = ("deeds", "is_answered", "known", "plain", "reals", "sane", "spec", "spelled")

    def __init__(self, spec: Spec, deeds: tuple[Deed, ...]) -> None:
        self.spec = spec
        # A hidden calculation is the form's own business, whatever the answers say.
        self.is_answered = spec.calculate is None or spec.question.shown
        self.plain = spec.value_kind == "string" and not spec.standard and not spec.multiple
        self.deeds = deeds
        self.reals: dict[float, tuple[str, str]] = {}
        self.spelled: dict[object, tuple[str, str]] = {}
        self.known: dict[str, Any] = {}
        self.sane: dict[str, bool] = {}

    def spell(self, value: object) -> tuple[str, str]:
        """Return what a cell holds for an answer, and what is wrong with its type."""
        # 1 and "1" are different keys; 1, 1.0 and True would not be.
        kind = type(value)
        if kind is str or kind is int:
            if len(self.spelled) > _KEPT:
                self.spelled.clear()
            found = self.spelled[value] = canonical(self.spec, value)
            return found
        if kind is float:
            return self._spell_real(value)
        if isinstance(value, Mapping) or (_is_list(value) and not self.spec.multiple):
            raise OtherwiseError
        return canonical(self.spec, value)

    def _spell_real(self, value: Any) -> tuple[str, str]:
        found = self.reals.get(value)
        if found is None:
            if len(self.reals) > _KEPT:
                self.reals.clear()
            found = self.reals[value] = canonical(self.spec, value)
        return found

    def value_of(self, text: str) -> Any:
        """Return a text as the answer it is."""
        if len(self.known) > _KEPT:
            self.known.clear()
        found = self.known[text] = typed(text, self.spec.data_type)
        return found


class Plan:
    """What stands in the record (path '') or in every instance of one repeat."""

    def __init__(self, program: Program, path: str) -> None:
        inside = (path,) if path else ()
        specs = [spec for spec in program.specs.values() if spec.is_leaf and spec.repeats == inside]
        self.path = path
        self.kinds = {spec.path: Kind(spec, program.triggers.get(spec.path, ())) for spec in specs}
        keys, was = program.keys[path], program.was[path]
        named = {**was, **keys}
        self.names = {key: self.kinds[spec.path] for key, spec in named.items() if spec.is_leaf}
        self.repeats = {key: spec for key, spec in named.items() if not spec.is_leaf}
        self.births = program.births.get(path, ()) if path else ()


class Row:
    """The record, or one instance of a repeat, with everything to do for its own cells.

    `starts`: cell, value and code that a new one starts from; `runs`: its rules by their keys; `looks`: in order.
    """

    __slots__ = ("acts", "cell", "cells", "gathers", "looks", "row_id", "runs", "starts", "take")

    def __init__(self, cell: Cell, plan: Plan) -> None:
        self.cell = cell
        self.cells = {below.path: below for below in _own(cell)}
        self.row_id = ""
        self.starts = [
            (below, below.value, below.code)
            for below in self.cells.values()
            if below.spec.is_leaf and plan.kinds[below.path].is_answered
        ]
        self.take = {
            key: (self.cells[kind.spec.path], kind.spelled, kind, kind.is_answered) for key, kind in plan.names.items()
        }
        self.runs: dict[tuple[str, str], Run] = {}
        self.acts: dict[Deed, Run] = {}
        self.looks: list[Look] = []
        self.gathers: list[tuple[str, Cell, Kind | None]] = []


class Taking:
    """What came of putting one record's answers in: problems, actions set off, repeats that were spoken of."""

    __slots__ = ("born", "fired", "problems", "spoken")

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.fired: list[tuple[Deed, Row]] = []
        self.born: list[tuple[Deed, Row]] = []
        self.spoken: set[str] = set()


class Reused(Instance):
    """A filled-in form whose record is replaced by the next one; for steady forms only (`forms.steadiness`).

    `again` begins a new record; `answers` takes it out. The tree must not be changed in any other way.
    """

    _plans: dict[str, Plan]
    _rows: dict[str, list[Row]]

    def prepare(self) -> None:
        """Get ready for `again`; to be called once, on a new record."""
        program = self.program
        self._simple = simple_deeds(program)
        self._plans = {path: Plan(program, path) for path in program.keys}
        self._record = Row(self._root, self._plans[""])
        self._rows = {path: [] for path in program.keys}
        self._rows[""] = [self._record]
        self._pools: dict[str, list[Row]] = {path: [] for path in program.keys}
        self._beginnings: dict[str, list[list[tuple[str, str]]]] = {}
        # Actions that only tell the moment, and metadata, are every record's own.
        self._fresh = [
            (deed, self._record.cells[deed.action.target], self._deed(deed, self._record))
            for deed in fresh_deeds(program)
        ]
        self._told = [
            (self._record.cells[spec.path], kind, parameter)
            for spec, (kind, parameter) in program.preloads
            if (kind, parameter) != ("timestamp", "end") and (spec.key or program.watches.get(spec.path))
        ]
        self._needs_id = any(
            kind == "uid" or cell.path == self.form.instance_id_path for cell, kind, _ in self._told
        )
        for path in program.keys:
            if path:
                self._begin_repeat(path)
        self._equip(self._record, "")
        self._schedule_runs = [
            (rule.spec.repeats[-1] if rule.spec.repeats else "", rule.key)
            for rule in program.order
            if rule.aspect in _RUNNING
        ]

    def _begin_repeat(self, path: str) -> None:
        """Take the rows a new record starts with into the pool, and note what they start from."""
        spec = self.program.specs[path]
        container = self._container(spec)
        begun = list(container.rows(spec))
        self._beginnings[path] = [
            [(below.value, below.code) for below in _own(cell) if below.spec.is_leaf] for cell in begun
        ]
        self._rows[path] = [self._row(path) for _ in begun]
        container.put_rows(spec, [row.cell for row in self._rows[path]])
        for row in self._rows[path]:
            _spread(row.cell)

    def _container(self, spec: Spec) -> Cell:
        parent = spec.parent
        return self._root if parent is None or parent.parent is None else self._record.cells[parent.path]

    def _row(self, path: str) -> Row:
        """Make one more row for a repeat."""
        spec = self.program.specs[path]
        assert spec.pattern is not None
        cell = build(spec.pattern, self._tree)
        cell.parent = self._container(spec)
        row = Row(cell, self._plans[path])
        self._equip(row, path)
        self._pools[path].append(row)
        return row

    def _equip(self, row: Row, path: str) -> None:
        plan = self._plans[path]
        inside = (path,) if path else ()
        for rule in self.program.order:
            if rule.spec.repeats == inside and rule.aspect in _RUNNING:
                row.runs[rule.key] = self._run_of(rule, row.cells[rule.spec.path])
        self._equip_children(row, row.cell.spec, plan)

    def _equip_children(self, row: Row, around: Spec, plan: Plan) -> None:
        for spec in around.children:
            if spec.kind == "repeat":
                row.looks.append(self._look_into(spec.path))
                if spec.key:
                    row.gathers.append((spec.key, row.cells.get(around.path, row.cell), None))
            elif spec.kind == "group":
                self._equip_children(row, spec, plan)
            else:
                cell, kind = row.cells[spec.path], plan.kinds[spec.path]
                look = _look_of(kind, cell, self)
                if look is not None:
                    row.looks.append(look)
                if spec.key:
                    row.gathers.append((spec.key, cell, kind))

    def _look_into(self, path: str) -> Look:
        rows_of = self._rows

        def look(problems: list[Problem]) -> None:
            for row in rows_of[path]:
                if row.cell.relevant:
                    for inner in row.looks:
                        inner(problems)

        return look

    def _run_of(self, rule: Rule, cell: Cell) -> Run:
        assert rule.compiled is not None
        context = self._context
        if rule.aspect == "relevant":
            boolean = rule.compiled.bare[1]

            def relevance() -> None:
                context.node = context.current = cell
                context.position = context.size = 1
                own = bool(boolean(context))
                if own is not cell.own:
                    cell.own = own
                    _spread(cell)

            return relevance
        evaluate, spec = rule.compiled.bare[0], cell.spec
        is_text = spec.value_kind == "string"

        def calculation() -> None:
            if cell.given:
                return
            context.node = context.current = cell
            context.position = context.size = 1
            value = evaluate(context)
            text = value if type(value) is str else _computed_text(value)
            cell.value, cell.code = (text, "") if is_text else computed(text, spec, context.zone)

        return calculation

    def _deed(self, deed: Deed, row: Row) -> Run:
        cell = row.cells[deed.action.target]
        context, action = self._context, deed.action
        evaluate = None if deed.value is None else deed.value.bare[0]

        def act() -> None:
            text = action.literal if evaluate is None else _computed_text(evaluate(context.at(cell)))
            cell.value, cell.code = computed(text, cell.spec, context.zone)

        return act

    # One record

    def again(self, answers: Mapping[str, Any], record_id: str) -> tuple[Problem, ...]:
        """Begin a new record with these answers and return its problems.

        Raises OtherwiseError where it can't be done on this tree; the next record still can.
        """
        self.record_id = record_id or (new_id() if self._needs_id else "")
        self.unplaced = {}
        try:
            taking = self._put(answers)
            problems = taking.problems
            for deed, row in (*taking.born, *taking.fired):
                self._act(deed, row)
            for path, key in self._schedule_runs:
                for row in self._rows[path]:
                    row.runs[key]()
            for look in self._record.looks:
                look(problems)
        except (ExpressionError, RecursionError):
            raise OtherwiseError from None
        return tuple(problems)

    def answers(self, relevant_only: bool = True, *, unplaced: bool = False) -> Answers:
        """Return the record as data; only what is relevant and has a place."""
        self.record_id = self.record_id or new_id()
        answers: Answers = {"_id": self.record_id}
        self._gather(self._record, answers)
        return answers

    def _gather(self, row: Row, answers: Answers) -> None:
        for key, cell, kind in row.gathers:
            if not cell.relevant:
                continue
            if kind is None:
                spec = self.program.keys[""][key]
                rows = answers[key] = []
                for below in self._rows[spec.path]:
                    if below.cell.relevant:
                        below.row_id = below.row_id or new_id()
                        inner: Answers = {"_id": below.row_id}
                        self._gather(below, inner)
                        rows.append(inner)
            elif cell.value:
                value = kind.known.get(cell.value)
                answers[key] = kind.value_of(cell.value) if value is None else value

    def _put(self, answers: Mapping[str, Any]) -> Taking:
        """Put the answers into the cells, over what a new record starts from."""
        for cell, value, code in self._record.starts:
            cell.value = value
            cell.code = code
            cell.given = False
        for cell, kind, parameter in self._told:
            own = cell.path == self.form.instance_id_path
            cell.value = f"uuid:{self.record_id}" if own else self._preload(kind, parameter)
        for _, _, act in self._fresh:
            act()
        taking = Taking()
        self._take(self._record, answers, "", taking)
        for path, begun in self._beginnings.items():
            if path not in taking.spoken:
                rows = self._seat(path, len(begun))
                for row, values in zip(rows, begun, strict=True):
                    leaves = (below for below in row.cells.values() if below.spec.is_leaf)
                    for cell, (value, code) in zip(leaves, values, strict=True):
                        cell.value, cell.code, cell.given = value, code, False
        return taking

    def _take(self, row: Row, answers: Mapping[str, Any], prefix: str, taking: Taking) -> None:
        take = row.take
        for key, value in answers.items():
            found = take.get(key)
            if found is None:
                self._take_other(row, key, value, prefix, taking)
                continue
            cell, spelled, kind, is_own = found
            if value is None:
                text, code = "", ""
            elif type(value) is str:
                if kind.plain and value.isprintable():
                    text, code = value.strip(), ""
                else:
                    text, code = spelled.get(value) or kind.spell(value)
            elif type(value) is int:
                text, code = spelled.get(value) or kind.spell(value)
            else:
                text, code = kind.spell(value)
            cell.code = code
            cell.given = is_own and text != ""
            if cell.value != text:
                cell.value = text
                if kind.deeds:
                    if not is_own:
                        raise OtherwiseError
                    taking.fired += [(deed, row) for deed in kind.deeds]

    def _take_other(self, row: Row, key: str, value: Any, prefix: str, taking: Taking) -> None:
        """Take a key that names no question: a repeat's rows, or nothing the form knows."""
        if key.startswith("_"):
            return
        place = f"{prefix}{key}"
        spec = None if row is not self._record else self._plans[""].repeats.get(key)
        if spec is None:
            self.unplaced[place] = value
            taking.problems.append(Problem("FORMS_ANSWERS_UNKNOWN", Place(name=place), {"value": key}, "warning"))
            return
        if spec.path in taking.spoken or not _is_list(value) or not all(isinstance(one, Mapping) for one in value):
            raise OtherwiseError
        taking.spoken.add(spec.path)
        births = self._plans[spec.path].births
        for number, (below, answers) in enumerate(zip(self._seat(spec.path, len(value)), value, strict=True), start=1):
            for cell, start, code in below.starts:
                cell.value, cell.code, cell.given = start, code, False
            below.row_id = str(answers.get("_id") or "")
            taking.born += [(deed, below) for deed in births]
            self._take(below, answers, f"{place}[{number}]/", taking)

    def _seat(self, path: str, number: int) -> list[Row]:
        """Return so many rows of a repeat, in their places in the tree."""
        rows = self._rows[path]
        if len(rows) == number:
            for row in rows:
                row.row_id = ""
            return rows
        pool = self._pools[path]
        while len(pool) < number:
            self._row(path)
        rows = self._rows[path] = pool[:number]
        spec = self.program.specs[path]
        self._container(spec).put_rows(spec, [row.cell for row in rows])
        for row in rows:
            row.row_id = ""
            _spread(row.cell)
        return rows

    def _act(self, deed: Deed, row: Row) -> None:
        """Do an action that the answers set off, unless its target was given."""
        target = row.cells.get(deed.action.target)
        if target is None or deed.nodes is not None or not target.spec.is_leaf:
            raise OtherwiseError
        if target.given:
            return
        act = row.acts.get(deed)
        if act is None:
            if deed not in self._simple:
                raise OtherwiseError
            act = row.acts[deed] = self._deed(deed, row)
        act()


def _look_of(kind: Kind, cell: Cell, instance: Reused) -> Look | None:
    """What looks for faults in one cell; None where there is never any."""
    spec, checking, selects = kind.spec, instance._checking, instance._selects
    asked = spec.question.shown
    required = spec.required.compiled if spec.required and asked and not always_in_the_way(spec) else None
    constraint = spec.constraint.compiled if spec.constraint and asked else None
    if spec.value_kind == "string" and not (required or constraint or spec.standard or spec.options):
        return None
    always = required is not None and required.source.strip() == "true()"
    context, sane = instance._context, kind.sane
    judged = _judge(kind, cell, selects, context)
    lone = constraint is None or _is_lone(spec)
    asking = None if lone or constraint is None else constraint.bare[1]
    filtered = spec.options is not None and not spec.options.fixed
    needed = None if required is None or always else required.bare[1]

    def look(problems: list[Problem]) -> None:
        if not cell.relevant:
            return
        text = cell.value
        if not text:
            if always or (needed is not None and needed(context.at(cell))):
                problems.extend(checking.faults(cell))
            return
        if not cell.code:
            good = sane.get(text)
            if good is None:
                good = judged(text)
            if (
                good
                and (asking is None or asking(context.at(cell)))
                and not (filtered and not _offered(cell, text, selects))
            ):
                return
        problems.extend(checking.faults(cell))

    return look


def _judge(kind: Kind, cell: Cell, selects: Selects, context: Context) -> Callable[[str], bool]:
    """What tells, and remembers, whether a text breaks any rule that looks at nothing else."""
    spec = kind.spec
    rule = spec.constraint if spec.constraint and spec.question.shown and _is_lone(spec) else None
    fixed = spec.options is not None and spec.options.fixed

    def judged(text: str) -> bool:
        good = not check(spec.standard, text) if spec.standard else True
        if good and fixed:
            good = _offered(cell, text, selects)
        if good and rule is not None and rule.compiled is not None:
            good = rule.compiled.boolean(context.at(cell))
        if len(kind.sane) > _KEPT:
            kind.sane.clear()
        kind.sane[text] = good
        return good

    return judged


def _offered(cell: Cell, text: str, selects: Selects) -> bool:
    codes = text.split() if cell.spec.multiple else (text,)
    return all(selects.offers(cell, code) for code in codes)


def _is_lone(spec: Spec) -> bool:
    """Tell whether a constraint looks at nothing but the value itself."""
    rule = spec.constraint
    if rule is None or rule.compiled is None:
        return False
    reads = rule.compiled.references
    return reads.paths <= {spec.path} and not (
        reads.volatile or reads.positional or reads.subtrees or reads.instances or reads.choice_names or reads.itexts
    )


def _own(cell: Cell) -> Iterator[Cell]:
    """Yield a row's cell and those beneath it that stand in no further repeat, in document order."""
    yield cell
    for child in cell.cells:
        if child.spec.kind != "repeat":
            yield from _own(child)


def _spread(cell: Cell) -> None:
    """Carry a changed relevance down to everything beneath."""
    above = cell.above
    relevant = cell.own and (above is None or above.relevant)
    if relevant == cell.relevant:
        return
    cell.relevant = relevant
    for child in cell.cells:
        _spread(child)


def _computed_text(value: Any) -> str:
    return "" if isinstance(value, float) and math.isnan(value) else to_string(value)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
