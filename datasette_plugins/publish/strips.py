"""Strips: what a page is made of from top to bottom, measured before it is drawn, and how strips become pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.village_map.symbols import INK, Colour

Draw = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Strip:
    """A piece of page that is never cut: its height in mm, and how it is drawn at a left and top."""

    height: float
    draw: Draw


@dataclass(frozen=True, slots=True)
class Piece:
    """Strips that stay on one page if a page can hold them.

    `holds_next`: no page ends with it; `header`: strips that come again above it where it begins a page.
    """

    strips: tuple[Strip, ...]
    holds_next: bool = False
    header: tuple[Strip, ...] = ()

    @property
    def height(self) -> float:
        """The height of all its strips."""
        return total(self.strips)


@dataclass(frozen=True, slots=True)
class Placed:
    """A strip and the top it got on its page."""

    top: float
    strip: Strip


def total(strips: Iterable[Strip]) -> float:
    """Return the height of strips one under the other."""
    return sum(strip.height for strip in strips)


def space(height: float) -> Strip:
    """Return an empty strip."""
    return Strip(height, lambda x, y: None)


def words(
    canvas: Canvas, text: str, width: float, size: float, *, left: float = 0.0, colour: Colour = INK,
    bold: bool = False, leading: float = 1.36,
) -> list[Strip]:  # fmt: skip
    """Return a text as strips of one line each, in a width, `left` of it kept free."""
    step = size * MM * leading
    lines = canvas.lines(text, width - left, size)

    def drawing(number: int, line: str) -> Draw:
        def draw(x: float, y: float) -> None:
            if number == 0:
                canvas.texts.append(text)
            base = y + step / 2 + CAP * size * MM
            canvas.text(x + left, base, line, size, colour=colour, bold=bold, whole=False)

        return draw

    return [Strip(step, drawing(number, line)) for number, line in enumerate(lines)]


def beside(columns: Sequence[tuple[float, Sequence[Strip]]]) -> Strip:
    """Return one strip of several columns side by side, each with its distance from the left."""

    def draw(x: float, y: float) -> None:
        for left, strips in columns:
            top = y
            for strip in strips:
                strip.draw(x + left, top)
                top += strip.height

    return Strip(max(total(strips) for _, strips in columns), draw)


def paged(pieces: Sequence[Piece], *, first_top: float, top: float, bottom: float) -> list[list[Placed]]:
    """Return what stands on each page; `first_top`: where the first page begins, the later ones at `top`."""
    pages: list[list[Placed]] = [[]]
    y = first_top
    number = 0
    while number < len(pieces):
        last = number
        while pieces[last].holds_next and last + 1 < len(pieces):
            last += 1
        chain = pieces[number : last + 1]
        begins = not pages[-1]
        if y + sum(piece.height for piece in chain) > bottom and not begins:
            pages.append([])
            y = _place(pages, chain[0].header, top, top=top, bottom=bottom)
        for piece in chain:
            y = _place(pages, piece.strips, y, top=top, bottom=bottom)
        number = last + 1
    return pages


def _place(pages: list[list[Placed]], strips: Sequence[Strip], y: float, *, top: float, bottom: float) -> float:
    """Put strips on the last page, those that find no room on new ones; returns where they end."""
    for strip in strips:
        if y + strip.height > bottom and pages[-1]:
            pages.append([])
            y = top
        pages[-1].append(Placed(y, strip))
        y += strip.height
    return y
