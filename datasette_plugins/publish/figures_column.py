"""The column of figures beside the map: the great ones large on top, the rest by ledger in two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datasette_plugins.publish.canvas import CAP, MM, Canvas
from datasette_plugins.publish.sheet_data import Figure, Section, shown
from datasette_plugins.publish.tables import draw_heading
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, INK, MUTED, Colour

_HEADS_IN_LINE, _HEAD_HEIGHT = 3, 13.0
_SIZE = 8.0
_HEADING, _LEAST_STEP = 5.8, 3.9
_DOT: Colour = (190, 198, 200)


@dataclass(frozen=True, slots=True)
class Rows:
    """A section's figures in lines: two short ones side by side, a long one alone over as many lines as it needs."""

    section: Section
    lines: tuple[tuple[Figure, ...], ...]
    units: float  # height in rows


def draw_heads(canvas: Canvas, figures: Sequence[Figure], box: Box) -> float:
    """Draw the headline figures as cards; returns the y below them."""
    if not figures:
        return box.y
    width = (box.w - 2 * (_HEADS_IN_LINE - 1)) / _HEADS_IN_LINE
    for number, figure in enumerate(figures):
        row, column = divmod(number, _HEADS_IN_LINE)
        card = Box(box.x + column * (width + 2), box.y + row * (_HEAD_HEIGHT + 1.8), width, _HEAD_HEIGHT)
        _draw_card(canvas, figure, card)
    lines = -(-len(figures) // _HEADS_IN_LINE)
    return box.y + lines * (_HEAD_HEIGHT + 1.8)


def draw_sections(canvas: Canvas, sections: Sequence[Section], box: Box) -> tuple[float, tuple[Section, ...]]:
    """Draw as many sections as the box holds, spread to its height; returns the y below and those left over."""
    laid = [lay(canvas, section, box.w) for section in sections]
    fitting = len(laid)
    while fitting and _height(laid[:fitting], _LEAST_STEP) > box.h:
        fitting -= 1
    units = sum(rows.units for rows in laid[:fitting])
    step = min(5.4, (box.h - _HEADING * fitting - fitting) / units) if units else 0.0
    y = box.y
    for rows in laid[:fitting]:
        y = _draw_rows(canvas, rows, Box(box.x, y, box.w, 0), step) + 1.0
    return y, tuple(sections[fitting:])


def lay(canvas: Canvas, section: Section, width: float) -> Rows:
    """Return a section's figures in lines for a width."""
    half = (width - 4) / 2
    lines: list[tuple[Figure, ...]] = []
    units = 0.0
    waiting: Figure | None = None
    for figure in section.figures:
        if canvas.measure(figure.label + _words(figure), _SIZE) + 3 > half:
            if waiting:
                lines.append((waiting,))
                units += 1
            waiting = None
            lines.append((figure,))
            units += len(_value_lines(canvas, figure, width))
        elif waiting:
            lines.append((waiting, figure))
            units, waiting = units + 1, None
        else:
            waiting = figure
    if waiting:
        lines.append((waiting,))
        units += 1
    return Rows(section, tuple(lines), units)


def _height(laid: Sequence[Rows], step: float) -> float:
    return sum(_HEADING + 1.0 + rows.units * step for rows in laid)


def _draw_card(canvas: Canvas, figure: Figure, card: Box) -> None:
    canvas.rect(card, fill=(238, 244, 244), radius=1.2)
    canvas.rect(Box(card.x, card.y + 1.6, 1.0, card.h - 3.2), fill=ACCENT)
    canvas.text(card.x + 3, card.y + 3.9, figure.label, 7.6, colour=MUTED)
    value = figure.mask or shown(figure.value)
    unit = figure.unit if figure.value is not None else ""
    size = 17.0
    while canvas.measure(value, size) + canvas.measure(unit, 7.6) > card.w - 5 and size > 8:
        size -= 1
    width = canvas.text(card.x + 3, card.y + 10.9, value, size, colour=ACCENT, bold=True)
    canvas.text(card.x + 3.8 + width, card.y + 10.9, unit, 7.6, colour=MUTED)


def _draw_rows(canvas: Canvas, rows: Rows, box: Box, step: float) -> float:
    y = draw_heading(canvas, rows.section.title, box.x, box.y, box.w) + _HEADING - 5.2
    half = (box.w - 4) / 2
    for line in rows.lines:
        if len(line) == 1 and _is_long(canvas, line[0], half):
            y = _draw_long(canvas, line[0], Box(box.x, y, box.w, step))
            continue
        for number, figure in enumerate(line):
            _draw_figure(canvas, figure, Box(box.x + number * (half + 4), y, half, step))
        y += step
    return y


def _is_long(canvas: Canvas, figure: Figure, half: float) -> bool:
    return canvas.measure(figure.label + _words(figure), _SIZE) + 3 > half


def _draw_figure(canvas: Canvas, figure: Figure, box: Box) -> None:
    """Label at the left, value at the right, a fine line under both to lead the eye."""
    base = box.y + box.h / 2 + CAP * _SIZE * MM
    canvas.line((box.x, box.bottom - 0.2), (box.right, box.bottom - 0.2), colour=_DOT, width=0.08)
    canvas.text(box.x + 0.6, base, figure.label, _SIZE, colour=MUTED)
    canvas.text(box.right - 0.6, base, _words(figure), _SIZE, colour=INK, align="right")


def _draw_long(canvas: Canvas, figure: Figure, box: Box) -> float:
    """A figure in words: label, then its lines."""
    lines = _value_lines(canvas, figure, box.w)
    indent = canvas.measure(figure.label, _SIZE) + 3
    base = box.y + box.h / 2 + CAP * _SIZE * MM
    canvas.text(box.x + 0.6, base, figure.label, _SIZE, colour=MUTED)
    canvas.texts.append(_words(figure))
    for number, line in enumerate(lines):
        canvas.text(box.x + indent, base + number * box.h, line, _SIZE, whole=False)
    bottom = box.y + len(lines) * box.h
    canvas.line((box.x, bottom - 0.2), (box.right, bottom - 0.2), colour=_DOT, width=0.08)
    return bottom


def _value_lines(canvas: Canvas, figure: Figure, width: float) -> list[str]:
    """The lines of a long value, at most three; the rest is cut with … ."""
    room = width - canvas.measure(figure.label, _SIZE) - 4
    lines = canvas.lines(_words(figure), room, _SIZE)
    return lines if len(lines) <= 3 else [*lines[:2], canvas.fitted("".join(lines[2:]), room, _SIZE)]


def _words(figure: Figure) -> str:
    """The value with its unit."""
    if figure.mask:
        return figure.mask
    value = shown(figure.value)
    return f"{value} {figure.unit}".rstrip() if value != "—" else value
