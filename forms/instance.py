"""One filled-in form: answers set, rules kept, states shown, and the record taken out as data or XML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from uuid6 import uuid7

from forms import openrosa
from forms.answers import Answers, Filling, answers_of, canonical
from forms.attachments import Attachments, NoAttachments
from forms.cells import Cell, build
from forms.checking import Checking
from forms.choices import language_of
from forms.clock import Clock, SystemClock
from forms.entities import EntitySave, entities_of
from forms.evaluation import Evaluation
from forms.expressions import Context, Tree
from forms.problems import CunceError, Place, Problem
from forms.program import Program, Spec
from forms.selects import Selects, ShownChoice
from forms.showing import Showing
from forms.state import Changes, NodeState
from forms.values import Value, typed

__all__ = ["Changes", "Instance", "InstanceError", "NodeState", "ShownChoice"]

_SPEAKING = frozenset({"jr:itext", "jr:choice-name"})
_NO_ATTACHMENTS = NoAttachments()
_NO_METADATA: Mapping[str, str] = {}
_NOBODY: Mapping[str, frozenset[str]] = {}


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
        self._leftover: dict[str, dict[str, Any]] = {}
        self.deprecated_id = ""  # the submission that this one stands in for, where it came as instance XML
        self._tree = Tree()
        self._root = build(program.pattern, self._tree)
        self._root.parent = self._tree.document
        self._tree.document.children.append(self._root)
        self._selects = Selects(program, attachments)
        self._selects.seed = record_id
        self._context = Context(
            self._root,
            clock=clock,
            language=language_of(program.form, language),
            instances=self._selects.instance,
            itext=self._selects.itext,
            choice_name=self._selects.choice_name,
        )
        self._selects.use(self._context)
        self._evaluation = Evaluation(program, self._root, self._context, self._selects, new_id)
        self._checking = Checking(self._evaluation)
        self._showing = Showing(self._evaluation, self._checking)
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
        excused: Mapping[str, frozenset[str]] = _NOBODY,
    ) -> Self:
        """Open a saved record or a draft; with `first`, begin a new record with these answers already given.

        What the form has no place for stands in `unplaced` afterwards. Questions without an answer stay empty, except
        with `first`, when they get their defaults. `excused`: id of the record or of a row -> paths of required
        questions that came after it; while nobody touches them, that they are empty is a warning.
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
            evaluation.empty(instance._root)
        filling = Filling(evaluation, new_id, saved=not first)
        filling.put(instance._root, answers)
        instance.unplaced, instance._leftover = filling.unplaced, filling.leftover
        instance._metadata(first=first)
        instance._name_rows()
        if first:
            instance._after(filling, "odk-instance-first-load", "odk-instance-load")
        else:
            evaluation.forget_actions()
            instance._settle(filling, "odk-instance-load")
        if excused:
            instance._excuse(instance._root, record_id, excused)
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
        deprecated = str(answers.pop(openrosa.DEPRECATED, ""))
        instance = cls.load(
            program, answers, clock=clock, attachments=attachments, language=language, metadata=metadata
        )
        instance.deprecated_id = deprecated
        return instance

    # Values

    def get(self, ref: str) -> Value:
        """Return a question's value as it stands, relevant or not: int, float or text, '' for empty.

        `/data/entity/@id` is an attribute's.
        """
        ref, _, attribute = ref.partition("/@")
        if attribute:
            return self._cell(ref).attribute(attribute.rpartition(":")[2]) or ""
        cell = self._leaf(ref)
        return typed(cell.value, cell.spec.data_type)

    def set(self, ref: str, value: object) -> None:
        """Give a question a value (text as typed, a number, None, or a sequence of codes) and keep all rules.

        It is brought into the canonical spelling of its type; what can't be read stays as typed, with a problem.
        A calculation that the form doesn't show stays what it is.
        """
        cell = self._leaf(ref)
        if cell.spec.calculate is not None and not cell.spec.question.shown:
            return
        self._checking.excused.discard(cell)
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
        for row_id, values in filling.leftover.items():
            self._leftover.setdefault(row_id, {}).update(values)
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
            return self._showing.series(*series)
        cell = self._cell(ref)
        if cell.spec.node is None:
            raise InstanceError(Problem("FORMS_REF_NO_QUESTION", Place(name=ref)))
        return self._showing.state(cell)

    def walk(self) -> Iterator[NodeState]:
        """Yield every node's state in document order; before a repeat's instances the series as a whole."""
        return self._showing.walk(self._root)

    def choices(self, ref: str) -> tuple[ShownChoice, ...]:
        """Return what a select offers now."""
        return self._selects.shown(self._leaf(ref))

    def problems(self) -> tuple[Problem, ...]:
        """Return everything wrong with relevant questions, in document order; places are refs.

        What is required and empty, of the wrong type, against a constraint or standard, or not among the choices.
        """
        return (*self._checking.beneath(self._root), *self._evaluation.faults.values())

    def changes_since(self) -> Changes:
        """Return what may look different since this was last asked (or since the record was opened)."""
        changes = self._showing.changes(respoken=self._respoken)
        self._evaluation.forget_changes()
        self._respoken = False
        return changes

    @property
    def language(self) -> str:
        """The language texts are shown in: one of the form's, settable by name or code (`zh`)."""
        return self._context.language

    @language.setter
    def language(self, language: str) -> None:
        self._context.language = language_of(self.form, language)
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

    def answers(self, relevant_only: bool = True, *, unplaced: bool = False) -> Answers:
        """Return the record as data; `relevant_only=False` keeps what relevance hides, for drafts.

        With `unplaced` the answers that the form has no place for go along, each in the row it came with.
        """
        leftover = dict(self._leftover) if unplaced else {}
        if "" in leftover:
            leftover[self.record_id] = leftover.pop("")
        return answers_of(self._root, self.record_id, relevant_only=relevant_only, leftover=leftover)

    def xml(self, relevant_only: bool = True) -> str:
        """Return the record as OpenRosa instance XML (ODK XForms specification, section Instance)."""
        said = {id(save.cell): save.attributes for save in self.entities()}
        meta = openrosa.Meta(self.record_id, self.deprecated_id, said)
        return openrosa.instance_xml(self.program, self._root, meta, relevant_only=relevant_only)

    def entities(self) -> tuple[EntitySave, ...]:
        """Return the records of other ledgers that saving this one creates or updates."""
        return entities_of(self.program, self._root, self._context, self.record_id) if self.form.entities else ()

    # Finding cells

    def _cell(self, ref: str) -> Cell:
        found = self._tree.find(ref)
        if not isinstance(found, Cell):
            raise InstanceError(Problem("FORMS_REF_UNKNOWN", Place(name=ref)))
        return found

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
        if not isinstance(container, Cell):
            return None
        name = step.rpartition(":")[2]
        spec = next((one for one in container.spec.children if one.name == name), None)
        return (container, spec) if spec is not None and spec.kind == "repeat" else None

    def _series(self, ref: str) -> tuple[Cell, Spec]:
        found = self._maybe_series(ref.rpartition("[")[0] if ref.endswith("]") else ref)
        if found is None:
            raise InstanceError(Problem("FORMS_REF_NO_REPEAT", Place(name=ref)))
        return found

    def _must_be_open(self, repeat: Spec) -> None:
        if not repeat.is_open:
            raise InstanceError(Problem("FORMS_REPEAT_FIXED", Place(name=repeat.path)))

    # Filling

    def _excuse(self, cell: Cell, row_id: str, excused: Mapping[str, frozenset[str]]) -> None:
        for below in cell.cells:
            if below.spec.is_leaf:
                if not below.value and below.path in excused.get(row_id, ()):
                    self._checking.excused.add(below)
            else:
                self._excuse(below, below.row_id or row_id, excused)

    def _after(self, filling: Filling, *events: str) -> None:
        for cell in filling.changed:
            self._evaluation.trigger(cell)
        self._settle(filling, *events)

    def _settle(self, filling: Filling, *events: str) -> None:
        self._evaluation.settle_all(*events)
        for cell in filling.given:
            cell.given = False
        self._evaluation.forget_changes()

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
                # What isn't known (a device without a number) leaves the form's own default.
                if value and (end or not cell.given):
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


def new_id() -> str:
    """Return a new UUIDv7 as text."""
    return str(uuid7())


def _below(spec: Spec) -> tuple[str, ...]:
    return tuple(step.rpartition(":")[2] for step in spec.path.split("/")[2:])
