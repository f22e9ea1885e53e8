"""GCJ-02 in and out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_plugins.village_map.datum import from_gcj02, to_gcj02
from datasette_plugins.village_map.geometry import Position, metres


@given(st.floats(18, 53), st.floats(74, 134))
def test_a_position_comes_back_to_the_millimetre(lat: float, lon: float) -> None:
    here = Position(lat, lon)
    east, north = metres(from_gcj02(to_gcj02(here)), here)
    assert abs(east) < 0.001
    assert abs(north) < 0.001


def test_the_shift_is_a_few_hundred_metres_to_the_south_east_at_beijing() -> None:
    here = Position(39.9087, 116.3975)
    east, north = metres(to_gcj02(here), here)
    assert east == pytest.approx(532, abs=15)
    assert north == pytest.approx(156, abs=15)


def test_positions_abroad_stay() -> None:
    assert to_gcj02(Position(48.85, 2.35)) == Position(48.85, 2.35)
    assert from_gcj02(Position(-33.9, 18.4)) == Position(-33.9, 18.4)
