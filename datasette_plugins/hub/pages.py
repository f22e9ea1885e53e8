"""Routes of the hub's pages, and the answers to errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from datasette.utils.asgi import Base400, Forbidden, NotFound, Response
from datasette.views.base import DatasetteError
from datasette.views.special import JsonDataView

from datasette_plugins.desk import mode_of
from datasette_plugins.hub import (
    conflicts,
    exchange,
    export,
    failing,
    home,
    login,
    parked,
    quarantine,
    records,
    suspects,
)
from datasette_plugins.scope import allowed

# Pages for developers of Datasette: of no use to a township, and some of them act or show who asked for what.
_CLOSED = r"/-/(permissions|messages|allow-debug|patterns|auth-token|config)(\.json)?$"


def routes(datasette: Any) -> list[tuple[str, Any]]:
    """Return (pattern, view) of all pages of ours; they come before Datasette's own."""
    shared = [
        (r"/$", home.show),
        (r"/-/language$", login.choose_language),
        (r"/-/export/(?P<database>\w+)/(?P<form>[^/]+)\.xlsx$", export.export),
        (_CLOSED, closed),
        *((rf"/-/{name}(\.(?P<format>json))?$", view) for name, view in _information(datasette)),
    ]
    if mode_of(datasette) == "laptop":
        return [*shared, (r"/-/(login|logout)$", closed)]
    return [
        *shared,
        (r"/-/login$", login.log_in),
        (r"/-/logout$", login.log_out),
        (r"/-/(queue|conflicts)$", conflicts.queue),
        (r"/-/suspects$", suspects.show),
        (r"/-/failing$", failing.show),
        (r"/-/parked$", parked.show),
        (r"/-/quarantine$", quarantine.show),
        (r"/-/laptops$", records.laptops),
        (r"/-/accounts$", records.accounts),
        (r"/-/log$", records.log),
        (r"/-/exchange/(?P<endpoint>[\w-]+)$", exchange.exchange),
    ]


async def closed(request: Any) -> Any:
    """Answer as if there were no such page."""
    raise NotFound("closed")


def _information(datasette: Any) -> list[tuple[str, Any]]:
    """Datasette's information pages, for administrators only: they show secrets, paths and denied files."""
    pages = {
        "metadata": datasette.metadata,
        "versions": datasette._versions,
        "plugins": datasette._plugins,
        "settings": lambda: datasette._settings,
        "threads": datasette._threads,
        "databases": datasette._connected_databases,
        "actor": None,
    }
    return [(name, _for_administrators(datasette, name, data)) for name, data in pages.items()]


def _for_administrators(datasette: Any, name: str, data: Any) -> Any:
    async def view(request: Any, send: Any) -> Any:
        if not allowed(request.actor, "cunce-administer"):
            raise Forbidden(name)
        shown = JsonDataView(datasette, f"{name}.json", data or (lambda: {"actor": request.actor}))
        return await shown.get(request)

    return view


def wants_json(request: Any) -> bool:
    """Tell whether a program asks: it gets data instead of a page."""
    accepted: str = request.headers.get("accept", "")
    return str(request.path).endswith(".json") or accepted.startswith("application/json")


async def forbidden(datasette: Any, request: Any) -> Any:
    """Return 403 in words; who is not logged in goes to the login page and comes back."""
    if wants_json(request):
        return Response.json({"ok": False, "error": "forbidden", "status": 403}, status=403)
    if request.actor is None and mode_of(datasette) == "hub":
        there = request.path + (f"?{request.query_string}" if request.query_string else "")
        return Response.redirect(datasette.urls.path("/-/login?next=" + quote(there, safe="")))
    return await _page(datasette, request, 403)


async def failed(datasette: Any, request: Any, exception: Exception) -> Any:
    """Return an error's page: what it was in words, never a traceback; details only for those who may see all."""
    status, detail = _status_of(exception)
    if wants_json(request):
        return Response.json({"ok": False, "error": detail or str(status), "status": status}, status=status)
    # Of a page that is not there, Datasette's own English words say nothing more.
    shown = detail if status != 404 and allowed(request.actor, "cunce-administer") else ""
    return await _page(datasette, request, status, shown)


def _status_of(exception: Exception) -> tuple[int, str]:
    if isinstance(exception, DatasetteError):
        # Datasette says 500 for arguments that make no sense, such as a column that is not there.
        status = 400 if exception.status == 500 else exception.status
        return status, "" if exception.message_is_html else str(exception.message)
    if isinstance(exception, Forbidden):
        return 403, ""
    if isinstance(exception, Base400):
        return exception.status, str(exception.args[0] if exception.args else "")
    return 500, ""


async def _page(datasette: Any, request: Any, status: int, detail: str = "") -> Any:
    known = status if status in (400, 403, 404, 500) else 500 if status >= 500 else 400
    body = await datasette.render_template(
        "cunce_error.html", {"status": status, "kind": known, "detail": detail}, request=request
    )
    return Response.html(body, status=status)
