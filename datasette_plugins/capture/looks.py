"""Looks: what an appearance does to the way choices stand on the page. Source: XLSForm reference, "Appearances"."""

from __future__ import annotations

import re

from forms.definition import Question

# Their authors want every choice seen at once, many or not.
_LAID_OUT = frozenset({"horizontal", "horizontal-compact", "no-buttons", "compact", "likert", "list", "list-nolabel"})
_MOST_LAID_OUT = 40
_MOST_ABREAST = 10


def laid_out(question: Question, choices: int, *, pictured: bool) -> bool:
    """Tell whether all choices stand on the page however many they are: laid out by their author, or with pictures."""
    words = question.appearance
    return choices <= _MOST_LAID_OUT and (
        pictured or any(word in _LAID_OUT or re.match(r"(columns|quickcompact|compact)", word) for word in words)
    )


def quick(question: Question) -> bool:
    """Tell whether a choice goes on to the next question by itself, however it is made."""
    return question.type == "select_one" and any(re.match(r"quick(compact|$)", word) for word in question.appearance)


def classes(question: Question) -> str:
    """Return the classes of a list of choices: `cols cols-3`, `cols-pack`, `likert`, `bare`, `matrix`."""
    found: list[str] = []
    for word in question.appearance:
        columns = re.fullmatch(r"(columns|compact|quickcompact)(?:-(\d+))?", word)
        if columns:
            found += ["cols", f"cols-{min(int(columns[2]), _MOST_ABREAST)}" if columns[2] else "cols-fit"]
        if word in ("columns-pack", "columns-flex", "horizontal", "horizontal-compact"):
            found.append("cols-pack")
        if word in ("no-buttons",) or "compact" in word:
            found.append("bare")
        if word == "likert":
            found.append("likert")
        if word in ("label", "list", "list-nolabel"):
            found.append("matrix")
        if word == "list-nolabel":
            found.append("unlabelled")
    return " ".join(dict.fromkeys(found))
