"""What revisions may look like: known form, table and questions, kinds of values, lengths (pure).

The rules of a form are checked where its answers are given, and again by a hub in the background; this is what any
receiver checks before anything is appended, for a bundle is signed by its sender but not therefore well made. A value
of another type than its question's is no fault: what people typed is kept as text (forms.values.normalise).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from collect.revision import APART, DELETED, ERASED, INTO, PARENT, Revision
from forms.definition import Form
from forms.problems import CunceError, Place, Problem
from forms.tables import tables_of
from forms.values import kind_of

if TYPE_CHECKING:
    from collect.journal import Entry

MAX_TEXT: Final = 1_000_000  # characters of one answer: a whole day's trace is a tenth of it
MAX_NAME: Final = 200  # characters of an id, an author, a village
MAX_NUMBER: Final = 2**63  # what SQLite's integers hold
MOST: Final = 50  # problems told of one bundle; the rest are counted
_TEXT, _NUMBER, _FLAG = frozenset({str}), frozenset({int, float}), frozenset({bool})
_EMPTY = frozenset({type(None)})
_OWN: Final = {
    DELETED: _FLAG | _TEXT | _EMPTY, ERASED: _TEXT, PARENT: _TEXT | _EMPTY, INTO: _TEXT | _EMPTY,
}  # fmt: skip
_APART = frozenset({int}) | _EMPTY
_HEADS = ("author", "save", "record", "village")
_PLACES = frozenset({"geopoint", "geotrace", "geoshape"})


class StructureError(CunceError):
    """Revisions that no station of ours writes: unknown forms or questions, values of no kind, endless texts."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a ledger's revisions may hold: `kinds`: field -> Python types of its values; `below`: rows of a repeat."""

    kinds: dict[str, frozenset[type]] = field(default_factory=dict)
    below: bool = False


@dataclass(frozen=True, slots=True)
class Shapes:
    """The ledgers of known forms: `tables`: form id -> table -> its shape; `versions`: (form id, version)."""

    versions: Collection[tuple[str, str]]
    tables: Mapping[str, Mapping[str, Shape]]


def shapes_of(forms: Iterable[Form], same: Iterable[Collection[str]] = ()) -> Shapes:
    """Return the shapes of forms, of each form all versions that are given joined.

    Versions are joined because a station answers under the newest form's name and keeps what older ones asked. `same`:
    names that one ledger had in several versions (a renamed repeat).
    """
    versions: set[tuple[str, str]] = set()
    tables: dict[str, dict[str, Shape]] = {}
    for form in forms:
        versions.add((form.form_id, form.version))
        for table in tables_of(form):
            shape = tables.setdefault(form.form_id, {}).setdefault(table.name, Shape(dict(_OWN), bool(table.parent)))
            for column in table.columns:
                kinds = _kinds(kind_of(column.question.data_type))
                for name in filter(None, (column.name, column.was)):
                    shape.kinds[name] = shape.kinds.get(name, kinds) | kinds
    for names in same:
        for known in tables.values():
            joined: dict[str, frozenset[type]] = {}
            for shape in (known[name] for name in names if name in known):
                for field_name, kinds in shape.kinds.items():
                    joined[field_name] = joined.get(field_name, kinds) | kinds
            known |= {name: Shape(joined, known[name].below) for name in names if name in known}
    return Shapes(versions, tables)


def _kinds(kind: str) -> frozenset[type]:
    if kind in _PLACES:
        return _TEXT | _EMPTY
    return _EMPTY | _TEXT | _NUMBER | (_FLAG if kind == "boolean" else frozenset())


def check_structure(revisions: Iterable[Revision], shapes: Shapes) -> None:
    """Raise StructureError with every kind of fault that revisions have, each with its count and the first of them."""
    groups: dict[tuple[str, str, str], dict[tuple[str, ...], list[Revision]]] = {}
    given = tuple(revisions)
    for revision in given:
        ledger = groups.setdefault((revision.form, revision.version, revision.table), {})
        ledger.setdefault(tuple(revision.changes), []).append(revision)
    faults = _Faults()
    for (form, version, table), by_names in groups.items():
        said = {"form": form, "version": version, "table": table}
        shape = shapes.tables.get(form, {}).get(table)
        if (form, version) not in shapes.versions or shape is None:
            code = "COLLECT_STRUCTURE_TABLE" if (form, version) in shapes.versions else "COLLECT_STRUCTURE_FORM"
            faults.add(code, (each for members in by_names.values() for each in members), **said)
            continue
        for names, members in by_names.items():
            _check_changes(faults, shape, names, members, said)
    _check_heads(faults, given)
    if faults.found:
        raise StructureError(faults.problems())


