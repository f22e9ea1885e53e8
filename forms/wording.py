"""Rules in words: what a relevant or required expression means to somebody who has the form on paper; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from forms.choices import labels_of, language_of
from forms.definition import Expression, Form, Node, Question
from forms.expressions.errors import ExpressionError
from forms.expressions.parser import parse
from forms.expressions.syntax import Call, Chain, Filter, Negate, NodeTest, Number, Path, Step, Syntax
from forms.expressions.syntax import Literal as Text

_DEEP: Final = 6  # calculations that stand on calculations
_LONGEST_NAME: Final = 36  # of a label that names its question: half-width characters
_COMPARE: Final = {"=": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_OPPOSITE: Final = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_MIRRORED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC: Final = {"+": " + ", "-": " − ", "*": " × ", "div": " ÷ "}
_SELECTS: Final = frozenset({"select_one", "select_multiple", "rank"})
# What never is empty: it counts, or it is the calendar's.
_NEVER_EMPTY: Final = frozenset({"count", "sum", "position", "count-selected", "string-length", "today", "now"})
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "name": {"zh": "“{label}”", "en": "“{label}”"},
    "numbered": {"zh": "“{label}”（第 {number} 题）", "en": "Q{number} “{label}”"},
    "any_of": {"zh": "第 {numbers} 题中有一题", "en": "any of questions {numbers}"},
    "all_of": {"zh": "第 {numbers} 题都", "en": "each of questions {numbers}"},
    "chosen": {"zh": "{name}选了{choices}", "en": "{name} is {choices}"},
    "not_chosen": {"zh": "{name}没有选{choices}", "en": "{name} is not {choices}"},
    "filled": {"zh": "{name}填了", "en": "{name} is filled in"},
    "empty": {"zh": "{name}没有填", "en": "{name} is empty"},
    "known": {"zh": "{name}清楚", "en": "{name} is known"},
    "unknown": {"zh": "{name}不清楚", "en": "{name} is not known"},
    "is": {"zh": "{left}是“{right}”", "en": "{left} is “{right}”"},
    "is_not": {"zh": "{left}不是“{right}”", "en": "{left} is not “{right}”"},
    "compared": {"zh": "{left}{sign} {right}", "en": "{left} {sign} {right}"},
    "or_empty": {"zh": "{condition} 或没有填", "en": "{condition} or is empty"},
    "and": {"zh": "，并且", "en": " and "},
    "or": {"zh": "，或者", "en": " or "},
    "or_short": {"zh": "或", "en": " or "},
    "comma": {"zh": "、", "en": ", "},
    "brackets": {"zh": "（{inner}）", "en": "({inner})"},
    "today": {"zh": "今天", "en": "today"},
    "now": {"zh": "现在", "en": "now"},
    "row": {"zh": "本行的行号", "en": "the row's number"},
    "this_row": {"zh": "这是第 {number} 行", "en": "this is row {number}"},
    "rows": {"zh": "{name}的行数", "en": "the number of rows of {name}"},
    "total": {"zh": "{name}的合计", "en": "the total of {name}"},
    "choices": {"zh": "{name}选中的项数", "en": "the number chosen in {name}"},
    "length": {"zh": "{name}的字数", "en": "the length of {name}"},
    "rows_where": {"zh": "（{condition}）的行数", "en": "the number of rows with ({condition})"},
}


class _UnsaidError(Exception):
    """There are no words for it."""


@dataclass(frozen=True, slots=True)
class _Always:
    """True whatever is answered, or never."""

    on: bool


@dataclass(frozen=True, slots=True)
class _Chosen:
    """One of the choices is chosen in a question, or (`on` false) none of them."""

    path: str
    codes: tuple[str, ...]
    on: bool


@dataclass(frozen=True, slots=True)
class _Said:
    """A condition in words."""

    text: str
    is_joined: bool = False


@dataclass(frozen=True, slots=True)
class _Joined:
    """Conditions of which all, or any, must be true."""

    word: Literal["and", "or"]
    parts: tuple[_Condition, ...]


_Condition = _Always | _Chosen | _Said | _Joined


class Wording:
    """The words for a form's rules.

    `language`: of the form (`中文 (zh)`, or its code) for labels; `words`: zh or en, for what stands between them;
    `numbers`: path -> number, to name questions by their number too (`forms.numbering`).
    """

    def __init__(
        self, form: Form, language: str = "", *, words: str = "zh", numbers: Mapping[str, int] | None = None
    ) -> None:
        self._form = form
        self._language = language_of(form, language)
        self._words = words
        self._numbers = numbers or {}
        self._nodes: dict[str, Node] = {node.path: node for node in form.walk()}
        self._unsaid = _labels_of_calculations(form, self._language)

    def condition(self, expression: Expression, at: str) -> str | None:
        """Return a true-or-false expression in words; `""` if it is always true, None where there are no words for it.

        `at`: path of the node it belongs to. What the words say is what the expression does: where empty answers
        make it true, they say so; nothing is left out.
        """
        try:
            found = _tidied(self._condition(parse(expression.source), at, on=True, depth=0))
            if isinstance(found, _Always):
                return "" if found.on else None
            return self._render(found).text
        except (ExpressionError, _UnsaidError, RecursionError):
            return None

    def count(self, expression: Expression, at: str) -> str | None:
        """Return a number (`repeat_count`) in words: digits, or the name of what holds it; None where it has none."""
        try:
            return self._term(parse(expression.source), at, depth=0)
        except (ExpressionError, _UnsaidError, RecursionError):
            return None

    def name(self, path: str) -> str:
        """Return what a question, group or repeat is called in a sentence; raises KeyError for an unknown path."""
        label = _short(self._label(self._nodes[path]))
        number = self._numbers.get(path)
        return self._say("name", label=label) if number is None else self._say("numbered", label=label, number=number)

    # --- conditions -------------------------------------------------------------------------------------------------

    def _condition(self, tree: Syntax, at: str, *, on: bool, depth: int) -> _Condition:
        """The condition that `tree` is true, or (`on` false) that it is not."""
        if isinstance(tree, Call):
            return self._call(tree, at, on=on, depth=depth)
        if isinstance(tree, Chain):
            operator = tree.rest[0][0]
            if operator in ("and", "or"):
                parts = (tree.first, *(operand for _, operand in tree.rest))
                word: Literal["and", "or"] = "and" if (operator == "and") is on else "or"
                return _joined(word, [self._condition(part, at, on=on, depth=depth) for part in parts])
            if operator in _COMPARE and len(tree.rest) == 1:
                return self._comparison(operator, tree.first, tree.rest[0][1], at, on=on, depth=depth)
        raise _UnsaidError

    def _call(self, call: Call, at: str, *, on: bool, depth: int) -> _Condition:
        if call.name in ("true", "false"):
            return _Always((call.name == "true") is on)
        if call.name == "not" and len(call.arguments) == 1:
            return self._condition(call.arguments[0], at, on=not on, depth=depth)
        if call.name == "boolean" and len(call.arguments) == 1 and isinstance(call.arguments[0], Chain | Call):
            return self._condition(call.arguments[0], at, on=on, depth=depth)
        if call.name == "selected" and len(call.arguments) == 2:
            code = _constant(call.arguments[1])
            if code is not None:
                return self._chosen(self._asked(call.arguments[0], at, depth), _code(code), on=on)
        if call.name == "if" and len(call.arguments) == 3:
            return self._either(call, at, on=on, depth=depth)
        raise _UnsaidError

    def _either(self, call: Call, at: str, *, on: bool, depth: int) -> _Condition:
        """`if(a, b, c)`: a and b, or not a and c."""
        test, then, other = call.arguments
        yes, no = (self._condition(test, at, on=wanted, depth=depth) for wanted in (True, False))
        return _joined("or", [
            _joined("and", [yes, self._condition(then, at, on=on, depth=depth)]),
            _joined("and", [no, self._condition(other, at, on=on, depth=depth)]),
        ])  # fmt: skip

    def _comparison(
        self, sign: str, left: Syntax, right: Syntax, at: str, *, on: bool, depth: int
    ) -> _Condition:
        if isinstance(left, Text | Number) and not isinstance(right, Text | Number):
            return self._comparison(_MIRRORED[sign], right, left, at, on=on, depth=depth)
        value = _constant(right)
        if value is not None:
            through = self._calculated(sign, left, right, at, on=on, depth=depth)
            if through is not None:
                return through
            if value != "":
                coded = self._coded(sign, left, right, at, on=on, depth=depth)
                if coded is not None:
                    return coded
        if isinstance(right, Text) and sign in ("=", "!="):
            return self._equality(left, right.value, at, on=(sign == "=") is on, depth=depth)
        return self._relation(sign, left, right, at, on=on, depth=depth)

    def _equality(self, left: Syntax, value: str, at: str, *, on: bool, depth: int) -> _Condition:
        """Equal to a text: empty, a choice, or as it stands."""
        path = self._path(left, at, depth) if isinstance(left, Path | Filter | Call) else None
        node = self._nodes.get(path) if path is not None else None
        if path is not None and isinstance(node, Question):
            if value == "" and node.shown:
                return _Said(self._say("empty" if on else "filled", name=self._named(path)))
            if value == "":
                return _Said(self._say("unknown" if on else "known", name=self._named(path)))
            if node.type in _SELECTS:
                raise _UnsaidError
        return _Said(self._say("is" if on else "is_not", left=self._term(left, at, depth=depth), right=value))

    def _coded(
        self, sign: str, left: Syntax, right: Syntax, at: str, *, on: bool, depth: int
    ) -> _Condition | None:
        """A comparison of a single choice's code is a list of choices, as for `${grade} >= 3`."""
        path = self._path(left, at, depth)
        node = self._nodes.get(path or "")
        if path is None or not isinstance(node, Question) or node.type != "select_one" or node.itemset is None:
            return None
        value = _constant(right)
        codes = labels_of(self._form, node, self._language)
        if sign in ("=", "!=") and value is not None:
            return _Chosen(path, (_code(value),), (sign == "=") is on)
        fitting = tuple(code for code in codes if _outcome(sign, Text(code, 0), right))
        if not fitting or len(fitting) == len(codes):
            raise _UnsaidError
        return _Chosen(path, fitting, on)

    def _relation(self, sign: str, left: Syntax, right: Syntax, at: str, *, on: bool, depth: int) -> _Condition:
        """A comparison of numbers or days. An empty answer compares as false, so it makes the opposite true."""
        shown = sign if on else _OPPOSITE[sign]
        if shown == "=" and isinstance(right, Number) and self._is_position(left, at):
            return _Said(self._say("this_row", number=_digits(right.value)))
        words = self._say(
            "compared", left=self._term(left, at, depth=depth), sign=_COMPARE[shown],
            right=self._term(right, at, depth=depth),
        )  # fmt: skip
        can_be_empty = not on and sign not in ("=", "!=") and (_may_be_empty(left) or _may_be_empty(right))
        return _Said(self._say("or_empty", condition=words)) if can_be_empty else _Said(words)

    def _is_position(self, tree: Syntax, at: str) -> bool:
        """Whether a value is the number of the row it stands in, itself or by a calculation."""
        node = self._nodes.get(self._schema_path(tree, at) or "")
        if isinstance(node, Question) and node.calculate is not None:
            tree = parse(node.calculate.source)
        return isinstance(tree, Call) and tree.name == "position"

    def _chosen(self, path: str, code: str, *, on: bool) -> _Condition:
        node = self._nodes.get(path)
        if not isinstance(node, Question) or node.itemset is None:
            raise _UnsaidError
        return _Chosen(path, (code,), on)

    def _calculated(
        self, sign: str, left: Syntax, right: Syntax, at: str, *, on: bool, depth: int
    ) -> _Condition | None:
        """A calculation `if(test, 1, 0)` compared with a constant is the test itself."""
        path = self._schema_path(left, at) if isinstance(left, Path) else None
        node = self._nodes.get(path or "")
        if path is None or depth >= _DEEP or not isinstance(node, Question) or node.calculate is None:
            return None
        tree = parse(node.calculate.source)
        if isinstance(tree, Call) and tree.name == "indexed-repeat" and len(tree.arguments) == 3:
            return self._comparison(sign, tree.arguments[0], right, path, on=on, depth=depth + 1)
        if not (isinstance(tree, Call) and tree.name == "if" and len(tree.arguments) == 3):
            return None
        outcomes = [_outcome(sign, value, right) for value in tree.arguments[1:]]
        if None in outcomes or outcomes[0] == outcomes[1]:
            return None
        try:
            condition = self._condition(tree.arguments[0], path, on=outcomes[0] is on, depth=depth + 1)
            self._render(condition)
        except _UnsaidError:
            return None  # its label, if it has one, says more than nothing
        return condition

    # --- terms ------------------------------------------------------------------------------------------------------

    def _term(self, tree: Syntax, at: str, *, depth: int) -> str:
        """A value in words."""
        if isinstance(tree, Number):
            return _digits(tree.value)
        if isinstance(tree, Text):
            return self._say("name", label=tree.value)
        if isinstance(tree, Negate) and (value := _negative(tree)) is not None:
            return _digits(value)
        if isinstance(tree, Chain) and all(operator in _ARITHMETIC for operator, _ in tree.rest):
            parts = [self._operand(tree.first, at, depth)]
            parts += [_ARITHMETIC[sign] + self._operand(operand, at, depth) for sign, operand in tree.rest]
            return "".join(parts)
        if isinstance(tree, Call):
            return self._called(tree, at, depth)
        node = self._nodes.get(self._schema_path(tree, at) or "")
        if isinstance(node, Question) and node.calculate is not None and not self._unsaid.get(node.path):
            if depth >= _DEEP:
                raise _UnsaidError
            return self._term(parse(node.calculate.source), node.path, depth=depth + 1)
        return self._named(self._asked(tree, at, depth))

    def _operand(self, tree: Syntax, at: str, depth: int) -> str:
        words = self._term(tree, at, depth=depth)
        return self._say("brackets", inner=words) if isinstance(tree, Chain) else words

    def _called(self, call: Call, at: str, depth: int) -> str:
        if call.name in ("today", "now") and not call.arguments:
            return self._say(call.name)
        if call.name == "position":
            return self._say("row")
        if call.name in ("number", "string", "date") and len(call.arguments) == 1:
            first = call.arguments[0]
            return first.value if isinstance(first, Text) else self._term(first, at, depth=depth)
        if call.name == "indexed-repeat":
            return self._named(self._asked(call, at, depth))
        if call.name in ("count", "sum") and len(call.arguments) == 1:
            return self._over_rows(call, at, depth)
        key = {"count-selected": "choices", "string-length": "length"}.get(call.name)
        if key is None or len(call.arguments) != 1:
            raise _UnsaidError
        return self._say(key, name=self._named(self._asked(call.arguments[0], at, depth)))

    def _over_rows(self, call: Call, at: str, depth: int) -> str:
        path = self._schema_path(call.arguments[0], at)
        node = self._nodes.get(path or "")
        if path is None or node is None:
            raise _UnsaidError
        if call.name == "count":
            return self._say("rows", name=self._named(path))
        if isinstance(node, Question) and node.calculate is not None and _counts(parse(node.calculate.source)):
            condition = self._calculated("=", call.arguments[0], Number(1.0, 0), at, on=True, depth=depth)
            if condition is not None:
                return self._say("rows_where", condition=self._render(condition).text)
        return self._say("total", name=self._named(path))

    # --- names ------------------------------------------------------------------------------------------------------

    def _asked(self, tree: Syntax, at: str, depth: int) -> str:
        path = self._path(tree, at, depth)
        if path is None:
            raise _UnsaidError
        return path

    def _path(self, tree: Syntax, at: str, depth: int) -> str | None:
        """Where a value comes from: through calculations that only repeat another answer."""
        if isinstance(tree, Call) and tree.name == "indexed-repeat" and tree.arguments:
            tree = tree.arguments[0]
        path = self._schema_path(tree, at)
        node = self._nodes.get(path or "")
        if path is None or not isinstance(node, Question) or node.calculate is None or self._unsaid.get(path):
            return path
        if depth >= _DEEP:
            return None
        return self._path(parse(node.calculate.source), path, depth + 1)

    def _schema_path(self, tree: Syntax, at: str) -> str | None:
        """The path, without positions, of a location path that has no conditions of its own."""
        if not isinstance(tree, Path):
            return None
        if tree.start is None or _is_current(tree.start):
            names = at.strip("/").split("/")
        elif tree.start == "/":
            names = []
        else:
            return None
        for step in tree.steps:
            if step.predicates or not _follow(names, step):
                return None
        path = "/" + "/".join(names)
        return path if path in self._nodes else None

    def _named(self, path: str) -> str:
        node = self._nodes[path]
        if isinstance(node, Question) and node.type == "today":
            return self._say("today")
        if not self._label(node):
            raise _UnsaidError
        return self.name(path)

    def _label(self, node: Node) -> str:
        if isinstance(node, Question) and (not node.shown or node.type == "note"):
            return self._unsaid.get(node.path, "")
        return _plain(node.label.plain(self._language))

    # --- words ------------------------------------------------------------------------------------------------------

    def _render(self, condition: _Condition) -> _Said:
        if isinstance(condition, _Said):
            return condition
        if isinstance(condition, _Chosen):
            return _Said(self._chosen_words(self._named(condition.path), condition))
        if isinstance(condition, _Always):
            raise _UnsaidError
        shared = self._shared(condition)
        if shared is not None:
            return shared
        parts = [self._render(part) for part in condition.parts]
        texts = [self._say("brackets", inner=part.text) if part.is_joined else part.text for part in parts]
        return _Said(self._say(condition.word).join(texts), is_joined=len(texts) > 1)

    def _shared(self, joined: _Joined) -> _Said | None:
        """Several questions with the same answer in one breath: any of questions 3, 4, 5 is “Yes”."""
        parts = [part for part in joined.parts if isinstance(part, _Chosen)]
        first = parts[0] if parts else None
        if first is None or len(parts) != len(joined.parts) or len(parts) < 3 or first.on != (joined.word == "or"):
            return None
        if any(self._choice_words(part) != self._choice_words(first) for part in parts):
            return None
        numbers = [self._numbers.get(part.path, 0) for part in parts]
        if 0 in numbers:
            return None
        listed = self._say("comma").join(str(number) for number in sorted(numbers))
        name = self._say("any_of" if first.on else "all_of", numbers=listed)
        return _Said(self._chosen_words(name, first))

    def _chosen_words(self, name: str, chosen: _Chosen) -> str:
        return self._say("chosen" if chosen.on else "not_chosen", name=name, choices=self._choice_words(chosen))

    def _choice_words(self, chosen: _Chosen) -> str:
        node = self._nodes[chosen.path]
        labels = labels_of(self._form, node, self._language) if isinstance(node, Question) else {}
        names = [self._say("name", label=_short(_plain(labels.get(code) or code))) for code in chosen.codes]
        *before, last = names
        return self._say("or_short").join([*([self._say("comma").join(before)] if before else []), last])

    def _say(self, key: str, **slots: object) -> str:
        return _WORDS[key][self._words].format_map(slots)


