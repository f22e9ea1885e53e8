"""Pages and ink: the one module that draws with fpdf2; text by measured runs, no character ever lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fpdf import FPDF
from fpdf.enums import TextMode

from datasette_plugins.publish.breaking import break_lines
from datasette_plugins.publish.fonts import Faces, drawable
from datasette_plugins.village_map.geometry import Box, Point
from datasette_plugins.village_map.symbols import INK, Colour

MM = 25.4 / 72  # millimetres of a point
CAP = 0.36  # half the height of a Chinese character over the baseline, as a share of the size
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Written:
    """A line of text as it was drawn: page, its box in mm, and the text itself."""

    page: int
    box: Box
    text: str


class Canvas:
    """A PDF in the making, in millimetres from the page's top left corner; sizes of text in points.

    `written`: every line drawn; `texts`: every text before it was broken into lines; `missing`: characters that no
    font holds, drawn as a box with their code.
    """

    def __init__(self, faces: Faces, *, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.page = 0
        self.written: list[Written] = []
        self.texts: list[str] = []
        self.missing: dict[str, None] = {}
        self._faces = faces
        self._pdf: Any = FPDF(orientation="P", unit="mm", format=(width, height))
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._families: dict[int, Any] = {}
        self._runs: dict[str, tuple[tuple[int | None, str, float], ...]] = {}

    def new_page(self) -> None:
        """Begin a page."""
        self._pdf.add_page()
        self.page += 1

    def describe(
        self, *, title: str, subject: str, keywords: str, author: str, made: datetime, language: str = "zh-CN"
    ) -> None:
        """Set the document's metadata; `made` (with its zone) becomes its date, so equal content gives equal bytes."""
        pdf = self._pdf
        pdf.set_title(title)
        pdf.set_subject(subject)
        pdf.set_keywords(keywords)
        pdf.set_author(author)
        pdf.set_creator("Cunce 村册")
        pdf.set_lang(language)
        pdf.set_creation_date(made)
        self.texts += [title, subject, keywords, author]

    def output(self) -> bytes:
        """Finish the document and return its bytes."""
        return bytes(self._pdf.output())

    def measure(self, text: str, size: float) -> float:
        """Return the width of a text in millimetres."""
        return sum(width for _, _, width in self._split(drawable(text))) * size * MM

    def fitted(self, text: str, width: float, size: float) -> str:
        """Return a text cut with … so that it fits a width; unchanged where it fits."""
        if self.measure(text, size) <= width:
            return text
        while text and self.measure(text + "…", size) > width:
            text = text[:-1]
        return text + "…"

    def lines(self, text: str, width: float, size: float) -> list[str]:
        """Return a text broken into lines of a width."""
        return break_lines(drawable(text), width, lambda part: self.measure(part, size))

    def text(
        self, x: float, y: float, text: str, size: float, *,
        colour: Colour = INK, bold: bool = False, align: Align = "left", whole: bool = True,
    ) -> float:  # fmt: skip
        """Draw one line with its baseline at `y`; `x` is its left, middle or right. Returns its width.

        `whole`: the text is complete, not a line of a longer one (which is noted once by whoever broke it).
        """
        shown = drawable(text).replace("\n", " ")
        width = self.measure(shown, size)
        left = x - width * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        if whole:
            self.texts.append(text)
        if not shown.strip():
            return width
        self.written.append(Written(self.page, Box(left, y - 0.88 * size * MM, width, 1.12 * size * MM), shown))
        for number, run, run_width in self._split(shown):
            if number is None:
                self._draw_missing(left, y, run, size, colour)
            else:
                self._draw_run(number, (left, y), run, size, colour=colour, bold=bold)
            left += run_width * size * MM
        return width

    def block(
        self, x: float, top: float, width: float, text: str, size: float, *,
        colour: Colour = INK, bold: bool = False, leading: float = 1.4, align: Align = "left",
    ) -> float:  # fmt: skip
        """Draw a text broken into lines below `top`; returns the height it takes in millimetres."""
        self.texts.append(text)
        step = size * MM * leading
        start = x + width * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        lines = self.lines(text, width, size)
        for number, line in enumerate(lines):
            base = top + step * number + step / 2 + CAP * size * MM
            self.text(start, base, line, size, colour=colour, bold=bold, align=align, whole=False)
        return step * len(lines)

    def rect(
        self, box: Box, *, fill: Colour | None = None, stroke: Colour | None = None, width: float = 0.2,
        radius: float = 0.0, opacity: float = 1.0,
    ) -> None:  # fmt: skip
        """Draw a rectangle, with round corners where a radius is given."""
        with self._style(fill, stroke, width, opacity):
            self._pdf.rect(
                box.x, box.y, box.w, box.h, style=_style_letters(fill, stroke), round_corners=radius > 0,
                corner_radius=radius,
            )  # fmt: skip

    def line(self, start: Point, end: Point, *, colour: Colour = INK, width: float = 0.2) -> None:
        """Draw a straight line."""
        with self._style(None, colour, width):
            self._pdf.line(*start, *end)

    def shape(
        self, points: Sequence[Point], *, closed: bool = True, fill: Colour | None = None,
        stroke: Colour | None = None, width: float = 0.2, dash: tuple[float, float] | None = None,
    ) -> None:  # fmt: skip
        """Draw a polygon, or a line where it is not closed."""
        if len(points) < 2:
            return
        with self._style(fill, stroke, width):
            if dash:
                self._pdf.set_dash_pattern(dash=dash[0], gap=dash[1])
            self._pdf.polyline(points, polygon=closed, style=_style_letters(fill, stroke))
            if dash:
                self._pdf.set_dash_pattern()

    def dots(self, points: Sequence[Point], radius: float, colour: Colour) -> None:
        """Draw many equal dots: squares of ink where they are so small that nobody sees the difference."""
        side = radius * 1.77
        with self._style(colour, None, 0.2):
            for x, y in points:
                if radius < 0.5:
                    self._pdf.rect(x - side / 2, y - side / 2, side, side, style="F")
                else:
                    self._pdf.circle(x, y, radius, style="F")

    @contextmanager
    def clip(self, box: Box) -> Iterator[None]:
        """Let nothing be drawn outside a box."""
        with self._pdf.rect_clip(box.x, box.y, box.w, box.h):
            yield

    @contextmanager
    def _style(
        self, fill: Colour | None, stroke: Colour | None, width: float, opacity: float = 1.0
    ) -> Iterator[None]:
        """Colours and pen; opacity costs a graphics state of its own, so only where it is asked for."""
        pdf = self._pdf
        if fill:
            pdf.set_fill_color(*fill)
        if stroke:
            pdf.set_draw_color(*stroke)
        pdf.set_line_width(width)
        if opacity < 1:
            with pdf.local_context(fill_opacity=opacity):
                yield
        else:
            yield

    def _split(self, text: str) -> tuple[tuple[int | None, str, float], ...]:
        """Runs of a text by font, each with its width at size 1 point in points; missing characters one by one."""
        runs = self._runs.get(text)
        if runs is None:
            runs = self._runs[text] = tuple(self._find_runs(text))
        return runs

    def _find_runs(self, text: str) -> Iterator[tuple[int | None, str, float]]:
        number: int | None = None
        run = ""
        for character in text:
            found = self._faces.of(character)
            if run and (found != number or found is None):
                yield number, run, self._advance(number, run)
                run = ""
            number = found
            run += character
        if run:
            yield number, run, self._advance(number, run)

    def _advance(self, number: int | None, run: str) -> float:
        if number is None:
            return 1.0
        widths = self._font(number).cw
        return float(sum(widths[ord(character)] for character in run)) / 1000

    def _font(self, number: int) -> Any:
        """The fpdf2 font of a face, added to the document at its first use."""
        if number not in self._families:
            face = self._faces.face(number)
            self._pdf.add_font(f"face{number}", fname=str(face.path), collection_font_number=face.number)
            font = self._families[number] = self._pdf.fonts[f"face{number}"]
            # The subset keeps the whole font's bounding box: measuring every glyph anew takes half the time of a sheet.
            font.ttfont.recalcBBoxes = False
        return self._families[number]

    def _draw_run(
        self, number: int, at: Point, run: str, size: float, *, colour: Colour, bold: bool = False
    ) -> None:
        x, y = at
        pdf = self._pdf
        self._font(number)
        pdf.set_font(f"face{number}", size=size)
        pdf.set_text_color(*colour)
        if not bold:
            pdf.text(x, y, run)
            return
        # The packaged font has one weight; a hair of outline in the same ink makes the bold one.
        pdf.set_draw_color(*colour)
        with pdf.local_context(text_mode=TextMode.FILL_STROKE, line_width=size * 0.03):
            pdf.text(x, y, run)

    def _draw_missing(self, x: float, y: float, character: str, size: float, colour: Colour) -> None:
        """A box with the code point in it: nobody's name is printed with a hole."""
        self.missing[character] = None
        em = size * MM
        box = Box(x + 0.04 * em, y - 0.84 * em, 0.92 * em, 0.96 * em)
        self.rect(box, stroke=colour, width=0.12)
        code = f"{ord(character):04X}"
        half = (len(code) + 1) // 2
        small = size * 0.4
        for row, part in enumerate((code[:half], code[half:])):
            at = (x + em / 2 - self.measure(part, small) / 2, y - (0.46 - 0.44 * row) * em)
            self._draw_run(self._faces.of("0") or 0, at, part, small, colour=colour)


def _style_letters(fill: Colour | None, stroke: Colour | None) -> str:
    return ("D" if stroke else "") + ("F" if fill else "")
