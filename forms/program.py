"""A form made ready to run: its expressions compiled, what depends on what, and in which order to evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from forms.definition import Action, Form, Itemset, Node, Question, Repeat
from forms.dependencies import Reference
from forms.expressions import Compiled, Context, ExpressionError
from forms.problems import Place
from forms.secondary import Items

Aspect = Literal[
    "relevant", "calculate", "count", "choices", "readonly", "required", "constraint", "label", "hint", "guidance",
    "required_message", "constraint_message", "confirmed",
]  # fmt: skip
# These change data or relevance and run with every change; the others are only asked when somebody looks.
ACTIVE: tuple[Aspect, ...] = ("relevant", "count", "choices", "calculate")
_Found = TypeVar("_Found")


@dataclass(slots=True, eq=False)
class Text:
    """A label by language, its outputs compiled; `default` is the language to fall back on."""

    parts: Mapping[str, tuple[str | Compiled, ...]]
    default: str = ""
    media: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def say(self, language: str, context: Context) -> str:
        """Return the text in `language`, or in the default, or in the first there is."""
        parts = _in_language(self.parts, language, self.default) or ()
        return "".join(part if isinstance(part, str) else _evaluated(part, context) for part in parts)

    @property
    def constant(self) -> bool:
        """Whether the text says nothing of the record."""
        return all(isinstance(part, str) for parts in self.parts.values() for part in parts)

    def shown_media(self, language: str) -> Mapping[str, str]:
        """Return kind -> file name of the media in `language`."""
        return _in_language(self.media, language, self.default) or {}


@dataclass(slots=True, eq=False)
class Rule:
    """One expression of one node: `aspect` of `spec`, what it reads, and its place in the order of evaluation."""

    spec: Spec
    aspect: Aspect
    compiled: Compiled | None
    references: frozenset[Reference]
    place: Place = Place()
    rank: int = -1

    @property
    def key(self) -> tuple[str, Aspect]:
        """The rule's name in the order of evaluation."""
        return (self.spec.path, self.aspect)


@dataclass(slots=True, eq=False)
class Watch:
    """A rule to evaluate anew when something it reads changes: `steps` lead from the `scope`'s node to its node(s)."""

    rule: Rule
    scope: str
    steps: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Options:
    """A select's choices: `fixed` where they never change (then `inline` may hold their own labels), else `nodes`."""

    itemset: Itemset
    nodes: Compiled | None = None
    fixed: bool = False
    inline: tuple[tuple[str, Text], ...] = ()
    source: str = ""
    names: frozenset[str] | None = None


@dataclass(slots=True, eq=False)
class Spec:
    """One node of the form as the engine sees it; `repeats`: the repeats around it and itself, outermost first."""

    index: int
    node: Node | None
    path: str
    name: str
    prefix: str
    parent: Spec | None
    repeats: tuple[str, ...]
    kind: Literal["root", "group", "repeat", "question"]
    data_type: str = "string"
    value_kind: str = "string"
    key: str = ""
    children: list[Spec] = field(default_factory=list)
    relevant: Rule | None = None
    readonly: Rule | None = None
    required: Rule | None = None
    constraint: Rule | None = None
    confirmed: Rule | None = None  # whether its reason stands in the question that confirms it
    calculate: Rule | None = None
    count: Rule | None = None
    label: Text | None = None
    hint: Text | None = None
    guidance: Text | None = None
    required_message: Text | None = None
    constraint_message: Text | None = None
    options: Options | None = None
    standard: str = ""
    multiple: bool = False
    pattern: Pattern | None = None

    @property
    def question(self) -> Question:
        """The question this is; raises TypeError for a group, a repeat or the root."""
        if not isinstance(self.node, Question):
            raise TypeError(self.path)
        return self.node

    @property
    def step(self) -> str:
        """The name with its prefix, as a path writes it."""
        return f"{self.prefix}:{self.name}" if self.prefix else self.name

    @property
    def is_open(self) -> bool:
        """Whether people may add and remove instances of this repeat."""
        return isinstance(self.node, Repeat) and self.count is None and not self.node.fixed

    @property
    def is_leaf(self) -> bool:
        """Whether this is a question."""
        return self.kind == "question"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a new record, or a new instance of a repeat, starts from: values in canonical spelling, rows there are."""

    spec: Spec
    value: str = ""
    children: tuple[Pattern, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Deed:
    """A `setvalue` action made ready.

    It sets the nodes that `steps` lead to from the `scope`'s instance (`from_root`: where an event of the whole form
    calls it), or those `nodes` selects, to `value`.
    """

    action: Action
    value: Compiled | None
    nodes: Compiled | None
    scope: str
    steps: tuple[str, ...]
    from_root: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calculated:
    """An attribute with a calculation: its name, its element's, and what it is set to."""

    steps: tuple[str, ...]
    name: str
    prefix: str
    value: Compiled


