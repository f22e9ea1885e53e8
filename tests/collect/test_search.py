from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.search import keys_of, normal
from collect.station import Station
from collect.surnames import reading
from forms.reader import load_shipped
from tests.collect.ledger_forms import VILLAGE, household

NAMES = ("单雄信", "尉迟恭", "曾国庆", "王·小明", "Smith", "欧阳修", "张三", "张三丰")


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "a", name="a") as made:
        rows = [
            (household(), {"village": VILLAGE, "head_name": name, "phone": f"1381234567{at}"}, None)
            for at, name in enumerate(NAMES)
        ]
        made.save_many(rows, author="李")
        yield made


def found(station: Station, text: str) -> list[str]:
    return [hit.label for hit in station.find(text)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("雄信", ["单雄信"]),
        ("shanxiongxin", ["单雄信"]),
        ("SXX", ["单雄信"]),
        ("yuchi", ["尉迟恭"]),
        ("zeng", ["曾国庆"]),
        ("王小明", ["王·小明"]),
        ("ｓｍｉ", ["Smith"]),
        ("5674", ["Smith"]),
        ("张 5677", ["张三丰"]),
        ("张三", ["张三", "张三丰"]),
        ("zs", ["张三", "张三丰"]),
        ("没有", []),
        ("%", []),
        ("  ", []),
    ],
)
def test_people_are_found_as_they_are_asked_for(station: Station, text: str, names: list[str]) -> None:
    assert found(station, text) == names


def test_search_follows_edits_deletions_and_returns(station: Station) -> None:
    (hit,) = station.find("尉迟")
    assert (hit.table, hit.village) == ("household", VILLAGE)
    answers = station.answers("household", hit.record)
    station.save({**answers, "head_name": "秦琼"}, household(), record=hit.record, author="李")
    assert (found(station, "yc"), found(station, "qq")) == ([], ["秦琼"])
    station.delete("household", hit.record, author="李")
    assert found(station, "qinqiong") == []
    station.restore("household", hit.record, author="李")
    assert found(station, "qinqiong") == ["秦琼"]
    assert station.verify() == ()


def test_limits_and_tables(station: Station) -> None:
    assert len(station.find("1381234", limit=3)) == 3
    assert station.find("张", table="household_member") == ()


def test_readings() -> None:
    assert reading("单雄信") == ("shan", "xiong", "xin")
    assert reading("张单") == ("zhang", "dan")
    assert reading("长孙无忌")[:2] == ("zhang", "sun")
    assert reading("abc") == ()
    assert keys_of("１３８", frozenset({"phone"})) == ("138",)
    assert normal("王 ·Ａ") == "王a"


def test_a_household_is_found_by_part_of_its_address(tmp_path: Path) -> None:
    with Station.create(tmp_path / "b", name="b", villages={VILLAGE: "石桥村"}) as made:
        form = load_shipped("household")
        made.add_form(form)
        made.save({"village": VILLAGE, "head_name": "单雄信", "address": "老屋湾 12 号"}, form, author="李")
        assert [hit.table for hit in made.find("屋湾12")] == ["household"]
        assert made.find("东湾") == ()
