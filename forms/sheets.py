"""Form files to sheets of rows: each row a flat mapping of strings that knows its row number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from forms.problems import Place, Problem
from forms.workbook import read_workbook
from forms.xform.document import FormError

Row = Mapping[str, str]
Sheets = Mapping[str, Sequence[Row]]

ROW: Final = "__row__"
YAML: Final = (".yml", ".yaml")
EXCEL: Final = (".xlsx", ".xlsm", ".xls")
MAX_BYTES: Final = 32 * 1024 * 1024
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_sheets(path: Path) -> dict[str, tuple[Row, ...]]:
    """Read a `.yml`, `.yaml`, `.xlsx`, `.xlsm` or `.xls` form; raises FormError for a file that is none of them."""
    suffix = path.suffix.lower()
    if suffix not in (*YAML, *EXCEL):
        raise FormError(Problem("FORMS_FILE_KIND_UNKNOWN", Place(file=path.name), {"suffix": path.suffix}))
    data = read_bytes(path)
    if suffix in EXCEL:
        sheets, names = read_workbook(data, path.name)
        if "survey" not in sheets:
            raise FormError(Problem("FORMS_SHEET_SURVEY_MISSING", Place(file=path.name), {"sheets": ", ".join(names)}))
        return {name: tuple(rows) for name, rows in sheets.items()}
    return read_yaml(data, path.name)


def read_bytes(path: Path) -> bytes:
    """Return a form file's content; raises FormError where it is missing, empty, unreadable or too large."""
    place = Place(file=path.name)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FormError(Problem("FORMS_FILE_TOO_LARGE", place, {"limit": MAX_BYTES // 1024 // 1024}))
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FormError(Problem("FORMS_FILE_MISSING", Place(file=str(path)))) from error
    except OSError as error:
        raise FormError(Problem("FORMS_FILE_UNREADABLE", place, {"said": error})) from error
    if not data.strip():
        raise FormError(Problem("FORMS_FILE_EMPTY", place))
    return data


def read_yaml(data: bytes, file: str) -> dict[str, tuple[Row, ...]]:
    """Read the sheets of a YAML form, every value text as written; all faults of shape are reported at once."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormError(Problem("FORMS_FILE_NOT_UTF8", Place(file=file))) from error
    try:
        document = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file=file, row=mark.line + 1 if mark else None)
        said = getattr(error, "problem", None) or error
        raise FormError(Problem("FORMS_YAML_BROKEN", place, {"said": said})) from error
    problems: list[Problem] = []
    if not isinstance(document, yaml.MappingNode):
        raise FormError(Problem("FORMS_YAML_NOT_SHEETS", Place(file=file)))
    sheets: dict[str, tuple[Row, ...]] = {}
    for key, value in document.value:
        name = str(key.value)
        place = Place(file=file, sheet=name, row=key.start_mark.line + 1)
        if name in sheets:
            problems.append(Problem("FORMS_YAML_KEY_REPEATED", place, {"key": name}))
        sheets[name] = tuple(_sheet(value, place, problems))
    if problems:
        raise FormError(problems)
    return sheets


def _sheet(node: yaml.Node, place: Place, problems: list[Problem]) -> list[Row]:
    """The rows of one sheet; a lone mapping (usual for `settings`) is one row, an empty value none."""
    if isinstance(node, yaml.ScalarNode) and not str(node.value).strip():
        return []
    if isinstance(node, yaml.MappingNode):
        return [_row(node, place, problems)]
    if not isinstance(node, yaml.SequenceNode):
        problems.append(Problem("FORMS_YAML_NOT_ROWS", place))
        return []
    rows = []
    for item in node.value:
        where = Place(place.file, place.sheet, item.start_mark.line + 1)
        if isinstance(item, yaml.MappingNode):
            rows.append(_row(item, where, problems))
        else:
            problems.append(Problem("FORMS_YAML_NOT_ROW", where))
    return rows


def _row(node: yaml.MappingNode, place: Place, problems: list[Problem]) -> Row:
    row = {ROW: str(node.start_mark.line + 1)}
    for key, value in node.value:
        column = str(key.value)
        where = Place(place.file, place.sheet, key.start_mark.line + 1, column)
        if column in row:
            problems.append(Problem("FORMS_YAML_KEY_REPEATED", where, {"key": column}))
        elif isinstance(value, yaml.ScalarNode):
            row[column] = str(value.value)
        else:
            problems.append(Problem("FORMS_YAML_NESTED", where))
    return row
