"""Checks of a whole form, after it became an XForm: what cannot run, what leads nowhere, what runs differently here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from forms.definition import Expression, Form, Label, Question, Repeat, SecondaryInstance
from forms.expressions import Compiled, ExpressionError, Scope, compile_expression
from forms.expressions.context import NAMESPACES
from forms.problems import Place, Problem
from forms.program import compile_form
from forms.sheets import ROW
from forms.vocabulary import LEDGER_COLUMNS, nearest
from forms.xform import FormError

# Answers that a laptop's capture page cannot take yet; they stay empty, and other tools' files keep them.
_NOT_TAKEN: Final = frozenset({"osm", "background-audio", "start-geopoint"})
_TYPED: Final = frozenset({"barcode"})
_NOT_RECORDED: Final = frozenset({"audit", "simserial", "subscriberid", "background-geopoint"})
# ODK Collect's engine knows only the axes child, parent, self and attribute, and lacks these functions.
_NOT_IN_COLLECT: Final = frozenset({"name", "local-name", "namespace-uri", "id", "lang", "last"})
_AXES: Final = (
    "ancestor::", "ancestor-or-self::", "following::", "following-sibling::", "preceding::", "preceding-sibling::",
    "namespace::",
)  # fmt: skip
_NONE: Final = SecondaryInstance("")
_NOT_ACTED: Final = {
    "public_key": "encryption", "submission_url": "submission", "auto_send": "submission", "auto_delete": "submission",
}  # fmt: skip
# Choices on a picture or map are chosen from their list; only the common and the Chinese calendar are known.
_IDLE_LOOKS: Final = frozenset(
    {
        "image-map", "map", "masked", "bearing", "rating", "ethiopian", "coptic", "islamic", "bikram-sambat", "myanmar",
        "persian", "buddhist",
    }
)  # fmt: skip
_IDLE_SETTINGS: Final = frozenset({"prefix", "delimiter", "client_editable", "flat", "add_none_option"})
_IDLE_COLUMNS: Final = frozenset(
    {"intent", "compact_tag", "sms_field", "no_app_error_string", "noapperrorstring", "autoplay"}
)
_ACTED: Final = frozenset(
    {
        "bind::type", "bind::relevant", "bind::required", "bind::constraint", "bind::calculate", "bind::readonly",
        "bind::jr:constraintmsg", "bind::jr:requiredmsg", "bind::jr:preload", "bind::jr:preloadparams",
        "control::appearance", "body::appearance", "control::jr:count", "body::jr:count",
        "body::accuracythreshold", *(f"bind::ledger:{name}" for name in LEDGER_COLUMNS),
    }
)  # fmt: skip


def check_form(form: Form) -> tuple[Problem, ...]:
    """Return every problem of a form that was read: expressions that cannot run, paths that lead nowhere (warnings),
    and what runs differently here or in ODK Collect (warnings)."""
    compiled: Mapping[tuple[str, str], Compiled] = {}
    faults: tuple[Problem, ...] = ()
    try:
        compiled = compile_form(form).expressions
    except FormError as error:
        faults = error.problems
    return (*faults, *_expressions(form, compiled), *_questions(form), *_settings(form), *_columns(form))


def _settings(form: Form) -> Iterator[Problem]:
    for row in form.rows.get("settings", ())[:1]:
        for header, text in row.items():
            name = " ".join(header.split()).lower()
            place = Place("", "settings", int(row[ROW]), header) if header != ROW else None
            if place is None or not text.strip():
                continue
            if name in _NOT_ACTED:
                code = "FORMS_HERE_NOT_ENCRYPTED" if _NOT_ACTED[name] == "encryption" else "FORMS_HERE_NOT_SUBMITTED"
                yield Problem(code, place, {"name": name}, "warning")
            elif name in _IDLE_SETTINGS or name.startswith("sms_"):
                yield Problem("FORMS_HERE_NO_EFFECT", place, {"name": name}, "warning")


def _columns(form: Form) -> Iterator[Problem]:
    """Columns of XLSForm that other programs act upon and nothing here does, each once, at its first row."""
    rows = form.rows.get("survey", ())
    idle = {header for header in dict.fromkeys(header for row in rows for header in row) if _is_idle(header)}
    for row in rows if idle else ():
        for header in [header for header in row if header in idle and row[header].strip()]:
            idle.discard(header)
            place = Place("", "survey", int(row[ROW]), header)
            yield Problem("FORMS_HERE_NO_EFFECT", place, {"name": header}, "warning")


def _is_idle(header: str) -> bool:
    name = " ".join(header.split()).lower()
    idle = name in _IDLE_COLUMNS or name.startswith(("bind::", "body::", "instance::", "control::"))
    return idle and name not in _ACTED


def _questions(form: Form) -> Iterator[Problem]:
    """What the capture page does not take, or takes in another way than ODK Collect."""
    for question in form.questions():
        context = {"type": question.type, "name": question.name}
        if question.type in _NOT_TAKEN:
            yield Problem("FORMS_HERE_NOT_TAKEN", question.place, context, "warning")
        elif question.type in _TYPED:
            yield Problem("FORMS_HERE_TYPED", question.place, context, "warning")
        elif question.type in _NOT_RECORDED:
            yield Problem("FORMS_HERE_NOT_RECORDED", question.place, context, "warning")
        elif question.type == "select_one_external" and form.secondary_instances.get("itemsets", _NONE).source:
            yield Problem("FORMS_HERE_EXTERNAL_CHOICES", question.place, context, "warning")
        for word in question.appearance:
            if word in _IDLE_LOOKS or word.startswith(("ex:", "printer:", "search(")):
                yield Problem("FORMS_HERE_APPEARANCE", question.place, {**context, "word": word}, "warning")


def _expressions(form: Form, known: Mapping[tuple[str, str], Compiled]) -> Iterator[Problem]:
    """Paths that no node has, and what ODK Collect does not know, expression by expression."""
    paths = _paths(form)
    repeats = frozenset(node.path for node in form.walk() if isinstance(node, Repeat))
    namespaces = {**NAMESPACES, **form.namespaces}
    for path, expression in _sources(form):
        compiled = known.get((path, expression.source))
        try:
            compiled = compiled or compile_expression(expression.source, scope=Scope(path, repeats, namespaces))
        except ExpressionError:
            continue
        yield from _nowhere(compiled, expression, paths)
        yield from _only_here(compiled, expression)


def _nowhere(compiled: Compiled, expression: Expression, known: frozenset[str]) -> Iterator[Problem]:
    for path in sorted(compiled.references.paths):
        if path in known or "/@" in path or _local(path) in known:
            continue
        context = {"path": path, "source": expression.source, "meant": nearest(path, known, 0.85)}
        code = "FORMS_PATH_UNKNOWN_MEANT" if context["meant"] else "FORMS_PATH_UNKNOWN"
        yield Problem(code, expression.place, context, "warning")


def _only_here(compiled: Compiled, expression: Expression) -> Iterator[Problem]:
    lacking = sorted(compiled.functions & _NOT_IN_COLLECT)
    axes = [axis for axis in _AXES if axis in expression.source]
    if lacking or axes:
        words = ", ".join([*(f"{name}()" for name in lacking), *axes])
        yield Problem("FORMS_COLLECT_LACKS", expression.place, {"words": words}, "warning")


def _paths(form: Form) -> frozenset[str]:
    paths = {f"/{form.root}"} | {node.path for node in form.walk()}
    return frozenset(map(_local, paths))


def _local(path: str) -> str:
    """A path without prefixes: `/data/orx:meta/orx:instanceID` and `/data/meta/instanceID` are one node."""
    return "/".join(step.rpartition(":")[2] for step in path.split("/"))


def _sources(form: Form) -> Iterator[tuple[str, Expression]]:
    """Yield every expression with the path of the node it belongs to; a choice filter's own names are its items'."""
    for node in form.walk():
        found: list[Expression | None] = [node.relevant, node.readonly, *_outputs(node.label)]
        if isinstance(node, Question):
            found += [node.required, node.constraint, node.calculate]
            found += [*_outputs(node.hint), *_outputs(node.constraint_message)]
        if isinstance(node, Repeat):
            found.append(node.count)
        for expression in found:
            if expression is not None:
                yield node.path, expression
    for action in form.actions:
        if action.value is not None and "/@" not in action.target:
            yield action.target, action.value


def _outputs(label: Label) -> Iterator[Expression]:
    for parts in label.texts.values():
        yield from (part for part in parts if isinstance(part, Expression))
