"""Repeats on paper: a table where its questions fit a line, a card a row where they don't, a grid where they are long.

Table: a question a column, a thing a row. Card: every thing has a frame with all its questions in it, so nobody has to
look up at a head to know what a place is for. Grid: a question a row with its choices under it, a thing a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datasette_plugins.publish.blank_fields import OVER, PEN, TICK, TIGHT, Fields
from datasette_plugins.publish.blank_questions import Questions, rule, small, titled
from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.publish.paper import Ask, Field, Heading, Remark, Roster
from datasette_plugins.publish.strips import Piece, Strip, beside, space, total, words
from datasette_plugins.ui.language import say
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, INK, MUTED, Colour

FILL: Colour = (234, 241, 241)
_INDEX, _PARENT = 7.0, 15.0  # columns of the row's number, and of the row above that it belongs to
_CELL = 8.2  # text in cells
_MOST_CELLS = 5  # side by side in a card
_PAD = 1.2
_LEAST_ROW = 9.5
_LEAST_BAND = 6.0
_LONG_LABEL = 46.0  # mm: a roster whose questions are longer than this on average is a grid
_CARD_CHOICES, _LEAST_CHOICES = 8, 3  # named in a card of a list that is too long to be printed
_ROWS, _CARDS = 6, 4  # where nobody says how many
_GRID_CHOICES = 18
_GRID_COLUMN = 13.5
_GRID_MOST = 8
_STEP = 5.3  # a line of choices in a grid


@dataclass(frozen=True, slots=True)
class Rosters:
    """How rosters are set: on which canvas, in which language (zh or en), in which width."""

    canvas: Canvas
    words: str
    width: float

    def pieces(self, roster: Roster) -> Iterator[Piece]:
        """Yield what a roster looks like: title, rules, and its rows in the shape that fits."""
        questions = Questions(self.canvas, self.words, self.width)
        if roster.named:
            yield questions.heading(Heading(roster.title, roster.level, roster.rule))
        elif roster.rule:
            yield Piece(tuple(rule(self.canvas, roster.rule, self.width)), holds_next=True)
        if self._is_long(roster):
            yield from self._grid(roster)
            return
        columns = self._columns(roster)
        yield from self._explained(roster, questions)
        if columns is not None:
            yield from self._table(roster, columns)
        else:
            yield from self._cards(roster)

    def _is_long(self, roster: Roster) -> bool:
        asks = roster.asks()
        widths = [self.canvas.measure(ask.label, _CELL) for ask in asks]
        return sum(widths) / len(widths) > _LONG_LABEL

    def _explained(self, roster: Roster, questions: Questions) -> Iterator[Piece]:
        """What is said once for all rows: remarks, when which question is asked, hints."""
        strips: list[Strip] = []
        for item in roster.items:
            if isinstance(item, Remark):
                strips += questions.remark(item)
            elif isinstance(item, Heading) and item.rule:
                strips += rule(self.canvas, f"{item.text}：{item.rule}", self.width)
        by_rule: dict[str, list[Ask]] = {}
        for ask in roster.asks():
            if ask.rule:
                by_rule.setdefault(ask.rule, []).append(ask)
        colon = "：" if self.words == "zh" else ": "
        comma = "、" if self.words == "zh" else ", "
        for text, asks in by_rule.items():
            named = comma.join(f"{ask.number} {ask.label}" for ask in asks)
            strips += rule(self.canvas, f"{named}{colon}{text}", self.width)
        semicolon = "；" if self.words == "zh" else "; "
        hints = [
            f"{ask.number} {ask.label}{colon}{semicolon.join(ask.notes)}" for ask in roster.asks() if ask.notes
        ]  # fmt: skip
        strips += small(self.canvas, [*([roster.note] if roster.note else []), *hints], self.width, self.words)
        yield Piece((*strips, space(1.0)), holds_next=True)

    # --- table ------------------------------------------------------------------------------------------------------

    def _columns(self, roster: Roster) -> list[float] | None:
        """Widths of a table's columns, or None where they don't fit the page."""
        room = self.width - self._before(roster)
        cells = Fields(self.canvas, self.words, _CELL, TIGHT, bare=True)
        wanted = [max(self._least(cells, ask.field), self._head_width(ask)) + 2 * _PAD for ask in roster.asks()]
        if sum(wanted) > room:
            return None
        over = room - sum(wanted)
        for number, ask in enumerate(roster.asks()):
            if ask.field.kind in ("choices", "rank"):
                # Half a list's width makes it two lines of choices instead of three.
                more = min(over, max(0.0, cells.least(ask.field) / 2 + 12 - wanted[number]))
                wanted[number] += more
                over -= more
        return [width + over / len(wanted) for width in wanted]

    def _least(self, cells: Fields, field: Field) -> float:
        """What a cell needs: choices may take up to three lines."""
        least = cells.least(field)
        if field.kind in ("choices", "rank"):
            single = max(cells.least(replace(field, choices=(one,), writes=False)) for one in field.choices)
            return max(single, least / 3 + 4)
        if field.kind == "point":
            return 44.0
        return max(least, 24.0) if field.kind in ("line", "lines") else least

    def _head_width(self, ask: Ask) -> float:
        label = f"{ask.number} {titled(ask, self.words)}"
        return max(self.canvas.measure(label, _CELL) / 2 + 2, 14.0)

    def _before(self, roster: Roster) -> float:
        return _INDEX + (_PARENT if roster.parent else 0.0)

    def _table(self, roster: Roster, columns: Sequence[float]) -> Iterator[Piece]:
        widths = [_INDEX, *([_PARENT] if roster.parent else []), *columns]
        head = self._head(roster, widths)
        cells = Fields(self.canvas, self.words, _CELL, TIGHT, bare=True)
        asks = roster.asks()
        laid = [cells.lay(ask.field, width - 2 * _PAD) for ask, width in zip(asks, columns, strict=True)]
        height = max(_LEAST_ROW, *(total(strips) + 2.0 for strips in laid))
        for number in range(1, (roster.rows or _ROWS) + 1):
            strip = self._row(number, laid, widths, height)
            yield Piece((head, strip) if number == 1 else (strip,), header=(head,))
        yield Piece((space(2.0),))

    def _head(self, roster: Roster, widths: Sequence[float]) -> Strip:
        before = ["", *([say("paper.of_parent", self.words, parent=roster.parent)] if roster.parent else [])]
        labels = [*before, *(f"{ask.number} {titled(ask, self.words)}" for ask in roster.asks())]
        laid = [
            words(self.canvas, label, max(width - 2 * _PAD, 4), _CELL, colour=ACCENT, bold=True)
            for label, width in zip(labels, widths, strict=True)
        ]  # fmt: skip
        return self._ruled(laid, widths, max(total(lines) for lines in laid) + 1.8, fill=FILL)

    def _row(self, number: int, laid: Sequence[Sequence[Strip]], widths: Sequence[float], height: float) -> Strip:
        index = words(self.canvas, str(number), _INDEX, _CELL, colour=MUTED)
        empty: list[list[Strip]] = [[]] * (len(widths) - len(laid) - 1)
        return self._ruled([index, *empty, *laid], widths, height)

    def _ruled(
        self, laid: Sequence[Sequence[Strip]], widths: Sequence[float], height: float, *, fill: Colour | None = None
    ) -> Strip:
        """Cells side by side in frames, what is in them in the middle of their height."""

        def draw(x: float, y: float) -> None:
            for strips, width in zip(laid, widths, strict=True):
                self.canvas.rect(Box(x, y, width, height), fill=fill, stroke=PEN, width=0.18)
                top = y + (height - total(strips)) / 2
                for strip in strips:
                    strip.draw(x + _PAD, top)
                    top += strip.height
                x += width

        return Strip(height, draw)

    # --- cards ------------------------------------------------------------------------------------------------------

    def _cards(self, roster: Roster) -> Iterator[Piece]:
        title = words(self.canvas, roster.title + say("paper.continued", self.words), self.width, 9.0, colour=ACCENT)
        bands = self._bands(roster)
        for number in range(1, (roster.rows or _CARDS) + 1):
            yield Piece((self._card(number, bands, roster), space(1.3)), header=(*title, space(0.8)))
        yield Piece((space(0.8),))

    def _bands(self, roster: Roster) -> list[list[tuple[float, list[Strip]]]]:
        """The questions of a card in lines as wide as the card: (width, what stands in the cell)."""
        room = self.width - self._before(roster)
        asks = [_shortened(ask, _CARD_CHOICES) for ask in roster.asks()]
        # The least height for the first n questions, and the line that ends there: lines may be cut anywhere.
        best: list[tuple[float, list[list[tuple[float, list[Strip]]]]]] = [(0.0, [])]
        for end in range(1, len(asks) + 1):
            options = []
            for start in range(max(0, end - _MOST_CELLS), end):
                band = self._band(asks[start:end], room)
                if band is not None:
                    height, before = best[start]
                    options.append((height + _band_height(band), len(before), [*before, band]))
            height, _, lines = min(options, key=lambda option: option[:2])
            best.append((height, lines))
        return best[-1][1]

    def _band(self, asks: Sequence[Ask], room: float) -> list[tuple[float, list[Strip]]] | None:
        """Questions side by side in a card, or None where they find no room; choices may break into lines."""
        fields = self._card_fields()
        wanted: list[float] = []
        for named in range(_CARD_CHOICES, _LEAST_CHOICES - 1, -1):
            asks = [_shortened(ask, named) for ask in asks]
            wanted = [self._cell_width(fields, ask) for ask in asks]
            if sum(wanted) <= room:
                break
        over = room - sum(wanted)
        if over >= 0:
            return self._filled(list(zip(wanted, asks, strict=True)), room)
        bends = [ask.field.kind in ("choices", "rank") for ask in asks]
        flexible = sum(width for width, bend in zip(wanted, bends, strict=True) if bend)
        if len(asks) == 1:
            return self._filled([(room, asks[0])], room)
        if flexible + over <= 0:
            return None
        widths = [
            width * (flexible + over) / flexible if bend else width for width, bend in zip(wanted, bends, strict=True)
        ]
        if any(width < self._narrowest(fields, ask) for width, ask in zip(widths, asks, strict=True)):
            return None
        return self._filled(list(zip(widths, asks, strict=True)), room)

    def _card_fields(self) -> Fields:
        return Fields(self.canvas, self.words, _CELL, TIGHT)

    def _cell_width(self, fields: Fields, ask: Ask) -> float:
        return self._caption_width(ask) + max(fields.least(ask.field), 8.0) + 2 * _PAD + 0.6

    def _narrowest(self, fields: Fields, ask: Ask) -> float:
        """What a cell needs at least: its caption and its widest choice."""
        widest = max(fields.least(replace(ask.field, choices=(one,), writes=False)) for one in ask.field.choices) \
            if ask.field.choices else fields.least(ask.field)
        return self._caption_width(ask) + max(widest, 30.0) + 2 * _PAD

    def _caption_width(self, ask: Ask) -> float:
        return self.canvas.measure(f"{ask.number} {titled(ask, self.words)}", _CELL) + 1.6

    def _filled(self, band: Sequence[tuple[float, Ask]], room: float) -> list[tuple[float, list[Strip]]]:
        """A band's cells, what is left of its width given to those that are written in."""
        over = room - sum(width for width, _ in band)
        growing = [ask.field.kind in ("line", "lines", "point") for _, ask in band]
        shares = [float(grows) for grows in growing] if any(growing) else [1.0] * len(band)
        fields = self._card_fields()
        cells: list[tuple[float, list[Strip]]] = []
        for (width, ask), share in zip(band, shares, strict=True):
            wide = width + over * share / sum(shares)
            cells.append((wide, self._cell(fields, ask, wide - 2 * _PAD)))
        return cells

    def _cell(self, fields: Fields, ask: Ask, width: float) -> list[Strip]:
        """A question in a card: number and label, then the answer on the same line, or below a label that is long."""
        caption = words(self.canvas, f"{ask.number} {titled(ask, self.words)}", 10_000.0, _CELL, colour=ACCENT)
        left = self._caption_width(ask)
        if width - left < min(fields.least(ask.field), 30.0):
            return [*words(self.canvas, f"{ask.number} {titled(ask, self.words)}", width, _CELL, colour=ACCENT),
                    *fields.lay(ask.field, width)]  # fmt: skip
        first, *rest = fields.lay(ask.field, width - left)
        base = _CELL * MM * (1.36 / 2 + CAP)
        down = TIGHT.line - OVER - base if first.height == TIGHT.line else (first.height - caption[0].height) / 2
        line = beside([(0.0, [space(down), *caption]), (left, [first])])
        return [line, *(beside([(left, [strip])]) for strip in rest)]

    def _card(self, number: int, bands: Sequence[Sequence[tuple[float, list[Strip]]]], roster: Roster) -> Strip:
        before = self._before(roster)
        strips = [
            self._ruled([cell for _, cell in band], [width for width, _ in band], _band_height(band))
            for band in bands
        ]  # fmt: skip
        height = total(strips)

        def draw(x: float, y: float) -> None:
            self.canvas.rect(Box(x, y, _INDEX, height), fill=FILL)
            self.canvas.text(x + _INDEX / 2, y + height / 2 + 1.6, str(number), 12, colour=ACCENT, bold=True,
                             align="center")  # fmt: skip
            if roster.parent:
                label = say("paper.of_parent", self.words, parent=roster.parent)
                for line, strip in enumerate(words(self.canvas, label, _PARENT - 1, 7, colour=MUTED)):
                    strip.draw(x + _INDEX + 0.6, y + 0.8 + line * strip.height)
            top = y
            for strip in strips:
                strip.draw(x + before, top)
                top += strip.height
            self.canvas.rect(Box(x, y, self.width, height), stroke=INK, width=0.4)

        return Strip(height, draw)

    # --- grid -------------------------------------------------------------------------------------------------------

    def _grid(self, roster: Roster) -> Iterator[Piece]:
        """Things side by side, their questions beneath each other; more than fit are a further grid."""
        rows = roster.rows or _ROWS
        for start in range(0, rows, _GRID_MOST):
            numbers = range(start + 1, min(start + _GRID_MOST, rows) + 1)
            yield from _Grid(self.canvas, self.words, self.width, numbers).pieces(roster)


