"""Papers for the folder: a household's card, a ledger as a list, a sheet to note visits on; A4, for internal use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from datasette_plugins.publish.canvas import Canvas
from datasette_plugins.publish.fonts import Faces
from datasette_plugins.publish.sheet import Rendered
from datasette_plugins.publish.tables import Column, Table, draw_slice, paginate, used
from datasette_plugins.ui.language import say
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, INK, MUTED

_LONG, _SHORT = 297.0, 210.0
_LEFT, _RIGHT = 17.0, 11.0  # the left edge is punched for a folder
_TOP, _FOOT = 25.0, 11.0
_ROW = 9.5  # mm of a row to write in


@dataclass(frozen=True, slots=True)
class Handout:
    """A paper: title, a line beneath it, tables; `writing`: a table's columns and how many empty rows to write in;
    `whole`: columns without any answer stay."""

    title: str
    about: str
    tables: tuple[Table, ...]
    landscape: bool = False
    writing: tuple[str, tuple[tuple[str, float], ...], int] | None = None
    language: str = "zh"
    whole: bool = False


def facts_table(heading: str, facts: Sequence[tuple[str, str]], language: str) -> Table:
    """Return facts as a table of two pairs a row."""
    pairs = [*facts, ("", "")] if len(facts) % 2 else list(facts)
    what, value = say("handout.what", language), say("handout.value", language)
    columns = tuple(Column(*each) for each in ((what, 0.6), (value, 1.4), (what, 0.6), (value, 1.4)))
    rows = tuple((*pairs[n], *pairs[n + 1]) for n in range(0, len(pairs), 2))
    return Table(heading, columns, rows)


def render_handout(handout: Handout, faces: Faces, *, made: datetime, size: float = 8.5) -> Rendered:
    """Draw a handout; equal handouts, fonts and dates give equal bytes. `made`: with its zone, stands on the paper."""
    width, height = (_LONG, _SHORT) if handout.landscape else (_SHORT, _LONG)
    canvas = Canvas(faces, width=width, height=height)
    canvas.describe(
        title=handout.title, subject=handout.about, keywords="", author="", made=made,
        language="zh-CN" if handout.language == "zh" else "en",
    )  # fmt: skip
    area = Box(_LEFT, _TOP, width - _LEFT - _RIGHT, height - _TOP - _FOOT - 4)
    tables = [table if handout.whole else used(table) for table in handout.tables if table.rows]
    pages = paginate(canvas, tables, area, size) or [[]]
    bottom = area.y
    for number, pieces in enumerate(pages, start=1):
        # With rows to write in, how many pages there will be is not known yet.
        _begin(canvas, handout, (number, 0 if handout.writing else len(pages)), made)
        bottom = area.y
        for piece in pieces:
            bottom = draw_slice(canvas, piece, area.x, area.w, size) + 5.0
    if not tables and handout.writing is None:
        canvas.text(area.x, area.y + 8, say("handout.empty", handout.language), 11.0, colour=MUTED)
    if handout.writing is not None:
        _write_in(canvas, handout, Box(area.x, bottom, area.w, area.bottom - bottom), made)
    return Rendered(canvas.output(), canvas.page, tuple(canvas.texts), tuple(canvas.missing), tuple(canvas.written))


def _begin(canvas: Canvas, handout: Handout, number: tuple[int, int], made: datetime) -> None:
    """A new page with its head and foot; `number`: of the page and of all pages (0: not said)."""
    canvas.new_page()
    right = canvas.width - _RIGHT
    key = "handout.page_of" if number[1] else "handout.page"
    page = say(key, handout.language, page=number[0], pages=number[1], date=f"{made:%Y-%m-%d}")
    canvas.text(right, 13.0, page, 8.0, colour=INK, align="right")
    room = right - _LEFT - canvas.measure(page, 8.0) - 6
    canvas.text(_LEFT, 14.0, canvas.fitted(handout.title, room, 15.0), 15.0, colour=ACCENT, bold=True)
    canvas.text(_LEFT, 19.8, canvas.fitted(handout.about, right - _LEFT, 8.5), 8.5, colour=MUTED)
    canvas.line((_LEFT, 22.4), (right, 22.4), colour=ACCENT, width=0.5)
    canvas.text(_LEFT, canvas.height - 6.5, say("handout.privacy", handout.language), 7.2, colour=MUTED)


def _write_in(canvas: Canvas, handout: Handout, room: Box, made: datetime) -> None:
    """Empty rows with their headings, on a new page where there is no room for a few."""
    assert handout.writing is not None
    heading, columns, rows = handout.writing
    if room.h < 5 * _ROW:
        _begin(canvas, handout, (canvas.page + 1, 0), made)
        room = Box(room.x, _TOP, room.w, canvas.height - _FOOT - 4 - _TOP)
    canvas.text(room.x, room.y + 4, heading, 9.5, colour=ACCENT, bold=True)
    top = room.y + 6
    count = min(rows, int((room.bottom - top) / _ROW) - 1)
    total, x = sum(share for _, share in columns), room.x
    for name, share in columns:
        width = room.w * share / total
        canvas.text(x + width / 2, top + 6, name, 9.0, align="center")
        for row in range(count + 1):
            canvas.rect(Box(x, top + row * _ROW, width, _ROW), stroke=MUTED, width=0.15)
        x += width
