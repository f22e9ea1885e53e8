"""OpenRosa instance XML, out and in: what ODK Central receives from ODK Collect."""

from __future__ import annotations

from typing import Any

from lxml import etree

from forms.cells import Cell
from forms.problems import CunceError, Place, Problem
from forms.program import Program, Spec
from forms.values import typed

_OPENROSA = "http://openrosa.org/xforms"


class OpenRosaError(CunceError):
    """An XML document is no instance of the form."""


def instance_xml(program: Program, root: Cell, record_id: str, *, relevant_only: bool) -> str:
    """Return a filled-in form as instance XML with its form's id and version; repeat rows in order.

    Irrelevant nodes are left out (ODK XForms, section Bindings: relevant) unless `relevant_only` is false.
    """
    namespaces = {"orx": _OPENROSA, **program.form.namespaces}
    element = etree.Element(root.spec.name, {"id": program.form.form_id}, nsmap=namespaces)
    if program.form.version:
        element.set("version", program.form.version)
    _write(root, element, namespaces, relevant_only=relevant_only)
    if not program.form.instance_id_path:
        meta = etree.SubElement(element, f"{{{_OPENROSA}}}meta")
        etree.SubElement(meta, f"{{{_OPENROSA}}}instanceID").text = f"uuid:{record_id}"
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
    _read(program.root, root, answers)
    return answers


def _write(cell: Cell, element: etree._Element, namespaces: dict[str, str], *, relevant_only: bool) -> None:
    for child in cell.cells:
        if relevant_only and not child.relevant:
            continue
        space = namespaces.get(child.prefix)
        below = etree.SubElement(element, f"{{{space}}}{child.name}" if space else child.name)
        if child.spec.is_leaf:
            below.text = child.value
        else:
            _write(child, below, namespaces, relevant_only=relevant_only)


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
        if name != "meta":
            _read_unknown(name, others[0], answers)


def _read_unknown(name: str, element: etree._Element, answers: dict[str, Any]) -> None:
    if len(element):
        for below in element:
            _read_unknown(etree.QName(below).localname, below, answers)
    elif element.text:
        answers.setdefault(name, element.text)
