"""What a filled-in form says of records in other ledgers: entities to create or update (ODK Entities specification)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from forms.cells import Cell
from forms.definition import Entity, Expression, Form, Repeat
from forms.expressions import Compiled, Context, ExpressionError, Node, Scope, compile_expression
from forms.expressions.context import NAMESPACES
from forms.values import Value, typed

if TYPE_CHECKING:
    from forms.program import Program

_NEW = "uuid()"
# Attributes of an entity that is updated, and the columns of its list that they are read from.
_VERSIONS = (("baseVersion", "__version"), ("trunkVersion", "__trunkVersion"), ("branchId", "__branchId"))


@dataclass(frozen=True, slots=True)
class EntitySave:
    """One record of the ledger `dataset` that a saved form creates, updates, or updates or else creates.

    `properties`: column -> value; a relevant question left empty gives None, an irrelevant one no key. `versions`:
    `baseVersion`, `trunkVersion`, `branchId` of the entity that is updated, as far as its list has them. `cell` is the
    `entity` element that says it.
    """

    dataset: str
    id: str
    create: bool
    update: bool
    label: str
    properties: Mapping[str, Value | None]
    versions: Mapping[str, str]
    cell: Cell

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes of the `entity` element in instance XML."""
        flags = {"create": self.create, "update": self.update}
        said = {name: "1" for name, on in flags.items() if on}
        return {"dataset": self.dataset, "id": self.id, **said, **self.versions}


def entities_of(program: Program, root: Cell, context: Context, record_id: str) -> tuple[EntitySave, ...]:
    """Return what a filled-in form creates and updates, by each declaration and each instance of its repeat.

    An id that the form does not give is made from the record's, so that saving the record again means the same entity.
    """
    return tuple(
        save
        for declared in enumerate(program.form.entities)
        for save in _saves(program.form, declared, root, context, record_id)
    )


def _saves(
    form: Form, declared: tuple[int, Entity], root: Cell, context: Context, record_id: str
) -> Iterator[EntitySave]:
    number, entity = declared
    scope = _scope_of(form, entity)
    for cell in _at(root, entity.path):
        if not cell.relevant:
            continue

        # An entity's expressions stand at its attributes and its label, one step below it.
        below = cell.attribute_node("id")

        def say(expression: Expression | None, at: Node = below) -> str:
            compiled = _compiled(expression.source, at.path, form) if expression else None
            return _string(compiled, context.at(at)) if compiled else ""

        create, update = (_true(say(expression)) for expression in (entity.create_if, entity.update_if))
        if not (create or update):
            continue
        given = "" if entity.entity_id is None or entity.entity_id.source == _NEW else say(entity.entity_id)
        row = cell.around(scope)
        own = given.removeprefix("uuid:") or _derived(record_id, f"{number}:{row.row_id or ''}")
        item = f"instance('{entity.dataset}')/root/item[name = '{own}']"
        listed = _VERSIONS if update and "'" not in own else ()
        versions = {name: say(Expression(f"{item}/{column}")) for name, column in listed}
        yield EntitySave(
            dataset=entity.dataset,
            id=own,
            create=create,
            update=update,
            label=say(entity.label),
            properties=dict(_properties(row, frozenset(node.path for node in _inner(form, scope)))),
            versions={name: value for name, value in versions.items() if value},
            cell=cell,
        )


def _properties(row: Cell, inner: frozenset[str]) -> Iterator[tuple[str, Value | None]]:
    """The answers that are saved to the entity: those of its own form or repeat, not of repeats below."""
    for cell in row.cells:
        if cell.path in inner or not cell.relevant:
            continue
        if not cell.spec.is_leaf:
            yield from _properties(cell, inner)
        elif cell.spec.node is not None and cell.spec.question.entity:
            yield cell.spec.question.entity, typed(cell.value, cell.spec.data_type) if cell.value else None


def _scope_of(form: Form, entity: Entity) -> str:
    """The path of the innermost repeat around the declaration, or the root's."""
    around = [node.path for node in form.walk() if isinstance(node, Repeat) and entity.path.startswith(f"{node.path}/")]
    return max(around, key=len, default=f"/{form.root}")


def _inner(form: Form, scope: str) -> Iterator[Repeat]:
    yield from (node for node in form.walk() if isinstance(node, Repeat) and node.path.startswith(f"{scope}/"))


def _at(root: Cell, path: str) -> list[Cell]:
    return root.reach(tuple(step.rpartition(":")[2] for step in path.split("/")[2:]))


def _compiled(source: str, path: str, form: Form) -> Compiled | None:
    repeats = frozenset(node.path for node in form.walk() if isinstance(node, Repeat))
    try:
        return compile_expression(source, scope=Scope(path, repeats, {**NAMESPACES, **form.namespaces}))
    except ExpressionError:
        return None  # `check_form` has said so.


def _string(compiled: Compiled, context: Context) -> str:
    try:
        return compiled.string(context)
    except ExpressionError:
        return ""


def _true(text: str) -> bool:
    """Whether an entity attribute says yes (ODK Entities: true or 1)."""
    return text.strip().lower() in ("true", "1")


def _derived(record_id: str, key: str) -> str:
    """A UUIDv7 of the record's own time whose random part is a digest of the record and `key`."""
    bits = int.from_bytes(sha256(f"{record_id} {key}".encode()).digest()[:10], "big")
    try:
        moment = UUID(record_id).int >> 80
    except ValueError:
        moment = 0
    number = moment << 80 | 0x7 << 76 | (bits >> 64 & 0xFFF) << 64 | 0x2 << 62 | bits & ((1 << 62) - 1)
    return str(UUID(int=number))
