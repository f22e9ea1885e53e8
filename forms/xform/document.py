"""The XForm as an XML document: parsed safely, names without namespaces, references turned into absolute paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms.problems import CunceError, Place, Problem

ITEXT_REF: Final = re.compile(r"^\s*jr:itext\(\s*['\"](?P<id>[^'\"]+)['\"]\s*\)\s*$")
_STEP: Final = re.compile(r"^(?:\.\.?|@?[\w.\-]+(?::[\w.\-]+)?)$")
# What needs no second look: `/data/group/a`, as programs write it.
_PLAIN: Final = re.compile(r"^(?:/[A-Za-z_][\w\-]*)+$")
_INSTANCE: Final = re.compile(r"^\s*instance\(")


class FormError(CunceError):
    """A form cannot be used; every fault found stands in `problems`, what is merely doubtful in `warnings`."""

    def __init__(self, problems: Problem | Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        super().__init__(problems)
        self.warnings: tuple[Problem, ...] = tuple(warnings)


@dataclass(frozen=True, slots=True)
class Written:
    """What an author wrote of a node, where the XForm does not tell: place, XLSForm type, label, headers by column."""

    place: Place
    type: str = ""
    label: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def parse(xml: str | bytes, file: str = "") -> etree._Element:
    """Return the root element of an XForm; raises FormError for what is not XML or declares entities.

    No entity is expanded and nothing is fetched, so that a form from outside cannot read files or blow up memory.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, load_dtd=False
    )
    data = xml.encode("utf-8") if isinstance(xml, str) else xml
    if isinstance(xml, str):
        # A declaration of another encoding would contradict the text at hand.
        data = re.sub(rb"^\s*<\?xml[^>]*\?>", b"", data.removeprefix(b"\xef\xbb\xbf"), count=1)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise FormError(Problem("FORMS_XFORM_NOT_XML", Place(file=file, row=line or None), {"said": error})) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise FormError(Problem("FORMS_XFORM_DOCTYPE", Place(file=file)))
    return root


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def step_name(element: etree._Element) -> str:
    """Return an element's name as a step of a path writes it: with its prefix where it has one."""
    return f"{element.prefix}:{local(element)}" if element.prefix else local(element)


def elements(parent: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the child elements, all or those with one of `names` (without namespace)."""
    for child in parent:
        tag = child.tag
        if isinstance(tag, str) and (not names or tag.rpartition("}")[2] in names):
            yield child


def first(parent: etree._Element, name: str) -> etree._Element | None:
    """Return the first child element called `name`, or None."""
    for child in parent:
        tag = child.tag
        if isinstance(tag, str) and tag.rpartition("}")[2] == name:
            return child
    return None


def attributes(element: etree._Element) -> dict[str, str]:
    """Return the attributes by prefixed name (`jr:preload`), whatever prefix the document binds."""
    found = {}
    for name, value in element.items():
        key = str(name)
        if key[0] == "{":
            uri, _, bare = key[1:].rpartition("}")
            prefix = KNOWN_PREFIXES.get(uri) or _prefix(element, uri)
            key = f"{prefix}:{bare}" if prefix else bare
        found[key] = str(value)
    return found


def _prefix(element: etree._Element, uri: str) -> str:
    return next((prefix for prefix, bound in reversed(element.nsmap.items()) if prefix and bound == uri), "")


LEDGER_NAMESPACE: Final = "https://cunce.org/xforms/ledger"
KNOWN_PREFIXES: Final[Mapping[str, str]] = {
    "http://openrosa.org/javarosa": "jr",
    "http://openrosa.org/xforms": "orx",
    "http://www.opendatakit.org/xforms": "odk",
    "http://www.opendatakit.org/xforms/entities": "entities",
    "http://www.w3.org/2001/xml-events": "ev",
    LEDGER_NAMESPACE: "ledger",
}


def plain_path(source: str, base: str) -> str | None:
    """Return the absolute path that a reference names, predicates left out, or None where it names no single path.

    `source`: `/data/a`, `a`, `../a`, `current()/../a`, `/data/rep[1]/a`; `base`: the absolute path it starts from.
    """
    if _PLAIN.match(source):
        return source
    text = _without_predicates(source).strip()
    if not text or _INSTANCE.match(text):
        return None
    if text.startswith("current()"):
        text = "." + text.removeprefix("current()")
    steps = [] if text.startswith("/") else [step for step in base.split("/") if step]
    for raw in text.split("/"):
        step = raw.strip()
        if not step or step == ".":
            continue
        if not _STEP.match(step):
            return None
        if step == "..":
            if not steps:
                return None
            steps.pop()
        else:
            steps.append(step)
    return "/" + "/".join(steps)


def _without_predicates(source: str) -> str:
    if "[" not in source and "]" not in source:
        return source
    depth, kept = 0, []
    for sign in source:
        depth += sign == "["
        if not depth:
            kept.append(sign)
        depth -= sign == "]"
    return "".join(kept)
