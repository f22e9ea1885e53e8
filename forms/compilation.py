"""How a form becomes a program: nodes outlined, expressions compiled, dependencies ordered, faults collected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from forms.definition import Action, Choice, Expression, Form, Group, Itemset, Label, Node, Question, Repeat, Seed
from forms.dependencies import Outline, Reader, Reference, parent_of
from forms.expressions import Compiled, ExpressionError, Scope, compile_expression
from forms.expressions.context import NAMESPACES
from forms.expressions.parser import parse
from forms.ordering import circles, in_order
from forms.problems import Place, Problem
from forms.program import (
    ACTIVE,
    Aspect,
    Calculated,
    Deed,
    Options,
    Pattern,
    Program,
    Rule,
    Spec,
    Text,
    Watch,
    steps_to,
    within,
)
from forms.secondary import internal_items
from forms.tables import keys_of, safe_name
from forms.values import kind_of, normalise, text_of
from forms.xform import FormError

# Names that older forms call the same events by (JavaRosa before ODK XForms 1.0).
_EVENTS = {"xforms-ready": "odk-instance-first-load", "jr-insert": "odk-new-repeat"}
# Choices may exclude each other's answers, and a number of instances may depend on what the last one says ("another?"):
# both settle though they go round.
_LOOSE = frozenset({"choices", "count"})
_known: dict[str, Program] = {}
_KEPT = 32


def compiled(form: Form) -> Program:
    """Return the program of a form, the same one for the same digest; raises FormError with every fault."""
    if not form.digest:
        return _Compiler(form).program()
    # The lists of select_one_external are not in the XForm, whose digest the form's is.
    own = form.secondary_instances.get("itemsets")
    key = form.digest if own is None else f"{form.digest} {own.xml}"
    program = _known.pop(key, None) or _Compiler(form).program()
    # The one used last stands last; the first one goes when there are too many.
    _known[key] = program
    while len(_known) > _KEPT:
        _known.pop(next(iter(_known)))
    return program


class _Compiler:
    """Compiles one form, collecting faults."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.problems: list[Problem] = []
        self.specs: dict[str, Spec] = {}
        self.rules: list[Rule] = []
        self.expressions: dict[tuple[str, str], Compiled] = {}
        self.repeats = frozenset(node.path for node in form.walk() if isinstance(node, Repeat))
        self.reasons = form.reasons()
        self.namespaces = {**NAMESPACES, **form.namespaces}
        self.root = Spec(0, None, f"/{form.root}", *_split(form.root), None, (), "root")
        self.specs[self.root.path] = self.root
        self.outline = Outline(_children(form, self.root.path), self.repeats)

    def program(self) -> Program:
        for child in self.form.children:
            self._outline_spec(child, self.root)
        keys, was = self._keys()
        for spec in list(self.specs.values()):
            self._node_rules(spec)
        deeds = tuple(self._deed(action) for action in self.form.actions)
        itext = {
            (language, name): self._parts(parts, "")
            for language, texts in self.form.itext.items()
            for name, parts in texts.items()
        }
        attributes = tuple(self._attributes())
        self._read_choice_labels()
        order = self._ordered()
        if self.problems:
            raise FormError(self.problems)
        pattern = _pattern(self.root, self.form.seed if self.form.seed.children else _default_seed(self.form))
        triggers: dict[str, list[Deed]] = {}
        births: dict[str, list[Deed]] = {}
        for deed in deeds:
            if "xforms-value-changed" in deed.action.events:
                triggers.setdefault(deed.action.trigger, []).append(deed)
            if "odk-new-repeat" in deed.action.events:
                births.setdefault(deed.action.repeat, []).append(deed)
        return Program(
            form=self.form,
            root=self.root,
            specs=self.specs,
            order=order,
            watches=self._watches(),
            structure=self._structure(),
            keys=keys,
            was=was,
            deeds=deeds,
            triggers={path: tuple(fired) for path, fired in triggers.items()},
            births={path: tuple(fired) for path, fired in births.items()},
            secondary={name: internal_items(one.xml) for name, one in self.form.secondary_instances.items() if one.xml},
            name_spec=self._name_spec(),
            preloads=tuple(
                (self.specs[question.path], question.preload)
                for question in self.form.questions()
                if question.preload is not None
            ),
            itext=itext,
            pattern=pattern,
            expressions=self.expressions,
            attributes=attributes,
        )

    # Nodes

    def _outline_spec(self, node: Node, parent: Spec) -> None:
        is_repeat = isinstance(node, Repeat)
        repeats = (*parent.repeats, node.path) if is_repeat else parent.repeats
        kind: Literal["group", "repeat", "question"] = (
            "question" if isinstance(node, Question) else "repeat" if is_repeat else "group"
        )
        spec = Spec(len(self.specs), node, node.path, *_split(node.path.rpartition("/")[2]), parent, repeats, kind)
        parent.children.append(spec)
        self.specs[node.path] = spec
        if isinstance(node, Question):
            spec.data_type = node.data_type
            spec.value_kind = kind_of(node.data_type)
            spec.standard = node.ledger.get("standard", "")
            spec.multiple = node.type.startswith("select_multiple") or node.type == "rank"
            return
        for child in node.children:
            self._outline_spec(child, spec)

    def _keys(self) -> tuple[dict[str, dict[str, Spec]], dict[str, dict[str, Spec]]]:
        """The Answers keys of the record and of every repeat's rows; older names beside them."""
        rows: list[tuple[str, Iterable[Node]]] = [("", self.form.children)]
        rows += [(node.path, node.children) for node in self.form.walk() if isinstance(node, Repeat)]
        keys: dict[str, dict[str, Spec]] = {}
        was: dict[str, dict[str, Spec]] = {}
        for path, children in rows:
            named = {key: self.specs[below] for below, key in keys_of(self.form, children).items()}
            keys[path], was[path] = named, {}
            for key, spec in named.items():
                spec.key = key
                old = spec.node.ledger.get("was", "") if isinstance(spec.node, Question | Repeat) else ""
                if old:
                    was[path][safe_name(old)] = spec
        return keys, was

    def _name_spec(self) -> Spec | None:
        meta = self.form.meta_path or f"/{self.form.root}/meta"
        named = (spec for spec in self.specs.values() if parent_of(spec.path) == meta and spec.name == "instanceName")
        return next(named, None)

    # Rules

    def _node_rules(self, spec: Spec) -> None:
        node = spec.node
        if node is None:
            return
        spec.relevant = self._rule(spec, "relevant", node.relevant)
        spec.readonly = self._rule(spec, "readonly", node.readonly)
        spec.label = self._text(spec, "label", node.label)
        if isinstance(node, Repeat):
            spec.count = self._rule(spec, "count", node.count)
        if not isinstance(node, Question):
            return
        spec.required = self._rule(spec, "required", node.required)
        spec.constraint = self._rule(spec, "constraint", node.constraint)
        reason = self.reasons.get(spec.path)
        if reason is not None:
            spec.confirmed = self._rule(spec, "confirmed", Expression(f"string-length({reason}) > 0"))
        spec.calculate = self._rule(spec, "calculate", node.calculate)
        spec.hint = self._text(spec, "hint", node.hint)
        spec.guidance = self._text(spec, "guidance", node.guidance)
        spec.required_message = self._text(spec, "required_message", node.required_message)
        spec.constraint_message = self._text(spec, "constraint_message", node.constraint_message)
        if node.itemset is not None:
            spec.options = self._options(spec, node.itemset)

    def _rule(self, spec: Spec, aspect: Aspect, expression: Expression | None) -> Rule | None:
        if expression is None:
            return None
        compiled = self._compile(expression, spec.path)
        if compiled is None:
            return None
        reader = Reader(self.outline, spec.path)
        reader.read(parse(compiled.source))
        return self._add(Rule(spec, aspect, compiled, frozenset(reader.found), expression.place))

    def _add(self, rule: Rule) -> Rule:
        self.rules.append(rule)
        return rule

    def _compile(self, expression: Expression, context: str) -> Compiled | None:
        key = (context, expression.source)
        try:
            if key not in self.expressions:
                self.expressions[key] = compile_expression(
                    expression.source, scope=Scope(context=context, repeats=self.repeats, namespaces=self.namespaces)
                )
            return self.expressions[key]
        except ExpressionError as error:
            self.problems.append(error.at(expression.place))
            return None

    def _parts(self, parts: tuple[str | Expression, ...], context: str) -> tuple[str | Compiled, ...]:
        made = (part if isinstance(part, str) else self._compile(part, context) for part in parts)
        return tuple(part for part in made if part is not None)

    def _text(self, spec: Spec, aspect: Aspect, label: Label) -> Text | None:
        if not label.texts and not label.media:
            return None
        parts = {language: self._parts(texts, spec.path) for language, texts in label.texts.items()}
        reader = Reader(self.outline, spec.path)
        for part in (part for texts in parts.values() for part in texts):
            if not isinstance(part, str):
                reader.read(parse(part.source))
        if reader.found:
            self._add(Rule(spec, aspect, None, frozenset(reader.found), spec.node.place if spec.node else Place()))
        return Text(parts, self.form.default_language, label.media)

    def _options(self, spec: Spec, itemset: Itemset) -> Options:
        if itemset.nodeset is None:
            inline = tuple((choice.name, self._choice_text(spec, choice)) for choice in itemset.choices)
            return Options(itemset, None, True, inline, "", frozenset(name for name, _ in inline))
        compiled = self._compile(itemset.nodeset, spec.path)
        if compiled is None:
            return Options(itemset)
        secondary = self.form.secondary_instances.get(itemset.list_name)
        reader = Reader(self.outline, spec.path)
        spots = reader.read(parse(compiled.source))
        # A list that stands in the form and is taken whole is the same for everybody.
        fixed = "[" not in compiled.source and not reader.found and compiled.functions <= {"instance"}
        for path in (itemset.value, itemset.label):
            reader.read_path(spots, path.split("/"))
        if reader.found:
            self._add(Rule(spec, "choices", compiled, frozenset(reader.found), itemset.nodeset.place))
        source = secondary.source if secondary is not None and fixed else ""
        return Options(itemset, compiled, fixed, (), source)

    def _choice_text(self, spec: Spec, choice: Choice) -> Text:
        parts = {language: self._parts(texts, spec.path) for language, texts in choice.label.texts.items()}
        return Text(parts, self.form.default_language, choice.label.media)

    def _deed(self, action: Action) -> Deed:
        value = self._compile(action.value, action.target) if action.value else None
        # What has predicates, or is an attribute, is found as an expression finds it.
        selected = action.ref or (action.target if "/@" in action.target else "")
        nodes = self._compile(Expression(selected), parent_of(action.target)) if selected else None
        origin, target = self.specs.get(action.trigger or action.repeat), self.specs.get(action.target)
        around = zip(origin.repeats, target.repeats, strict=False) if origin and target else ()
        scope = next((mine for mine, theirs in reversed(list(around)) if mine == theirs), "")
        action = replace(action, events=tuple(_EVENTS.get(event, event) for event in action.events))
        return Deed(action, value, nodes, scope, steps_to(action.target, scope), steps_to(action.target, ""))

    def _attributes(self) -> Iterator[Calculated]:
        for path, expression in self.form.attributes.items():
            owner, _, name = path.rpartition("/@")
            compiled = self._compile(expression, path)
            if compiled is not None:
                prefix, _, bare = name.rpartition(":")
                yield Calculated(steps_to(owner, ""), bare, prefix, compiled)

    # Dependencies

    def _read_choice_labels(self) -> None:
        """Who asks for a choice's label also reads what the choices of that question are made from."""
        lists = {rule.spec.path: rule.references for rule in self.rules if rule.aspect == "choices"}
        for rule in self.rules:
            if rule.compiled is not None and "jr:choice-name" in rule.compiled.functions:
                read = (one for reference in rule.references for one in lists.get(reference.path, ()))
                rule.references |= {Reference(one.path, "", one.reads) for one in read}

    def _ordered(self) -> tuple[Rule, ...]:
        active = {rule.key: rule for rule in self.rules if rule.aspect in ACTIVE}
        needs = {key: list(self._needs(rule, active)) for key, rule in active.items()}
        strict = {
            key: [need for need, is_strict in found if is_strict and (need != key or key[1] == "relevant")]
            for key, found in needs.items()
        }
        for circle in circles(list(active), strict):
            names = " → ".join(path.rpartition("/")[2] for path, _ in (*circle, circle[0]))
            self.problems += [
                Problem("FORMS_CIRCLE", active[key].place, {"names": names, "aspect": key[1]}) for key in circle
            ]
        ordered = in_order(list(active), {key: [need for need, _ in found] for key, found in needs.items()})
        for rank, key in enumerate(ordered):
            active[key].rank = rank
        return tuple(active[key] for key in ordered)

    def _needs(
        self, rule: Rule, active: Mapping[tuple[str, Aspect], Rule]
    ) -> Iterator[tuple[tuple[str, Aspect], bool]]:
        """The rules whose outcome a rule reads, each with whether it certainly is that of the very same instances."""
        for reference in rule.references:
            read = self.specs.get(reference.path)
            if read is None:
                continue
            shared = [mine for mine, theirs in zip(rule.spec.repeats, read.repeats, strict=False) if mine == theirs]
            same = not shared or reference.scope == shared[-1] or reference.scope.startswith(f"{shared[-1]}/")
            aspects: list[tuple[str, Aspect]] = []
            if reference.reads == "values":
                aspects += [(read.path, "calculate"), (read.path, "choices")]
            here: Spec | None = read
            while here is not None:
                if reference.reads != "places":
                    aspects.append((here.path, "relevant"))
                if here.kind == "repeat" and not within(reference.scope, here.path):
                    aspects.append((here.path, "count"))
                here = here.parent
            for key in aspects:
                if key in active:
                    yield key, same and _LOOSE.isdisjoint((key[1], rule.aspect))

    def _watches(self) -> dict[str, tuple[Watch, ...]]:
        watches: dict[str, list[Watch]] = {}
        for rule in self.rules:
            for reference in rule.references:
                # What reads its own node isn't called again by its own outcome; another instance's is another matter.
                own = reference.path == rule.spec.path and reference.scope == "".join(rule.spec.repeats[-1:])
                # (A filter that reads its own select is: it can only take answers away, so it settles.)
                if not (own and rule.aspect == "calculate"):
                    watches.setdefault(reference.path, []).append(_watch(rule, reference.scope))
        return {path: tuple(found) for path, found in watches.items()}

    def _structure(self) -> dict[str, tuple[Watch, ...]]:
        found: dict[str, dict[tuple[tuple[str, Aspect], str], Watch]] = {repeat: {} for repeat in self.repeats}
        for rule in self.rules:
            for reference in rule.references:
                read = self.specs.get(reference.path)
                for repeat in read.repeats if read else ():
                    if not within(reference.scope, repeat):
                        found[repeat].setdefault((rule.key, reference.scope), _watch(rule, reference.scope))
        return {repeat: tuple(watches.values()) for repeat, watches in found.items()}


