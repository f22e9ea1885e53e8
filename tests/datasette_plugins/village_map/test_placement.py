"""Labels never cover one another."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.placement import Room, Wish, place

FRAME = Box(0, 0, 100, 60)
SPOTS = st.tuples(st.floats(0, 100), st.floats(0, 60))


@settings(max_examples=50, deadline=None)
@given(st.lists(SPOTS, max_size=40), st.floats(3, 20))
def test_placed_labels_are_apart_and_inside(spots: list[tuple[float, float]], width: float) -> None:
    taken = Box(80, 0, 20, 10)
    room = Room(FRAME)
    room.take(taken)
    boxes = [box for box in place([Wish(spot, width, 3) for spot in spots], room) if box]
    assert not [pair for pair in combinations([taken, *boxes], 2) if pair[0].overlaps(pair[1])]
    assert all(FRAME.holds(box) for box in boxes)


def test_a_lone_label_stands_right_beside_its_point() -> None:
    (box,) = place([Wish((50, 30), 10, 3)], Room(FRAME))
    assert box is not None
    assert 50 < box.x < 53


def test_labels_keep_off_the_houses_where_they_can() -> None:
    houses = [(52.0 + n / 10, 28.0 + m / 4) for n in range(90) for m in range(12)]
    room = Room(FRAME)
    room.avoid(houses)
    (box,) = place([Wish((50, 30), 10, 3)], room)
    assert box is not None
    assert not any(box.has(house) for house in houses)


def test_a_full_frame_leaves_a_label_out() -> None:
    room = Room(FRAME)
    room.take(FRAME)
    assert place([Wish((50, 30), 10, 3)], room) == [None]
