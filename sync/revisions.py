"""Revisions as tables of columns and back: new records whole, later changes field by field (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from collect.chain import row_of
from collect.revision import ERASED, Revision, RevisionId
from sync.columns import (
    ABSENT,
    MalformedError,
    check_cells,
    pack,
    pack_ids,
    pack_numbers,
    unpack,
    unpack_ids,
    unpack_numbers,
    unpack_texts,
)

MAX_REVISIONS = 200_000
MAX_CELLS = 20_000_000
_LINK = re.compile(r"(?:[0-9a-f]{64})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
Group = tuple[str, str, str, bool]  # form, version, table, new records


def pack_revisions(revisions: Sequence[Revision]) -> dict[str, Any]:
    """Return revisions, each id once, as JSON-ready data (docs/bundle-format.md, "Revisions"); raises ValueError."""
    if len({revision.id for revision in revisions}) != len(revisions):
        raise ValueError("a bundle carries each revision once")
    packed_ids, ids = pack_ids(text for revision in revisions for text in (revision.record, revision.save))
    stations: dict[str, int] = {}
    for revision in revisions:
        for each in (revision.id, *revision.parents):
            stations.setdefault(each.station, len(stations))
    groups: dict[Group, list[Revision]] = {}
    positions: dict[Group, int] = {}
    order: list[int] = []
    for revision in revisions:
        key = (revision.form, revision.version, revision.table, not revision.parents)
        groups.setdefault(key, []).append(revision)
        order.append(positions.setdefault(key, len(positions)))
    packed = {
        "stations": list(stations),
        "ids": packed_ids,
        "groups": [_pack_group(key, members, stations, ids) for key, members in groups.items()],
        "order": pack(order),
        "links": _pack_links(revisions),
    }
    return packed | {"erased": _pack_erased(revisions)} if any(map(tells_of_erasure, revisions)) else packed


def tells_of_erasure(revision: Revision) -> bool:
    """Return whether only readers of format 2 understand a revision: it was erased by law, or erases a record."""
    return bool(revision.erased) or ERASED in revision.changes


def unpack_revisions(data: Any, count: int, version: int = 2) -> tuple[Revision, ...]:
    """Return the `count` revisions that `pack_revisions` wrote, in their order. Raises MalformedError.

    `version`: the bundle's format; 1 knows of nothing erased.
    """
    match data:
        case {"stations": list(stations), "ids": packed_ids, "groups": list(groups), "order": order, "links": links}:
            pass
        case _:
            raise MalformedError("revisions of no known shape")
    if not set(map(type, stations)) <= {str} or len(set(stations)) != len(stations):
        raise MalformedError("stations that are not distinct texts")
    ids = unpack_ids(packed_ids)
    budget = [MAX_CELLS]
    rows = [_unpack_group(group, stations, ids, budget) for group in groups]
    if sum(len(group) for group in rows) != count or count > MAX_REVISIONS:
        raise MalformedError("another number of revisions than announced")
    sequence = unpack_numbers(order, count)
    if sequence and max(sequence) >= len(rows):
        raise MalformedError("an order that names no group")
    readers = [iter(group) for group in rows]
    try:
        ordered = [next(readers[position]) for position in sequence]
    except StopIteration:
        raise MalformedError("an order that takes more from a group than it has") from None
    return _linked(ordered, links, _unpack_erased(data.get("erased"), ordered, version))


def _pack_group(key: Group, members: list[Revision], stations: dict[str, int], ids: dict[str, int]) -> dict[str, Any]:
    form, version, table, new = key
    packed: dict[str, Any] = {
        "form": form,
        "version": version,
        "table": table,
        "count": len(members),
        "station": pack([stations[revision.id.station] for revision in members]),
        "seq": pack_numbers([revision.id.seq for revision in members]),
        "time": pack_numbers([revision.time for revision in members]),
        "author": pack([revision.author for revision in members]),
        "save": pack_numbers([ids[revision.save] for revision in members]),
        "record": pack_numbers([ids[revision.record] for revision in members]),
        "village": pack([revision.village for revision in members]),
    }
    return packed | (_pack_whole(members, ids) if new else _pack_changes(members, stations, ids))


def _pack_whole(members: list[Revision], ids: dict[str, int]) -> dict[str, Any]:
    fields = list(dict.fromkeys(field for revision in members for field in revision.changes))
    rows = [revision.changes for revision in members]
    columns = [pack([row.get(field, ABSENT) for row in rows], ids) for field in fields]
    return {"fields": fields, "columns": columns}


def _pack_changes(members: list[Revision], stations: dict[str, int], ids: dict[str, int]) -> dict[str, Any]:
    shapes: dict[tuple[str, ...], int] = {}
    used = [shapes.setdefault(tuple(revision.changes), len(shapes)) for revision in members]
    parents = [parent for revision in members for parent in revision.parents]
    return {
        "parents": pack([len(revision.parents) for revision in members]),
        "parent_station": pack([stations[parent.station] for parent in parents]),
        "parent_seq": pack_numbers([parent.seq for parent in parents]),
        "shapes": [list(shape) for shape in shapes],
        "shape": pack(used),
        "values": pack([value for revision in members for value in revision.changes.values()], ids),
    }


def _unpack_group(group: Any, stations: list[str], ids: list[str], budget: list[int]) -> list[list[Any]]:
    """Return a group's revisions as lists of the arguments of Revision, `previous` still missing."""
    match group:
        case {"form": str(form), "version": str(version), "table": str(table), "count": int(count)}:
            pass
        case _:
            raise MalformedError("a group without form, version, table or count")
    if type(count) is not int or not 0 <= count <= MAX_REVISIONS:
        raise MalformedError("a count out of bounds")
    new = "fields" in group
    parents, changes = (
        _unpack_whole(group, count, ids, budget) if new else _unpack_changes(group, count, stations, ids)
    )
    columns = zip(
        _looked_up(unpack_numbers(group["station"], count), stations),
        unpack_numbers(group["seq"], count, least=1),
        parents,
        unpack_numbers(group["time"], count),
        unpack_texts(group["author"], count),
        _looked_up(unpack_numbers(group["save"], count), ids),
        _looked_up(unpack_numbers(group["record"], count), ids),
        unpack_texts(group["village"], count),
        changes,
        strict=True,
    )
    return [
        [RevisionId(station, seq), before, time, author, save, form, version, table, record, village, fields]
        for station, seq, before, time, author, save, record, village, fields in columns
    ]


