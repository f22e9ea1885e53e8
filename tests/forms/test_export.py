"""Forms written out again read back as the same form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.definition import Form
from forms.export import key_text, scalar, to_dictionary, to_xlsx, to_yaml
from forms.reader import load_shipped, read_form, shipped
from forms.sheets import ROW, read_sheets
from forms.writing import columns_of
from forms.xform import read_xform
from tests.forms.inline import form


def cells(read: Form) -> dict[str, list[dict[str, str]]]:
    """The filled cells of every sheet, without row numbers."""
    return {
        sheet: [{column: text for column, text in row.items() if column != ROW} for row in rows]
        for sheet, rows in read.rows.items()
    }


@pytest.mark.parametrize("name", shipped())
def test_a_ledger_comes_back_from_excel_and_yaml_as_it_was(name: str, tmp_path: Path) -> None:
    original = load_shipped(name)
    excel, text = tmp_path / f"{name}.xlsx", tmp_path / f"{name}.yml"
    excel.write_bytes(to_xlsx(original))
    text.write_text(to_yaml(original), encoding="utf-8")
    for path in (excel, text):
        again = read_form(path)
        assert read_xform(again.xform).children == read_xform(original.xform).children
        assert (again.itext, again.secondary_instances) == (original.itext, original.secondary_instances)
        assert cells(again) == cells(original)


def test_a_cell_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(to_xlsx(form("| type | name | label |\n| text | a | =1+1 |")))
    assert next(read_form(path).questions()).label.plain() == "=1+1"


def test_the_data_dictionary_names_tables_columns_and_choices() -> None:
    lines = to_dictionary(load_shipped("household")).splitlines()
    assert lines[0].startswith("\ufefftable,column,sql_type")
    assert "household_member,sex,TEXT,/data/member/sex,select_one,性别,internal,,male=男; female=女" in lines
    assert any(line.startswith("household,location_lat,REAL") for line in lines)


ANY_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufeff"), max_size=30)


@given(ANY_TEXT, st.booleans())
def test_any_text_reads_back_from_yaml(text: str, flow: bool) -> None:
    written = f"{{{key_text('label::x')}: {scalar(text, flow=True)}, z: 1}}" if flow else f"label::x: {scalar(text)}"
    assert yaml.load(written, Loader=yaml.CBaseLoader)["label::x"] == text


SIGNS = st.characters(blacklist_categories=["Cs", "Cc", "Cn"], blacklist_characters="\ufeff") | st.just("\n")
CELL = st.text(SIGNS, min_size=1, max_size=12) | st.sampled_from(["_x0041_", "=1+1", "01", "1.0", "TRUE", "#N/A", "'a"])
COLUMN = st.sampled_from(
    ["type", "name", "label::中文 (zh)", "label::English (en)", "hint", "ledger::privacy", "ledger::was",
     "media::image", "bind::x:y", "save_to", "我的备注", "parameters"]
)  # fmt: skip
FILLED = CELL.filter(lambda text: bool(text.strip()))
ROWS = st.lists(st.dictionaries(COLUMN, FILLED, min_size=1), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({"survey": ROWS}, optional={"choices": ROWS, "entities": ROWS}))
def test_any_cells_come_back_from_excel_and_yaml(tmp_path: Path, sheets: dict[str, list[dict[str, str]]]) -> None:
    given_form = replace(load_shipped("visit"), rows={name: tuple(rows) for name, rows in sheets.items()})
    excel, text = tmp_path / "f.xlsx", tmp_path / "f.yml"
    excel.write_bytes(to_xlsx(given_form))
    text.write_text(to_yaml(given_form), encoding="utf-8")
    for path in (excel, text):
        found = read_sheets(path)
        assert cells(replace(given_form, rows=found)) == cells(given_form)


def test_the_order_of_columns_is_the_authors() -> None:
    rows = ({"type": "a", "hint": "b", "label": "c"}, {"type": "a", "name": "b", "hint": "c"}, {"x": "1"})
    assert columns_of(rows) == ["type", "name", "hint", "label", "x"]
