"""Labels, hints and messages of an XForm: itext and inline text with outputs and media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from forms.definition import Expression, Label
from forms.problems import Place
from forms.xform.document import ITEXT_REF, elements, local

Parts = tuple[str | Expression, ...]
# What pyxform writes where a translation is missing; nobody wants to read it.
_HOLE: Parts = ("-",)


@dataclass(slots=True)
class Text:
    """One itext entry in one language: its plain form, its guidance form and its media (kind -> file name)."""

    parts: Parts = ()
    guidance: Parts = ()
    media: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Itext:
    """All translations: language -> id -> Text; `default` is the language shown first."""

    texts: dict[str, dict[str, Text]] = field(default_factory=dict)
    default: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in the form's order."""
        return tuple(self.texts)

    def label(self, text_id: str) -> Label:
        """Return the text of an id in every language; a language without it is left out."""
        texts = {lang: ids[text_id].parts for lang, ids in self.texts.items() if text_id in ids and ids[text_id].parts}
        media = {lang: ids[text_id].media for lang, ids in self.texts.items() if text_id in ids and ids[text_id].media}
        return Label(texts, media)

    def guidance_of(self, element: etree._Element) -> Label:
        """Return the guidance form of the itext entry that a `hint` element refers to, in every language."""
        reference = ITEXT_REF.match(element.get("ref", ""))
        text_id = reference["id"] if reference else ""
        found = {lang: ids[text_id].guidance for lang, ids in self.texts.items() if text_id in ids}
        return Label({lang: parts for lang, parts in found.items() if parts})


def read_itext(model: etree._Element) -> Itext:
    """Read `model/itext`; holes that were filled with a dash get the default language's words instead."""
    itext = Itext()
    for block in elements(model, "itext"):
        for translation in elements(block, "translation"):
            language = translation.get("lang", "")
            itext.texts[language] = {entry.get("id", ""): _read_text(entry) for entry in elements(translation, "text")}
            if "default" in translation.attrib and translation.get("default") not in ("false()", "false"):
                itext.default = language
    if list(itext.texts) == ["default"]:
        # pyxform's name for the words of a form that has no languages.
        itext.texts = {"": itext.texts["default"]}
        itext.default = ""
    elif not itext.default and itext.texts:
        itext.default = next(iter(itext.texts))
    _fill_holes(itext)
    return itext


def _read_text(entry: etree._Element) -> Text:
    text = Text()
    for value in elements(entry, "value"):
        form = value.get("form", "")
        if form in ("", "long"):
            text.parts = read_parts(value) or text.parts
        elif form == "guidance":
            text.guidance = read_parts(value)
        elif form == "short":
            text.parts = text.parts or read_parts(value)
        else:
            text.media[form] = ("".join(str(part) for part in value.itertext()).strip()).rpartition("/")[2]
    return text


def _fill_holes(itext: Itext) -> None:
    ids = {text_id: None for texts in itext.texts.values() for text_id in texts}
    order = [itext.default, *(language for language in itext.texts if language != itext.default)]
    for text_id in ids:
        entries = [itext.texts[language][text_id] for language in order if text_id in itext.texts.get(language, {})]
        parts = next((entry.parts for entry in entries if entry.parts and entry.parts != _HOLE), None)
        guidance = next((entry.guidance for entry in entries if entry.guidance and entry.guidance != _HOLE), None)
        for entry in entries:
            if entry.parts == _HOLE:
                entry.parts = parts or ((*_HOLE,) if guidance is None else ())
            if entry.guidance == _HOLE:
                entry.guidance = guidance or _HOLE


def read_parts(element: etree._Element, place: Place = Place()) -> Parts:
    """Return mixed content as literal strings and the expressions of its `output` elements, blanks trimmed outside."""
    parts: list[str | Expression] = []

    def literal(text: str | None) -> None:
        if not text:
            return
        if parts and isinstance(parts[-1], str):
            parts[-1] += text
        else:
            parts.append(text)

    def collect(node: etree._Element) -> None:
        literal(node.text)
        for child in elements(node):
            if local(child) == "output":
                parts.append(Expression((child.get("value") or child.get("ref") or "''").strip(), place))
            else:
                collect(child)
            literal(child.tail)

    collect(element)
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip()
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip()
    return tuple(part for part in parts if part != "")


def read_label(element: etree._Element | None, itext: Itext, place: Place = Place()) -> Label:
    """Return the text of a `label` or `hint` element, by its itext reference or its own content."""
    if element is None:
        return Label()
    found = ITEXT_REF.match(element.get("ref", ""))
    if found:
        return itext.label(found["id"])
    if element.get("ref"):
        return Label({"": (Expression(element.get("ref", ""), place),)})
    parts = read_parts(element, place)
    return Label({"": parts}) if parts else Label()


def read_message(source: str, itext: Itext) -> Label:
    """Return a constraint or required message from a bind attribute: an itext reference or the words themselves."""
    if not source.strip():
        return Label()
    found = ITEXT_REF.match(source)
    return itext.label(found["id"]) if found else Label({"": (source.strip(),)})


def placed(label: Label, place: Place) -> Label:
    """Return the label with `place` on the expressions of its outputs."""
    if all(isinstance(part, str) for parts in label.texts.values() for part in parts):
        return label
    texts: Mapping[str, Parts] = {
        language: tuple(Expression(part.source, place) if isinstance(part, Expression) else part for part in parts)
        for language, parts in label.texts.items()
    }
    return Label(texts, label.media)
