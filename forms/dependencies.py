"""What an expression reads of its form: found from its syntax, before anything is evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal as OneOf

from forms.expressions.syntax import Call, Chain, Filter, Literal, Negate, Number, Path, Step, Syntax

Reads = OneOf["values", "nodes", "places"]
# What nodes hold doesn't matter to these functions.
_READS: Mapping[str, Reads] = {"count": "nodes", "indexed-repeat": "nodes", "position": "places"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One node of the form that an expression reads.

    `scope`: the innermost repeat whose instance the reader and what it reads share for certain (`""`: the whole
    record). `reads`: the nodes' values, only which relevant nodes there are, or only their places among their like.
    """

    path: str
    scope: str
    reads: Reads = "values"


@dataclass(frozen=True, slots=True)
class Outline:
    """The form's paths: `children` by parent (`""` is the document), `repeats`, and every path there is."""

    children: Mapping[str, tuple[str, ...]]
    repeats: frozenset[str]
    _named: dict[str, dict[str, list[str]]] = field(default_factory=dict, compare=False, repr=False)
    _alone: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def is_alone(self, path: str) -> bool:
        """Return whether a path leads to the one node of just this name, with no repeat at or around it."""
        if path not in self._alone:
            above, _, name = path.rpartition("/")
            only = list(self.named(above, name.rpartition(":")[2])) == [path] and path not in self.repeats
            self._alone[path] = only and (not above or self.is_alone(above))
        return self._alone[path]

    def named(self, path: str, name: str) -> Iterable[str]:
        """Return the children of `path` called `name` without prefix, all for `*`."""
        if name == "*":
            return self.children.get(path, ())
        if path not in self._named:
            index: dict[str, list[str]] = {}
            for child in self.children.get(path, ()):
                index.setdefault(child.rpartition("/")[2].rpartition(":")[2], []).append(child)
            self._named[path] = index
        return self._named[path].get(name, ())

    def below(self, path: str) -> Iterable[str]:
        """Yield every path beneath `path`, parents first."""
        for child in self.children.get(path, ()):
            yield child
            yield from self.below(child)

    def repeat_of(self, path: str) -> str:
        """Return the innermost repeat at or around `path`, or ''."""
        while path and path not in self.repeats:
            path = parent_of(path)
        return path


# A place in the form while a path is followed: where it has come to, and the lowest node on the way that is the very
# ancestor (or self) of the node whose expression this is.
_Spot = tuple[str, str]
_NOWHERE: frozenset[_Spot] = frozenset()


