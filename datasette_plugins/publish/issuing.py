"""A village's sheet from a station to a file: read, redact, draw, check for leaks, write; nothing half done."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from collect.ledgers import Ledger
from collect.settings import Village
from datasette_plugins.publish.books import read_books, read_secrets
from datasette_plugins.publish.fonts import Faces
from datasette_plugins.publish.gathering import gather
from datasette_plugins.publish.leaks import Secret, refuse_leaks
from datasette_plugins.publish.pdf_text import read_text
from datasette_plugins.publish.redaction import redact
from datasette_plugins.publish.sheet import Rendered, render
from forms.problems import CunceError, Place, Problem

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')


class SheetError(CunceError):
    """A sheet that cannot be made or written."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where sheets come from: the ledger file, its ledgers, who keeps it, and when this is."""

    path: Path
    ledgers: Mapping[str, Ledger]
    villages: tuple[Village, ...]
    township: str
    station: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """Which sheets are wanted: of these villages (none: all), for whom, with which approval number and address.

    `address`: of the public page for the QR code; `{code}` in it stands for the village's code.
    """

    codes: tuple[str, ...] = ()
    is_public: bool = False
    approval: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A finished sheet of a village, not yet written."""

    village: Village
    rendered: Rendered
    is_public: bool

    @property
    def file_name(self) -> str:
        """What its file is called: code and name, without what Windows forbids in a file's name."""
        name = safe_name(f"{self.village.code}-{self.village.name}")
        return f"{name}{'-公开' if self.is_public else ''}.pdf"

    def warnings(self) -> tuple[Problem, ...]:
        """Return a warning for every character that no font holds."""
        return undrawn(self.rendered.missing, self.village.code)


def safe_name(name: str) -> str:
    """Return a name without what Windows forbids in a file's name."""
    return _UNSAFE.sub("_", name).strip(". ")


def undrawn(missing: Sequence[str], name: str) -> tuple[Problem, ...]:
    """Return a warning for every character that no font holds; `name`: what was drawn."""
    return tuple(
        Problem(
            "PLUGINS_CHARACTER_UNDRAWN", Place(name=name), {"character": one, "code": f"{ord(one):04X}"}, "warning"
        )
        for one in missing
    )  # fmt: skip


def make(
    source: Source, faces: Faces, wish: Wish, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Sheet]:
    """Return the wanted sheets; raises SheetError for unknown villages, LeakError where a public one shows too much.

    Nothing is written; every fault of every village is reported at once. `progress(done, all)`: after each village.
    """
    villages = _wanted(source.villages, wish.codes)
    secrets = read_secrets(source.path, source.ledgers) if wish.is_public else []
    sheets: list[Sheet] = []
    faults: list[Problem] = []
    kind: type[CunceError] = SheetError
    for done, village in enumerate(villages, start=1):
        try:
            sheets.append(_make_one(source, village, faces, wish, secrets))
        except CunceError as error:
            kind = type(error)
            faults += error.problems
        progress(done, len(villages))
    if faults:
        raise kind(faults)
    return sheets


def write(sheet: Sheet, folder: Path) -> Path:
    """Write a sheet into a folder, which is made where it is missing, and return its path; raises SheetError.

    The file appears whole or not at all; one of the same name is replaced.
    """
    return write_pdf(sheet.rendered.pdf, folder / sheet.file_name)


def write_pdf(pdf: bytes, path: Path) -> Path:
    """Write a PDF, whole or not at all, its folder made where it is missing; returns the path, raises SheetError."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            file.write(pdf)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        context = {"file": path.name, "detail": error.strerror or type(error).__name__}
        raise SheetError(Problem("PLUGINS_SHEET_NOT_WRITTEN", context=context)) from error
    return path


def _make_one(
    source: Source, village: Village, faces: Faces, wish: Wish, secrets: Sequence[Secret]
) -> Sheet:
    books = read_books(source.path, source.ledgers, village.code)
    data = gather(
        books, code=village.code, village=village.name, township=source.township, station=source.station,
        made=source.made,
    )  # fmt: skip
    data = replace(data, address=wish.address.replace("{code}", village.code))
    if wish.is_public:
        data = redact(data, approval=wish.approval)
    rendered = render(data, faces)
    if wish.is_public:
        read = read_text(rendered.pdf)
        refuse_leaks([*read.lines, *read.metadata.values(), *rendered.texts], secrets)
    return Sheet(village, rendered, wish.is_public)


def _wanted(known: tuple[Village, ...], codes: tuple[str, ...]) -> list[Village]:
    by_code = {village.code: village for village in known}
    if not by_code:
        raise SheetError(Problem("PLUGINS_SHEET_NO_VILLAGES"))
    shown = "、".join(f"{village.code} {village.name}" for village in known)
    unknown = [code for code in codes if code not in by_code]
    if unknown:
        raise SheetError(
            Problem("PLUGINS_SHEET_VILLAGE_UNKNOWN", context={"code": code, "known": shown}) for code in unknown
        )
    return [by_code[code] for code in dict.fromkeys(codes)] or list(known)
