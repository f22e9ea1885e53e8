"""Problems: what is wrong, where, by which rule and what to do, as data; words come from the catalogues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import yaml

Severity = Literal["error", "warning"]
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# The first word of a code names the package whose messages.yml holds its words.
_PACKAGES = {"FORMS": "forms", "COLLECT": "collect", "SYNC": "sync", "PLUGINS": "datasette_plugins"}
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file, sheet, row (1-based, as Excel shows it), column and question; all optional."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    name: str = ""

    def words(self, language: str) -> str:
        """Return the place for people, e.g. `survey 第 12 行 relevant`; `language`: zh or en."""
        row = "" if self.row is None else (f"第 {self.row} 行" if language == "zh" else f"row {self.row}")
        # A heading of two lines in a workbook stays one line in a message.
        return " ".join(" ".join((self.file, self.sheet, row, self.column, self.name)).split())


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: a catalogue code, its place, and the values that its sentences name.

    `code` begins with FORMS_, COLLECT_, SYNC_ or PLUGINS_ and stands in that package's messages.yml.
    """

    code: str
    place: Place = Place()
    context: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"

    def words(self, language: str = "zh") -> str:
        """Return place, what is wrong and the fix as one line; `language`: zh or en."""
        where = self.place.words(language)
        said, fix = self.sentences(language)
        mark = "：" if language == "zh" else ": "
        join = "。" if language == "zh" else ". "
        return f"{where + mark if where else ''}{said}{join}{fix} [{self.code}]"

    def sentences(self, language: str = "zh") -> tuple[str, str]:
        """Return what is wrong and how to mend it; `language`: zh or en."""
        entry = message(self.code)[language]
        # `said` is another program's own message, whose end may be what matters.
        context = {key: shown(value, 600 if key == "said" else 120) for key, value in self.context.items()}
        return entry["what"].format_map(_Missing(context)), entry["fix"].format_map(_Missing(context))

    def as_data(self) -> dict[str, Any]:
        """Return the problem as JSON-ready data with both languages' words."""
        place = {name: getattr(self.place, name) for name in Place.__dataclass_fields__}
        return {
            "code": self.code,
            "severity": self.severity,
            **{name: value for name, value in place.items() if value not in ("", None)},
            "context": {key: shown(value) for key, value in self.context.items()},
            "message": {language: self.words(language) for language in LANGUAGES},
        }


class CunceError(Exception):
    """The root of all our errors: carries every problem found, and whether trying again may help.

    Subclasses set `retryable`; nothing ever decides by a message's words.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(problem.words("en") for problem in self.problems))

    @property
    def code(self) -> str:
        """The first problem's code."""
        return self.problems[0].code


def shown(value: Any, limit: int = 120) -> str:
    """Return a value as a message shows it: one line, at most `limit` characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 3] + "…"


@cache
def catalogue(package: str) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return a package's messages: code -> language -> {what, fix}; empty where it has no messages.yml."""
    source = resources.files(package).joinpath("messages.yml")
    if not source.is_file():
        return MappingProxyType({})
    return MappingProxyType(yaml.load(source.read_text(encoding="utf-8"), Loader=_LOADER) or {})


def message(code: str) -> Mapping[str, Mapping[str, str]]:
    """Return the words of a code by language; raises KeyError for a code that no catalogue holds."""
    return catalogue(_PACKAGES[code.partition("_")[0]])[code]


class _Missing(dict[str, str]):
    """A message must come out even where its context lacks a value."""

    def __missing__(self, key: str) -> str:
        return "?"
