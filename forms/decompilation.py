"""A form that came as XForm only, written back as XLSForm rows, so far as XLSForm can say it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms.definition import Action, Expression, Form, Group, Itemset, Label, Node, Question, Repeat, Seed
from forms.listing import Listing
from forms.problems import Place, Problem
from forms.sheets import ROW, Row
from forms.vocabulary import LEDGER_PREFIX, METADATA, PARAMETERS
from forms.xform.document import attributes, elements, first, parse, plain_path

Sheets = dict[str, tuple[Row, ...]]
_STRINGS: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_ABSOLUTE: Final = re.compile(r"(?<![\w.\-/\])])(?:/[^\W\d][\w.\-]*)+(?![\w.\-/\[(:])")
_LAST_SAVED: Final = re.compile(r"^\s*instance\('__last-saved'\)(?P<path>/\S+)\s*$")
# What pyxform gives each type's bind where nobody says otherwise; the others are strings.
_DATA_TYPES: Final[Mapping[str, str]] = {
    "integer": "int", "decimal": "decimal", "date": "date", "time": "time", "datetime": "dateTime", "today": "date",
    "start": "dateTime", "end": "dateTime", "geopoint": "geopoint", "geotrace": "geotrace", "geoshape": "geoshape",
    "barcode": "barcode", "image": "binary", "audio": "binary", "video": "binary", "file": "binary", "osm": "binary",
    "rank": "odk:rank", "audit": "binary", "start-geopoint": "geopoint", "background-geopoint": "geopoint",
    "background-audio": "binary",
}  # fmt: skip
_ATTRIBUTE_PARAMETERS: Final = {
    "accuracyThreshold": "capture-accuracy", "unacceptableAccuracyThreshold": "warning-accuracy",
    "tick-interval": "tick_interval",
}  # fmt: skip
_BODY: Final = frozenset({"autoplay", "intent", "no_app_error_string"})
_NOT_COLUMNS: Final = frozenset({"count", "noAddRemove"})


@dataclass(slots=True)
class _Rows:
    """The rows as they come to be, and what could not be said."""

    form: Form
    listing: Listing
    survey: list[dict[str, str]] = field(default_factory=list)
    lost: list[Problem] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    repeats: frozenset[str] = frozenset()
    paths: Mapping[str, str] = field(default_factory=dict)  # the path of every node that its name alone tells
    actions: dict[str, list[Action]] = field(default_factory=dict)

    def lose(self, part: str, place: str) -> None:
        self.lost.append(Problem("FORMS_EXPORT_LOST", Place(name=place), {"part": part}, "warning"))

    def in_repeat(self, path: str) -> bool:
        return any(path.startswith(f"{repeat}/") for repeat in self.repeats)

    # Expressions and texts

    def expression(self, expression: Expression | None) -> str:
        """An expression with `${name}` for the absolute paths that a name tells alone; others stay as they are."""
        if expression is None:
            return ""
        kept = _STRINGS.findall(expression.source)
        named = _ABSOLUTE.sub(self._reference, _STRINGS.sub("\ufdd4", expression.source))
        for text in kept:
            named = named.replace("\ufdd4", text, 1)
        return " ".join(named.split()) if not kept else named.strip()

    def _reference(self, match: re.Match[str]) -> str:
        path = match[0]
        name = path.rpartition("/")[2]
        return f"${{{name}}}" if self.paths.get(name) == path and not self.in_repeat(path) else path

    def text(self, parts: tuple[str | Expression, ...], base: str) -> str:
        """A text with `${name}` for its outputs."""
        return "".join(part if isinstance(part, str) else self._output(part, base) for part in parts)

    def _output(self, expression: Expression, base: str) -> str:
        path = plain_path(expression.source, base)
        name = "" if path is None else path.rpartition("/")[2]
        if path is None or "[" in expression.source or self.paths.get(name) != path:
            self.lose(f'<output value="{expression.source}"/>', base)
            return "…"
        return f"${{{name}}}"

    def translated(self, column: str, label: Label, base: str) -> Iterator[tuple[str, str]]:
        """The cells of a translated column and of its media."""
        for language, parts in label.texts.items():
            text = self.text(parts, base)
            if text:
                yield (f"{column}::{language}" if language else column), text
        if column == "label":
            for language, media in label.media.items():
                for kind, file in media.items():
                    yield (f"media::{kind}::{language}" if language else f"media::{kind}"), file

    # Nodes

    def nodes(self, children: tuple[Node, ...]) -> None:
        for node in children:
            if node.path == self.form.meta_path:
                self._meta(node)
            elif isinstance(node, Question):
                self._question(node)
            else:
                self._container(node)

    def _meta(self, meta: Node) -> None:
        for node in meta.children if isinstance(meta, Group) else ():
            if node.name == "audit" and isinstance(node, Question):
                cells = {key: value for key, value in node.parameters.items() if key in PARAMETERS["audit"]}
                self._add({"type": "audit", "name": "audit", "parameters": _pairs(cells)})

    def _container(self, node: Group | Repeat) -> None:
        control = "repeat" if isinstance(node, Repeat) else "group"
        count = node.count if isinstance(node, Repeat) else None
        if isinstance(node, Group) and any(child.name == "entity" for child in node.children) and node.name == "meta":
            return
        self._add(
            {
                "type": f"begin_{control}",
                "name": node.name,
                **dict(self.translated("label", node.label, node.path)),
                "relevant": self.expression(node.relevant),
                "read_only": self.expression(node.readonly),
                "appearance": " ".join(node.appearance),
                "repeat_count": self.expression(count),
                **self._ledger(node.ledger if isinstance(node, Repeat) else {}),
            }
        )
        if isinstance(node, Repeat) and node.fixed and count is None:
            self.lose("jr:noAddRemove", node.path)
        self.nodes(node.children)
        self._add({"type": f"end_{control}"})

    def _question(self, node: Question) -> None:
        kind, cells = node.type, dict[str, str]()
        if node.itemset is not None:
            kind, cells = self._select(node, node.itemset)
        calculation, default, trigger = self._values(node)
        type_given = node.data_type != _expected(node)
        self._add(
            {
                "type": kind,
                "name": node.name,
                **dict(self.translated("label", node.label, node.path)),
                **dict(self.translated("hint", node.hint, node.path)),
                **dict(self.translated("guidance_hint", node.guidance, node.path)),
                "appearance": " ".join(node.appearance),
                "relevant": self.expression(node.relevant),
                "required": self.expression(node.required),
                **dict(self.translated("required_message", node.required_message, node.path)),
                "constraint": self.expression(node.constraint),
                **dict(self.translated("constraint_message", node.constraint_message, node.path)),
                "calculation": calculation,
                "default": default,
                "trigger": trigger,
                "read_only": "" if node.type == "note" else self.expression(node.readonly),
                "bind::type": node.data_type if type_given else "",
                **self._attributes(node, cells.pop("parameters", "")),
                "save_to": node.entity,
                **cells,
                **self._ledger(node.ledger),
            }
        )

    def _values(self, node: Question) -> tuple[str, str, str]:
        """What a question's calculation, default and trigger say: binds, the instance's text and setvalue actions."""
        calculation, default, triggers = self.expression(node.calculate), node.default, list[str]()
        for action in self.actions.pop(node.path, ()):
            said = self.expression(action.value) or (f"'{action.literal}'" if action.literal else "''")
            if "xforms-value-changed" in action.events:
                name = action.trigger.rpartition("/")[2]
                if self.paths.get(name) != action.trigger or (triggers and said != calculation):
                    self.lose(f'<setvalue event="xforms-value-changed" value="{said}"/>', node.path)
                    continue
                triggers.append(f"${{{name}}}")
                calculation = "" if said == "''" else said
            elif "odk-instance-first-load" in action.events or "odk-new-repeat" in action.events:
                last = _LAST_SAVED.match(action.value.source) if action.value else None
                default = f"${{last-saved#{last['path'].rpartition('/')[2]}}}" if last else said
            else:
                self.lose(f'<setvalue event="{" ".join(action.events)}"/>', node.path)
        return calculation, default, ", ".join(dict.fromkeys(triggers))

    def _select(self, node: Question, itemset: Itemset) -> tuple[str, dict[str, str]]:
        """A select's type cell, its choice_filter and its parameters."""
        found = self.listing.of(node, itemset)
        if found.lost:
            self.lose(found.lost, node.path)
            return "text", {}
        source = found.source
        if found.repeat:
            name = source.rpartition("/")[2]
            if self.paths.get(name) != source:
                self.lose(found.repeat, node.path)
            source = f"${{{name}}}"
        if node.type == "range":
            return "range", {"parameters": f"tick_labelset={source}"}
        kind = f"{node.type}_from_file" if found.file and node.type != "rank" else node.type
        filtered = self.expression(Expression(found.filter)) if found.filter else ""
        parameters = {**found.parameters}
        if "seed" in parameters:
            parameters["seed"] = self.expression(Expression(parameters["seed"]))
        return f"{kind} {source}", {"choice_filter": filtered, "parameters": _pairs(parameters)}

    def _attributes(self, node: Question, parameters: str) -> dict[str, str]:
        """Parameters and body attributes by their columns."""
        known = PARAMETERS.get(node.type, ())
        pairs, cells = dict[str, str](), dict[str, str]()
        for name, value in node.parameters.items():
            key = _ATTRIBUTE_PARAMETERS.get(name, name)
            if key in known:
                pairs[key] = value
            elif name in _BODY:
                cells[name] = value
            elif name not in _NOT_COLUMNS:
                cells[f"body::{name}"] = value
        return {"parameters": " ".join(filter(None, (parameters, _pairs(pairs)))), **cells}

    def _ledger(self, given: Mapping[str, str]) -> dict[str, str]:
        return {f"{LEDGER_PREFIX}{name}": value for name, value in given.items()}

    def _add(self, cells: Mapping[str, str]) -> None:
        row = {column: text for column, text in cells.items() if text}
        self.survey.append({ROW: str(len(self.survey) + 2), **row})


