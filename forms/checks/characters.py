"""Characters that look right and are not: look-alike letters, full-width forms, invisible blanks, curly quotes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from forms.checks.authored import Authored, AuthoredRow, Cell
from forms.problems import Problem
from forms.vocabulary import EXPRESSIONS
from forms.workbook import ILLEGAL

# Letters of other alphabets that print like Latin ones (Unicode TR39, those found in keyboards' ordinary layouts).
_LOOK_ALIKES: Final = {
    **dict(zip("аеорсухіјѕԁԛԝАВЕКМНОРСТУХІЈЅ", "aeopcyxijsdqwABEKMHOPCTYXIJS", strict=True)),
    **dict(zip("αοιρυκνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aoipukvABEZHIKMNOPTYX", strict=True)),
}
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u180e]")
_BLANKS: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
CURLY: Final = {"“": '"', "”": '"', "‘": "'", "’": "'", "„": '"', "‟": '"', "‚": "'", "‛": "'", "′": "'", "″": '"'}
_FULL_WIDTH_SIGNS: Final = dict(zip("，；：。、【】｛｝", ",;:.,[]{}", strict=True))
_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_STRUCTURAL: Final = {
    "survey": ("type", "name"),
    "choices": ("list_name",),
    "external_choices": ("list_name",),
    "settings": ("form_id",),
}


def odd_characters(text: str) -> dict[str, str]:
    """Return the characters of a name or type that are not what they look like, each with what was meant."""
    found: dict[str, str] = {}
    if text.isascii():
        return found
    latin = any("a" <= letter.lower() <= "z" for letter in text)
    for sign in dict.fromkeys(text):
        if _INVISIBLE.match(sign):
            found[sign] = ""
        elif _BLANKS.match(sign):
            found[sign] = " "
        elif "！" <= sign <= "～":
            found[sign] = unicodedata.normalize("NFKC", sign)
        elif sign in _LOOK_ALIKES and latin:
            found[sign] = _LOOK_ALIKES[sign]
        elif sign in CURLY:
            found[sign] = CURLY[sign]
    return found


def odd_in_expression(text: str) -> dict[str, str]:
    """Return the characters of an expression, outside its quoted strings, that its language does not know."""
    bare = _QUOTED.sub(lambda match: "'" * len(match[0]), text)
    found: dict[str, str] = {}
    for sign in dict.fromkeys(bare) if not bare.isascii() else ():
        if sign in CURLY:
            found[sign] = CURLY[sign]
        elif _INVISIBLE.match(sign):
            found[sign] = ""
        elif sign == "\u3000":
            found[sign] = " "
        elif sign in _FULL_WIDTH_SIGNS:
            found[sign] = _FULL_WIDTH_SIGNS[sign]
        elif "！" <= sign <= "～":
            found[sign] = unicodedata.normalize("NFKC", sign)
    return found


def described(sign: str) -> str:
    """Return a character as a person can find it: itself where visible, and its number."""
    visible = sign if sign.isprintable() and not (_INVISIBLE.match(sign) or _BLANKS.match(sign)) else ""
    return f"{visible}(U+{ord(sign):04X})"


def _replaced(text: str, odd: dict[str, str]) -> str:
    return "".join(odd.get(sign, sign) for sign in text).strip()


def check(form: Authored) -> Iterator[Problem]:
    """Check names, types, list names and expressions of every row, and every cell for control characters."""
    for row in form.rows():
        for cell in row.all_cells():
            if not cell.text.isprintable() and ILLEGAL.search(cell.text):
                found = " ".join(map(described, sorted(set(ILLEGAL.findall(cell.text)))))
                context = {"characters": found, "value": ILLEGAL.sub("□", cell.text)}
                yield Problem("FORMS_CHARACTER_CONTROL", replace(cell.place, name=row.name), context)
        for column in _STRUCTURAL.get(row.place.sheet, ()):
            for cell in row.cells.get(column, ()):
                yield from _structural(row, cell)
        for column in EXPRESSIONS if row.place.sheet == "survey" else ():
            for cell in row.cells.get(column, ()):
                yield from _expression(row, cell)
    yield from _choice_names(form)


def _structural(row: AuthoredRow, cell: Cell) -> Iterator[Problem]:
    odd = odd_characters(cell.text.strip())
    if odd:
        yield row.problem(
            "FORMS_CHARACTER_ODD",
            cell.column,
            characters=" ".join(map(described, odd)),
            suggestion=_replaced(cell.text, odd),
        )


def _expression(row: AuthoredRow, cell: Cell) -> Iterator[Problem]:
    odd = odd_in_expression(cell.text)
    curly = {sign: plain for sign, plain in odd.items() if sign in CURLY}
    if curly:
        yield row.problem("FORMS_EXPRESSION_CURLY_QUOTES", cell.column, suggestion=_replaced(cell.text, odd))
    other = {sign: plain for sign, plain in odd.items() if sign not in CURLY}
    if other:
        characters = " ".join(map(described, other))
        suggestion = _replaced(cell.text, odd)
        yield row.problem("FORMS_CHARACTER_ODD", cell.column, characters=characters, suggestion=suggestion)


def _choice_names(form: Authored) -> Iterator[Problem]:
    """A choice's name may be in any script; only what nobody can see in it is a fault."""
    for row in (*form.choices, *form.external_choices):
        name = row.name
        if name.isascii():
            continue
        odd = {sign: plain for sign, plain in odd_characters(name).items() if _INVISIBLE.match(sign)}
        odd |= {sign: " " for sign in name if _BLANKS.match(sign)}
        if odd:
            characters = " ".join(map(described, odd))
            suggestion = _replaced(row.name, odd)
            yield row.problem("FORMS_CHARACTER_ODD", "name", characters=characters, suggestion=suggestion)
