"""Units beside numbers, and numbers that are typed with them."""

from __future__ import annotations

import pytest

from datasette_plugins.capture.units import unit_of, without_unit
from forms.definition import Question
from forms.reader import read_rows


def area() -> Question:
    survey = [
        {"type": "decimal", "name": "area", "label::中文 (zh)": "面积（亩）", "label::English (en)": "Farmland (mu)"},
        {"type": "note", "name": "n", "label::中文 (zh)": "好", "label::English (en)": "well"},
    ]
    form = read_rows({"survey": survey, "settings": [{"form_id": "f", "version": "1", "form_title": "f"}]})
    return next(iter(form.questions()))


@pytest.mark.parametrize(
    ("label", "unit"),
    [
        ("面积（亩）", "亩"), ("Floor area (m²)", "m²"), ("面积 （平方公里） ", "平方公里"), ("人数", ""),
        ("（亩）面积", ""), ("比例（0-100）", ""), ("人均可支配收入（元）", "元"), ("", ""),
    ],
)  # fmt: skip
def test_a_label_may_end_with_a_unit(label: str, unit: str) -> None:
    assert unit_of(label) == unit


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3.5亩", "3.5"), ("3.5 亩", "3.5"), ("３．５亩", "3.5"), ("12 MU", "12"), ("12平方米", "12"),
        ("-2元", "-2"), ("3.5", "3.5"), ("12o", "12o"), ("12 km", "12 km"), ("1.", "1."), ("十二亩", "十二亩"),
        ("", ""), ("12亩3分", "12亩3分"),
    ],
)  # fmt: skip
def test_units_fall_away_from_numbers_and_slips_do_not(typed: str, value: str) -> None:
    assert without_unit("decimal", area(), typed) == value
    assert without_unit("text", area(), typed) == typed
