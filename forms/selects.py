"""A select's choices as they are offered now: from lists in the form, attached files or the form's own repeats."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from forms.attachments import Attachments
from forms.cells import Cell
from forms.expressions import Compiled, Context, ExpressionError, Node, Secondary
from forms.program import Options, Program, Spec
from forms.secondary import attached_items

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_VOLATILE: Final = frozenset({"randomize", "random"})


@dataclass(frozen=True, slots=True)
class ShownChoice:
    """One choice as it is offered: the stored name, its label in the active language, its media (kind -> file)."""

    name: str
    label: str
    media: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


class Selects:
    """Answers what the selects of one filled-in form offer; also what its expressions ask of choices and lists."""

    def __init__(self, program: Program, attachments: Attachments) -> None:
        self.program = program
        self.attachments = attachments
        self.seed = ""
        self._evaluated = False
        self._context: Context | None = None
        self._attached: dict[str, Secondary] = {}
        self._fixed: dict[tuple[str, str], tuple[ShownChoice, ...]] = {}

    @property
    def context(self) -> Context:
        """The context that expressions are evaluated in."""
        assert self._context is not None
        return self._context

    def use(self, context: Context) -> None:
        """Evaluate in `context` from now on."""
        self._context = context

    def instance(self, name: str) -> Secondary | None:
        """Return a secondary instance, None where the form has none of that name."""
        inside = self.program.secondary.get(name)
        if inside is not None:
            return inside
        if name not in self._attached:
            known = self.program.form.secondary_instances.get(name)
            source = known.source if known is not None else f"{name}.csv"
            self._attached[name] = attached_items(self.attachments.open(source))
        return self._attached[name]

    def itext(self, name: str, language: str) -> str | None:
        """Return a translation with its outputs evaluated, in the form's own language where `language` lacks it."""
        for wanted in (language, self.program.form.default_language):
            parts = self.program.itext.get((wanted, name))
            if parts is not None:
                return "".join(part if isinstance(part, str) else self._said(part) for part in parts)
        return None

    def choice_name(self, code: str, path: str, context: Context) -> str:
        """Return the label of a choice of the question at `path`, as the node being evaluated would see it."""
        spec = self.program.specs.get(path) or self._named(path, context)
        if spec is None or spec.options is None or not isinstance(context.current, Cell):
            return ""
        here, position, size = context.node, context.position, context.size
        origin = context.current
        shared = [mine for mine, theirs in zip(origin.spec.repeats, spec.repeats, strict=False) if mine == theirs]
        anchor = origin.around(shared[-1] if shared else "")
        try:
            for cell in _reached(anchor, spec):
                for choice in self.shown(cell):
                    if choice.name == code:
                        return choice.label
            return ""
        finally:
            context.at(origin)
            context.node, context.position, context.size = here, position, size

    def shown(self, cell: Cell) -> tuple[ShownChoice, ...]:
        """Return what a select offers now, in order; nothing for other questions."""
        options = cell.spec.options
        if options is None:
            return ()
        if not options.fixed:
            return tuple(self._offered(cell, options))
        key = (cell.path, self.context.language)
        known = self._fixed.get(key)
        if known is None:
            self._evaluated = False
            known = tuple(self._offered(cell, options))
            # Labels that say something of the record change with it.
            if not self._evaluated:
                self._fixed[key] = known
        return known

    def offers(self, cell: Cell, code: str) -> bool:
        """Tell whether `code` is among a select's choices now."""
        options = cell.spec.options
        if options is None:
            return True
        if options.names is not None:
            return code in options.names
        if options.source:
            items = self.instance(options.itemset.list_name)
            found = items.lookup(("root", "item"), options.itemset.value, code) if items is not None else []
            return bool(found)
        names = (self._cell_text(node, options.itemset.value) for node in self._nodes(cell, options))
        if options.fixed:
            # The same for every instance of the form: the list stands in it.
            options.names = frozenset(names)
            return code in options.names
        return code in names

    def _offered(self, cell: Cell, options: Options) -> Iterator[ShownChoice]:
        language = self.context.language
        if options.nodes is None:
            for name, text in options.inline:
                self._evaluated = self._evaluated or not text.constant
                # A choice without a label is called by its value.
                said = text.say(language, self.context.at(cell)) if text.parts else name
                yield ShownChoice(name, said, text.shown_media(language))
            return
        for node in self._nodes(cell, options):
            name = self._cell_text(node, options.itemset.value)
            written = self._cell_text(node, options.itemset.label) if options.itemset.label else name
            if not options.itemset.label_is_itext:
                yield ShownChoice(name, written)
                continue
            self.context.at(cell)
            label = self.itext(written, language)
            yield ShownChoice(name, written if label is None else label, self._media(written, language))

    def _nodes(self, cell: Cell, options: Options) -> list[Node]:
        if options.nodes is None:
            return []
        context = self.context.at(cell)
        try:
            if options.nodes.functions.isdisjoint(_VOLATILE):
                return [node for node in options.nodes.nodes(context) if node.relevant]
            # The same order every time the same record is shown.
            kept = context.random
            context.random = random.Random(f"{self.seed}{cell.ref}")
            try:
                return options.nodes.nodes(context)
            finally:
                context.random = kept
        except ExpressionError:
            return []

    def _cell_text(self, node: Node, path: str) -> str:
        if path in (".", ""):
            return node.text() if path else ""
        found: Node | None = node
        for step in path.split("/"):
            if found is None:
                return ""
            if step.startswith("@"):
                return found.attribute(step[1:]) or ""
            found = found if step == "." else found.first(step.rpartition(":")[2])
        return found.text() if found is not None else ""

    def _media(self, name: str, language: str) -> Mapping[str, str]:
        form = self.program.form
        found = form.itext_media.get(language) or form.itext_media.get(form.default_language) or {}
        return found.get(name, _NOTHING)

    def _said(self, part: Compiled) -> str:
        self._evaluated = True
        try:
            return part.string(self.context)
        except ExpressionError:
            return ""

    def _named(self, path: str, context: Context) -> Spec | None:
        """The question that a relative path or a bare name means, seen from the node being evaluated."""
        if not isinstance(context.current, Cell):
            return None
        steps = [] if path.startswith("/") else context.current.path.split("/")[1:]
        for step in path.strip().split("/"):
            if step == "..":
                steps = steps[:-1]
            elif step not in ("", "."):
                steps = [*steps, step]
        return self.program.specs.get("/" + "/".join(steps))


def _reached(anchor: Cell, spec: Spec) -> list[Cell]:
    below = spec.path.removeprefix(anchor.path).strip("/")
    return anchor.reach(tuple(step.rpartition(":")[2] for step in below.split("/") if step))[:1]
