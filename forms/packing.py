"""A form as ODK Central and Collect expect it: its XForm beside a folder of what is attached to it."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from forms.definition import Expression, Form, Itemset, Label, Question, Repeat
from forms.expressions import ExpressionError
from forms.expressions.parser import parse
from forms.expressions.syntax import Call, Chain, Filter, Literal, Negate, Path, Step, Syntax
from forms.sheets import ROW

# The zip is the same for the same form: no clock in it.
_DATE: Final = (2000, 1, 1, 0, 0, 0)
EVERY: Final = "*"


def odk_zip(form: Form, files: Mapping[str, bytes]) -> bytes:
    """Return a zip of `<form_id>.xml` and `<form_id>-media/` with the attached files."""
    content = io.BytesIO()
    name = re.sub(r"[^\w.\-]+", "_", form.form_id) or "form"
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, f"{name}.xml", form.xform.encode("utf-8"))
        for file, data in files.items():
            _put(archive, f"{name}-media/{file.replace('/', '_')}", data)
    return content.getvalue()


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def csv_file(columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return rows as CSV with these columns only, UTF-8 without a byte-order mark (Collect would read it as text)."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    names = list(columns)
    writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return content.getvalue().encode("utf-8")


def external_choices(form: Form) -> bytes | None:
    """Return `itemsets.csv`, the lists of select_one_external, or None for a form without."""
    rows = form.rows.get("external_choices", ())
    columns = dict.fromkeys(column for row in rows for column in row if column != ROW)
    return csv_file(columns, rows) if rows else None


def media_of(form: Form) -> tuple[str, ...]:
    """Return the names of all pictures, sounds and films that labels and choices show, in order."""
    found: dict[str, None] = {}
    labels = [label for node in form.walk() for label in (node.label,)]
    for media in (*(by for label in labels for by in label.media.values()), *_item_media(form)):
        found.update(dict.fromkeys(media.values()))
    return tuple(name for name in found if name)


def _item_media(form: Form) -> Iterator[Mapping[str, str]]:
    for ids in form.itext_media.values():
        yield from ids.values()


def attached_columns(form: Form) -> dict[str, tuple[str, ...]]:
    """Return, for each attached file, the columns that the form reads, the select's own two first.

    `*` among them: it may read any. A file that is declared and never read has none.
    """
    found: dict[str, dict[str, None]] = {name: {} for name in form.secondary_instances}
    for node in form.walk():
        if isinstance(node, Question) and node.itemset and node.itemset.list_name in found:
            found[node.itemset.list_name].update({_column(node.itemset.value): None, _column(node.itemset.label): None})
    for entity in form.entities:
        if entity.update_if is not None and entity.dataset in found:
            found[entity.dataset]["__version"] = None
    for source in _sources(form):
        try:
            tree = parse(source)
        except ExpressionError:
            continue
        for name, column in _reads(tree):
            found.setdefault(name, {})[column] = None
    files = {name: one.source for name, one in form.secondary_instances.items() if one.source.endswith(".csv")}
    return {files[name]: tuple(columns) for name, columns in found.items() if name in files}


def _column(reference: str) -> str:
    return reference.strip().removeprefix("./")


def _sources(form: Form) -> Iterator[str]:
    """Every expression of a form, its labels' outputs and choice filters among them."""
    given: list[Expression | None] = [form.instance_name]
    for node in form.walk():
        given += [node.relevant, node.readonly, *_outputs(node.label)]
        if isinstance(node, Question):
            given += [node.required, node.constraint, node.calculate, *_nodeset(node.itemset)]
            for label in (node.hint, node.guidance, node.required_message, node.constraint_message):
                given += _outputs(label)
        elif isinstance(node, Repeat):
            given.append(node.count)
    given += [action.value for action in form.actions]
    for entity in form.entities:
        given += [entity.create_if, entity.update_if, entity.entity_id, entity.label]
    yield from (expression.source for expression in given if expression is not None)


def _outputs(label: Label) -> list[Expression | None]:
    return [part for parts in label.texts.values() for part in parts if isinstance(part, Expression)]


def _nodeset(itemset: Itemset | None) -> list[Expression | None]:
    return [itemset.nodeset] if itemset is not None else []


def _reads(tree: Syntax) -> Iterator[tuple[str, str]]:
    """Yield (secondary instance, column) for every column of it that an expression reads."""
    if isinstance(tree, Path):
        if isinstance(tree.start, Call) and tree.start.name == "instance":
            yield from _of_instance(tree.start, tree.steps)
        elif tree.start is not None and not isinstance(tree.start, str):
            yield from _reads(tree.start)
        for step in tree.steps:
            for predicate in step.predicates:
                yield from _reads(predicate)
        return
    if isinstance(tree, Call) and tree.name == "pulldata" and len(tree.arguments) >= 3:
        texts = [argument.value if isinstance(argument, Literal) else EVERY for argument in tree.arguments[:3]]
        yield from ((texts[0], column) for column in texts[1:])
    for below in _below(tree):
        yield from _reads(below)


def _below(tree: Syntax) -> tuple[Syntax, ...]:
    if isinstance(tree, Call):
        return tree.arguments
    if isinstance(tree, Chain):
        return (tree.first, *(operand for _, operand in tree.rest))
    if isinstance(tree, Negate):
        return (tree.operand,)
    return (tree.primary, *tree.predicates) if isinstance(tree, Filter) else ()


def _of_instance(call: Call, steps: tuple[Step, ...]) -> Iterator[tuple[str, str]]:
    """Yield what `instance('x')/root/item[...]/column` reads of x."""
    name = call.arguments[0].value if call.arguments and isinstance(call.arguments[0], Literal) else EVERY
    depth = 0
    for step in steps:
        for predicate in step.predicates:
            yield from ((name, column) for column in _names(predicate))
        if step.test.type != "name":
            continue
        depth += 1
        if step.axis != "child" or (step.test.local == "*" and depth > 2):
            yield name, EVERY
        elif depth > 2:
            yield name, step.test.local


def _names(tree: Syntax) -> Iterator[str]:
    """Yield the columns of an item that a predicate names."""
    if isinstance(tree, Path):
        first = next((step for step in tree.steps if step.test.type == "name"), None)
        if tree.start is None and first is not None and not any(step.axis == "parent" for step in tree.steps):
            yield first.test.local if first.test.local != "*" else EVERY
        elif tree.start is not None and not isinstance(tree.start, str) and not isinstance(tree.start, Call):
            yield from _names(tree.start)
        return
    for below in _below(tree):
        yield from _names(below)