class Reader:
    """Collects the references of one expression that belongs to the node at `context`."""

    def __init__(self, outline: Outline, context: str) -> None:
        self.outline = outline
        self.context = context
        self.found: set[Reference] = set()

    def read(self, tree: Syntax) -> frozenset[_Spot]:
        """Collect what `tree` reads and return the places it selects."""
        return self._visit(tree, frozenset({(self.context, self.context)}), reads="values")

    def read_path(self, spots: frozenset[_Spot], steps: Iterable[str]) -> None:
        """Collect child elements beneath places already reached (an itemset's value and label)."""
        for step in steps:
            if step not in (".", ""):
                spots = frozenset(spot for here in spots for spot in self._children(here, step.rpartition(":")[2]))
        self._note(spots, reads="values")

    def _visit(self, tree: Syntax, here: frozenset[_Spot], *, reads: Reads) -> frozenset[_Spot]:
        if isinstance(tree, Path):
            spots = self._follow(tree, here)
            self._note(spots, reads=reads)
            return spots
        if isinstance(tree, Call):
            return self._call(tree, here)
        if isinstance(tree, Chain):
            parts = [self._visit(tree.first, here, reads=reads)]
            for _, operand in tree.rest:
                if not isinstance(operand, (Literal, Number)):
                    parts.append(self._visit(operand, here, reads=reads))
            return frozenset().union(*parts) if tree.rest[0][0] == "|" else _NOWHERE
        if isinstance(tree, Negate):
            self._visit(tree.operand, here, reads="values")
        if isinstance(tree, Filter):
            spots = self._visit(tree.primary, here, reads=reads)
            self._predicates(tree.predicates, spots)
            return spots
        return _NOWHERE

    def _call(self, call: Call, here: frozenset[_Spot]) -> frozenset[_Spot]:
        if call.name == "current":
            return frozenset({(self.context, self.context)})
        arguments = call.arguments
        if call.name == "indexed-repeat" and arguments:
            # The index picks another instance: not this one is read, but the whole record.
            known = set(self.found)
            spots = self._visit(arguments[0], here, reads="nodes")
            picked = {path for path, _ in spots}
            self.found = known | {one for one in self.found if one.path not in picked}
            self._note(frozenset((path, "") for path in picked), reads="values")
            arguments = arguments[1:]
        for argument in arguments:
            self._visit(argument, here, reads=_READS.get(call.name, "values"))
            if call.name == "jr:choice-name" and isinstance(argument, Literal):
                # The question whose choices are named stands as text; a relative one is the value's own.
                named = argument.value.strip()
                self._note(frozenset({(named, "")} if named.startswith("/") else ()), reads="values")
        return here if call.name == "randomize" else frozenset()

    def _follow(self, path: Path, here: frozenset[_Spot]) -> frozenset[_Spot]:
        if path.plain and self.outline.is_alone(path.plain):
            return frozenset({(path.plain, "")})
        spots = here
        absolute = path.start == "/"
        if absolute:
            spots = frozenset({("", "")})
        elif path.start is not None and not isinstance(path.start, str):
            spots = self._visit(path.start, here, reads="nodes")
        for number, step in enumerate(path.steps):
            spots = frozenset(spot for spot in self._step(spots, step) if spot[0])
            if absolute and not step.predicates and number < len(path.steps) - 1:
                spots = frozenset(self._own(spot) for spot in spots)
            self._predicates(step.predicates, spots)
        return spots

    def _own(self, spot: _Spot) -> _Spot:
        """An absolute path into a repeat around the node means the instance the node is in."""
        path, anchor = spot
        same = anchor == parent_of(path) and path in self.outline.repeats and self._around(path)
        return (path, path) if same else spot

    def _around(self, path: str) -> bool:
        return self.context == path or self.context.startswith(f"{path}/")

    def _predicates(self, predicates: Iterable[Syntax], spots: frozenset[_Spot]) -> None:
        for predicate in predicates:
            self._visit(predicate, spots, reads="values")

    def _step(self, spots: frozenset[_Spot], step: Step) -> Iterable[_Spot]:
        name = step.test.local if step.test.type == "name" else "*"
        for spot in spots:
            yield from self._axis(spot, step.axis, name)

    def _axis(self, spot: _Spot, axis: str, name: str) -> Iterable[_Spot]:
        path, anchor = spot
        if axis == "self":
            yield spot
        elif axis == "child":
            yield from self._children(spot, name)
        elif axis == "parent":
            yield self._parent(spot)
        elif axis in ("ancestor", "ancestor-or-self"):
            while spot[0]:
                spot = self._parent(spot)
                yield spot
            if axis == "ancestor-or-self":
                yield (path, anchor)
        elif axis in ("descendant", "descendant-or-self"):
            yield from ((below, anchor) for below in self.outline.below(path) if _matches(below, name))
            if axis == "descendant-or-self":
                yield spot
        elif axis.endswith("-sibling"):
            yield from self._children((parent_of(path), parent_of(path) if anchor == path else anchor), name)
        elif axis in ("preceding", "following"):
            yield from ((below, "") for below in self.outline.below("") if _matches(below, name))

    def _children(self, spot: _Spot, name: str) -> Iterable[_Spot]:
        path, anchor = spot
        for child in self.outline.named(path, name):
            shared = anchor == path and child not in self.outline.repeats and self._around(child)
            yield (child, child) if shared else (child, anchor)

    def _parent(self, spot: _Spot) -> _Spot:
        path, anchor = spot
        above = parent_of(path)
        return (above, above if anchor == path else anchor)

    def _note(self, spots: frozenset[_Spot], *, reads: Reads) -> None:
        for path, anchor in spots:
            # How many instances a repeat has, and where one stands among them, isn't settled inside one of them.
            among = reads != "values" and anchor == path and path in self.outline.repeats
            scope = self.outline.repeat_of(parent_of(path) if among else anchor)
            below = self.outline.children.get(path, ())
            self.found.add(Reference(path, scope, "nodes" if below and reads == "values" else reads))
            if below and reads == "values":
                self.found.update(
                    Reference(leaf, scope) for leaf in self.outline.below(path) if leaf not in self.outline.children
                )


def references(tree: Syntax, outline: Outline, context: str) -> frozenset[Reference]:
    """Return what an expression reads; `context`: the path of the node it belongs to.

    May name more than is read when it runs, never less (but for text built at run time).
    """
    reader = Reader(outline, context)
    reader.read(tree)
    return frozenset(reader.found)


def parent_of(path: str) -> str:
    """Return the path above, '' above the root."""
    return path.rpartition("/")[0]


def _matches(path: str, name: str) -> bool:
    return name == "*" or path.rpartition("/")[2].rpartition(":")[2] == name
