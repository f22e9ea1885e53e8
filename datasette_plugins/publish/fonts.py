"""Which font draws which character: the packaged font, then the system's Chinese ones, then a configured file."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError

from forms.problems import CunceError, Problem

# Files by name, the good first: full Chinese fonts, then those that hold the rare characters of names.
_SYSTEM_NAMES = (
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "SourceHanSansSC-Regular.otf", "SourceHanSans.ttc",
    "msyh.ttc", "Deng.ttf", "simsun.ttc", "simhei.ttf", "PingFang.ttc", "STHeiti Light.ttc", "Songti.ttc",
    "wqy-microhei.ttc", "wqy-zenhei.ttc", "uming.ttc", "FZSongS-Extended.ttf", "FZSongS-Extended(SIP).ttf",
    "NotoSerifCJK-Regular.ttc", "simsunb.ttf", "SimsunExtG.ttf", "mingliub.ttc", "HanaMinA.ttf", "HanaMinB.ttf",
    "Jigmo.ttf", "Jigmo2.ttf", "Jigmo3.ttf", "Plangothic-Regular.ttc", "TH-Tshyn-P2.ttf", "arialuni.ttf",
)  # fmt: skip


class FontError(CunceError):
    """A font file that cannot be used."""


@dataclass(frozen=True, slots=True)
class Face:
    """A font: file, number within a collection, and the code points it holds."""

    path: Path
    number: int
    characters: frozenset[int]


class Faces:
    """Fonts in their order; later ones are opened only when a character is in none before them."""

    def __init__(self, sources: Iterable[Path]) -> None:
        """`sources`: font files, the first choice first; those that are not fonts are passed over."""
        self._waiting = list(sources)
        self._opened: list[Face] = []
        self._found: dict[str, int | None] = {}

    def of(self, character: str) -> int | None:
        """Return the number of the first font that holds a character, or None."""
        if character not in self._found:
            self._found[character] = self._search(ord(character))
        return self._found[character]

    def face(self, number: int) -> Face:
        """Return an opened font by its number."""
        return self._opened[number]

    def _search(self, code: int) -> int | None:
        for number, face in enumerate(self._opened):
            if code in face.characters:
                return number
        while self._waiting:
            face_or_none = open_face(self._waiting.pop(0))
            if face_or_none is None:
                continue
            self._opened.append(face_or_none)
            if code in face_or_none.characters:
                return len(self._opened) - 1
        return None


def default_faces(configured: Path | None = None) -> Faces:
    """Return the fonts of this machine in their one order; raises FontError where the configured file is no font."""
    if configured is not None and open_face(configured) is None:
        raise FontError(Problem("PLUGINS_FONT_UNREADABLE", context={"file": configured.name}))
    return Faces([packaged(), *system_fonts(), *([configured] if configured else [])])


def packaged() -> Path:
    """Return the font that comes with the program: Noto Sans SC."""
    import pylopdf_fonts_zh_cn

    return Path(pylopdf_fonts_zh_cn.sans_path())


@cache
def system_fonts(folders: Sequence[Path] | None = None) -> tuple[Path, ...]:
    """Return the Chinese fonts that the system has, in our order of preference."""
    found: dict[str, Path] = {}
    for folder in _font_folders() if folders is None else folders:
        for name, path in _fonts_below(folder):
            found.setdefault(name, path)
    return tuple(found[name.lower()] for name in _SYSTEM_NAMES if name.lower() in found)


@cache
def open_face(path: Path) -> Face | None:
    """Return a font (of a collection: its Simplified Chinese face, else the first), or None where it is unusable."""
    try:
        number = _simplified(path) if path.suffix.lower() in (".ttc", ".otc") else 0
        with path.open("rb") as file, TTFont(file, fontNumber=number, lazy=True) as font:
            characters = font.getBestCmap()
            # A variable CFF2 font is drawn at its thinnest weight: unreadable on a wall.
            usable = bool(characters) and "CFF2" not in font
    except (OSError, TTLibError, KeyError, ValueError, AssertionError):
        return None
    return Face(path, number, frozenset(characters)) if usable else None


def drawable(text: str) -> str:
    """Return text without what never has a glyph: control characters become blanks, invisible marks disappear."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_drawable(character) for character in text)


def _drawable(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return "\u3000" if character == "\u3000" else "\n" if character == "\n" else " "
    is_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return "" if category == "Cf" or is_selector else character


def _simplified(path: Path) -> int:
    """The number of a collection's Simplified Chinese face."""
    with path.open("rb") as file, TTCollection(file, lazy=True) as collection:
        names = [str(font["name"].getDebugName(4) or "") for font in collection.fonts]
    return next((number for number, name in enumerate(names) if " SC" in f"{name} " and "Mono" not in name), 0)


def _font_folders() -> tuple[Path, ...]:
    """Where this system keeps fonts."""
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", str(home / "AppData" / "Local"))
        windows = Path(os.environ.get("WINDIR", "C:/Windows"))
        return windows / "Fonts", Path(local) / "Microsoft" / "Windows" / "Fonts"
    if sys.platform == "darwin":
        return Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library" / "Fonts"
    shared = Path("/usr/share/fonts"), Path("/usr/local/share/fonts")
    return *shared, home / ".local" / "share" / "fonts", home / ".fonts"


def _fonts_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Font files below a folder by lower-case name."""
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            if name.lower().endswith((".ttf", ".otf", ".ttc", ".otc")):
                yield name.lower(), Path(parent) / name
