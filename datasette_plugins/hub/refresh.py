"""After every change: village slices brought up to date, and new ones opened without a restart."""

from __future__ import annotations

from typing import Any

from datasette.database import Database

from collect.slices import slice_path, update_slices
from datasette_plugins.desk import desk_of


async def refresh(datasette: Any) -> None:
    """Bring the slices of a hub to what its township shows now and open those this Datasette does not serve yet."""
    desk = desk_of(datasette)
    await desk.run(update_slices)
    for village in desk.station.villages:
        if village.code not in datasette.databases:
            path = slice_path(desk.station.folder, village.code)
            datasette.add_database(Database(datasette, str(path), is_mutable=True), name=village.code)
