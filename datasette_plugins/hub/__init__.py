"""The hub (and what a laptop shares with it): who is asking, what they may do, and the township's own pages."""

from __future__ import annotations

from typing import Any

from datasette_plugins.desk import configuration, hookimpl, mode_of
from datasette_plugins.hub import pages
from datasette_plugins.hub.gate import guarded
from datasette_plugins.hub.people import actor_of
from datasette_plugins.hub.refresh import followed, look
from datasette_plugins.scope import TOWNSHIP, allowed
from datasette_plugins.ui.language import language_of, say


@hookimpl
def asgi_wrapper(datasette: Any) -> Any:
    """Put the gate around the application."""
    if configuration(datasette) is None:
        return lambda application: application
    return lambda application: guarded(datasette, application)


@hookimpl(tryfirst=True)
def actor_from_request(datasette: Any, request: Any) -> Any:
    """Return who is asking, and tell the gate."""
    if configuration(datasette) is None or request.path.startswith(("/-/static", "/-/exchange")):
        return None

    async def inner() -> dict[str, Any] | None:
        actor = await actor_of(datasette, request)
        if actor is not None and mode_of(datasette) == "hub":
            await look(datasette)
            if not actor["township"]:
                await followed(datasette)
        request.scope.get("cunce", {})["actor"] = actor
        return actor

    return inner


# Datasette takes the last answer: ours must come after every other plugin's.
@hookimpl(trylast=True)
def permission_allowed(datasette: Any, actor: Any, action: str, resource: Any) -> bool | None:
    """Decide every action; what `scope.allowed` does not know is denied."""
    if configuration(datasette) is None:
        return None
    return allowed(actor, action, resource)


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """The pages of the township, and doors in front of Datasette's information pages."""
    if configuration(datasette) is None:
        return []
    return pages.routes(datasette)


@hookimpl
def skip_csrf(datasette: Any, scope: Any) -> bool | None:
    """Exchanges carry a signature of their own and no cookie."""
    if mode_of(datasette) != "hub":
        return None
    return True if scope["path"].startswith("/-/exchange") else None


@hookimpl
def forbidden(datasette: Any, request: Any, message: str) -> Any:
    """Send whoever is nobody to the login page, everybody else a page that says so."""
    if configuration(datasette) is None:
        return None
    return lambda: pages.forbidden(datasette, request)


@hookimpl(tryfirst=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Any:
    """Answer every error in the page's language."""
    if configuration(datasette) is None:
        return None
    return lambda: pages.failed(datasette, request, exception)


@hookimpl(trylast=True)
def menu_links(datasette: Any, actor: Any, request: Any) -> list[dict[str, str]]:
    """The township's pages in the main navigation."""
    mode = mode_of(datasette)
    if mode is None or actor is None:
        return []
    township = [("view-database", f"/{TOWNSHIP}", "nav.ledgers")] if mode == "laptop" else []
    settles = allowed(actor, "cunce-settle", TOWNSHIP)
    waits = ("cunce-settle", "/-/queue", "review.title")
    if not settles:  # who only reads is shown what may be wrong in their villages, too
        waits = ("view-instance", "/-/suspects", "nav.suspects")
    pages_of_hub = [
        ("view-instance", "/", "frame.home"),
        waits,
        ("cunce-stations", "/-/laptops", "nav.laptops"),
        ("cunce-administer", "/-/accounts", "nav.accounts"),
        ("cunce-administer", "/-/log", "nav.log"),
    ]
    language = language_of(request)
    return [
        {"href": datasette.urls.path(path), "label": say(key, language)}
        for action, path, key in township or pages_of_hub
        if allowed(actor, action, TOWNSHIP)
    ]
