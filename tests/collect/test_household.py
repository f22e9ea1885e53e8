"""What may happen to a household: the rules alone, and on a real station with its journal and ledgers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect import household as rules
from collect.household import HouseholdError, Plan, Shape, shape_of
from collect.station import Station
from collect.together import Relink, followers, save_together
from collect.undoing import undo
from forms.reader import load_shipped

VILLAGE = "999999001001"
FORM = load_shipped("household")
SHAPE = shape_of(FORM) or Shape("")


def home(record: str, *people: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    """A household: (name and id, relation, sex) of each person."""
    rows = [{"_id": f"{record}-{name}", "name": name, "relation": rel, "sex": sex} for name, rel, sex in people]
    return {"_id": record, "village": VILLAGE, "head_name": people[0][0], "member": rows, **more}


FAMILY = (("父", "02", "male"), ("母", "10", "female"), ("子", "20", "male"), ("媳", "38", "female"),
          ("女", "30", "female"), ("爷", "51", "male"))  # fmt: skip


def relations(household: Any) -> dict[str, str]:
    return {row["name"]: row.get("relation", "") for row in household["member"]}


def test_who_dies_stays_on_the_record_and_the_new_head_is_what_the_others_relate_to() -> None:
    plan = rules.leave(SHAPE, home("a", *FAMILY), "a-父", why="died", on="2026-03-01", head="a-母")
    after = plan.after["a"]
    assert after["head_name"] == "母"
    assert relations(after) == {"父": "10", "母": "02", "子": "20", "媳": "38", "女": "30", "爷": "53"}
    assert after["member"][0] | {"left": "died", "left_on": "2026-03-01", "gone": "yes"} == after["member"][0]
    assert [row["name"] for row in rules.present(SHAPE, after)] == ["母", "子", "媳", "女", "爷"]


def test_a_child_who_becomes_head_has_parents_siblings_a_spouse_and_a_grandfather() -> None:
    plan = rules.leave(SHAPE, home("a", *FAMILY), "a-父", why="died", on="2026-03-01", head="a-子")
    assert relations(plan.after["a"]) == {"父": "51", "母": "52", "子": "02", "媳": "10", "女": "70", "爷": "61"}
    assert plan.unsure == ()


def test_a_relation_nobody_can_tell_is_emptied_and_asked_for() -> None:
    plan = rules.leave(
        SHAPE, home("a", *FAMILY[:3], ("友", "99", "male")), "a-父", why="moved_out", on="2026-03-01", head="a-母"
    )
    assert (plan.unsure, relations(plan.after["a"])["友"]) == (("a-友",), "")


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (lambda h: rules.leave(SHAPE, h, "a-父", why="died", on="2026-03-01"), "COLLECT_HOUSEHOLD_HEAD"),
        (lambda h: rules.leave(SHAPE, h, "nobody", why="died", on="2026-03-01"), "COLLECT_HOUSEHOLD_PERSON"),
        (lambda h: rules.leave(SHAPE, h, "a-母", why="bored", on="2026-03-01"), "COLLECT_HOUSEHOLD_REASON"),
        (lambda h: rules.merge(SHAPE, h, h, on="2026-03-01"), "COLLECT_HOUSEHOLD_SAME"),
        (lambda h: rules.split(SHAPE, h, [], head="", record="b"), "COLLECT_HOUSEHOLD_HEAD"),
        (lambda h: rules.split(SHAPE, h, [r["_id"] for r in h["member"]], head="a-父", record="b"),
         "COLLECT_HOUSEHOLD_ALL"),
        (lambda h: rules.move_person(SHAPE, h, home("b", ("乙", "02", "male")), "a-女", relation="02"),
         "COLLECT_HOUSEHOLD_TWO_HEADS"),
        (lambda h: rules.move_person(SHAPE, home("b", ("乙", "02", "male")), h, "b-乙"), "COLLECT_HOUSEHOLD_LAST"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_its_reason(do: Any, code: str) -> None:
    with pytest.raises(HouseholdError) as raised:
        do(home("a", *FAMILY))
    assert code in {problem.code for problem in raised.value.problems}


RELATIONS = st.sampled_from(["10", "20", "30", "38", "41", "51", "52", "70", "97", ""])


@given(
    st.lists(st.tuples(RELATIONS, st.sampled_from(["male", "female"])), min_size=1, max_size=7), st.data()
)
def test_split_then_merge_gives_the_same_household(people: list[tuple[str, str]], data: Any) -> None:
    before = home("a", ("甲", "02", "male"), *((f"人{n}", rel, sex) for n, (rel, sex) in enumerate(people)))
    ids = [row["_id"] for row in before["member"]]
    going = data.draw(st.lists(st.sampled_from(ids[1:]), min_size=1, unique=True))
    apart = rules.split(SHAPE, before, going, head=data.draw(st.sampled_from(going)), record="b")
    assert sum(len(each["member"]) for each in apart.after.values()) == len(ids)
    known = {row["_id"]: row["relation"] for row in before["member"]}
    again = rules.merge(SHAPE, apart.after["b"], apart.after["a"], on="2026-03-01", relations=known)
    after = again.after["a"]
    assert {row["_id"]: {k: v for k, v in row.items() if v} for row in after["member"]} == {
        row["_id"]: {k: v for k, v in row.items() if v} for row in before["member"]
    }
    assert {k: v for k, v in after.items() if k != "member"} == {k: v for k, v in before.items() if k != "member"}


@given(st.lists(st.tuples(RELATIONS, st.sampled_from(["male", "female"])), min_size=1, max_size=7), st.data())
def test_nobody_is_ever_lost_and_every_household_has_one_head(people: list[tuple[str, str]], data: Any) -> None:
    before = home("a", ("甲", "02", "male"), *((f"人{n}", rel, sex) for n, (rel, sex) in enumerate(people)))
    ids = [row["_id"] for row in before["member"]]
    person, head = data.draw(st.permutations(ids))[:2]
    plans = [
        rules.leave(SHAPE, before, person, why="died", on="2026-03-01", head=head),
        rules.move_person(SHAPE, before, home("c", ("丙", "02", "male")), person, relation="97", head=head),
        rules.split(SHAPE, before, [person], head=person, record="c", rest_head=head),
    ]
    for plan in plans:
        found = [row["_id"] for each in plan.after.values() for row in each["member"]]
        assert set(ids) <= set(found)
        assert len(found) == len(set(found))
        for each in plan.after.values():
            there = rules.present(SHAPE, each)
            assert not there or [row.get("relation") for row in there].count("02") == 1


# ---- on a station


@pytest.fixture
def station(tmp_path: Path) -> Any:
    with Station.create(tmp_path / "s", name="电脑", villages=((VILLAGE, "洗马塘村"),)) as made:
        made.add_forms([FORM, load_shipped("left_behind")])
        yield made


def saved(station: Station, *people: tuple[str, str, str]) -> str:
    given = home("x", *people)
    del given["_id"]
    for row in given["member"]:
        del row["_id"]
    return station.save(given, FORM, author="甲").record


def carry_out(station: Station, plan: Plan, **more: Any) -> Any:
    return save_together(station, FORM, plan.after, author="甲", **more)


def where(station: Station) -> dict[str, str]:
    return {row["name"]: row["_parent"] for row in station.projection.rows("household_member")}


def check(station: Station) -> None:
    before = list(station.projection.dump())
    station.rebuild()
    assert list(station.projection.dump()) == before
    assert station.verify() == ()


def test_a_person_who_moves_keeps_the_record_and_its_history(station: Station) -> None:
    one, two = saved(station, *FAMILY), saved(station, ("乙", "02", "male"))
    person = next(row["_id"] for row in station.answers("household", one)["member"] if row["name"] == "女")
    plan = rules.move_person(
        SHAPE, station.answers("household", one), station.answers("household", two), person, relation="38"
    )
    revisions = carry_out(station, plan)
    assert len({each.save for each in revisions}) == 1
    assert where(station) | {"女": two} == where(station)
    assert len(station.history(person)) == 2
    homes = {row["_id"]: row["member_count"] for row in station.projection.rows("household")}
    assert homes == {one: 5, two: 2}
    check(station)


def test_a_split_and_a_merge_on_the_journal_lose_nobody(station: Station) -> None:
    one = saved(station, *FAMILY)
    known = {row["_id"]: row["relation"] for row in station.answers("household", one)["member"]}
    going = [row for row, relation in known.items() if relation in ("20", "38")]
    new = "0193e5a0-3333-7aaa-8aaa-0123456789ab"
    carry_out(station, rules.split(
        SHAPE, station.answers("household", one), going, head=going[0], record=new, number="8"
    ))  # fmt: skip
    assert station.projection.counts()["household"] == 2
    assert {name for name, at in where(station).items() if at == new} == {"子", "媳"}
    check(station)
    plan = rules.merge(
        SHAPE, station.answers("household", new), station.answers("household", one), on="2026-03-01", relations=known
    )
    carry_out(station, plan)
    assert set(where(station).values()) == {one}
    assert {row["_id"]: row["relation"] for row in station.answers("household", one)["member"]} == known
    assert station.answers("household", new) | {"state": "merged", "state_on": "2026-03-01"} == station.answers(
        "household", new
    )
    check(station)


def test_who_left_counts_no_more_and_may_come_back(station: Station) -> None:
    one = saved(station, *FAMILY)
    answers = station.answers("household", one)
    person = answers["member"][4]["_id"]
    carry_out(station, rules.leave(SHAPE, answers, person, why="married_out", on="2026-03-01", to="青石坡村"))
    after = station.answers("household", one)
    assert after["member_count"] == 5
    assert next(row for row in after["member"] if row["_id"] == person)["left_to"] == "青石坡村"
    carry_out(station, rules.come_back(SHAPE, after, person))
    assert station.answers("household", one) == answers | {"member_count": 6, "labour_count": 0}
    check(station)


def test_other_ledgers_follow_in_the_same_save(station: Station) -> None:
    one, two = saved(station, *FAMILY), saved(station, ("乙", "02", "male"))
    person = station.answers("household", one)["member"][4]["_id"]
    entry = station.save(
        {"village": VILLAGE, "household": one, "person": person, "name": "女", "kind": "woman"}, "left_behind",
        author="甲",
    ).record  # fmt: skip
    plan = rules.move_person(
        SHAPE, station.answers("household", one), station.answers("household", two), person, relation="97"
    )
    revisions = carry_out(station, plan, relinks=[Relink("left_behind", entry, {"household": two})])
    assert station.answers("left_behind", entry)["household"] == two
    assert len({each.save for each in revisions}) == 1
    check(station)


def test_a_change_by_somebody_else_meanwhile_is_not_lost(station: Station) -> None:
    one = saved(station, *FAMILY)
    opened = station.opened("household", one)
    station.save({**opened.answers, "phone": "13800000000"}, FORM, record=one, author="乙")
    person = opened.answers["member"][4]["_id"]
    plan = rules.leave(SHAPE, opened.answers, person, why="married_out", on="2026-03-01")
    carry_out(station, plan, seen=opened.seen)
    assert station.answers("household", one)["phone"] == "13800000000"


def test_entries_follow_who_they_are_about_and_one_a_household_stays_one(station: Station) -> None:
    station.add_forms([load_shipped("needy_household"), load_shipped("visit")])
    one, two = saved(station, *FAMILY), saved(station, ("乙", "02", "male"))
    person = station.answers("household", one)["member"][4]["_id"]

    def enter(form: str, home: str, **more: str) -> str:
        return station.save({"village": VILLAGE, "household": home, **more}, form, author="甲").record

    about = enter("left_behind", one, person=person, name="女", kind="woman")
    visited = enter("visit", one, grid_worker="甲", started="2026-03-01T08:00:00+08:00")
    needy = [enter("needy_household", home, head_name="x", category="subsistence") for home in (one, two)]
    plan = rules.merge(SHAPE, station.answers("household", one), station.answers("household", two), on="2026-03-02")
    links = followers(station, FORM, plan)
    assert {link.record for link in links} == {about, visited}
    carry_out(station, plan, relinks=links)
    assert [station.answers("needy_household", each)["household"] for each in needy] == [one, two]
    assert station.answers("visit", visited)["household"] == two
    check(station)


def test_a_move_is_undone_as_one_press(station: Station) -> None:
    one, two = saved(station, *FAMILY), saved(station, ("乙", "02", "male"))
    before = where(station)
    plan = rules.merge(SHAPE, station.answers("household", one), station.answers("household", two), on="2026-03-02")
    revisions = carry_out(station, plan)
    assert where(station) != before
    undo(station, revisions[0].save, author="甲")
    assert where(station) == before
    assert "state" not in station.answers("household", one)
    check(station)


def test_a_split_is_undone_and_the_new_household_is_gone(station: Station) -> None:
    one = saved(station, *FAMILY)
    before, answers = where(station), station.answers("household", one)
    going = answers["member"][4]["_id"]
    new = "0193e5a0-3333-7aaa-8aaa-0123456789ab"
    revisions = carry_out(station, rules.split(SHAPE, answers, [going], head=going, record=new))
    undo(station, revisions[0].save, author="甲")
    assert where(station) == before
    assert station.projection.counts()["household"] == 1
    check(station)
