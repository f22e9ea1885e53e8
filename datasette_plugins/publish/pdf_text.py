"""Reads back what our own PDFs say, for the leak check: text and metadata, or refuses to vouch for them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forms.problems import CunceError, Problem

_HEAD = re.compile(rb"(\d+) 0 obj\n")
_LENGTH = re.compile(rb"/Length (\d+)")
_FONT_NAMES = re.compile(rb"/(F\d+) (\d+) 0 R")
_UNICODE = re.compile(rb"/ToUnicode (\d+) 0 R")
_PAIR = re.compile(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>")
_INFO = re.compile(
    rb"/(Author|Creator|Keywords|Producer|Subject|Title) (?:<([0-9A-Fa-f]*)>|\(((?:\\.|[^\\()])*)\))", re.S
)
_TOKEN = re.compile(rb"\(((?:\\.|[^\\()])*)\) Tj|/(F\d+) [\d.]+ Tf|(?<![^\s])(q|Q)(?![^\s])", re.S)
_ESCAPE = re.compile(rb"\\(.)", re.S)
_ESCAPED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


class PdfTextError(CunceError):
    """A PDF that this module cannot read completely."""


@dataclass(frozen=True, slots=True)
class PdfText:
    """A PDF's words: each text as it was shown, in order, and the metadata by name."""

    lines: tuple[str, ...]
    metadata: Mapping[str, str]


def read_text(pdf: bytes) -> PdfText:
    """Return the text of a PDF written by fpdf2; raises PdfTextError rather than pass over anything it cannot read."""
    objects = dict(_objects(pdf))
    fonts = _fonts(objects)
    lines: list[str] = []
    for head, stream in objects.values():
        if b"/Subtype /Image" in head or b"/XObject <<" in head:
            raise PdfTextError(Problem("PLUGINS_LEAK_UNREADABLE"))
        if _is_content(head):
            lines += _shown(stream, fonts)
    metadata = {
        match[1].decode(): _metadata(match) for head, _ in objects.values() for match in _INFO.finditer(head)
    }
    return PdfText(tuple(lines), metadata)


def _objects(pdf: bytes) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Each object's number, its dictionary and its decoded stream."""
    at = 0
    while match := _HEAD.search(pdf, at):
        start = match.end()
        end = pdf.index(b"endobj", start)
        stream_at = pdf.find(b"stream\n", start, end)
        if stream_at < 0:
            yield int(match[1]), (pdf[start:end], b"")
            at = end
            continue
        head = pdf[start:stream_at]
        length = _LENGTH.search(head)
        if length is None:
            raise PdfTextError(Problem("PLUGINS_LEAK_UNREADABLE"))
        raw = pdf[stream_at + 7 : stream_at + 7 + int(length[1])]
        yield int(match[1]), (head, zlib.decompress(raw) if b"/FlateDecode" in head else raw)
        at = stream_at + 7 + int(length[1])


def _is_content(head: bytes) -> bool:
    """A page's content is the stream that says nothing of itself but its length and filter."""
    return b"/Length" in head and b"/Type" not in head and b"/Subtype" not in head and b"/CMapName" not in head


def _fonts(objects: Mapping[int, tuple[bytes, bytes]]) -> dict[bytes, dict[int, str]]:
    """Each font's characters by their code, from its ToUnicode table."""
    fonts: dict[bytes, dict[int, str]] = {}
    for head, _ in list(objects.values()):
        for name, number in _FONT_NAMES.findall(head):
            table = _UNICODE.search(objects[int(number)][0])
            if table is not None:
                fonts[name] = _characters(objects[int(table[1])][1])
    return fonts


def _characters(table: bytes) -> dict[int, str]:
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in _PAIR.findall(table)}


def _shown(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> Iterator[str]:
    """Every text that a content stream shows, by the font in force."""
    if content.startswith(b"/CIDInit") or b"begincmap" in content:
        return
    font: Mapping[int, str] | None = None
    saved: list[Mapping[int, str] | None] = []
    for match in _TOKEN.finditer(content):
        text, name, state = match.groups()
        if name is not None:
            font = fonts.get(name)
        elif state == b"q":
            saved.append(font)
        elif state == b"Q":
            font = saved.pop() if saved else None
        else:
            yield _decoded(text, font)
    # Any other way of showing text would have been passed over: then nothing here can be vouched for.
    if re.search(rb"T[jJ]|BI\s|\sDo\s", _TOKEN.sub(b"", content)):
        raise PdfTextError(Problem("PLUGINS_LEAK_UNREADABLE"))


def _decoded(text: bytes, font: Mapping[int, str] | None) -> str:
    raw = _unescaped(text)
    codes = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    if font is None or any(code not in font for code in codes):
        raise PdfTextError(Problem("PLUGINS_LEAK_UNREADABLE"))
    return "".join(font[code] for code in codes)


def _metadata(match: re.Match[bytes]) -> str:
    raw = bytes.fromhex(match[2].decode()) if match[2] is not None else _unescaped(match[3])
    return raw[2:].decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
