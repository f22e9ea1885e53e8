"""Evaluation of one filled-in form: relevance, counts and calculations in dependency order until nothing changes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from datetime import tzinfo
from heapq import heappop, heappush

from forms.cells import Cell, build, last_before
from forms.expressions import Context, ExpressionError, Node
from forms.expressions.moments import at_days, iso
from forms.expressions.values import to_string
from forms.problems import Place, Problem
from forms.program import Aspect, Deed, Program, Rule, Spec, Watch, steps_to
from forms.selects import Selects
from forms.values import normalise, text_of

# A count typed by mistake (a phone number, say) must not fill the memory.
MOST_ROWS = 2000
# Rules that feed each other through neighbouring instances settle long before; those that never would stop here.
_MOST_RUNS = 1000
# Calculations of instances that join each other's results would double them with every run.
_MOST_TEXT = 200_000
# A number of instances that grows by its own outcome stops sooner.
_MOST_COUNTS = 50
_MOST_DEEDS = 10_000
# Actions that set each other off stop after so many rounds.
_MOST_TURNS = 50
_EVERYTHING = 1 << 60


class Evaluation:
    """Keeps one tree of cells in accord with its program.

    Between `start` and `settle` changes only gather what has to be evaluated; `settle` does it. `touched` gathers what
    may look different (cell -> aspects) for whoever shows the form, `touched_series` the same for repeats as a whole
    (container, repeat), and `altered_rows` those whose instances came or went.
    """

    def __init__(
        self, program: Program, root: Cell, context: Context, selects: Selects, new_id: Callable[[], str]
    ) -> None:
        self.program = program
        self.tree = context.tree
        self.root = root
        self.new_id = new_id
        self.context = context
        self.selects = selects
        self.touched: dict[Cell, set[Aspect | str]] = {}
        self.touched_series: dict[tuple[Cell, Spec], set[Aspect | str]] = {}
        self.altered_rows: dict[tuple[Cell, Spec], None] = {}
        self.faults: dict[tuple[str, Aspect | str], Problem] = {}
        self._heap: list[tuple[int, int, Cell]] = []
        self._waiting: set[tuple[int, Cell]] = set()
        self._deeds: deque[tuple[Deed, Cell]] = deque()
        self._serial = 0
        # While everything is evaluated anew, rules up to this rank are evaluated again only when they must.
        self._reached = _EVERYTHING
        self._bulk = False

    # Changes from outside

    def begin_bulk(self) -> None:
        """Gather nothing from now on: `settle_all` follows and evaluates everything anyway."""
        self._bulk = True
        self._reached = -1

    def forget_actions(self) -> None:
        """Drop the actions gathered so far."""
        self._deeds.clear()

    def write(self, cell: Cell, text: str, code: str = "") -> None:
        """Give a question's cell a value; gathers what depends on it and the actions it triggers."""
        cell.code = code
        if cell.value == text:
            return
        cell.value = text
        self._touch(cell, "value")
        self._fire(cell)
        if not self._bulk:
            self.trigger(cell)

    def add_row(self, container: Cell, repeat: Spec, row_id: str, kept: Cell | None = None) -> Cell:
        """Add an instance (`kept`, or a new one) after a repeat's last one.

        Gathers its rules, what depends on it and, for a new one, its actions.
        """
        assert repeat.pattern is not None
        row = build(repeat.pattern, self.tree) if kept is None else kept
        row.row_id = row_id
        container.insert_after(last_before(container, repeat), row)
        if not container.relevant:
            self._spread(row)
        self._structure_changed(container, repeat)
        for cell in row.everything():
            for rule in (cell.spec.relevant, cell.spec.calculate):
                if rule is not None:
                    self._schedule(rule, cell)
            self._schedule_counts(cell)
            if cell.spec.kind == "repeat" and kept is None:
                cell.row_id = cell.row_id or self.new_id()
                self._deeds += [(deed, cell) for deed in self.program.births.get(cell.path, ())]
        return row

    def remove_row(self, row: Cell) -> None:
        """Take an instance of a repeat out; gathers what depends on it."""
        container = row.above
        assert container is not None
        container.remove(row)
        for cell in row.everything():
            # What still waits for evaluation in there is to be passed over.
            cell.tree = None
        self._structure_changed(container, row.spec)

    def forget_changes(self) -> None:
        """Begin anew to gather what may look different."""
        self.touched.clear()
        self.touched_series.clear()
        self.altered_rows.clear()

    def empty(self, cell: Cell) -> None:
        """Take out the defaults and initial instances beneath a cell: what was saved holds what it holds."""
        for below in list(cell.everything()):
            if below.spec.kind == "repeat" and below is not cell and below.above is not None:
                self.remove_row(below)
            elif below.spec.key:
                below.value, below.code = "", ""

    def trigger(self, cell: Cell) -> None:
        """Gather the actions that a change of a question's value sets off."""
        self._deeds += [(deed, cell) for deed in self.program.triggers.get(cell.path, ())]

    # Evaluation

    def settle(self) -> None:
        """Evaluate everything gathered, and the actions triggered by it, until nothing is left."""
        runs: dict[tuple[int, Cell], int] = {}
        done: dict[tuple[Deed, Cell], int] = {}
        turns = 0
        for _ in range(_MOST_DEEDS):
            while self._heap:
                rank, _, cell = heappop(self._heap)
                self._waiting.discard((rank, cell))
                key = (rank, cell)
                runs[key] = runs.get(key, 0) + 1
                rule = self.program.order[rank]
                most = _MOST_COUNTS if rule.aspect == "count" else _MOST_RUNS
                if runs[key] <= most and cell.tree is not None:
                    self._run(rule, cell)
            if not self._deeds:
                turns += 1
                if turns > _MOST_TURNS or not self._attributes():
                    return
                continue
            # One by one: the next action may read what this one's value calculates.
            deed, origin = self._deeds.popleft()
            done[deed, origin] = done.get((deed, origin), 0) + 1
            if done[deed, origin] <= _MOST_TURNS:
                self._do(deed, origin)
        self._deeds.clear()

    def settle_all(self, *events: str) -> None:
        """Evaluate every rule once in order, then what that changed for rules that had their turn, then `events`.

        Values given from outside stay, nothing is cleared and no row given is removed.
        """
        self._bulk = True
        try:
            for rule in self.program.order:
                if rule.aspect == "choices":
                    continue
                self._reached = rule.rank
                for cell in self._cells_of(rule):
                    self._run(rule, cell)
            self._reached = _EVERYTHING
            self._deeds += [
                (deed, self.root) for event in events for deed in self.program.deeds if event in deed.action.events
            ]
            self.settle()
        finally:
            self._reached = _EVERYTHING
            self._bulk = False

    def again(self, functions: frozenset[str]) -> None:
        """Gather every rule that calls one of `functions` (what they give has changed from outside)."""
        for rule in self.program.order:
            if rule.compiled is not None and not functions.isdisjoint(rule.compiled.functions):
                for cell in self._cells_of(rule):
                    self._schedule(rule, cell)

    def holds(self, rule: Rule | None, cell: Cell, *, otherwise: bool) -> bool:
        """Return a rule's truth for a cell; `otherwise` where there is no rule or it can't be evaluated."""
        if rule is None or rule.compiled is None:
            return otherwise
        try:
            held = rule.compiled.boolean(self.context.at(cell))
        except ExpressionError as error:
            self._fault(rule, error)
            return otherwise
        if self.faults:
            self.faults.pop(rule.key, None)
        return held

    def series_relevant(self, container: Cell, repeat: Spec) -> bool:
        """Tell whether a repeat that may have no instance yet is relevant."""
        rows = container.rows(repeat)
        if rows:
            return any(row.relevant for row in rows)
        return container.relevant and self.holds(repeat.relevant, self.phantom(container, repeat), otherwise=True)

    def phantom(self, container: Cell, repeat: Spec) -> Cell:
        """A stand-in for an instance that isn't there, to evaluate what is said of the repeat as a whole."""
        phantom = Cell(repeat)
        phantom.parent = container
        phantom.tree = self.tree
        return phantom

    # Rules

    def _run(self, rule: Rule, cell: Cell) -> None:
        if rule.aspect == "calculate":
            self._calculate(rule, cell)
        elif rule.aspect == "relevant":
            own = self.holds(rule, cell, otherwise=True)
            if own != cell.own:
                cell.own = own
                self._spread(cell)
        elif rule.aspect == "count":
            self._count(rule, cell)
        elif not self._bulk:
            self._clear_choices(cell)

    def _calculate(self, rule: Rule, cell: Cell) -> None:
        assert rule.compiled is not None
        if cell.given and self._bulk:
            return
        try:
            value = rule.compiled.evaluate(self.context.at(cell))
        except ExpressionError as error:
            self._fault(rule, error)
            value = ""
        else:
            self.faults.pop(rule.key, None)
        text = "" if isinstance(value, float) and math.isnan(value) else to_string(value)
        if len(text) > _MOST_TEXT:
            context = {"most": _MOST_TEXT}
            self.faults[rule.key] = Problem("FORMS_CALCULATION_LONG", rule.place, context)
            text = ""
        self.write(cell, *computed(text, cell.spec, self.context.zone))

    def _attributes(self) -> bool:
        """Calculate attributes anew, and gather the rules that read any if one has changed; return whether so."""
        changed = False
        for one in self.program.attributes:
            for cell in self.root.reach(one.steps):
                attribute = cell.attribute_node(one.name, one.prefix)
                if one.value.references.volatile and attribute.value:
                    continue  # the moment or chance of the first time stays
                try:
                    text = one.value.string(self.context.at(attribute))
                except ExpressionError:
                    text = ""
                changed = changed or attribute.value != text
                attribute.value = text
        for rule in self.program.order if changed else ():
            if rule.compiled is not None and "@" in rule.compiled.source:
                for cell in self._cells_of(rule):
                    self._schedule(rule, cell)
        return changed

    def _count(self, rule: Rule, container: Cell) -> None:
        assert rule.compiled is not None
        repeat = rule.spec
        try:
            number = rule.compiled.number(self.context.at(self.phantom(container, repeat)))
        except ExpressionError as error:
            self._fault(rule, error)
            return
        wanted = 0 if math.isnan(number) or number < 0 else int(min(number, MOST_ROWS + 1))
        if wanted > MOST_ROWS:
            context = {"count": text_of(number), "most": MOST_ROWS}
            self.faults[rule.key] = Problem("FORMS_REPEAT_COUNT", Place(name=repeat.path), context)
            return
        self.faults.pop(rule.key, None)
        rows = container.rows(repeat)
        while len(rows := container.rows(repeat)) < wanted:
            self.add_row(container, repeat, self.new_id())
        while len(rows := container.rows(repeat)) > wanted and not (rows[-1].given and self._bulk):
            self.remove_row(rows[-1])

    def _clear_choices(self, cell: Cell) -> None:
        self._touch(cell, "choices")
        if not cell.value:
            return
        codes = cell.value.split() if cell.spec.multiple else [cell.value]
        kept = [code for code in codes if self.selects.offers(cell, code)]
        if kept != codes:
            self.write(cell, " ".join(kept))

    def _do(self, deed: Deed, origin: Cell) -> None:
        if origin.tree is None:
            return
        for target in self._targets(deed, origin):
            if not isinstance(target, Cell):
                target.value = self._said(deed, target) or ""
                continue
            if not target.spec.is_leaf or (target.given and self._bulk):
                continue
            text = self._said(deed, target)
            if text is None:
                continue
            before, waiting = target.value, len(self._deeds)
            self.write(target, *computed(text, target.spec, self.context.zone))
            if target is origin:
                # An action that tidies the very answer that set it off isn't set off again by that.
                while len(self._deeds) > waiting:
                    self._deeds.pop()
            elif self._bulk and target.value != before:
                # What the first load sets is a change like any other for whoever waits for one.
                self.trigger(target)

    def _said(self, deed: Deed, target: Node) -> str | None:
        """The value an action gives its target; None where it can't be evaluated."""
        if deed.value is None:
            return deed.action.literal
        try:
            value = deed.value.evaluate(self.context.at(target))
        except ExpressionError:
            return None
        return "" if isinstance(value, float) and math.isnan(value) else to_string(value)

    def _targets(self, deed: Deed, origin: Cell) -> Iterable[Node]:
        """The cells an action sets, or the attributes."""
        if deed.nodes is not None:
            try:
                return deed.nodes.nodes(self.context.at(origin))
            except ExpressionError:
                return ()
        anchor = origin.around(deed.scope)
        return anchor.reach(deed.steps if anchor.path == deed.scope else deed.from_root)

    # What changes bring with them

    def _spread(self, cell: Cell) -> None:
        """Carry a changed relevance down to everything beneath."""
        above = cell.above
        relevant = cell.own and (above is None or above.relevant)
        if relevant == cell.relevant:
            return
        cell.relevant = relevant
        self._touch(cell, "relevant")
        self._fire(cell)
        if relevant and cell.spec.calculate is not None:
            # What was answered over a calculation doesn't outlive the question's absence.
            self._schedule(cell.spec.calculate, cell)
        for child in cell.cells:
            self._spread(child)

    def _fire(self, cell: Cell) -> None:
        for watch in self.program.watches.get(cell.path, ()):
            self._wake(watch, cell)

    def _structure_changed(self, container: Cell, repeat: Spec) -> None:
        self.altered_rows[container, repeat] = None
        for watch in self.program.structure.get(repeat.path, ()):
            self._wake(watch, container)

    def _wake(self, watch: Watch, cell: Cell) -> None:
        rule = watch.rule
        if rule.rank > self._reached or (self._bulk and rule.rank < 0):
            return
        if rule.spec.kind == "repeat" and not self._bulk:
            self._touch_series(watch, cell)
        for target in cell.around(watch.scope).reach(watch.steps):
            if rule.rank >= 0:
                self._schedule(rule, target)
            else:
                self._touch(target, rule.aspect)

    def _schedule(self, rule: Rule, cell: Cell) -> None:
        key = (rule.rank, cell)
        if rule.rank <= self._reached and key not in self._waiting:
            self._waiting.add(key)
            self._serial += 1
            heappush(self._heap, (rule.rank, self._serial, cell))

    def _schedule_counts(self, cell: Cell) -> None:
        for child in cell.spec.children:
            if child.count is not None:
                self._schedule(child.count, cell)

    def _cells_of(self, rule: Rule) -> list[Cell]:
        path = rule.spec.path
        if rule.aspect == "count":
            path = path.rpartition("/")[0]
        # A copy, for a count changes the rows while they are gone through.
        return list(self.root.reach(steps_to(path, "")))

    def _touch(self, cell: Cell, aspect: Aspect | str) -> None:
        if not self._bulk:
            self.touched.setdefault(cell, set()).add(aspect)

    def _touch_series(self, watch: Watch, cell: Cell) -> None:
        """A repeat as a whole has a state of its own, even without instances."""
        anchor = cell.around(watch.scope)
        above = [anchor.above] if watch.rule.spec.path == anchor.path else anchor.reach(watch.steps[:-1])
        for container in above if watch.rule.aspect != "count" else ():
            if container is not None:
                self.touched_series.setdefault((container, watch.rule.spec), set()).add(watch.rule.aspect)

    def _fault(self, rule: Rule, error: ExpressionError) -> None:
        self.faults[rule.key] = error.at(rule.place)


def computed(text: str, spec: Spec, zone: tzinfo) -> tuple[str, str]:
    """Return a computed text as a node of its type holds it, and the code of what is wrong with it.

    Numbers become whole numbers where the question wants these, and days since 1970-01-01 UTC the date or time that is
    then in `zone`.
    """
    kind = spec.value_kind
    if kind == "string" or not text:
        return text, ""
    if kind in ("int", "date", "dateTime"):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if kind == "int" and math.isfinite(number):
            return str(int(number)), ""
        at = None if kind == "int" else at_days(number, zone)
        if at is not None:
            return at.date().isoformat() if kind == "date" else iso(at), ""
    value, code = normalise(text, spec.data_type)
    return text_of(value), code