def _joined(word: Literal["and", "or"], parts: Sequence[_Condition]) -> _Condition:
    return _tidied(_Joined(word, tuple(parts)))


def _tidied(condition: _Condition) -> _Condition:
    """Without what is always true, brackets that say nothing, and the same question named twice."""
    if not isinstance(condition, _Joined):
        return condition
    decisive = condition.word == "or"  # one part with this value decides the whole
    parts: list[_Condition] = []
    for part in condition.parts:
        inner = _tidied(part)
        if isinstance(inner, _Always):
            if inner.on is decisive:
                return inner
        elif isinstance(inner, _Joined) and inner.word == condition.word:
            for one in inner.parts:
                _add(parts, one, condition.word)
        else:
            _add(parts, inner, condition.word)
    if not parts:
        return _Always(not decisive)
    return parts[0] if len(parts) == 1 else _Joined(condition.word, tuple(parts))


def _add(parts: list[_Condition], new: _Condition, word: str) -> None:
    """Add a condition; choices of a question that is there already join it."""
    if isinstance(new, _Chosen) and new.on is (word == "or"):
        for number, old in enumerate(parts):
            if isinstance(old, _Chosen) and old.path == new.path and old.on is new.on:
                parts[number] = replace(old, codes=tuple(dict.fromkeys((*old.codes, *new.codes))))
                return
    if new not in parts:
        parts.append(new)


