"""Data entry on a laptop: the start page, the form page, and what the form page's script asks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from datasette_plugins.capture.gate import gate_of, guarded
from datasette_plugins.desk import hookimpl, mode_of
from datasette_plugins.ui.language import language_of, say


@hookimpl
def asgi_wrapper(datasette: Any) -> Any:
    """Put the laptop's gate around the application."""
    if mode_of(datasette) != "laptop":
        return lambda application: application
    return lambda application: guarded(application, gate_of(datasette))


@hookimpl(tryfirst=True)
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """The pages of data entry, the start page in Datasette's place."""
    if mode_of(datasette) != "laptop":
        return []
    from datasette_plugins.capture.caring import ROUTES as SETTINGS
    from datasette_plugins.capture.routes import ROUTES
    from datasette_plugins.capture.suspects import ROUTES as SUSPECTS
    from datasette_plugins.capture.syncing import ROUTES as CARE
    from datasette_plugins.household.printing import ROUTES as PRINTING
    from datasette_plugins.household.routes import ROUTES as HOUSEHOLD
    from datasette_plugins.lists.routes import ROUTES as LISTS

    return [*SETTINGS, *CARE, *SUSPECTS, *HOUSEHOLD, *PRINTING, *LISTS, *ROUTES]


@hookimpl
def skip_csrf(datasette: Any, scope: Any) -> bool | None:
    """What our script asks carries a header that other sites cannot send, and no form token."""
    ours = mode_of(datasette) == "laptop" and scope["path"].startswith(("/-/capture/-/", "/-/list/"))
    return True if ours else None


@hookimpl(tryfirst=True)
def menu_links(datasette: Any, actor: Any, request: Any) -> list[dict[str, str]]:
    """Data entry in the main navigation."""
    if mode_of(datasette) != "laptop":
        return []
    pages = (("/", "capture.title"), ("/-/visits", "household.visits"), ("/-/import", "care.import"),
             ("/-/sync", "care.sync"), ("/-/saves", "care.saves"),
             ("/-/care", "care.settings"), ("/-/guide", "care.guide"))  # fmt: skip
    return [{"href": datasette.urls.path(path), "label": say(key, language_of(request))} for path, key in pages]


@hookimpl
def table_actions(datasette: Any, database: str, table: str, request: Any) -> list[dict[str, str]]:
    """The list on paper, on a laptop: the village that was chosen, or all."""
    if mode_of(datasette) != "laptop" or table.endswith("_labels") or table.startswith("_"):
        return []
    village = (request.args.get("_village__exact") or "") if request is not None else ""
    path = f"/-/print/list/{quote(table, safe='')}?{urlencode({'village': village})}"
    return [{"href": datasette.urls.path(path), "label": say("handout.print_list", language_of(request))}]
