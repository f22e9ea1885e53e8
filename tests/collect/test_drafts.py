from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.drafts import KEPT, DraftError, Drafts
from forms.clock import SystemClock


@pytest.fixture
def drafts(tmp_path: Path) -> Iterator[Drafts]:
    opened = Drafts(tmp_path / "drafts.db", SystemClock())
    yield opened
    opened.close()


def test_a_draft_comes_back_as_it_was_put(drafts: Drafts, tmp_path: Path) -> None:
    counter = drafts.put(
        "d1", "household", "1", "r1", {"name": "张"}, seen={"r1": "a:1"}, village="v", author="李", title="张户"
    )
    assert counter == 1
    other = Drafts(tmp_path / "drafts.db", SystemClock())
    draft = other.get("d1")
    other.close()
    assert (draft.answers, draft.seen, draft.record, draft.title, draft.counter) == (
        {"name": "张"}, {"r1": "a:1"}, "r1", "张户", 1,
    )  # fmt: skip


def test_two_windows_do_not_overwrite_each_other(drafts: Drafts) -> None:
    counter = drafts.put("d1", "household", "1", None, {"name": "张"}, expected=0)
    drafts.put("d1", "household", "1", None, {"name": "第一窗"}, expected=counter)
    with pytest.raises(DraftError) as caught:
        drafts.put("d1", "household", "1", None, {"name": "第二窗"}, expected=counter)
    assert caught.value.code == "COLLECT_DRAFT_CHANGED"
    assert drafts.get("d1").answers == {"name": "第一窗"}
    with pytest.raises(DraftError):
        drafts.put("d1", "household", "1", None, {}, expected=0)


def test_undo_goes_back_step_by_step_and_other_windows_notice(drafts: Drafts) -> None:
    for name in ("一", "二", "三"):
        counter = drafts.put("d1", "household", "1", None, {"name": name})
    assert drafts.undo("d1").answers == {"name": "二"}
    with pytest.raises(DraftError):
        drafts.put("d1", "household", "1", None, {}, expected=counter)
    assert drafts.undo("d1").answers == {"name": "一"}
    assert drafts.undo("d1").answers == {"name": "一"}
    drafts.put("d1", "household", "1", None, {"name": "四"})
    assert drafts.undo("d1").answers == {"name": "一"}


def test_undo_reaches_a_bounded_way_back(drafts: Drafts) -> None:
    for at in range(KEPT + 20):
        drafts.put("d1", "household", "1", None, {"at": at})
    steps = [drafts.undo("d1").answers["at"] for _ in range(KEPT + 5)]
    assert steps[0] == KEPT + 18
    assert steps[-1] == 19


def test_a_discarded_draft_is_out_of_the_list_and_can_be_restored(drafts: Drafts) -> None:
    drafts.put("d1", "household", "1", None, {"name": "张"}, author="李")
    drafts.put("d2", "household", "1", None, {}, author="王")
    drafts.discard("d1")
    assert [draft.id for draft in drafts.list()] == ["d2"]
    assert [draft.id for draft in drafts.list(discarded=True)] == ["d1"]
    assert [draft.id for draft in drafts.list(author="李")] == []
    assert drafts.restore("d1").answers == {"name": "张"}
    assert {draft.id for draft in drafts.list()} == {"d1", "d2"}


def test_of_a_draft_that_was_saved_nothing_is_left_but_that_it_is_done(drafts: Drafts, tmp_path: Path) -> None:
    drafts.put("d1", "household", "1", None, {"name": "张三"}, seen={"r": "a:1"}, title="张户")
    drafts.put("d1", "household", "1", None, {"name": "张四"}, title="张户")
    drafts.saved("d1")
    draft = drafts.get("d1")
    assert (draft.answers, draft.seen, draft.title) == ({}, None, "")
    assert draft.discarded_at
    assert drafts.list() == drafts.list(discarded=True) == ()
    assert drafts.undo("d1").answers == {}


def test_an_unknown_draft_is_said_to_be(drafts: Drafts) -> None:
    for attempt in (drafts.get, drafts.discard, drafts.restore, drafts.undo):
        with pytest.raises(DraftError) as caught:
            attempt("none")
        assert caught.value.code == "COLLECT_DRAFT_UNKNOWN"
