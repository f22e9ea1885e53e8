"""The registry of functions and the table that documents it are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from forms.expressions.functions import FUNCTIONS, Function
from forms.expressions.functions.registry import function

DOCS = Path(__file__).parents[3] / "docs" / "expressions.md"
# What the ODK XForms specification and XPath 1.0 have together.
SPECIFIED = (
    "string concat join substr substring substring-before substring-after translate string-length normalize-space "
    "contains starts-with ends-with uuid digest pulldata base64-decode extract-signed if coalesce once true false "
    "boolean boolean-from-string not regex checklist weighted-checklist number random int sum max min round pow log "
    "log10 abs sin cos tan asin acos atan atan2 sqrt exp exp10 pi floor ceiling count count-non-empty position "
    "instance current randomize id name local-name last today now format-date format-date-time date date-time "
    "decimal-date-time decimal-time time selected selected-at count-selected jr:choice-name jr:itext indexed-repeat "
    "area distance geofence intersects namespace-uri lang"
)


def test_every_specified_function_is_there() -> None:
    assert set(FUNCTIONS) == set(SPECIFIED.split())


def test_documented_table_is_the_registry() -> None:
    written = DOCS.read_text(encoding="utf-8").partition("<!-- functions -->\n")[2].partition("<!-- /functions -->")[0]
    assert written == table()


def test_every_function_says_what_it_returns() -> None:
    for one in FUNCTIONS.values():
        made = one.run or one.build
        assert made is not None
        assert made.__doc__, one.name


def test_unreadable_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="broken"):
        function("broken(", "string")(str)


def table() -> str:
    """Return the table of all functions for the documentation."""
    lines = ["| function | gives |", "| --- | --- |"]
    for name in sorted(FUNCTIONS):
        lines.append(f"| `{name}({signature(FUNCTIONS[name])})` | {FUNCTIONS[name].returns} |")
    return "\n".join(lines) + "\n"


def signature(one: Function) -> str:
    """Return the kinds of a function's arguments as its source writes them."""
    last = len(one.kinds) - 1
    written = []
    for place, kind in enumerate(one.kinds):
        if place == last and one.maximum is None:
            written.append(kind + ("+" if one.minimum > last else "*"))
        else:
            written.append(kind + ("?" if place >= one.minimum else ""))
    return ", ".join(written)


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition("<!-- functions -->\n")
    after = rest.partition("<!-- /functions -->")[2]
    text = f"{before}<!-- functions -->\n{table()}<!-- /functions -->{after}"
    DOCS.write_text(text, encoding="utf-8", newline="\n")
