"""The frame of every page: templates, static files, words in two languages, labels of ledgers.

All assets of all our plugins stand in `ui/static`: one distribution has one static prefix, `/-/static-plugins/cunce/`.
`ui/templates` holds pages of our own (named `cunce_*.html` or `<plugin>_*.html`); `ui/pages` holds what replaces
Datasette's own templates, and is only given to a Datasette that serves a station.
"""

from __future__ import annotations

import mimetypes
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from collect import preferences
from collect.hlc import local
from datasette_plugins.desk import configuration, desk_of, hookimpl, mode_of
from datasette_plugins.ui.browsing import browsing, conditions_of
from datasette_plugins.ui.language import language_of, say

STATIC = "/-/static-plugins/cunce/"
# Windows' registry may call scripts plain text, and browsers run no module that is called so.
mimetypes.add_type("text/javascript", ".js")


@pass_context
def _say_here(context: Context, key: str, **slots: Any) -> str:
    return say(key, context.get("lang", "zh"), **slots)


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Give templates `t(key, **slots)`, the words of a key in the page's language, `static(name)`, and the
    filter `local`: a moment as the ledgers show it."""
    if configuration(datasette) is not None:
        env.globals["t"] = _say_here
        env.filters["local"] = local
        env.globals["static"] = lambda name: datasette.urls.path(STATIC + name)


@hookimpl
def extra_template_vars(database: str | None, request: Any, datasette: Any) -> Any:
    """Give every page its language, the station and its mode, and pages over ledgers `browse`."""
    if configuration(datasette) is None:
        return {}

    async def inner() -> dict[str, Any]:
        found = {"lang": language_of(request), "station": desk_of(datasette).station, "mode": mode_of(datasette)}
        if found["mode"] == "laptop":
            found["text_size"] = preferences.read(desk_of(datasette).station.folder).text_size
        found["practice"] = (desk_of(datasette).station.folder / "practice").exists()
        if database is not None and request is not None:
            found["browse"] = await browsing(datasette, request, database)
        return found

    return inner


@hookimpl
def filters_from_request(request: Any, database: str, table: str, datasette: Any) -> Any:
    """Our search box, and one of several codes."""
    if configuration(datasette) is None:
        return None
    return lambda: conditions_of(datasette, request, database, table)
