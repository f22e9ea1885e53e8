"""The rows of a list in words: labels instead of codes, names instead of ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collect.conditions import Among
from collect.listing import Listing, names_of, page
from datasette_plugins.lists.asking import Asked
from datasette_plugins.ui.ledgers import Shown, shown_value

if TYPE_CHECKING:
    from collect.station import Station

LONGEST = 200  # characters of one cell


def rows(station: Station, asked: Asked, language: str, *, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many rows fit in all, and those of one page: `id`, `rev`, `cells` as texts in the columns' order."""
    return _rows(station, asked, replace(asked.wanted, limit=limit, offset=offset), language)


def these(station: Station, asked: Asked, records: Iterable[str], language: str) -> list[dict[str, Any]]:
    """Return the rows of some records as they stand now, whatever the conditions."""
    wanted = replace(asked.wanted, where=(Among(set(records)),), limit=0, offset=0)
    return _rows(station, asked, wanted, language)[1]


def _rows(station: Station, asked: Asked, wanted: Listing, language: str) -> tuple[int, list[dict[str, Any]]]:
    found = page(station.projection.path, wanted, codes=True)
    columns = asked.columns
    called = _called(station, columns, found.rows)

    def cells(row: Mapping[str, Any]) -> list[str]:
        return [_text(column, row[column.name], called, language) for column in columns]

    return found.total, [{"id": row["_id"], "rev": row["_rev"], "cells": cells(row)} for row in found.rows]


def _called(station: Station, columns: Sequence[Shown], found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Names of the records that the rows point at."""
    ledgers = station.projection.ledgers
    links = [column for column in columns if column.kind == "record" and column.target in ledgers]
    wanted = [(ledgers[column.target], {row[column.name] for row in found if row[column.name]}) for column in links]
    return names_of(station.projection.path, wanted) if wanted else {}


def _text(column: Shown, value: Any, called: Mapping[str, str], language: str) -> str:
    if column.kind == "record" and value:
        return called.get(value, str(value))
    text = shown_value(column, value, language)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
