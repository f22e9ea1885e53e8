from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collect.chain import JournalError, row_of
from collect.database import connect
from collect.journal import Entry, Journal
from collect.merge import merge
from collect.revision import Revision, RevisionId, Value
from forms.clock import SystemClock
from tests.collect.histories import heads, histories, revision
from tests.collect.ledger_forms import household, made

Opener = Callable[[str], Journal]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    journals: list[Journal] = []

    def open_one(station: str) -> Journal:
        journals.append(Journal(tmp_path / f"{station}.{len(journals)}.db", station, SystemClock()))
        return journals[-1]

    yield open_one
    for journal in journals:
        journal.close()


def entry(
    record: str = "r1", changes: dict[str, Value] | None = None, parents: tuple[RevisionId, ...] | None = None,
    village: str = "v1",
) -> Entry:  # fmt: skip
    return Entry("household", record, "household", "1", village, changes or {"name": "张三"}, "me", "s1", parents)


def test_written_revisions_are_numbered_without_gaps_and_chained(opened: Opener) -> None:
    journal = opened("a")
    written = [*journal.write([entry(), entry("r2")]), *journal.write([entry("r3")])]
    assert [each.id for each in written] == [RevisionId("a", seq) for seq in (1, 2, 3)]
    assert [each.previous for each in written] == ["", written[0].digest, written[1].digest]
    assert written[0].time < written[1].time < written[2].time
    assert [each.revision for each in journal.since(0)] == written
    assert journal.held() == {"a": 3}


@given(histories(most=4), st.text(max_size=20))
def test_the_journal_computes_the_digests_that_revisions_define(history: list[Revision], text: str) -> None:
    for each in (*history, replace(history[0], author=text, record=text, village=text)):
        assert (row_of(replace(each))[12].hex(), row_of(replace(each))[14].hex()) == (each.changes_digest, each.digest)


def test_heads_named_by_nobody_are_those_of_the_moment(opened: Opener) -> None:
    journal = opened("a")
    first, second = journal.write([entry(), entry(changes={"name": "李四"})])
    assert second.parents == (first.id,)
    (third,) = journal.write([entry(changes={"name": "王五"}, parents=(first.id,))])
    assert journal.heads("r1", ("household",)) == (second.id, third.id)


def test_appending_twice_is_appending_once(opened: Opener) -> None:
    written = opened("a").write([entry(), entry("r2"), entry()])
    other = opened("b")
    assert (other.append(written).new, other.append(written).known) == (3, 3)
    assert other.held() == {"a": 3}
    assert list(other.check()) == []


def test_a_revision_without_its_parents_is_parked_counted_and_released(opened: Opener) -> None:
    first, second, third = opened("a").write([entry(), entry(changes={"name": "李四"}), entry("r2")])
    other = opened("b")
    appended = other.append([second, third])
    assert (appended.new, appended.parked, appended.released) == (2, 1, 0)
    assert other.parked() == (second,)
    (waits,) = other.parking.all(limit=10)
    assert (waits.revision, waits.missing, waits.since != "") == (second, first.id, True)
    assert other.heads("r1", ("household",)) == ()
    assert other.append([second]).known == 1
    appended = other.append([first])
    assert (appended.new, appended.parked, appended.released) == (1, 0, 1)
    assert other.parked() == ()
    assert (other.parking.count(), other.parking.all(limit=10)) == (0, ())
    assert [each.revision for each in other.since(0)] == [third, first, second]
    assert other.held() == {"a": 3}


def test_a_fork_is_refused_with_both_digests_and_nothing_is_appended(opened: Opener) -> None:
    (ours,) = opened("a").write([entry()])
    (theirs,) = opened("a").write([entry(changes={"name": "别人"})])
    other = opened("b")
    other.append([ours])
    with pytest.raises(JournalError) as caught:
        other.append([theirs, revision("c", 1, {})])
    (problem,) = caught.value.problems
    assert problem.code == "COLLECT_FORK"
    assert (problem.context["held"], problem.context["given"]) == (ours.digest, theirs.digest)
    assert other.held() == {"a": 1}
    with pytest.raises(JournalError, match="COLLECT_FORK"):
        opened("d").append([ours, theirs])


def test_a_broken_link_is_refused_whichever_end_comes_first(opened: Opener) -> None:
    first = revision("a", 1, {"name": "x"})
    forged = revision("a", 2, {"name": "y"}, [first], previous=revision("a", 1, {"name": "other"}))
    one, other = opened("b"), opened("c")
    one.append([first])
    with pytest.raises(JournalError, match="COLLECT_CHAIN_BROKEN"):
        one.append([forged])
    other.append([forged])
    with pytest.raises(JournalError, match="COLLECT_CHAIN_BROKEN"):
        other.append([first])
    with pytest.raises(JournalError, match="COLLECT_CHAIN_BROKEN"):
        opened("d").append([forged, first])
    assert one.held() == {"a": 1}


