"""Match whole texts against regular expressions in time linear in the text, so that no pattern can hang a page.

A pattern becomes a nondeterministic automaton, run as a deterministic one whose states are made when they are first
reached (Thompson 1968). Nothing ever backtracks, so nested quantifiers cost nothing. In exchange back-references and
lookaround are refused, except lookaheads at the very start (`(?=...)`, `(?!...)`), which become patterns of their own.
The notation is what Java and JavaScript share: classes, escapes, \\p{L} and \\p{IsHan}, groups, counted and lazy
quantifiers, ^ $ \\b \\B, and a leading (?i).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from forms.expressions.errors import ExpressionError
from forms.expressions.patterns import (
    Alternatives,
    Anchor,
    Characters,
    Item,
    Lookahead,
    Repeated,
    Sequence,
    read_pattern,
)

# Automaton states times characters: about a second on a slow machine when every one of them has to be looked at.
_BUDGET = 4_000_000
_MAXIMUM_STATES = 4_000
_MAXIMUM_CACHED = 20_000


@lru_cache(maxsize=512)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a whole text matches; raises ExpressionError for a pattern that is refused."""
    heads, body = read_pattern(pattern)
    main = _Automaton(body)
    conditions = [(_ahead(head), head.negative) for head in heads]

    def matches(text: str) -> bool:
        return all(head.accepts(text) is not negative for head, negative in conditions) and main.accepts(text)

    return matches


def _ahead(head: Lookahead) -> _Automaton:
    anything = Repeated(Characters(lambda character: True), 0, None)
    return _Automaton(Sequence((head.inner, anything)))


@dataclass(slots=True)
class _State:
    """A state of the deterministic automaton: the automaton's states before one character, and what stood before."""

    members: frozenset[int]
    after_word: bool | None
    moves: dict[str, _State] = field(default_factory=dict)
    final: bool | None = None


class _Automaton:
    """A nondeterministic automaton over one pattern, with the deterministic states met so far."""

    def __init__(self, item: Item) -> None:
        self.free: list[list[int]] = []
        self.tested: list[tuple[str, int] | None] = []
        self.moves: list[tuple[Callable[[str], bool], int] | None] = []
        start = self._new()
        self.accept = self._add(item, start)
        self.start = _State(frozenset({start}), None)
        self.known: dict[tuple[frozenset[int], bool | None], _State] = {}
        self.cached = 0

    def accepts(self, text: str) -> bool:
        """Return whether the whole text matches; raises ExpressionError where that would take too long."""
        if len(text) * len(self.free) > _BUDGET:
            raise ExpressionError("FORMS_EXPRESSION_REGEX_COSTLY", length=len(text))
        state = self.start
        for character in text:
            following = state.moves.get(character)
            state = following or self._move(state, character)
            if not state.members:
                return False
        if state.final is None:
            state.final = self.accept in self._closure(state, None)
        return state.final

    def _move(self, state: _State, character: str) -> _State:
        members: set[int] = set()
        for one in self._closure(state, character):
            move = self.moves[one]
            if move is not None and move[0](character):
                members.add(move[1])
        key = (frozenset(members), _is_word(character))
        if self.cached > _MAXIMUM_CACHED:
            self.known.clear()
            self.start.moves.clear()
            self.cached = 0
        following = self.known.get(key)
        if following is None:
            following = self.known[key] = _State(*key)
        state.moves[character] = following
        self.cached += 1
        return following

    def _closure(self, state: _State, following: str | None) -> set[int]:
        reached = set(state.members)
        stack = list(reached)
        while stack:
            one = stack.pop()
            targets = self.free[one]
            tested = self.tested[one]
            if tested is not None and _holds(tested[0], state.after_word, following):
                targets = [*targets, tested[1]]
            for target in targets:
                if target not in reached:
                    reached.add(target)
                    stack.append(target)
        return reached

    def _new(self) -> int:
        if len(self.free) >= _MAXIMUM_STATES:
            raise ExpressionError("FORMS_EXPRESSION_REGEX_LARGE")
        self.free.append([])
        self.tested.append(None)
        self.moves.append(None)
        return len(self.free) - 1

    def _add(self, item: Item, start: int) -> int:
        """Build what matches an item from a state on; return the state it ends in."""
        if isinstance(item, Characters):
            end = self._new()
            self.moves[self._fresh(start)] = (item.holds, end)
            return end
        if isinstance(item, Anchor):
            end = self._new()
            self.tested[self._fresh(start)] = (item.kind, end)
            return end
        if isinstance(item, Sequence):
            for part in item.parts:
                start = self._add(part, start)
            return start
        if isinstance(item, Alternatives):
            end = self._new()
            for part in item.parts:
                self.free[self._add(part, self._fresh(start))].append(end)
            return end
        return self._repeat(item, start)

    def _fresh(self, start: int) -> int:
        """Return a new state reached freely from `start`, so that one state never carries two items."""
        fresh = self._new()
        self.free[start].append(fresh)
        return fresh

    def _repeat(self, item: Repeated, start: int) -> int:
        for _ in range(item.least):
            start = self._add(item.inner, start)
        if item.most is None:
            loop = self._fresh(start)
            self.free[self._add(item.inner, loop)].append(loop)
            return self._fresh(loop)
        end = self._new()
        for _ in range(item.most - item.least):
            self.free[start].append(end)
            start = self._add(item.inner, start)
        self.free[start].append(end)
        return end


def _is_word(character: str) -> bool:
    return character == "_" or (character.isascii() and character.isalnum())


def _holds(kind: str, after_word: bool | None, following: str | None) -> bool:
    if kind == "^":
        return after_word is None
    if kind == "$":
        return following is None
    boundary = bool(after_word) != (following is not None and _is_word(following))
    return boundary if kind == "b" else not boundary
