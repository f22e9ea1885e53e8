"""Parse an XPath 1.0 expression into its syntax tree: Pratt's precedence climbing over the lexer's tokens."""

from __future__ import annotations

from functools import lru_cache

from forms.expressions.errors import ExpressionError
from forms.expressions.lexer import Token, tokenise
from forms.expressions.syntax import (
    AXES,
    NODE_TYPES,
    Call,
    Chain,
    Filter,
    Literal,
    Negate,
    NodeTest,
    Number,
    Path,
    Step,
    Syntax,
)

# Nesting costs Python frames when parsing, compiling and evaluating; a hundred levels stay far from the limit.
MAXIMUM_DEPTH = 100
_BINDING = {
    "or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "div": 6, "mod": 6, "|": 8,
}
_UNARY = 7
_ANY_NODE = NodeTest("node")
_DESCENDANTS = Step("descendant-or-self", _ANY_NODE)


@lru_cache(maxsize=64)
def parse(source: str) -> Syntax:
    """Return the syntax tree of `source`; raises ExpressionError with the place of the first fault.

    The latest ones are remembered: who compiles an expression asks next what it reads.
    """
    parser = _Parser(source, tokenise(source))
    if parser.at_end():
        raise ExpressionError("FORMS_EXPRESSION_EMPTY", source=source)
    tree = parser.expression(0)
    if not parser.at_end():
        raise parser.unexpected()
    return tree


@lru_cache(maxsize=16_384)
def named_steps(path: str) -> tuple[Step, ...]:
    """Return the steps of an absolute path of names only."""
    return tuple(Step("child", _name_test(name)) for name in path[1:].split("/"))


def _name_test(name: str) -> NodeTest:
    prefix, colon, local = name.partition(":")
    return NodeTest("name", local, prefix) if colon else NodeTest("name", name)


