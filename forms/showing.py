"""How the nodes of a filled-in form look now, and which of them look different after a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forms.cells import Cell
from forms.checking import Checking
from forms.evaluation import Evaluation
from forms.program import Spec, Text
from forms.state import Changes, NodeState
from forms.values import typed

# What a change around a question changes in the question itself.
_INHERITED = frozenset({"relevant", "readonly"})


class Showing:
    """Makes the states of one filled-in form's nodes."""

    def __init__(self, evaluation: Evaluation, checking: Checking) -> None:
        self.evaluation = evaluation
        self.checking = checking
        self.context = evaluation.context

    def walk(self, cell: Cell, labels: tuple[str, ...] = (), *, readonly: bool = False) -> Iterator[NodeState]:
        """Yield the state of everything beneath a cell in document order, a repeat's series before its rows."""
        for spec in cell.spec.children:
            if spec.kind == "repeat":
                yield self._series(cell, spec, labels, readonly=readonly)
            # A copy, for who looks may change the form meanwhile.
            for child in list(cell.rows(spec)):
                state = self._state(child, labels, readonly=readonly)
                yield state
                if not spec.is_leaf:
                    inner = (*labels, state.label) if state.label else labels
                    yield from self.walk(child, inner, readonly=state.readonly)

    def state(self, cell: Cell) -> NodeState:
        """Return the state of one node."""
        return self._state(cell, self._labels(cell.above), readonly=self._is_readonly(cell.above))

    def series(self, container: Cell, repeat: Spec) -> NodeState:
        """Return the state of a repeat as a whole."""
        return self._series(container, repeat, self._labels(container), readonly=self._is_readonly(container))

    def changes(self, *, respoken: bool) -> Changes:
        """Return what was touched since the evaluation last forgot; nodes that are gone are left out."""
        altered: dict[str, frozenset[str]] = {}
        for cell, aspects in self.evaluation.touched.items():
            if cell.tree is not None:
                self._alter(cell, aspects, altered)
        for (container, repeat), aspects in self.evaluation.touched_series.items():
            if container.tree is not None:
                ref = _series_ref(container, repeat)
                altered[ref] = altered.get(ref, frozenset()).union(aspects)
        moved = (
            _series_ref(container, repeat)
            for container, repeat in self.evaluation.altered_rows
            if container.tree is not None
        )
        return Changes(altered, tuple(dict.fromkeys(moved)), respoken)

    def _alter(self, cell: Cell, aspects: Iterable[str], altered: dict[str, frozenset[str]]) -> None:
        altered[cell.ref] = altered.get(cell.ref, frozenset()).union(aspects)
        inherited = _INHERITED.intersection(aspects)
        if not inherited:
            return
        for spec in cell.spec.children:
            if spec.kind == "repeat":
                ref = _series_ref(cell, spec)
                altered[ref] = altered.get(ref, frozenset()).union(inherited)
        for below in cell.cells:
            self._alter(below, inherited, altered)

    def _text(self, text: Text | None, cell: Cell) -> str:
        return "" if text is None else text.say(self.context.language, self.context.at(cell))

    def _labels(self, cell: Cell | None) -> tuple[str, ...]:
        labels: list[str] = []
        while cell is not None:
            labels.append(self._text(cell.spec.label, cell))
            cell = cell.above
        return tuple(label for label in reversed(labels) if label)

    def _is_readonly(self, cell: Cell | None) -> bool:
        while cell is not None:
            if self.evaluation.holds(cell.spec.readonly, cell, otherwise=False):
                return True
            cell = cell.above
        return False

    def _series(self, container: Cell, repeat: Spec, labels: tuple[str, ...], *, readonly: bool) -> NodeState:
        assert repeat.node is not None
        phantom = self.evaluation.phantom(container, repeat)
        relevant = self.evaluation.series_relevant(container, repeat)
        readonly = readonly or self.evaluation.holds(repeat.readonly, phantom, otherwise=False)
        return NodeState(
            node=repeat.node,
            kind="repeat",
            ref=_series_ref(container, repeat),
            relevant=relevant,
            readonly=readonly,
            label=self._text(repeat.label, phantom),
            media=repeat.label.shown_media(self.context.language) if repeat.label else {},
            depth=_depth(container) + 1,
            count=len(container.rows(repeat)),
            can_add=relevant and not readonly and repeat.is_open,
            within=labels,
        )

    def _state(self, cell: Cell, labels: tuple[str, ...], *, readonly: bool) -> NodeState:
        spec, above = cell.spec, cell.above
        assert spec.node is not None
        readonly = readonly or self.evaluation.holds(spec.readonly, cell, otherwise=False)
        is_row, is_leaf = spec.kind == "repeat", spec.is_leaf
        return NodeState(
            node=spec.node,
            kind="row" if is_row else "question" if is_leaf else "group",
            ref=cell.ref,
            relevant=cell.relevant,
            readonly=readonly,
            required=self.evaluation.holds(spec.required, cell, otherwise=False),
            value=typed(cell.value, spec.data_type) if is_leaf else "",
            label=self._text(spec.label, cell),
            hint=self._text(spec.hint, cell),
            guidance=self._text(spec.guidance, cell),
            media=spec.label.shown_media(self.context.language) if spec.label else {},
            choices=self.evaluation.selects.shown(cell),
            problem=next(self.checking.faults(cell), None) if is_leaf and cell.relevant else None,
            constraint_message=self._text(spec.constraint_message, cell),
            required_message=self._text(spec.required_message, cell),
            depth=_depth(cell),
            position=cell.position() if is_row else 0,
            count=len(above.rows(spec)) if is_row and above is not None else 0,
            can_remove=is_row and cell.relevant and not readonly and spec.is_open,
            within=labels,
        )


def _series_ref(container: Cell, repeat: Spec) -> str:
    return f"{container.ref}/{repeat.step}"


def _depth(cell: Cell) -> int:
    """How many groups and rows stand around; the root doesn't count."""
    depth, above = -1, cell.above
    while above is not None:
        depth, above = depth + 1, above.above
    return depth
