"""Match the headers people write to the questions of a form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from collect.surnames import syllable
from forms.definition import Form, Group, Node, Question, Repeat
from forms.tables import Column, Table, tables_of

_UNITS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
_NOISE = re.compile(r"[\s\u3000*＊:：、,，.。;；/／\-—_|]+")
_CJK = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_INITIALS = 2  # letters: one alone means nothing
_NUMBERING = re.compile(r"^(\d+[.、)）]|[（(]?[一二三四五六七八九十]+[)）、.])")


@dataclass(frozen=True, slots=True)
class Target:
    """A question that a column of the file feeds: its table and column."""

    table: Table
    column: Column

    @property
    def key(self) -> tuple[str, str]:
        """Table and column name."""
        return self.table.name, self.column.name


def plain(header: object) -> str:
    """Return a header without what varies: width, blanks (U+3000 too), units in brackets, numbering, case.

    A header that is nothing but brackets keeps their content.
    """
    text = _NUMBERING.sub("", unicodedata.normalize("NFKC", str(header)).strip())
    bare = _NOISE.sub("", _UNITS.sub("", text))
    return (bare or _NOISE.sub("", re.sub(r"[()（）\[\]【】]", "", text))).casefold()


class Vocabulary:
    """What the columns of a form may be called in a file.

    Names, labels in every language and the aliases of `ledger::header` (separated by `|`) all count; `extra` maps a
    header as it stands in the file to a column name (`name` or `repeat.name`; "": to none) and wins over everything.
    A header that none of them is may sound like one (`xingming`, `xm`, 性名 for 姓名), where it sounds like no other.
    """

    def __init__(self, form: Form, extra: Mapping[str, str] | None = None) -> None:
        self.tables = tables_of(form)
        self.targets: dict[str, list[Target]] = {}
        self.unused = {plain(header) for header, name in (extra or {}).items() if not name}
        self.contexts = {table.name: _context(form, table) for table in self.tables}
        for table in self.tables:
            for column in table.columns:
                for word in {plain(word) for word in _words(column.question)} - {""}:
                    self.targets.setdefault(word, []).append(Target(table, column))
        for header, name in (extra or {}).items():
            self.targets[plain(header)] = [self.named(name)] if name else []

    @cached_property
    def sounds(self) -> dict[str, list[Target]]:
        """Targets by how their words are read: whole pinyin, and initials of at least two characters."""
        found: dict[str, dict[tuple[str, str], Target]] = {}
        for word, targets in self.targets.items():
            for sound in _sounds(word):
                found.setdefault(sound, {}).update({target.key: target for target in targets})
        return {sound: list(targets.values()) for sound, targets in found.items()}

    def named(self, name: str) -> Target:
        """Return the target called `column`, `repeat.column` or `table.column`; raises KeyError."""
        table_name, _, column_name = name.rpartition(".")
        for table in self.tables:
            if table_name and table_name not in (table.name, table.key):
                continue
            for column in table.columns:
                if column.name == column_name:
                    return Target(table, column)
        raise KeyError(name)

    def match(self, paths: Sequence[Sequence[str]]) -> list[Target | None]:
        """Return the target of every column, given its header cells from top to bottom.

        The lowest cells speak first, then lower cells joined to those above. A word that several tables know goes to
        the table that a header above names, else to the table of the column before it. No target is used twice.
        """
        found: list[Target | None] = []
        used: set[tuple[str, str]] = set()
        before = self.tables[0].name
        for path in paths:
            target = self._one(path, before, used)
            found.append(target)
            if target is not None:
                used.add(target.key)
                before = target.table.name
        return found

    def _one(self, path: Sequence[str], before: str, used: set[tuple[str, str]]) -> Target | None:
        parts = [part for part in dict.fromkeys(plain(cell) for cell in path) if part]
        for start in range(len(parts) - 1, -1, -1):
            for words in ("".join(parts[start:]), parts[start]):
                if words in self.unused:
                    return None
                fitting = [target for target in self.targets.get(words, ()) if target.key not in used]
                if fitting:
                    above = "".join(parts[:start])
                    return min(fitting, key=lambda target: self._strangeness(target, above, before))
        return self._alike(parts[-1], used) if parts else None

    def _alike(self, word: str, used: set[tuple[str, str]]) -> Target | None:
        """The one target whose words sound like a header's lowest cell; initials count only where they stand alone."""
        heard = _read_aloud(word) if _CJK.search(word) else word
        alike = [target for target in self.sounds.get(heard, ()) if target.key not in used]
        return alike[0] if len(alike) == 1 else None

    def _strangeness(self, target: Target, above: str, before: str) -> int:
        if any(word in above for word in self.contexts[target.table.name]):
            return 0
        return 1 if target.table.name == before else 2


def _sounds(word: str) -> tuple[str, ...]:
    """How a word with Chinese characters may be typed: its pinyin, its initials."""
    if not _CJK.search(word):
        return ()
    initials = "".join(syllable(character)[0] for character in word)
    return (_read_aloud(word), *([initials] if len(initials) >= _INITIALS else []))


def _read_aloud(word: str) -> str:
    return "".join(syllable(character) for character in word)


def _words(question: Question) -> Iterable[str]:
    yield question.name
    for language in question.label.texts:
        yield question.label.plain(language)
    yield from question.ledger.get("header", "").split("|")


def _context(form: Form, table: Table) -> frozenset[str]:
    """The words above a header that point at this table: labels and aliases of its repeat."""
    if not table.repeat_path:
        return frozenset()
    words: set[str] = set()
    for node in form.walk():
        if isinstance(node, Repeat) and node.path == table.repeat_path:
            words.update(_labels(node))
            words.update(plain(word) for word in node.ledger.get("header", "").split("|"))
    return frozenset(words - {""})


def _labels(node: Node) -> set[str]:
    if isinstance(node, Group | Repeat):
        return {plain(node.label.plain(language)) for language in node.label.texts} | {plain(node.name)}
    return set()