class _Parser:
    """A cursor over the tokens of one source."""

    def __init__(self, source: str, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.index = 0
        self.depth = 0
        self.token = tokens[0]

    def advance(self) -> Token:
        token = self.token
        self.index += 1
        if self.index < len(self.tokens):
            self.token = self.tokens[self.index]
        return token

    def peek(self) -> Token:
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    def at_end(self) -> bool:
        return self.token.kind == "end"

    def at(self, *symbols: str) -> bool:
        token = self.token
        return token.text in symbols and token.kind in ("symbol", "operator")

    def expect(self, symbol: str) -> None:
        if not self.at(symbol):
            raise self.unexpected(wanted=symbol)
        self.advance()

    def unexpected(self, wanted: str = "") -> ExpressionError:
        position = self.token.offset + 1
        if self.token.kind == "end":
            code = "FORMS_EXPRESSION_UNCLOSED" if wanted in (")", "]") else "FORMS_EXPRESSION_ENDS_EARLY"
            return ExpressionError(code, source=self.source, position=position, wanted=wanted)
        return ExpressionError(
            "FORMS_EXPRESSION_SYNTAX", source=self.source, position=position, found=self.token.text, wanted=wanted
        )

    def expression(self, binding: int) -> Syntax:
        self.depth += 1
        if self.depth > MAXIMUM_DEPTH:
            raise ExpressionError(
                "FORMS_EXPRESSION_TOO_DEEP", source=self.source, position=self.token.offset + 1, limit=MAXIMUM_DEPTH
            )
        token = self.token
        left = self.unary() if token.kind == "operator" and token.text == "-" else self.path()
        while self.token.kind == "operator" and (level := _BINDING[self.token.text]) > binding:
            left = self.chain(left, level)
        self.depth -= 1
        return left

    def chain(self, first: Syntax, level: int) -> Syntax:
        offset = self.token.offset
        rest: list[tuple[str, Syntax]] = []
        while self.token.kind == "operator" and _BINDING[self.token.text] == level:
            operator = self.advance().text
            rest.append((operator, self.expression(level)))
        return Chain(first, tuple(rest), offset)

    def unary(self) -> Syntax:
        offset = self.token.offset
        times = 0
        while self.at("-"):
            self.advance()
            times += 1
        return Negate(self.expression(_UNARY), times, offset)

    def path(self) -> Syntax:
        offset = self.token.offset
        if self.token.kind == "path":
            return self.plain_path()
        if self.token.kind in ("number", "literal") and self.peek().text not in ("[", "/", "//"):
            return self.primary()
        if self.at("/"):
            self.advance()
            return Path("/", self.steps() if self.starts_step() else (), offset)
        if self.at("//"):
            self.advance()
            return Path("/", (_DESCENDANTS, *self.steps()), offset)
        if not self.starts_primary():
            return Path(None, self.steps(), offset)
        primary = self.primary()
        predicates = self.predicates()
        start: Syntax = Filter(primary, predicates, offset) if predicates else primary
        if self.at("/"):
            self.advance()
            return Path(start, self.steps(), offset)
        if self.at("//"):
            self.advance()
            return Path(start, (_DESCENDANTS, *self.steps()), offset)
        return start

    def plain_path(self) -> Path:
        token = self.advance()
        steps = named_steps(token.text)
        predicates = self.predicates()
        if predicates:
            steps = (*steps[:-1], Step("child", steps[-1].test, predicates))
        if not self.at("/", "//"):
            return Path("/", steps, token.offset, "" if predicates else token.text)
        between = (_DESCENDANTS,) if self.advance().text == "//" else ()
        return Path("/", (*steps, *between, *self.steps()), token.offset)

    def starts_primary(self) -> bool:
        token = self.token
        if token.kind in ("number", "literal"):
            return True
        if token.kind == "name":
            after = self.peek()
            return after.kind == "symbol" and after.text == "(" and token.text not in NODE_TYPES
        return self.at("(")

    def starts_step(self) -> bool:
        return self.token.kind == "name" or self.at(".", "..", "@")

    def primary(self) -> Syntax:
        token = self.advance()
        if token.kind == "number":
            return Number(float(token.text), token.offset)
        if token.kind == "literal":
            return Literal(token.text, token.offset)
        if token.kind == "name":
            return self.call(token)
        inner = self.expression(0)
        self.expect(")")
        return inner

    def call(self, name: Token) -> Syntax:
        self.expect("(")
        arguments: list[Syntax] = []
        if not self.at(")"):
            arguments.append(self.expression(0))
            while self.at(","):
                self.advance()
                arguments.append(self.expression(0))
        self.expect(")")
        return Call(name.text, tuple(arguments), name.offset)

    def predicates(self) -> tuple[Syntax, ...]:
        found: list[Syntax] = []
        while self.at("["):
            self.advance()
            found.append(self.expression(0))
            self.expect("]")
        return tuple(found)

    def steps(self) -> tuple[Step, ...]:
        found = [self.step()]
        while self.at("/", "//"):
            if self.advance().text == "//":
                found.append(_DESCENDANTS)
            found.append(self.step())
        return tuple(found)

    def step(self) -> Step:
        if self.at("."):
            self.advance()
            return Step("self", _ANY_NODE, self.predicates())
        if self.at(".."):
            self.advance()
            return Step("parent", _ANY_NODE, self.predicates())
        axis = self.axis()
        return Step(axis, self.test(), self.predicates())

    def axis(self) -> str:
        if self.at("@"):
            self.advance()
            return "attribute"
        after = self.peek()
        if self.token.kind == "name" and after.kind == "symbol" and after.text == "::":
            token = self.advance()
            self.advance()
            if token.text not in AXES:
                raise ExpressionError(
                    "FORMS_EXPRESSION_UNKNOWN_AXIS", source=self.source, position=token.offset + 1, axis=token.text
                )
            return token.text
        return "child"

    def test(self) -> NodeTest:
        if self.token.kind != "name":
            raise self.unexpected()
        token = self.advance()
        if token.text in NODE_TYPES and self.at("("):
            return self.node_type(token.text)
        return _name_test(token.text)

    def node_type(self, name: str) -> NodeTest:
        self.expect("(")
        target = "*"
        if name == "processing-instruction" and self.token.kind == "literal":
            target = self.advance().text
        self.expect(")")
        return NodeTest(name, target)
