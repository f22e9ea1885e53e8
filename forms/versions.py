"""What changed between two versions of a form, and what that means for answers already given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from forms.definition import Expression, Form, Label, Node, Repeat
from forms.lineage import pairs, renamings, union
from forms.problems import LANGUAGES, message, shown
from forms.tables import Column, Table, tables_of
from forms.values import kind_of, normalise

Severity = Literal["harmless", "look", "loses"]
# Given a table and a field: how many records hold each value (as text). Only asked where the answer matters.
Holding = Callable[[str, str], Mapping[str, int]]
SEVERITIES: tuple[Severity, ...] = ("loses", "look", "harmless")
_ALWAYS = "true()"
_ALIKE = frozenset({"select_one", "select_one_from_file"}), frozenset(
    {"select_multiple", "select_multiple_from_file", "rank"}
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions.

    `severity`: harmless; look (somebody should see to it); loses (answers are no longer seen where they were, though
    they are kept). `table`: the ledger table; `name`: the question's column, '' for the form or a table as a whole.
    `code`: stands in messages.yml with what changed and what it means; `records`: how many records it concerns, None
    where nobody counted.
    """

    code: str
    severity: Severity
    table: str = ""
    name: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    records: int | None = None

    def what(self, language: str) -> str:
        """Return what changed, in words; `language`: zh or en."""
        return self._words(language, "what")

    def meaning(self, language: str) -> str:
        """Return what that means for the answers there are, in words; with the number of records, if counted."""
        said = self._words(language, "fix")
        if self.records is None:
            return said
        counted = f"（涉及 {self.records} 条记录）" if language == "zh" else f" ({self.records} records concerned)"
        return said + counted

    def as_data(self) -> dict[str, Any]:
        """Return it JSON-ready, with the words of both languages."""
        return {
            "code": self.code, "severity": self.severity, "table": self.table, "name": self.name,
            "context": {key: shown(_said(value, "")) for key, value in self.context.items()}, "records": self.records,
            "what": {language: self.what(language) for language in LANGUAGES},
            "meaning": {language: self.meaning(language) for language in LANGUAGES},
        }  # fmt: skip

    def _words(self, language: str, part: str) -> str:
        slots = {"name": self.name, "table": self.table}
        slots |= {key: shown(_said(value, language)) for key, value in self.context.items()}
        return message(self.code)[language][part].format_map(slots)


def compare(old: Form, new: Form, holding: Holding | None = None) -> tuple[Change, ...]:
    """Return everything that differs from `old` to `new`, in the new form's order.

    Labels and layout of notes are not looked at, nor is how a page looks. `holding` counts what records hold by the
    old form's tables and fields; without it nothing is counted.
    """
    return tuple(_Comparison(old, new, holding).changes())


def readable(source: str) -> str:
    """Return an expression with `${name}` for the absolute and parent paths that the XForm holds."""
    return " ".join(re.sub(r" (?:/[\w.\-]+)+/([\w.\-]+) | (?:\.\./)+([\w.\-]+) ", _named, f" {source} ").split())


def _named(match: re.Match[str]) -> str:
    return f"${{{match[1] or match[2]}}}"


def required_since(versions: Sequence[Form]) -> frozenset[str]:
    """Return the paths of questions that must be answered in the newest version and were free, or not asked, before.

    `versions`: the newest first, the one before last, between them those that may tell what was renamed.
    """
    new, old = tables_of(versions[0]), {table.name: table for table in tables_of(versions[-1])}
    held = {table.name: table for table in union([tables_of(form) for form in versions])}
    found: set[str] = set()
    for table in new:
        names = (table.name, *held[table.name].older_names)
        before = next((old[name] for name in names if name in old), None)
        if before is None:
            continue
        known = {held[table.name].aliases.get(column.name, column.name): column.question for column in before.columns}
        for column in table.columns:
            earlier = known.get(column.name)
            if column.question.required is not None and (earlier is None or earlier.required is None):
                found.add(column.path)
    return frozenset(found)


