"""Symbols of hazards and places."""

from __future__ import annotations

from itertools import combinations

import pytest

from datasette_plugins.village_map.symbols import OTHER_HAZARD, PAPER, Colour, hazard_symbol, place_mark
from forms.reader import load_shipped
from forms.tables import tables_of


def codes(form: str, question: str) -> list[str]:
    columns = tables_of(load_shipped(form))[0].columns
    return next(list(column.choices()) for column in columns if column.name == question)


def light(colour: Colour) -> float:
    """Relative luminance (WCAG 2)."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_hazard_of_the_shipped_form_has_a_symbol_of_its_own() -> None:
    hazards = [code for code in codes("risk_point", "hazard_type") if code != "other"]
    symbols = [hazard_symbol(code) for code in hazards]
    assert OTHER_HAZARD not in symbols
    assert not [pair for pair in combinations(symbols, 2) if pair[0] == pair[1]]


def test_every_kind_of_place_has_a_mark_of_its_own() -> None:
    marks = [place_mark(code) for code in codes("public_place", "kind")]
    assert len(set(marks)) == len(marks)
    assert place_mark("mill", "磨坊") == "磨"
    assert place_mark("") == "公"


@pytest.mark.parametrize("code", ["landslide", "fire", "road", "electricity", "drowning", "unknown"])
def test_white_numbers_are_read_on_every_colour(code: str) -> None:
    assert (light(PAPER) + 0.05) / (light(hazard_symbol(code).colour) + 0.05) >= 4.5
