"""A list leaving the program: as a workbook, as CSV, on paper; what is shown and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from collect.exporter.ledger import export_list
from collect.ledgers import language as spoken
from datasette_plugins.lists.asking import Asked
from datasette_plugins.lists.rows import rows
from datasette_plugins.ui.language import say

if TYPE_CHECKING:
    from collect.station import Station
    from datasette_plugins.publish.handouts import Handout

KINDS = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}
_WIDEST = 14  # columns that are still readable on paper


def exported(station: Station, asked: Asked, kind: str, language: str) -> bytes:
    """Return the list as a file of a kind of KINDS; raises ExportError."""
    with tempfile.TemporaryDirectory(prefix="cunce-list-") as scratch:
        path = Path(scratch) / f"list.{kind}"
        export_list(station, asked.wanted, path, language=spoken(asked.kept.form, language))
        return path.read_bytes()


def printed(station: Station, asked: Asked, language: str) -> bytes:
    """Return the list as a PDF of A4 pages (see `paper`)."""
    from datasette_plugins.household.printing import faces
    from datasette_plugins.publish.handouts import render_handout

    return render_handout(paper(station, asked, language), faces(), made=station.clock.now()).pdf


def paper(station: Station, asked: Asked, language: str) -> Handout:
    """Return the list as a paper: the columns shown, empty ones too; the first where they are too many for paper,
    which the paper then says."""
    from datasette_plugins.publish.handouts import Handout
    from datasette_plugins.publish.tables import Column, Table

    columns = asked.columns[:_WIDEST]
    total, found = rows(station, asked, language, limit=0, offset=0)
    heads = (Column("", 0.3, "right"), *(Column(column.label, 1.0) for column in columns))
    lines = tuple((str(number), *row["cells"][: len(columns)]) for number, row in enumerate(found, start=1))
    about = f"{station.name} · {say('handout.count', language, count=total)}"
    if len(asked.columns) > _WIDEST:
        about += f" · {say('handout.first_columns', language, count=_WIDEST, total=len(asked.columns))}"
    table = Table(asked.shown.title, heads, lines)
    return Handout(asked.shown.title, about, (table,), landscape=True, language=language, whole=True)
