"""Forms from files, rows in memory or the shipped library, with every fault reported at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache as remembered
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Final

from forms.conversion import convert
from forms.definition import Form
from forms.problems import Place
from forms.sheets import ROW, Row, read_bytes, read_sheets, read_yaml
from forms.xform import FormError, read_xform

__all__ = ["FormError", "load_shipped", "read_form", "read_rows", "shipped"]

# Raised when the same rows would give another XForm.
_CACHE_FORMAT: Final = "1"
_NO_NAME: Final = ("end", "end_group", "end_repeat", "end_loop")


def read_form(path: Path | str, *, cache: Path | None = None) -> Form:
    """Read a form from `.yml`, `.xlsx`, `.xls` or `.xml`; raises FormError with every fault found.

    `cache`: a folder where converted XForms are kept by digest, made where it is missing.
    """
    file = Path(path)
    if file.suffix.lower() == ".xml":
        return read_xform(read_bytes(file).decode("utf-8", "replace"), file=file.name)
    return read_rows(read_sheets(file), file.name, cache=cache)


def read_rows(sheets: Mapping[str, Sequence[Row]], file: str = "", *, cache: Path | None = None) -> Form:
    """Read a form from sheets of rows (column -> text; the Excel row under `__row__`, counted from 2 where missing).

    Raises FormError with every fault found.
    """
    numbered = {name: tuple(_numbered(rows)) for name, rows in sheets.items()}
    xml = _converted(numbered, file, cache)
    places = dict(_places(numbered, file, "/data"))
    form = read_xform(xml, file=file, places=places)
    settings = next(iter(numbered.get("settings", ())), {})
    kept = {column: value for column, value in settings.items() if column != ROW}
    return replace(form, rows=numbered, settings=kept)


def _numbered(rows: Sequence[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows, start=2):
        yield {ROW: str(number), **row}


def _converted(sheets: Mapping[str, Sequence[Row]], file: str, cache: Path | None) -> str:
    """The XForm of the rows, from the cache where it holds one."""
    if cache is None:
        return convert(sheets, file).xml
    key = sha256(json.dumps([_CACHE_FORMAT, sheets], sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()
    kept = cache / f"{key}.xml"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    xml = convert(sheets, file).xml
    cache.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(f"{key}.{os.getpid()}.part")
    partial.write_text(xml, encoding="utf-8")
    partial.replace(kept)
    return xml


def _places(sheets: Mapping[str, Sequence[Row]], file: str, root: str) -> Iterator[tuple[str, Place]]:
    """Yield the path and place of every named row of the survey sheet."""
    stack = [root]
    for row in sheets.get("survey", ()):
        kind = " ".join(row.get("type", "").replace("_", " ").split())
        if kind.startswith("end ") and len(stack) > 1 and kind.split()[1] in ("group", "repeat", "loop"):
            stack.pop()
            continue
        name = row.get("name", "").strip()
        path = f"{stack[-1]}/{name}"
        if name:
            yield path, Place(file, "survey", int(row[ROW]), "", name)
        if kind.startswith("begin "):
            stack.append(path)


def shipped() -> tuple[str, ...]:
    """Return the names of the ledgers that come with the program, in the order of a village's work."""
    order = ("village", "household", "left_behind", "needy_household", "risk_point", "visit", "public_place")
    names = {entry.name.removesuffix(".yml") for entry in resources.files("forms.library").iterdir()}
    return tuple(name for name in order if name in names)


@remembered
def load_shipped(name: str) -> Form:
    """Return a shipped ledger's form; raises KeyError for a name that is not in `shipped()`."""
    if name not in shipped():
        raise KeyError(name)
    data = resources.files("forms.library").joinpath(f"{name}.yml").read_bytes()
    return read_rows(read_yaml(data, f"{name}.yml"), f"{name}.yml")
