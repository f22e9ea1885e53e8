"""Two records that may be the same, side by side: what they have in common, where they differ, what is decided."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from datasette_plugins.desk import desk_of
from datasette_plugins.scope import TOWNSHIP, sees
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collect.duplicates import Pair
    from collect.outcomes import Saved
    from collect.station import Station
    from datasette_plugins.ui.ledgers import Shown

SHOWN = 20  # pairs on one page
DECISIONS = ("apart", "one", "other")
Row = dict[str, Any]
Addressed = Callable[[Browsing, str, str], str]
_PAIRS: WeakKeyDictionary[Any, _Pairs] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The suspected duplicates, the state of the ledgers they were found in, and when (monotonic)."""

    state: object
    at: float
    found: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records: what people call it, its page, its village, who saved it last and when."""

    record: str
    title: str
    address: str
    village: str
    author: str
    at: str


@dataclass(frozen=True, slots=True)
class Line:
    """One question and what both records answer; `alike` where that is why they are suspected."""

    label: str
    values: tuple[str, str]
    alike: bool


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Two records side by side. `reasons`: what they have in common, in words."""

    table: str
    ledger: str
    reasons: tuple[str, ...]
    sides: tuple[Side, Side]
    lines: tuple[Line, ...]


async def pairs(datasette: Any, actor: Any, *, stale: float = 0.0) -> tuple[Pair, ...]:
    """Return the suspected duplicates of which an actor sees both villages; `stale`: seconds they may be old."""
    state = await desk_of(datasette).read(lambda station: station.projection.state())
    known, now = _PAIRS.get(datasette), time.monotonic()
    if known is None or (known.state != state and now - known.at >= stale):
        found = await desk_of(datasette).read(lambda station: station.projection.duplicates().pairs())
        known = _PAIRS[datasette] = _Pairs(state, now, found)
    return tuple(pair for pair in known.found if all(sees(actor, village or TOWNSHIP) for village in pair.villages))


async def side_by_side(
    datasette: Any, request: Any, shown: Sequence[Pair], addressed: Addressed = Browsing.row_address
) -> list[Suspicion]:
    """Return pairs in words, without those of which a record is gone; `addressed`: a record's page, of table and id."""
    rows = await desk_of(datasette).read(lambda station: _rows(station, shown))
    there = [(pair, found) for pair, found in zip(shown, rows, strict=True) if found is not None]
    return [await _suspicion(datasette, request, pair, found, addressed) for pair, found in there]


def decide(station: Station, pair: Pair, do: str, author: str) -> Saved:
    """Tell a pair apart, or merge it and keep its `one` or its `other` (see `DECISIONS`); raises SaveError."""
    if do == "apart":
        return station.distinct(pair.table, pair.one, pair.other, author=author)
    kept, duplicate = (pair.one, pair.other) if do == "one" else (pair.other, pair.one)
    return station.merge_duplicates(pair.table, kept, duplicate, author=author)


def _rows(station: Station, pairs: Sequence[Pair]) -> list[tuple[Row, Row] | None]:
    """Both rows of each pair; None where one of them is gone."""
    found: list[tuple[Row, Row] | None] = []
    for pair in pairs:
        one, other = (station.projection.record(pair.table, record) for record in (pair.one, pair.other))
        found.append(None if one is None or other is None else (one, other))
    return found


async def _suspicion(
    datasette: Any, request: Any, pair: Pair, rows: tuple[Row, Row], addressed: Addressed
) -> Suspicion:
    """Two records in words; labels of what they name come from the villages that the actor may see."""
    pages: list[Browsing] = []
    for village, row in zip(pair.villages, rows, strict=True):
        where = TOWNSHIP if sees(request.actor, TOWNSHIP) else village
        page = await browsing(datasette, request, where)
        await page.label_rows(pair.table, [row])
        await page.label_records(pair.table, [row["_id"]])
        pages.append(page)
    ledger = pages[0].ledger(pair.table)
    alike = {name for rule in pair.rules for name in rule}
    titles = [ledger.shown(name) for name in (*(["_parent"] if ledger.parent else []), *ledger.columns)]
    columns = {column.name: column for column in titles if column.name == "_parent" or _asked(column)}
    lines = (_line(columns[name], pages, rows, name in alike) for name in columns if _telling(name, rows, alike))
    triples = zip(pages, rows, pair.villages, strict=True)
    sides = [_side(page, pair, row, village, addressed) for page, row, village in triples]
    return Suspicion(
        pair.table, ledger.title, tuple(_reason(pages[0], pair.table, rule) for rule in pair.rules),
        (sides[0], sides[1]), tuple(lines),
    )  # fmt: skip


def _asked(column: Shown) -> bool:
    """Whether a column is an answer that people compare: not the projection's own, not how exact a point is."""
    return not column.name.startswith("_") and not column.name.endswith(("_altitude", "_accuracy"))


def _telling(name: str, rows: tuple[Row, Row], alike: set[str]) -> bool:
    """Whether a column says something about the two: it is why they are suspected, or where they differ."""
    one, other = (row.get(name) for row in rows)
    return name in alike or (one != other and (one, other) != (None, ""))


def _line(column: Shown, pages: list[Browsing], rows: tuple[Row, Row], alike: bool) -> Line:
    one, other = (page.named(column, row.get(column.name)) for page, row in zip(pages, rows, strict=True))
    return Line(column.label, (one, other), alike)


def _side(page: Browsing, pair: Pair, row: Mapping[str, Any], village: str, addressed: Addressed) -> Side:
    record = str(row["_id"])
    title = page.label_of(pair.table, record) or say("record.unnamed", page.language)
    return Side(
        record, title, addressed(page, pair.table, record), page.villages.get(village, village),
        str(row.get("_updated_by") or ""), str(row.get("_updated_at") or "")[:16].replace("T", " "),
    )  # fmt: skip


def _reason(page: Browsing, table: str, rule: tuple[str, ...]) -> str:
    ledger, comma = page.ledger(table), say("list.comma", page.language)
    return say("suspects.same", page.language, columns=comma.join(ledger.shown(name).label for name in rule))
