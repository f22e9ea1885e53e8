"""Excel workbooks to rows of text: formulas are not run, sizes are bounded, Excel's row numbers kept."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Any, Final

from forms.problems import Place, Problem
from forms.xform.document import FormError

MAX_UNPACKED: Final = 256 * 1024 * 1024
MAX_PARTS: Final = 5_000
MAX_CELLS: Final = 4_000_000
# Control characters that neither XML nor Excel may hold.
ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
MAX_ROWS: Final = 1_048_576  # Excel's own
# A cell with content: calamine lays out the whole rectangle up to the last of them.
_CELL: Final = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']\s*([A-Za-z]*)(\d+)\s*["'][^>]*[^/]>""")
# Any row or cell that says where it stands: one beyond Excel's last row makes calamine ask for terabytes, and abort.
_FAR: Final = re.compile(rb"""<(?:\w+:)?(?:row|c)\s[^>]*?\br\s*=\s*["']\s*[A-Za-z]*(\d{7,})""")
_FORMS_SHEET: Final = re.compile(
    r"^\s*(?P<name>survey|choices|settings|external_choices|osm|entities)\s*$", re.IGNORECASE
)


def read_workbook(data: bytes, file: str) -> tuple[dict[str, list[dict[str, str]]], tuple[str, ...]]:
    """Return the form's sheets (rows of column -> text, the Excel row under `__row__`) and the names of all sheets.

    Sheet names count without case and outer blanks. Raises FormError for what is no workbook or would unpack too large.
    """
    workbook = open_workbook(data, file)
    sheets: dict[str, list[dict[str, str]]] = {}
    problems: list[Problem] = []
    for name in workbook.sheet_names:
        found = _FORMS_SHEET.match(name)
        if found is None:
            continue
        place = Place(file=file, sheet=found["name"].lower())
        if place.sheet in sheets:
            problems.append(Problem("FORMS_SHEET_REPEATED", place))
            continue
        sheets[place.sheet] = list(_rows(_cells(workbook, name, place), place, problems))
    if problems:
        raise FormError(problems)
    return sheets, tuple(workbook.sheet_names)


def open_workbook(data: bytes, file: str) -> Any:
    """Return a calamine workbook over `data`; raises FormError for what is none, is encrypted or is a zip bomb."""
    from python_calamine import CalamineError, CalamineWorkbook

    place = Place(file=file)
    if data.startswith(_ZIP):
        _check_zip(data, place)
    elif not data.startswith(_OLE):
        raise FormError(Problem("FORMS_WORKBOOK_NOT_EXCEL", place, {"suffix": PurePath(file).suffix}))
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except (CalamineError, OSError, ValueError) as error:
        raise FormError(Problem("FORMS_WORKBOOK_BROKEN", place, {"said": error})) from error
    except BaseException as error:
        # calamine's own faults cross over from Rust as PanicException, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FormError(Problem("FORMS_WORKBOOK_BROKEN", place, {"said": error})) from error


def _check_zip(data: bytes, place: Place) -> None:
    """Refuse archives that unpack beyond the bounds, whatever their directory says."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise FormError(Problem("FORMS_WORKBOOK_TOO_LARGE", place))
            names = {part.filename.lower() for part in parts}
            if "[content_types].xml" not in names or "content.xml" in names or "xl/workbook.bin" in names:
                # An OpenDocument or binary workbook, whose extent nobody has looked at, under another's name.
                raise FormError(Problem("FORMS_WORKBOOK_NOT_EXCEL", place, {"suffix": PurePath(place.file).suffix}))
            for part in parts:
                if part.filename.lower().endswith(".xml"):
                    _check_extent(archive, part, place)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise FormError(Problem("FORMS_WORKBOOK_BROKEN", place, {"said": error})) from error
    except Exception as error:
        if isinstance(error, FormError) or type(error).__module__ != "zlib":
            raise
        raise FormError(Problem("FORMS_WORKBOOK_BROKEN", place, {"said": error})) from error


def _check_extent(archive: zipfile.ZipFile, part: zipfile.ZipInfo, place: Place) -> None:
    """Refuse a sheet whose filled cells span more than the bound: a lone cell at XFD1048576 costs gigabytes."""
    rows = columns = 0
    with archive.open(part) as stream:
        tail = b""
        while chunk := stream.read(1 << 20):
            text = tail + chunk
            if any(int(row[-20:]) > MAX_ROWS for row in _FAR.findall(text)):
                raise FormError(Problem("FORMS_WORKBOOK_BROKEN", place, {"said": f"{part.filename}: row > {MAX_ROWS}"}))
            for column, row in _CELL.findall(text):
                rows = max(rows, int(row))
                columns = max(columns, _column_number(column))
            tail = text[-256:]
    if rows * columns > MAX_CELLS:
        raise FormError(Problem("FORMS_WORKBOOK_EXTENT", place, {"rows": rows, "columns": columns}))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _cells(workbook: Any, name: str, place: Place) -> Sequence[Sequence[Any]]:
    """All cells of a sheet from A1 on; a sheet that cannot be read is a FormError."""
    try:
        cells: Sequence[Sequence[Any]] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise FormError(Problem("FORMS_WORKBOOK_BROKEN", place, {"said": error})) from error
    return cells


def _rows(cells: Sequence[Sequence[Any]], place: Place, problems: list[Problem]) -> Iterator[dict[str, str]]:
    """Yield the filled rows below the header row; a header that stands twice is a problem."""
    if not cells:
        return
    header = [" ".join(cell_text(cell).split()) for cell in cells[0]]
    for name in _repeated(header):
        problems.append(Problem("FORMS_HEADER_REPEATED", Place(place.file, place.sheet, 1, name)))
    for number, row in enumerate(cells[1:], start=2):
        pairs = zip(header, map(cell_text, row), strict=False)
        texts = {column: text for column, text in pairs if column and text}
        if texts:
            yield {"__row__": str(number), **texts}


def _repeated(names: Iterable[str]) -> list[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [name for name, count in seen.items() if name and count > 1]


def cell_text(value: Any) -> str:
    """Return a cell as its author sees it: whole numbers without a point, booleans as TRUE and FALSE, dates as ISO."""
    if isinstance(value, str):
        return value if value.strip() else ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    text = str(value)
    return text if text.strip() else ""
