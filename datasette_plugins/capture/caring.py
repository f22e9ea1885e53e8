"""The settings page: who saves here, and where backups go, at once and whenever the program ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasette.utils.asgi import Response

from collect import preferences
from collect.backup import Kept, back_up, copies
from collect.station import Station
from datasette_plugins.capture.jobs import Job, jobs_of
from datasette_plugins.capture.syncing import sticks
from datasette_plugins.desk import desk_of
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError


async def settings(datasette: Any, request: Any) -> Any:
    """Show what is chosen (GET); keep it, or back up now (POST)."""
    folder, language = desk_of(datasette).station.folder, language_of(request)
    if request.method == "POST":
        fields = await request.post_vars()
        author, place, village, size = (
            str(fields.get(name) or "").strip() for name in ("author", "folder", "village", "text_size")
        )
        before = preferences.read(folder)
        passphrase = "" if fields.get("plain") else str(fields.get("passphrase") or "") or before.backup_passphrase
        chosen = replace(
            before, backup_folder=place, backup_passphrase=passphrase, village=village,
            text_size=size if size in preferences.SIZES else "",
        )

        def keep(station: Station) -> None:
            preferences.write(station.folder, chosen)
            if author and author != station.author:
                station.set_author(author)

        try:
            await desk_of(datasette).run(keep)
            datasette.add_message(request, say("care.kept", language), datasette.INFO)
        except CunceError as error:
            datasette.add_message(request, error.problems[0].words(language), datasette.ERROR)
        if fields.get("do") == "backup" and place:
            jobs_of(datasette).start(
                Job("backup"), lambda job: back_up(folder, Path(place), passphrase=chosen.backup_passphrase)
            )
        return Response.redirect(datasette.urls.path("/-/care"), status=303)
    chosen, job = preferences.read(folder), jobs_of(datasette).last
    there = await asyncio.to_thread(_copies, chosen.backup_folder, desk_of(datasette).station.id)
    context = {
        "villages": desk_of(datasette).station.villages, "village": chosen.village,
        "sizes": preferences.SIZES, "text_size": chosen.text_size,
        "author": desk_of(datasette).station.author, "folder": chosen.backup_folder, "language": language,
        "sealed": bool(chosen.backup_passphrase), "sticks": sticks(),
        "copies": None if there is None else [
            {"name": kept.path.name, "at": f"{kept.at:%Y-%m-%d %H:%M}", "size": kept.size // 1000 + 1,
             "sealed": kept.sealed} for kept in there
        ],
        "job": job if job is not None and job.kind == "backup" else None,
    }  # fmt: skip
    return Response.html(await datasette.render_template("capture/care.html", context, request=request))


def _copies(folder: str, station: str) -> tuple[Kept, ...] | None:
    """This station's copies where they are kept; None where that cannot be read, as when the stick is not there."""
    if not folder or not Path(folder).is_dir():
        return None
    try:
        return copies(Path(folder), station)
    except CunceError:
        return None


ROUTES = ((r"/-/care/?$", settings),)
