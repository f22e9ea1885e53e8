"""OpenRosa instance XML, out and in: what ODK Central receives from ODK Collect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from forms.cells import Cell
from forms.problems import CunceError, Place, Problem
from forms.program import Program, Spec
from forms.values import typed

# Not an answer: the key under which `answers_from` passes on which submission this one stands in for.
DEPRECATED = "_deprecated"
_OPENROSA = "http://openrosa.org/xforms"


class OpenRosaError(CunceError):
    """An XML document is no instance of the form."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What an instance XML says beside the answers.

    `deprecated_id`: the submission that this one stands in for. `entities`: attributes by the id() of their cells.
    """

    record_id: str
    deprecated_id: str = ""
    entities: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


def instance_xml(program: Program, root: Cell, meta: Meta, *, relevant_only: bool) -> str:
    """Return a filled-in form as instance XML with its form's id and version; repeat rows in order.

    Irrelevant nodes are left out (ODK XForms, section Bindings: relevant) unless `relevant_only` is false.
    """
    namespaces = {"orx": _OPENROSA, **program.form.namespaces}
    element = etree.Element(root.spec.name, {"id": program.form.form_id}, nsmap=namespaces)
    if program.form.version:
        element.set("version", program.form.version)
    _write(root, element, _Writing(namespaces, meta, relevant_only))
    own = next((child for child in element if etree.QName(child).localname == "meta"), None)
    if own is None:
        own = etree.SubElement(element, f"{{{_OPENROSA}}}meta")
    space = f"{{{etree.QName(own).namespace}}}" if etree.QName(own).namespace else ""
    named = {etree.QName(child).localname for child in own}
    if not program.form.instance_id_path and "instanceID" not in named:
        etree.SubElement(own, f"{space}instanceID").text = f"uuid:{meta.record_id}"
    if meta.deprecated_id and "deprecatedID" not in named:
        etree.SubElement(own, f"{space}deprecatedID").text = meta.deprecated_id
    return etree.tostring(element, encoding="unicode")


def answers_from(program: Program, xml: str | bytes) -> dict[str, Any]:
    """Return the answers in an instance XML; raises OpenRosaError for another form's, or for what isn't XML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml.encode("utf-8") if isinstance(xml, str) else xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise OpenRosaError(Problem("FORMS_OPENROSA_NOT_XML", Place(), {"said": error})) from error
    form_id = root.get("id") or ""
    if etree.QName(root).localname != program.root.name or form_id not in ("", program.form.form_id):
        context = {"found": form_id or root.tag, "wanted": program.form.form_id}
        raise OpenRosaError(Problem("FORMS_OPENROSA_OTHER_FORM", Place(), context))
    answers: dict[str, Any] = {}
    own_id = next((one.text or "" for one in root.iter() if etree.QName(one).localname == "instanceID"), "")
    if own_id:
        answers["_id"] = own_id.removeprefix("uuid:")
    deprecated = next((one.text or "" for one in root.iter() if etree.QName(one).localname == "deprecatedID"), "")
    if deprecated:
        answers[DEPRECATED] = deprecated
    _read(program.root, root, answers)
    return answers


@dataclass(frozen=True, slots=True)
class _Writing:
    """What stays the same while the nodes of an instance are written."""

    namespaces: Mapping[str, str]
    meta: Meta
    relevant_only: bool


def _write(cell: Cell, element: etree._Element, writing: _Writing) -> None:
    for child in cell.cells:
        if writing.relevant_only and not child.relevant:
            continue
        space = writing.namespaces.get(child.prefix)
        below = etree.SubElement(element, f"{{{space}}}{child.name}" if space else child.name)
        is_entity = child.name == "entity" and child.attribute("dataset") is not None
        for one in () if is_entity else child.attributes or ():
            own = writing.namespaces.get(one.prefix)
            below.set(f"{{{own}}}{one.name}" if own else one.name, one.value)
        for name, value in writing.meta.entities.get(id(child), {}).items():
            below.set(name, value)
        if child.spec.is_leaf:
            below.text = child.value
        else:
            _write(child, below, writing)


def _read(spec: Spec, element: etree._Element, answers: dict[str, Any]) -> None:
    named: dict[str, list[etree._Element]] = {}
    for child in element:
        named.setdefault(etree.QName(child).localname, []).append(child)
    for below in spec.children:
        for one in named.pop(below.name, ()):
            if below.kind == "group":
                _read(below, one, answers)
            elif not below.key:
                continue
            elif below.kind == "repeat":
                row: dict[str, Any] = {}
                _read(below, one, row)
                answers.setdefault(below.key, []).append(row)
            elif one.text:
                answers[below.key] = typed(one.text, below.data_type)
    # What another version asked is not for us to lose: whoever loads the answers finds it a place or is told of it.
    for name, others in named.items():
        if name not in ("meta", "deprecatedID"):
            _read_unknown(name, others[0], answers)


def _read_unknown(name: str, element: etree._Element, answers: dict[str, Any]) -> None:
    if len(element):
        for below in element:
            _read_unknown(etree.QName(below).localname, below, answers)
    elif element.text:
        answers.setdefault(name, element.text)
