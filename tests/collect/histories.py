"""Histories of one record for tests: revisions written by several people who saw any part of what was there."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from collect.merge import WITH_PARENT
from collect.revision import DELETED, Revision, RevisionId, Value

STATIONS = ("a", "b", "c")
FIELDS = ("name", "phone", "note")


def revision(
    station: str,
    seq: int,
    changes: dict[str, Value],
    parents: Sequence[Revision] = (),
    *,
    time: int | None = None,
    village: str = "999999001001",
    previous: Revision | None = None,
    record: str = "r1",
    table: str = "household",
) -> Revision:
    return Revision(
        id=RevisionId(station, seq), parents=tuple(sorted(parent.id for parent in parents)),
        time=seq if time is None else time, author=f"{station}-author", save=f"{station}{seq}", form="household",
        version="1", table=table, record=record, village=village, changes=changes,
        previous=previous.digest if previous else "",
    )  # fmt: skip


def ancestors(of: Revision, known: dict[RevisionId, Revision]) -> set[RevisionId]:
    """Everything a revision descends from, found the plain way."""
    found: set[RevisionId] = set()
    waiting = list(of.parents)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += known[each].parents
    return found


def heads(revisions: Sequence[Revision]) -> list[Revision]:
    known = {each.id: each for each in revisions}
    covered = set().union(*(ancestors(each, known) for each in revisions)) if revisions else set()
    return [each for each in revisions if each.id not in covered]


@st.composite
def histories(draw: st.DrawFn, *, most: int = 10) -> list[Revision]:
    """Revisions in an order of causes; each author saw all or some of what was there, clocks go as they like."""
    result: list[Revision] = []
    last: dict[str, Revision] = {}
    for _ in range(draw(st.integers(1, most))):
        station = draw(st.sampled_from(STATIONS))
        seen = [each for each in result if each.id.station == station or draw(st.booleans())]
        closed = {each.id for each in seen}
        known = {each.id: each for each in result}
        for each in seen:
            closed |= ancestors(each, known)
        parents = heads([each for each in result if each.id in closed])
        changes: dict[str, Value] = draw(
            st.dictionaries(st.sampled_from(FIELDS), st.sampled_from([None, "x", "y", "z", 1]), max_size=2)
        )
        if result and draw(st.integers(0, 5)) == 0:
            changes[DELETED] = draw(st.sampled_from([True, None, WITH_PARENT]))
        before = last.get(station)
        made = revision(
            station, before.id.seq + 1 if before else 1, changes, parents, time=draw(st.integers(0, 9)),
            village=draw(st.sampled_from(["999999001001", "999999001002"])), previous=before,
        )  # fmt: skip
        result.append(made)
        last[station] = made
    return result
