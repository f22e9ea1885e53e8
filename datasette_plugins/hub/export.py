"""A whole ledger as an Excel file: the township's, or one village's, by whoever may see it; noted in the audit log."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datasette.utils.asgi import Forbidden, NotFound, Response

from collect.exporter.ledger import export_ledger
from collect.ledgers import language as language_in
from datasette_plugins.desk import desk_of
from datasette_plugins.hub.people import note
from datasette_plugins.scope import TOWNSHIP, sees
from datasette_plugins.ui.browsing import browsing

if TYPE_CHECKING:
    from collect.station import Station

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def export(datasette: Any, request: Any) -> Any:
    """Answer /-/export/<database>/<form>.xlsx with the file; raises Forbidden outside the actor's scope."""
    database, form_id = request.url_vars["database"], request.url_vars["form"]
    if not sees(request.actor, database):
        raise Forbidden(database)
    page = await browsing(datasette, request, database)
    known = {ledger.form_id: ledger for ledger in page.ledgers.values() if not ledger.parent}
    if form_id not in known or (database != TOWNSHIP and database not in page.villages):
        raise NotFound(form_id)
    villages = None if database == TOWNSHIP else [database]

    def write(station: Station) -> bytes:
        language = language_in(station.form(form_id), page.language)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ledger.xlsx"
            export_ledger(station, form_id, path, language=language, villages=villages)
            return path.read_bytes()

    await note(datasette, request, "export", f"{database}/{form_id}.xlsx")
    body = await desk_of(datasette).read(write)
    name = quote(f"{page.database_title()}-{known[form_id].title}.xlsx")
    return Response(
        body, content_type=_EXCEL, headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    )
