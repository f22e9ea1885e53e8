"""One filled-in form: answers set, rules kept, states shown, and the record taken out as data or XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, cast

from uuid6 import uuid7

from forms import openrosa
from forms.answers import Answers, Filling, answers_of, canonical
from forms.attachments import Attachments, NoAttachments
from forms.cells import Cell, build
from forms.clock import Clock, SystemClock
from forms.evaluation import Evaluation
from forms.expressions import Context, Tree
from forms.problems import CunceError, Place, Problem
from forms.program import Program, Spec, Text
from forms.selects import Selects, ShownChoice
from forms.standards import check
from forms.state import Changes, NodeState
from forms.values import Value, typed

__all__ = ["Changes", "Instance", "InstanceError", "NodeState", "ShownChoice"]

_SPEAKING = frozenset({"jr:itext", "jr:choice-name"})
_NO_ATTACHMENTS = NoAttachments()
_NO_METADATA: Mapping[str, str] = {}
# What a change of relevance or of an enclosing group's state changes for every question beneath.
_INHERITED = frozenset({"relevant", "readonly"})


class InstanceError(CunceError):
    """A filled-in form was asked for a node it doesn't have, or for what that node doesn't allow."""


class Instance:
    """One filled-in form. Made by `new`, `load` or `from_xml`; not safe for several threads at once.

    A `ref` is an absolute path with a 1-based position on every repeat (`/data/member[2]/name`); a missing position
    means the first. Methods raise InstanceError for a ref that leads nowhere.
    """

    def __init__(
        self,
        program: Program,
        *,
        clock: Clock,
        attachments: Attachments,
        language: str,
        metadata: Mapping[str, str],
        record_id: str,
    ) -> None:
        self.program = program
        self.form = program.form
        self.clock = clock
        self.metadata = metadata
        self.record_id = record_id
        self.unplaced: dict[str, Any] = {}
        self._tree = Tree()
        self._root = build(program.pattern, self._tree)
        self._root.parent = self._tree.document
        self._tree.document.children.append(self._root)
        self._selects = Selects(program, attachments)
        self._selects.seed = record_id
        self._context = Context(
            self._root,
            clock=clock,
            language=language or program.form.default_language,
            instances=self._selects.instance,
            itext=self._selects.itext,
            choice_name=self._selects.choice_name,
        )
        self._selects.use(self._context)
        self._evaluation = Evaluation(program, self._root, self._context, self._selects, new_id)
        self._respoken = False

    # Making

    @classmethod
    def new(
        cls,
        program: Program,
        *,
        clock: Clock | None = None,
        attachments: Attachments = _NO_ATTACHMENTS,
        language: str = "",
        metadata: Mapping[str, str] = _NO_METADATA,
        record_id: str = "",
    ) -> Self:
        """Begin a new record: defaults, metadata, first calculations and the actions of a first load.

        `metadata`: deviceid, username, phonenumber, email. `record_id`: a UUIDv7, made where none is given.
        """
        return cls.load(
            program,
            {"_id": record_id} if record_id else {},
            clock=clock,
            attachments=attachments,
            language=language,
            metadata=metadata,
            first=True,
        )

    @classmethod
    def load(
        cls,
        program: Program,
        answers: Mapping[str, Any],
        *,
        clock: Clock | None = None,
        attachments: Attachments = _NO_ATTACHMENTS,
        language: str = "",
        metadata: Mapping[str, str] = _NO_METADATA,
        first: bool = False,
    ) -> Self:
        """Open a saved record or a draft; with `first`, begin a new record with these answers already given.

        What the form has no place for stands in `unplaced` afterwards. Questions without an answer stay empty, except
        with `first`, when they get their defaults.
        """
        record_id = str(answers.get("_id") or "") or new_id()
        instance = cls(
            program,
            clock=clock or SystemClock(),
            attachments=attachments,
            language=language,
            metadata=metadata,
            record_id=record_id,
        )
        evaluation = instance._evaluation
        evaluation.begin_bulk()
        if not first:
            instance._empty()
        filling = Filling(evaluation, new_id)
        filling.put(instance._root, answers)
        instance.unplaced = filling.unplaced
        instance._metadata(first=first)
        instance._name_rows()
        if first:
            instance._after(filling, "odk-instance-first-load", "odk-instance-load")
        else:
            evaluation.forget_actions()
            instance._settle(filling, "odk-instance-load")
        return instance

    @classmethod
    def from_xml(
        cls,
        program: Program,
        xml: str | bytes,
        *,
        clock: Clock | None = None,
        attachments: Attachments = _NO_ATTACHMENTS,
        language: str = "",
        metadata: Mapping[str, str] = _NO_METADATA,
    ) -> Self:
        """Open an OpenRosa instance XML; raises InstanceError for what is no instance of this form."""
        answers = openrosa.answers_from(program, xml)
        return cls.load(
            program, answers, clock=clock, attachments=attachments, language=language, metadata=metadata
        )

    # Values

    def get(self, ref: str) -> Value:
        """Return a question's value as it stands, relevant or not: int, float or text, '' for empty."""
        cell = self._leaf(ref)
        return typed(cell.value, cell.spec.data_type)

    def set(self, ref: str, value: object) -> None:
        """Give a question a value (text as typed, a number, None, or a sequence of codes) and keep all rules.

        It is brought into the canonical spelling of its type; what can't be read stays as typed, with a problem.
        """
        cell = self._leaf(ref)
        self._evaluation.write(cell, *canonical(cell.spec, value))
        self._evaluation.settle()

    def add(self, repeat_ref: str) -> str:
        """Add an instance to a repeat and return its ref; raises InstanceError where its number is fixed."""
        container, repeat = self._series(repeat_ref)
        self._must_be_open(repeat)
        row = self._evaluation.add_row(container, repeat, new_id())
        self._evaluation.settle()
        return row.ref

    def remove(self, ref: str) -> None:
        """Remove an instance of a repeat; raises InstanceError where their number is fixed."""
        row = self._cell(ref)
        if row.spec.kind != "repeat":
            raise InstanceError(Problem("FORMS_REF_NO_ROW", Place(name=ref)))
        self._must_be_open(row.spec)
        self._evaluation.remove_row(row)
        self._evaluation.settle()

    def fill(self, answers: Mapping[str, Any]) -> tuple[Problem, ...]:
        """Set many answers at once and return every problem there is then, unknown names among them.

        Keys that are missing stay as they are; None clears; a repeat's list replaces its rows (`_id` keeps one).
        Triggers and calculations of shown questions fill in only where nothing is given.
        """
        self._evaluation.begin_bulk()
        filling = Filling(self._evaluation, new_id)
        filling.put(self._root, answers)
        self.unplaced.update(filling.unplaced)
        self._name_rows()
        self._after(filling)
        return (*filling.problems, *self.problems())

    def finish(self) -> None:
        """Set the metadata of the interview's end; to be called before a record is saved."""
        self._metadata(end=True)
        self._evaluation.settle()

    # Looking

    def state(self, ref: str) -> NodeState:
        """Return a node's state; a repeat's ref without position gives the series as a whole."""
        series = self._maybe_series(ref)
        if series is not None:
            return self._series_state(*series, self._labels(series[0]), self._is_readonly(series[0]))
        cell = self._cell(ref)
        above = cell.above
        return self._state(cell, self._labels(above), self._is_readonly(above))

    def walk(self) -> Iterator[NodeState]:
        """Yield every node's state in document order; before a repeat's instances the series as a whole."""
        return self._walk(self._root, (), readonly=False)

    def choices(self, ref: str) -> tuple[ShownChoice, ...]:
        """Return what a select offers now."""
        return self._selects.shown(self._leaf(ref))

    def problems(self) -> tuple[Problem, ...]:
        """Return everything wrong with relevant questions, in document order; places are refs.

        What is required and empty, of the wrong type, against a constraint or standard, or not among the choices.
        """
        found: list[Problem] = []
        self._check(self._root, found)
        found += self._evaluation.faults.values()
        return tuple(found)

    def changes_since(self) -> Changes:
        """Return what may look different since this was last asked (or since the record was opened)."""
        evaluation = self._evaluation
        altered: dict[Cell, frozenset[str]] = {}
        for cell, aspects in evaluation.touched.items():
            self._spread_aspects(cell, aspects, altered)
        rows = [f"{self._ref(container)}/{_step(repeat)}" for container, repeat in evaluation.altered_rows]
        self._tree.number()
        standing = sorted((cell for cell in altered if self._stands(cell)), key=lambda cell: cell.order)
        changes = Changes(
            {cell.ref: altered[cell] for cell in standing}, tuple(dict.fromkeys(rows)), self._respoken
        )
        evaluation.touched.clear()
        evaluation.altered_rows.clear()
        self._respoken = False
        return changes

    @property
    def language(self) -> str:
        """The language texts are shown in; one of the form's."""
        return self._context.language

    @language.setter
    def language(self, language: str) -> None:
        self._context.language = language
        self._respoken = True
        self._evaluation.again(_SPEAKING)
        self._evaluation.settle()

    @property
    def instance_name(self) -> str:
        """The record's name for people, by the form's `instance_name`; '' where it has none."""
        spec = self.program.name_spec
        if spec is None:
            return ""
        return next((cell.value for cell in self._root.reach(_below(spec))), "")

    # The record

    def answers(self, relevant_only: bool = True) -> Answers:
        """Return the record as data; `relevant_only=False` keeps what relevance hides, for drafts."""
        return answers_of(self._root, self.record_id, relevant_only=relevant_only)

    def xml(self, relevant_only: bool = True) -> str:
        """Return the record as OpenRosa instance XML (ODK XForms specification, section Instance)."""
        return openrosa.instance_xml(self.program, self._root, self.record_id, relevant_only=relevant_only)

    # Below here: finding cells

    def _cell(self, ref: str) -> Cell:
        found = self._tree.find(ref)
        if found is None:
            raise InstanceError(Problem("FORMS_REF_UNKNOWN", Place(name=ref)))
        return cast("Cell", found)

    def _leaf(self, ref: str) -> Cell:
        cell = self._cell(ref)
        if not cell.spec.is_leaf:
            raise InstanceError(Problem("FORMS_REF_NO_QUESTION", Place(name=ref)))
        return cell

    def _maybe_series(self, ref: str) -> tuple[Cell, Spec] | None:
        above, _, step = ref.rpartition("/")
        if "[" in step or not above:
            return None
        container = self._tree.find(above)
        if container is None:
            return None
        name = step.rpartition(":")[2]
        spec = next((one for one in cast("Cell", container).spec.children if one.name == name), None)
        return (cast("Cell", container), spec) if spec is not None and spec.kind == "repeat" else None

    def _series(self, ref: str) -> tuple[Cell, Spec]:
        found = self._maybe_series(ref[: ref.rindex("[")] if ref.endswith("]") else ref)
        if found is None:
            raise InstanceError(Problem("FORMS_REF_NO_REPEAT", Place(name=ref)))
        return found

    def _must_be_open(self, repeat: Spec) -> None:
        if not _is_open(repeat):
            raise InstanceError(Problem("FORMS_REPEAT_FIXED", Place(name=repeat.path)))

    def _ref(self, cell: Cell) -> str:
        return cell.ref

    def _stands(self, cell: Cell) -> bool:
        here: Cell | None = cell
        while here is not None and here is not self._root:
            above = here.above
            if above is None or here not in above.named(here.name):
                return False
            here = above
        return True

    # Filling

    def _empty(self) -> None:
        """Take out defaults and initial rows: a saved record holds what it holds."""
        for cell in list(self._root.everything()):
            if cell.spec.kind == "repeat" and cell.above is not None:
                self._evaluation.remove_row(cell)
            elif cell.spec.is_leaf and cell.spec.key:
                cell.value, cell.code = "", ""

    def _after(self, filling: Filling, *events: str) -> None:
        for cell in filling.changed:
            self._evaluation.trigger(cell)
        self._settle(filling, *events)

    def _settle(self, filling: Filling, *events: str) -> None:
        self._evaluation.settle_all(*events)
        for cell in filling.given:
            cell.given = False
        self._evaluation.touched.clear()
        self._evaluation.altered_rows.clear()

    def _name_rows(self) -> None:
        for spec in self.program.specs.values():
            if spec.kind == "repeat":
                for row in self._root.reach(_below(spec)):
                    row.row_id = row.row_id or new_id()

    def _metadata(self, *, first: bool = False, end: bool = False) -> None:
        for spec, (kind, parameter) in self.program.preloads:
            is_end = (kind, parameter) == ("timestamp", "end")
            is_own_id = spec.path == self.form.instance_id_path
            if not (is_own_id or (end and is_end) or (first and not is_end)):
                continue
            value = f"uuid:{self.record_id}" if is_own_id else self._preload(kind, parameter)
            for cell in self._root.reach(_below(spec)):
                if end or not cell.given:
                    self._evaluation.write(cell, value)

    def _preload(self, kind: str, parameter: str) -> str:
        now = self.clock.now()
        if kind == "timestamp":
            return now.isoformat(timespec="milliseconds")
        if kind == "date":
            return now.date().isoformat()
        if kind == "uid":
            return f"uuid:{self.record_id}"
        return str(self.metadata.get(parameter.removeprefix("uri:"), ""))

    # Checking

    def _check(self, cell: Cell, found: list[Problem]) -> None:
        for child in cell.cells:
            if not child.relevant:
                continue
            if child.spec.is_leaf:
                found += self._faults(child)
            else:
                self._check(child, found)

    def _faults(self, cell: Cell) -> Iterator[Problem]:
        """What is wrong with a relevant question's answer."""
        spec = cell.spec
        if not cell.value:
            if spec.required is not None and spec.question.shown and self._holds(spec, "required", cell):
                yield self._said("FORMS_VALUE_REQUIRED", spec.required_message, cell)
            return
        if cell.code:
            yield Problem(cell.code, Place(name=cell.ref), {"value": cell.value})
            return
        if spec.constraint is not None and spec.question.shown and not self._holds(spec, "constraint", cell):
            yield self._said("FORMS_VALUE_CONSTRAINT", spec.constraint_message, cell)
        if spec.standard:
            for problem in check(spec.standard, cell.value):
                yield Problem(problem.code, Place(name=cell.ref), problem.context, problem.severity)
        if spec.options is not None:
            for code in cell.value.split() if spec.multiple else (cell.value,):
                if not self._selects.offers(cell, code):
                    yield Problem("FORMS_VALUE_CHOICE", Place(name=cell.ref), {"value": code})

    def _holds(self, spec: Spec, aspect: str, cell: Cell) -> bool:
        rule = spec.required if aspect == "required" else spec.constraint
        return self._evaluation.holds(rule, cell, otherwise=aspect == "constraint")

    def _said(self, code: str, message: Text | None, cell: Cell) -> Problem:
        words = self._text(message, cell)
        context = {"value": cell.value, "message": words}
        if code == "FORMS_VALUE_CONSTRAINT" and cell.spec.constraint is not None and not words:
            compiled = cell.spec.constraint.compiled
            context["rule"] = compiled.source if compiled is not None else ""
        return Problem(f"{code}_SAID" if words else code, Place(name=cell.ref), context)

    # Showing

    def _text(self, text: Text | None, cell: Cell) -> str:
        return "" if text is None else text.say(self._context.language, self._context.at(cell))

    def _labels(self, cell: Cell | None) -> tuple[str, ...]:
        labels: list[str] = []
        while cell is not None:
            labels.append(self._text(cell.spec.label, cell))
            cell = cell.above
        return tuple(label for label in reversed(labels) if label)

    def _is_readonly(self, cell: Cell | None) -> bool:
        while cell is not None:
            if self._evaluation.holds(cell.spec.readonly, cell, otherwise=False):
                return True
            cell = cell.above
        return False

    def _walk(self, cell: Cell, labels: tuple[str, ...], *, readonly: bool) -> Iterator[NodeState]:
        for spec in cell.spec.children:
            if spec.kind == "repeat":
                yield self._series_state(cell, spec, labels, readonly)
            for child in list(cell.rows(spec)):
                state = self._state(child, labels, readonly)
                yield state
                if not spec.is_leaf:
                    inner = (*labels, state.label) if state.label else labels
                    yield from self._walk(child, inner, readonly=state.readonly)

    def _series_state(self, container: Cell, repeat: Spec, labels: tuple[str, ...], readonly: bool) -> NodeState:
        relevant = self._evaluation.series_relevant(container, repeat)
        assert repeat.node is not None
        return NodeState(
            node=repeat.node,
            kind="repeat",
            ref=f"{container.ref}/{_step(repeat)}",
            relevant=relevant,
            readonly=readonly,
            label=self._text(repeat.label, container),
            media=repeat.label.shown_media(self.language) if repeat.label else {},
            depth=_depth(container) + 1,
            count=len(container.rows(repeat)),
            can_add=relevant and not readonly and _is_open(repeat),
            within=labels,
        )

    def _state(self, cell: Cell, labels: tuple[str, ...], readonly: bool) -> NodeState:
        spec = cell.spec
        if spec.node is None:
            raise InstanceError(Problem("FORMS_REF_NO_QUESTION", Place(name=cell.ref)))
        above = cell.above
        readonly = readonly or self._evaluation.holds(spec.readonly, cell, otherwise=False)
        is_row = spec.kind == "repeat"
        is_leaf = spec.is_leaf
        return NodeState(
            node=spec.node,
            kind="row" if is_row else "question" if is_leaf else "group",
            ref=cell.ref,
            relevant=cell.relevant,
            readonly=readonly,
            required=self._evaluation.holds(spec.required, cell, otherwise=False),
            value=typed(cell.value, spec.data_type) if is_leaf else "",
            label=self._text(spec.label, cell),
            hint=self._text(spec.hint, cell),
            guidance=self._text(spec.guidance, cell),
            media=spec.label.shown_media(self.language) if spec.label else {},
            choices=self._selects.shown(cell),
            problem=next(self._faults(cell), None) if is_leaf and cell.relevant else None,
            constraint_message=self._text(spec.constraint_message, cell),
            required_message=self._text(spec.required_message, cell),
            depth=_depth(cell),
            position=cell.position() if is_row else 0,
            count=len(above.rows(spec)) if is_row and above is not None else 0,
            can_remove=is_row and cell.relevant and not readonly and _is_open(spec),
            within=labels,
        )

    def _spread_aspects(self, cell: Cell, aspects: Iterable[str], altered: dict[Cell, frozenset[str]]) -> None:
        altered[cell] = altered.get(cell, frozenset()).union(aspects)
        inherited = _INHERITED.intersection(aspects)
        if inherited and not cell.spec.is_leaf:
            for below in cell.cells:
                self._spread_aspects(below, inherited, altered)


def new_id() -> str:
    """Return a new UUIDv7 as text."""
    return str(uuid7())


def _is_open(repeat: Spec) -> bool:
    return repeat.count is None and not getattr(repeat.node, "fixed", False)


def _depth(cell: Cell) -> int:
    depth, above = 0, cell.above
    while above is not None:
        depth, above = depth + 1, above.above
    return depth - 1 if depth else -1


def _below(spec: Spec) -> tuple[str, ...]:
    return tuple(step.rpartition(":")[2] for step in spec.path.split("/")[2:])


def _step(spec: Spec) -> str:
    return f"{spec.prefix}:{spec.name}" if spec.prefix else spec.name
