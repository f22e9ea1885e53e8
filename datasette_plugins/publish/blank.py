"""The blank form: any form on A4 paper, to be filled in by hand on a day without a laptop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode

from datasette_plugins.publish.blank_questions import Questions
from datasette_plugins.publish.blank_rosters import Rosters
from datasette_plugins.publish.canvas import Canvas
from datasette_plugins.publish.fonts import Faces
from datasette_plugins.publish.paper import Ask, Heading, Paper, Remark, Roster
from datasette_plugins.publish.qr import draw_qr
from datasette_plugins.publish.sheet import Rendered
from datasette_plugins.publish.strips import Piece, Placed, paged, space, words
from datasette_plugins.ui.language import say
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, INK, MUTED

WIDTH, HEIGHT = 210.0, 297.0
LEFT, RIGHT = 17.0, 11.0  # the left edge is punched for a folder
TOP, BOTTOM = 31.0, 284.0
_QR = 15.0
_INNER = WIDTH - LEFT - RIGHT

Progress = Callable[[int, int], None]


def render_blank(
    paper: Paper, faces: Faces, *, made: datetime, copies: int = 1, progress: Progress = lambda done, total: None
) -> Rendered:
    """Draw a blank form; equal papers, fonts and dates give equal bytes.

    `made`: with its zone, becomes the document's date; `copies`: how many of it stand in the file one after the other;
    `progress(done, all)`: after each page.
    """
    canvas = Canvas(faces, width=WIDTH, height=HEIGHT)
    canvas.describe(
        title=paper.title, subject=_formal(paper), keywords=paper.form_id, author="", made=made,
        language="zh-CN" if paper.words == "zh" else "en",
    )  # fmt: skip
    pages = paged(list(_pieces(canvas, paper)), first_top=TOP, top=TOP, bottom=BOTTOM)
    for copy in range(copies):
        for number, placed in enumerate(pages, start=1):
            _page(canvas, paper, number, len(pages), placed)
            progress(copy * len(pages) + number, copies * len(pages))
    return Rendered(
        canvas.output(), copies * len(pages), tuple(canvas.texts), tuple(canvas.missing), tuple(canvas.written)
    )


def qr_content(paper: Paper) -> str:
    """Return what the QR code at the head says: which form, and which version of it."""
    return "cunce:form?" + urlencode({"id": paper.form_id, "version": paper.version})


def _pieces(canvas: Canvas, paper: Paper) -> Iterator[Piece]:
    how = words(canvas, say("paper.how", paper.words), _INNER, 7.4, colour=MUTED)
    yield Piece((*how, space(0.6)))
    questions = Questions(canvas, paper.words, _INNER)
    loose: list[Ask | Heading | Remark] = []
    for item in paper.items:
        if isinstance(item, Roster):
            yield from questions.pieces(loose)
            loose = []
            yield from Rosters(canvas, paper.words, _INNER).pieces(item)
        else:
            loose.append(item)
    yield from questions.pieces(loose)


def _page(canvas: Canvas, paper: Paper, number: int, count: int, placed: Sequence[Placed]) -> None:
    canvas.new_page()
    _head(canvas, paper, say("paper.page", paper.words, page=number, pages=count))
    for one in placed:
        one.strip.draw(LEFT, one.top)
    _foot(canvas, paper)


def _head(canvas: Canvas, paper: Paper, page: str) -> None:
    """Title, which form, page, and what a sheet out of its stack is known by: village, household, who, when."""
    right = WIDTH - RIGHT
    draw_qr(canvas, qr_content(paper), Box(right - _QR, 8.0, _QR, _QR))
    edge = right - _QR - 3.0
    canvas.text(edge, 12.4, page, 8.0, colour=INK, align="right")
    formal = canvas.fitted(_formal(paper), 62.0, 7.0)
    canvas.text(edge, 16.2, formal, 7.0, colour=MUTED, align="right")
    room = edge - LEFT - max(canvas.measure(page, 8.0), canvas.measure(formal, 7.0)) - 4.0
    size = 15.0
    while size > 9.0 and canvas.measure(paper.title, size) > room:
        size -= 0.5
    lines = canvas.lines(paper.title, room, size)
    if len(lines) > 2:
        lines = [lines[0], canvas.fitted("".join(lines[1:]), room, size)]
    for row, line in enumerate(lines):
        canvas.text(LEFT, 14.4 - (len(lines) - 1) * 2.0 + row * 4.2, line, size, colour=ACCENT, bold=True)
    _blanks(canvas, paper, edge)
    canvas.line((LEFT, 27.6), (right, 27.6), colour=ACCENT, width=0.5)


def _blanks(canvas: Canvas, paper: Paper, edge: float) -> None:
    """The line to write on at the head of each page."""
    household = [("household", 0.9)] if paper.has_household else []
    names = [("village", 1.25), *household, ("filled_by", 0.9), ("date", 1.2)]
    labels = [say(f"paper.{name}", paper.words) for name, _ in names]
    size, base, gap = 9.0, 24.6, 3.0
    said = sum(canvas.measure(label, size) for label in labels)
    room = edge - LEFT - said - gap * (len(labels) - 1) - 1.2 * len(labels)
    x = LEFT
    for (name, share), label in zip(names, labels, strict=True):
        x += canvas.text(x, base, label, size, colour=INK) + 1.2
        width = room * share / sum(one for _, one in names)
        canvas.line((x, base + 0.9), (x + width, base + 0.9), colour=INK, width=0.2)
        if name == "village" and paper.village:
            canvas.text(x + width / 2, base, canvas.fitted(paper.village, width, size), size, align="center")
        elif name == "date" and paper.words == "zh":
            for at, word in ((0.42, "year"), (0.68, "month"), (0.94, "day")):
                mark = say(f"paper.{word}", "zh")
                canvas.text(x + width * at, base, mark, size, colour=MUTED, align="center")
        x += width + gap


def _foot(canvas: Canvas, paper: Paper) -> None:
    canvas.line((LEFT, 286.6), (WIDTH - RIGHT, 286.6), colour=MUTED, width=0.12)
    privacy = canvas.fitted(say("paper.privacy", paper.words), _INNER, 7.2)
    canvas.text(LEFT, 290.4, privacy, 7.2, colour=MUTED)


def _formal(paper: Paper) -> str:
    form = say("paper.form", paper.words, form_id=paper.form_id)
    return f"{form}　{say('paper.version', paper.words, version=paper.version)}" if paper.version else form
