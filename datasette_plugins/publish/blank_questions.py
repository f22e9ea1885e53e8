"""Questions on paper: number, rule, words and room for the answer; short ones two to a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datasette_plugins.publish.blank_fields import LINE, OVER, Fields
from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.publish.paper import Ask, Heading, Remark
from datasette_plugins.publish.strips import Piece, Strip, beside, space, total, words
from datasette_plugins.ui.language import say
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, MUTED, Colour

LABEL, SMALL = 9.5, 7.2
RULE_INK: Colour = (150, 62, 16)
HAIR: Colour = (214, 219, 222)
_GUTTER = 7.6
_LABEL_BASE = LABEL * MM * (1.42 / 2 + CAP)  # from a label's top to its baseline
_BETWEEN = 5.0  # two questions on one line
_TALLEST_HALF = 19.0
_FEW = 32.0  # the width of a label that leaves room for several lines of choices beside it
_BESIDE = 3.0  # between a label and its field on the same line
_ALONE = frozenset({"lines", "rank", "sketch", "point", "file"})
_WRITTEN = frozenset({
    "line", "lines", "number", "date", "time", "datetime", "boxes", "photo", "file", "point", "sketch",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Questions:
    """How questions are set: on which canvas, in which language (zh or en), in which width."""

    canvas: Canvas
    words: str
    width: float

    def pieces(self, items: Sequence[Ask | Heading | Remark]) -> Iterator[Piece]:
        """Yield what items that follow each other look like."""
        waiting: Ask | None = None
        for item in items:
            if isinstance(item, Ask) and self._is_half(item):
                if waiting is not None:
                    yield self._pair(waiting, item)
                waiting = item if waiting is None else None
                continue
            if waiting is not None:
                yield self._piece(waiting)
                waiting = None
            yield self._piece(item)
        if waiting is not None:
            yield self._piece(waiting)

    def _pair(self, left: Ask, right: Ask) -> Piece:
        """Two questions on one line, their words on one height."""
        tall = any(ask.field.kind in _WRITTEN for ask in (left, right))
        columns = (self.ask(ask, self._half_width(), tall=tall) for ask in (left, right))
        return self._ruled((beside(list(zip((0.0, self._half_width() + _BETWEEN), columns, strict=True))),))

    def _piece(self, item: Ask | Heading | Remark) -> Piece:
        if isinstance(item, Ask):
            return self._ruled(tuple(self.ask(item, self.width)))
        if isinstance(item, Heading):
            return self.heading(item)
        return Piece((space(0.8), *self.remark(item), space(1.4)), holds_next=True)

    def ask(self, ask: Ask, width: float, *, tall: bool = False) -> list[Strip]:
        """Return a question as strips of a width; `tall`: its first line is as high as one to write on."""
        inner = width - _GUTTER
        fields = Fields(self.canvas, self.words)
        strips = [] if not ask.rule else rule(self.canvas, ask.rule, width, left=_GUTTER)
        label = titled(ask, self.words)
        *before, last = self._said(ask.number, label, inner)
        distance = _GUTTER + self.canvas.measure(self.canvas.lines(label, inner, LABEL)[-1], LABEL) + _BESIDE
        is_level = self._is_level(fields, ask, width - distance, inner, lines=len(before) + 1)
        if is_level:
            field = fields.lay(ask.field, width - distance)
            level = _level(last, field[0], distance, tall=tall or ask.field.kind in _WRITTEN)
            # Further lines to write on begin under the label; choices stay under each other.
            rest = fields.lay(ask.field, inner)[1:] if ask.field.kind == "lines" else field[1:]
            left = _GUTTER if ask.field.kind == "lines" else distance
            strips += [*before, level, *(beside([(left, [strip])]) for strip in rest)]
        else:
            strips += [space(LINE - OVER - _LABEL_BASE)] if tall else []
            strips += [*before, last, *(beside([(_GUTTER, [strip])]) for strip in fields.lay(ask.field, inner))]
        return [*strips, *small(self.canvas, ask.notes, width, self.words, left=_GUTTER), space(0.7)]

    def _is_level(self, fields: Fields, ask: Ask, room: float, inner: float, *, lines: int) -> bool:
        """Whether the answer begins on the last line of the question's words, where `room` is left."""
        kind = ask.field.kind
        if lines > 1:
            return kind not in ("choices", "rank", "lines", "line") and room >= fields.least(ask.field)
        if kind == "rank" or room < min(fields.least(ask.field), 60.0 if kind == "choices" else 1000.0):
            return False
        if kind != "choices" or len(fields.lay(ask.field, room)) == 1:
            return True
        # Choices in several lines stand best under their question, unless its words are few.
        return inner - room < _FEW and len(fields.lay(ask.field, inner)) == len(fields.lay(ask.field, room))

    def heading(self, heading: Heading) -> Piece:
        """Return a section's title, with the rule for all of it; no page ends with it."""
        canvas, size = self.canvas, 11.0 if heading.level == 1 else 10.0
        lines = words(canvas, heading.text, self.width, size, left=2.6, colour=ACCENT, bold=True)
        height = total(lines)

        def draw(x: float, y: float) -> None:
            canvas.rect(Box(x, y + 0.6, 1.2 if heading.level == 1 else 0.6, height - 1.2), fill=ACCENT)
            top = y
            for line in lines:
                line.draw(x, top)
                top += line.height
            if heading.level == 1:
                canvas.line((x, y + height + 0.3), (x + self.width, y + height + 0.3), colour=ACCENT, width=0.25)

        strips = [space(2.2), Strip(height + 0.8, draw)]
        if heading.rule:
            strips += rule(canvas, heading.rule, self.width, left=2.6)
        return Piece(tuple(strips), holds_next=True)

    def remark(self, remark: Remark) -> list[Strip]:
        """Return text to read, with its rule."""
        strips = rule(self.canvas, remark.rule, self.width, left=2.6) if remark.rule else []
        if remark.text:
            strips += words(self.canvas, remark.text, self.width, 8.6, left=2.6)
        return strips

    def _said(self, number: int, label: str, inner: float) -> list[Strip]:
        """A label with its number before its first line."""
        lines = words(self.canvas, label, inner, LABEL, leading=1.42)
        digits = words(self.canvas, str(number), _GUTTER, LABEL, colour=ACCENT, bold=True, leading=1.42)
        first = beside([(0.0, digits), (_GUTTER, lines[:1])])
        return [first, *(beside([(_GUTTER, [line])]) for line in lines[1:])]

    def _is_half(self, ask: Ask) -> bool:
        """Whether a question needs no more than half the width."""
        if ask.field.kind in _ALONE or ask.rule or len(ask.label) > 40:
            return False
        return total(self.ask(ask, self._half_width())) <= _TALLEST_HALF and self._fits_half(ask)

    def _fits_half(self, ask: Ask) -> bool:
        """Whether label and answer fit one line of half the width, or the choices below their label one more."""
        fields = Fields(self.canvas, self.words)
        inner = self._half_width() - _GUTTER
        needed = self.canvas.measure(titled(ask, self.words), LABEL) + _BESIDE
        if needed + min(fields.least(ask.field), inner) <= inner:
            return True
        return ask.field.kind == "choices" and needed <= inner and len(fields.lay(ask.field, inner)) == 1

    def _half_width(self) -> float:
        return (self.width - _BETWEEN) / 2

    def _ruled(self, strips: tuple[Strip, ...]) -> Piece:
        """Strips with a hair line under them that leads the eye from the number to the answer's end."""

        def draw(x: float, y: float) -> None:
            self.canvas.line((x, y + 0.2), (x + self.width, y + 0.2), colour=HAIR, width=0.1)

        return Piece((space(0.5), *strips, Strip(0.5, draw)))


