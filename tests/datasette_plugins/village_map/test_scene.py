"""From layers to marks."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from datasette_plugins.village_map.geometry import Box, Position
from datasette_plugins.village_map.layers import GroupArea, MapData, MapPlace, MapRisk
from datasette_plugins.village_map.scene import Caption, Dots, Scene, Sign, compose
from datasette_plugins.village_map.symbols import HOUSE, hazard_symbol
from tests.datasette_plugins.publish.samples import at, village_map

FRAME = Box(9, 27, 184, 115)


def composed(data: MapData) -> Scene:
    scene = compose(data, FRAME, lambda text, size: len(text) * size * 0.3528)
    assert scene is not None
    return scene


def test_captions_and_signs_do_not_cover_one_another() -> None:
    scene = composed(village_map(houses=900, risks=30))
    boxes = [mark.box for mark in scene.marks if isinstance(mark, Caption)]
    assert len(boxes) == 11
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert all(FRAME.holds(box) for box in boxes)


def test_every_house_is_a_dot_and_nothing_else() -> None:
    scene = composed(village_map(houses=250))
    assert sum(len(mark.points) for mark in scene.marks if isinstance(mark, Dots) and mark.colour == HOUSE) == 250
    words = {mark.text for mark in scene.marks if isinstance(mark, Caption)}
    assert words == {group.name for group in village_map().groups} | {place.name for place in village_map().places}


def test_risk_points_on_one_spot_move_apart_and_keep_their_numbers() -> None:
    risks = tuple(MapRisk(str(n), "flash_flood", at(0, 0)) for n in range(1, 9))
    scene = composed(MapData(risks=risks))
    signs = [mark for mark in scene.marks if isinstance(mark, Sign)]
    assert sorted(mark.text for mark in signs) == [str(n) for n in range(1, 9)]
    assert len({mark.text_at for mark in signs}) == 8
    assert all(mark.colour == hazard_symbol("flash_flood").colour for mark in signs)


def test_what_cannot_be_shown_is_counted() -> None:
    data = MapData(
        groups=(GroupArea("甲组", at(0, 0)), GroupArea("乙组")),
        houses=(at(10, 10), at(50, -50), at(20, 80), Position(40, 116)),
        risks=(MapRisk("1", "flash_flood"),),
        places=(MapPlace("村委会", "committee", at(100, 100)),),
    )
    scene = composed(data)
    assert scene.outside == 1
    assert scene.nowhere == 2


def test_the_legend_names_what_is_shown_and_nothing_else() -> None:
    data = replace(village_map(risks=1), boundary=(), houses=())
    labels = [item.label for item in composed(data).legend]
    assert "村界（示意）" not in labels
    assert "住户" not in labels
    assert labels == ["转移路线", "山洪", "村委会", "卫生室", "学校", "避险场所", "文化广场"]


def test_no_coordinates_give_no_map() -> None:
    assert compose(MapData(groups=(GroupArea("甲组"),)), FRAME, lambda text, size: 1.0) is None
