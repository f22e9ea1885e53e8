"""Cut the source of an XPath 1.0 expression into tokens, telling operators from names by what precedes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from forms.expressions.errors import ExpressionError

# `path`: an absolute path of names only (`/data/group/age`), of which forms are full.
Kind = Literal["number", "literal", "name", "operator", "symbol", "path", "end"]


class Token(NamedTuple):
    """A token: its kind, its text (a literal's without quotes) and its 0-based offset in the source."""

    kind: Kind
    text: str
    offset: int


# Possessive, so that the name before `::` is not cut short to look like one that is not.
_NAME = r"[^\W\d][\w.\-·]*+"
_TOKEN = re.compile(
    rf"""[ \t\r\n]*+(?:
    (?P<path>(?:/{_NAME}(?::{_NAME})?)+(?![ \t\r\n]*+[:(]))
    |(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    |(?P<literal>"[^"]*"|'[^']*')
    |(?P<symbol>::|\.\.|//|!=|<=|>=|[()\[\].,@/|+\-=<>*:])
    |(?P<name>{_NAME}(?::(?:{_NAME}|\*))?(?!:))
    |(?P<axis>{_NAME}(?=::))
    |(?P<odd>{_NAME})
    |(?P<end>\Z)
    |(?P<unknown>.)
    )""",
    re.VERBOSE | re.DOTALL,
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
    operand_before = False
    for match in _TOKEN.finditer(source):
        group = match.lastgroup or ""
        text, offset = match[group], match.start(group)
        if group == "symbol":
            kind: Kind = "operator" if text in _SYMBOL_OPERATORS else "symbol"
            if text == "*" and not operand_before:
                kind = "name"
            operand_before = kind == "name" or (kind == "symbol" and text not in _NO_OPERATOR_AFTER)
            tokens.append(Token(kind, text, offset))
        elif group == "path":
            # After an operand it goes on from there: current()/data/a.
            tokens += _steps(text, offset) if operand_before else (Token("path", text, offset),)
            operand_before = True
        elif group == "number":
            tokens.append(Token("number", text, offset))
            operand_before = True
        elif group == "literal":
            tokens.append(Token("literal", text[1:-1], offset))
            operand_before = True
        elif group == "end":
            break
        elif group == "unknown":
            raise _odd(source, offset)
        else:
            kind = "operator" if operand_before and text in _WORD_OPERATORS else "name"
            tokens.append(Token(kind, text, offset))
            operand_before = kind == "name"
    tokens.append(Token("end", "", len(source)))
    return tokens


def _steps(text: str, offset: int) -> Iterator[Token]:
    """The tokens of a path's slashes and names."""
    for name in text[1:].split("/"):
        yield Token("symbol", "/", offset)
        yield Token("name", name, offset + 1)
        offset += 1 + len(name)


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
