"""Read a regular expression, in the notation that Java and JavaScript share, into a small tree."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from forms.expressions.errors import ExpressionError

Holds = Callable[[str], bool]
_MAXIMUM_COUNT = 1000
_MAXIMUM_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a class."""

    holds: Holds


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place between characters: ^, $, b (word boundary) or B."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items one after the other."""

    parts: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Any one of several items."""

    parts: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """An item `least` to `most` times (None: without end)."""

    inner: Item
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Lookahead:
    """What the text must (not) begin with."""

    inner: Item
    negative: bool


Item = Characters | Anchor | Sequence | Alternatives | Repeated


def read_pattern(pattern: str) -> tuple[tuple[Lookahead, ...], Item]:
    """Return a pattern's leading lookaheads and its tree; raises ExpressionError for what is wrong or refused."""
    reader = _Reader(pattern)
    if pattern.startswith("(?i)"):
        reader.place = 4
        reader.ignore_case = True
    heads: list[Lookahead] = []
    while True:
        anchored = reader.place + (reader.peek() == "^")
        if not pattern.startswith(("(?=", "(?!"), anchored):
            break
        reader.place = anchored + 3
        inner = reader.alternatives()
        reader.expect(")")
        heads.append(Lookahead(inner, pattern[anchored + 2] == "!"))
    tree = reader.alternatives()
    if heads and isinstance(tree, Alternatives):
        reader.refuse("(?=")
    if reader.place < len(pattern):
        reader.fail()
    return tuple(heads), tree