def _outcome(sign: str, value: Syntax, right: Syntax) -> bool | None:
    """How a constant compares with another; None where either is no constant."""
    ours, theirs = _constant(value), _constant(right)
    if ours is None or theirs is None:
        return None
    if isinstance(ours, str) and isinstance(theirs, str):
        return {"=": ours == theirs, "!=": ours != theirs}.get(sign)
    try:
        a, b = float(ours), float(theirs)
    except ValueError:
        return {"=": False, "!=": True}.get(sign)
    return {"=": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]


def _constant(tree: Syntax) -> str | float | None:
    return tree.value if isinstance(tree, Number | Text) else _negative(tree)


def _negative(tree: Syntax) -> float | None:
    if isinstance(tree, Negate) and isinstance(tree.operand, Number):
        return -tree.operand.value if tree.times % 2 else tree.operand.value
    return None


def _code(value: str | float) -> str:
    return value.strip() if isinstance(value, str) else _digits(value)


def _may_be_empty(tree: Syntax) -> bool:
    """Whether a value can be missing, so that every comparison with it is false."""
    if isinstance(tree, Chain):
        return any(_may_be_empty(part) for part in (tree.first, *(operand for _, operand in tree.rest)))
    if isinstance(tree, Call):
        return tree.name not in _NEVER_EMPTY
    return isinstance(tree, Path | Filter)


