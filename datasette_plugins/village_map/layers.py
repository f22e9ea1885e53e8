"""What a village map shows, as data: boundary, groups, houses, public places, risk points, evacuation routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from datasette_plugins.village_map.geometry import Line, Position

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GroupArea:
    """A villagers' group: its name, where its label stands, and its outline where one is known."""

    name: str
    position: Position | None = None
    outline: Line = ()


@dataclass(frozen=True, slots=True)
class MapRisk:
    """A risk point: the number it has on sheet and list, its hazard's code, where it is, the way out."""

    number: str
    hazard: str
    position: Position | None = None
    route: Line = ()


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A public place: name, the code of its kind, where it is."""

    name: str
    kind: str
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class MapData:
    """Everything on one village's map. Houses carry neither names nor anything else.

    `hazards`, `kinds`: label of each hazard and place code, as the forms word them.
    """

    boundary: Line = ()
    groups: tuple[GroupArea, ...] = ()
    houses: tuple[Position, ...] = ()
    risks: tuple[MapRisk, ...] = ()
    places: tuple[MapPlace, ...] = ()
    hazards: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    kinds: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def positions(self) -> list[Position]:
        """Return every position that is not the boundary's."""
        named = [position for position in self.named() if position is not None]
        routes = [position for risk in self.risks for position in risk.route]
        outlines = [position for group in self.groups for position in group.outline]
        return [*self.houses, *named, *routes, *outlines]

    def named(self) -> list[Position | None]:
        """Return where each group, risk point and public place stands, None for those without coordinates."""
        groups = [group.position for group in self.groups if not group.outline]
        return [*groups, *(risk.position for risk in self.risks), *(place.position for place in self.places)]
