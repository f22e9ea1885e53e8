"""Chinese line breaking."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_plugins.publish.breaking import NEVER_FIRST, NEVER_LAST, break_lines, units


def wide(text: str) -> float:
    return sum(1.0 if ord(character) > 0x2E80 else 0.5 for character in text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("村小学操场，村委会院坝。", 5, ["村小学操", "场，村委会", "院坝。"]),
        ("见《地图管理条例》（第二十二条）", 6, ["见《地图管理", "条例》（第二", "十二条）"]),
        ("降雨 24 小时超过 100 毫米", 6, ["降雨 24 小时", "超过 100 毫", "米"]),
        ("电话13800000001", 7, ["电话", "13800000001"]),
        ("第一行\n第二行", 9, ["第一行", "第二行"]),
        ("", 5, [""]),
        ("abcdefghij", 2, ["abcd", "efgh", "ij"]),
    ],
)
def test_lines_break_where_they_may(text: str, width: float, lines: list[str]) -> None:
    assert break_lines(text, width, wide) == lines


TEXTS = st.text(alphabet="村组户人，。、）》（《“”：；abc 12…—", max_size=60)


@given(TEXTS)
def test_no_character_is_lost(text: str) -> None:
    assert "".join(units(text)) == text
    assert "".join("".join(break_lines(text, 6, wide)).split()) == "".join(text.split())


@given(TEXTS)
def test_no_line_begins_or_ends_with_what_must_not(text: str) -> None:
    lines = [line for line in break_lines(text, 12, wide) if line]
    whole = text.strip()
    for before, after in pairwise(lines):
        # A run of marks wider than the line itself has nowhere else to break; blanks part whatever they stand between.
        if f"{before}{after}" in whole and all(wide(unit) <= 12 for unit in units(text)):
            assert after[0] not in NEVER_FIRST
            assert before[-1] not in NEVER_LAST
