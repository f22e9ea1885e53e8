"""Serving: the one place that knows Datasette's settings and uvicorn."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from datasette.app import Datasette

from collect.secrets import secret_of
from collect.slices import slice_path, update_slices
from datasette_plugins.desk import Mode, desk_of, open_desk

if TYPE_CHECKING:
    from collect.station import Station

# Why each: docs/hub.md.
SETTINGS: dict[str, Any] = {
    "default_allow_sql": False,
    "allow_download": False,
    "allow_csv_stream": True,  # every export is in the audit log
    "suggest_facets": False,
    "max_returned_rows": 500,
    "default_page_size": 50,
    "default_cache_ttl": 0,
    "num_sql_threads": 3,
}


def build(station: Station, *, mode: Mode, settings: dict[str, Any] | None = None) -> Datasette:
    """Return the Datasette that serves a station's ledgers, with our plugins awake.

    `station`: open; it stays the caller's to close. `mode`: laptop (data entry, one person, this machine only) or hub
    (accounts, roles, exchange). `settings`: Datasette settings over ours.
    """
    folder = station.folder
    if mode == "hub":
        update_slices(station)
    datasette = Datasette(
        [str(path) for path in databases(station, mode)],
        metadata=_metadata(folder, mode),
        settings={**SETTINGS, **(settings or {})},
        secret=secret_of(folder, "datasette"),
        template_dir=str(Path(__file__).parent / "ui" / "pages"),
    )
    open_desk(datasette, station)
    return datasette


def databases(station: Station, mode: Mode) -> list[Path]:
    """Return the SQLite files a station shows: the township's ledgers, and on a hub one file per village."""
    township = station.folder / "township.db"
    if mode == "laptop":
        return [township]
    return [township, *(slice_path(station.folder, village.code) for village in station.villages)]


def serve(
    station: Station,
    *,
    mode: Mode,
    host: str = "127.0.0.1",
    port: int = 8001,
    listening: socket.socket | None = None,
    ready: Callable[[Datasette], None] | None = None,
    begun: Callable[[Callable[[], None]], None] | None = None,
    **uvicorn_options: Any,
) -> None:
    """Serve a station until interrupted; `uvicorn_options` such as ssl_certfile and ssl_keyfile go to uvicorn.

    `listening`: a socket to serve on instead of host and port; `ready` is called just before requests are answered,
    `begun` with what stops it, for a program that serves on a thread.
    A laptop's pages then ask for a token of `datasette_plugins.capture.gate`.
    """
    import uvicorn

    from datasette_plugins.capture.gate import gate_of

    datasette = build(station, mode=mode)
    gate_of(datasette).closed = mode == "laptop"
    config = uvicorn.Config(
        datasette.app(), host=host, port=port, log_level="warning", server_header=False, **uvicorn_options
    )
    server = uvicorn.Server(config)
    try:
        if begun is not None:
            begun(lambda: setattr(server, "should_exit", True))
        if ready is not None:
            ready(datasette)
        server.run(sockets=None if listening is None else [listening])
    finally:
        close(datasette)


def close(datasette: Datasette) -> None:
    """Let a Datasette that stops serving go: its threads and its connections; the station stays open."""
    desk_of(datasette).close()
    if datasette.executor is not None:
        datasette.executor.shutdown(wait=True)
    for database in datasette.databases.values():
        database.close()


def listen(host: str, port: int, tries: int = 20) -> socket.socket:
    """Return a socket that listens on `port` or the next free one after it; raises OSError when `tries` are taken."""
    for offset in range(tries):
        # asyncio turns Nagle's algorithm off only where the protocol is named: else every answer waits 40 ms.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # Windows would let two programs share a port; elsewhere a port that was just closed is free again.
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listening.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            listening.bind((host, port + offset))
        except OSError:
            listening.close()
            if offset == tries - 1:
                raise
        else:
            listening.listen(128)
            return listening
    raise ValueError(tries)


def _metadata(folder: Path, mode: Mode) -> dict[str, Any]:
    metadata: dict[str, Any] = yaml.safe_load(_shipped_metadata()) or {}
    plugins = metadata.setdefault("plugins", {})
    plugins["cunce"] = {**plugins.get("cunce", {}), "station": str(folder), "mode": mode}
    return metadata


def _shipped_metadata() -> str:
    """The wheel carries metadata.yml inside the package; a checkout keeps it at its top."""
    inside = resources.files("datasette_plugins").joinpath("metadata.yml")
    if inside.is_file():
        return inside.read_text(encoding="utf-8")
    return (Path(__file__).parent.parent / "metadata.yml").read_text(encoding="utf-8")
