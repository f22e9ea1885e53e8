"""Projection, fitting and reading of geometry."""

from __future__ import annotations

from itertools import pairwise
from math import hypot

import pytest

from datasette_plugins.village_map.geometry import (
    Box,
    Position,
    fit,
    metres,
    middle,
    read_geojson,
    sampled,
    thinned,
    valid,
)

FRAME = Box(10, 20, 180, 120)
HERE = Position(27.5, 109.2)


def test_metres_agree_with_the_ellipsoid() -> None:
    # A degree at 45 degrees north on WGS-84 measures 111,132 m along the meridian and 78,847 m along the parallel.
    east, north = metres(Position(45 + 1 / 60, 9 + 1 / 60), Position(45, 9))
    assert north == pytest.approx(111_132 / 60, abs=0.1)
    assert east == pytest.approx(78_847 / 60, abs=0.1)


def test_the_scale_bar_is_true() -> None:
    west, east = HERE, Position(27.5, 109.22)
    view = fit((), [west, east], FRAME)
    assert view is not None
    ground = metres(east, west)[0]
    (ax, ay), (bx, by) = view.point(west), view.point(east)
    assert hypot(bx - ax, by - ay) / view.scale == pytest.approx(ground, rel=1e-4)
    assert view.bar * view.scale <= FRAME.w / 4
    assert view.bar in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def test_north_is_up_and_east_is_right() -> None:
    view = fit((), [HERE, Position(27.51, 109.21)], FRAME)
    assert view is not None
    (ax, ay), (bx, by) = view.point(HERE), view.point(Position(27.51, 109.21))
    assert bx > ax
    assert by < ay


@pytest.mark.parametrize("inner", [None, Box(30, 40, 100, 20)])
def test_everything_stands_inside_the_margin(inner: Box | None) -> None:
    points = [HERE, Position(27.52, 109.2), Position(27.5, 109.25)]
    view = fit((), points, FRAME, inner=inner)
    assert view is not None
    assert all((inner or FRAME.inset(7)).inset(-0.01).has(view.point(point)) for point in points)


def test_one_house_alone_is_not_a_village_a_metre_wide() -> None:
    view = fit((), [HERE], FRAME)
    assert view is not None
    assert FRAME.w / view.scale >= 300


def test_a_stray_coordinate_does_not_shrink_the_village() -> None:
    village = [Position(27.5 + n / 1000, 109.2) for n in range(9)]
    alone, strayed = fit((), village, FRAME), fit((), [*village, Position(40.0, 116.0)], FRAME)
    assert alone is not None
    assert strayed is not None
    assert strayed.scale == alone.scale
    assert not strayed.shows(Position(40.0, 116.0))


def test_a_boundary_decides_the_extent_but_near_neighbours_are_kept() -> None:
    ring = (HERE, Position(27.5, 109.22), Position(27.52, 109.22), Position(27.52, 109.2))
    near, far = Position(27.5, 109.223), Position(27.5, 109.9)
    view = fit(ring, [near, far], FRAME)
    assert view is not None
    assert view.shows(near)
    assert not view.shows(far)


def test_nothing_gives_no_view() -> None:
    assert fit((), [], FRAME) is None


def test_the_middle_of_a_ring_is_its_centroid_and_of_a_line_its_mean() -> None:
    square = (Position(0, 10), Position(0, 12), Position(2, 12), Position(2, 10), Position(0, 10))
    assert middle(square) == Position(pytest.approx(1), pytest.approx(11))
    assert middle((Position(0, 0.5), Position(0, 1.5))) == Position(0, 1.0)
    with pytest.raises(ValueError, match="no middle"):
        middle(())


def test_geojson_is_read_and_rubbish_is_not_drawn() -> None:
    assert read_geojson('{"type":"Polygon","coordinates":[[[109.2,27.5,0],[109.3,27.5],[109.2,27.6]]]}')[0] == HERE
    assert read_geojson('{"type":"LineString","coordinates":[[109.2,27.5]]}') == (HERE,)
    silent, ringless = '{"type":"Point","coordinates":[0,0]}', '{"type":"Polygon","coordinates":[]}'
    for rubbish in ("", "[]", "{}", "null", silent, ringless):
        assert read_geojson(rubbish) == ()


def test_a_silent_receivers_zero_is_no_position() -> None:
    assert not valid(Position(0, 0))
    assert not valid(Position(95, 10))
    assert valid(HERE)


def test_a_sampled_line_has_no_gaps() -> None:
    line = sampled([(0.0, 0.0), (10.0, 0.0), (10.0, 4.0)])
    assert line[0] == (0.0, 0.0)
    assert line[-1] == (10.0, 4.0)
    assert all(hypot(bx - ax, by - ay) <= 1.5 for (ax, ay), (bx, by) in pairwise(line))


def test_thinning_keeps_the_ends() -> None:
    line = [(n / 100, 0.0) for n in range(101)]
    thin = thinned(line)
    assert thin[0] == line[0]
    assert thin[-1] == line[-1]
    assert len(thin) < 12