def _watch(rule: Rule, scope: str) -> Watch:
    target = parent_of(rule.spec.path) if rule.aspect == "count" else rule.spec.path
    # The scope of what is read may be deeper than where the reader stands; the reader's own repeats decide.
    while scope and not within(target, scope):
        scope = parent_of(scope)
    return Watch(rule, scope, steps_to(target, scope))


def _split(step: str) -> tuple[str, str]:
    prefix, _, name = step.rpartition(":")
    return name, prefix


def _children(form: Form, root: str) -> dict[str, tuple[str, ...]]:
    found = {"": (root,), root: tuple(child.path for child in form.children)}
    for node in form.walk():
        if not isinstance(node, Question):
            found[node.path] = tuple(child.path for child in node.children)
    return found


def _default_seed(form: Form) -> Seed:
    """The primary instance of a form that was made without one."""

    def seeds(nodes: Iterable[Node]) -> Iterator[Seed]:
        for node in nodes:
            name = node.path.rpartition("/")[2]
            if isinstance(node, Question):
                yield Seed(name, node.default)
            elif isinstance(node, Group):
                yield Seed(name, "", tuple(seeds(node.children)))
            else:
                children = tuple(seeds(node.children))
                yield Seed(name, "", children, template=True)
                yield from [Seed(name, "", children)] * node.initial

    return Seed(form.root, "", tuple(seeds(form.children)))


def _pattern(spec: Spec, seed: Seed) -> Pattern:
    """Return what `seed` says a node starts from; gives every repeat on the way the pattern of its new instances."""
    if spec.is_leaf:
        return Pattern(spec, _canonical(spec, seed.text), attributes=seed.attributes)
    named: dict[str, list[Seed]] = {}
    for one in seed.children:
        named.setdefault(one.name.rpartition(":")[2], []).append(one)
    children: list[Pattern] = []
    for child in spec.children:
        own = named.get(child.name, [])
        if child.kind != "repeat":
            children.append(_pattern(child, own[0] if own else Seed(child.name)))
            continue
        if own and child.pattern is None:
            child.pattern = _pattern(child, next((one for one in own if one.template), own[0]))
        children += [_pattern(child, one) for one in own if not one.template]
    return Pattern(spec, "", tuple(children), seed.attributes)


def _canonical(spec: Spec, text: str) -> str:
    return text_of(normalise(text, spec.data_type)[0]) if spec.value_kind != "string" else text.strip()
