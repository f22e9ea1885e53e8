"""One cell of a list: how it is answered, the answer it gets, and what the form says to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from collect.editing import EditError, called, state_of
from datasette_plugins.capture.lookup import fitting
from datasette_plugins.capture.sitting import form_language
from datasette_plugins.capture.viewing import Viewing, plain
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station

# How a kind of control is answered in a cell; what is not here is answered on the form page.
_WAYS = {
    "text": "text", "area": "area", "number": "text", "decimal": "text", "range": "text", "date": "text",
    "time": "text", "datetime": "text", "month": "text", "year": "text", "radio": "one", "search": "find",
    "check": "many", "confirm": "one",
}  # fmt: skip


def cell(station: Station, table: str, row: str, column: str, language: str) -> dict[str, Any]:
    """Return how one cell is answered: `way` (text, area, one, find, many), `kind` of control, `value`, `options`,
    `label`, `hint`, `required`; or `why` it is not answered here. `rev`: the row's, now.

    Raises SaveError for a row or a question that is not there.
    """
    family, state, why = state_of(station, table, row, column)
    family.instance.language = form_language(family.instance.form, "", language)
    state = family.instance.state(state.ref)
    view = Viewing(family.instance, language=language, tried=False).of(state)
    way = "" if view is None else _WAYS.get(view.kind, "")
    if not why and not way:
        why = (Problem("COLLECT_EDIT_FIXED", context={"question": state.label or column}),)
    about = {"rev": family.seen[row], "label": state.label or column, "name": called(station, table, row)}
    if why or view is None:
        return {**about, "why": " ".join(plain(problem, language) for problem in why)}
    listed = state.choices if way in ("one", "many") else ()
    return {
        **about, "way": way, "kind": view.kind, "value": view.value, "shown": view.shown,
        "options": [{"name": choice.name, "label": choice.label} for choice in listed],
        "hint": state.hint, "required": state.required,
        "problem": "" if state.problem is None else plain(state.problem, language),
    }  # fmt: skip


def options(station: Station, table: str, row: str, column: str, text: str) -> dict[str, Any]:
    """Return the choices of a cell that fit what is typed."""
    family, state, _ = state_of(station, table, row, column)
    found, more = fitting(family.instance.choices(state.ref), text)
    return {"options": [{"name": choice.name, "label": choice.label} for choice in found], "more": more}


def refusals(station: Station, table: str, error: EditError, language: str) -> list[dict[str, str]]:
    """Return what a change was refused for, row by row, in words."""
    found = []
    for row, problems in error.by_record.items():
        said = [(f"{each.place.name}：" if not each.place.name.startswith("/") and each.place.name else "")
                + plain(each, language) for each in problems]  # fmt: skip
        found.append({"row": row, "name": called(station, table, row), "words": "；".join(said)})
    return found
