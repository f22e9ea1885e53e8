"""Suspected duplicates at the hub, two by two, and the reviewers' decision about each."""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Forbidden, Response

from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.hub.decisions import decided, last, take_back
from datasette_plugins.scope import allowed
from datasette_plugins.ui.language import language_of, say
from datasette_plugins.ui.side_by_side import DECISIONS, SHOWN, decide, pairs, side_by_side
from forms.problems import CunceError

APART, MERGED = "records told apart", "records merged"  # in the audit log


async def show(datasette: Any, request: Any) -> Any:
    """Show the pairs in the actor's villages (GET); tell one apart, merge it, or take the last decision back (POST)."""
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    if request.method == "POST":
        return await _decide(datasette, request)
    found = await pairs(datasette, request.actor)
    decides = allowed(request.actor, "cunce-settle")
    context = {
        "suspicions": await side_by_side(datasette, request, found[:SHOWN]),
        "total": len(found),
        "decides": decides,
        "last": await last(datasette, request, APART, MERGED) if decides else None,
    }
    return await waiting.page(datasette, request, "suspects", context)


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
    open_ones = await pairs(datasette, request.actor)
    pair = next((each for each in open_ones if (each.table, each.one, each.other) == key), None)
    if pair is None or fields.get("do") not in DECISIONS:
        datasette.add_message(request, say("suspects.gone", language), datasette.WARNING)
        return back
    action = APART if fields["do"] == "apart" else MERGED
    try:
        saved = await desk_of(datasette).run(lambda station: decide(station, pair, fields["do"], author))
    except CunceError as error:
        for problem in error.problems:
            datasette.add_message(request, problem.words(language).rpartition(" [")[0], datasette.ERROR)
        return back
    said = f"{pair.table}/{pair.one}/{pair.other}"
    await decided(datasette, request, action, said, saved, said=said, kept=saved.record)
    said_so = "suspects.told_apart" if action == APART else "suspects.merged"
    datasette.add_message(request, say(said_so, language), datasette.INFO)
    return back