def _counts(tree: Syntax) -> bool:
    """Whether a calculation is 1 where something is true and 0 elsewhere, so that its sum counts rows."""
    return isinstance(tree, Call) and [_constant(value) for value in tree.arguments[1:]] == [1.0, 0.0]


def _is_current(start: Syntax | str) -> bool:
    return isinstance(start, Call) and start.name == "current" and not start.arguments


def _follow(names: list[str], step: Step) -> bool:
    """Take a step on a path of names; False for one that leads to no single place."""
    if step.test == NodeTest("node"):
        if step.axis == "parent" and names:
            names.pop()
        return step.axis in ("self", "parent")
    if step.axis != "child" or step.test.type != "name" or step.test.local == "*":
        return False
    names.append(f"{step.test.prefix}:{step.test.local}" if step.test.prefix else step.test.local)
    return True


def _digits(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def _plain(text: str) -> str:
    """A label on one line, without marks for bold or headings."""
    return " ".join(re.sub(r"\*\*|__|</?\w[^>]*>|^\s*#+\s+", "", text, flags=re.M).split())


def _short(text: str) -> str:
    """A label cut to what is needed to know it again: Chinese characters count twice."""
    room = _LONGEST_NAME
    for number, character in enumerate(text):
        room -= 2 if ord(character) >= 0x2E80 else 1
        if room < 0:
            return text[:number].rstrip(" ,;:，、；：") + "…"
    return text.rstrip(" :：?？") or text


def _labels_of_calculations(form: Form, language: str) -> dict[str, str]:
    """Labels that authors give calculations, by path: an XForm has no place for them, the sheet has."""
    columns = (f"label::{language}", f"label:{language}", "label")
    by_name: dict[str, str] = {}
    for row in form.rows.get("survey", ()):
        if row.get("type", "").strip() in ("calculate", "hidden"):
            name = row.get("name", "")
            # The same name in two groups could be either.
            by_name[name] = "" if name in by_name else next((row[column] for column in columns if row.get(column)), "")
    hidden = (node for node in form.questions() if not node.shown)
    return {node.path: _plain(by_name[node.name]) for node in hidden if by_name.get(node.name)}
