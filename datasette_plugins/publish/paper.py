"""A blank form as data: what is printed of a form definition, item by item, before anything has a place on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from datasette_plugins.capture.markup import html_of
from datasette_plugins.ui.language import say
from forms.choices import labels_of, language_of
from forms.definition import Expression, Form, Group, Label, Node, Question, Repeat
from forms.numbering import is_asked, numbers_of
from forms.wording import Wording

Kind = Literal[
    "line", "lines", "boxes", "date", "datetime", "time", "number", "point", "sketch", "photo", "file", "tick",
    "choices", "rank", "head",
]  # fmt: skip
MOST_CHOICES = 24  # more are shortened to the common ones and a line to write on
NAMED_CHOICES = 10  # how many of a longer list are named
_MOST_ROWS = 60
_BOXES = {"resident_id": 18, "mobile": 11, "disability_certificate": 22}
_FILES: Mapping[str, Kind] = {"image": "photo", "video": "photo", "audio": "file", "file": "file"}
_BY_TYPE: Mapping[str, Kind] = {
    "integer": "number", "decimal": "number", "date": "date", "time": "time", "datetime": "datetime",
    "dateTime": "datetime", "geopoint": "point", "geotrace": "sketch", "geoshape": "sketch", "acknowledge": "tick",
    "trigger": "tick", **_FILES,
}  # fmt: skip
_BY_DATA: Mapping[str, Kind] = {
    "int": "number", "decimal": "number", "date": "date", "time": "time", "dateTime": "datetime",
}  # fmt: skip
_UNIT = re.compile(r"[（(]([^（）()\d]{1,12}\d?|m²|km²)[）)]\s*[:：]?$")
_SAYS_MULTIPLE = re.compile(r"(可以?多选|(choose|select|tick|check) all that apply)[。.]?$", re.I)
# The packaged font draws these as wide as a Chinese character.
_NARROW = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "..."})
_OUTPUT = "\ue000"  # stands for a blank until Markdown, to which underscores mean something, is taken out
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Field:
    """Room for one answer.

    `count`: of boxes or lines; `unit` after a number; `choices` to tick, with `writes` a line for one that is not
    among them; `many`: more than one may be ticked.
    """

    kind: Kind
    count: int = 1
    unit: str = ""
    choices: tuple[str, ...] = ()
    writes: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question on paper. `rule`: when it is to be answered; `notes`: hints and what an answer must be."""

    path: str
    number: int
    label: str
    field: Field
    required: bool = False
    rule: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section (level 1) or of a part of one (2, 3 ...)."""

    text: str
    level: int = 1
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Text to read, nothing to answer."""

    text: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """A repeat: the same questions about several things, `rows` of them (0: as many as look well); `note`: how many
    there are to be.

    `parent`: the repeat it stands in, if any, so that each row says to which row of that it belongs; `named`: `title`
    is its own, not that of the section it stands in.
    """

    title: str
    items: tuple[Ask | Heading | Remark, ...]
    rows: int
    note: str
    rule: str = ""
    level: int = 1
    parent: str = ""
    named: bool = True

    def asks(self) -> tuple[Ask, ...]:
        """Return its questions."""
        return tuple(item for item in self.items if isinstance(item, Ask))


Item = Ask | Heading | Remark | Roster


@dataclass(frozen=True, slots=True)
class Paper:
    """A blank form. `words`: zh or en, the language of all that is not the form's own.

    `village`: printed at the head where it is known; `has_household`: the head asks for a household's number.
    """

    title: str
    form_id: str
    version: str
    words: str
    items: tuple[Item, ...]
    village: str = ""
    has_household: bool = True

    def asks(self) -> Iterator[Ask]:
        """Yield every question, those of repeats with them, in the order printed."""
        for item in self.items:
            if isinstance(item, Ask):
                yield item
            elif isinstance(item, Roster):
                yield from item.asks()


def compose(form: Form, language: str = "zh", *, villages: Sequence[str] = (), rows: int | None = None) -> Paper:
    """Return a form as a blank form.

    `language`: zh, en or a language of the form; `villages`: names of a station's villages, to tick instead of write
    (a single one is printed); `rows`: how many empty rows a repeat gets where the form sets no number (without it:
    six in tables, four in cards).
    """
    return _Composer(form, language, tuple(villages), rows).paper()


