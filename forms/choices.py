"""Choice lists that stand in the form itself: their items, and the labels of a select's codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from lxml import etree

from forms.definition import Expression, Form, Question

_EMPTY: Mapping[str, str] = MappingProxyType({})


def items_of(form: Form, list_name: str) -> tuple[Mapping[str, str], ...]:
    """Return the items of an internal secondary instance as column -> text, in order; none for an external one."""
    secondary = form.secondary_instances.get(list_name)
    return () if secondary is None or not secondary.xml else _read_items(secondary.xml)


def language_of(form: Form, wanted: str) -> str:
    """Return the form's language that `wanted` names (`中文 (zh)`, or just `zh`), else the form's default."""
    if wanted in form.languages:
        return wanted
    coded = (language for language in form.languages if wanted and language.endswith(f"({wanted})"))
    return next(coded, form.default_language)


def labels_of(form: Form, question: Question, language: str = "") -> Mapping[str, str]:
    """Return the labels of a select's codes in `language` (or the form's own), in the list's order.

    Empty for questions without choices and for those whose choices come from an attached file.
    """
    itemset = question.itemset
    if itemset is None:
        return _EMPTY
    wanted = language_of(form, language) if form.languages else language or form.default_language
    if itemset.choices:
        return {choice.name: choice.label.plain(wanted) or choice.name for choice in itemset.choices}
    items = items_of(form, itemset.list_name)
    if not itemset.label_is_itext:
        return {item.get(itemset.value, ""): item.get(itemset.label, "") for item in items}
    texts = form.itext.get(wanted) or next(iter(form.itext.values()), {})
    column = itemset.label
    return {item.get(itemset.value, ""): _plain(texts.get(item.get(column, ""), ())) for item in items}


def _plain(parts: Sequence[str | Expression]) -> str:
    return "".join(part if isinstance(part, str) else "…" for part in parts)


# Reading a list of thousands of choices for every record of a projection would cost more than the record.
@lru_cache(maxsize=256)
def _read_items(xml: str) -> tuple[Mapping[str, str], ...]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(xml.encode(), parser)
    return tuple({_local(cell.tag): (cell.text or "") for cell in item} for item in root if len(item))


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]
