"""Where a blob is shown, and what a page's cell says of one."""

from __future__ import annotations

from markupsafe import Markup, escape

from collect.blobs import is_name, media_type
from datasette_plugins.ui.language import say

_WORDS = {"image": "media.photo", "audio": "media.audio", "video": "media.video"}


def address(name: str, side: int = 0) -> str:
    """Return the path of a blob, or of a small picture of it, at most `side` pixels long."""
    return f"/-/blob/{name}" + (f"?side={side}" if side else "")


def words(name: str, language: str) -> str:
    """Return what people call a blob: what it is, and the first digits of its digest."""
    return f"{say(_WORDS.get(media_type(name).partition('/')[0], 'media.file'), language)} {name[:6]}"


def cell(value: object, language: str, *, side: int = 96, base: str = "") -> Markup | str:
    """Return a link to a blob with its thumbnail, for a cell or a card; the text itself for what is no blob's name.

    `base`: what Datasette's addresses begin with, where it does not stand at the top.
    """
    name = str(value or "")
    if not is_name(name):
        return name
    said, link = escape(words(name, language)), escape(base + address(name))
    shown = Markup(said)
    if media_type(name).startswith("image/"):
        small = escape(base + address(name, side))
        shown = Markup(f'<img class="blob" src="{small}" alt="{said}" loading="lazy" data-side="{side}">')
    return Markup(f'<a class="blob-link" href="{link}" target="_blank" rel="noopener">{shown}</a>')
