"""Which language a page speaks, and its words: every `ui/words/*.yml`, key -> zh/en."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from forms.problems import LANGUAGES

COOKIE = "cunce_lang"


def language_of(request: Any) -> str:
    """Return zh or en for a Datasette request: what was chosen, else the account's, else the browser's, else zh."""
    if request is None:
        return LANGUAGES[0]
    actor = request.actor or {}
    for wish in (request.args.get("_lang"), request.cookies.get(COOKIE), actor.get("language")):
        if wish in LANGUAGES:
            return str(wish)
    for part in request.headers.get("accept-language", "").split(","):
        wish = part.split(";")[0].strip().lower()[:2]
        if wish in LANGUAGES:
            return str(wish)
    return LANGUAGES[0]


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """Return all words of all pages: key -> language -> sentence with `{name}` slots."""
    merged: dict[str, Mapping[str, str]] = {}
    for file in resources.files("datasette_plugins.ui").joinpath("words").iterdir():
        if file.name.endswith(".yml"):
            merged.update(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    return merged


def say(key: str, language: str = "zh", **slots: Any) -> str:
    """Return the words of a key in a language; an unknown key comes out as itself, so that a page never breaks."""
    entry = words().get(key)
    if entry is None:
        return key
    text = entry.get(language) or entry[LANGUAGES[0]]
    return text.format_map({name: _number(value) for name, value in slots.items()}) if slots else text


def _number(value: Any) -> Any:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
