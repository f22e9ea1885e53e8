"""Room for answers on paper: lines to write on, boxes for digits and boxes to tick, measured and drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.publish.paper import Field
from datasette_plugins.publish.strips import Strip, beside, words
from datasette_plugins.ui.language import say
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import INK, MUTED, Colour

LINE = 8.0  # between two lines written by hand
OVER, UNDER = 1.8, 1.3  # of such a line: from the baseline of words beside it, and from the pen's line, to its foot
TICK = 3.3  # side of a box to tick
PEN: Colour = (118, 126, 132)
_LEAST_DIGIT = 3.4
_AFTER = 1.1  # between a box and its words


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a line: words, a blank to write on (its least width, and whether it takes what is left), a box."""

    kind: Literal["words", "blank", "tick", "rank"]
    text: str = ""
    width: float = 0.0
    grows: bool = False


@dataclass(frozen=True, slots=True)
class Pitch:
    """Distances in mm: a line to write on; a box for a digit, wide and high, and its strip; between choices across and
    down; the least room to write one that is not listed."""

    line: float = LINE
    digit: float = 4.9
    digit_height: float = 6.0
    digits: float = 7.6
    gap: float = 3.6
    choice: float = 5.6
    other: float = 20.0


ROOMY = Pitch()
TIGHT = Pitch(line=7.0, digit=4.3, digit_height=5.7, digits=6.5, gap=2.7, choice=4.9, other=14.0)


