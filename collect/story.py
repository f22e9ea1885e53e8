"""A record's history as a story: who saved what and when, from which value to which, on which station."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collect.hlc import shown
from collect.ledgers import Ledger
from collect.revision import DELETED, ERASED, INTO, PARENT, Revision, RevisionId, Value
from forms.values import text_of

if TYPE_CHECKING:
    from collect.station import Station


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer that a revision changed: the question's words, the values in words as its author saw and left them."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """One saved revision: `at` local ISO time, `kind` created, changed, deleted, merged, restored, moved or erased."""

    at: str
    author: str
    station: str
    seq: int
    table: str
    kind: str
    turns: tuple[Turn, ...]


def story(station: Station, record: str, *, language: str = "") -> tuple[Chapter, ...]:
    """Return what happened to a record, in order of arrival; empty for one that nobody here has heard of.

    `language`: one of the form's, for the words of questions and choices.
    """
    history = station.history(record)
    by_id = {revision.id: revision for revision in history}
    return tuple(_chapter(station, revision, by_id, language) for revision in history)


def _chapter(
    station: Station, revision: Revision, by_id: Mapping[RevisionId, Revision], language: str
) -> Chapter:
    ledger = station.projection.ledgers.of(revision.table)
    turns = tuple(_turns(ledger, revision, by_id, language))
    return Chapter(
        shown(revision.time), revision.author, revision.id.station, revision.id.seq, revision.table,
        _kind(revision), turns,
    )  # fmt: skip


def _kind(revision: Revision) -> str:
    changes = revision.changes
    if ERASED in changes or revision.erased:
        return "erased"
    if changes.get(INTO):
        return "merged"
    if DELETED in changes:
        return "deleted" if changes[DELETED] else "restored"
    if not revision.parents:
        return "created"
    return "moved" if PARENT in changes else "changed"


def _turns(
    ledger: Ledger | None, revision: Revision, by_id: Mapping[RevisionId, Revision], language: str
) -> Iterator[Turn]:
    for name, value in revision.changes.items():
        if name.startswith("_"):
            continue
        before = _before(name, revision.parents, by_id)
        current = name if ledger is None else ledger.renamed.get(name, name)
        column = None if ledger is None else ledger.fields.get(current)
        if column is None:
            yield Turn(name, name, text_of(before), text_of(value))
            continue
        words = column.choices(language)
        label = column.question.label.plain(language) or name
        yield Turn(name, label, _words(before, words), _words(value, words))


def _words(value: Value, words: Mapping[str, str]) -> str:
    text = text_of(value)
    return "、".join(words.get(code, code) for code in text.split()) if words else text


def _before(name: str, parents: Sequence[RevisionId], by_id: Mapping[RevisionId, Revision]) -> Value:
    """The value that the author saw: the latest of those who wrote the field last before."""
    found: list[Revision] = []
    waiting, seen = list(parents), set[RevisionId]()
    while waiting:
        at = waiting.pop()
        revision = by_id.get(at)
        if at in seen or revision is None:
            continue
        seen.add(at)
        if name in revision.changes:
            found.append(revision)
        else:
            waiting.extend(revision.parents)
    last = max(found, key=lambda one: (one.time, one.id.station), default=None)
    return None if last is None else last.changes[name]
