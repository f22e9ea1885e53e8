"""Showing a blob: to whoever may see a village whose records refer to it; pictures also as small ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datasette.utils.asgi import Forbidden, NotFound, Response

from collect.blobs import BlobError, is_name, media_type
from datasette_plugins.desk import desk_of, mode_of
from datasette_plugins.media.pictures import PictureError, small
from datasette_plugins.scope import TOWNSHIP, allowed, sees

if TYPE_CHECKING:
    from collect.station import Station

SIZES = (96, 320, 1024)  # long sides that are made on demand
# Whatever a file claims to be, it is shown without scripts, and kept by nobody: what is erased must be gone.
_HEADERS = {
    "cache-control": "no-store", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
}  # fmt: skip


async def show(datasette: Any, request: Any) -> Any:
    """Answer `/-/blob/<name>`: the content, or with `?side=` a picture of about that size."""
    name = request.url_vars["name"]
    if not is_name(name):
        raise NotFound(name)
    desk = desk_of(datasette)
    if not await desk.read(lambda station: _may(station, request.actor, name, mode_of(datasette))):
        raise Forbidden("cunce-blob")
    try:
        data = await asyncio.to_thread(desk.station.blobs.read, name)
        kind, side = media_type(name), _side(request.args.get("side"))
        if side and kind.startswith("image/"):
            data, kind = await asyncio.to_thread(small, data, side)
    except (BlobError, PictureError) as error:
        return Response.text(error.problems[0].words("zh"), status=404, headers=_HEADERS)
    if mode_of(datasette) == "hub" and not side:
        from datasette_plugins.hub.people import note

        await note(datasette, request, "photo", name)
    shown = kind.startswith(("image/", "audio/", "video/"))
    disposition = "inline" if shown else f"attachment; filename={quote(name[:12] + name[64:])}"
    return Response(data, content_type=kind, headers={**_HEADERS, "content-disposition": disposition})


def _may(station: Station, actor: Any, name: str, mode: str | None) -> bool:
    """Whether an actor sees a village whose records refer to the blob; a laptop's owner also sees what is in drafts."""
    if mode == "laptop":
        return allowed(actor, "cunce-capture")
    return allowed(actor, "view-instance") and any(
        sees(actor, village) for village in (*station.references.villages_of(name), TOWNSHIP)
    )


def _side(given: str | None) -> int:
    return next((side for side in SIZES if given and given.isdigit() and int(given) <= side), 0)
