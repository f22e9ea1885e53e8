"""Forms from files, rows in memory or the shipped library, with every fault reported at once."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache as remembered
from importlib import resources
from pathlib import Path

from forms.checks import check_authored, expressions
from forms.checks.authored import Authored, AuthoredRow, read_authored
from forms.checks.form import check_form
from forms.conversion import convert
from forms.definition import Form, Question, Repeat
from forms.kept import Kept, digest, own_folder
from forms.problems import Place, Problem
from forms.sheets import ROW, Row, read_bytes, read_sheets, read_yaml
from forms.vocabulary import DERIVED
from forms.xform import FormError, Written, read_xform
from forms.xform.searching import with_external_choices

__all__ = ["FormError", "load_shipped", "read_form", "read_rows", "shipped"]


def read_form(path: Path | str, *, cache: Path | None = None) -> Form:
    """Read a form from `.yml`, `.xlsx`, `.xls` or `.xml`; raises FormError with every fault found.

    `cache`: a folder where forms are kept by digest, made where it is missing. Without a form_id the file's name
    stands in for it.
    """
    file = Path(path)
    kept = None
    if cache is not None:
        kept = Kept(cache, digest(file.name, read_bytes(file)))
        found = kept.read()
        if found is not None:
            return found
    if file.suffix.lower() == ".xml":
        form = _checked(read_xform(_xml_text(file), file=file.name))
    else:
        form = read_rows(read_sheets(file), file.name)
    if kept is not None:
        kept.write(form)
    return form


def read_rows(sheets: Mapping[str, Sequence[Row]], file: str = "", *, cache: Path | None = None) -> Form:
    """Read a form from sheets of rows (column -> text; the Excel row under `__row__`, counted from 2 where missing).

    `file`: the name shown in messages. `cache`: as for read_form. Raises FormError with every fault found.
    """
    numbered = {name: tuple(_numbered(rows)) for name, rows in sheets.items()}
    if cache is None:
        return _from_rows(numbered, file)
    kept = Kept(cache, digest(file, json.dumps(numbered, ensure_ascii=False)))
    found = kept.read()
    if found is None:
        found = _from_rows(numbered, file)
        kept.write(found)
    return found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector still: it would walk the hundred thousands of records of a large form in vain."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_uncollected()
def _from_rows(numbered: Mapping[str, Sequence[Row]], file: str) -> Form:
    """The form of numbered rows, checked.

    Expressions are compiled with the form; one by one as their author wrote them only where something is wrong.
    """
    authored = read_authored(numbered, file)
    errors, warnings = _sorted_out(check_authored(authored, compiling=False))
    fault: FormError | None = None
    if not errors:
        try:
            form = _formed(numbered, authored, file, warnings)
            errors = list(expressions.check(authored, frozenset(_compiled(form))))
        except FormError as error:
            fault = error
        else:
            if not errors:
                return form
    errors, warnings = _sorted_out(check_authored(authored))
    if fault is not None and not errors:
        raise fault
    raise FormError(errors, warnings) from fault


def _formed(
    numbered: Mapping[str, Sequence[Row]], authored: Authored, file: str, warnings: Sequence[Problem]
) -> Form:
    """The form that rows become; raises FormError where pyxform refuses them or the form cannot run."""
    try:
        converted = convert(_identified(numbered, file), file)
    except FormError as error:
        raise FormError(error.problems, warnings) from error
    rows = {_node_path(row): row for row in authored.named if row.name}
    form = read_xform(
        converted.xml,
        file=file,
        written={_under(converted.root, path): _written(row) for path, row in rows.items()},
    )
    settings = {column: value for column, value in authored.settings.raw.items() if column != ROW}
    whole = replace(form, rows={name: tuple(given) for name, given in numbered.items()}, settings=settings)
    return _checked(with_external_choices(whole), (*warnings, *converted.warnings))


def _compiled(form: Form) -> Iterator[tuple[str, str]]:
    """The authored path and the column of the expressions that stand in a form, and were compiled with it."""
    for node in form.walk():
        found = {"relevant": node.relevant, "read_only": node.readonly}
        if isinstance(node, Question):
            found |= {"required": node.required, "constraint": node.constraint, "calculation": node.calculate}
        elif isinstance(node, Repeat):
            found["repeat_count"] = node.count
        path = f"/data{node.path.removeprefix(f'/{form.root}')}"
        yield from ((path, column) for column, expression in found.items() if expression is not None)


def _checked(form: Form, warnings: Sequence[Problem] = ()) -> Form:
    """The form with all its warnings; raises FormError where it cannot run."""
    errors, found = _sorted_out((*form.warnings, *warnings, *check_form(form)))
    if errors:
        raise FormError(errors, found)
    return replace(form, warnings=tuple(found))


def _numbered(rows: Sequence[Row]) -> Iterator[Row]:
    for number, row in enumerate(rows, start=2):
        yield {ROW: str(number), **{str(column): str(value) for column, value in row.items() if value is not None}}


def _sorted_out(problems: Iterable[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The errors, and the warnings."""
    found = list(problems)
    errors = [problem for problem in found if problem.severity == "error"]
    return errors, [problem for problem in found if problem.severity != "error"]


def _identified(sheets: Mapping[str, Sequence[Row]], file: str) -> Mapping[str, Sequence[Row]]:
    """The sheets with a form_id: the author's, or the file's name."""
    settings = dict(next(iter(sheets.get("settings", ())), {ROW: "2"}))
    if any(settings.get(column, "").strip() for column in ("form_id", "id_string", "set form id", "set_form_id")):
        return sheets
    settings["form_id"] = re.sub(r"[^\w.\-]+", "_", Path(file).stem).strip("_") or "form"
    return {**sheets, "settings": (settings,)}


def _node_path(row: AuthoredRow) -> str:
    """Where a row's node stands: where it was written, but for the audit, which belongs to the submission's meta."""
    return "/data/meta/audit" if row.type.name == "audit" else row.path


def _under(root: str, path: str) -> str:
    """An authored path, which begins with /data, under the root element's real name."""
    return f"/{root}{path.removeprefix('/data')}"


def _written(row: AuthoredRow) -> Written:
    return Written(
        place=replace(row.place, name=row.name),
        type=row.type.plain if row.type.kind == "question" and row.type.name not in DERIVED else "",
        label=row.text("label"),
        headers={column: cells[0].header for column, cells in row.cells.items()},
    )


def _xml_text(file: Path) -> str:
    try:
        return read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormError(Problem("FORMS_FILE_NOT_UTF8", Place(file=file.name))) from error


def shipped() -> tuple[str, ...]:
    """Return the names of the ledgers that come with the program, in the order of a village's work."""
    order = ("village", "household", "left_behind", "needy_household", "risk_point", "visit", "issue", "public_place")
    names = {entry.name.removesuffix(".yml") for entry in resources.files("forms.library").iterdir()}
    return tuple(name for name in order if name in names)


@remembered
def load_shipped(name: str) -> Form:
    """Return a shipped ledger's form; raises KeyError for a name that is not in `shipped()`."""
    if name not in shipped():
        raise KeyError(name)
    data = resources.files("forms.library").joinpath(f"{name}.yml").read_bytes()
    folder = own_folder()
    kept = Kept(folder, digest(name, data)) if folder else None
    found = kept.read() if kept else None
    if found is None:
        found = read_rows(read_yaml(data, f"{name}.yml"), f"{name}.yml")
        if kept:
            kept.write(found)
    return found
