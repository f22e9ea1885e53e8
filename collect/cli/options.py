"""What the commands share: the station they work on, the JSON they print, progress that shows after two seconds."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from forms.problems import CunceError, Problem

Command = TypeVar("Command", bound=Callable[..., Any])
_PATIENCE = 2.0  # seconds before a progress bar is worth its place


class StationNotNamedError(CunceError):
    """No station folder was named and the current folder is none."""


def station_option(command: Command) -> Command:
    """Add `--station DIR`, passed on as `station_dir`; without it the current folder if that is a station."""
    return click.option(
        "--station", "station_dir", type=click.Path(file_okay=False, path_type=Path), envvar="CUNCE_STATION",
        callback=_station, help="The station's folder; by default CUNCE_STATION or the current folder.",
    )(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """Add `--json`, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")(command)


def _station(context: click.Context, _: click.Parameter, value: Path | None) -> Path:
    if value is None and not (Path.cwd() / "station.json").is_file() and not context.resilient_parsing:
        raise StationNotNamedError(Problem("COLLECT_STATION_NOT_NAMED", context={"folder": Path.cwd()}))
    return value or Path.cwd()


def unlock(folder: Path) -> None:
    """Ask for the passphrase of a station's keys, where they have one that the environment does not give."""
    from collect.keychain import PASSPHRASE, Keychain

    if Keychain(folder).locked and sys.stdin.isatty():
        os.environ[PASSPHRASE] = str(click.prompt("Passphrase (密钥口令)", hide_input=True, err=True))


def language(context: click.Context | None = None) -> str:
    """Return the language of messages: zh or en."""
    found = context or click.get_current_context()
    return str((found.find_root().obj or {}).get("lang", "zh"))


def say(zh: str, en: str, *, err: bool = False) -> None:
    """Print a sentence in the language of messages."""
    click.echo(zh if language() == "zh" else en, err=err)


def print_json(data: Any) -> None:
    """Print one JSON object on one line."""
    click.echo(json.dumps(data, ensure_ascii=False, default=str))


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[..., None]]:
    """Yield a callback for (done, total, words behind it) that draws a bar on stderr after two seconds of work."""
    began = time.monotonic()
    shown = 0.0

    def advance(done: int, total: int, words: str = "") -> None:
        nonlocal shown
        now = time.monotonic()
        if now - began < _PATIENCE or (now - shown < 0.2 and done < total):
            return
        shown = now
        width = 30 * done // max(1, total)
        click.echo(f"\r{label} [{'█' * width}{'·' * (30 - width)}] {words or f'{done}/{total}'} ", nl=False, err=True)

    try:
        yield advance
    finally:
        if shown:
            click.echo("", err=True)
