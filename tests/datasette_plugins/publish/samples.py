"""Invented villages for the sheet's tests: full, empty, long, crowded; always the same."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from math import cos, pi, sin

from datasette_plugins.publish.sheet_data import Contact, Figure, PlaceRow, RiskRow, Section, SheetData, Sum
from datasette_plugins.village_map.geometry import Position
from datasette_plugins.village_map.layers import GroupArea, MapData, MapPlace, MapRisk

MADE = datetime(2026, 3, 5, 9, 30, tzinfo=timezone(timedelta(hours=8)))
_INDUSTRY = "茶叶 1,200 亩、油茶 800 亩；生猪、林下土鸡养殖；李家湾组有乡村民宿 4 家"
CENTRE = Position(27.5123, 109.1834)
HAZARDS = {"landslide": "滑坡", "flash_flood": "山洪", "debris_flow": "泥石流", "fire": "火灾", "road": "道路隐患"}
KINDS = {"committee": "村委会", "clinic": "卫生室", "school": "学校", "shelter": "避险场所", "square": "文化广场"}


def at(east: float, north: float) -> Position:
    """A position some metres from the invented village's middle."""
    return Position(CENTRE.lat + north / 110_800, CENTRE.lon + east / 98_800)


def village_map(*, houses: int = 180, risks: int = 7) -> MapData:
    """A village of six groups, houses strewn around their middles."""
    dice = random.Random(7)
    ring = tuple(
        at((1500 + 260 * sin(5 * a) + 120 * cos(9 * a)) * cos(a), (1050 + 200 * cos(4 * a)) * sin(a))
        for a in (2 * pi * step / 90 for step in range(90))
    )
    middles = [(-900, 350), (-300, 560), (500, 420), (900, -120), (150, -420), (-700, -350)]
    names = ["上寨组", "李家湾组", "石板田组", "岩脚组", "大坪组", "河边组"]
    groups = tuple(GroupArea(name, at(*spot)) for name, spot in zip(names, middles, strict=True))
    dots = tuple(at(*(axis + dice.gauss(0, 120) for axis in dice.choice(middles))) for _ in range(houses))
    codes = list(HAZARDS)
    points = []
    for number in range(1, risks + 1):
        x, y = (axis + dice.uniform(-260, 260) for axis in middles[number % 6])
        way = (at(x, y), at(x * 0.7, y * 0.8), at(x * 0.4 + 60, y * 0.3)) if number % 3 == 1 else ()
        points.append(MapRisk(str(number), codes[number % len(codes)], at(x, y), way))
    places = (
        MapPlace("村委会", "committee", at(60, 20)),
        MapPlace("村卫生室", "clinic", at(95, 45)),
        MapPlace("青石小学", "school", at(-160, 180)),
        MapPlace("村小学操场避险点", "shelter", at(-150, 160)),
        MapPlace("文化广场", "square", at(70, -20)),
    )
    return MapData(ring, groups, dots, tuple(points), places, HAZARDS, KINDS)


def sections() -> tuple[Section, ...]:
    """Figures as the query gives them."""
    people = (
        Figure("households", "户数", 412, "户", people=True, public=True, head=True),
        Figure("registered", "户籍人口", 1632, "人", people=True, public=True, head=True),
        Figure("resident", "常住人口", 1087, "人", people=True, public=True, head=True),
        Figure("labour", "劳动力", 894, "人", people=True, public=True, head=True),
        Figure("away", "外出务工", 545, "人", people=True, public=True, head=True),
    )
    village = (
        Figure("area", "面积", 6.38, "km²", public=True),
        Figure("altitude", "海拔", 742, "米", public=True),
        Figure("groups", "村民小组", 6, "个", public=True),
        Figure("farmland", "耕地", 1180.5, "亩", public=True),
        Figure("forest", "林地", 4260, "亩", public=True),
        Figure("income", "人均纯收入", 14820, "元", public=True),
        Figure("collective", "集体经营收入", 236000, "元", public=True),
        Figure("water", "饮水", "集中供水，6 个小组全部通水", public=True),
        Figure("power", "供电", "农网改造已完成", public=True),
        Figure("road", "道路", "组组通硬化路", public=True),
        Figure("industry", "主导产业", _INDUSTRY, public=True),
    )
    left_behind = (
        Figure("left_behind", "三留守合计", 154, "人", people=True, public=True),
        Figure("left_behind_child", "留守儿童", 43, "人", people=True, child=True),
        Figure("left_behind_woman", "留守妇女", 27, "人", people=True, public=True),
        Figure("left_behind_elder", "留守老人", 84, "人", people=True, public=True),
    )
    needy = (
        Figure("needy", "困难户", 47, "户", people=True, public=True),
        Figure("needy_dibao", "低保", 31, "户", people=True, public=True),
        Figure("needy_tekun", "特困供养", 9, "户", people=True, public=True),
        Figure("needy_unstable", "脱贫不稳定", 4, "户", people=True, public=True),
        Figure("needy_edge", "边缘易致贫", 2, "户", people=True, public=True),
        Figure("needy_sudden", "突发严重困难", 0, "户", people=True, public=True),
        Figure("needy_rigid", "刚性支出困难", 1, "户", people=True, public=True),
    )
    risks = (
        Figure("risks", "风险点", 7, "处", public=True, head=True),
        Figure("risk_households", "受威胁户", 28, "户", people=True, public=True),
        Figure("risk_people", "受威胁人数", 94, "人", people=True, public=True),
        Figure("risk_landslide", "滑坡", 2, "处", public=True),
        Figure("risk_flash_flood", "山洪", 2, "处", public=True),
        Figure("risk_debris_flow", "泥石流", 1, "处", public=True),
    )
    visits = (
        Figure("visits", "本月走访", 126, "次"),
        Figure("visited", "本月走访户", 118, "户"),
        Figure("coverage", "本月覆盖", "28.6%"),
        Figure("hazards", "发现隐患", 3, "次"),
    )
    return (
        Section("人口与家庭", people),
        Section("基本情况", village),
        Section("三留守人员", left_behind),
        Section("困难户", needy),
        Section("风险点", risks),
        Section("走访", visits),
    )