def bounds(entries: Iterable[Entry]) -> Iterator[Problem]:
    """Yield what no receiver would take of entries about to be saved here: endless texts, impossible names."""
    for entry in entries:
        for name, value in entry.changes.items():
            if isinstance(value, str) and len(value) > MAX_TEXT:
                said = {"count": 1, "name": name, "limit": MAX_TEXT, "table": entry.table}
                yield Problem("COLLECT_STRUCTURE_LONG", Place(name=name), said)
        for what in _HEADS:
            text = str(getattr(entry, what))
            if not _plausible(text, what):
                said = {"count": 1, "name": what, "value": text[:80]}
                yield Problem("COLLECT_STRUCTURE_HEAD", Place(name=what), said)


@dataclass(slots=True)
class _Faults:
    """Faults of one kind in one place are one problem: how often, and the first revision that has it."""

    found: dict[tuple[str, ...], tuple[Revision, dict[str, Any]]] = field(default_factory=dict)
    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, code: str, revisions: Iterable[Revision], **said: Any) -> None:
        """Note that revisions have a fault; `said`: what the sentence names."""
        key = (code, *(str(said.get(part, "")) for part in ("form", "version", "table", "name")))
        for revision in revisions:
            self.counts[key] += 1
            if key not in self.found:
                self.found[key] = (revision, said)

    def problems(self) -> Iterator[Problem]:
        """Yield the problems; past the fiftieth they are only counted."""
        for key, (first, said) in list(self.found.items())[:MOST]:
            shown = {name: value[:80] if isinstance(value, str) else value for name, value in said.items()}
            place = Place(name=f"{first.id.station[:40]}:{first.id.seq}")
            yield Problem(key[0], place, {"count": self.counts[key], **shown})
        if len(self.found) > MOST:
            yield Problem("COLLECT_STRUCTURE_MORE", context={"count": len(self.found) - MOST})


def _check_changes(
    faults: _Faults, shape: Shape, names: Sequence[str], members: Sequence[Revision], said: Mapping[str, str]
) -> None:
    """Note the faults of revisions that change the same fields, a column at a time: that is five times as fast."""
    for name, values in zip(names, zip(*(each.changes.values() for each in members), strict=True), strict=False):
        kinds = _APART if name.startswith(APART) and len(name) <= MAX_NAME else shape.kinds.get(name)
        if kinds is None:
            faults.add("COLLECT_STRUCTURE_NAME", members, name=name, **said)
            continue
        present = set(map(type, values))
        if not present <= kinds:
            wrong = [each for each in members if type(each.changes[name]) not in kinds]
            faults.add("COLLECT_STRUCTURE_TYPE", wrong, name=name, value=str(wrong[0].changes[name]), **said)
        texts = values if present == _TEXT else [value for value in values if type(value) is str]
        if texts and max(map(len, texts)) > MAX_TEXT:
            long = [each for each in members if len(str(each.changes[name] or "")) > MAX_TEXT]
            faults.add("COLLECT_STRUCTURE_LONG", long, name=name, limit=MAX_TEXT, **said)
    faults.add("COLLECT_STRUCTURE_PARENT", _misplaced(shape, names, members), **said)


def _misplaced(shape: Shape, names: Sequence[str], members: Sequence[Revision]) -> Iterable[Revision]:
    """New rows of a repeat that name no record above them, and other records that do name one."""
    if not shape.below:
        return members if PARENT in names else ()
    return (each for each in members if not (each.parents or each.erased or each.changes.get(PARENT)))


def _check_heads(faults: _Faults, revisions: Sequence[Revision]) -> None:
    """Note the faults of what stands beside the changes: ids, authors, villages, numbers."""
    for what in _HEADS:
        of: Callable[[Revision], str] = attrgetter(what)
        wrong = [text for text in set(map(of, revisions)) if not _plausible(text, what)]
        for text in sorted(wrong):
            having = [each for each in revisions if of(each) == text]
            faults.add("COLLECT_STRUCTURE_HEAD", having, name=what, value=text)
    stations = {part.station for each in revisions for part in (each.id, *each.parents)}
    highest = max((part.seq for each in revisions for part in (each.id, *each.parents)), default=0)
    latest = max((each.time for each in revisions), default=0)
    if max(highest, latest) >= MAX_NUMBER or any(len(name) > MAX_NAME for name in stations):
        faults.add("COLLECT_STRUCTURE_NUMBER", (each for each in revisions if _beyond(each)))


def _plausible(text: str, what: str) -> bool:
    """Whether a text can stand for a person or a thing: not endless, one line; a village names no path."""
    if len(text) > MAX_NAME or (what != "author" and not text.isprintable()):
        return False
    return (bool(text) or what in ("author", "save")) and not (what == "village" and set(text) & set("/\\"))


def _beyond(revision: Revision) -> bool:
    ids = (revision.id, *revision.parents)
    return revision.time >= MAX_NUMBER or any(each.seq >= MAX_NUMBER or len(each.station) > MAX_NAME for each in ids)
