"""XForm XML to a frozen `Form`: what ODK Collect would be served is exactly what runs here."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from lxml import etree

from forms.definition import Entity, Expression, Form
from forms.problems import Place, Problem
from forms.xform.assembly import Assembly
from forms.xform.body import Body, BodyReader
from forms.xform.document import FormError, Written, attributes, elements, first, local, parse
from forms.xform.model import (
    Binds,
    ModelNode,
    find,
    is_meta,
    local_name,
    name_primary,
    primary_instance,
    read_binds,
    read_secondary,
    read_seed,
    read_tree,
)
from forms.xform.text import read_itext

__all__ = ["FormError", "Written", "read_xform"]
_RECORDED = {"setgeopoint": "start-geopoint", "recordaudio": "background-audio"}
_NOTHING_WRITTEN: Mapping[str, Written] = {}


def read_xform(xml: str, *, file: str = "", written: Mapping[str, Written] = _NOTHING_WRITTEN) -> Form:
    """Read an XForm (ODK XForms specification 1.0) into a Form.

    `written`: path -> what its author wrote where the XForm leaves it open. Expressions are kept as source, not
    compiled. Raises FormError for what is no XForm.
    """
    html = parse(xml, file)
    model, body_element, title = _parts(html)
    if model is None:
        raise FormError(Problem("FORMS_XFORM_NO_MODEL", Place(file=file)))
    primary = primary_instance(model)
    if primary is None:
        raise FormError(Problem("FORMS_XFORM_NO_INSTANCE", Place(file=file)))
    name_primary(html, model)
    root = read_tree(primary)
    itext = read_itext(model)
    binds = read_binds(model, root)
    reader = BodyReader(root, binds.ids, itext, written, Body())
    if body_element is not None:
        reader.read(body_element, root.path)
    for element in elements(model, "setvalue"):
        reader.action(element, root.path, trigger="", repeat="")
    for element in elements(model, "setgeopoint", "recordaudio"):
        reader.record(element, root.path, _RECORDED[local(element)])
    body = reader.body
    if any(problem.severity == "error" for problem in body.problems):
        raise FormError([problem for problem in body.problems if problem.severity == "error"])
    assembly = Assembly(itext, body, reader.place, written)
    meta = next((child for child in root.children.values() if is_meta(child)), None)
    own = attributes(primary)
    return Form(
        form_id=own.get("id") or etree.QName(primary).namespace or root.name,
        version=own.get("version") or own.get("orx:version", ""),
        title=title or own.get("id", ""),
        root=root.name,
        children=tuple(assembly.node(child) for child in root.children.values()),
        xform=xml,
        digest=sha256(xml.encode("utf-8")).hexdigest(),
        languages=tuple(filter(None, itext.languages)),
        default_language=itext.default,
        secondary_instances={**body.searched, **read_secondary(model)},
        itext={language: {key: text.parts for key, text in ids.items()} for language, ids in itext.texts.items()},
        itext_media={
            language: {key: text.media for key, text in ids.items() if text.media}
            for language, ids in itext.texts.items()
        },
        actions=tuple(body.actions),
        entities=tuple(_entities(root, binds, body)),
        instance_name=_instance_name(meta, reader),
        instance_id_path=_instance_id(meta),
        meta_path=meta.path if meta else "",
        seed=read_seed(primary),
        namespaces={prefix: uri for prefix, uri in html.nsmap.items() if prefix},
        warnings=tuple(body.problems) + tuple(_lost_binds(binds)),
        headings=tuple(body.headings),
        attributes=_attributes(root, binds),
    )


def _parts(html: etree._Element) -> tuple[etree._Element | None, etree._Element | None, str]:
    """The model, the body and the title, wherever the document keeps them."""
    if local(html) == "model":
        return html, None, ""
    head = first(html, "head")
    place = html if head is None else head
    title = first(place, "title")
    words = "" if title is None else " ".join("".join(str(part) for part in title.itertext()).split())
    return first(place, "model"), first(html, "body"), words


def _lost_binds(binds: Binds) -> list[Problem]:
    return [Problem("FORMS_XFORM_BIND_LOST", Place(name=source), severity="warning") for source in binds.lost]


def _instance_id(meta: ModelNode | None) -> str:
    """The path of the submission's instanceID, or nothing."""
    if meta is None:
        return ""
    return next((child.path for child in meta.children.values() if local_name(child.name) == "instanceID"), "")


def _instance_name(meta: ModelNode | None, reader: BodyReader) -> Expression | None:
    """The expression of a record's readable name, or None."""
    if meta is None:
        return None
    for child in meta.children.values():
        if local_name(child.name) == "instanceName" and child.bind.get("calculate"):
            return Expression(child.bind["calculate"].strip(), Place(sheet="settings", column="instance_name"))
    return None


def _attributes(root: ModelNode, binds: Binds) -> dict[str, Expression]:
    """What is calculated for attributes; an entity's own are said by its declaration."""
    found = {}
    for path, bind in binds.on_attributes.items():
        owner, _, name = path.rpartition("/@")
        node = find(root, owner)
        source = bind.get("calculate", "").strip()
        if node is not None and source and "dataset" not in node.attributes:
            found[f"{node.path}/@{name}"] = Expression(source, Place(name=path))
    return found


def _entities(root: ModelNode, binds: Binds, body: Body) -> list[Entity]:
    """The entity declarations: `meta/entity` with its attributes, of the form or of a repeat (ODK Entities 2025.1)."""
    found = []
    for node in root.walk():
        if local_name(node.name) != "entity" or "dataset" not in node.attributes:
            continue

        def calculated(path: str) -> Expression | None:
            source = binds.on_attributes.get(path, {}).get("calculate", "").strip()
            if not source:
                action = next((action for action in body.actions if action.target == path and action.value), None)
                return action.value if action else None
            return Expression(source, Place(sheet="entities"))

        label = find(root, f"{node.path}/label")
        label_source = label.bind.get("calculate", "").strip() if label else ""
        create = "create" in node.attributes or f"{node.path}/@create" in binds.on_attributes
        update = "update" in node.attributes or f"{node.path}/@update" in binds.on_attributes
        always = Expression("true()", Place(sheet="entities"))
        found.append(
            Entity(
                dataset=node.attributes["dataset"],
                path=node.path,
                create_if=(calculated(f"{node.path}/@create") or always) if create else None,
                update_if=(calculated(f"{node.path}/@update") or always) if update else None,
                entity_id=calculated(f"{node.path}/@id"),
                label=Expression(label_source, Place(sheet="entities")) if label_source else None,
            )
        )
    return found
