"""How hazards and public places look: a shape and a dark colour by hazard, one character by kind of place."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from datasette_plugins.village_map.geometry import Point

Colour = tuple[int, int, int]

INK: Colour = (33, 37, 41)
MUTED: Colour = (96, 104, 112)
ACCENT: Colour = (16, 84, 90)
PAPER: Colour = (255, 255, 255)
LAND: Colour = (246, 244, 233)
OUTSIDE: Colour = (252, 252, 251)
EDGE: Colour = (128, 84, 130)
HOUSE: Colour = (122, 112, 100)
ROUTE: Colour = (0, 128, 66)
PLACE: Colour = (24, 78, 152)
STAMP: Colour = (190, 30, 36)


@dataclass(frozen=True, slots=True)
class HazardSymbol:
    """A regular polygon (`corners`, turned by `turn` of a full circle; 0 corners: a circle) in one colour."""

    corners: int
    turn: float
    colour: Colour

    @property
    def text_share(self) -> float:
        """How large a number may stand in it: triangles hold less than round shapes."""
        return 0.85 if self.corners == 3 else 1.0

    @property
    def text_down(self) -> float:
        """How far below the middle its number stands, as a share of the radius: a triangle is wide at its foot."""
        return 0.0 if self.corners != 3 else -0.3 if self.turn else 0.45

    def outline(self, centre: Point, radius: float) -> list[Point]:
        """Return the corners around `centre`, millimetres; every shape of about the same area."""
        corners = self.corners or 24
        reach = radius * {3: 1.5, 4: 1.18, 5: 1.1}.get(corners, 1.0)
        down = radius * 0.3 if corners == 3 else 0.0
        down = -down if self.turn else down
        angles = (2 * pi * (step / corners + self.turn) - pi / 2 for step in range(corners))
        return [(centre[0] + reach * cos(a), centre[1] + down + reach * sin(a)) for a in angles]


OTHER_HAZARD = HazardSymbol(4, 0.125, (90, 90, 90))
# The shapes differ as well as the colours: many townships print in black, and some readers tell no red from green.
_HAZARDS = {
    "landslide": HazardSymbol(3, 0.0, (178, 60, 20)),
    "collapse": HazardSymbol(3, 0.5, (148, 34, 54)),
    "debris_flow": HazardSymbol(4, 0.0, (130, 82, 22)),
    "flash_flood": HazardSymbol(0, 0.0, (14, 92, 168)),
    "subsidence": HazardSymbol(5, 0.5, (96, 58, 140)),
    "fissure": HazardSymbol(4, 0.0, (96, 58, 140)),
    "waterlogging": HazardSymbol(6, 0.0, (10, 118, 140)),
    "reservoir": HazardSymbol(6, 0.25, (14, 92, 168)),
    "dangerous_house": HazardSymbol(4, 0.125, (70, 72, 130)),
    "fire": HazardSymbol(5, 0.0, (200, 40, 30)),
    "road": HazardSymbol(8, 0.0, (120, 100, 0)),
    "drowning": HazardSymbol(0, 0.0, (10, 118, 140)),
    "electricity": HazardSymbol(8, 0.0, (168, 76, 0)),
}
_MARKS = {
    "committee": "委", "clinic": "医", "school": "校", "kindergarten": "幼", "elder_care": "养", "square": "广",
    "hall": "堂", "shelter": "避", "shop": "商", "bus_stop": "车", "toilet": "厕", "waste": "垃", "water_works": "水",
    "other": "公",
}  # fmt: skip


def hazard_symbol(code: str) -> HazardSymbol:
    """Return the symbol of a hazard code; unknown codes get the grey square of the others."""
    return _HAZARDS.get(code, OTHER_HAZARD)


def place_mark(kind: str, label: str = "") -> str:
    """Return the character in a public place's square: by kind, else its label's first character."""
    return _MARKS.get(kind) or label[:1] or "公"
