"""The order in which a form's rules are evaluated, and the circles that have none."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)


def in_order(keys: Sequence[_Key], needs: Mapping[_Key, Iterable[_Key]]) -> list[_Key]:
    """Return `keys` so that each stands after those it needs; where they need each other, in the order given."""
    done: dict[_Key, None] = {}
    for key in keys:
        if key in done:
            continue
        # Depth first without recursion: a long chain of calculations must not meet Python's limit.
        stack = [(key, iter(needs.get(key, ())))]
        open_keys = {key}
        while stack:
            here, rest = stack[-1]
            below = next((need for need in rest if need not in done and need not in open_keys), None)
            if below is None:
                stack.pop()
                done[here] = None
            else:
                open_keys.add(below)
                stack.append((below, iter(needs.get(below, ()))))
    return list(done)


def circles(keys: Sequence[_Key], needs: Mapping[_Key, Iterable[_Key]]) -> list[list[_Key]]:
    """Return the groups of keys that need each other (Tarjan's strongly connected components), in the order given."""
    index: dict[_Key, int] = {}
    low: dict[_Key, int] = {}
    waiting: dict[_Key, None] = {}
    found: list[list[_Key]] = []
    for start in keys:
        if start in index:
            continue
        stack = [(start, iter(needs.get(start, ())))]
        index[start] = low[start] = len(index)
        waiting[start] = None
        while stack:
            here, rest = stack[-1]
            step = next((need for need in rest if need not in index or need in waiting), None)
            if step is None:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[here])
                if low[here] == index[here]:
                    found.append(_taken(waiting, here))
            elif step in index:
                low[here] = min(low[here], index[step])
            else:
                index[step] = low[step] = len(index)
                waiting[step] = None
                stack.append((step, iter(needs.get(step, ()))))
    place = {key: number for number, key in enumerate(keys)}
    real = [group for group in found if len(group) > 1 or group[0] in needs.get(group[0], ())]
    return sorted((sorted(group, key=place.__getitem__) for group in real), key=lambda group: place[group[0]])


def _taken(waiting: dict[_Key, None], last: _Key) -> list[_Key]:
    group = []
    while True:
        key = next(reversed(waiting))
        del waiting[key]
        group.append(key)
        if key == last:
            return group
