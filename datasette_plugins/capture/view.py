"""Views: what a page shows of a filled-in form, node by node, ready to be drawn and to be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup

from forms.definition import Node, Question

_NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture, sound or film beside a label: its `kind` (image, big-image, audio, video) and the blob it is."""

    kind: str
    blob: str


@dataclass(frozen=True, slots=True)
class Option:
    """One choice as shown: its stored `name`, its label as HTML, what is shown with it, the letters that choose it."""

    name: str
    label: Markup
    media: tuple[Medium, ...] = ()
    initials: str = ""


_FULL = {"resident_id": 18, "mobile": 11}


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of one node.

    `kind`: the control (see `controls`), or group, repeat, row. `on`: relevant. `value`: as text, canonical; `shown`:
    the value for reading where it differs (labels of codes). `problem`: in plain words, `grave` when it blocks saving.
    `options` only for controls that list them. `number`: the one that the paper form prints, 0 for what nobody answers.
    `aside`: what is to be known beside it, as HTML.
    """

    ref: str
    kind: str
    on: bool
    label: Markup = _NOTHING
    hint: Markup = _NOTHING
    required: bool = False
    value: str = ""
    shown: str = ""
    options: tuple[Option, ...] = ()
    problem: str = ""
    grave: bool = True
    node: Node | None = field(default=None, compare=False)
    number: int = field(default=0, compare=False)
    media: tuple[Medium, ...] = ()
    aside: Markup = _NOTHING

    @property
    def full(self) -> int:
        """The length at which an answer is complete, 0 where none is fixed (GB 11643; mobile numbers)."""
        return _FULL.get(self.node.ledger.get("standard", ""), 0) if isinstance(self.node, Question) else 0


@dataclass(frozen=True, slots=True)
class Block:
    """A group, a repeat or one row of a repeat, with what stands in it.

    `table`: the repeat's rows are short enough to be shown as lines of a table. `open`: people may add and remove rows.
    `grid`: people want the rows as lines of a table, however long; `flat`: they could have it so.
    """

    view: View
    form: Literal["group", "repeat", "row"]
    children: tuple[View | Block, ...]
    table: bool = False
    open: bool = True
    grid: bool = False
    flat: bool = False

    def cells(self) -> tuple[View, ...]:
        """Return the questions of a row, in the order of a table's columns."""
        return tuple(view for view in self.views() if view.kind not in ("group", "repeat", "row", "note", "heads"))

    def views(self) -> Iterator[View]:
        """Yield this block's view and all under it, in document order."""
        yield self.view
        for child in self.children:
            if isinstance(child, Block):
                yield from child.views()
            else:
                yield child