def _unpack_whole(
    group: dict[str, Any], count: int, ids: list[str], budget: list[int]
) -> tuple[list[tuple[RevisionId, ...]], list[dict[str, Any]]]:
    fields, columns = group["fields"], group["columns"]
    _expect_names(fields)
    if type(columns) is not list or len(columns) != len(fields):
        raise MalformedError("another number of columns than of fields")
    budget[0] -= len(fields) * count
    if budget[0] < 0:
        raise MalformedError("more cells than a bundle may hold")
    cells = [unpack(column, count, ids) for column in columns]
    rows = zip(*cells, strict=True) if cells else iter([()] * count)
    changes = [
        {field: cell for field, cell in zip(fields, row, strict=True) if type(cell) is not list} for row in rows
    ]
    return [()] * count, changes


def _unpack_changes(
    group: dict[str, Any], count: int, stations: list[str], ids: list[str]
) -> tuple[list[tuple[RevisionId, ...]], list[dict[str, Any]]]:
    numbers = unpack_numbers(group["parents"], count, least=1)
    total = sum(numbers)
    shapes, used = group["shapes"], unpack_numbers(group["shape"], count)
    if type(shapes) is not list:
        raise MalformedError("shapes that are not a list")
    for shape in shapes:
        _expect_names(shape)
    sizes = [len(shape) for shape in _looked_up(used, shapes)]
    if total + sum(sizes) > MAX_CELLS:
        raise MalformedError("more cells than a bundle may hold")
    parents = map(
        RevisionId,
        _looked_up(unpack_numbers(group["parent_station"], total), stations),
        unpack_numbers(group["parent_seq"], total, least=1),
    )
    values = unpack(group["values"], sum(sizes), ids)
    check_cells(values)
    if any(type(value) is list for value in values):
        raise MalformedError("a change without a value")
    cells: Iterator[Any] = iter(values)
    changes = [dict(zip(shapes[at], islice(cells, size), strict=True)) for at, size in zip(used, sizes, strict=True)]
    return [tuple(islice(parents, number)) for number in numbers], changes


