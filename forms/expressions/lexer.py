"""Cut the source of an XPath 1.0 expression into tokens, telling operators from names by what precedes them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from forms.expressions.errors import ExpressionError

Kind = Literal["number", "literal", "name", "operator", "symbol", "end"]


class Token(NamedTuple):
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
    operand_before = False
    while offset < len(source):
        match = _TOKEN.match(source, offset)
        if match is None:
            raise _odd(source, offset)
        if match.lastgroup != "space":
            token = _token(match.lastgroup, match.group(), offset, operand_before)
            tokens.append(token)
            operand_before = token.kind != "operator" and (
                token.kind != "symbol" or token.text not in _NO_OPERATOR_AFTER
            )
        offset = match.end()
    tokens.append(Token("end", "", len(source)))
    return tokens


def _token(group: str | None, text: str, offset: int, operand_before: bool) -> Token:
    if group == "symbol":
        if text == "*" and not operand_before:
            return Token("name", text, offset)
        return Token("operator" if text in _SYMBOL_OPERATORS else "symbol", text, offset)
    if group == "number":
        return Token("number", text, offset)
    if group == "literal":
        return Token("literal", text[1:-1], offset)
    if operand_before and text in _WORD_OPERATORS:
        return Token("operator", text, offset)
    return Token("name", text, offset)


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
