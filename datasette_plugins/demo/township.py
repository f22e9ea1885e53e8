"""The invented township of the demo: three villages with groups, places, risk points and boundaries."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

from collect.settings import Village

TOWNSHIP = Village("999999001", "清河镇")
_GROUPS = ("一组", "二组", "三组", "四组")
_HAZARDS = (
    ("崩塌", "后山陡坡", "连续降雨 24 小时超过 50 毫米"),
    ("滑坡", "老屋背坡地", "坡面出现裂缝或有小石块滚落"),
    ("山洪", "清河沟口", "上游水位一小时上涨 0.5 米"),
    ("泥石流", "石板沟", "沟水突然断流或变浑"),
)
_PLACES = (
    ("村党群服务中心", "村部、党群服务中心", 80), ("村卫生室", "卫生室", 12),
    ("完小操场", "应急避难场所", 400), ("幸福互助院", "养老、互助场所", 30), ("文化广场", "文体广场", 200),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """One village: code and name, `centre` (latitude, longitude in WGS-84 degrees), its groups with their centres."""

    village: Village
    centre: tuple[float, float]
    groups: tuple[tuple[str, tuple[float, float]], ...]

    @property
    def code(self) -> str:
        """The village's code."""
        return self.village.code


def places(chance: random.Random) -> tuple[Place, ...]:
    """Return the three villages, their groups strewn around the centre."""
    names = ("前进村", "清泉村", "石板坡村")
    found = []
    for number, name in enumerate(names, start=1):
        centre = (30.9120 + 0.031 * number, 110.2310 + 0.027 * (number % 2))
        groups = tuple(
            (group, moved(centre, 500 + chance.random() * 350, 90 * turn + chance.random() * 50))
            for turn, group in enumerate(_GROUPS)
        )
        found.append(Place(Village(f"{TOWNSHIP.code}00{number}", name), centre, groups))
    return tuple(found)


def moved(start: tuple[float, float], metres: float, degrees: float) -> tuple[float, float]:
    """Return the point `metres` from `start` in a direction (degrees clockwise from north)."""
    north, east = metres * math.cos(math.radians(degrees)), metres * math.sin(math.radians(degrees))
    latitude = start[0] + north / 111_320
    return round(latitude, 6), round(start[1] + east / (111_320 * math.cos(math.radians(start[0]))), 6)


def point(position: tuple[float, float], accuracy: float = 5.0) -> str:
    """Return a position as a geopoint answer."""
    return f"{position[0]} {position[1]} 0 {accuracy}"


def line(positions: list[tuple[float, float]]) -> str:
    """Return positions as a geotrace or geoshape answer."""
    return ";".join(f"{latitude} {longitude} 0 0" for latitude, longitude in positions)


def profile(place: Place, chance: random.Random, households: int, people: int) -> dict[str, Any]:
    """Return the village's own record (村情概况) in labels."""
    ring = [moved(place.centre, 1150 + chance.random() * 350, turn) for turn in range(0, 360, 24)]
    secretary = chance.choice(("周建国", "李国华", "王春梅"))
    return {
        "village": place.code, "area": round(3 + chance.random() * 4, 1), "altitude": chance.randint(420, 980),
        "farmland": chance.randint(900, 2600), "forest": chance.randint(3000, 8000),
        "households_registered": households + chance.randint(0, 9),
        "population_registered": people + chance.randint(10, 60), "income_per_capita": chance.randint(14_000, 21_000),
        "collective_income": round(10 + chance.random() * 30, 1),
        "industry": chance.choice(("茶叶、柑橘", "药材、养蜂", "高山蔬菜")),
        "water": "全部通达", "power": "全部通达", "road": "硬化路", "secretary": secretary,
        "secretary_phone": f"138{chance.randint(0, 99_999_999):08d}", "centre": point(place.centre),
        "boundary": line([*ring, ring[0]]),
        "group": [{"name": name, "location": point(position)} for name, position in place.groups],
    }  # fmt: skip


def risk_points(place: Place, chance: random.Random) -> list[dict[str, Any]]:
    """Return the village's risk points in labels."""
    found = []
    monitors = chance.sample(("李志强", "孙长根", "何永福", "赵秋生", "冯冬梅"), 3)
    for number, (hazard, spot, trigger) in enumerate(chance.sample(_HAZARDS, 3), start=1):
        position = moved(place.centre, 350 + chance.random() * 700, chance.random() * 360)
        refuge = moved(place.centre, 120, 40)
        middle = moved(position, 180, chance.random() * 360)
        homes = chance.randint(2, 9)
        found.append({
            "village": place.code, "number": f"{place.code[-3:]}-{number:02d}", "name": f"{spot}{hazard}",
            "hazard_type": hazard, "state": "监测中", "place": spot, "location": point(position), "households": homes,
            "people": homes * 3 + chance.randint(0, 5), "trigger_condition": trigger,
            "monitor_name": monitors[number - 1],
            "monitor_phone": f"139{chance.randint(0, 99_999_999):08d}", "warning_signal": "铜锣急敲、手摇报警器",
            "evacuation_route": line([position, middle, refuge]), "shelter": "完小操场",
        })  # fmt: skip
    return found


def public_places(place: Place, chance: random.Random) -> list[dict[str, Any]]:
    """Return the village's public places in labels."""
    found = []
    for number, (name, kind, capacity) in enumerate(_PLACES):
        position = moved(place.centre, 60 + 70 * number, 75 * number + chance.random() * 30)
        found.append({
            "village": place.code, "name": f"{place.village.name}{name}".replace("村村", "村"), "kind": kind,
            "location": point(position), "address": f"{place.groups[number % 4][0]}", "capacity": capacity,
        })  # fmt: skip
    return found
