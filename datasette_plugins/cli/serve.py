"""`cunce collect serve`: data entry and browsing on this machine, in the browser."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collect.cli.options import language, station_option
from forms.problems import CunceError, Problem

HOST = "127.0.0.1"
PORT = 8765

_SAID = {
    "zh": {
        "ready": "村册已启动：{name}",
        "new": "新文件夹，还没有台账",
        "taken": "端口 {port} 已被占用，改用 {free}。",
        "open": "请用浏览器打开（网址只能用一次）：",
        "stop": "用完在这个窗口按 Ctrl+C 停下。",
        "stopped": "已停下，填过的都已存好。",
        "backed_up": "已备份并检查：{file}",
        "no_backup": "没有备份：找不到 {folder}（U盘没插？）",
    },
    "en": {
        "ready": "Cunce is running: {name}",
        "new": "a new folder without ledgers",
        "taken": "Port {port} is taken, using {free}.",
        "open": "Open this address in a browser (it works once):",
        "stop": "Press Ctrl+C in this window to stop.",
        "stopped": "Stopped; everything that was entered is kept.",
        "backed_up": "Backed up and checked: {file}",
        "no_backup": "Not backed up: {folder} is not there (is the stick plugged in?)",
    },
}


class ServeError(CunceError):
    """No port is free to serve on."""


def _practise(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Serve invented people, which needs no station of one's own, and throw them away at the end."""
    if not wanted:
        return
    from datasette_plugins.capture.practice import practice_station

    with practice_station() as folder:
        context.invoke(serve, station_dir=folder, port=PORT, browser=True)
    context.exit()


@click.command()
@click.option("--practice", is_flag=True, is_eager=True, expose_value=False, callback=_practise,
              help="Invented people, never synced, thrown away (练习).")  # fmt: skip
@station_option
@click.option("--port", type=click.IntRange(1, 65000), default=PORT, show_default=True, help="Port (端口).")
@click.option("--browser/--no-browser", default=True, help="Open the browser (自动打开浏览器).")
@click.pass_context
def serve(context: click.Context, station_dir: Path, port: int, browser: bool) -> None:
    """在本机登记和查看 (data entry and browsing on this machine)."""
    from collect.station import Station
    from datasette_plugins import serving
    from datasette_plugins.capture.gate import ENTER, gate_of
    from datasette_plugins.capture.welcome import is_new

    said = _SAID[language(context)]
    listening, token = _listen(port), ""
    got = listening.getsockname()[1]

    def tell(token: str, name: str) -> None:
        address = f"http://{HOST}:{got}{ENTER}?token={token}"
        if got != port:
            click.echo(said["taken"].format(port=port, free=got))
        click.echo(said["ready"].format(name=name))
        click.echo(f"{said['open']}\n  {address}\n{said['stop']}")
        if browser:
            webbrowser.open(address)

    if is_new(station_dir):
        token = _welcome(station_dir, listening, lambda first: tell(first, said["new"]))
        if not token:
            listening.close()
            return
    try:
        station = Station.open(station_dir)
    except BaseException:
        listening.close()
        raise

    def ready(datasette: Any) -> None:
        if token:  # the browser is on its way, with this token
            gate_of(datasette).issue(token)
            click.echo(said["ready"].format(name=station.name))
        else:
            tell(gate_of(datasette).issue(), station.name)

    try:
        serving.serve(station, mode="laptop", host=HOST, port=got, listening=listening, ready=ready)
    except KeyboardInterrupt:
        pass  # the way to stop it
    finally:
        listening.close()
        station.close()
    click.echo(said["stopped"])
    _back_up(station_dir, language(context))


def _listen(port: int) -> socket.socket:
    from datasette_plugins import serving

    try:
        return serving.listen(HOST, port)
    except OSError as error:
        raise ServeError(Problem("PLUGINS_PORTS_TAKEN", context={"port": port, "last": port + 19})) from error


def _welcome(folder: Path, listening: socket.socket, told: Callable[[str], None]) -> str:
    """Serve the first page until the folder is a station; return the token that opens it, "" when interrupted."""
    from datasette_plugins.capture.welcome import Welcome

    try:
        return Welcome(folder).serve(listening, told)
    except KeyboardInterrupt:
        return ""


def _back_up(folder: Path, language: str) -> None:
    """Copy the station to where its owner wants it; a stick that is not there is no reason to fail."""
    from collect import preferences
    from collect.backup import back_up

    chosen = preferences.read(folder)
    if not chosen.backup_folder:
        return
    said = _SAID[language]
    if not Path(chosen.backup_folder).is_dir():
        click.echo(said["no_backup"].format(folder=chosen.backup_folder))
        return
    try:
        done = back_up(folder, Path(chosen.backup_folder), passphrase=chosen.backup_passphrase)
        click.echo(said["backed_up"].format(file=done.path))
    except CunceError as error:
        for problem in error.problems:
            click.echo(problem.words(language), err=True)
