"""The root command `cunce`; its groups and commands join through the entry-point group `cunce.commands`."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from typing import Any, cast

import click

from collect.memory import collect_rarely
from forms.problems import LANGUAGES, CunceError, Problem

ENTRY_POINTS = "cunce.commands"


class Plugged(click.Group):
    """A group whose commands are entry points, loaded only when asked for, so that `cunce --help` stays quick."""

    @cached_property
    def plugged(self) -> dict[str, EntryPoint]:
        """Entry points by name: `group` or `group.command`."""
        return {point.name: point for point in entry_points(group=ENTRY_POINTS)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all top-level commands, in the order of a day's work."""
        order = ["demo", "form", "station", "collect", "join", "sync", "hub", "publish"]
        names = {name for name in self.plugged if "." not in name}
        return [name for name in order if name in names] + sorted(names.difference(order))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command and add to a group what other packages contribute to it."""
        point = self.plugged.get(cmd_name)
        if point is None:
            return None
        command = cast(click.Command, point.load())
        if isinstance(command, click.Group):
            for name, extra in self.plugged.items():
                group, _, sub = name.partition(".")
                if group == cmd_name and sub and sub not in command.commands:
                    command.add_command(cast(click.Command, extra.load()), sub)
        return command


@click.command(cls=Plugged, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("cunce"), prog_name="cunce")
@click.option("--lang", type=click.Choice(LANGUAGES), envvar="CUNCE_LANG", default="zh", help="Language of messages.")
@click.pass_context
def root(ctx: click.Context, lang: str) -> None:
    """村册 Cunce: offline household surveys. Capture, exchange, browse and publish village ledgers."""
    ctx.obj = {"lang": lang}


def main(arguments: list[str] | None = None) -> None:
    """Run `cunce`; exit status 0, 1 for an error said in words, 2 for wrong usage; never a traceback."""
    prepare_streams()
    collect_rarely()
    try:
        # Without standalone mode click returns the status that a command exits with.
        stopped = root.main(args=arguments, prog_name="cunce", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("已中断，可以重新运行。 / Interrupted; run it again to go on.", err=True)
        sys.exit(130)
    except CunceError as error:
        language = _language(arguments)
        for problem in error.problems:
            click.echo(problem.words(language), err=True)
        sys.exit(1)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except BrokenPipeError:
        # Whoever read our output has enough of it; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        click.echo(unexpected(error).words(_language(arguments)), err=True)
        sys.exit(1)
    if isinstance(stopped, int) and stopped:
        sys.exit(stopped)


def unexpected(error: Exception) -> Problem:
    """Return what to tell people of an error nobody foresaw; the traceback goes to a file for whoever mends it."""
    log = Path(tempfile.gettempdir()) / f"cunce-error-{os.getpid()}.log"
    try:
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        log = Path("-")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Problem("COLLECT_UNEXPECTED", context={"reason": reason, "log": log})


def prepare_streams() -> None:
    """Write UTF-8 whatever the console's code page, and show what it cannot instead of failing (Windows: cp936)."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            encoding = stream.encoding if stream.isatty() else "utf-8"
            reconfigure(encoding=encoding, errors="replace")


def _language(arguments: list[str] | None) -> str:
    """The language asked for, read without click: an error may come before or after its context exists."""
    words = sys.argv[1:] if arguments is None else arguments
    asked = words[words.index("--lang") + 1] if "--lang" in words[:-1] else os.environ.get("CUNCE_LANG", "zh")
    return asked if asked in LANGUAGES else "zh"
