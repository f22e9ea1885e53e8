"""The body of an XForm: which control, group or repeat shows which node, and the actions that stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms.definition import Action, Choice, Expression, Heading, Itemset, Label, SecondaryInstance
from forms.problems import Place, Problem
from forms.xform.document import Written, attributes, elements, first, local, plain_path
from forms.xform.model import ModelNode, find, local_name
from forms.xform.searching import appearance_words, external_of, search_of
from forms.xform.text import Itext, read_label

CONTROLS: Final = frozenset({"input", "select", "select1", "rank", "range", "upload", "trigger", "secret"})
_STANDARD: Final = frozenset({"ref", "nodeset", "bind", "appearance", "mediatype", "class", "query"})
_ITEXT_LABEL: Final = "jr:itext("


@dataclass(slots=True)
class Shown:
    """What the body says of one node: its control's name, label, hint, itemset and attributes."""

    control: str
    label: Label = Label()
    hint: Label = Label()
    guidance: Label = Label()
    itemset: Itemset | None = None
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Body:
    """The body by absolute path: controls, groups and repeats, the actions in document order, and what led nowhere."""

    controls: dict[str, Shown] = field(default_factory=dict)
    groups: dict[str, Shown] = field(default_factory=dict)
    repeats: dict[str, Shown] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    searched: dict[str, SecondaryInstance] = field(default_factory=dict)
    recorded: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)  # path -> type, attributes
    headings: list[Heading] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BodyReader:
    """Reads a body against the model's tree, whose repeats it marks; `written`: what the author wrote, by path."""

    root: ModelNode
    ids: Mapping[str, str]
    itext: Itext
    written: Mapping[str, Written]
    body: Body

    def read(self, parent: etree._Element, base: str, within: str = "") -> None:
        """Read all children of `parent`, references being relative to `base`; `within`: the repeat around it."""
        for element in elements(parent):
            name = local(element)
            if name == "group":
                self._group(element, base, within)
            elif name == "repeat":
                self._repeat(element, base, None)
            elif name in CONTROLS:
                self._control(element, base, within)
            elif name == "setvalue":
                self.action(element, base, trigger="", repeat=within)

    def _path(self, element: etree._Element, base: str) -> str | None:
        """The path of the node an element shows, or None where it names none."""
        if element.get("bind") in self.ids:
            return self.ids[element.get("bind", "")]
        source = element.get("ref") or element.get("nodeset")
        path = plain_path(source, base) if source else None
        node = find(self.root, path) if path else None
        if source and node is None:
            place = Place(name=source)
            self.body.problems.append(Problem("FORMS_XFORM_REF_UNKNOWN", place, {"control": local(element)}))
        return node.path if node else None

    def _group(self, element: etree._Element, base: str, within: str) -> None:
        path = self._path(element, base)
        inner = first(element, "repeat")
        if inner is not None and (path is None or self._path(inner, path) == path):
            # The usual shape of a repeat: a group that bears the label around the repeat itself.
            for child in elements(element):
                if local(child) == "repeat":
                    self._repeat(child, path or base, element)
                elif local(child) not in ("label", "hint"):
                    self._other(child, path or base, within)
            return
        shown = self._shown("group", element, path or base)
        if path:
            self.body.groups[path] = shown
        elif shown.label.texts or shown.label.media or shown.attributes.get("appearance"):
            inside = (self._path(child, base) for child in elements(element) if child.get("ref") or child.get("bind"))
            paths = tuple(found for found in dict.fromkeys(inside) if found)
            look = appearance_words(shown.attributes.get("appearance") or "")
            self.body.headings.append(Heading(shown.label, paths, look))
        self.read(element, path or base, within)

    def _other(self, element: etree._Element, base: str, within: str) -> None:
        """Read one element that stands beside a repeat in its group."""
        name = local(element)
        if name in CONTROLS:
            self._control(element, base, within)
        elif name == "group":
            self._group(element, base, within)
        elif name == "setvalue":
            self.action(element, base, trigger="", repeat=within)

    def _repeat(self, element: etree._Element, base: str, group: etree._Element | None) -> None:
        path = self._path(element, base)
        if path is None:
            return
        node = find(self.root, path)
        if node is not None:
            node.repeat = True
        shown = self._shown("repeat", element, path)
        if group is not None:
            around = self._shown("group", group, path)
            shown.label = around.label if around.label.texts or around.label.media else shown.label
            shown.attributes = {**around.attributes, **shown.attributes}
        self.body.repeats[path] = shown
        self.read(element, path, path)

    def _control(self, element: etree._Element, base: str, within: str) -> None:
        path = self._path(element, base)
        if path is None:
            return
        shown = self._shown(local(element), element, path)
        shown.itemset = self._searched(shown, self._itemset(element, path), path)
        self.body.controls.setdefault(path, shown)
        for child in elements(element):
            if local(child) == "setvalue":
                self.action(child, path, trigger=path, repeat=within)
            elif local(child) == "setgeopoint":
                self.record(child, path, "background-geopoint")

    def record(self, element: etree._Element, base: str, kind: str) -> None:
        """Note what a device would record by itself (`odk:setgeopoint`, `odk:recordaudio`) in the node it names."""
        path = self._path(element, base)
        if path is not None:
            own = {name: value for name, value in attributes(element).items() if name.endswith("quality")}
            self.body.recorded[path] = (kind, own)

    def _shown(self, control: str, element: etree._Element, path: str) -> Shown:
        place = self.place(path, "label")
        hint = first(element, "hint")
        shown = Shown(control, read_label(first(element, "label"), self.itext, place), attributes=attributes(element))
        if hint is not None:
            shown.hint = read_label(hint, self.itext, self.place(path, "hint"))
            shown.guidance = self.itext.guidance_of(hint)
        return shown

    def place(self, path: str, column: str) -> Place:
        """Return where the author wrote a column of the question at `path`."""
        written = self.written.get(path)
        if written is None:
            return Place(column=column, name=local_name(path.rpartition("/")[2]))
        known = written.place
        return Place(known.file, known.sheet, known.row, written.headers.get(column, column), known.name)

    def _itemset(self, element: etree._Element, path: str) -> Itemset | None:
        itemset = first(element, "itemset")
        if itemset is None:
            choices = tuple(self._choice(item) for item in element.iter() if local(item) == "item")
            return Itemset(choices=choices) if choices or local(element) in ("select", "select1", "rank") else None
        value = first(itemset, "value")
        value = first(itemset, "copy") if value is None else value
        label = first(itemset, "label")
        label_ref = "" if label is None else label.get("ref", "").strip()
        itext = label_ref.startswith(_ITEXT_LABEL)
        nodeset = itemset.get("nodeset", "").strip()
        return Itemset(
            nodeset=Expression(nodeset, self.place(path, "choice_filter")),
            value=(value.get("ref") if value is not None else None) or ".",
            label=label_ref.removeprefix(_ITEXT_LABEL).removesuffix(")").strip() if itext else label_ref,
            label_is_itext=itext,
            list_name=_list_name(nodeset),
        )

    def _searched(self, shown: Shown, itemset: Itemset | None, path: str) -> Itemset | None:
        """The itemset that `search()` or a `query` amounts to, or the one given; notes the file it reads."""
        look = shown.attributes.get("appearance") or ""
        searched = itemset is not None and "search" in look
        found = search_of(look, itemset.choices, self.place(path, "appearance")) if itemset and searched else None
        if found is not None:
            words = (word for word in appearance_words(look) if not word.startswith("search"))
            shown.attributes["appearance"] = " ".join(words)
        elif "query" in shown.attributes:
            found = external_of(shown.attributes["query"], self.place(path, "choice_filter"))
        if found is None:
            return itemset
        self.body.searched[found.instance.id] = found.instance
        return found.itemset

    def _choice(self, item: etree._Element) -> Choice:
        value = first(item, "value")
        name = "" if value is None else "".join(str(part) for part in value.itertext()).strip()
        return Choice(name, read_label(first(item, "label"), self.itext))

    def action(self, element: etree._Element, base: str, *, trigger: str, repeat: str) -> None:
        """Add a `setvalue`; relative targets start from the control or repeat it stands in."""
        own = attributes(element)
        source = own.get("ref") or ""
        path = self.ids.get(own.get("bind", "")) or plain_path(source, base)
        if path is None or ("/@" not in path and find(self.root, path) is None):
            problem = Problem("FORMS_XFORM_REF_UNKNOWN", Place(name=source), {"control": "setvalue"})
            self.body.problems.append(problem)
            return
        node = find(self.root, path)
        target = node.path if node else path
        column = "calculation" if trigger else "default"
        value = own.get("value", "").strip()
        self.body.actions.append(
            Action(
                events=tuple((own.get("event") or own.get("ev:event") or "").split()),
                target=target,
                value=Expression(value, self.place(target, column)) if value else None,
                literal="" if value else "".join(str(part) for part in element.itertext()),
                trigger=trigger,
                repeat=repeat,
                ref=source if "[" in source else "",
            )
        )


def parameters_of(own: Mapping[str, str]) -> dict[str, str]:
    """Return a control's further attributes by plain name (`start`, `end`, `step`, `rows`, `max-pixels`)."""
    return {name.rpartition(":")[2]: value for name, value in own.items() if name not in _STANDARD}


def _list_name(nodeset: str) -> str:
    """The secondary instance that a nodeset reads, or nothing."""
    _, found, rest = nodeset.partition("instance(")
    return rest.lstrip(" '\"").partition(")")[0].rstrip(" '\"") if found else ""
