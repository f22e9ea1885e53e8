"""Model node, bind and control joined into one frozen node of the form; the XLSForm type derived back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from forms.definition import Expression, Group, Label, Node, Question, Repeat
from forms.problems import Place
from forms.xform.body import Body, Shown, parameters_of
from forms.xform.document import Written
from forms.xform.model import ModelNode, local_name
from forms.xform.searching import appearance_words
from forms.xform.text import Itext, placed, read_message

LEDGER_PREFIX: Final = "ledger:"
_INPUT: Final = {
    "int": "integer",
    "integer": "integer",
    "long": "integer",
    "decimal": "decimal",
    "double": "decimal",
    "float": "decimal",
    "date": "date",
    "time": "time",
    "dateTime": "datetime",
    "geopoint": "geopoint",
    "geotrace": "geotrace",
    "geoshape": "geoshape",
    "barcode": "barcode",
}
_CONTROL: Final = {
    "select1": "select_one",
    "select": "select_multiple",
    "rank": "rank",
    "range": "range",
    "trigger": "acknowledge",
    "secret": "text",
}
_UPLOAD: Final = {"image": "image", "audio": "audio", "video": "video", "osm": "osm"}
_PRELOAD: Final = {"timestamp": ("start", "end"), "date": ("today",)}
_BIND_PARAMETERS: Final = ("orx:max-pixels", "odk:quality", "odk:length")
_NEVER: Final = frozenset({"", "false()", "false"})


@dataclass(frozen=True, slots=True)
class Assembly:
    """Builds the form's nodes; `place(path, column)` tells where an author wrote something."""

    itext: Itext
    body: Body
    place: Callable[[str, str], Place]
    written: Mapping[str, Written]

    def node(self, node: ModelNode) -> Node:
        """Return the frozen node with all below it."""
        # What stands there several times though no repeat shows it is data that the form brings along.
        if node.repeat or (node.children and node.instances > 1):
            return self._repeat(node)
        if node.children or node.path in self.body.groups:
            return self._group(node)
        return self._question(node)

    def _group(self, node: ModelNode) -> Group:
        shown = self.body.groups.get(node.path)
        return Group(
            name=node.name,
            path=node.path,
            children=tuple(self.node(child) for child in node.children.values()),
            label=self._label(node, shown),
            appearance=_appearance(shown),
            relevant=self._expression(node, "relevant", "relevant"),
            readonly=self._expression(node, "readonly", "read_only", _NEVER),
            shown=shown is not None,
            place=self.place(node.path, ""),
        )

    def _repeat(self, node: ModelNode) -> Repeat:
        shown = self.body.repeats.get(node.path)
        count = (shown.attributes.get("jr:count") or "").strip() if shown else ""
        fixed = (shown.attributes.get("jr:noAddRemove") or "").strip() if shown else ""
        return Repeat(
            name=node.name,
            path=node.path,
            children=tuple(self.node(child) for child in node.children.values()),
            label=self._label(node, shown),
            appearance=_appearance(shown),
            relevant=self._expression(node, "relevant", "relevant"),
            readonly=self._expression(node, "readonly", "read_only", _NEVER),
            count=Expression(count, self.place(node.path, "repeat_count")) if count else None,
            fixed=bool(count) or fixed not in _NEVER or not node.repeat,
            initial=node.instances,
            ledger=_ledger(node.bind),
            place=self.place(node.path, ""),
        )

    def _question(self, node: ModelNode) -> Question:
        shown = self.body.controls.get(node.path)
        bind = node.bind
        written = self.written.get(node.path)
        data_type = _data_type(bind.get("type", ""), shown)
        preload = bind.get("jr:preload", "")
        recorded = self.body.recorded.get(node.path, ("", {}))
        own = shown.attributes if shown else recorded[1]
        return Question(
            name=node.name,
            path=node.path,
            type=(written.type if written else "") or recorded[0] or _type(node, data_type, shown),
            data_type=data_type,
            shown=shown is not None,
            label=self._label(node, shown),
            hint=placed(shown.hint, self.place(node.path, "hint")) if shown else Label(),
            guidance=shown.guidance if shown else Label(),
            appearance=_appearance(shown),
            default=node.text.strip() if not node.text.strip() else node.text,
            relevant=self._expression(node, "relevant", "relevant"),
            required=self._expression(node, "required", "required", _NEVER),
            required_message=self._message(node, "jr:requiredMsg", "required_message"),
            readonly=self._expression(node, "readonly", "read_only", _NEVER),
            constraint=self._expression(node, "constraint", "constraint"),
            constraint_message=self._message(node, "jr:constraintMsg", "constraint_message"),
            calculate=self._expression(node, "calculate", "calculation"),
            itemset=shown.itemset if shown else None,
            parameters={
                **parameters_of(own),
                **{name.rpartition(":")[2]: bind[name] for name in _BIND_PARAMETERS if name in bind},
            },
            mediatype=own.get("mediatype", ""),
            preload=(preload, bind.get("jr:preloadParams", "")) if preload else None,
            ledger=_ledger(bind),
            entity=bind.get("entities:saveto", ""),
            place=self.place(node.path, ""),
        )

    def _label(self, node: ModelNode, shown: Shown | None) -> Label:
        if shown is not None:
            return placed(shown.label, self.place(node.path, "label"))
        # A calculation has no control, yet its label heads a ledger's column.
        unseen = self.itext.label(f"{node.path}:label")
        written = self.written.get(node.path)
        if not unseen.texts and written and written.label:
            return Label({self.itext.default: (written.label,)})
        return placed(unseen, self.place(node.path, "label"))

    def _message(self, node: ModelNode, attribute: str, column: str) -> Label:
        source = node.bind.get(attribute, "")
        return placed(read_message(source, self.itext), self.place(node.path, column)) if source else Label()

    def _expression(
        self, node: ModelNode, attribute: str, column: str, nothing: frozenset[str] = frozenset({""})
    ) -> Expression | None:
        source = node.bind.get(attribute, "").strip()
        return None if source in nothing else Expression(source, self.place(node.path, column))


