"""A small still map as SVG: one place in the middle, its neighbours around it, a scale bar; pure."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot

from markupsafe import Markup, escape

from datasette_plugins.village_map.geometry import Box, Point, Position, View, metres, thinned
from datasette_plugins.village_map.surroundings import Landmark, Surroundings
from datasette_plugins.village_map.symbols import EDGE, HOUSE, INK, LAND, OUTSIDE, PLACE, STAMP, Colour

_NEAR = 8  # as many neighbours decide how wide the picture is
_LEAST, _MOST = 60.0, 600.0  # metres from the middle to the nearer edge
_COLOURS: dict[str, Colour] = {"house": HOUSE, "place": PLACE, "risk": (178, 60, 20), "group": INK, "centre": INK}


def thumbnail(
    position: Position, around: Surroundings | None = None, *, width: int = 320, height: int = 200, title: str = "",
    names: bool = False,
) -> Markup:  # fmt: skip
    """Return a map of the place and what is around it, as an `<svg>` for a page.

    `width`, `height`: CSS pixels; `title`: what a screen reader says of it; `names`: write the public places' names.
    The picture reaches as far as the eight nearest neighbours, at least 60 and at most 600 m.
    """
    around = around or Surroundings()
    reach = _reach(position, around.landmarks)
    view = View(position, min(width, height) / 2 / reach, Box(0, 0, width, height), (width / 2, height / 2))
    drawn = [
        f'<rect width="{width}" height="{height}" fill="{_hex(OUTSIDE)}"/>',
        *_boundary(around, view),
        *_landmarks(around.landmarks, view, position, names=names),
        *_pin((width / 2, height / 2)),
        *_scale(view),
    ]
    # Latitude and longitude are not written on it: pages are shown to visitors and photographed.
    head = (
        f'<svg class="thumbnail-map" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>'
    )
    return Markup(head + "".join(drawn) + "</svg>")


def _reach(position: Position, landmarks: Iterable[Landmark]) -> float:
    distances = sorted(hypot(*metres(each.position, position)) for each in landmarks)
    others = [distance for distance in distances if distance > 1]
    return min(max([_LEAST, *(distance * 1.15 for distance in others[:_NEAR])]), _MOST)


def _boundary(around: Surroundings, view: View) -> list[str]:
    if not around.boundary:
        return []
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in thinned(map(view.point, around.boundary), step=1.0))
    return [
        f'<polygon points="{points}" fill="{_hex(LAND)}" stroke="{_hex(EDGE)}" stroke-width="1.5"'
        ' stroke-dasharray="8 3"/>'
    ]


def _landmarks(landmarks: Iterable[Landmark], view: View, here: Position, *, names: bool) -> list[str]:
    drawn = []
    for each in landmarks:
        if not view.shows(each.position) or hypot(*metres(each.position, here)) < 1:
            continue
        x, y = view.point(each.position)
        colour = _hex(_COLOURS[each.kind])
        if each.kind == "house":
            drawn.append(f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="{colour}"/>')
        elif each.kind == "risk":
            drawn.append(f'<path d="M{x:.1f} {y - 6:.1f}l5.5 10h-11z" fill="{colour}"/>')
        else:
            drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        if names and each.name and each.kind in ("place", "group"):
            at = f'x="{x + 6:.1f}" y="{y + 4:.1f}"'
            drawn.append(f'<text {at} font-size="11" fill="{colour}">{escape(each.name)}</text>')
    return drawn


def _pin(at: Point) -> list[str]:
    x, y = at
    return [
        f'<path d="M{x:.1f} {y:.1f}c-3-7-8-10-8-16a8 8 0 0 1 16 0c0 6-5 9-8 16z" fill="{_hex(STAMP)}" stroke="#fff"'
        f' stroke-width="1.5"/><circle cx="{x:.1f}" cy="{y - 16:.1f}" r="3" fill="#fff"/>'
    ]


def _scale(view: View) -> list[str]:
    bar, y = view.bar, view.frame.h - 8
    length = bar * view.scale
    said = f"{bar} m" if bar < 1000 else f"{bar / 1000:g} km"
    return [
        f'<path d="M8 {y - 4}v4h{length:.1f}v-4" fill="none" stroke="{_hex(INK)}" stroke-width="1.2"/>'
        f'<text x="{8 + length / 2:.1f}" y="{y - 5}" font-size="10" text-anchor="middle" fill="{_hex(INK)}">{said}'
        "</text>"
    ]


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
