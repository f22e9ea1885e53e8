from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from collect.merge import WITH_PARENT, known_to, merge
from collect.revision import DELETED, Revision
from tests.collect.histories import ancestors, heads, histories, revision


def test_nothing_merges_to_nothing() -> None:
    assert merge([]) is None


def test_different_fields_changed_in_two_places_merge_by_themselves() -> None:
    first = revision("a", 1, {"name": "张三", "phone": "1"})
    one = revision("a", 2, {"phone": "2"}, [first])
    other = revision("b", 1, {"note": "x"}, [first])
    merged = merge([first, one, other])
    assert merged is not None
    assert merged.fields == {"name": "张三", "phone": "2", "note": "x"}
    assert not merged.conflicts
    assert merged.heads == (one.id, other.id)


def test_the_same_field_changed_in_two_places_is_a_conflict_and_the_latest_is_shown() -> None:
    first = revision("a", 1, {"phone": "1"}, time=1)
    one = revision("a", 2, {"phone": "2"}, [first], time=9)
    other = revision("b", 1, {"phone": "3"}, [first], time=5)
    merged = merge([other, first, one])
    assert merged is not None
    assert merged.fields == {"phone": "2"}
    (conflict,) = merged.conflicts
    assert [(each.value, each.before, each.revision) for each in conflict.candidates] == [
        ("3", "1", other.id), ("2", "1", one.id),
    ]  # fmt: skip


def test_equal_values_are_no_conflict() -> None:
    first = revision("a", 1, {"phone": "1"})
    merged = merge([first, revision("a", 2, {"phone": "2"}, [first]), revision("b", 1, {"phone": "2"}, [first])])
    assert merged is not None
    assert not merged.conflicts


def test_emptying_against_changing_is_a_conflict() -> None:
    first = revision("a", 1, {"phone": "1"})
    merged = merge([first, revision("a", 2, {"phone": None}, [first]), revision("b", 1, {"phone": "2"}, [first])])
    assert merged is not None
    assert [conflict.field for conflict in merged.conflicts] == ["phone"]


def test_editing_another_field_settles_nothing_and_writing_it_with_all_candidates_known_does() -> None:
    first = revision("a", 1, {"phone": "1"})
    one = revision("a", 2, {"phone": "2"}, [first])
    other = revision("b", 1, {"phone": "3"}, [first])
    edit = revision("a", 3, {"name": "李四"}, [one, other])
    merged = merge([first, one, other, edit])
    assert merged is not None
    assert merged.conflicts
    settled = merge([first, one, other, edit, revision("b", 2, {"phone": "3"}, [edit])])
    assert settled is not None
    assert not settled.conflicts
    assert settled.fields["phone"] == "3"


def test_deletion_against_an_edit_is_a_conflict_and_the_record_stays() -> None:
    first = revision("a", 1, {"phone": "1"})
    gone = revision("a", 2, {DELETED: True}, [first], time=9)
    edit = revision("b", 1, {"phone": "2"}, [first], time=5)
    merged = merge([first, gone, edit])
    assert merged is not None
    assert merged.deleted is None
    (conflict,) = merged.conflicts
    assert (conflict.field, conflict.shown) == (DELETED, None)
    assert [(each.value, each.revision) for each in conflict.candidates] == [(None, edit.id), (True, gone.id)]


def test_a_deletion_that_knew_every_edit_stands_and_two_deletions_agree() -> None:
    first = revision("a", 1, {"phone": "1"})
    edit = revision("b", 1, {"phone": "2"}, [first])
    one = revision("a", 2, {DELETED: True}, [edit])
    other = revision("b", 2, {DELETED: WITH_PARENT}, [edit])
    merged = merge([first, edit, one, other])
    assert merged is not None
    assert merged.deleted
    assert not merged.conflicts


def test_deleting_again_with_the_edit_known_settles_and_so_does_keeping() -> None:
    first = revision("a", 1, {"phone": "1"})
    gone = revision("a", 2, {DELETED: True}, [first])
    edit = revision("b", 1, {"phone": "2"}, [first])
    again = merge([first, gone, edit, revision("a", 3, {DELETED: True}, [gone, edit])])
    kept = merge([first, gone, edit, revision("a", 3, {DELETED: None}, [gone, edit])])
    assert again is not None
    assert again.deleted is True
    assert not again.conflicts
    assert kept is not None
    assert kept.deleted is None
    assert not kept.conflicts


