"""Labels and hints as HTML: escaped, with the little Markdown that XLSForm allows and nothing else."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*|__(?=\S)(.+?)(?<=\S)__", re.S)
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9*])\*(?=\S)([^*]+?)(?<=\S)\*(?![A-Za-z0-9*])")
_HEADING = re.compile(r"^\s*#{1,6}\s+(.+?)\s*$", re.M)
_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()<>]+)\)")
# Form authors also write these tags by hand; attributes (colours, fonts, links) are dropped with the tag.
_TAG = re.compile(r"&lt;(/?)(b|strong|i|em|u|br)\s*/?&gt;", re.I)
_OTHER_TAG = re.compile(r"&lt;/?(span|font|p|div|h[1-6]|center|a)\b.*?&gt;", re.I | re.S)


def html_of(text: str) -> Markup:
    """Return a label's text as safe HTML: line breaks, bold, emphasis, headings and links; the rest as it stands.

    Source: XLSForm reference, "Markdown".
    """
    safe = str(escape(text.strip()))
    if not any(mark in safe for mark in "*_#&[\n"):
        return Markup(safe)
    safe = _HEADING.sub(r"<strong>\1</strong>", safe)
    safe = _STRONG.sub(lambda match: f"<strong>{match[1] or match[2]}</strong>", safe)
    safe = _EMPHASIS.sub(r"<em>\1</em>", safe)
    safe = _LINK.sub(r'<a href="\2" target="_blank" rel="noopener noreferrer">\1</a>', safe)
    safe = _TAG.sub(_allowed, safe)
    safe = _OTHER_TAG.sub("", safe)
    return Markup(safe.replace("\n", "<br>"))


def _allowed(match: re.Match[str]) -> str:
    tag = match[2].lower()
    return "<br>" if tag == "br" else f"<{match[1]}{tag}>"
