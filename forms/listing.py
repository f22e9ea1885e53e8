"""Choice lists of an XForm, written back as rows of the choices sheet, and where each select's choices come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms.definition import Choice, Expression, Form, Itemset, Label, Question
from forms.sheets import ROW, Row

Say = Callable[[tuple[str | Expression, ...], str], str]
_RANDOM: Final = re.compile(r"^\s*randomize\((?P<nodeset>.*)\)\s*$", re.S)
_INSTANCE: Final = re.compile(
    r"^\s*instance\(\s*['\"](?P<id>[^'\"]+)['\"]\s*\)/root/item\s*(?P<filter>\[.*\])?\s*$", re.S
)
_REPEAT: Final = re.compile(r"^\s*(?P<path>(?:/[\w.\-]+)+)\s*(?P<filter>\[.*\])?\s*$", re.S)
_OWN: Final = frozenset({"name", "label", "itextId"})


@dataclass(slots=True)
class Listed:
    """Where a select's choices come from: a list, a `file` or a repeat (its nodeset), filtered and shuffled."""

    source: str
    file: bool = False
    repeat: str = ""
    filter: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    lost: str = ""


@dataclass(slots=True)
class Listing:
    """The choice lists of a form, as its selects come to ask for them."""

    form: Form
    inline: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    refs: dict[str, tuple[str, str]] = field(default_factory=dict)  # list -> what its items call value and label
    files: set[str] = field(default_factory=set)

    def of(self, node: Question, itemset: Itemset) -> Listed:
        """Return where a question's choices come from; notes the list."""
        if itemset.nodeset is None:
            return Listed(self._inline(node, itemset.choices))
        nodeset, parameters = itemset.nodeset.source, dict[str, str]()
        shuffled = _RANDOM.match(nodeset)
        if shuffled:
            nodeset, seed = _arguments(shuffled["nodeset"])
            parameters = {"randomize": "true", **({"seed": seed} if seed else {})}
        found = _INSTANCE.match(nodeset)
        instance = self.form.secondary_instances.get(found["id"]) if found else None
        if found is None or instance is None:
            return _from_repeat(nodeset, itemset.value, parameters)
        filtered = (found["filter"] or "").strip()[1:-1].strip()
        if not instance.source:
            self.refs.setdefault(instance.id, (itemset.value, itemset.label if not itemset.label_is_itext else "label"))
            return Listed(instance.id, filter=filtered, parameters=parameters)
        self.files.add(instance.id)
        usual = ("id", "title") if instance.source.endswith(".geojson") else ("name", "label")
        for name, given, default in zip(("value", "label"), (itemset.value, itemset.label), usual, strict=True):
            if given != default:
                parameters[name] = given
        return Listed(instance.source, file=True, filter=filtered, parameters=parameters)

    def _inline(self, node: Question, choices: tuple[Choice, ...]) -> str:
        """A list of choices that stand in the body: one that another question has alike, or a new one."""
        for name, known in self.inline.items():
            if known == choices:
                return name
        name = node.name
        while name in self.inline or name in self.form.secondary_instances:
            name += "_list"
        self.inline[name] = choices
        return name

    def unused(self, xform: str) -> Iterator[str]:
        """Yield the attached files that no select reads and no pulldata() declares by itself."""
        for instance in self.form.secondary_instances.values():
            name = instance.source
            if not name or instance.id in self.files or instance.id.startswith("__") or name == "last-saved":
                continue
            quote = "(?:'|&apos;|\"|&quot;)"
            if not re.search(rf"pulldata\(\s*{quote}{re.escape(instance.id)}{quote}", xform):
                yield name

    def rows(self, say: Say) -> Iterator[Row]:
        """Yield the rows of the choices sheet; `say` writes a text with its outputs."""
        number = 2
        for name, choices in self.inline.items():
            for choice in choices:
                cells = dict(_cells(choice.label, say))
                yield {ROW: str(number), "list_name": name, "name": choice.name, **cells}
                number += 1
        for instance in self.form.secondary_instances.values():
            for item in etree.fromstring(instance.xml) if instance.xml else ():
                yield {ROW: str(number), "list_name": instance.id, **self._item(instance.id, item, say)}
                number += 1

    def _item(self, list_name: str, item: etree._Element, say: Say) -> Mapping[str, str]:
        """One item's cells: its name and label under whatever names they have, then its further columns."""
        texts = {etree.QName(child).localname: child.text or "" for child in item if isinstance(child.tag, str)}
        value, label = self.refs.get(list_name, ("name", "label"))
        cells = {"name": texts.get(value, texts.get("name", ""))}
        text_id = texts.get("itextId", "")
        if text_id:
            cells.update(_cells(self._translated(text_id), say))
        elif texts.get(label):
            cells["label"] = texts[label]
        others = {name: text for name, text in texts.items() if name not in _OWN | {value, label}}
        return {name: text for name, text in {**cells, **others}.items() if text}

    def _translated(self, text_id: str) -> Label:
        texts = {language: ids[text_id] for language, ids in self.form.itext.items() if ids.get(text_id)}
        media = {language: ids[text_id] for language, ids in self.form.itext_media.items() if ids.get(text_id)}
        return Label(texts, media)


def _cells(label: Label, say: Say) -> Iterator[tuple[str, str]]:
    for language, parts in label.texts.items():
        yield (f"label::{language}" if language else "label"), say(parts, "/")
    for language, media in label.media.items():
        for kind, file in media.items():
            yield (f"media::{kind}::{language}" if language else f"media::{kind}"), file


def _arguments(inner: str) -> tuple[str, str]:
    """The nodeset and the seed of a randomize(): parted by the last comma outside all brackets and quotes."""
    depth, quote, at = 0, "", -1
    for index, sign in enumerate(inner):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        else:
            depth += (sign in "([") - (sign in ")]")
            at = index if sign == "," and not depth else at
    return (inner, "") if at < 0 else (inner[:at].strip(), inner[at + 1 :].strip())


def _from_repeat(nodeset: str, value: str, parameters: dict[str, str]) -> Listed:
    """The answers of a question in a repeat as choices."""
    found = _REPEAT.match(nodeset)
    if found is None:
        return Listed("", lost=f'<itemset nodeset="{nodeset}"/>')
    filtered = (found["filter"] or "[true()]")[1:-1].strip()
    usual = f"./{value} != ''"
    return Listed(
        f"{found['path']}/{value}", repeat=nodeset, filter="" if filtered == usual else filtered, parameters=parameters
    )
