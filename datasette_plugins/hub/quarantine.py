"""Quarantine as a page: what revoked laptops still sent, a look inside, and a person's decision about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasette.utils.asgi import Forbidden, Response

from collect.hlc import shown
from datasette_plugins.desk import desk_of
from datasette_plugins.hub import waiting
from datasette_plugins.hub.people import note
from datasette_plugins.hub.refresh import refresh
from datasette_plugins.scope import TOWNSHIP, allowed
from datasette_plugins.ui.browsing import Browsing, browsing
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError, Problem
from sync.quarantine import discard, look, quarantined, release

if TYPE_CHECKING:
    from collect.revision import Revision
    from collect.station import Station
    from sync.bundle import Bundle

MOST = 40  # records of a bundle that a look inside shows
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Part:
    """What a bundle holds of one village and ledger."""

    village: str
    ledger: str
    revisions: int
    records: int
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """One record in a bundle: what people call it, when it was last changed and by whom; `new`: it is not here yet."""

    title: str
    address: str
    ledger: str
    village: str
    at: str
    author: str
    revisions: int
    new: bool


async def show(datasette: Any, request: Any) -> Any:
    """Show what waits in quarantine, and inside the one asked for (GET); take in or discard one (POST)."""
    if not allowed(request.actor, "cunce-stations"):
        raise Forbidden("cunce-stations")
    if request.method == "POST":
        return await _decide(datasette, request)
    everything = await desk_of(datasette).read(lambda station: quarantined(station, decided=True))
    held = [each for each in everything if each.state == "waiting"]
    decided = [each for each in everything if each.state != "waiting"]
    context: dict[str, Any] = {
        "held": held,
        "decided": decided[: -11 : -1],
        "decides": allowed(request.actor, "cunce-quarantine"),
        "looked": request.args.get("look") or "",
    }
    if context["looked"]:
        context |= await _inside(datasette, request, context["looked"])
    return await waiting.page(datasette, request, "quarantine", context)


async def _inside(datasette: Any, request: Any, number: str) -> dict[str, Any]:
    """What a bundle holds, for the page: parts and records, or the problems that keep it shut."""
    try:
        bundle = await desk_of(datasette).read(lambda station: look(station, number))
    except CunceError as error:
        return {"problems": error.problems}
    await note(datasette, request, "bundle looked at", number)
    page = await browsing(datasette, request, TOWNSHIP)
    return {"parts": _parts(page, bundle), "records": await _records(page, bundle), "most": MOST}


def _parts(page: Browsing, bundle: Bundle) -> list[Part]:
    found: dict[tuple[str, str], list[Revision]] = {}
    for each in bundle.revisions:
        found.setdefault((each.village, each.table), []).append(each)
    return [
        Part(
            page.villages.get(village, village), page.ledger(table).title, len(revisions),
            len({each.record for each in revisions}), tuple(sorted({each.author for each in revisions})),
        )
        for (village, table), revisions in sorted(found.items())
    ]  # fmt: skip


async def _records(page: Browsing, bundle: Bundle) -> list[Within]:
    """The first records of a bundle, those that others belong to before their rows."""
    found: dict[tuple[str, str], list[Revision]] = {}
    for each in bundle.revisions:
        found.setdefault((each.table, each.record), []).append(each)
    keys = sorted(found, key=lambda key: (bool(page.ledger(key[0]).parent), key))[:MOST]
    for table in {table for table, _ in keys}:
        await page.label_records(table, [record for at, record in keys if at == table])
    return [_within(page, *key, found[key]) for key in keys]


def _within(page: Browsing, table: str, record: str, revisions: list[Revision]) -> Within:
    ledger, last = page.ledger(table), revisions[-1]
    known = page.label_of(table, record)
    said = [each.changes[ledger.label] for each in revisions if each.changes.get(ledger.label)]
    title = str(said[-1]) if said else known or say("record.unnamed", page.language)
    return Within(
        title, page.row_address(table, record) if known else "", ledger.title,
        page.villages.get(last.village, last.village), shown(last.time)[:16].replace("T", " "), last.author,
        len(revisions), not known,
    )  # fmt: skip


async def _decide(datasette: Any, request: Any) -> Any:
    """Take a bundle in or discard it, for a reason; what it was decided is in the audit log."""
    if not allowed(request.actor, "cunce-quarantine"):
        raise Forbidden("cunce-quarantine")
    fields = await request.post_vars()
    number, do = fields.get("number", ""), fields.get("do", "")
    reason = fields.get("reason", "").strip()[:LONGEST_REASON]
    language, by = language_of(request), request.actor["id"]
    back = datasette.urls.path("/-/quarantine")
    if not reason:
        datasette.add_message(request, say("quarantine.reason_missing", language), datasette.WARNING)
        return Response.redirect(f"{back}?look={number}" if number.isalnum() else back)

    def decide(station: Station) -> int:
        if do == "release":
            return release(station, number, by=by, reason=reason).new
        discard(station, number, by=by, reason=reason)
        return 0

    try:
        new = await desk_of(datasette).run(decide)
    except CunceError as error:
        for problem in error.problems:
            datasette.add_message(request, _words(problem, language), datasette.ERROR)
        return Response.redirect(back)
    if do == "release":
        await refresh(datasette)
    said = say("quarantine.released", language, count=new) if do == "release" else say("quarantine.discarded", language)
    datasette.add_message(request, said, datasette.INFO)
    return Response.redirect(back)


def _words(problem: Problem, language: str) -> str:
    """A problem in words without its code."""
    return problem.words(language).rpartition(" [")[0]
