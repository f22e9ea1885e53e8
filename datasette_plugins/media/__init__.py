"""Photos and files of records, as pages show them: whoever may see a record may see what it holds, and nobody else."""

from __future__ import annotations

from typing import Any

from datasette_plugins.desk import configuration, hookimpl


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """The address of every blob."""
    if configuration(datasette) is None:
        return []
    from datasette_plugins.media.showing import show

    return [(r"/-/blob/(?P<name>[^/]+)$", show)]
