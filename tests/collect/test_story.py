"""A record's history in words: what its author saw, and what became of it."""

from __future__ import annotations

from pathlib import Path

from collect.station import Station
from collect.story import Turn, story
from tests.collect.ledger_forms import VILLAGE, household


def test_every_change_says_who_and_from_what_to_what(tmp_path: Path) -> None:
    with Station.create(tmp_path / "a", name="a", villages={VILLAGE: "石桥村"}) as station:
        form = household()
        record = station.save({"village": VILLAGE, "head_name": "张三"}, form, author="甲").record
        answers = {**station.answers("household", record), "head_name": "张四"}
        station.save(answers, form, record=record, author="乙")
        station.delete("household", record, author="丙")
        station.restore("household", record, author="丁")
        chapters = story(station, record)
    assert [(each.kind, each.author) for each in chapters] == [
        ("created", "甲"), ("changed", "乙"), ("deleted", "丙"), ("restored", "丁"),
    ]  # fmt: skip
    label = form.children[1].label.plain() or "head_name"
    assert chapters[1].turns == (Turn("head_name", label, "张三", "张四"),)
    assert [each.seq for each in chapters] == [1, 2, 3, 4]


def test_a_change_tells_what_its_author_saw_not_what_stood_beside_it(tmp_path: Path) -> None:
    with Station.create(tmp_path / "a", name="a", villages={VILLAGE: "石桥村"}) as station:
        form = household()
        record = station.save({"village": VILLAGE, "head_name": "一"}, form, author="甲").record
        opened = station.opened("household", record)
        station.save({**opened.answers, "head_name": "二"}, form, record=record, author="甲")
        station.save({**opened.answers, "head_name": "三"}, form, record=record, author="乙", seen=opened.seen)
        turns = [turn for chapter in story(station, record)[1:] for turn in chapter.turns]
    assert [(turn.before, turn.after) for turn in turns] == [("一", "二"), ("一", "三")]


def test_of_what_nobody_knows_there_is_no_story(tmp_path: Path) -> None:
    with Station.create(tmp_path / "a", name="a") as station:
        assert story(station, "nobody") == ()
