"""A laptop with the shipped ledgers and one invented village."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collect.settings import Village
from collect.station import Station
from forms.reader import load_shipped

VILLAGE = Village("999999001001", "前进村")


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "laptop", name="一号", villages=[VILLAGE], author="李志强") as made:
        for name in ("household", "left_behind", "visit"):
            made.add_form(load_shipped(name))
        yield made


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write rows to an .xlsx file; `merge`: ranges such as A1:C1."""

    def write(rows: Sequence[Sequence[Any]], *, merge: Sequence[str] = (), name: str = "台账.xlsx") -> Path:
        from openpyxl import Workbook

        book = Workbook()
        sheet: Any = book.active
        for row in rows:
            sheet.append(list(row))
        for cells in merge:
            sheet.merge_cells(cells)
        path = tmp_path / name
        book.save(path)
        return path

    return write