def _appearance(shown: Shown | None) -> tuple[str, ...]:
    words = appearance_words(shown.attributes.get("appearance") or "") if shown else ()
    return (*words, "masked") if shown and shown.control == "secret" else words


def _ledger(bind: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(LEDGER_PREFIX): value for name, value in bind.items() if name.startswith(LEDGER_PREFIX)}


def _data_type(written: str, shown: Shown | None) -> str:
    """The bind's type without the schema's prefix; uploads are binary though no bind says so."""
    bare = written.strip().removeprefix("xsd:").removeprefix("xs:")
    if not bare:
        return "binary" if shown and shown.control == "upload" else "string"
    return {"integer": "int", "double": "decimal", "float": "decimal"}.get(bare, bare)


def _type(node: ModelNode, data_type: str, shown: Shown | None) -> str:
    """The XLSForm type name that would have made this node."""
    if shown is None:
        return _hidden_type(node, data_type)
    if shown.control == "upload":
        kind = shown.attributes.get("mediatype", "").partition("/")[0]
        return _UPLOAD.get(kind, "file")
    if shown.control == "input":
        if "query" in shown.attributes:
            return "select_one_external"
        fixed = node.bind.get("readonly", "").strip() == "true()" and not node.bind.get("calculate")
        if fixed and data_type == "string" and not node.text.strip():
            return "note"
        return _INPUT.get(data_type, "text")
    return _CONTROL[shown.control]


def _hidden_type(node: ModelNode, data_type: str) -> str:
    """The type of a node without control: metadata by its preload, a calculation, or hidden."""
    kind, parameter = node.bind.get("jr:preload", ""), node.bind.get("jr:preloadParams", "")
    if kind in _PRELOAD and parameter in _PRELOAD[kind]:
        return parameter
    if kind == "property" and parameter:
        return parameter.removeprefix("uri:")
    if kind == "uid":
        return "uid"
    if local_name(node.name) == "audit" and data_type == "binary":
        return "audit"
    return "calculate" if node.bind.get("calculate") else "hidden"
