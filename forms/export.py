"""A form written out again: as Excel, as YAML, as a data dictionary of its ledger tables."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final

import yaml

from forms.decompilation import rows_of
from forms.definition import Form
from forms.sheets import ROW, Row
from forms.tables import tables_of
from forms.writing import empty_workbook, write_sheet

_ORDER: Final = ("settings", "survey", "choices", "external_choices", "osm", "entities")
_PLAIN: Final = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=][^\n\t]*")
_WORDS: Final = frozenset({"yes", "no", "true", "false", "null", "on", "off", "~", ""})


def to_xlsx(form: Form) -> bytes:
    """Return the form as an XLSForm workbook; raises FormError for a form that came as XForm only."""
    workbook = empty_workbook()
    for name, rows in _sheets(form).items():
        write_sheet(workbook, name, rows)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def to_yaml(form: Form) -> str:
    """Return the form as YAML, one block a question, one line a choice; as `to_xlsx`."""
    lines: list[str] = []
    for name, rows in _sheets(form).items():
        lines += ["", f"{name}:"] if lines else [f"{name}:"]
        if name == "settings" and len(rows) == 1:
            lines += [f"  {key_text(column)}: {scalar(text)}" for column, text in _cells(rows[0])]
        elif name in ("choices", "external_choices"):
            lines += [f"  - {{{_flow(row)}}}" for row in rows]
        else:
            for row in rows:
                for mark, (column, text) in zip(_marks(), _cells(row), strict=False):
                    lines.append(f"  {mark} {key_text(column)}: {scalar(text)}")
    return "\n".join(lines) + "\n"


def to_dictionary(form: Form) -> str:
    """Return the ledger's tables and columns as CSV (with a byte-order mark, so that Excel reads the Chinese)."""
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\r\n")
    header = ("table", "column", "sql_type", "question", "type", "label", "privacy", "required", "choices")
    writer.writerow(header)
    for table in tables_of(form):
        for column in table.columns:
            question = column.question
            choices = "; ".join(f"{code}={label}" for code, label in column.choices().items())
            for stored in column.stored:
                writer.writerow(
                    _safe(
                        (
                            table.name,
                            stored.name,
                            stored.sql_type,
                            question.path,
                            question.type,
                            question.label.plain(form.default_language),
                            question.ledger.get("privacy", ""),
                            "yes" if question.required else "",
                            choices or column.source,
                        )
                    )
                )
    return "\ufeff" + content.getvalue()


def _safe(cells: Iterable[str]) -> list[str]:
    """Cells that no spreadsheet takes for a formula."""
    return [f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell for cell in cells]


def _sheets(form: Form) -> dict[str, tuple[Row, ...]]:
    """The sheets in the order people read them."""
    sheets, _ = rows_of(form)
    return {name: sheets[name] for name in _ORDER if sheets.get(name)}


def _cells(row: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(column, text) for column, text in row.items() if column != ROW and text != ""]


def _marks() -> Iterable[str]:
    yield "-"
    while True:
        yield " "


def _flow(row: Row) -> str:
    return ", ".join(f"{key_text(column)}: {scalar(text, flow=True)}" for column, text in _cells(row))


def key_text(column: str) -> str:
    """Return a column's header as a YAML key."""
    return column if re.fullmatch(r"[\w.\-]+(::?[^\s,\[\]{}:#]+( [^\s,\[\]{}:#]+)*)*", column) else _quoted(column)


def scalar(text: str, *, flow: bool = False) -> str:
    """Return a text as a YAML scalar that reads back as the same text: plain where it can be, quoted otherwise."""
    plain = (
        _PLAIN.fullmatch(text)
        and text == text.strip()
        and not re.search(r":(\s|$)|\s#", text)
        and not (flow and re.search(r"[,\[\]{}]", text))
        and text.lower() not in _WORDS
        and not re.fullmatch(r"[\d.+\-]+", text)
        and text.isprintable()
    )
    return text if plain else _quoted(text)


def _quoted(text: str) -> str:
    dumped = yaml.dump(text, default_style='"', allow_unicode=True, width=1_000_000)
    return str(dumped).rstrip("\n")
