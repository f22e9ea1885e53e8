"""Whether a form's rules come out the same when its records are filled in one after another on one tree of cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from forms.expressions import Compiled, References, Scope, compile_expression
from forms.expressions.context import NAMESPACES
from forms.program import Deed, Program, Rule, Spec, within

# What these give depends on how often they were asked, or on the value before.
UNSTEADY = frozenset({"random", "randomize", "uuid", "once"})


def unsteady(program: Program) -> str:
    """Return why a form's records need an instance each, '' where they don't.

    One pass over its rules in order must be enough: nothing a rule gives is read by a rule that had its turn; no rule
    reads its own outcome; repeats neither nest nor count; what a new record starts from is always the same.
    """
    reasons = (*_shape_reasons(program), *_rule_reasons(program), *_start_reasons(program))
    return next(iter(reasons), "")


def _shape_reasons(program: Program) -> Iterator[str]:
    yield from (f"calculated attribute {path}" for path in program.form.attributes)
    for spec in program.specs.values():
        if len(spec.repeats) > 1:
            yield f"nested repeat {spec.path}"
        if spec.count is not None:
            yield f"repeat_count {spec.path}"


def _rule_reasons(program: Program) -> Iterator[str]:
    for rule in program.order:
        if rule.compiled is not None and not UNSTEADY.isdisjoint(rule.compiled.functions):
            yield f"chance {rule.spec.path}"
        if rule.aspect == "choices":
            continue
        if rule.aspect == "calculate" and any(one.path == rule.spec.path for one in rule.references):
            yield f"reads itself {rule.spec.path}"
        watches = (watch for path in _outcome(program, rule) for watch in program.watches.get(path, ()))
        if any(0 <= watch.rule.rank <= rule.rank and watch.rule.aspect != "choices" for watch in watches):
            yield f"read before {rule.spec.path}"


def _start_reasons(program: Program) -> Iterator[str]:
    # An entity without an id of its own gets one made from the record's: what its attribute starts from is not read.
    derived = {f"{entity.path}/@id" for entity in program.form.entities}
    for deed in filter(_is_first, program.deeds):
        if deed.action.target in derived and deed.action.value is not None and deed.action.value.source == "uuid()":
            continue
        if deed.value is not None and _varies(deed.value) and not _is_fresh(program, deed):
            yield f"starting value {deed.action.target}"
        if deed.action.target in program.triggers:
            yield f"starting value that triggers {deed.action.target}"
    for spec, _ in program.preloads:
        if spec.repeats:
            yield f"metadata {spec.path}"


def _outcome(program: Program, rule: Rule) -> list[str]:
    """The paths whose text may change with a rule's outcome."""
    if rule.aspect == "calculate":
        return [rule.spec.path]
    return [path for path in program.specs if within(path, rule.spec.path)]


def _is_first(deed: Deed) -> bool:
    """Tell whether a deed sets what a new record starts from."""
    return not {"odk-instance-first-load", "odk-instance-load"}.isdisjoint(deed.action.events)


def fresh_deeds(program: Program) -> tuple[Deed, ...]:
    """Return the actions whose starting values tell the moment, so that every record has its own."""
    return tuple(deed for deed in program.deeds if _is_first(deed) and _is_fresh(program, deed))


def _is_fresh(program: Program, deed: Deed) -> bool:
    """Tell whether a starting value depends on the moment alone (`now()`), so that every record can have its own."""
    if deed.value is None or deed.nodes is not None or not _varies(deed.value):
        return False
    spec = program.specs.get(deed.action.target)
    reads = deed.value.references
    lone = sum(one.action.target == deed.action.target and _is_first(one) for one in program.deeds) == 1
    read_by = program.watches.get(deed.action.target, ())
    unread = not any(watch.rule.aspect in ("count", "choices") for watch in read_by)
    return (
        spec is not None and spec.is_leaf and not spec.repeats and spec.calculate is None and lone and unread
        and not (reads.paths or reads.subtrees or reads.instances)
    )  # fmt: skip


def _varies(compiled: Compiled) -> bool:
    return compiled.references.volatile or not UNSTEADY.isdisjoint(compiled.functions)


def simple_deeds(program: Program) -> frozenset[Deed]:
    """Return the actions (of changes and of new rows) that may as well run before the rules as after them.

    Their values read only what no rule and no other action has a hand in, and they set a plain question of the same
    row (or of the record) that no other action sets.
    """
    acting = [deed for found in (*program.triggers.values(), *program.births.values()) for deed in found]
    times = Counter(deed.action.target for deed in {id(deed): deed for deed in acting}.values())
    alone = (deed for deed in acting if times[deed.action.target] == 1)
    return frozenset(deed for deed in alone if _is_simple(program, deed, set(times)))


def _is_simple(program: Program, deed: Deed, targets: set[str]) -> bool:
    target = program.specs.get(deed.action.target)
    origin = program.specs.get(deed.action.trigger or deed.action.repeat)
    if target is None or origin is None or deed.nodes is not None or not target.is_leaf:
        return False
    if target.calculate is not None or target.repeats != origin.repeats or deed.scope != "".join(target.repeats):
        return False
    if deed.value is None:
        return True
    if not UNSTEADY.isdisjoint(deed.value.functions):
        return False
    reads = _read_by(program, deed.value, target)
    if reads.subtrees or reads.choice_names or reads.itexts:
        return False
    others = targets - {target.path}
    return all(path in program.specs and _is_given(program.specs[path], others) for path in reads.paths)


def _read_by(program: Program, value: Compiled, target: Spec) -> References:
    """What a value reads, but for a row's place among the others: that is known from the beginning."""
    source = value.source.replace("position(..)", "1")
    if source == value.source:
        return value.references
    repeats = frozenset(spec.path for spec in program.specs.values() if spec.kind == "repeat")
    scope = Scope(context=target.path, repeats=repeats, namespaces={**NAMESPACES, **program.form.namespaces})
    return compile_expression(source, scope).references


def _is_given(spec: Spec, targets: set[str]) -> bool:
    """Tell whether a question's text is what was answered, whatever the rules say."""
    above: Spec | None = spec
    while above is not None:
        if above.relevant is not None:
            return False
        above = above.parent
    return spec.is_leaf and spec.calculate is None and spec.path not in targets
