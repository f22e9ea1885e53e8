"""Drawing: views and blocks as HTML, by the macros of capture/blocks.html, whole or piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from datasette_plugins.capture import looks
from datasette_plugins.capture.controls import mode_of_keys
from datasette_plugins.capture.media import media
from datasette_plugins.capture.units import unit_of
from datasette_plugins.capture.view import Block, Option, View
from datasette_plugins.media.address import address
from datasette_plugins.ui.language import say
from forms.definition import Question

_SHORT_LINE = 64  # characters of choices (and their keys) that fit one line


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the page, one entry of the rail: `title` as HTML above it (may be empty), `name` in the rail.

    `ref`: the group it shows, `""` when it shows none.
    """

    name: str
    title: Markup
    children: tuple[View | Block, ...]
    ref: str = ""


def sheet(parts: Sequence[Part], language: str) -> Markup:
    """Return the whole form as HTML."""
    return Markup(_macros(language).sections(parts))


def control(view: View, language: str) -> Markup:
    """Return the control of one question."""
    return Markup(_macros(language).control(view))


def repeat(block: Block, language: str) -> Markup:
    """Return one repeat with all its rows."""
    return Markup(_macros(language).repeat(block))


@cache
def _macros(language: str) -> Any:
    """Macros drawn outside Datasette's asynchronous templates: pieces are drawn on the station's thread."""
    environment = Environment(
        loader=PackageLoader("datasette_plugins.ui", "templates"), autoescape=True, trim_blocks=True
    )
    environment.globals.update(
        t=partial(_say, language), short=_short, keys=mode_of_keys, wide=_wide, media=media, address=address,
        arranged=_arranged, quick=looks.quick, unit_of=unit_of,
    )  # fmt: skip
    return environment.get_template("capture/blocks.html").module


def _say(language: str, key: str, **slots: Any) -> str:
    return say(key, language, **slots)


def _short(options: Sequence[Option]) -> bool:
    """Choices that fit a line or two stand side by side; long ones one below the other."""
    lengths = [len(_plain(option.label)) for option in options]
    return bool(lengths) and max(lengths) <= 16 and sum(length + 5 for length in lengths) <= 2 * _SHORT_LINE


def _arranged(view: View) -> str:
    """The classes of a list of choices: as its author laid it out, else side by side where that fits."""
    laid_out = looks.classes(view.node) if isinstance(view.node, Question) else ""
    return f" {laid_out}" if laid_out else " picks-row" if _short(view.options) else ""


def _wide(view: View) -> bool:
    """Whether a question needs the whole width where short ones stand side by side."""
    if view.kind in ("radio", "check", "rank"):
        if isinstance(view.node, Question) and looks.classes(view.node):
            return True
        return len(view.options) > 3 or sum(len(_plain(option.label)) for option in view.options) > 10
    return view.kind in ("heads", "note", "media", "line", "area", "range", "confirm", "point")


_plain: Callable[[Markup], str] = Markup.striptags
