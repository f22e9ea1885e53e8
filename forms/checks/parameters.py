"""Parameters: `key=value` pairs that the question's type knows, with values it can take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from forms.checks.authored import Authored, AuthoredRow
from forms.problems import Problem
from forms.vocabulary import PARAMETERS, nearest

_PAIR: Final = re.compile(r"(?P<key>[\w\-]+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;]+)")
_BETWEEN: Final = re.compile(r"[\s,;]*")
_WHOLE: Final = frozenset({"rows", "max-pixels", "location-min-interval", "location-max-age"})
_REAL: Final = frozenset({"start", "end", "step", "capture-accuracy", "warning-accuracy", "tick_interval"})
_CHOICES: Final = {
    "randomize": ("true", "false"),
    "track-changes": ("true", "false"),
    "identify-user": ("true", "false"),
    "allow-mock-accuracy": ("true", "false"),
    "incremental": ("true", "false"),
    "quality": ("voice-only", "low", "normal", "external"),
    "location-priority": ("no-power", "low-power", "balanced", "high-accuracy"),
}


def check(form: Authored) -> Iterator[Problem]:
    """Check the parameters of every question."""
    for row in form.questions:
        text = row.text("parameters")
        if text:
            yield from _row(row, text)


def _row(row: AuthoredRow, text: str) -> Iterator[Problem]:
    if _BETWEEN.fullmatch(_PAIR.sub("", text)) is None:
        yield row.problem("FORMS_PARAMETERS_BROKEN", "parameters")
        return
    known = PARAMETERS.get(row.type.name, ())
    values = {match["key"].lower(): match["value"].strip("'\"") for match in _PAIR.finditer(text)}
    for key, value in values.items():
        if key not in known:
            meant = nearest(key, known)
            code = "FORMS_PARAMETER_UNKNOWN_MEANT" if meant else "FORMS_PARAMETER_UNKNOWN"
            shown = ", ".join(known) or "-"
            yield row.problem(code, "parameters", key=key, meant=meant, known=shown, type=row.type.name)
        elif not _fits(key, value):
            wanted = " / ".join(_CHOICES.get(key, ())) or ("12" if key in _WHOLE else "1.5")
            yield row.problem("FORMS_PARAMETER_VALUE", "parameters", key=key, given=value, wanted=wanted)
    if row.type.name == "range":
        yield from _range(row, values)
    if "seed" in values and values.get("randomize") != "true":
        yield row.problem("FORMS_PARAMETER_SEED", "parameters")


def _fits(key: str, value: str) -> bool:
    if value.startswith("${"):
        return True
    if key in _CHOICES:
        return value in _CHOICES[key]
    if key in _WHOLE:
        return re.fullmatch(r"\d+", value) is not None
    return key not in _REAL or re.fullmatch(r"-?\d+(\.\d+)?", value) is not None


def _range(row: AuthoredRow, values: dict[str, str]) -> Iterator[Problem]:
    """A range's steps lead from its start to its end."""
    try:
        start, end = float(values.get("start", "1")), float(values.get("end", "10"))
        step = float(values.get("step", "1"))
    except ValueError:
        return
    if step == 0 or abs(step) > abs(end - start):
        yield row.problem("FORMS_RANGE_STEP", "parameters", start=start, end=end, step=step)