def rows_of(form: Form) -> tuple[Sheets, tuple[Problem, ...]]:
    """Return a form's sheets: its author's, or such as would make this XForm; and what they cannot say (warnings)."""
    if form.rows.get("survey"):
        return {name: tuple(rows) for name, rows in form.rows.items()}, ()
    names = Counter(node.name for node in form.walk())
    rows = _Rows(
        form,
        Listing(form),
        names=names,
        repeats=frozenset(node.path for node in form.walk() if isinstance(node, Repeat)),
        paths={node.name: node.path for node in form.walk() if names[node.name] == 1},
    )
    for action in form.actions:
        if not _of_entity(form, action):
            rows.actions.setdefault(action.target, []).append(action)
    rows.nodes(form.children)
    for target, actions in rows.actions.items():
        for action in actions:
            rows.lose(f'<setvalue event="{" ".join(action.events)}"/>', target)
    for heading in form.headings:
        rows.lose("<group>", next(iter(heading.paths), ""))
    for repeated in _several(form.seed, f"/{form.seed.name}"):
        rows.lose("instance", repeated)
    for name in rows.listing.unused(form.xform):
        kind = "xml-external" if name.endswith((".xml", ".geojson")) else "csv-external"
        rows.survey.append({ROW: str(len(rows.survey) + 2), "type": kind, "name": name.rpartition(".")[0]})
    choices = tuple(rows.listing.rows(rows.text))
    sheets = {
        "survey": tuple(rows.survey),
        "choices": choices,
        "settings": (_settings(form, rows),),
        "entities": tuple(_entities(form, rows)),
    }
    return {name: found for name, found in sheets.items() if found}, tuple(rows.lost)


