"""What a page needs to know of one node of a filled-in form, and of what a change altered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from forms.definition import Group, Question, Repeat
from forms.problems import Problem
from forms.selects import ShownChoice
from forms.values import Value

_NOTHING: Mapping[str, str] = MappingProxyType({})
Kind = Literal["question", "group", "repeat", "row"]


@dataclass(frozen=True, slots=True)
class NodeState:
    """One node as it stands now.

    `kind`: question, group, `repeat` (the series as a whole, whose `ref` has no position) or `row` (one instance of
    it). `relevant` and `readonly` take everything around into account. `value`: int, float or text, '' for empty.
    `problem`: the first thing wrong with the value. `depth`: how many groups and rows stand around. `position` and
    `count`: a row's place and the number of rows (`count` also of a series). `within`: the labels around, outermost
    first. Texts are in the instance's language with their outputs evaluated; `media`: kind -> file name.
    """

    node: Question | Group | Repeat
    kind: Kind
    ref: str
    relevant: bool
    readonly: bool = False
    required: bool = False
    value: Value = ""
    label: str = ""
    hint: str = ""
    guidance: str = ""
    media: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    choices: tuple[ShownChoice, ...] = ()
    problem: Problem | None = None
    constraint_message: str = ""
    required_message: str = ""
    depth: int = 0
    position: int = 0
    count: int = 0
    can_add: bool = False
    can_remove: bool = False
    within: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The node's name in the form."""
        return self.node.name

    @property
    def shown(self) -> bool:
        """Whether the form's body shows the node at all (calculations and metadata it doesn't)."""
        return self.node.shown if isinstance(self.node, Question | Group) else True

    @property
    def type(self) -> str:
        """The XLSForm type; `group` and `repeat` for these."""
        return self.node.type if isinstance(self.node, Question) else self.kind

    @property
    def appearance(self) -> tuple[str, ...]:
        """The words of the appearance."""
        return self.node.appearance

    @property
    def parameters(self) -> Mapping[str, str]:
        """A question's parameters (`start`, `end`, `step`, `rows`, ...)."""
        return self.node.parameters if isinstance(self.node, Question) else _NOTHING


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last look: refs that stand now, and which containers' rows came or went.

    `altered`: ref -> what may differ (value, relevant, readonly, required, label, hint, choices, problem ...).
    `repeats`: refs of the series (`/data/member`) whose rows were added or removed, so that positions moved.
    """

    altered: Mapping[str, frozenset[str]] = field(default_factory=dict)
    repeats: tuple[str, ...] = ()
    language: bool = False

    @property
    def refs(self) -> tuple[str, ...]:
        """The altered refs."""
        return tuple(self.altered)

    def __bool__(self) -> bool:
        return bool(self.altered or self.repeats or self.language)
