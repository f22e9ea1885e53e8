"""Records that may be the one being typed are told beside the question, with the way to them, and only these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from collect.station import Station
from datasette_plugins.capture.sitting import Key, Sitting, Sittings
from forms.reader import load_shipped

EAST, WEST = "999999001001", "999999001002"
ID = "11010519491231002X"
ZHANG = {
    "village": EAST, "group_name": "3组", "household_number": "001", "head_name": "张三", "phone": "13812345678",
    "member": [{"name": "张三", "resident_id": ID, "birth_date": "1949-12-31", "sex": "female"},
               {"name": "张小", "birth_date": "1980-01-02", "sex": "male", "phone": "13900000000"}],
}  # fmt: skip
BASIC = "/data/household_basic"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "s", name="测试", villages={EAST: "洗马塘村", WEST: "青石坡村"}) as made:
        made.add_form(load_shipped("household"))
        yield made


def opened(station: Station, record: str = "") -> Sitting:
    sitting = Sittings().open(station, Key(str(uuid7()), "household", record, "", ""), "zh")
    sitting.page()
    return sitting


def put(sitting: Sitting, *answers: tuple[str, str]) -> dict[str, str]:
    """Type answers; return what stands beside questions that changed."""
    changes = [{"op": "set", "ref": ref, "value": value} for ref, value in answers]
    views: list[dict[str, Any]] = sitting.change(sitting.counter, changes)["views"]
    return {view["ref"]: view["aside"] for view in views if "aside" in view}


def test_the_same_number_name_with_birth_date_and_phone_are_told_with_the_way_there(station: Station) -> None:
    record = station.save(ZHANG, "household", author="甲").record
    sitting = opened(station)
    row = "/data/member[1]"
    (told,) = put(sitting, (f"{row}/resident_id", ID.lower())).items()
    assert told[0] == f"{row}/resident_id"
    assert f'href="/-/household/{record}"' in told[1]
    assert "身份证号相同" in told[1]
    assert "洗马塘村 3组" in told[1]
    assert put(sitting, (f"{row}/resident_id", "")) == {f"{row}/resident_id": ""}
    told_of = put(sitting, (f"{row}/name", "张小"), (f"{row}/birth_date", "1980-1-2"))
    assert list(told_of) == [f"{row}/birth_date"]
    assert "张三家" in told_of[f"{row}/birth_date"]
    told_of = put(sitting, (f"{BASIC}/phone", "139 0000 0000"))
    assert "张小" in told_of[f"{BASIC}/phone"]


def test_a_record_is_not_like_itself_and_a_number_of_another_village_is_another(station: Station) -> None:
    record = station.save(ZHANG, "household", author="甲").record
    sitting = opened(station, record)
    assert not any(view.aside for view in sitting.shown.views.values())
    other = opened(station)
    assert put(other, (f"{BASIC}/village", WEST), (f"{BASIC}/household_number", "001")) == {}
    assert list(put(other, (f"{BASIC}/village", EAST))) == [f"{BASIC}/household_number"]


def test_two_people_of_the_household_being_typed_may_be_one(station: Station) -> None:
    sitting = opened(station)
    sitting.change(0, [{"op": "add", "ref": "/data/member", "count": 1}])
    told = put(sitting, ("/data/member[1]/resident_id", ID), ("/data/member[2]/resident_id", ID))
    assert list(told) == ["/data/member[2]/resident_id"]
    assert "第 1 人" in told["/data/member[2]/resident_id"]


def test_names_are_told_as_text(station: Station) -> None:
    member = {"name": "<b>张</b>", "resident_id": ID, "birth_date": "1949-12-31", "sex": "female"}
    station.save({**ZHANG, "member": [member]}, "household", author="甲")
    (told,) = put(opened(station), ("/data/member[1]/resident_id", ID)).values()
    assert "&lt;b&gt;张" in told


def test_a_birthday_of_the_chinese_calendar_is_told_beside_the_day_it_was(station: Station) -> None:
    sitting = opened(station)
    ref = "/data/member[1]/birth_date"
    assert put(sitting, (ref, "n19580304")) == {ref: "农历1958年三月初四"}
    assert sitting.instance.get(ref) == "1958-04-22"
    assert put(sitting, (ref, "1958-4-23")) == {ref: ""}
    assert "没有这一天" in put(sitting, (ref, "农历2021年闰四月初一"))[ref]
