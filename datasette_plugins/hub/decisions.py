"""Decisions of the hub's reviewers: noted in the audit log with the save they made, and taken back by who made them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collect.undoing import undo
from datasette_plugins.desk import desk_of
from datasette_plugins.hub.people import accounts_of, note
from datasette_plugins.hub.refresh import follow
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError

if TYPE_CHECKING:
    from collect.outcomes import Saved

UNDONE = "decision undone"


@dataclass(frozen=True, slots=True)
class Last:
    """The last decision of somebody on a page: the save it made, which takes it back, and when (ISO 8601)."""

    save: str
    at: str
    said: str


async def decided(datasette: Any, request: Any, action: str, resource: str, saved: Saved, **detail: Any) -> None:
    """Note a decision in the audit log, and let the villages' files follow."""
    follow(datasette)
    save = saved.revisions[0].save if saved.revisions else ""
    await note(datasette, request, action, resource, save=save, **detail)


async def last(datasette: Any, request: Any, *actions: str) -> Last | None:
    """Return the last of these decisions that the request's actor made, None where it was taken back already."""
    account, log = request.actor["id"], accounts_of(datasette).log
    entries = await asyncio.to_thread(
        lambda: [line for action in (*actions, UNDONE) for line in log(account=account, action=action, limit=1)]
    )
    newest = max(entries, key=lambda line: line.id, default=None)
    if newest is None or newest.action == UNDONE or not newest.detail.get("save"):
        return None
    return Last(str(newest.detail["save"]), newest.at, str(newest.detail.get("said", "")))


async def take_back(datasette: Any, request: Any, *actions: str) -> None:
    """Undo the actor's last of these decisions, and tell the next page what came of it."""
    made, language = await last(datasette, request, *actions), language_of(request)
    if made is None:
        datasette.add_message(request, say("decision.none", language), datasette.WARNING)
        return
    author = request.actor["id"]
    try:
        await desk_of(datasette).run(lambda station: undo(station, made.save, author=author))
    except CunceError as error:
        for problem in error.problems:
            datasette.add_message(request, problem.words(language).rpartition(" [")[0], datasette.ERROR)
        return
    follow(datasette)
    await note(datasette, request, UNDONE, made.said, save=made.save)
    datasette.add_message(request, say("decision.undone", language), datasette.INFO)