class _Composer:
    def __init__(self, form: Form, language: str, villages: tuple[str, ...], rows: int | None) -> None:
        self._form = form
        self._language = language_of(form, language)
        self._words = _words_for(form, language, self._language)
        self._villages = villages
        self._rows = rows
        self._numbers = numbers_of(form)
        self._wording = Wording(form, self._language, words=self._words, numbers=self._numbers)

    def paper(self) -> Paper:
        form = self._form
        title = form.settings.get(f"ledger::title_{self._words}", "") if self._words != "zh" else ""
        questions = tuple(form.questions())
        has_village = any(question.ledger.get("standard") == "village" for question in questions)
        has_household = any(
            question.name in ("household", "household_number") and question.shown for question in questions
        )
        return Paper(
            title or form.title or form.form_id, form.form_id, form.version, self._words,
            tuple(self._items(form.children, 1, "")),
            village=self._villages[0] if len(self._villages) == 1 else "",
            has_household=has_household or not has_village,
        )  # fmt: skip

    def _items(self, nodes: Sequence[Node], level: int, parent: str) -> Iterator[Item]:
        for node in nodes:
            if isinstance(node, Question):
                yield from self._question(node)
            elif isinstance(node, Group):
                yield from self._group(node, level, parent)
            else:
                yield from self._roster(node, level, parent)

    def _group(self, group: Group, level: int, parent: str) -> Iterator[Item]:
        text = self._text(group.label)
        items = list(self._items(group.children, level + 1 if text else level, parent))
        if not items:
            return
        if text:
            yield Heading(text, level, self._rule(group, "paper.only_if_section"))
        else:
            rule = self._rule_of_unnamed(group)
            if rule:
                yield Remark("", rule)
        yield from items

    def _question(self, question: Question) -> Iterator[Ask | Remark]:
        if is_asked(question):
            yield self._ask(question)
        elif question.shown and question.type == "note":
            text = self._text(question.label)
            if text:
                yield Remark(text, self._rule(question))

    def _ask(self, question: Question) -> Ask:
        required, notes = self._required(question)
        hints = [self._text(label) for label in (question.hint, question.guidance, question.constraint_message)]
        if question.type == "select_multiple":
            hints = [hint for hint in hints if not _SAYS_MULTIPLE.match(hint)]
        label = self._text(question.label) or question.name
        return Ask(
            question.path, self._numbers[question.path], label, self._field(question, label), required,
            self._rule(question), (*filter(None, dict.fromkeys(hints)), *notes),
        )  # fmt: skip

    def _roster(self, repeat: Repeat, level: int, parent: str) -> Iterator[Item]:
        own_title = self._text(repeat.label)
        title = own_title or self._around(repeat)
        found = list(self._items(repeat.children, level + 1, title))
        own = tuple(item for item in found if not isinstance(item, Roster))
        rows, note = self._row_count(repeat)
        if any(isinstance(item, Ask) for item in own):
            rule = self._rule(repeat, "paper.only_if_section")
            yield Roster(title, own, rows, note, rule, level, parent, named=bool(own_title))
        yield from (item for item in found if isinstance(item, Roster))

    def _around(self, repeat: Repeat) -> str:
        """A repeat without a label is called as the group right around it."""
        groups = {node.path: node for node in self._form.walk() if isinstance(node, Group)}
        group = groups.get(repeat.path.rpartition("/")[0])
        return self._text(group.label) if group is not None else repeat.name

    def _row_count(self, repeat: Repeat) -> tuple[int, str]:
        rows = min(self._rows or (repeat.initial if repeat.initial > 1 else 0), _MOST_ROWS)
        if repeat.count is None:
            return rows, say("paper.rows", self._words)
        count = self._wording.count(repeat.count, repeat.path)
        if count is not None and count.isdecimal():
            return min(max(int(count), 1), _MOST_ROWS), ""
        if count is None:
            return rows, say("paper.rows", self._words)
        return rows, self._set(say("paper.rows_counted", self._words, count=count))

    def _field(self, question: Question, label: str) -> Field:
        standard = question.ledger.get("standard", "")
        if standard == "village":
            many = 1 < len(self._villages) <= MOST_CHOICES
            return Field("choices", choices=self._villages) if many else Field("head")
        if standard in _BOXES:
            return Field("boxes", _BOXES[standard])
        if question.itemset is not None:
            return self._select(question)
        if question.type == "range":
            return self._range(question)
        kind = _BY_TYPE.get(question.type) or _BY_DATA.get(question.data_type, "line")
        if kind == "number":
            return Field(kind, unit=_unit(label))
        lines = question.parameters.get("rows", "")
        if "multiline" in question.appearance or lines:
            return Field("lines", min(max(int(lines), 2), 12) if lines.isdecimal() else 3)
        return Field(kind)

    def _select(self, question: Question) -> Field:
        labels = labels_of(self._form, question, self._language)
        many = question.type == "select_multiple"
        texts = tuple(
            dict.fromkeys(self._set(" ".join(_plain(label or code).split())) for code, label in labels.items())
        )
        if len(texts) < 2 < len(labels):
            return Field("line")  # labels that tell nothing apart
        if question.type == "rank" and texts:
            return Field("rank", choices=texts)
        if not texts:
            return Field("line")
        if len(texts) <= MOST_CHOICES:
            return Field("choices", choices=texts, many=many)
        first = [self._set(_plain(labels[code])) for code in question.default.split() if code in labels]
        common = tuple(dict.fromkeys((*first, *texts)))[:NAMED_CHOICES]
        return Field("choices", choices=common, writes=True, many=many)

    def _range(self, question: Question) -> Field:
        start, end, step = (question.parameters.get(key, default) for key, default in
                            (("start", "1"), ("end", "10"), ("step", "1")))  # fmt: skip
        try:
            low, high, by = float(start), float(end), abs(float(step))
        except ValueError:
            return Field("number")
        count = round(abs(high - low) / by) + 1 if by else 0
        if not 1 < count <= 11:
            return Field("number", unit=say("paper.between", self._words, start=start, end=end))
        sign = 1 if high >= low else -1
        return Field("choices", choices=tuple(f"{low + sign * by * n:g}" for n in range(count)))

    def _required(self, question: Question) -> tuple[bool, tuple[str, ...]]:
        if question.required is None:
            return False, ()
        condition = self._wording.condition(question.required, question.path)
        if condition == "":
            return True, ()
        if condition is None:
            return False, ()
        return False, (self._set(say("paper.required_if", self._words, condition=condition)),)

    def _rule(self, node: Node, key: str = "paper.only_if") -> str:
        return self._said(node.relevant, node.path, key, "paper.page_decides")

    def _rule_of_unnamed(self, group: Group) -> str:
        """The rule of a group without a title: it says for which questions it is."""
        numbers = [number for path, number in self._numbers.items() if path.startswith(f"{group.path}/")]
        if not numbers:
            return self._rule(group)
        first, last = min(numbers), max(numbers)
        key = "paper.only_if_these" if last > first else "paper.only_if_this"
        return self._said(group.relevant, group.path, key, "paper.page_decides_these", first=first, last=last)

    def _said(self, relevant: Expression | None, path: str, key: str, unsaid: str, **slots: int) -> str:
        if relevant is None:
            return ""
        condition = self._wording.condition(relevant, path)
        if condition is None:
            return say(unsaid, self._words, **slots)
        # “≥ 16 时” is no hour of the day.
        apart = " " if condition and condition[-1].isdigit() and self._words == "zh" else ""
        return self._set(say(key, self._words, condition=condition + apart, **slots)) if condition else ""

    def _text(self, label: Label) -> str:
        """A label's text; what only the page can fill in (the name of a member) is a blank."""
        parts = label.texts.get(self._language)
        if parts is None:
            parts = next(iter(label.texts.values()), ())
        text = "".join(part if isinstance(part, str) else _OUTPUT for part in parts)
        return self._set(_plain(text).replace(_OUTPUT, "____"))

    def _set(self, text: str) -> str:
        """A text with the quotation marks that stand well among the letters of its language."""
        return text.translate(_NARROW) if self._words == "en" else text


def _words_for(form: Form, wanted: str, language: str) -> str:
    """Our own words follow the language in which the form is printed."""
    if wanted in ("zh", "en") and (language.endswith(f"({wanted})") or language == wanted):
        return wanted
    if any(word in language.lower() for word in ("(zh", "chinese", "中文", "汉语")):
        return "zh"
    if language:
        return "en" if not _HAN.search(form.title + _first_label(form, language)) else "zh"
    return "zh" if _HAN.search(form.title + _first_label(form, language)) else "en"


def _first_label(form: Form, language: str) -> str:
    return next((text for node in form.walk() if (text := node.label.plain(language))), "")


def _plain(text: str) -> str:
    """A label as text: its Markdown and tags taken out, its line breaks kept, no blank lines."""
    lines = (str(Markup(line).striptags()) for line in str(html_of(text)).split("<br>"))
    return "\n".join(line for line in lines if line)


def _unit(label: str) -> str:
    found = _UNIT.search(label)
    return found[1] if found else ""
