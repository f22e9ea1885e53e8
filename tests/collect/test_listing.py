from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collect.conditions import Unsent
from collect.ledgers import Ledger
from collect.listing import ListError, fitting_ids, listing, names_of, page
from collect.station import Station
from forms.reader import load_shipped
from tests.collect.cli.test_root import cunce

VILLAGES = (("999999001001", "洗马塘村"), ("999999001002", "青石坡村"))


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    homes = [
        ("单雄信", "0012", "999999001001", "ordinary", 88.5),
        ("曾国庆", "0100", "999999001001", "subsistence five_guarantee", 120),
        ("仇英", "12", "999999001002", None, None),
    ]
    with Station.create(tmp_path / "a", name="a", villages=VILLAGES) as made:
        form = load_shipped("household")
        made.add_form(form)
        for name, number, village, kind, area in homes:
            answers = {
                "village": village, "head_name": name, "household_number": number, "household_type": kind,
                "house_area": area, "member": [{"name": name, "sex": "male"}],
            }  # fmt: skip
            made.save(answers, form, author="李")
        yield made


def heads(station: Station, *words: str, sort: str = "") -> list[str]:
    ledger = station.projection.ledgers["household"]
    names = {village.code: village.name for village in station.villages}
    wanted = listing(ledger, words=words, columns=["head_name"], villages=names, sort=sort)
    return [row["head_name"] for row in page(station.projection.path, wanted).rows]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["head_name=仇英"], ["仇英"]),
        (["户主姓名~国"], ["曾国庆"]),
        (["行政村=洗马塘村"], ["单雄信", "曾国庆"]),
        (["village!=999999001001"], ["仇英"]),
        (["household_number=12"], ["仇英"]),
        (["household_type=subsistence"], ["曾国庆"]),
        (["household_type="], ["仇英"]),
        (["household_type!="], ["单雄信", "曾国庆"]),
        (["house_area>90"], ["曾国庆"]),
        (["house_area>=88.5", "house_area<100"], ["单雄信"]),
        (["head_name~%"], []),
        (["household_type=ordinary|低保户"], ["单雄信", "曾国庆"]),
        (["household_type~低保"], ["曾国庆"]),
    ],
)
def test_a_ledger_is_filtered_as_people_ask(station: Station, words: list[str], names: list[str]) -> None:
    assert heads(station, *words) == names


def test_rows_are_sorted_paged_counted_and_labelled(station: Station) -> None:
    assert heads(station, sort="-house_area") == ["曾国庆", "单雄信", "仇英"]
    ledger = station.projection.ledgers["household"]
    wanted = listing(ledger, columns=["village", "户主姓名"], sort="household_number", limit=1, offset=2)
    found = page(station.projection.path, wanted)
    assert (found.total, [(row["village"], row["head_name"]) for row in found.rows]) == (3, [("洗马塘村", "曾国庆")])
    coded = page(station.projection.path, wanted, codes=True)
    assert coded.rows[0]["village"] == "999999001001"


def test_numbers_in_texts_are_sorted_as_numbers_and_empty_ones_come_last(station: Station) -> None:
    assert heads(station, sort="household_number") == ["单雄信", "仇英", "曾国庆"]
    assert heads(station, sort="-household_number") == ["曾国庆", "仇英", "单雄信"]
    assert heads(station, sort="household_type") == ["单雄信", "曾国庆", "仇英"]


def test_rows_are_sorted_by_what_a_link_is_called(station: Station) -> None:
    ledgers = station.projection.ledgers
    for sort, names in (("_parent", ["仇英", "单雄信", "曾国庆"]), ("-_parent", ["曾国庆", "单雄信", "仇英"])):
        wanted = listing(ledgers["household_member"], columns=["name"], ledgers=ledgers, sort=sort)
        assert [row["name"] for row in page(station.projection.path, wanted).rows] == names


def test_a_link_is_filtered_by_what_its_record_is_called(station: Station) -> None:
    ledgers = station.projection.ledgers
    wanted = listing(ledgers["household_member"], words=["_parent~单雄"], columns=["name"], ledgers=ledgers)
    found = page(station.projection.path, wanted)
    assert [row["name"] for row in found.rows] == ["单雄信"]
    names = names_of(station.projection.path, [(ledgers["household"], [found.rows[0]["_parent"]])])
    assert list(names.values()) == ["单雄信 0012"]


def test_what_the_township_lacks_counts_rows_below(station: Station) -> None:
    ledgers, held = station.projection.ledgers, station.journal.held()[station.id]
    household, members = ledgers["household"], ledgers["household_member"]
    (record,) = [row["_id"] for row in station.projection.rows("household", "head_name", "仇英")]
    answers = station.answers("household", record)
    answers["member"][0]["phone"] = "13812345678"
    station.save(answers, "household", record=record, author="李")

    def lacking(below: list[Ledger]) -> list[str]:
        unsent = Unsent(household, below, station.id, held)
        found = replace(listing(household, columns=["head_name"]), where=(unsent,))
        return [row for row, _ in fitting_ids(station.projection.path, found, most=9)]

    assert lacking([]) == []
    assert lacking([members]) == [record]


def test_every_word_that_says_nothing_is_named_at_once(station: Station) -> None:
    with pytest.raises(ListError) as caught:
        heads(station, "没有=1", "???", sort="nothing")
    assert [problem.code for problem in caught.value.problems] == [
        "COLLECT_LIST_COLUMN", "COLLECT_LIST_WHERE", "COLLECT_LIST_COLUMN",
    ]  # fmt: skip


def test_a_surname_is_found_by_both_of_its_readings(station: Station) -> None:
    for text, name in (("shanxx", ""), ("shanxiongxin", "单雄信"), ("danxiong", "单雄信"), ("dxx", "单雄信"),
                       ("cgq", "曾国庆"), ("zgq", "曾国庆"), ("chou", "仇英"), ("qiuying", "仇英")):  # fmt: skip
        found = station.find(text, table="household_member")
        assert [hit.label for hit in found] == ([name] if name else []), text


def test_the_terminal_finds_and_lists(station: Station) -> None:
    folder = station.folder
    hits = json.loads(cunce("collect", "find", "dxx", "--json", "--station", folder).stdout)["hits"]
    assert {hit["table"] for hit in hits} == {"household", "household_member"}
    listed = cunce(
        "collect", "list", "household", "--where", "行政村=青石坡村", "--columns", "head_name,village", "--csv",
        "--station", folder,
    )  # fmt: skip
    assert listed.stdout == "户主姓名,行政村\n仇英,青石坡村\n"
    wrong = cunce("collect", "list", "nothing", "--station", folder)
    assert wrong.returncode == 1
    assert "COLLECT_LIST_TABLE" in wrong.stderr
