"""Suspected duplicates on a laptop, and two households that somebody says are one: decided, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from datasette.utils.asgi import NotFound, Response

from collect.duplicates import Pair
from collect.undoing import Press, presses, undo
from datasette_plugins.capture.sitting import author_of
from datasette_plugins.desk import desk_of
from datasette_plugins.household.deeds import targets
from datasette_plugins.ui.browsing import Browsing
from datasette_plugins.ui.language import language_of, say
from datasette_plugins.ui.side_by_side import DECISIONS, SHOWN, decide, pairs, side_by_side
from forms.problems import CunceError

if TYPE_CHECKING:
    from collect.station import Station

HOUSEHOLD = "household"
_LOOKED = 30  # saves among which the one just made is looked for


async def suspects(datasette: Any, request: Any) -> Any:
    """The pairs of this laptop (GET); tell one apart, merge it, or take back what was just decided (POST)."""
    if request.method == "POST":
        fields = {name: str(value) for name, value in (await request.post_vars()).items()}
        return await (_take_back if fields.get("do") == "undo" else _decide)(datasette, request, fields)
    found = await pairs(datasette, request.actor)
    done = request.args.get("done") or ""
    context = {
        "suspicions": await side_by_side(datasette, request, found[:SHOWN], _address),
        "total": len(found), "decides": True, "tabs": [],
        "last": await desk_of(datasette).run(lambda station: _made(station, done)),
    }  # fmt: skip
    return await _page(datasette, request, "cunce_suspects.html", context)


async def same(datasette: Any, request: Any) -> Any:
    """Find the household that is the same as this one, then both side by side, to be merged."""
    record, text = request.url_vars["record"], (request.args.get("q") or "").strip()
    other = request.args.get("other") or ""

    def look(station: Station) -> tuple[dict[str, Any], Pair | None]:
        labels = {each: _labelled(station, each) for each in (record, other) if each}
        if not all(labels.values()):
            raise NotFound(record)
        villages = [str(row["_village"] or "") for row in labels.values()]
        pair = Pair(HOUSEHOLD, record, other, (villages[0], villages[1]), ()) if len(labels) == 2 else None
        found = [] if pair else targets(station, record, text)
        return {"name": labels[record]["label"] or record, "found": found}, pair

    context, pair = await desk_of(datasette).run(look)
    shown = await side_by_side(datasette, request, [pair] if pair else [], _address)
    context |= {"record": record, "q": text, "suspicions": shown, "decides": True, "chosen": True}
    return await _page(datasette, request, "household/same.html", context)


def _labelled(station: Station, record: str) -> dict[str, Any]:
    """A household with what people call it, empty where it is not there."""
    if HOUSEHOLD not in station.projection.ledgers:
        return {}
    return dict(next(station.projection.labelled(HOUSEHOLD, "_id", record), {}))


def _address(page: Browsing, table: str, record: str) -> str:
    """A household's own page on a laptop; other records where they are browsed."""
    if table == HOUSEHOLD:
        return str(page.datasette.urls.path(f"/-/household/{quote(record, safe='')}"))
    return page.row_address(table, record)


def _made(station: Station, save: str) -> Press | None:
    """The save just made, as long as it can be taken back."""
    found = presses(station, limit=_LOOKED) if save else ()
    return next((press for press in found if press.save == save and not press.undone), None)


async def _decide(datasette: Any, request: Any, fields: dict[str, str]) -> Any:
    language, do, chosen = language_of(request), fields.get("do", ""), bool(fields.get("chosen"))
    table, one, other = (fields.get(name, "") for name in ("table", "one", "other"))
    known = await pairs(datasette, request.actor)
    pair = next((each for each in known if (each.table, each.one, each.other) == (table, one, other)), None)
    if chosen and table == HOUSEHOLD:
        pair = Pair(HOUSEHOLD, one, other, ("", ""), ())
    if pair is None or do not in DECISIONS:
        datasette.add_message(request, say("suspects.gone", language), datasette.WARNING)
        return _to(datasette, "/-/suspects")
    try:
        saved = await desk_of(datasette).run(lambda station: decide(station, pair, do, author_of(station)))
    except CunceError as error:
        _refused(datasette, request, error)
        return _to(datasette, "/-/suspects")
    done = saved.revisions[0].save if saved.revisions else ""
    if chosen:
        return _to(datasette, f"/-/household/{quote(saved.record, safe='')}", done=done)
    datasette.add_message(request, say(f"suspects.{'told_apart' if do == 'apart' else 'merged'}", language))
    return _to(datasette, "/-/suspects", done=done)


async def _take_back(datasette: Any, request: Any, fields: dict[str, str]) -> Any:
    language = language_of(request)

    def work(station: Station) -> bool:
        made = _made(station, fields.get("save", ""))
        if made is not None:
            undo(station, made.save, author=author_of(station))
        return made is not None

    try:
        said = "decision.undone" if await desk_of(datasette).run(work) else "decision.none"
        datasette.add_message(request, say(said, language))
    except CunceError as error:
        _refused(datasette, request, error)
    return _to(datasette, "/-/suspects")


def _refused(datasette: Any, request: Any, error: CunceError) -> None:
    for problem in error.problems:
        datasette.add_message(request, problem.words(language_of(request)).rpartition(" [")[0], datasette.ERROR)


def _to(datasette: Any, path: str, **query: str) -> Any:
    return Response.redirect(datasette.urls.path(f"{path}?{urlencode(query)}" if query else path), status=303)


async def _page(datasette: Any, request: Any, template: str, context: dict[str, Any]) -> Any:
    html = await datasette.render_template(template, context, request=request)
    return Response.html(html, headers={"cache-control": "no-store"})


ROUTES = (
    (r"/-/suspects/?$", suspects),
    (r"/-/household/(?P<record>[^/]+)/same$", same),
)
