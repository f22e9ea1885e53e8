"""Cut the source of an XPath 1.0 expression into tokens, telling operators from names by what precedes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from forms.expressions.errors import ExpressionError


class Kind(Enum):
    """What a token is."""

    NUMBER = "number"
    LITERAL = "literal"
    NAME = "name"
    OPERATOR = "operator"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its text (a literal's without quotes) and its 0-based offset in the source."""

    kind: Kind
    text: str
    offset: int


# Possessive, so that the name before `::` is not cut short to look like one that is not.
_NAME = r"[^\W\d][\w.\-·]*+"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
    |(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    |(?P<literal>"[^"]*"|'[^']*')
    |(?P<symbol>::|\.\.|//|!=|<=|>=|[()\[\].,@/|+\-=<>*:])
    |(?P<name>{_NAME}(?::(?:{_NAME}|\*))?(?!:))
    |(?P<axis>{_NAME}(?=::))
    |(?P<odd>{_NAME})
    """,
    re.VERBOSE,
)
_WORD_OPERATORS = frozenset({"and", "or", "div", "mod"})
_SYMBOL_OPERATORS = frozenset({"|", "+", "-", "=", "!=", "<", "<=", ">", ">=", "*"})
# After one of these (or at the start) an operator cannot stand, so `*` and `and` are names (XPath 1.0, 3.7).
_NO_OPERATOR_AFTER = frozenset({"@", "::", "(", "[", ",", "/", "//"})
_CURLY = frozenset("‘’“”„‟‚‛＇＂")
_FULL_WIDTH = {"（": "(", "）": ")", "，": ",", "＝": "=", "＞": ">", "＜": "<", "＋": "+", "－": "-", "＊": "*",
               "［": "[", "］": "]", "／": "/", "．": ".", "｜": "|", "！": "!", "：": ":", "、": ","}


def tokenise(source: str) -> list[Token]:
    """Return the tokens of `source`, ending with one END token; raises ExpressionError at the first odd character."""
    tokens: list[Token] = []
    offset = 0
    while offset < len(source):
        match = _TOKEN.match(source, offset)
        if match is None:
            raise _odd(source, offset)
        if match.lastgroup != "space":
            tokens.append(_token(match, tokens))
        offset = match.end()
    tokens.append(Token(Kind.END, "", len(source)))
    return tokens


def _token(match: re.Match[str], before: list[Token]) -> Token:
    group, text, offset = match.lastgroup, match.group(), match.start()
    if group == "number":
        return Token(Kind.NUMBER, text, offset)
    if group == "literal":
        return Token(Kind.LITERAL, text[1:-1], offset)
    may_operate = bool(before) and before[-1].kind is not Kind.OPERATOR and before[-1].text not in _openers(before[-1])
    if group == "symbol":
        if text == "*" and not may_operate:
            return Token(Kind.NAME, text, offset)
        return Token(Kind.OPERATOR if text in _SYMBOL_OPERATORS else Kind.SYMBOL, text, offset)
    if text in _WORD_OPERATORS and may_operate:
        return Token(Kind.OPERATOR, text, offset)
    return Token(Kind.NAME, text, offset)


def _openers(token: Token) -> frozenset[str]:
    return _NO_OPERATOR_AFTER if token.kind is Kind.SYMBOL else frozenset()


def _odd(source: str, offset: int) -> ExpressionError:
    character = source[offset]
    context: dict[str, str] = {"character": character}
    if character in _CURLY:
        code = "FORMS_EXPRESSION_CURLY_QUOTE"
    elif character in _FULL_WIDTH:
        code, context["instead"] = "FORMS_EXPRESSION_FULL_WIDTH", _FULL_WIDTH[character]
    elif character in "'\"":
        code = "FORMS_EXPRESSION_UNCLOSED_QUOTE"
    elif source.startswith("${", offset):
        code, context["name"] = "FORMS_EXPRESSION_UNRESOLVED_NAME", source[offset + 2 :].partition("}")[0]
    elif character == "$":
        code = "FORMS_EXPRESSION_VARIABLE"
    else:
        code = "FORMS_EXPRESSION_CHARACTER"
    return ExpressionError(code, source=source, position=offset + 1, **context)
