"""Attached data that a form reads beside itself (`household.csv`): where rows come from, and how one is found."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from lxml import etree

_SHAPES = {"Point": "geopoint", "LineString": "geotrace", "Polygon": "geoshape"}


class SecondaryRows(Protocol):
    """The rows of one attached file, each a mapping of column to text."""

    def rows(self) -> Iterable[Mapping[str, str]]:
        """Yield every row in order."""
        ...

    def lookup(self, column: str, value: str) -> Iterable[Mapping[str, str]]:
        """Yield the rows whose `column` is the text `value`, in order."""
        ...


class Attachments(Protocol):
    """Gives the attached files of a form."""

    def open(self, name: str) -> SecondaryRows:
        """Return the rows of the file `name`, none where there is no such file."""
        ...


class NoAttachments:
    """No attached file at all."""

    def open(self, _name: str) -> SecondaryRows:
        """Return no rows."""
        return _NO_ROWS


class RowsInMemory:
    """Rows at hand, with an index for every column that is asked for."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        self._rows: Sequence[Mapping[str, str]] = tuple(rows)
        self._indexes: dict[str, dict[str, list[Mapping[str, str]]]] = {}

    def rows(self) -> Sequence[Mapping[str, str]]:
        """Return every row in order."""
        return self._rows

    def lookup(self, column: str, value: str) -> Sequence[Mapping[str, str]]:
        """Return the rows whose `column` is the text `value`, in order."""
        index = self._indexes.get(column)
        if index is None:
            index = self._indexes[column] = {}
            for row in self._rows:
                if column in row:
                    index.setdefault(row[column], []).append(row)
        return index.get(value, ())


class RowAttachments:
    """Attached files whose rows are at hand: file name -> rows."""

    def __init__(self, files: Mapping[str, Iterable[Mapping[str, str]]]) -> None:
        self._files = {name: RowsInMemory(rows) for name, rows in files.items()}

    def open(self, name: str) -> SecondaryRows:
        """Return the rows of the file `name`, none where there is no such file."""
        return self._files.get(name, _NO_ROWS)


class FolderAttachments:
    """Attached files in a folder: `.csv` (UTF-8 or GB18030), `.geojson` and `.xml`, each read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, RowsInMemory] = {}

    def open(self, name: str) -> SecondaryRows:
        """Return the rows of the file `name`, none where there is no such file; raises ValueError for a broken one."""
        if name not in self._read:
            # A form may come from outside: its file names lead nowhere but into this folder.
            path = self.folder / Path(name).name
            self._read[name] = RowsInMemory(read_rows(path)) if path.is_file() else _NO_ROWS
        return self._read[name]


def read_rows(path: Path) -> tuple[Mapping[str, str], ...]:
    """Return the rows of an attached file; raises ValueError where it isn't what its name says."""
    data = path.read_bytes()
    suffix = path.suffix.lower()
    if suffix == ".geojson":
        return tuple(_features(json.loads(data)))
    if suffix == ".xml":
        return tuple(_items(data))
    return tuple(_csv_rows(data))


def _csv_rows(data: bytes) -> Iterator[Mapping[str, str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    try:
        for row in csv.DictReader(io.StringIO(text, newline="")):
            yield {name.strip(): value or "" for name, value in row.items() if name and isinstance(value, str | None)}
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _features(collection: Mapping[str, object]) -> Iterator[Mapping[str, str]]:
    features = collection.get("features")
    for feature in features if isinstance(features, list) else ():
        row = {key: _plain(value) for key, value in (feature.get("properties") or {}).items()}
        row.setdefault("id", _plain(feature.get("id", "")))
        geometry = feature.get("geometry") or {}
        if geometry.get("type") in _SHAPES:
            row["geometry"] = _xforms_geometry(geometry)
        yield row


def _xforms_geometry(geometry: Mapping[str, object]) -> str:
    coordinates = geometry["coordinates"]
    points = coordinates if isinstance(coordinates, list) else []
    if geometry["type"] == "Point":
        points = [points]
    elif geometry["type"] == "Polygon":
        points = points[0]
    return ";".join(f"{_plain(point[1])} {_plain(point[0])} 0 0" for point in points)


def _items(data: bytes) -> Iterator[Mapping[str, str]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    for item in root:
        if isinstance(item.tag, str):
            yield {etree.QName(cell).localname: cell.text or "" for cell in item if isinstance(cell.tag, str)}


def _plain(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_NO_ROWS = RowsInMemory(())