FIELDS = frozenset(
    f"risk_point.{name}"
    for name in (
        "hazard_type", "name", "place", "location", "households", "people", "state", "evacuation_route", "shelter",
    )
) | {
    "public_place.name", "public_place.kind", "public_place.location", "public_place.address", "public_place.capacity",
    "village.boundary", "village_group.name", "village_group.location",
}  # fmt: skip


def full() -> SheetData:
    """A village with everything."""
    risks = tuple(
        RiskRow(
            str(n), name, HAZARDS[code], place, households, people, state, "连续降雨 24 小时超过 100 毫米", "铜锣三响",
            "村小学操场", "龙海生", "13800000001",
        )
        for n, (name, code, place, households, people, state) in enumerate(
            [
                ("上寨屋后滑坡", "flash_flood", "上寨组后山", 6, 21, "在测"),
                ("岩脚沟", "debris_flow", "岩脚组沟口", 8, 31, "在测"),
                ("河边老桥", "fire", "河边组", 3, 9, "在测"),
                ("大坪急弯", "road", "大坪组 12–19 号", 7, 22, "在测"),
                ("石板田边坡", "landslide", "石板田组公路内侧", 2, 6, "销号"),
                ("河边组低洼地", "flash_flood", "河边组小河左岸", 1, 3, "在测"),
                ("李家湾后山", "debris_flow", "李家湾组", 1, 2, "监测"),
            ],
            start=1,
        )
    )  # fmt: skip
    places = (
        PlaceRow("村委会", "村委会", "大坪组公路旁", 80, "吴主任", "13800000002"),
        PlaceRow("村卫生室", "卫生室", "大坪组", 12, "杨医生", "13800000003"),
        PlaceRow("青石小学", "学校", "李家湾组", 260, "石校长", "13800000004"),
        PlaceRow("村小学操场避险点", "避险场所", "李家湾组", 400, "龙海生", "13800000001"),
        PlaceRow("文化广场", "文化广场", "大坪组", 300),
    )
    contacts = (
        Contact("村党组织书记", "吴志刚", "13800000002"),
        Contact("监测预警", "龙海生", "13800000001"),
        Contact("上寨组长", "杨秀成", "13800000005"),
        Contact("河边组长", "石开元", "13800000006"),
    )
    sums = (Sum("left_behind", ("left_behind_child", "left_behind_woman", "left_behind_elder")),)
    return SheetData(
        "999999001203", "李家湾村", "青石镇", MADE, "2026-03-04", "青石镇中心站", sections(), sums, village_map(),
        risks, places, contacts, public_fields=FIELDS, address="https://qingshi.example/village/999999001203",
    )  # fmt: skip


def empty() -> SheetData:
    """A village of which nothing is known but its name."""
    blank = tuple(
        Section(s.title, tuple(replace(f, value=0 if f.people else None) for f in s.figures)) for s in sections()
    )
    return SheetData("999999001204", "新寨村", "青石镇", MADE, "", "", blank)


def long() -> SheetData:
    """Long names, long lists, rare characters, many hazards."""
    base = full()
    risks = tuple(
        replace(base.risks[n % 7], number=f"青-{n:03d}" if n % 5 == 0 else str(n),
                name=f"{base.risks[n % 7].name}（{'二' * (n % 4)}期治理工程影响范围内，含下游村道）")
        for n in range(1, 48)
    )  # fmt: skip
    places = tuple(replace(base.places[n % 5], name=f"{base.places[n % 5].name}{n}号服务点") for n in range(1, 31))
    contacts = (
        *base.contacts, Contact("网格员（𬱖𫖯㛃䶮）", "欧阳𪚥𠮷", "13800000007"),
        Contact("驻村第一书记、工作队队长", "买买提·吐尔逊江", "13800000008"),
    )  # fmt: skip
    name = "青石镇苗族侗族自治乡李家湾与石板田联合行政村"
    crowd = village_map(houses=900, risks=47)
    return replace(base, village=name, risks=risks, places=places, contacts=contacts, map=crowd)


def crowded() -> SheetData:
    """Three thousand houses and no boundary."""
    return replace(full(), map=replace(village_map(houses=3000, risks=30), boundary=()), address="")