def test_a_gap_is_refused_in_a_suffix_and_kept_in_a_selection(opened: Opener) -> None:
    first, _, third = opened("a").write([entry(), entry("r2"), entry("r3")])
    other = opened("b")
    with pytest.raises(JournalError, match="COLLECT_CHAIN_GAP"):
        other.append([first, third], contiguous=True)
    other.append([first, third])
    assert other.held() == {"a": 1}


def test_values_without_a_spelling_are_refused(opened: Opener) -> None:
    with pytest.raises(JournalError, match="COLLECT_REVISION_FAULTY"):
        opened("a").write([entry(changes={"area": float("nan")})])
    with pytest.raises(JournalError, match="COLLECT_REVISION_FAULTY"):
        opened("b").append([revision("a", 1, {"area": b"x"})])  # type: ignore[dict-item]


def test_revisions_can_be_neither_changed_nor_deleted_only_erased(opened: Opener, tmp_path: Path) -> None:
    journal = opened("a")
    journal.write([entry(), entry("r2")])
    other = sqlite3.connect(tmp_path / "a.0.db")
    for statement in ("DELETE FROM revision", "UPDATE revision SET author = 'x'", "UPDATE revision SET changes = '{}'"):
        with pytest.raises(sqlite3.IntegrityError):
            other.execute(statement)
        other.rollback()
    other.execute("UPDATE revision SET changes = NULL WHERE seq = 1")
    other.commit()
    other.close()
    assert list(journal.check()) == []
    assert journal.of_record("r1")[0].changes == {}


def test_tampering_on_disk_is_found_and_placed(opened: Opener, tmp_path: Path) -> None:
    journal = opened("a")
    journal.write([entry(), entry("r2"), entry("r3")])
    other = connect(tmp_path / "a.0.db")
    other.execute("DROP TRIGGER revision_is_immutable")
    other.execute("DROP TRIGGER revision_stays")
    other.execute("UPDATE revision SET changes = '{\"name\":\"坏\"}' WHERE seq = 2")
    other.execute("DELETE FROM revision WHERE seq = 1")
    other.close()
    assert [(problem.code, problem.context.get("revision")) for problem in journal.check()] == [
        ("COLLECT_DIGEST_WRONG", "a:2"), ("COLLECT_CHAIN_GAP", None),
    ]  # fmt: skip


def test_a_village_gets_its_revisions_those_that_left_it_and_the_history_of_those_that_came(opened: Opener) -> None:
    journal = opened("a")
    first, elsewhere, edit, moved, after = journal.write(
        [entry(), entry("r2", village="v2"), entry(), entry(village="v2"), entry(village="v2")]
    )
    assert [each.revision for each in journal.since(0, villages={"v1"})] == [first, edit, moved]
    assert [each.revision for each in journal.since(3, villages={"v2"})] == [first, edit, moved, after]
    numbers = [each.number for each in journal.since(0, villages={"v2"})]
    assert numbers == [2, 4, 4, 4, 5]
    assert [each.revision for each in journal.since(1, limit=2)] == [elsewhere, edit]


def test_a_clock_set_back_and_a_station_in_the_future(opened: Opener) -> None:
    journal = opened("a")
    (mine,) = journal.write([entry()])
    journal.append([revision("b", 1, {}, time=mine.time + (60_000 << 16)), revision("c", 1, {}, time=2**62)])
    (after,) = journal.write([entry("r2")])
    assert mine.time + (60_000 << 16) < after.time < mine.time + (3_600_000 << 16)


def test_forms_are_kept_once_and_a_changed_one_under_the_same_version_is_refused(opened: Opener) -> None:
    journal = opened("a")
    assert journal.add_form(household())
    assert not journal.add_form(household())
    with pytest.raises(JournalError, match="COLLECT_FORM_CHANGED"):
        journal.add_form(made("1", ({"type": "text", "name": "head_name", "label": "户主"},
                                    {"type": "text", "name": "group_name", "label": "组"},
                                    {"type": "text", "name": "household_number", "label": "号"})))  # fmt: skip
    other = opened("b")
    for definition in journal.forms():
        assert other.add_form(definition)
    assert other.forms() == journal.forms()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_any_repetition_any_split_comes_to_the_same(
    opened: Opener, history: list[Revision], chance: random.Random
) -> None:
    journal = opened("z")
    waiting = history + chance.choices(history, k=2)
    chance.shuffle(waiting)
    while waiting:
        cut = chance.randint(1, len(waiting))
        journal.append(waiting[:cut])
        waiting = waiting[cut:]
    held = journal.of_record("r1")
    assert merge(held) == merge(history)
    assert journal.heads("r1", ("household",)) == tuple(sorted(each.id for each in heads(history)))
    assert journal.parked() == ()
    assert journal.held() == journal.count()
    seen: set[RevisionId] = set()
    for each in held:
        assert seen.issuperset(each.parents)
        seen.add(each.id)
    journal.close()


def test_forty_thousand_new_revisions_append_quickly(opened: Opener) -> None:
    fields: dict[str, Value] = {f"field{number}": f"值{number}" for number in range(15)}
    written = opened("a").write(entry(f"r{number}", fields, ()) for number in range(40_000))
    other = opened("b")
    began = time.process_time()
    other.append(written)
    assert time.process_time() - began < 3
