"""Selects whose choices come from a file by older means: `search()` in the appearance, and `select_one_external`.

Both become what `select_one_from_file` is: items of a secondary instance, filtered by predicates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from forms.definition import Choice, Expression, Form, Itemset, SecondaryInstance
from forms.problems import Place

ITEMSETS: Final = "itemsets"
# A word, or a word with a parenthesis that may hold blanks and parentheses: search('f', 'contains', 'c', concat(${x})).
_WORD: Final = re.compile(r"[^\s(]+(?:\s*\((?:[^()'\"]|'[^']*'|\"[^\"]*\"|\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\))*\))?")
_SEARCH: Final = re.compile(r"^search\s*\((?P<inside>.*)\)$", re.S)
_QUERY: Final = re.compile(r"^\s*instance\(\s*['\"](?P<id>[^'\"]+)['\"]\s*\)/root/item\s*(?P<filter>\[.*\])?\s*$", re.S)
_NAME: Final = re.compile(r"^[^\W\d][\w.\-]*$")


@dataclass(frozen=True, slots=True)
class Searched:
    """Choices found by other means than an itemset: the itemset they amount to and the instance it reads."""

    itemset: Itemset
    instance: SecondaryInstance


def appearance_words(appearance: str) -> tuple[str, ...]:
    """Return the words of an appearance; a parenthesis belongs to the word before it."""
    return tuple(_WORD.findall(appearance))


def search_of(appearance: str, choices: Iterable[Choice], place: Place) -> Searched | None:
    """Return what `search('file', 'contains', 'columns', text, 'column', 'value')` chooses from, None without one.

    The one choice of the list names the file's columns: its name the value's, its label the label's (XLSForm, Dynamic
    selects from pre-loaded data).
    """
    found = next(filter(None, map(_SEARCH.match, appearance_words(appearance))), None)
    if found is None:
        return None
    arguments = [argument.strip() for argument in split_arguments(found["inside"])]
    file = _text(arguments[0]).removesuffix(".csv") if arguments else ""
    given = next((choice for choice in choices if _NAME.match(choice.name)), None)
    if given is None or not file:
        return None
    label = given.label.plain().split(",")[0].strip() or given.name
    predicates = "".join(f"[{predicate}]" for predicate in _predicates(arguments[1:]))
    nodeset = Expression(f"instance('{file}')/root/item{predicates}", place)
    itemset = Itemset(nodeset=nodeset, value=given.name, label=label, list_name=file)
    return Searched(itemset, SecondaryInstance(file, source=f"{file}.csv"))


def _predicates(arguments: list[str]) -> list[str]:
    """The conditions: how the text is looked for in which columns, then a column that must have a value."""
    found = []
    if len(arguments) >= 3:
        kind, columns, sought = _text(arguments[0]).lower(), _text(arguments[1]).split(","), arguments[2]
        shapes = {
            "contains": "contains({0}, {1})", "startswith": "starts-with({0}, {1})", "endswith": "ends-with({0}, {1})",
            "matches": "{0} = {1}",
        }  # fmt: skip
        shape = shapes.get(kind, shapes["contains"])
        found.append(" or ".join(shape.format(column.strip(), sought) for column in columns))
    if len(arguments) >= 5:
        found.append(f"{_text(arguments[3])} = {arguments[4]}")
    elif len(arguments) == 2:
        found.append(f"{_text(arguments[0])} = {arguments[1]}")
    return found


def external_of(query: str, place: Place) -> Searched | None:
    """Return what the `query` of a select_one_external chooses from: a list of the file `itemsets.csv`."""
    found = _QUERY.match(query)
    if found is None:
        return None
    nodeset = f"instance('{ITEMSETS}')/root/item[list_name = '{found['id']}']{found['filter'] or ''}"
    itemset = Itemset(nodeset=Expression(nodeset, place), value="name", label="label", list_name=ITEMSETS)
    return Searched(itemset, SecondaryInstance(ITEMSETS, source=f"{ITEMSETS}.csv"))


def with_external_choices(form: Form) -> Form:
    """Return the form with the lists of its select_one_external in it, where its rows have them."""
    rows = form.rows.get("external_choices", ())
    if ITEMSETS not in form.secondary_instances or not rows:
        return form
    own = SecondaryInstance(ITEMSETS, xml=_items(rows, form.default_language))
    return replace(form, secondary_instances={**form.secondary_instances, ITEMSETS: own})


def _items(rows: Iterable[Mapping[str, str]], language: str) -> str:
    root = etree.Element("root")
    for row in rows:
        item = etree.SubElement(root, "item")
        cells = {column.strip().replace(" ", "_"): text for column, text in row.items() if text}
        label = cells.get(f"label::{language}") or next(
            (text for column, text in cells.items() if column.startswith("label")), ""
        )
        for column, text in {**cells, "label": label}.items():
            if _NAME.match(column) and not column.startswith("__"):
                etree.SubElement(item, column).text = text.strip()
    return etree.tostring(root, encoding="unicode")


def split_arguments(text: str) -> list[str]:
    """Return the arguments of a call, parted by commas outside quotes and brackets."""
    parts, depth, quote, begin = [], 0, "", 0
    for index, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "," and not depth:
            parts.append(text[begin:index])
            begin = index + 1
        else:
            depth += (sign in "([") - (sign in ")]")
    return [*parts, text[begin:]] if text.strip() else []


def _text(argument: str) -> str:
    return argument.strip().strip("'\"")
