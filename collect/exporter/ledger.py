"""Write a ledger to a file that Excel, WPS or a map program opens as people expect."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from collect.exporter.geojson import features
from collect.listing import Listing, page
from collect.station import Station
from forms.problems import CunceError, Place, Problem
from forms.tables import Column, Table, tables_of

Progress = Callable[[int], None]
OWN = {"_village": ("村", "Village"), "_updated_at": ("更新时间", "Updated"), "_updated_by": ("更新人", "Updated by")}
_PIECE = 1000  # rows of a list read at once
_LONGEST_CELL = 32_767  # characters; Excel's limit


class ExportError(CunceError):
    """The file could not be written; what stood there before still does."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Where a ledger went and how many rows each table had."""

    path: Path
    rows: Mapping[str, int]


def export_ledger(
    station: Station,
    form_id: str,
    path: Path,
    *,
    language: str = "",
    codes: bool = False,
    villages: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write a ledger to `path`: .xlsx (a sheet a table), .csv (UTF-8 with BOM; repeats beside it as `<name>_<key>.csv`)
    or .geojson.

    `language`: of headers and choice labels (the form's own by default); `codes`: stored codes and question names
    instead. `villages`: only these. `progress`: called with the rows written. The file appears whole or not at all.
    Raises ExportError for an unknown ending or village, or a folder that cannot be written.
    """
    tables = tables_of(station.form(form_id))
    wanted = None if villages is None else frozenset(villages)
    sheets = [
        _SheetOf(station, table, language=language, codes=codes, villages=wanted, progress=progress or _silent)
        for table in tables
    ]
    unknown = (wanted or frozenset()) - {village.code for village in station.villages}
    if unknown:
        raise ExportError([Problem("COLLECT_EXPORT_VILLAGE", context={"village": code}) for code in sorted(unknown)])
    return _written(path, sheets)


def export_list(station: Station, wanted: Listing, path: Path, *, language: str = "") -> Exported:
    """Write what a list shows, its columns and rows in its order, to `path`: .xlsx, .csv or .geojson.

    A point is one column. The file appears whole or not at all. Raises ExportError as `export_ledger` does.
    """
    return _written(path, [_Listed(station, wanted, language)])


def _written(path: Path, sheets: Sequence[_SheetOf]) -> Exported:
    ending = path.suffix.lower()
    if ending not in {".xlsx", ".csv", ".geojson"}:
        raise ExportError(Problem("COLLECT_EXPORT_KIND", Place(file=path.name), {"ending": ending or "-"}))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".xlsx":
            return Exported(path, _write_workbook(path, sheets))
        if ending == ".geojson":
            return Exported(path, _write_geojson(path, sheets))
        return Exported(path, _write_csv(path, sheets))
    except OSError as error:
        context = {"file": path, "reason": error.strerror or error}
        raise ExportError(Problem("COLLECT_EXPORT_WRITE", Place(file=path.name), context)) from error


class _SheetOf:
    """One table's headers and rows in the words of the export."""

    def __init__(
        self,
        station: Station,
        table: Table,
        *,
        language: str,
        codes: bool,
        villages: frozenset[str] | None,
        progress: Progress,
    ) -> None:
        self.station, self.table, self.language, self.codes = station, table, language, codes
        self.villages, self.progress = villages, progress
        self.names = {village.code: village.name for village in station.villages}
        self.choices = {column.name: column.choices(language) for column in table.columns}
        self.labels: dict[tuple[str, str], str] = {}

    @property
    def headers(self) -> list[str]:
        """The header row; a repeat's rows begin with what they belong to."""
        chinese = not self.language.lower().startswith("en")
        own = list(OWN) if self.codes else [words[0 if chinese else 1] for words in OWN.values()]
        parent = ["_parent" if self.codes else "所属" if chinese else "Belongs to"] if self.table.parent else []
        return ["_id", *parent, *(self.header(column) for column in self.table.columns), *own]

    def header(self, column: Column) -> str:
        """A column's question as it is asked, its name under `codes`."""
        return column.name if self.codes else column.question.label.plain(self.language) or column.name

    def rows(self) -> Iterator[list[Any]]:
        """Yield the rows in the ledger's order."""
        for number, row in enumerate(self.records(), start=1):
            values = [self.value(column, column.load(row)) for column in self.table.columns]
            parent = [self.parent(row["_parent"])] if self.table.parent else []
            village = row["_village"] if self.codes else self.names.get(row["_village"], row["_village"])
            yield [row["_id"], *parent, *values, village, row["_updated_at"], row["_updated_by"]]
            if number % 200 == 0:
                self.progress(200)

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the stored rows of the wanted villages."""
        for row in self.station.projection.rows(self.table.name):
            if self.villages is None or row["_village"] in self.villages:
                yield row

    def value(self, column: Column, value: Any) -> Any:
        """A value as people read it: labels for codes, several joined by 、; links by the label of what they name."""
        if value is None or self.codes:
            return value
        if column.source:
            return self.linked(column.source, str(value))
        known = self.choices[column.name]
        if not known:
            return value
        parts = str(value).split() if column.multiple else [str(value)]
        return "、".join(known.get(part) or part for part in parts)

    def linked(self, source: str, value: str) -> str:
        """The label of a record in another ledger."""
        if (source, value) not in self.labels:
            row = next(iter(self.station.attachments.open(source).lookup("name", value)), None)
            # What another village's record is called is that village's to tell.
            ours = row is not None and (self.villages is None or row.get("_village", "") in {"", *self.villages})
            self.labels[source, value] = row["label"] if row is not None and ours else value
        return self.labels[source, value]

    def parent(self, record: str | None) -> str:
        """What a repeat's row belongs to: its id under `codes`, its label for people."""
        return (record or "") if self.codes or not record else self.linked(f"{self.table.parent}.csv", record)


class _Listed(_SheetOf):
    """The columns and rows of a list."""

    def __init__(self, station: Station, wanted: Listing, language: str) -> None:
        stored = {each.name: column for column in wanted.ledger.table.columns for each in column.stored}
        columns = tuple({stored[name].name: stored[name] for name in wanted.columns if name in stored}.values())
        table = replace(wanted.ledger.table, columns=columns)
        super().__init__(station, table, language=language, codes=False, villages=None, progress=_silent)
        self._wanted = replace(wanted, columns=wanted.ledger.columns)

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the stored rows of the list."""
        offset = 0
        while rows := page(
            self.station.projection.path, replace(self._wanted, limit=_PIECE, offset=offset), codes=True
        ).rows:
            yield from rows
            offset += _PIECE


def _write_workbook(path: Path, sheets: Sequence[_SheetOf]) -> dict[str, int]:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    book = Workbook(write_only=True)
    counts = {}
    for source in sheets:
        sheet: Any = book.create_sheet(source.table.name[:31])
        sheet.freeze_panes = "B2"
        headers = source.headers
        for number, header in enumerate(headers, start=1):
            letter = _letter(number)
            sheet.column_dimensions[letter].width = min(40, max(10, 2 * len(header) + 2))
            sheet.column_dimensions[letter].hidden = header == "_id" and not source.codes
        cells = [WriteOnlyCell(sheet, header) for header in headers]
        for cell in cells:
            cell.font, cell.alignment = Font(bold=True), Alignment(vertical="center", wrap_text=True)
        sheet.append(cells)
        counts[source.table.name] = 0
        for row in source.rows():
            sheet.append([_text_cell(WriteOnlyCell, sheet, value) for value in row])
            counts[source.table.name] += 1
    # openpyxl leaves tracebacks behind where the disk refuses it half-way: it gets no disk to write to.
    content = BytesIO()
    book.save(content)
    _whole(path, lambda temporary: temporary.write_bytes(content.getvalue()))
    return counts


def _text_cell(kind: Any, sheet: Any, value: Any) -> Any:
    """Text stays text, so that an ID number keeps its digits and `=1+1` is not a formula."""
    if not isinstance(value, str):
        return value
    cell = kind(sheet, value[:_LONGEST_CELL])
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _write_csv(path: Path, sheets: Sequence[_SheetOf]) -> dict[str, int]:
    counts = {}
    for source in sheets:
        beside = source.table.parent and len(sheets) > 1
        target = path.with_name(f"{path.stem}_{source.table.key}.csv") if beside else path
        count = 0

        def write(temporary: Path, source: _SheetOf = source) -> None:
            nonlocal count
            # Excel takes a CSV for UTF-8 only when it begins with a BOM.
            with temporary.open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(source.headers)
                for row in source.rows():
                    writer.writerow(row if source.codes else [_harmless(value) for value in row])
                    count += 1

        _whole(target, write)
        counts[source.table.name] = count
    return counts


def _harmless(value: Any) -> Any:
    """Keep Excel from running text as a formula and from eating the end of a long number."""
    if isinstance(value, str) and (value[:1] in "=+-@\t" or (value.isdigit() and len(value) > 11)):
        return f"\t{value}"
    return value


def _write_geojson(path: Path, sheets: Sequence[_SheetOf]) -> dict[str, int]:
    source = sheets[0]
    found = list(features(source.table, source.records(), source.value, source.header))
    data = {"type": "FeatureCollection", "name": source.table.name, "features": found}
    text = json.dumps(data, ensure_ascii=False, indent=1)
    _whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return {source.table.name: len(found)}


def _whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside `path` and move there, so that an interruption leaves no half file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _letter(number: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(number))


def _silent(rows: int) -> None:
    """Nobody watches."""
