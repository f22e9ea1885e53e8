"""A form as frozen data, read from its XForm: what is asked, in what order, under which rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from forms.problems import Place, Problem

_NOTHING: Mapping[str, str] = MappingProxyType({})


def _nothing() -> Mapping[str, str]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Expression:
    """The source of an XPath expression and where its author wrote it; compiled elsewhere (`forms.program`)."""

    source: str
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Label:
    """Text in the form's languages, each a run of literal strings and outputs to evaluate, with media beside it.

    `texts`: language -> parts; `media`: language -> kind (image, audio, video, big-image) -> file name.
    A form without languages uses the language `""`.
    """

    texts: Mapping[str, tuple[str | Expression, ...]] = field(default_factory=dict)
    media: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def plain(self, language: str = "") -> str:
        """Return the text in `language` (or the first language there is) without evaluating its outputs."""
        parts = self.texts.get(language)
        if parts is None:
            parts = next(iter(self.texts.values()), ())
        return "".join(part if isinstance(part, str) else "…" for part in parts)


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list: the stored `name`, its label and further columns (for choice filters)."""

    name: str
    label: Label
    columns: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Itemset:
    """Where a select's options come from.

    Either `choices` stand in the body itself, or `nodeset` selects the items of a secondary instance, whose child
    elements `value` and `label` (a path, or the itext id's when `label_is_itext`) are read. `list_name` is the
    secondary instance's id when the nodeset names one, for showing and for labels in tables.
    """

    choices: tuple[Choice, ...] = ()
    nodeset: Expression | None = None
    value: str = "name"
    label: str = "label"
    label_is_itext: bool = False
    list_name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A leaf of the form.

    `path`: absolute path without positions (`/data/member/name`). `type`: the XLSForm name (text, integer, decimal,
    range, select_one, select_multiple, rank, date, time, datetime, geopoint, geotrace, geoshape, barcode, image,
    audio, video, file, acknowledge, note, calculate, hidden, start, end, today, deviceid, username, phonenumber,
    email, audit, uid ...). `data_type`: the XForm bind type (string, int, decimal, boolean, date, time, dateTime,
    geopoint, geotrace, geoshape, binary, barcode, odk:rank ...). `shown`: it has a control in the body.
    `preload`: (kind, parameter) or None. `ledger`: our own columns without the prefix (privacy, unique, search,
    standard, header, map, sheet, was). `entity`: the name of the entity property it is saved to.
    """

    name: str
    path: str
    type: str
    data_type: str = "string"
    shown: bool = True
    label: Label = Label()
    hint: Label = Label()
    guidance: Label = Label()
    appearance: tuple[str, ...] = ()
    default: str = ""
    relevant: Expression | None = None
    required: Expression | None = None
    required_message: Label = Label()
    readonly: Expression | None = None
    constraint: Expression | None = None
    constraint_message: Label = Label()
    calculate: Expression | None = None
    itemset: Itemset | None = None
    parameters: Mapping[str, str] = field(default_factory=_nothing)
    mediatype: str = ""
    preload: tuple[str, str] | None = None
    ledger: Mapping[str, str] = field(default_factory=_nothing)
    entity: str = ""
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Group:
    """A group of questions; `field_list` and `table-list` stand in `appearance`; `shown`: it has a body element."""

    name: str
    path: str
    children: tuple[Node, ...] = ()
    label: Label = Label()
    appearance: tuple[str, ...] = ()
    relevant: Expression | None = None
    readonly: Expression | None = None
    shown: bool = True
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Repeat:
    """A repeat: any number of instances of its children.

    `count`: expression of the number of instances (`repeat_count`), or None where people add and remove them.
    `initial`: how many instances a new form starts with (those that stand in its primary instance; ODK: one).
    """

    name: str
    path: str
    children: tuple[Node, ...] = ()
    label: Label = Label()
    appearance: tuple[str, ...] = ()
    relevant: Expression | None = None
    readonly: Expression | None = None
    count: Expression | None = None
    fixed: bool = False
    initial: int = 1
    ledger: Mapping[str, str] = field(default_factory=_nothing)
    place: Place = Place()


Node = Question | Group | Repeat


@dataclass(frozen=True, slots=True)
class SecondaryInstance:
    """Choice lists and attached data that expressions reach by `instance('id')`.

    Internal ones carry `xml` (the element `root` with its items); external ones carry `source`, the attached file's
    name (`household.csv`), which whoever fills the form resolves (`forms.attachments`).
    """

    id: str
    xml: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Seed:
    """An element of the primary instance as it stands in the form: what a new record starts from.

    `template` marks the pattern of a repeat's new instances (`jr:template`), which is no instance itself.
    `attributes`: the others by prefixed name.
    """

    name: str
    text: str = ""
    children: tuple[Seed, ...] = ()
    template: bool = False
    attributes: Mapping[str, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Action:
    """A `setvalue`: on any of `events` (odk-instance-first-load, odk-instance-load, odk-new-repeat,
    xforms-value-changed) the node at `target` gets `value` (or `literal`); `trigger` is the path whose change fires
    xforms-value-changed; `repeat` the path of the repeat whose new instance fires odk-new-repeat. `target` has no
    predicates; `ref` is the reference as written, where it has some (`/data/rep[position() = 1]/a`)."""

    events: tuple[str, ...]
    target: str
    value: Expression | None = None
    literal: str = ""
    trigger: str = ""
    repeat: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A group of the body that has no node of its own: a heading above what it holds.

    `paths`: the nodes shown directly beneath it, in order.
    """

    label: Label
    paths: tuple[str, ...] = ()
    appearance: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity declaration: saving creates or updates a record of the ledger `dataset`.

    All expressions as in the ODK entities specification; `path` is the `meta/entity` element's path.
    """

    dataset: str
    path: str
    create_if: Expression | None = None
    update_if: Expression | None = None
    entity_id: Expression | None = None
    label: Expression | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form, immutable; equal digests mean equal behaviour.

    `root`: name of the primary instance's root element. `seed`: that instance as it stands (several initial repeat
    instances may hold different values). The submission's own `meta` block is among the children, a `Group` named
    `meta` (or `orx:meta`) that is not shown; `meta_path` names it. `xform`: the XForm XML it was read from. `rows`:
    the authored sheets (sheet -> rows of column -> text, each with its Excel row, or its line in a YAML file, under
    `__row__`), empty for forms that came as XForm only. `itext`: language -> id -> Label part tuple, for itemset
    labels; `itext_media`: language -> id -> kind -> file name. `warnings`: what runs differently or not yet, each
    with its row. `headings`: groups of the body without a node (only forms that no XLSForm made have them).
    `attributes`: path (`/data/a/@b`) -> what is calculated for it, but for those of entities.
    """

    form_id: str
    version: str
    title: str
    root: str
    children: tuple[Node, ...]
    xform: str
    digest: str
    languages: tuple[str, ...] = ()
    default_language: str = ""
    secondary_instances: Mapping[str, SecondaryInstance] = field(default_factory=dict)
    itext: Mapping[str, Mapping[str, tuple[str | Expression, ...]]] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    entities: tuple[Entity, ...] = ()
    instance_name: Expression | None = None
    instance_id_path: str = ""
    meta_path: str = ""
    seed: Seed = Seed("data")
    itext_media: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=_nothing)
    namespaces: Mapping[str, str] = field(default_factory=_nothing)
    rows: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    headings: tuple[Heading, ...] = ()
    attributes: Mapping[str, Expression] = field(default_factory=dict)

    def walk(self) -> Iterator[Node]:
        """Yield every node in document order, parents before their children."""
        stack: list[Node] = list(reversed(self.children))
        while stack:
            node = stack.pop()
            yield node
            if not isinstance(node, Question):
                stack.extend(reversed(node.children))

    def reasons(self) -> Mapping[str, str]:
        """Return the questions that say why an answer stands though it breaks a rule: path of the answer -> theirs.

        `ledger::confirms` names the question beside.
        """
        return {
            f"{question.path.rpartition('/')[0]}/{question.ledger['confirms']}": question.path
            for question in self.questions()
            if question.ledger.get("confirms")
        }

    def questions(self) -> Iterator[Question]:
        """Yield every question in document order."""
        return (node for node in self.walk() if isinstance(node, Question))
