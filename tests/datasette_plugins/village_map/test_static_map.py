"""The small still map of a place and its neighbours."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from collect.station import Station
from datasette_plugins.village_map import Surroundings, surroundings, thumbnail
from datasette_plugins.village_map.geometry import Position
from datasette_plugins.village_map.surroundings import Landmark
from forms.reader import load_shipped

HERE = Position(26.647, 106.6302)


def test_a_place_alone_is_a_pin_and_a_scale() -> None:
    drawn = ElementTree.fromstring(thumbnail(HERE, title="<张三>家"))
    assert drawn.find("{http://www.w3.org/2000/svg}title").text == "<张三>家"  # type: ignore[union-attr]
    assert [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")] == ["20 m"]


def test_neighbours_are_drawn_and_no_house_is_named() -> None:
    around = Surroundings((), (
        Landmark("house", "张三", Position(26.6475, 106.6302)),
        Landmark("place", "村委会", Position(26.647, 106.631)),
        Landmark("house", "李四", Position(27.9, 108.0)),
    ))  # fmt: skip
    drawn = str(thumbnail(HERE, around, names=True))
    assert "村委会" in drawn
    assert "张三" not in drawn
    assert len(re.findall(r"<rect", drawn)) == 2, "the ground, and the one house within reach"
    assert "106.63" not in drawn


def test_surroundings_come_from_the_ledgers(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="一号", villages={"999999001001": "洗马塘村"}) as station:
        form = load_shipped("household")
        station.add_form(form)
        near = {"village": "999999001001", "head_name": "张三", "location": "26.647 106.6302 0 0"}
        station.save(near, form, author="甲")
        station.save({"village": "999999001001", "head_name": "无处"}, form, author="甲")
        found = surroundings(tmp_path / "s" / "township.db", "999999001001")
        assert [(each.kind, each.name, each.position) for each in found.landmarks] == [("house", "张三", HERE)]
        assert surroundings(tmp_path / "s" / "township.db", "999999001002") == Surroundings()