class _Comparison:
    """Two versions side by side."""

    def __init__(self, old: Form, new: Form, holding: Holding | None) -> None:
        self.old, self.new, self.holding = old, new, holding
        self.old_tables, self.new_tables = tables_of(old), tables_of(new)
        self.names: dict[str, str] = {}
        self.nodes_before: dict[str, Node] = {node.path: node for node in old.walk()}
        self.nodes_now: dict[str, Node] = {node.path: node for node in new.walk()}

    def changes(self) -> Iterator[Change]:
        yield from self._form()
        together = pairs(self.old_tables, self.new_tables)
        for before, now in together:
            self.names |= renamings(now, before) | ({before.key: now.key} if before.key != now.key else {})
        removed = {
            (before.name, column.name): (before, column)
            for before, now in together
            for column in _without(before, now)
        }
        for before, now in together:
            yield from self._repeat(before, now)
            yield from self._table(before, now, removed)
        for table in self.new_tables:
            if table.name not in {now.name for _, now in together}:
                yield Change("FORMS_DIFF_REPEAT_ADDED", "harmless", table.name, "", self._repeat_slots(table))
        for table in self.old_tables:
            if table.name not in {before.name for before, _ in together}:
                yield from self._table_removed(table)

    def _form(self) -> Iterator[Change]:
        old, new = self.old, self.new
        if old.form_id != new.form_id:
            yield Change("FORMS_DIFF_OTHER_FORM", "look", context={"old": old.form_id, "new": new.form_id})
        elif old.version == new.version and old.digest != new.digest:
            yield Change("FORMS_DIFF_SAME_VERSION", "look", context={"version": new.version})
        if old.title != new.title:
            yield Change("FORMS_DIFF_TITLE", "harmless", context={"old": old.title, "new": new.title})

    # Repeats

    def _repeat(self, before: Table, now: Table) -> Iterator[Change]:
        if before.key != now.key:
            context = {**self._repeat_slots(now), "old": before.key, "before": before.name}
            yield Change("FORMS_DIFF_REPEAT_RENAMED", "harmless", now.name, "", context)
        first, second = self.nodes_before.get(before.repeat_path), self.nodes_now.get(now.repeat_path)
        if isinstance(first, Repeat) and isinstance(second, Repeat):
            slots = self._repeat_slots(now)
            yield from self._rule("COUNT", first.count, second.count, at=(now.name, ""), slots=slots)
            yield from self._rule("RELEVANT", first.relevant, second.relevant, at=(now.name, now.key), slots=slots)

    def _repeat_slots(self, table: Table) -> dict[str, Any]:
        node = self.nodes_now.get(table.repeat_path) or self.nodes_before[table.repeat_path]
        return {"name": table.key, "label": _named_by(node.label, table.key)}

    def _table_removed(self, table: Table) -> Iterator[Change]:
        label = _named_by(self.nodes_before[table.repeat_path].label, table.key)
        yield Change("FORMS_DIFF_REPEAT_REMOVED", "loses", table.name, "", {"name": table.key, "label": label})

    # Questions

    def _table(
        self, before: Table, now: Table, removed: Mapping[tuple[str, str], tuple[Table, Column]]
    ) -> Iterator[Change]:
        renamed = {new: old for old, new in renamings(now, before).items()}
        known = {column.name: column for column in before.columns}
        for column in now.columns:
            earlier = known.get(renamed.get(column.name, column.name))
            if earlier is not None:
                yield from self._question(before, now, earlier, column)
                continue
            elsewhere = next(
                (table for (table, name), _ in removed.items() if name == column.name and table != before.name), None
            )
            yield from self._added(now, column, elsewhere)
        for column in _without(before, now):
            count = self._filled(before, column)
            yield Change("FORMS_DIFF_REMOVED", "loses", before.name, column.name, _slots(column), count)
        yield from self._order(before, now, renamed)

    def _added(self, table: Table, column: Column, elsewhere: str | None) -> Iterator[Change]:
        if elsewhere is not None:
            context = {**_slots(column), "old": elsewhere}
            yield Change("FORMS_DIFF_MOVED_TABLE", "loses", table.name, column.name, context)
        required = column.question.required
        code = "FORMS_DIFF_ADDED" if required is None or not column.question.shown else "FORMS_DIFF_ADDED_REQUIRED"
        severity: Severity = "harmless" if code == "FORMS_DIFF_ADDED" else "look"
        yield Change(code, severity, table.name, column.name, _slots(column))

    def _question(self, before: Table, table: Table, old: Column, new: Column) -> Iterator[Change]:
        slots, name = _slots(new), new.name
        if old.name != new.name:
            context = {**slots, "old": old.name}
            yield Change("FORMS_DIFF_RENAMED", "harmless", table.name, name, context, self._filled(before, old))
        yield from self._type(before, table, old, new)
        yield from self._choices(before, table, old, new)
        first, second = old.question, new.question
        yield from self._required(before, table, old, new)
        yield from self._rule("CONSTRAINT", first.constraint, second.constraint, at=(table.name, name), slots=slots)
        yield from self._rule("RELEVANT", first.relevant, second.relevant, at=(table.name, name), slots=slots)
        yield from self._rule("CALCULATION", first.calculate, second.calculate, at=(table.name, name), slots=slots)
        yield from self._rule("READONLY", first.readonly, second.readonly, at=(table.name, name), slots=slots)
        if first.default != second.default:
            context = {**slots, "old": first.default or "—", "new": second.default or "—"}
            yield Change("FORMS_DIFF_DEFAULT", "harmless", table.name, name, context)
        for aspect in ("standard", "privacy", "unique"):
            was, now = first.ledger.get(aspect, ""), second.ledger.get(aspect, "")
            if was != now:
                context = {**slots, "old": was or "—", "new": now or "—"}
                yield Change(_LEDGER[aspect], "look", table.name, name, context)
        if _texts(first.label) != _texts(second.label):
            context = {**slots, "old": _named_by(first.label, "—"), "new": _named_by(second.label, "—")}
            yield Change("FORMS_DIFF_LABEL", "harmless", table.name, name, context)
        if old.path.rpartition("/")[0] != new.path.rpartition("/")[0] and before.repeat_path == table.repeat_path:
            yield Change("FORMS_DIFF_MOVED", "harmless", table.name, name, slots)

    def _type(self, before: Table, table: Table, old: Column, new: Column) -> Iterator[Change]:
        first, second = old.question, new.question
        was, now = kind_of(first.data_type), kind_of(second.data_type)
        if first.type == second.type and was == now:
            return
        context = {**_slots(new), "old": first.type, "new": second.type}
        fits = self._fits(old, new)
        if fits is None:
            if not any(first.type in alike and second.type in alike for alike in _ALIKE):
                yield Change("FORMS_DIFF_TYPE_SAFE", "harmless", table.name, new.name, context)
            return
        count = None
        if self.holding is not None:
            held = self.holding(before.name, old.name)
            count = sum(number for value, number in held.items() if not fits(value))
        severity: Severity = "harmless" if count == 0 else "look"
        yield Change("FORMS_DIFF_TYPE", severity, table.name, new.name, context, count)

    def _fits(self, old: Column, new: Column) -> Callable[[str], bool] | None:
        """What tells whether an old value is one of the new type; None where all are."""
        was, now = kind_of(old.question.data_type), kind_of(new.question.data_type)
        if old.multiple and not new.multiple and new.question.itemset is not None:
            return lambda value: len(value.split()) <= 1
        if new.question.itemset is not None and old.question.itemset is None:
            codes = new.choices()
            return lambda value: value in codes
        if now in (was, "string") or (was, now) == ("int", "decimal"):
            return None
        return lambda value: not normalise(value, new.question.data_type)[1]

    def _choices(self, before: Table, table: Table, old: Column, new: Column) -> Iterator[Change]:
        if old.source != new.source:
            context = {**_slots(new), "old": old.source or "—", "new": new.source or "—"}
            yield Change("FORMS_DIFF_LIST", "look", table.name, new.name, context)
            return
        was, now = old.choices(), new.choices()
        if (not was and not now) or was == now:
            return
        held: Mapping[str, int] = {}
        if self.holding is not None and not now.keys() >= was.keys():
            held = self.holding(before.name, old.name)
        added = [code for code in now if code not in was]
        for code in (code for code in was if code not in now):
            count = None if self.holding is None else _holders(held, code, multiple=old.multiple)
            renamed = next((other for other in added if now[other] == was[code]), None)
            context = {**_slots(new), "code": code, "choice": was[code]}
            if renamed is not None:
                added.remove(renamed)
                context["new"] = renamed
                yield Change("FORMS_DIFF_CHOICE_RENAMED", "look", table.name, new.name, context, count)
            else:
                severity: Severity = "harmless" if count == 0 else "look"
                yield Change("FORMS_DIFF_CHOICE_REMOVED", severity, table.name, new.name, context, count)
        for code in added:
            context = {**_slots(new), "code": code, "choice": now[code]}
            yield Change("FORMS_DIFF_CHOICE_ADDED", "harmless", table.name, new.name, context)
        for code in (code for code in was if code in now and was[code] != now[code]):
            context = {**_slots(new), "code": code, "old": was[code], "new": now[code]}
            yield Change("FORMS_DIFF_CHOICE_LABEL", "look", table.name, new.name, context)

    def _required(self, before: Table, table: Table, old: Column, new: Column) -> Iterator[Change]:
        first, second = old.question.required, new.question.required
        was, now = self._before(first), _source(second)
        if was == now:
            return
        context = {**_slots(new), "old": was, "new": now}
        if second is None:
            yield Change("FORMS_DIFF_REQUIRED_REMOVED", "harmless", table.name, new.name, context)
        elif second.source == _ALWAYS:
            yield Change("FORMS_DIFF_REQUIRED", "look", table.name, new.name, context)
        else:
            yield Change("FORMS_DIFF_REQUIRED_WHERE", "look", table.name, new.name, context)

    def _rule(
        self,
        aspect: str,
        old: Expression | None,
        new: Expression | None,
        *,
        at: tuple[str, str],
        slots: Mapping[str, Any],
    ) -> Iterator[Change]:
        """What became of one rule; `at`: table and column."""
        was, now = self._before(old), _source(new)
        if was != now:
            code, severity = _RULES[aspect][0 if old is None else 2 if new is None else 1]
            yield Change(code, severity, *at, {**slots, "old": was, "new": now})

    def _before(self, expression: Expression | None) -> str:
        """An older rule under the names of today: who only reads a renamed question has not changed."""
        return re.sub(r"\$\{([^}]*)\}", lambda found: f"${{{self.names.get(found[1], found[1])}}}", _source(expression))

    def _order(self, before: Table, now: Table, renamed: Mapping[str, str]) -> Iterator[Change]:
        own = [renamed.get(column.name, column.name) for column in now.columns]
        then = [column.name for column in before.columns]
        if [name for name in own if name in then] != [name for name in then if name in own]:
            yield Change("FORMS_DIFF_ORDER", "harmless", now.name)

    def _filled(self, table: Table, column: Column) -> int | None:
        return None if self.holding is None else sum(self.holding(table.name, column.name).values())


