"""Suspected duplicates, two by two: what they have in common and where they differ, and the decision about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Forbidden, Response

from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.hub.decisions import decided, last, take_back
from datasette_plugins.scope import TOWNSHIP, allowed, sees
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collect.duplicates import Pair
    from collect.outcomes import Saved
    from collect.station import Station
    from datasette_plugins.ui.ledgers import Shown

PAGE = 20
APART, MERGED = "records told apart", "records merged"  # in the audit log
Row = dict[str, Any]


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


async def show(datasette: Any, request: Any) -> Any:
    """Show the pairs in the actor's villages (GET); tell one apart, merge it, or take the last decision back (POST)."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if request.method == "POST":
        return await _decide(datasette, request)
    pairs = await waiting.pairs(datasette, request.actor)
    shown = pairs[:PAGE]
    rows = await desk_of(datasette).read(lambda station: _rows(station, shown))
    decides = allowed(request.actor, "cunce-settle")
    there = [(pair, found) for pair, found in zip(shown, rows, strict=True) if found is not None]
    context = {
        "suspicions": [await _suspicion(datasette, request, pair, found) for pair, found in there],
        "total": len(pairs),
        "decides": decides,
        "last": await last(datasette, request, APART, MERGED) if decides else None,
    }
    return await waiting.page(datasette, request, "suspects", context)


def _rows(station: Station, pairs: tuple[Pair, ...]) -> list[tuple[Row, Row] | None]:
    """Both rows of each pair; None where one of them is gone."""
    found: list[tuple[Row, Row] | None] = []
    for pair in pairs:
        one, other = (station.projection.record(pair.table, record) for record in (pair.one, pair.other))
        found.append(None if one is None or other is None else (one, other))
    return found


async def _suspicion(datasette: Any, request: Any, pair: Pair, rows: tuple[Row, Row]) -> Suspicion:
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
    sides = [_side(page, pair, row, village) for page, row, village in zip(pages, rows, pair.villages, strict=True)]
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


def _side(page: Browsing, pair: Pair, row: Mapping[str, Any], village: str) -> Side:
    record = str(row["_id"])
    title = page.label_of(pair.table, record) or say("record.unnamed", page.language)
    return Side(
        record, title, page.row_address(pair.table, record), page.villages.get(village, village),
        str(row.get("_updated_by") or ""), str(row.get("_updated_at") or "")[:16].replace("T", " "),
    )  # fmt: skip


def _reason(page: Browsing, table: str, rule: tuple[str, ...]) -> str:
    ledger, comma = page.ledger(table), say("list.comma", page.language)
    return say("suspects.same", page.language, columns=comma.join(ledger.shown(name).label for name in rule))


async def _decide(datasette: Any, request: Any) -> Any:
    if not allowed(request.actor, "cunce-settle"):
        raise Forbidden("cunce-settle")
    fields = await request.post_vars()
    back = Response.redirect(datasette.urls.path("/-/suspects"))
    if fields.get("do") == "undo":
        await take_back(datasette, request, APART, MERGED)
        return back
    language, author = language_of(request), request.actor["id"]
    key = fields.get("table"), fields.get("one"), fields.get("other")
    open_ones = await waiting.pairs(datasette, request.actor)
    pair = next((each for each in open_ones if (each.table, each.one, each.other) == key), None)
    if pair is None or fields.get("do") not in ("apart", "one", "other"):
        datasette.add_message(request, say("suspects.gone", language), datasette.WARNING)
        return back

    def decide(station: Station) -> Saved:
        if fields["do"] == "apart":
            return station.distinct(pair.table, pair.one, pair.other, author=author)
        kept, duplicate = (pair.one, pair.other) if fields["do"] == "one" else (pair.other, pair.one)
        return station.merge_duplicates(pair.table, kept, duplicate, author=author)

    action = APART if fields["do"] == "apart" else MERGED
    try:
        saved = await desk_of(datasette).run(decide)
    except CunceError as error:
        for problem in error.problems:
            datasette.add_message(request, problem.words(language).rpartition(" [")[0], datasette.ERROR)
        return back
    said = f"{pair.table}/{pair.one}/{pair.other}"
    await decided(datasette, request, action, said, saved, said=said, kept=saved.record)
    said_so = "suspects.told_apart" if action == APART else "suspects.merged"
    datasette.add_message(request, say(said_so, language), datasette.INFO)
    return back