def _of_entity(form: Form, action: Action) -> bool:
    """Whether the converter makes an action by itself, for an entity's id."""
    return "/@" in action.target or any(action.target.startswith(f"{entity.path}/") for entity in form.entities)


def _several(seed: Seed, path: str) -> Iterator[str]:
    """Repeats that begin with several instances, which rows cannot say."""
    counts = Counter(child.name for child in seed.children if not child.template)
    yield from (f"{path}/{name}" for name, count in counts.items() if count > 1)
    for child in seed.children:
        yield from _several(child, f"{path}/{child.name}")


def _settings(form: Form, rows: _Rows) -> Row:
    """The settings; what the body and the submission say is read from the XForm itself."""
    settings = {
        ROW: "2",
        "form_title": form.title,
        "form_id": form.form_id,
        "version": form.version,
        "default_language": form.default_language,
        "instance_name": rows.expression(form.instance_name),
        "name": form.root if form.root != "data" else "",
    }
    html = parse(form.xform)
    body, head = first(html, "body"), first(html, "head")
    if body is not None:
        settings["style"] = body.get("class", "")
    model = first(head, "model") if head is not None else None
    for submission in elements(model, "submission") if model is not None else ():
        own = attributes(submission)
        settings["submission_url"] = own.get("action", "")
        settings["public_key"] = own.get("base64RsaPublicKey", "")
        settings["auto_send"] = own.get("orx:auto-send", "")
        settings["auto_delete"] = own.get("orx:auto-delete", "")
    settings["namespaces"] = " ".join(_namespaces(html))
    return {column: text for column, text in settings.items() if text}


def _namespaces(html: etree._Element) -> Iterator[str]:
    """Prefixes that an XForm has not by itself."""
    own = {"h", "jr", "orx", "odk", "ev", "xsd", "entities", "ledger", "xforms"}
    for prefix, uri in html.nsmap.items():
        if prefix and prefix not in own:
            yield f'{prefix}="{uri}"'


def _entities(form: Form, rows: _Rows) -> Iterator[Row]:
    always = Expression("true()")
    for number, entity in enumerate(form.entities, start=2):
        update = entity.update_if
        both = entity.create_if is not None and update is not None
        shown = {
            ROW: str(number),
            "list_name": entity.dataset,
            "label": rows.expression(entity.label),
            "entity_id": rows.expression(entity.entity_id) if update is not None else "",
            "create_if": _unless_always(rows, entity.create_if, always, keep=both),
            "update_if": _unless_always(rows, update, always, keep=both),
        }
        yield {column: text for column, text in shown.items() if text}


def _unless_always(rows: _Rows, given: Expression | None, always: Expression, *, keep: bool) -> str:
    return rows.expression(given) if given is not None and (keep or given.source != always.source) else ""


def _expected(node: Question) -> str:
    """The bind type that the converter gives a question of this type by itself."""
    if node.type == "range":
        values = (node.parameters.get(name, "") for name in ("start", "end", "step"))
        return "decimal" if any("." in value for value in values) else "int"
    if node.type in METADATA and node.type not in _DATA_TYPES:
        return "string"
    return _DATA_TYPES.get(node.type, "string")


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in values.items() if value)
