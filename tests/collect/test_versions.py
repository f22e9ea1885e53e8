"""Several versions of one form: renamed, removed and newly required questions, in one station and between stations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from forms.definition import Form
from forms.lineage import union
from forms.tables import tables_of
from tests.forms.inline import form

VILLAGE = "520000000001"
HEAD = "| type | name | label | required | ledger::was |\n"
ROWS = """
    | begin repeat | member | 成员 | | |
    | text | {0} | 姓名 | yes | {1} |
    {2}
    | end repeat | | | | |
"""


def version(number: str, survey: str, rows: str = "") -> Form:
    return form(HEAD + survey + rows, form_id="home", version=number)


# head -> owner -> master; the road is dropped, water comes and must be answered; the newest no longer says what was.
V1 = version("1", "| text | head | 户主 | yes | |\n| text | road | 路 | | |\n| text | area | 面积 | | |",
             ROWS.format("name", "", "| text | shoe | 鞋码 | | |"))  # fmt: skip
MORE = "| integer | area | 面积 | | |\n| text | water | 水源 | yes | |"
V2 = version("2", f"| text | owner | 户主 | yes | head |\n{MORE}",
             ROWS.format("called", "name", ""))  # fmt: skip
V3 = version("3", f"| text | master | 户主 | yes | owner |\n{MORE}",
             ROWS.format("called", "", "| text | sex | 性别 | yes | |"))  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "laptop", name="laptop", villages={VILLAGE: "前进"}) as made:
        yield made


def save(station: Station, made: Form, answers: dict[str, Any], record: str | None = None) -> str:
    return station.save(answers, made, record=record, author="a", village=VILLAGE).record


OLD = {"head": "张三", "road": "土路", "area": "大约90", "member": [{"name": "李四", "shoe": "42"}]}


def test_union_knows_every_name_a_question_ever_had() -> None:
    root, member = union([tables_of(each) for each in (V3, V2, V1)])
    assert [column.name for column in root.columns] == ["master", "area", "water", "road"]
    assert root.aliases == {"owner": "master", "head": "master"}
    assert ([column.name for column in member.columns], member.aliases) == (
        ["called", "sex", "shoe"], {"name": "called"},
    )  # fmt: skip


def test_a_name_that_is_used_again_is_no_older_name() -> None:
    reused = version("3", "| text | owner | 户主 | | head |\n| text | head | 头 | | |")
    (root, *_) = union([tables_of(each) for each in (reused, V1)])
    assert root.aliases == {}


def test_a_record_of_the_first_version_reads_and_saves_as_the_third(station: Station) -> None:
    record = save(station, V1, OLD)
    station.add_form(V2)
    station.add_form(V3)
    answers = station.answers("home", record)
    assert (answers["master"], answers["road"], answers["area"]) == ("张三", "土路", "大约90")
    assert [(row["called"], row["shoe"]) for row in answers["member"]] == [("李四", "42")]
    instance = station.instance("home", record)
    assert instance.unplaced == {"road": "土路", "member[1]/shoe": "42"}
    assert [(problem.code, problem.place.name, problem.severity) for problem in instance.problems()] == [
        ("FORMS_VALUE_INTEGER", "/data/area", "error"), ("FORMS_VALUE_REQUIRED_SINCE", "/data/water", "warning"),
        ("FORMS_VALUE_REQUIRED_SINCE", "/data/member[1]/sex", "warning"),
    ]  # fmt: skip
    instance.set("/data/master", "张三丰")
    station.save(instance, V3, record=record, author="b")
    after = station.answers("home", record)
    assert (after["master"], after["road"], after["area"]) == ("张三丰", "土路", "大约90")
    assert after["member"][0]["shoe"] == "42"
    assert station.verify() == ()


def test_what_is_touched_or_added_now_must_be_answered(station: Station) -> None:
    record = save(station, V1, OLD)
    station.add_form(V3)
    instance = station.instance("home", record)
    instance.set("/data/water", "井")
    instance.set("/data/water", "")
    row = instance.add("/data/member")
    instance.set(f"{row}/called", "王五")
    errors = [problem.place.name for problem in instance.problems() if problem.severity == "error"]
    assert errors == ["/data/area", "/data/water", "/data/member[2]/sex"]


def test_a_record_of_the_newest_version_has_no_excuse(station: Station) -> None:
    save(station, V1, OLD)
    record = save(station, V3, {"master": "赵", "member": []})
    problems = station.instance("home", record).problems()
    assert [(problem.code, problem.severity) for problem in problems] == [("FORMS_VALUE_REQUIRED", "error")]


def test_a_drafts_answers_go_on_under_todays_names(station: Station) -> None:
    station.add_form(V1)
    station.add_form(V2)
    station.add_form(V3)
    carried = station.versions.carried("home", OLD)
    assert carried == {"master": "张三", "road": "土路", "area": "大约90", "member": [{"called": "李四", "shoe": "42"}]}
    assert station.versions.carried("home", {"head": "old", "master": "new"}) == {"master": "new"}
    assert station.versions.carried("nowhere", {"head": "x"}) == {"head": "x"}
    kept = {**carried, "cows": 3, "_id": "x", "member": [{"called": "a", "hat": 1}]}
    assert station.versions.placeable("home", kept) == {
        "master": "张三", "road": "土路", "area": "大约90", "_id": "x", "member": [{"called": "a"}],
    }  # fmt: skip


def test_answers_without_a_place_are_called_by_the_label_they_had(station: Station) -> None:
    save(station, V1, OLD)
    station.add_form(V3)
    newest = station.form("home")
    assert station.versions.said(newest, "road") == "路（road）"
    assert station.versions.said(newest, "member[2]/shoe") == "鞋码（member[2]/shoe）"
    assert station.versions.said(newest, "cows") == "cows"


@pytest.mark.parametrize("order", list(permutations(range(5))), ids=lambda order: "".join(map(str, order)))
def test_stations_of_different_versions_converge_in_any_order(tmp_path: Path, order: tuple[int, ...]) -> None:
    """A laptop still works with version 1, another with 2, the hub has 3: what arrives when makes no difference."""
    with (
        Station.create(tmp_path / "one", name="one", villages={VILLAGE: "前进"}) as one,
        Station.create(tmp_path / "two", name="two", villages={VILLAGE: "前进"}) as two,
        Station.create(tmp_path / "hub", name="hub", role="hub", villages={VILLAGE: "前进"}) as hub,
    ):
        record = save(one, V1, OLD)
        two.add_form(V2)
        other = save(two, V2, {"owner": "王五", "area": 3, "water": "井", "member": [{"called": "赵六"}]})
        parts: list[Callable[[], object]] = [
            lambda: hub.add_form(V3),
            lambda: hub.receive(revisions(one), one.forms()),
            lambda: hub.receive(revisions(two)),  # a bundle without its form: answers wait for it
            lambda: hub.add_form(V2),
            lambda: hub.receive(revisions(one)),
        ]
        for part in order:
            parts[part]()
        first, second = hub.answers("home", record), hub.answers("home", other)
        assert (first["master"], first["road"], first["area"]) == ("张三", "土路", "大约90")
        assert [(row["called"], row["shoe"]) for row in first["member"]] == [("李四", "42")]
        assert (second["master"], second["area"], second["member"][0]["called"]) == ("王五", 3, "赵六")
        assert hub.verify() == ()


def revisions(station: Station) -> tuple[Any, ...]:
    return tuple(arrival.revision for arrival in station.journal.since(0))


def test_a_laptop_with_an_old_form_gets_the_newer_one_and_goes_on(tmp_path: Path) -> None:
    with (
        Station.create(tmp_path / "laptop", name="laptop", villages={VILLAGE: "前进"}) as laptop,
        Station.create(tmp_path / "hub", name="hub", role="hub", villages={VILLAGE: "前进"}) as hub,
    ):
        for each in (V1, V2, V3):
            hub.add_form(each)
        record = save(laptop, V1, OLD)
        hub.receive(revisions(laptop), [V1])
        at_hub = hub.instance("home", record)
        at_hub.set("/data/area", "90")
        at_hub.set("/data/water", "井")
        hub.save(at_hub, V3, record=record, author="hub")
        # The revisions arrive before the form that they speak of; the laptop goes on with what it has.
        laptop.receive(revisions(hub))
        opened = laptop.opened("home", record)
        laptop.save({**opened.answers, "head": "张三丰"}, V1, record=record, author="a", seen=opened.seen)
        laptop.receive((), [V2, V3])
        hub.receive(revisions(laptop))
        for station in (laptop, hub):
            answers = station.answers("home", record)
            assert (answers["master"], answers["water"], answers["road"]) == ("张三丰", "井", "土路")
            assert answers["area"] == 90
            assert station.conflicts() == ()
            assert station.verify() == ()