@dataclass(frozen=True, slots=True)
class Fields:
    """How fields are drawn: on which canvas, in which language (zh or en) and size of text.

    `bare`: blanks are left empty, because the cell of a table is itself the place to write.
    """

    canvas: Canvas
    words: str
    size: float = 9.0
    pitch: Pitch = ROOMY
    bare: bool = False

    def least(self, field: Field) -> float:
        """Return the width that a field wants on one line, in millimetres."""
        if field.kind == "boxes":
            return field.count * self.pitch.digit
        if field.kind == "lines":
            return 30.0
        if field.kind in ("choices", "rank"):
            widths = [self._option_width(field, text) for text in field.choices]
            if field.writes:
                widths.append(self._other_width())
            return sum(widths) + self.pitch.gap * (len(widths) - 1)
        return sum(self._part_width(part) for part in self._parts(field))

    def lay(self, field: Field, width: float) -> list[Strip]:
        """Return a field as strips of a width."""
        if field.kind == "boxes":
            return self._boxes(field.count, width)
        if field.kind in ("choices", "rank"):
            return self._choices(field, width)
        if field.kind == "lines":
            return [self._line([_Part("blank", width=width, grows=True)], width) for _ in range(field.count)]
        return [self._line(line, width) for line in self._broken(self._parts(field), width)]

    # --- lines ------------------------------------------------------------------------------------------------------

    def _parts(self, field: Field) -> list[_Part]:
        """What stands on the line of a field that is neither choices nor boxes."""
        if field.kind in ("date", "datetime"):
            parts = [*self._blanks(("year", 15), ("month", 9), ("day", 9))]
            return parts + ([*self._blanks(("hour", 9), ("minute", 9))] if field.kind == "datetime" else [])
        if field.kind == "time":
            return [*self._blanks(("hour", 11), ("minute", 11))]
        if field.kind == "point":
            return [
                self._said("latitude"), _Part("blank", width=24, grows=True),
                self._said("longitude"), _Part("blank", width=24, grows=True),
            ]  # fmt: skip
        if field.kind == "number":
            unit = [_Part("words", field.unit)] if field.unit and not self.bare else []
            return [_Part("blank", width=22), *unit]
        if field.kind in ("photo", "file"):
            return [_Part("tick"), self._said(field.kind), _Part("blank", width=18)]
        if field.kind == "tick":
            return [_Part("tick"), self._said("tick")]
        if field.kind == "sketch":
            return [_Part("tick"), self._said("sketch"), _Part("blank", width=20, grows=True)]
        if field.kind == "head":
            return [self._said("at_head")]
        return [_Part("blank", width=26, grows=True)]

    def _blanks(self, *named: tuple[str, float]) -> Iterator[_Part]:
        for key, width in named:
            yield _Part("blank", width=width)
            if say(f"paper.{key}", self.words):
                yield self._said(key)

    def _said(self, key: str) -> _Part:
        return _Part("words", say(f"paper.{key}", self.words))

    def _part_width(self, part: _Part) -> float:
        if part.kind == "words":
            return self.canvas.measure(part.text, self.size) + 1.2
        return part.width + 0.8 if part.kind == "blank" else TICK + _AFTER

    def _broken(self, parts: Sequence[_Part], width: float) -> list[list[_Part]]:
        """Parts in lines of a width; a box stays with the words after it, a blank with those before it."""
        lines: list[list[_Part]] = [[]]
        used = 0.0
        for part in parts:
            needed = self._part_width(part)
            if lines[-1] and used + needed > width:
                kept = [lines[-1].pop()] if part.kind == "blank" and lines[-1][-1].kind == "words" else []
                lines.append(kept if lines[-1] else [])
                lines = [line for line in lines if line or line is lines[-1]]
                used = sum(self._part_width(one) for one in kept)
            lines[-1].append(part)
            used += needed
        return lines

    def _line(self, parts: Sequence[_Part], width: float) -> Strip:
        growing = [part for part in parts if part.kind == "blank" and part.grows]
        used = sum(self._part_width(part) for part in parts)
        more = max(0.0, width - used) / len(growing) if growing else 0.0
        shrink = min(1.0, width / used) if used else 1.0
        height = self.pitch.line if any(part.kind == "blank" for part in parts) else 6.2

        def draw(x: float, y: float) -> None:
            base = y + (height - OVER if height == self.pitch.line else height / 2 + CAP * self.size * MM)
            for part in parts:
                room = (self._part_width(part) + (more if part.grows else 0.0)) * (
                    shrink if part.kind == "blank" else 1.0
                )
                if part.kind == "words":
                    self.canvas.text(x, base, part.text, self.size, colour=MUTED)
                elif part.kind == "tick":
                    self._tick(x, base)
                elif not self.bare:
                    foot = y + height - UNDER
                    self.canvas.line((x, foot), (x + room - 0.8, foot), colour=PEN, width=0.18)
                x += room

        return Strip(height, draw)

    def _boxes(self, count: int, width: float) -> list[Strip]:
        """Small boxes for digits; in several lines where one would make them too small to write in."""
        pitch, rows = self.pitch, 1
        while width / -(-count // rows) < _LEAST_DIGIT and rows < count:
            rows += 1
        a_row = -(-count // rows)
        side = min(self.pitch.digit, width / a_row)

        def drawing(here: int) -> Strip:
            def draw(x: float, y: float) -> None:
                for number in range(here):
                    box = Box(x + number * side, y + (pitch.digits - pitch.digit_height) / 2, side, pitch.digit_height)
                    self.canvas.rect(box, stroke=PEN, width=0.18)

            return Strip(pitch.digits, draw)

        return [drawing(min(a_row, count - row * a_row)) for row in range(rows)]

    # --- choices ----------------------------------------------------------------------------------------------------

    def _choices(self, field: Field, width: float) -> list[Strip]:
        """Boxes with their words: on one line, else in columns, else one after the other."""
        widths = [self._option_width(field, text) for text in field.choices]
        lines = [list(self._spread(row, widths)) for row in self._flowing(widths, width)]
        if len(lines) > 1:
            aligned = [_in_columns(widths, width, columns, self.pitch.gap) for columns in (2, 3, 4, 5, 6)]
            best = min(aligned, key=len)
            spare = 0 if self.pitch is TIGHT else 1 + len(lines) // 6
            lines = best if len(best) <= len(lines) + spare else lines
        strips = [self._options(field, line, widths, width) for line in lines]
        if field.writes:
            strips = self._with_other(strips, lines, widths, width)
        return strips

    def _flowing(self, widths: Sequence[float], width: float) -> list[list[int]]:
        rows: list[list[int]] = [[]]
        used = 0.0
        for number, needed in enumerate(widths):
            if rows[-1] and used + needed > width:
                rows.append([])
                used = 0.0
            rows[-1].append(number)
            used += needed + self.pitch.gap
        return rows

    def _spread(self, row: Sequence[int], widths: Sequence[float]) -> Iterator[tuple[float, int]]:
        left = 0.0
        for number in row:
            yield left, number
            left += widths[number] + self.pitch.gap

    def _options(
        self, field: Field, line: Sequence[tuple[float, int]], widths: Sequence[float], width: float
    ) -> Strip:
        """One line of choices; words too long for the width go on beneath themselves."""
        lead = self._lead(field)
        columns: list[tuple[float, list[Strip]]] = []
        for left, number in line:
            room = width - left
            text = field.choices[number]
            lines = words(self.canvas, text, max(room - lead, 8) if widths[number] > room else 10_000.0, self.size)
            columns.append((left + lead, lines))
        first = self.pitch.choice if field.kind == "choices" else 7.0
        step = self.size * MM * 1.36
        pad = (first - step) / 2
        said = beside(columns)

        def draw(x: float, y: float) -> None:
            base = y + pad + step / 2 + CAP * self.size * MM
            for left, _ in line:
                self._tick(x + left, base, side=TICK if field.kind == "choices" else 5.2)
            said.draw(x, y + pad)

        return Strip(said.height + 2 * pad, draw)

    def _with_other(
        self, strips: list[Strip], lines: Sequence[Sequence[tuple[float, int]]], widths: Sequence[float], width: float
    ) -> list[Strip]:
        """A line for what is not among the choices: after the last one where there is room, else beneath."""
        left, number = lines[-1][-1]
        after = left + widths[number] + self.pitch.gap
        word = say("paper.other", self.words)
        if width - after < self._other_width():
            after = 0.0
        start = after + TICK + _AFTER + self.canvas.measure(word, self.size) + 0.8

        def draw(x: float, y: float) -> None:
            base = y + self.pitch.choice / 2 + CAP * self.size * MM
            self._tick(x + after, base)
            self.canvas.text(x + after + TICK + _AFTER, base, word, self.size)
            foot = base + 1.2
            self.canvas.line((x + start, foot), (x + min(width, start + 45), foot), colour=PEN, width=0.18)

        other = Strip(self.pitch.choice if after else self.pitch.choice + 1.2, draw)
        return [*strips[:-1], beside([(0.0, [strips[-1]]), (0.0, [other])])] if after else [*strips, other]

    def _option_width(self, field: Field, text: str) -> float:
        return self._lead(field) + self.canvas.measure(text, self.size)

    def _other_width(self) -> float:
        return TICK + _AFTER + self.canvas.measure(say("paper.other", self.words), self.size) + self.pitch.other

    def _lead(self, field: Field) -> float:
        return (TICK if field.kind == "choices" else 5.2) + _AFTER

    def _tick(self, x: float, base: float, side: float = TICK) -> None:
        """An empty box whose middle is the middle of the words beside it."""
        middle = base - CAP * self.size * MM
        self.canvas.rect(Box(x, middle - side / 2, side, side), stroke=INK, width=0.22)


def _in_columns(widths: Sequence[float], width: float, columns: int, gap: float) -> list[list[tuple[float, int]]]:
    """Lines of choices that begin at the columns' edges; what is wider than a column takes several."""
    step = (width + gap) / columns
    lines: list[list[tuple[float, int]]] = [[]]
    used = 0
    for number, needed in enumerate(widths):
        span = min(columns, max(1, -(-int((needed + gap) * 100) // int(step * 100))))
        if used + span > columns:
            lines.append([])
            used = 0
        lines[-1].append((used * step, number))
        used += span
    return lines
