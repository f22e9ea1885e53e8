"""Where a Chinese line may break: pure (after 中文排版需求 / W3C clreq, prohibition rules for line start and end)."""

from __future__ import annotations

from collections.abc import Callable

NEVER_FIRST = frozenset("。，、；：？！）》〉」』】〕〗｝”’…—～·％‰℃°,.;:?!)]}%/*")
NEVER_LAST = frozenset("（《〈「『【〔〖｛“‘([{￥＄$№＃#")

Measure = Callable[[str], float]


def break_lines(text: str, width: float, measure: Measure) -> list[str]:
    """Return the lines of a text in a width, at least one; a newline always breaks.

    Chinese breaks between any two characters but the forbidden pairs; words of Latin letters and numbers stay whole
    unless they alone are wider than the line. `measure` gives a text's width in the unit of `width`.
    """
    return [line for paragraph in text.split("\n") for line in _break_paragraph(paragraph, width, measure)]


def _break_paragraph(text: str, width: float, measure: Measure) -> list[str]:
    lines: list[str] = []
    line = ""
    for unit in units(text):
        if measure((line + unit).rstrip()) <= width:
            line += unit
            continue
        if line.strip():
            lines.append(line.strip(" "))
        line = unit.lstrip(" ")
        while measure(line.rstrip()) > width and len(line) > 1:
            kept = _longest(line, width, measure)
            lines.append(line[:kept])
            line = line[kept:]
    lines.append(line.strip(" "))
    return lines


def units(text: str) -> list[str]:
    """Return the pieces of a text that no line break may divide; joined they are the text."""
    pieces: list[str] = []
    for character in text:
        if pieces and not may_break(pieces[-1][-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def may_break(before: str, after: str) -> bool:
    """Say whether a line may end between two characters."""
    if before == " ":
        return after != " "
    if after in NEVER_FIRST or before in NEVER_LAST or after == " ":
        return False
    return not (_is_word(before) and _is_word(after))


def _is_word(character: str) -> bool:
    """Latin letters, digits and what holds numbers and codes together."""
    return (character.isalnum() and ord(character) < 0x2E80) or character in "-_.+@&'"


def _longest(text: str, width: float, measure: Measure) -> int:
    """How many characters of an indivisible piece fit, at least one."""
    fitting = 1
    while fitting < len(text) and measure(text[: fitting + 1]) <= width:
        fitting += 1
    return fitting
