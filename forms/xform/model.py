"""The model of an XForm: primary instance, binds, secondary instances, as they stand in the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from forms.definition import SecondaryInstance, Seed
from forms.xform.document import attributes, elements, first, plain_path, step_name


@dataclass(slots=True)
class ModelNode:
    """A node of the primary instance, repeat instances folded into one; `bind` by prefixed attribute name."""

    name: str
    path: str
    text: str = ""
    children: dict[str, ModelNode] = field(default_factory=dict)
    instances: int = 0
    repeat: bool = False
    bind: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)

    def walk(self) -> Iterator[ModelNode]:
        """Yield the node and all below it, parents first."""
        yield self
        for child in self.children.values():
            yield from child.walk()


def primary_instance(model: etree._Element) -> etree._Element | None:
    """Return the root element of the first instance, or None."""
    for instance in elements(model, "instance"):
        return next(elements(instance), None)
    return None


def name_primary(html: etree._Element, model: etree._Element) -> None:
    """Write `instance('id')/data/a`, where the id is the primary instance's own, as `/data/a` everywhere.

    Changes the attributes of `html`. Source: ODK XForms, section Instances: the primary instance may have an id.
    """
    primary = first(model, "instance")
    own = primary.get("id", "") if primary is not None else ""
    if not own:
        return
    call = re.compile(rf"""\binstance\(\s*(["']){re.escape(own)}\1\s*\)\s*(?=/)""")
    for element in html.iter():
        for name, value in element.attrib.items() if isinstance(element.tag, str) else ():
            if "instance(" in str(value):
                element.set(name, call.sub("", str(value)))


def read_tree(root: etree._Element) -> ModelNode:
    """Fold the primary instance into one node a path: repeated siblings merged, a template's defaults first."""
    return _fold(step_name(root), f"/{step_name(root)}", [[root]])


def _fold(name: str, path: str, families: list[list[etree._Element]]) -> ModelNode:
    """Fold all occurrences of a path, one family for each parent occurrence; the first family gives the count."""
    families = [sorted(family, key=lambda element: not _is_template(element)) for family in families]
    occurrences = [element for family in families for element in family]
    leading = occurrences[0]
    node = ModelNode(name, path, instances=sum(not _is_template(element) for element in families[0]))
    node.repeat = any(_is_template(element) for element in occurrences)
    node.text = "" if len(leading) else (leading.text or "")
    node.attributes = {key: value for key, value in attributes(leading).items() if key != "jr:template"}
    below: dict[str, list[list[etree._Element]]] = {}
    for element in occurrences:
        own: dict[str, list[etree._Element]] = {}
        for child in elements(element):
            own.setdefault(step_name(child), []).append(child)
        for child_name, family in own.items():
            below.setdefault(child_name, []).append(family)
    node.children = {key: _fold(key, f"{path}/{key}", found) for key, found in below.items()}
    return node


def _is_template(element: etree._Element) -> bool:
    return bool(element.attrib) and "jr:template" in attributes(element)


def read_seed(element: etree._Element) -> Seed:
    """Return the primary instance exactly as it stands: every element with its text, templates marked."""
    children = tuple(read_seed(child) for child in elements(element))
    own = {name: value for name, value in attributes(element).items() if name != "jr:template"}
    return Seed(step_name(element), "" if children else (element.text or ""), children, _is_template(element), own)


def find(root: ModelNode, path: str) -> ModelNode | None:
    """Return the node at an absolute path; a step without its prefix, or with another, also matches."""
    steps = [step for step in path.split("/") if step]
    if not steps or not _same(steps[0], root.name):
        return None
    node = root
    for step in steps[1:]:
        child = node.children.get(step)
        if child is None:
            child = next((other for name, other in node.children.items() if _same(step, name)), None)
        if child is None:
            return None
        node = child
    return node


def _same(step: str, name: str) -> bool:
    return step == name or step.rpartition(":")[2] == name.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Binds:
    """Where binds led: by id the path, those on attributes (`/data/meta/entity/@id`), and those that led nowhere."""

    ids: dict[str, str]
    on_attributes: dict[str, dict[str, str]]
    lost: tuple[str, ...]


def read_binds(model: etree._Element, root: ModelNode) -> Binds:
    """Give every node its bind's attributes; nested binds are relative to the bind around them. Changes `root`."""
    ids: dict[str, str] = {}
    on_attributes: dict[str, dict[str, str]] = {}
    lost: list[str] = []

    def visit(parent: etree._Element, base: str) -> None:
        for bind in elements(parent, "bind"):
            source = bind.get("nodeset") or bind.get("ref") or ""
            path = plain_path(source, base)
            node = find(root, path) if path else None
            if node is None and not source.startswith("/"):
                # Some tools write a top-level nodeset from the document on: `data/a`.
                outer = plain_path(source, "")
                node = find(root, outer) if outer else None
            own = {name: value for name, value in attributes(bind).items() if name not in ("nodeset", "ref", "id")}
            if path and "/@" in path:
                on_attributes.setdefault(path, {}).update(own)
            elif node is None:
                lost.append(source)
            else:
                node.bind.update(own)
                if bind.get("id"):
                    ids[bind.get("id", "")] = node.path
            visit(bind, node.path if node else base)

    visit(model, root.path)
    _hand_down(root)
    return Binds(ids, on_attributes, tuple(lost))


def _hand_down(root: ModelNode) -> None:
    """Give the root's own relevance and read-only rule to its children, for the record itself has no state."""
    for attribute, word in (("relevant", "and"), ("readonly", "or")):
        whole = root.bind.get(attribute, "").strip()
        for child in root.children.values():
            if not whole or is_meta(child):
                continue
            own = child.bind.get(attribute, "").strip()
            child.bind[attribute] = f"({whole}) {word} ({own})" if own else whole


def read_secondary(model: etree._Element) -> dict[str, SecondaryInstance]:
    """Return the secondary instances by id: internal ones as XML, external ones by the attached file's name."""
    found: dict[str, SecondaryInstance] = {}
    for instance in list(elements(model, "instance")):
        name, source = instance.get("id", ""), instance.get("src", "")
        if not name or name in found:
            continue
        content = next(elements(instance), None)
        if source:
            found[name] = SecondaryInstance(name, source=source.rpartition("/")[2])
        elif content is not None and instance is not first(model, "instance"):
            found[name] = SecondaryInstance(name, xml=etree.tostring(content, encoding="unicode", with_tail=False))
    return found


def is_meta(node: ModelNode) -> bool:
    """Whether the node is the submission's own `meta` block."""
    return local_name(node.name) == "meta"


def local_name(name: str) -> str:
    """Return a step's name without its prefix."""
    return name.rpartition(":")[2]

