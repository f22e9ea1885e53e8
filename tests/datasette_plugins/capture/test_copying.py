"""What is the same as in the household before is taken over by one key, and put back by another."""

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
BASIC = "/data/household_basic"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    villages = {EAST: "洗马塘村", WEST: "青石坡村"}
    with Station.create(tmp_path / "s", name="测试", villages=villages, author="王建国") as made:
        made.add_form(load_shipped("household"))
        yield made


def saved(station: Station, head: str, author: str = "王建国", village: str = EAST, **more: str) -> str:
    answers = {"village": village, "head_name": head, "phone": "13812345678", **more}
    return station.save(answers, "household", author=author).record


def opened(station: Station, village: str = "", record: str = "") -> Sitting:
    sitting = Sittings().open(station, Key(str(uuid7()), "household", record, village, ""), "zh")
    sitting.page()
    return sitting


def step(sitting: Sitting, *changes: dict[str, Any]) -> dict[str, Any]:
    return sitting.change(sitting.counter, changes)


COPY = {"op": "copy", "ref": f"{BASIC}/head_name"}


def test_what_is_marked_and_empty_comes_from_what_the_same_person_saved_last_in_the_village(station: Station) -> None:
    saved(station, "早", group_name="1组", address="旧址")
    saved(station, "张三", group_name="3组", address="洗马塘 12 号")
    saved(station, "别人", author="李会计", group_name="9组")
    saved(station, "别村", village=WEST, group_name="8组")
    sitting = opened(station, EAST)
    answer = step(sitting, {"op": "set", "ref": f"{BASIC}/address", "value": "新址"}, COPY)
    get = sitting.instance.get
    assert (get(f"{BASIC}/group_name"), get(f"{BASIC}/address"), get(f"{BASIC}/phone")) == ("3组", "新址", "")
    assert answer["undo"] == "已照抄“张三”的村民小组"
    assert step(sitting, COPY)["notice"] == "可照抄的都填好了"


def test_taking_over_is_undone_and_keeps_what_was_typed_since(station: Station) -> None:
    saved(station, "张三", group_name="3组", address="洗马塘 12 号")
    sitting = opened(station)
    step(sitting, COPY)
    assert sitting.instance.get(f"{BASIC}/village") == EAST  # not known yet, so taken over too
    step(sitting, {"op": "set", "ref": f"{BASIC}/head_name", "value": "李四"})
    answer = step(sitting, {"op": "undo"})
    assert answer["focus"] == COPY["ref"]
    got = {name: sitting.instance.get(f"{BASIC}/{name}") for name in ("village", "group_name", "address", "head_name")}
    assert got == {"village": "", "group_name": "", "address": "", "head_name": "李四"}
    emptied = {view["ref"] for view in answer["views"] if view.get("value") == ""}
    assert {f"{BASIC}/group_name", f"{BASIC}/address"} <= emptied


def test_without_a_record_before_it_says_so(station: Station) -> None:
    saved(station, "别村", village=WEST, group_name="8组")
    sitting = opened(station, EAST)
    assert "没有可照抄的" in step(sitting, COPY)["notice"]


def test_a_record_that_is_changed_takes_nothing_from_itself(station: Station) -> None:
    record = saved(station, "张三", group_name="3组")
    page = Sittings().open(station, Key(str(uuid7()), "household", record, "", ""), "zh")
    assert not page.page()["carries"]
    assert opened(station, EAST).page()["carries"]
    assert "没有可照抄的" in step(page, COPY)["notice"]