def titled(ask: Ask, language: str) -> str:
    """Return a question's label with its marks: * for required, and whether several may be chosen."""
    more = say("paper.multiple", language) if ask.field.many else ""
    more = say("paper.rank", language) if ask.field.kind == "rank" else more
    blank = " " if more and language == "en" else ""
    return f"{ask.label}{'*' if ask.required else ''}{blank}{more}"


def rule(canvas: Canvas, text: str, width: float, *, left: float = 0.0, size: float = SMALL + 0.4) -> list[Strip]:
    """Return a skip rule: small, with an arrow before it."""
    lines = words(canvas, text, width, size, left=left + 3.0, colour=RULE_INK)
    first = lines[0]

    def draw(x: float, y: float) -> None:
        middle = y + first.height / 2
        canvas.shape([(x + left + 0.3, middle - 1.0), (x + left + 2.0, middle), (x + left + 0.3, middle + 1.0)],
                     fill=RULE_INK)  # fmt: skip
        first.draw(x, y)

    return [Strip(first.height, draw), *lines[1:]]


def small(canvas: Canvas, notes: Sequence[str], width: float, language: str, *, left: float = 0.0) -> list[Strip]:
    """Return hints and what an answer must be, in small print."""
    if not notes:
        return []
    mark = "；" if language == "zh" else "; "
    text = mark.join(note.replace("\n", " ").rstrip("。；;.") for note in notes)
    return words(canvas, text, width, SMALL, left=left, colour=MUTED, leading=1.3)


def _level(label: Strip, answer: Strip, distance: float, *, tall: bool) -> Strip:
    """A label and the first line of its answer side by side; on a tall line both stand as beside a pen's line."""
    if tall:
        down = LINE - OVER - _LABEL_BASE
        over = 0.0 if answer.height >= LINE else down + (label.height - answer.height) / 2
        height = max(LINE, over + answer.height)
    else:
        height = max(label.height, answer.height)
        down, over = (height - label.height) / 2, (height - answer.height) / 2

    def draw(x: float, y: float) -> None:
        label.draw(x, y + down)
        answer.draw(x + distance, y + over)

    return Strip(height, draw)
