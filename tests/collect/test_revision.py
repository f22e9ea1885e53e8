from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collect.chain import row_of
from collect.revision import Revision, RevisionId, Value, canonical, spelled, told

VALUES = st.one_of(
    st.text(max_size=8), st.integers(), st.integers(-(2**70), 2**70), st.booleans(), st.none(),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=6), VALUES, max_size=6))
@example({"a": 2**70, "b": 1e22, "c": 1.0, "d": 1, "e": True, "f": 5e-324, "g": -0.0, "h": 1e16, "i": 0.00001})
@example({"界": "\x00\x1f\x7f\u2028\"\\/", "\U0001f600": "", "\ue000": ""})
def test_the_quick_spelling_is_the_canonical_one_and_reads_back_with_every_kind(changes: dict[str, Value]) -> None:
    text = spelled(changes)
    assert text.encode() == canonical(changes)
    assert sorted(told(text).items()) == sorted(changes.items())
    assert {name: type(value) for name, value in told(text).items()} == {n: type(v) for n, v in changes.items()}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_has_no_spelling_is_refused_by_the_quick_way_too(value: Value) -> None:
    with pytest.raises(ValueError, match=r"."):
        spelled({"area": value})


def test_a_revision_made_from_another_does_not_keep_its_digest() -> None:
    first = Revision(
        id=RevisionId("a", 1), parents=(), time=1, author="me", save="s", form="f", version="1", table="t",
        record="r", village="v", changes={"name": "张三"},
    )  # fmt: skip
    digest = row_of(first)[-1].hex()
    assert first.digest == digest
    forged = replace(first, changes={"name": "李四"})
    assert forged.digest != digest
    assert replace(forged, changes=first.changes).digest == digest
