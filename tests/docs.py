"""Generate what the docs show of the program: `python -m tests.docs` writes docs/errors.md and docs/commands.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from collect.cli import root
from forms.problems import catalogue

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("forms", "collect", "sync", "datasette_plugins")


def codes_in_source(package: str) -> set[str]:
    """Return every code that a package's modules spell out."""
    prefix = {"datasette_plugins": "PLUGINS"}.get(package, package.upper())
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / package).rglob("*.py"))
    return {code for source in sources for code in re.findall(rf'["\']({prefix}_[A-Z0-9_]+)["\']', source)}


def errors_page() -> str:
    """Return docs/errors.md."""
    parts = [
        "# Errors\n\nEvery message carries a code. Generated from the catalogues by `python -m tests.docs`; "
        "`{…}` stands for a value.\n"
    ]
    for package in PACKAGES:
        entries = catalogue(package)
        if entries:
            parts.append(f"\n## {package}\n\n| code | 说明 | what | fix |\n| --- | --- | --- | --- |\n")
            parts += [_row(code, entry) for code, entry in sorted(entries.items())]
    return "".join(parts)


def commands_page() -> str:
    """Return docs/commands.md: the help of every command."""
    parts = ["# Commands\n\nGenerated from the program by `python -m tests.docs`.\n"]
    for words, command in commands(root, ("cunce",)):
        context = click.Context(command, info_name=" ".join(words), terminal_width=100, max_content_width=100)
        body = "\n".join(f"    {line}".rstrip() for line in command.get_help(context).splitlines())
        parts.append(f"\n## {' '.join(words)}\n\n{body}\n")
    return "".join(parts)


def commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all below it, with the words that call them."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from commands(found, (*words, name))


def _row(code: str, entry: dict[str, dict[str, str]]) -> str:
    cells = (f"`{code}`", f"{entry['zh']['what']}。{entry['zh']['fix']}", entry["en"]["what"], entry["en"]["fix"])
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    (ROOT / "docs" / "errors.md").write_text(errors_page(), encoding="utf-8")
    (ROOT / "docs" / "commands.md").write_text(commands_page(), encoding="utf-8")