def _pack_links(revisions: Sequence[Revision]) -> dict[str, Any]:
    """Only the links that a reader cannot work out from the revision before it in the bundle are written down."""
    by_id: dict[RevisionId, Revision] = {}
    at: list[int] = []
    links: list[str] = []
    for position, revision in enumerate(revisions):
        before = by_id.get(RevisionId(revision.id.station, revision.id.seq - 1))
        if before is None or before.digest != revision.previous:
            at.append(position)
            links.append(revision.previous)
        by_id[revision.id] = revision
    return {"at": pack_numbers(at), "count": len(at), "previous": pack(links)}


def _pack_erased(revisions: Sequence[Revision]) -> dict[str, Any]:
    """The digests that travel in place of changes erased by law."""
    at = [position for position, revision in enumerate(revisions) if revision.erased]
    return {"at": pack_numbers(at), "count": len(at), "digest": pack([revisions[position].erased for position in at])}


def _unpack_erased(data: Any, rows: list[list[Any]], version: int) -> dict[int, str]:
    """Position in the bundle's order -> digest of the changes that were there."""
    match data:
        case None if version == 1:
            return {}
        case {"at": at, "count": int(count), "digest": digest} if version > 1 and 0 <= count <= len(rows):
            pass
        case _:
            raise MalformedError("erasures of no known shape, or in a format that has none")
    positions, texts = unpack_numbers(at, count), unpack_texts(digest, count)
    if not all(map(_DIGEST.fullmatch, texts)):
        raise MalformedError("an erasure without the digest of what was erased")
    erased = dict(zip(positions, texts, strict=True))
    if len(erased) != count or any(at >= len(rows) or rows[at][-1] for at in erased):
        raise MalformedError("an erasure of a revision that has changes, or is not there")
    return erased


def _linked(rows: list[list[Any]], links: Any, erased: Mapping[int, str]) -> tuple[Revision, ...]:
    match links:
        case {"at": at, "count": int(count), "previous": previous} if 0 <= count <= len(rows):
            pass
        case _:
            raise MalformedError("links of no known shape")
    texts = unpack_texts(previous, count)
    if not all(map(_LINK.fullmatch, texts)):
        raise MalformedError("a link that is no digest")
    written = dict(zip(unpack_numbers(at, count), texts, strict=True))
    done: dict[RevisionId, Revision] = {}
    for position, row in enumerate(rows):
        link = written.get(position)
        if link is None:
            before = done.get(RevisionId(row[0].station, row[0].seq - 1))
            if before is None:
                raise MalformedError("a revision whose link can't be worked out")
            link = row_of(before)[-1].hex()
        done[row[0]] = Revision(*[*row, link, erased.get(position, "")])
    if len(done) != len(rows):
        raise MalformedError("a revision that stands twice")
    return tuple(done.values())


def _looked_up(positions: list[int], table: Sequence[Any]) -> list[Any]:
    if positions and max(positions) >= len(table):
        raise MalformedError("a position outside its table")
    return [table[position] for position in positions]


def _expect_names(names: Any) -> None:
    if type(names) is not list or not set(map(type, names)) <= {str} or len(set(names)) != len(names):
        raise MalformedError("field names that are not distinct texts")