@dataclass(frozen=True, slots=True)
class _Grid:
    """A grid for the things with these numbers."""

    canvas: Canvas
    words: str
    width: float
    numbers: range

    def pieces(self, roster: Roster) -> Iterator[Piece]:
        head = self._head(roster)
        if roster.note:
            note = small(self.canvas, [roster.note], self.width, self.words)
            yield Piece((*note, space(0.8)), holds_next=True)
        yield Piece((head,), holds_next=True)
        questions = Questions(self.canvas, self.words, self.width)
        for item in roster.items:
            if isinstance(item, Ask):
                yield Piece(tuple(self._ask(item)), header=(head,))
            elif isinstance(item, Heading):
                piece = questions.heading(replace(item, level=2))
                yield replace(piece, header=(head,))
            else:
                yield Piece((space(0.8), *questions.remark(item), space(0.8)), header=(head,))
        yield Piece((space(2.5),))

    def _left(self) -> float:
        return self.width - _GRID_COLUMN * len(self.numbers)

    def _head(self, roster: Roster) -> Strip:
        height = 9.0 if roster.parent else 6.4

        def draw(x: float, y: float) -> None:
            base = y + 3.2 + CAP * 9 * MM
            self.canvas.rect(Box(x, y, self.width, height), fill=FILL, stroke=PEN, width=0.18)
            name = self.canvas.fitted(roster.title.replace("\n", " "), self._left() - 4, 9)
            self.canvas.text(x + 1.5, base, name, 9, colour=ACCENT, bold=True)
            for number, left in self._places(x):
                self.canvas.line((left, y), (left, y + height), colour=PEN, width=0.18)
                self.canvas.text(left + _GRID_COLUMN / 2, base, str(number), 10, colour=ACCENT, bold=True,
                                 align="center")  # fmt: skip

        return Strip(height, draw)

    def _ask(self, ask: Ask) -> list[Strip]:
        """A question over the left part, room for each thing's answer at the right, its choices line by line."""
        room = self._left() - 2.0
        asked = words(self.canvas, f"{ask.number}  {titled(ask, self.words)}", room, 8.8, left=1.2, bold=False)
        ruled = rule(self.canvas, ask.rule, room, left=1.2) if ask.rule else []
        field = ask.field
        notes = list(ask.notes)
        choices: tuple[str, ...] = ()
        if field.kind in ("choices", "rank") and len(field.choices) <= _GRID_CHOICES and not field.writes:
            choices = field.choices
        elif field.kind in ("choices", "rank"):
            listed = ("、" if self.words == "zh" else ", ").join(field.choices)
            notes.insert(0, say("paper.listed", self.words, choices=listed))
        top = [*ruled, *asked, *small(self.canvas, notes, room, self.words, left=1.2)]
        strips = [self._lined(strip, is_first=number == 0) for number, strip in enumerate(top)]
        if choices:
            return [*strips, *(self._choice(text) for text in choices), self._lined(space(0.6), is_last=True)]
        missing = max(0.0, _LEAST_ROW - total(top))
        return [*strips, self._lined(space(missing + 0.6), is_last=True)]

    def _choice(self, text: str) -> Strip:
        """A choice with a box for each thing."""
        lines = words(self.canvas, text, self._left() - 2.0, _CELL, left=6.0)
        said = beside([(0.0, lines)])
        height = max(_STEP, said.height + 1.0)

        def draw(x: float, y: float) -> None:
            said.draw(x, y + (height - said.height) / 2)
            for _, left in self._places(x):
                box = Box(left + (_GRID_COLUMN - TICK) / 2, y + (height - TICK) / 2, TICK, TICK)
                self.canvas.rect(box, stroke=INK, width=0.22)

        return self._lined(Strip(height, draw))

    def _lined(self, strip: Strip, *, is_first: bool = False, is_last: bool = False) -> Strip:
        """A strip with the grid's upright lines beside it, and a line above and below each question."""

        def draw(x: float, y: float) -> None:
            for left in (x, *(place for _, place in self._places(x)), x + self.width):
                self.canvas.line((left, y), (left, y + strip.height), colour=PEN, width=0.12)
            for edge in [y] * is_first + [y + strip.height] * is_last:
                self.canvas.line((x, edge), (x + self.width, edge), colour=PEN, width=0.18)
            strip.draw(x, y)

        return Strip(strip.height, draw)

    def _places(self, x: float) -> Iterator[tuple[int, float]]:
        for at, number in enumerate(self.numbers):
            yield number, x + self._left() + at * _GRID_COLUMN


def _band_height(band: Sequence[tuple[float, Sequence[Strip]]]) -> float:
    return max(_LEAST_BAND, *(total(cell) + 0.8 for _, cell in band))


def _shortened(ask: Ask, named: int) -> Ask:
    """A question whose long list of choices is named shorter still: a card has less room than a page."""
    if not ask.field.writes:
        return ask
    return replace(ask, field=replace(ask.field, choices=ask.field.choices[:named]))