class _Reader:
    """A cursor over one pattern."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.place = 0
        self.depth = 0
        self.ignore_case = False

    def fail(self) -> NoReturn:
        raise ExpressionError("FORMS_EXPRESSION_REGEX_SYNTAX", pattern=self.pattern, place=self.place + 1)

    def refuse(self, part: str) -> NoReturn:
        raise ExpressionError("FORMS_EXPRESSION_REGEX_REFUSED", pattern=self.pattern, part=part)

    def peek(self) -> str:
        return self.pattern[self.place : self.place + 1]

    def take(self) -> str:
        character = self.peek()
        if not character:
            self.fail()
        self.place += 1
        return character

    def expect(self, character: str) -> None:
        if self.peek() != character:
            self.fail()
        self.place += 1

    def skip(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.place):
            return False
        self.place += len(text)
        return True

    def alternatives(self) -> Item:
        self.depth += 1
        if self.depth > _MAXIMUM_DEPTH:
            self.refuse("(" * 3)
        parts = [self.sequence()]
        while self.skip("|"):
            parts.append(self.sequence())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def sequence(self) -> Item:
        parts: list[Item] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.quantified(self.atom()))
        return Sequence(tuple(parts))

    def quantified(self, item: Item) -> Item:
        while True:
            bounds = self.bounds()
            if bounds is None:
                return item
            if isinstance(item, Anchor):
                self.fail()
            item = Repeated(item, *bounds)
            if self.peek() == "+":
                self.refuse(self.pattern[self.place - 1 : self.place + 1])
            self.skip("?")

    def bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.skip(sign):
                return bounds
        end = self.pattern.find("}", self.place)
        if self.peek() != "{" or end < 0:
            return None
        low, comma, high = self.pattern[self.place + 1 : end].partition(",")
        if not (low.isdigit() and low.isascii() and (not high or (high.isdigit() and high.isascii()))):
            return None
        self.place = end + 1
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if least > _MAXIMUM_COUNT or (most is not None and (most > _MAXIMUM_COUNT or most < least)):
            self.refuse(self.pattern[end - len(low + comma + high) - 1 : end + 1])
        return least, most

    def atom(self) -> Item:
        character = self.take()
        if character == "(":
            return self.group()
        if character == "[":
            return Characters(self.folded(self.character_class()))
        if character == ".":
            return Characters(lambda one: one not in "\n\r\u2028\u2029")
        if character in "^$":
            return Anchor(character)
        if character in "*+?)":
            self.place -= 1
            self.fail()
        if character == "\\":
            return self.escaped()
        return Characters(self.folded(_equal(character)))

    def group(self) -> Item:
        if self.skip("?<"):
            if self.peek() in ("=", "!"):
                self.refuse("(?<" + self.peek())
            while self.take() != ">":
                pass
        elif not self.skip("?:") and self.peek() == "?":
            self.refuse("(" + self.pattern[self.place : self.place + 2])
        inner = self.alternatives()
        self.expect(")")
        return inner

    def escaped(self) -> Item:
        character = self.peek()
        if character in "bB" and character:
            self.place += 1
            return Anchor(character)
        if character in "AzZ" and character:
            self.place += 1
            return Anchor("^" if character == "A" else "$")
        if character.isdigit() and character != "0":
            self.refuse("\\" + character)
        if character == "k":
            self.refuse("\\k")
        return Characters(self.folded(self.escape()))

    def escape(self) -> Holds:
        """Read what follows a backslash, in or outside a class."""
        character = self.take()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in "pP":
            return self.property(negative=character == "P")
        if character in "xu":
            return _equal(self.code_point(2 if character == "x" else 4))
        return _equal(_CONTROLS.get(character, character))

    def code_point(self, digits: int) -> str:
        text = self.pattern[self.place : self.place + digits]
        if len(text) < digits or not all(one in string.hexdigits for one in text):
            self.fail()
        self.place += digits
        return chr(int(text, 16))

    def property(self, *, negative: bool) -> Holds:
        if self.skip("{"):
            end = self.pattern.find("}", self.place)
            if end < 0:
                self.fail()
            name = self.pattern[self.place : end]
            self.place = end + 1
        else:
            name = self.take()
        holds = _property(name)
        if holds is None:
            self.refuse(f"\\p{{{name}}}")
        return _opposite(holds) if negative else holds

    def character_class(self) -> Holds:
        negative = self.skip("^")
        parts: list[Holds] = []
        first = True
        while first or self.peek() != "]":
            first = False
            parts.append(self.class_part())
        self.place += 1
        holds = _any_of(parts)
        return _opposite(holds) if negative else holds

    def class_part(self) -> Holds:
        if self.pattern.startswith("&&", self.place):
            self.refuse("&&")
        low, holds = self.class_character()
        if low is None or self.peek() != "-" or self.pattern[self.place + 1 : self.place + 2] in ("]", ""):
            return holds
        self.place += 1
        high, beyond = self.class_character()
        if high is None:
            return _any_of([holds, _equal("-"), beyond])
        if high < low:
            self.fail()
        return _between(low, high)

    def class_character(self) -> tuple[str | None, Holds]:
        """Return a single character (None for a class such as \\d) and what it matches."""
        character = self.take()
        if character != "\\":
            return character, _equal(character)
        kind = self.peek()
        if kind == "b":
            self.place += 1
            return "\b", _equal("\b")
        if kind in _CLASSES or kind in ("p", "P"):
            return None, self.escape()
        if kind in ("x", "u"):
            self.place += 1
            found = self.code_point(2 if kind == "x" else 4)
            return found, _equal(found)
        found = self.take()
        found = _CONTROLS.get(found, found)
        return found, _equal(found)

    def folded(self, holds: Holds) -> Holds:
        if not self.ignore_case:
            return holds
        return lambda one: holds(one) or holds(one.lower()) or holds(one.upper())


def _equal(character: str) -> Holds:
    return lambda one: one == character


def _between(low: str, high: str) -> Holds:
    return lambda one: low <= one <= high


def _opposite(holds: Holds) -> Holds:
    return lambda one: not holds(one)


def _any_of(parts: list[Holds]) -> Holds:
    if len(parts) == 1:
        return parts[0]
    return lambda one: any(part(one) for part in parts)


def _digit(one: str) -> bool:
    return "0" <= one <= "9"


def _word(one: str) -> bool:
    return one == "_" or (one.isascii() and one.isalnum())


def _space(one: str) -> bool:
    return one.isspace() or one == "\ufeff"


def _han(one: str) -> bool:
    return one in "〇々" or unicodedata.name(one, "").startswith("CJK UNIFIED IDEOGRAPH")


_CLASSES: dict[str, Holds] = {
    "d": _digit, "D": _opposite(_digit), "w": _word, "W": _opposite(_word), "s": _space, "S": _opposite(_space),
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_ASCII: dict[str, Holds] = {
    "Alpha": str.isalpha, "Digit": str.isdigit, "Alnum": str.isalnum, "Upper": str.isupper, "Lower": str.islower,
    "Punct": lambda one: not one.isalnum() and one.isprintable() and one != " ",
}
_GENERAL = frozenset(
    ("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi",
     "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf")
)


def _property(name: str) -> Holds | None:
    if name in ("IsHan", "Han", "script=Han", "Script=Han", "sc=Han", "IsIdeographic", "Ideographic"):
        return _han
    ascii_class = _ASCII.get(name)
    if ascii_class is not None:
        return lambda one: one.isascii() and ascii_class(one)
    category = name.removeprefix("Is")
    if category in _GENERAL:
        return lambda one: unicodedata.category(one).startswith(category)
    return None
