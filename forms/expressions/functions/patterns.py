"""regex(): whole texts against regular expressions (see forms.expressions.matching)."""

from __future__ import annotations

from forms.expressions.code import Code, string_run
from forms.expressions.context import Context
from forms.expressions.functions.registry import Compiling, special
from forms.expressions.matching import matcher
from forms.expressions.syntax import Syntax


@special("regex(string, string)", "boolean")
def regex(compiler: Compiling, arguments: tuple[Syntax, ...]) -> Code:
    """Return whether the whole text matches; a literal pattern is checked when the form is loaded."""
    text, pattern = (compiler.compile(one) for one in arguments)
    text_of, pattern_of = string_run(text), string_run(pattern)
    if isinstance(pattern.constant, str):
        matches = matcher(pattern.constant)
        return Code("boolean", lambda context: matches(text_of(context)))

    def match(context: Context) -> bool:
        return matcher(pattern_of(context))(text_of(context))

    return Code("boolean", match)
