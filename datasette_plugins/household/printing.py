"""Routes that print: a household's card, a visit sheet, a ledger as a list, a blank form; each answers with a PDF."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datasette.utils.asgi import NotFound, Response

from collect.saving import SaveError
from datasette_plugins.desk import desk_of
from datasette_plugins.hub.people import note
from datasette_plugins.ui.language import language_of

# What draws is imported when something is printed: it costs a seventh of a second and some twenty megabytes.
if TYPE_CHECKING:
    from collect.station import Station
    from datasette_plugins.publish.fonts import Faces
    from datasette_plugins.publish.handouts import Handout


@cache
def faces() -> Faces:
    """Return the fonts of our papers, read once."""
    from datasette_plugins.publish.fonts import default_faces

    return default_faces()


async def card(datasette: Any, request: Any) -> Any:
    """The card of a household."""
    from datasette_plugins.household import papers

    record, lang = request.url_vars["record"], language_of(request)
    return await _printed(datasette, request, "card", lambda station: papers.card(station, record, lang))


async def visit_sheet(datasette: Any, request: Any) -> Any:
    """A sheet to note visits to a household on."""
    from datasette_plugins.household import papers

    record, lang = request.url_vars["record"], language_of(request)
    return await _printed(datasette, request, "visits", lambda station: papers.visit_sheet(station, record, lang))


async def ledger_list(datasette: Any, request: Any) -> Any:
    """A ledger as a list; `?village=` one village's records, `?columns=a,b` chosen columns."""
    from datasette_plugins.household import papers

    table, lang, args = request.url_vars["table"], language_of(request), request.args
    columns = [name for name in (args.get("columns") or "").split(",") if name]
    village = args.get("village") or args.get("_village__exact") or ""
    return await _printed(
        datasette, request, "list",
        lambda station: papers.ledger_list(station, table, lang, village=village, columns=columns),
    )  # fmt: skip


async def blank(datasette: Any, request: Any) -> Any:
    """A form to fill in by hand."""
    from datasette_plugins.publish.blank import render_blank
    from datasette_plugins.publish.paper import compose

    form_id, lang = request.url_vars["form"], language_of(request)

    def work(station: Station) -> tuple[bytes, str]:
        if form_id not in {form.form_id for form in station.forms()}:
            raise NotFound(form_id)
        villages = tuple(village.name for village in station.villages)
        paper = compose(station.form(form_id), lang, villages=villages, rows=None)
        return render_blank(paper, faces(), made=station.clock.now()).pdf, paper.title

    pdf, title = await desk_of(datasette).run(work)
    await note(datasette, request, "print", form_id, kind="blank")
    return _pdf(pdf, title)


async def _printed(datasette: Any, request: Any, kind: str, make: Callable[[Station], Handout]) -> Any:
    from datasette_plugins.publish.handouts import render_handout

    def work(station: Station) -> tuple[bytes, str]:
        handout = make(station)
        return render_handout(handout, faces(), made=station.clock.now()).pdf, f"{handout.title} {handout.about}"

    try:
        pdf, title = await desk_of(datasette).run(work)
    except SaveError as error:
        raise NotFound(kind) from error
    await note(datasette, request, "print", request.path, kind=kind)
    return _pdf(pdf, title)


def _pdf(pdf: bytes, title: str) -> Any:
    from datasette_plugins.publish.issuing import safe_name

    name = quote(f"{safe_name(title)[:80]}.pdf")
    headers = {"content-disposition": f"inline; filename*=UTF-8''{name}", "cache-control": "no-store"}
    return Response(pdf, headers=headers, content_type="application/pdf")


ROUTES = (
    (r"/-/print/card/(?P<record>[^/]+)$", card),
    (r"/-/print/visits/(?P<record>[^/]+)$", visit_sheet),
    (r"/-/print/list/(?P<table>[^/]+)$", ledger_list),
    (r"/-/print/blank/(?P<form>[^/]+)$", blank),
)
