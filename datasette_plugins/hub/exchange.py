"""The hub's end of an exchange: `sync.serving` mounted under /-/exchange/, off the event loop."""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Response

from datasette_plugins.desk import desk_of
from datasette_plugins.hub.refresh import pushing, soon
from sync.serving import MAX_BODY, answer, busy, too_long

QUEUE = 2  # pushes that wait; the next laptop is asked to come back in a second, so that none waits for long


class TooLongError(Exception):
    """A body longer than any bundle may be; the rest of it is not read."""


async def exchange(datasette: Any, request: Any) -> Any:
    """Answer a station's POST to /-/exchange/<endpoint>; the village slices follow once it is quiet."""
    if request.method != "POST":
        return Response.json({"problems": []}, status=405)
    endpoint = request.url_vars["endpoint"]
    try:
        body = await _body(request)
    except TooLongError:
        full = too_long()
        return Response(full.body, status=full.status, content_type=full.content_type)
    authorization, desk = request.headers.get("authorization", ""), desk_of(datasette)
    if endpoint == "push":
        if desk.waiting >= QUEUE:
            full = busy()
            return Response(full.body, full.status, {"retry-after": "1"}, full.content_type)
        pushing(datasette)
        given = await desk.run(lambda station: answer(station, endpoint, authorization, body))
        if given.status == 200:
            soon(datasette)
    else:
        given = await desk.read(lambda station: answer(station, endpoint, authorization, body))
    return Response(given.body, status=given.status, content_type=given.content_type)


async def _body(request: Any) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise TooLongError
        more = message.get("more_body", False)
    return b"".join(parts)