@dataclass(slots=True, eq=False)
class Program:
    """A form made ready to run, shared by all its instances; immutable after `compile_form`.

    `specs`: every node by path, in document order; `order`: the active rules as they are evaluated; `watches`: path
    -> what reads it; `structure`: a repeat's path -> what reads across its instances; `keys`: a repeat's path (`""`:
    the record) -> Answers key -> node; `was`: the same for names of older versions. `triggers`: actions by the
    question whose change sets them off; `births`: by the repeat whose new instance does. `expressions`: (path, source)
    -> what was compiled for the node at that path. `attributes`: those that are calculated.
    """

    form: Form
    root: Spec
    specs: dict[str, Spec]
    order: tuple[Rule, ...]
    watches: Mapping[str, tuple[Watch, ...]]
    structure: Mapping[str, tuple[Watch, ...]]
    keys: Mapping[str, Mapping[str, Spec]]
    was: Mapping[str, Mapping[str, Spec]]
    deeds: tuple[Deed, ...]
    triggers: Mapping[str, tuple[Deed, ...]]
    births: Mapping[str, tuple[Deed, ...]]
    secondary: Mapping[str, Items]
    name_spec: Spec | None
    preloads: tuple[tuple[Spec, tuple[str, str]], ...]
    itext: Mapping[tuple[str, str], tuple[str | Compiled, ...]]
    pattern: Pattern
    expressions: Mapping[tuple[str, str], Compiled]
    attributes: tuple[Calculated, ...] = ()

    def affected(self, path: str) -> frozenset[str]:
        """Return the paths of all nodes that a change of the node at `path` may touch, directly or through others."""
        seen: set[str] = set()
        waiting = [path]
        while waiting:
            for watch in self.watches.get(waiting.pop(), ()):
                if watch.rule.spec.path not in seen:
                    seen.add(watch.rule.spec.path)
                    waiting.append(watch.rule.spec.path)
        return frozenset(seen)


def compile_form(form: Form) -> Program:
    """Make a form ready to run, once for every digest; raises FormError with every fault of its expressions.

    Faults are what the expression language refuses, and calculations or relevance that go round in a circle.
    """
    # The compiler builds what stands in this module.
    from forms.compilation import compiled

    return compiled(form)


def steps_to(target: str, scope: str) -> tuple[str, ...]:
    """Return the names that lead from the node at path `scope` (`""`: the root element) to the one at `target`."""
    if target == scope:
        return ()
    below = target.removeprefix(scope).strip("/").split("/")
    names = tuple(step.rpartition(":")[2] for step in below)
    return names if scope else names[1:]


def within(path: str, around: str) -> bool:
    """Tell whether the node at `path` is the one at `around` or beneath it."""
    return path == around or path.startswith(f"{around}/")


def _in_language(found: Mapping[str, _Found], language: str, default: str) -> _Found | None:
    for wanted in (language, default):
        if wanted in found:
            return found[wanted]
    return next(iter(found.values()), None)


def _evaluated(part: Compiled, context: Context) -> str:
    try:
        return part.string(context)
    except ExpressionError:
        return ""
