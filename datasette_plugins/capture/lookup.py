"""Lookup: the choices that fit what is being typed, by characters, pinyin, initials or code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from collect.search import keys_of, normal
from collect.surnames import readings

MOST = 30
_WAYS = frozenset({"name", "pinyin"})


class Shown(Protocol):
    """A choice with its stored name and its label."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...


def fitting(choices: Sequence[Shown], text: str, most: int = MOST) -> tuple[list[Shown], int]:
    """Return the choices that fit `text` (every word of it), best first, and how many more would fit.

    An empty text fits every choice, in the list's order.
    """
    words = [word for word in (normal(part) for part in text.split()) if word]
    if not words:
        return list(choices[:most]), max(0, len(choices) - most)
    ranked: list[tuple[int, int]] = []
    for index, choice in enumerate(choices):
        keys = (*keys_of(choice.label, _WAYS), normal(choice.name))
        if all(any(word in key for key in keys) for word in words):
            ranked.append((_rank(words[0], keys), index))
    ranked.sort()
    return [choices[index] for _, index in ranked[:most]], max(0, len(ranked) - most)


@lru_cache(maxsize=4096)
def initials(label: str) -> str:
    """Return the letters that a label begins with: its first character's, by each of its readings, or its own."""
    plain = normal(label)
    found = (syllables[0][:1] for syllables in readings(plain) if syllables)
    return "".join(dict.fromkeys(letter for letter in (*found, plain[:1]) if letter.isascii() and letter.isalpha()))


def _rank(word: str, keys: Sequence[str]) -> int:
    if word in keys:
        return 0
    return 1 if any(key.startswith(word) for key in keys) else 2
