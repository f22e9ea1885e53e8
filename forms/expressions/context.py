"""What an expression is evaluated against, and what is known of its place when it is compiled."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from forms.clock import Clock, SystemClock
from forms.expressions.nodes import Node, Tree

NAMESPACES: Mapping[str, str] = {
    "jr": "http://openrosa.org/javarosa",
    "orx": "http://openrosa.org/xforms",
    "odk": "http://www.opendatakit.org/xforms",
    "xf": "http://www.w3.org/2002/xforms",
    "h": "http://www.w3.org/1999/xhtml",
    "xml": "http://www.w3.org/XML/1998/namespace",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands in its form, for resolving its paths when it is compiled.

    `context`: the absolute position-free path of the node it belongs to (`/data/member/age`), "" where unknown.
    `repeats`: the absolute position-free paths of the form's repeats. `namespaces`: prefix -> namespace; "" is the
    default namespace of unprefixed names in plain documents. `plain`: XPath 1.0 to the letter, for any document:
    an absolute path starts at the root and takes every node, and names without prefix have no namespace. Otherwise
    ODK's rules hold: an absolute path into a repeat that the current node is inside of means the current instance
    of that repeat (JavaRosa's contextualisation; a path to the repeat itself, or one with a predicate on it, takes
    all), and unprefixed names match in any namespace.
    """

    context: str = ""
    repeats: frozenset[str] = frozenset()
    namespaces: Mapping[str, str] = field(default_factory=lambda: NAMESPACES)
    plain: bool = False


class Secondary(Protocol):
    """A secondary instance: a document, and its items by a column's value."""

    @property
    def document(self) -> Node:
        """The document node of the instance."""
        ...

    def lookup(self, path: tuple[str, ...], column: str, value: str) -> list[Node] | None:
        """Return the elements at `path` (names from the document element) whose child `column` is the text `value`.

        In document order; None where no index can answer, so that the caller has to look at every element.
        """
        ...


class Context:
    """The state of one evaluation: reuse it for many expressions over the same tree, changing `node` and `current`.

    `node`: XPath's context node; `current`: the node whose expression is evaluated (`current()`; the origin of
    contextualised absolute paths); `root`: what `/` means, normally the document. `instances(id)` gives a secondary
    instance or None; `itext(id, language)` a translation or None; `choice_name(value, path, context)` the label of a
    choice of the question at `path`.
    """

    __slots__ = (
        "choice_name", "clock", "current", "instances", "itext", "language", "node", "position", "random",
        "root", "size", "tree", "zone",
    )

    def __init__(
        self,
        node: Node,
        *,
        current: Node | None = None,
        root: Node | None = None,
        clock: Clock | None = None,
        language: str = "",
        instances: Callable[[str], Secondary | None] | None = None,
        itext: Callable[[str, str], str | None] | None = None,
        choice_name: Callable[[str, str, Context], str] | None = None,
        randomness: random.Random | None = None,
    ) -> None:
        self.node = node
        self.current = current or node
        self.root = root or _document_of(node)
        self.tree: Tree = self.root.tree or Tree()
        self.clock: Clock = clock or SystemClock()
        self.language = language
        self.instances = instances
        self.itext = itext
        self.choice_name = choice_name
        self.random = randomness or random.Random()
        self.position = 1
        self.size = 1
        self.zone: tzinfo = self.now().tzinfo or UTC

    def now(self) -> datetime:
        """Return the clock's time with its zone."""
        return self.clock.now()

    def at(self, node: Node) -> Context:
        """Move to a node (context and current node alike) and return this context."""
        self.node = self.current = node
        self.position = self.size = 1
        return self


def _document_of(node: Node) -> Node:
    if node.tree is not None:
        return node.tree.document
    while node.parent is not None:
        node = node.parent
    return node