_LEDGER = {
    "standard": "FORMS_DIFF_STANDARD", "privacy": "FORMS_DIFF_PRIVACY", "unique": "FORMS_DIFF_UNIQUE",
}  # fmt: skip
# Without a rule before, with one changed, without one now: code and severity.
_RULES: Mapping[str, tuple[tuple[str, Severity], tuple[str, Severity], tuple[str, Severity]]] = {
    "CONSTRAINT": (
        ("FORMS_DIFF_CONSTRAINT_ADDED", "look"), ("FORMS_DIFF_CONSTRAINT", "look"),
        ("FORMS_DIFF_CONSTRAINT_REMOVED", "harmless"),
    ),
    "RELEVANT": (
        ("FORMS_DIFF_RELEVANT_ADDED", "look"), ("FORMS_DIFF_RELEVANT", "look"),
        ("FORMS_DIFF_RELEVANT_REMOVED", "harmless"),
    ),
    "CALCULATION": (
        ("FORMS_DIFF_CALCULATION_ADDED", "look"), ("FORMS_DIFF_CALCULATION", "look"),
        ("FORMS_DIFF_CALCULATION_REMOVED", "look"),
    ),
    "READONLY": (
        ("FORMS_DIFF_READONLY", "harmless"), ("FORMS_DIFF_READONLY", "harmless"), ("FORMS_DIFF_READONLY", "harmless"),
    ),
    "COUNT": (("FORMS_DIFF_COUNT", "look"), ("FORMS_DIFF_COUNT", "look"), ("FORMS_DIFF_COUNT", "look")),
}  # fmt: skip


def _without(before: Table, now: Table) -> Sequence[Column]:
    """The columns of the older table that the newer one has no more, under no name."""
    kept = {column.name for column in now.columns} | renamings(now, before).keys()
    return [column for column in before.columns if column.name not in kept]


def _holders(held: Mapping[str, int], code: str, *, multiple: bool) -> int:
    if not multiple:
        return held.get(code, 0)
    return sum(number for value, number in held.items() if code in value.split())


def _source(expression: Expression | None) -> str:
    return "—" if expression is None else readable(expression.source)


def _slots(column: Column) -> dict[str, Any]:
    return {"name": column.name, "label": _named_by(column.question.label, column.name)}


def _named_by(label: Label, name: str) -> Label | str:
    return label if _label(label) else name


def _said(value: Any, language: str) -> Any:
    """A label in the words' language, where the form has it; anything else as it is."""
    if not isinstance(value, Label):
        return value
    spoken = next((name for name in value.texts if f"({language})" in name), "")
    return value.plain(spoken) or _label(value)


def _label(label: Label) -> str:
    return " ".join(label.plain().split())


def _texts(label: Label) -> Mapping[str, str]:
    return {language: label.plain(language) for language in label.texts}
