"""Merge: from the set of a record's revisions to its fields and conflicts, the same on every station (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collect.revision import DELETED, ERASED, Revision, RevisionId, Value

# The value of `_deleted` for a repeat's row that left because its parent did: it comes back with the parent.
WITH_PARENT = "parent"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several values in conflict.

    `value`: what was saved (None: emptied, or, for `_deleted`, kept); `before`: what its author had seen there;
    `revision`, `time` (hybrid logical clock) and `author`: who saved it when.
    """

    value: Value
    before: Value
    revision: RevisionId
    time: int
    author: str


@dataclass(frozen=True, slots=True)
class Contested:
    """A field with several different values of which no author had seen the others; `shown` is the latest."""

    field: str
    shown: Value
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """What a record's revisions come to.

    `fields`: name -> value, emptied ones left out. `conflicts`: by field name. `heads`: the revisions nobody built
    on. `deleted`: the value of the deletion (true, or WITH_PARENT), or None for a record that is there, which it also
    is as long as its deletion is in conflict. `deletions`: who deleted it, where that was the last word on it.
    `village`: the code it is routed by. `latest`: the latest head. `erased`: erased by law; nothing of it is left and
    nothing brings it back.
    """

    fields: Mapping[str, Value]
    conflicts: tuple[Contested, ...]
    heads: tuple[RevisionId, ...]
    deleted: Value
    deletions: tuple[Candidate, ...]
    village: str
    latest: Revision
    erased: bool = False


def order(revision: Revision) -> tuple[int, str, int]:
    """Return the key that says which of several concurrent revisions is shown: the latest by time, station, number."""
    return revision.time, revision.id.station, revision.id.seq


def merge(revisions: Iterable[Revision]) -> Merged | None:
    """Merge one record's revisions, given in any order and any number of times; None where there are none.

    For each field the writers count that no other writer of that field descends from: one, or equal values, is the
    value; several different ones are a conflict. Parents that are not among the revisions are disregarded. One erasure
    among the revisions erases the record, whoever wrote what without knowing of it.
    """
    graph = _Graph(revisions)
    if not graph.revisions:
        return None
    if any(each.erased or ERASED in each.changes for each in graph.revisions):
        return graph.without_content()
    fields: dict[str, Value] = {}
    conflicts: list[Contested] = []
    for name in sorted(graph.writers.keys() - {DELETED}):
        last = graph.maximal(graph.writers[name])
        shown = graph.revisions[last[-1]].changes[name]
        if any(graph.revisions[at].changes[name] != shown for at in last):
            conflicts.append(Contested(name, shown, graph.candidates(last, name)))
        if shown is not None:
            fields[name] = shown
    last = graph.maximal(graph.writers.get(DELETED, []))
    deletions = [at for at in last if graph.revisions[at].changes[DELETED]]
    against = [at for at in last if at not in deletions] + graph.edits_against(deletions)
    if deletions and against:
        conflicts.append(Contested(DELETED, None, graph.candidates(sorted({*deletions, *against}), DELETED)))
    heads = graph.heads()
    return Merged(
        fields=fields,
        conflicts=tuple(conflicts),
        heads=tuple(sorted(graph.revisions[at].id for at in heads)),
        deleted=graph.revisions[deletions[-1]].changes[DELETED] if deletions and not against else None,
        deletions=graph.candidates(deletions, DELETED),
        village=graph.village(),
        latest=graph.revisions[heads[-1]],
    )


def known_to(revisions: Iterable[Revision], heads: Iterable[RevisionId]) -> tuple[Revision, ...]:
    """Return the revisions that an author who saw `heads` knew: the heads and all they descend from."""
    graph = _Graph(revisions)
    mask = 0
    for head in heads:
        if head in graph.position:
            mask |= graph.ancestors[graph.position[head]] | 1 << graph.position[head]
    return tuple(revision for at, revision in enumerate(graph.revisions) if mask >> at & 1)


class _Graph:
    """A record's revisions in the order they are shown by, with their ancestors as bit sets over that order."""

    def __init__(self, revisions: Iterable[Revision]) -> None:
        distinct = {revision.id: revision for revision in revisions}
        self.revisions = sorted(distinct.values(), key=order)
        self.position = {revision.id: at for at, revision in enumerate(self.revisions)}
        self.ancestors = self._ancestors()
        self.writers: dict[str, list[int]] = {}
        for at, revision in enumerate(self.revisions):
            for name in revision.changes:
                self.writers.setdefault(name, []).append(at)

    def _ancestors(self) -> list[int]:
        """Ancestors of each revision; clocks may lie, so the order of times is no order of descent."""
        parents = [[self.position[p] for p in revision.parents if p in self.position] for revision in self.revisions]
        done: list[int | None] = [None] * len(parents)
        for start in range(len(parents)):
            stack = [start]
            entered: set[int] = set()
            while stack:
                at = stack[-1]
                waiting = [p for p in parents[at] if done[p] is None and p not in entered and p != at]
                if done[at] is None and waiting:
                    entered.add(at)
                    stack.extend(waiting)
                    continue
                stack.pop()
                if done[at] is None:
                    mask = 0
                    for parent in parents[at]:
                        mask |= (done[parent] or 0) | 1 << parent
                    done[at] = mask
        return [mask or 0 for mask in done]

    def maximal(self, positions: list[int]) -> list[int]:
        """Those of `positions` that none of the others descends from, in order."""
        covered = 0
        for at in positions:
            covered |= self.ancestors[at]
        return [at for at in positions if not covered >> at & 1]

    def heads(self) -> list[int]:
        """The revisions nobody built on, in order."""
        return self.maximal(list(range(len(self.revisions))))

    def without_content(self) -> Merged:
        """What is left of an erased record."""
        heads = self.heads()
        return Merged(
            fields={}, conflicts=(), heads=tuple(sorted(self.revisions[at].id for at in heads)), deleted=True,
            deletions=(), village=self.village(), latest=self.revisions[heads[-1]], erased=True,
        )  # fmt: skip

    def edits_against(self, deletions: list[int]) -> list[int]:
        """The last edits that no deletion knew of and that did not know every deletion."""
        known, all_of_them = 0, 0
        for at in deletions:
            known |= self.ancestors[at]
            all_of_them |= 1 << at
        return self.maximal(
            [
                at
                for at in range(len(self.revisions))
                if not (known | all_of_them) >> at & 1 and self.ancestors[at] & all_of_them != all_of_them
            ]
        )

    def candidates(self, positions: list[int], name: str) -> tuple[Candidate, ...]:
        """What revisions say about a field (an edit says of `_deleted`: kept), and what their authors saw there."""
        found = []
        for at in positions:
            revision = self.revisions[at]
            seen = self.maximal([w for w in self.writers[name] if self.ancestors[at] >> w & 1])
            before = self.revisions[seen[-1]].changes[name] if seen else None
            value = revision.changes.get(name)
            found.append(Candidate(value, before, revision.id, revision.time, revision.author))
        return tuple(found)

    def village(self) -> str:
        """The village named by the latest revision that put the record where its parents had not."""
        placing = [
            at
            for at, revision in enumerate(self.revisions)
            if {self.revisions[self.position[p]].village for p in revision.parents if p in self.position}
            != {revision.village}
        ]
        return self.revisions[self.maximal(placing)[-1]].village
