"""Columns of a bundle: lists of cells packed as constants, dictionaries, differences or references to ids (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import isfinite
from typing import Any

Packed = dict[str, Any]
# A cell that a row does not have; written as the JSON array `[]`, which no value can be.
ABSENT: tuple[()] = ()
_CELL_TYPES = frozenset({str, int, float, bool, type(None), list})
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TAIL = 19  # hexadecimal digits of a UUIDv7 after its 12 of time and its version


class MalformedError(ValueError):
    """A column or a table inside a bundle is not what the format says; the text names what, for developers."""


def pack(values: Sequence[Any], ids: Mapping[str, int] | None = None) -> Packed:
    """Pack cells (str, int, float, bool, None or ABSENT) the shortest of the ways that keep each cell's type.

    `ids`: positions in the bundle's id table; a column whose texts all stand there is written as references.
    """
    kinds = set(map(type, values)) - {type(None), tuple}
    if float in kinds and not all(isfinite(value) for value in values if type(value) is float):
        raise ValueError("a number that is not finite")
    if len(kinds) > 1 or kinds & {float, bool}:
        return {"v": list(values)}  # 1, 1.0 and true are equal to Python: a dictionary would mix them up
    distinct = {value: position for position, value in enumerate(dict.fromkeys(values))}
    if len(distinct) == 1:
        return {"c": next(iter(distinct))}
    if ids and kinds == {str} and all(value in ids for value in distinct if type(value) is str):
        return {"r": [ids[value] if type(value) is str else value for value in values]}
    if len(distinct) * 4 <= len(values):
        return {"d": list(distinct), "i": [distinct[value] for value in values]}
    return {"v": list(values)}


def pack_numbers(values: Sequence[int]) -> Packed:
    """Pack whole numbers that mostly grow (sequence numbers, times) as a first one and differences."""
    if values and values.count(values[0]) == len(values):
        return {"c": values[0]}
    return {"n": [after - before for before, after in zip((0, *values), values, strict=False)]}


def unpack(packed: Any, count: int, ids: Sequence[str] = ()) -> list[Any]:
    """Return the `count` cells of a packed column; an absent cell is an empty list. Raises MalformedError."""
    match packed:
        case {"c": cell}:
            cells = [cell] * count
        case {"v": list(cells)}:
            pass
        case {"d": list(distinct), "i": list(positions)}:
            cells = _at(positions, distinct)
        case {"n": list(differences)}:
            _expect_ints(differences)
            cells = list(accumulate(differences))
        case {"r": list(positions)}:
            cells = [cell if cell is None or cell == [] else _one(cell, ids) for cell in positions]
        case _:
            raise MalformedError("a column of no known kind")
    if len(cells) != count:
        raise MalformedError(f"a column of {len(cells)} cells where {count} were announced")
    check_cells(cells)
    return cells


def unpack_texts(packed: Any, count: int, ids: Sequence[str] = ()) -> list[str]:
    """Return a column's cells where all must be text. Raises MalformedError."""
    cells = unpack(packed, count, ids)
    if not set(map(type, cells)) <= {str}:
        raise MalformedError("a cell that is not text")
    return cells


def unpack_numbers(packed: Any, count: int, *, least: int = 0) -> list[int]:
    """Return a column's cells where all must be whole numbers of at least `least`. Raises MalformedError."""
    cells = unpack(packed, count)
    _expect_ints(cells)
    if cells and min(cells) < least:
        raise MalformedError("a number below its least")
    return cells


def check_cells(cells: Iterable[Any]) -> None:
    """Raise MalformedError unless every cell is a value (finite when a number) or the empty list."""
    cells = list(cells)
    kinds = set(map(type, cells))
    if not kinds <= _CELL_TYPES:
        raise MalformedError("a cell that is no value")
    if float in kinds and not all(isfinite(cell) for cell in cells if type(cell) is float):
        raise MalformedError("a number that is not finite")
    if list in kinds and any(cell for cell in cells if type(cell) is list):
        raise MalformedError("a cell that is a list")


def pack_ids(ids: Iterable[str]) -> tuple[Packed, dict[str, int]]:
    """Pack distinct ids, UUIDv7 as times and tails, others as they are; also return each one's position."""
    sevens: list[str] = []
    others: list[str] = []
    for text in dict.fromkeys(ids):
        (sevens if _UUID7.fullmatch(text) else others).append(text)
    bare = [text.replace("-", "") for text in sevens]
    packed = {
        "u": pack_numbers([int(text[:12], 16) for text in bare]),
        "t": "".join([text[13:] for text in bare]),
        "o": others,
    }
    return packed, {text: position for position, text in enumerate([*sevens, *others])}


def unpack_ids(packed: Any) -> list[str]:
    """Return the id table by position. Raises MalformedError."""
    match packed:
        case {"u": times_packed, "t": str(tails), "o": list(others)} if re.fullmatch("[0-9a-f]*", tails):
            pass
        case _:
            raise MalformedError("an id table of no known shape")
    if not set(map(type, others)) <= {str}:
        raise MalformedError("an id that is not text")
    count, left = divmod(len(tails), _TAIL)
    times = unpack_numbers(times_packed, count)
    if left or (times and max(times) >= 1 << 48):
        raise MalformedError("an id table that does not come out even")
    starts = range(0, len(tails), _TAIL)
    return [_uuid7(time, tails[at : at + _TAIL]) for time, at in zip(times, starts, strict=True)] + others


def _uuid7(time: int, tail: str) -> str:
    head = f"{time:012x}"
    return f"{head[:8]}-{head[8:]}-7{tail[:3]}-{tail[3:7]}-{tail[7:]}"


def _at(positions: list[Any], table: Sequence[Any]) -> list[Any]:
    _expect_ints(positions)
    if positions and not (min(positions) >= 0 and max(positions) < len(table)):
        raise MalformedError("a position outside its table")
    return [table[position] for position in positions]


def _one(position: Any, table: Sequence[str]) -> str:
    if type(position) is not int or not 0 <= position < len(table):
        raise MalformedError("a position outside its table")
    return table[position]


def _expect_ints(cells: list[Any]) -> None:
    if not set(map(type, cells)) <= {int}:
        raise MalformedError("a cell that is not a whole number")
