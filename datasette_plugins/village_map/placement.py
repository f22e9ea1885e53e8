"""Labels on a map without collisions: greedy, the most important first, near its point before farther away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin

from datasette_plugins.village_map.geometry import Box, Point

_CELL = 4.0  # millimetres of the grid that boxes and dots are looked up in
_RINGS = (0.0, 3.5, 7.0, 12.0, 18.0)
# Right, right above, right below, above, below, then the left side: the order in which labels are read best.
_DIRECTIONS = (0.0, -1 / 8, 1 / 8, -1 / 4, 1 / 4, -3 / 8, 1 / 2, 3 / 8)
_ENOUGH = 0.25  # a place this good is taken at once


@dataclass(frozen=True, slots=True)
class Wish:
    """A label that wants a place: its point, its size (mm), how near it may come, centred on it or beside."""

    at: Point
    width: float
    height: float
    clearance: float = 1.0
    centred: bool = False


@dataclass(slots=True)
class Room:
    """A frame that fills up: boxes already taken (never covered) and dots (covered only where nothing else is free)."""

    frame: Box
    _boxes: dict[tuple[int, int], list[Box]] = field(default_factory=lambda: defaultdict(list))
    _dots: dict[tuple[int, int], list[Point]] = field(default_factory=lambda: defaultdict(list))

    def take(self, box: Box) -> None:
        """Keep a box free of labels from now on."""
        for cell in _cells(box):
            self._boxes[cell].append(box)

    def avoid(self, points: Iterable[Point]) -> None:
        """Prefer places that cover none of these points."""
        for x, y in points:
            self._dots[int(x // _CELL), int(y // _CELL)].append((x, y))

    def is_free(self, box: Box) -> bool:
        """Say whether a box lies inside the frame and covers nothing that was taken."""
        taken = self._boxes
        return self.frame.holds(box) and not any(
            box.overlaps(other) for cell in _cells(box) for other in taken.get(cell, ())
        )

    def crowd(self, box: Box) -> int:
        """Return how many dots a box would cover."""
        dots = self._dots
        return sum(box.has(dot) for cell in _cells(box) for dot in dots.get(cell, ()))


def place(wishes: Sequence[Wish], room: Room) -> list[Box | None]:
    """Return a box for each wish, in the order given, or None where every place is taken; fills `room`."""
    placed: list[Box | None] = []
    for wish in wishes:
        best: Box | None = None
        least = float("inf")
        for far, box in _candidates(wish):
            if far >= least:
                break
            if not room.is_free(box):
                continue
            cost = far + 0.4 * room.crowd(box)
            if cost < least:
                best, least = box, cost
                if cost <= _ENOUGH:
                    break
        if best is not None:
            room.take(best)
        placed.append(best)
    return placed


def _candidates(wish: Wish) -> Iterator[tuple[float, Box]]:
    """Boxes to try, each with the cost of its distance, cheapest first."""
    x, y = wish.at
    if wish.centred:
        yield 0.0, Box(x - wish.width / 2, y - wish.height / 2, wish.width, wish.height)
    for ring in _RINGS:
        for order, direction in enumerate(_DIRECTIONS):
            across, down = cos(2 * pi * direction), sin(2 * pi * direction)
            gap = wish.clearance + ring
            left = x + across * gap + (_side(across) - 1) * wish.width / 2
            top = y + down * gap + (_side(down) - 1) * wish.height / 2
            yield ring / 2 + order * 0.05, Box(left, top, wish.width, wish.height)


def _side(offset: float) -> int:
    """On which side of the point the box lies: -1, 0 (centred), 1."""
    return 0 if abs(offset) < 0.1 else 1 if offset > 0 else -1


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    """The grid's cells that a box touches."""
    for column in range(int(box.x // _CELL), int(box.right // _CELL) + 1):
        for row in range(int(box.y // _CELL), int(box.bottom // _CELL) + 1):
            yield column, row
