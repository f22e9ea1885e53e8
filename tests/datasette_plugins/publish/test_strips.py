"""Strips become pages without loss, and keep together what belongs together."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from datasette_plugins.publish.strips import Piece, Strip, paged, space

TOP, BOTTOM = 10.0, 110.0


def piece(*heights: float, holds_next: bool = False, header: tuple[Strip, ...] = ()) -> Piece:
    return Piece(tuple(space(height) for height in heights), holds_next, header)


def pages(*pieces: Piece) -> list[list[float]]:
    return [[placed.strip.height for placed in page]
            for page in paged(pieces, first_top=TOP, top=TOP, bottom=BOTTOM)]  # fmt: skip


def test_a_piece_that_finds_no_room_begins_the_next_page() -> None:
    assert pages(piece(60), piece(30, 20)) == [[60], [30, 20]]


def test_what_holds_the_next_goes_with_it() -> None:
    assert pages(piece(60), piece(30, holds_next=True), piece(11)) == [[60], [30, 11]]
    assert pages(piece(60), piece(30, holds_next=True), piece(10)) == [[60, 30, 10]]


def test_a_header_comes_again_where_a_page_begins() -> None:
    header = (space(5),)
    rows = [piece(40, header=header) for _ in range(5)]
    assert pages(piece(5, 40), *rows[1:]) == [[5, 40, 40], [5, 40, 40], [5, 40]]


def test_what_no_page_can_hold_is_cut_between_strips() -> None:
    assert pages(piece(50), piece(40, 40, 40)) == [[50], [40, 40], [40]]
    assert pages(piece(150)) == [[150]]


@given(st.lists(st.tuples(st.lists(st.floats(1, 60), min_size=1, max_size=4), st.booleans()), max_size=20))
def test_every_strip_is_placed_once_in_order_and_inside(given: list[tuple[list[float], bool]]) -> None:
    pieces = [piece(*heights, holds_next=holds) for heights, holds in given]
    placed = paged(pieces, first_top=TOP, top=TOP, bottom=BOTTOM)
    assert [one.strip for page in placed for one in page] == [strip for one in pieces for strip in one.strips]
    for page in placed:
        for one in page:
            assert one.top >= TOP
            assert one.top + one.strip.height <= BOTTOM + 1e-6
        assert all(a.top + a.strip.height <= b.top + 1e-6 for a, b in pairwise(page))