def test_one_clock_years_ahead_decides_what_is_shown_but_not_who_knew_what() -> None:
    first = revision("a", 1, {"phone": "1"}, time=10**15)
    second = revision("b", 1, {"phone": "2"}, [first], time=1)
    merged = merge([first, second])
    assert merged is not None
    assert merged.fields == {"phone": "2"}
    assert not merged.conflicts


def test_the_village_is_where_the_last_move_put_the_record() -> None:
    first = revision("a", 1, {}, village="v1")
    moved = revision("b", 1, {}, [first], village="v2", time=2)
    edit = revision("a", 2, {"phone": "2"}, [first], village="v1", time=9)
    merged = merge([first, moved, edit])
    assert merged is not None
    assert merged.village == "v2"


def test_known_to_is_what_an_author_had_seen() -> None:
    first = revision("a", 1, {"phone": "1"})
    second = revision("a", 2, {"phone": "2"}, [first])
    other = revision("b", 1, {"phone": "3"}, [first])
    assert known_to([other, second, first], [second.id]) == (first, second)


@given(histories(), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(history: list[Revision], chance: random.Random) -> None:
    shuffled = history + chance.choices(history, k=3)
    chance.shuffle(shuffled)
    assert merge(shuffled) == merge(history)


@given(histories())
def test_every_value_is_shown_contested_or_was_known_to_a_later_writer(history: list[Revision]) -> None:
    merged = merge(history)
    assert merged is not None
    known = {each.id: each for each in history}
    below = {each.id: ancestors(each, known) for each in history}
    contested = {conflict.field: conflict for conflict in merged.conflicts}
    for each in history:
        for name, value in each.changes.items():
            if name == DELETED:
                continue
            replaced = any(name in other.changes and each.id in below[other.id] for other in history)
            in_conflict = name in contested and (value, each.id) in {
                (candidate.value, candidate.revision) for candidate in contested[name].candidates
            }
            assert replaced or in_conflict or merged.fields.get(name) == value


@given(histories())
def test_a_conflict_is_several_different_values_none_of_whose_authors_saw_the_others(history: list[Revision]) -> None:
    merged = merge(history)
    assert merged is not None
    known = {each.id: each for each in history}
    below = {each.id: ancestors(each, known) for each in history}
    for name in {field for each in history for field in each.changes} - {DELETED}:
        writers = [each for each in history if name in each.changes]
        last = [each for each in writers if not any(each.id in below[other.id] for other in writers)]
        several = len({repr(each.changes[name]) for each in last}) > 1
        assert several == any(conflict.field == name for conflict in merged.conflicts)
        shown = max(last, key=lambda each: (each.time, each.id.station, each.id.seq))
        assert merged.fields.get(name) == shown.changes[name]


@given(histories())
def test_an_edit_is_never_deleted_by_someone_who_had_not_seen_it(history: list[Revision]) -> None:
    merged = merge(history)
    assert merged is not None
    known = {each.id: each for each in history}
    below = {each.id: ancestors(each, known) for each in history}
    if merged.deleted is None:
        return
    deletions = [each for each in history if each.changes.get(DELETED)]
    for each in history:
        aware = any(each.id in below[gone.id] or each.id == gone.id for gone in deletions)
        on_top = any(gone.id in below[each.id] for gone in deletions)
        assert aware or on_top


@given(histories())
def test_writing_every_contested_field_on_top_of_all_heads_settles_everything(history: list[Revision]) -> None:
    merged = merge(history)
    assert merged is not None
    assert set(merged.heads) == {each.id for each in heads(history)}
    settling = revision(
        "z", 1, {conflict.field: conflict.shown for conflict in merged.conflicts}, heads(history), time=10
    )
    after = merge([*history, settling])
    assert after is not None
    assert not after.conflicts
    assert after.fields == merged.fields
    assert after.heads == (settling.id,)
