"""What checking found, written back into the workbook."""

from __future__ import annotations

import io
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from forms.annotation import AUTHOR, SUMMARY, annotate_file, annotate_rows
from forms.problems import Problem
from forms.reader import FormError, load_shipped, read_form

RED, YELLOW = "FFFFC7CE", "FFFFEB9C"


def problems_of(path: Path) -> tuple[Problem, ...]:
    try:
        return read_form(path).warnings
    except FormError as error:
        return (*error.problems, *error.warnings)


def faulty(path: Path) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = " Survey "
    rows = (
        ["type", "name", "label", "relevant"],
        ["integer", "age", "Age", None],
        ["text", "age", "Again", "${agee} > 1"],
        ["select_one sexes", "sex", "Sex", None],
    )
    for row in rows:
        sheet.append(row)
    sheet["A1"].font = Font(bold=True, color="FF00FF00")
    sheet["D2"].fill = PatternFill("solid", start_color="FF0000FF")
    sheet["B3"].comment = Comment("ask Li", "Wang")
    sheet.column_dimensions["C"].width = 77
    book.create_sheet("notes")["A1"] = "=1+1"
    book.save(path)
    return path


def test_every_problem_is_at_its_cell_and_in_the_list(tmp_path: Path) -> None:
    path = faulty(tmp_path / "f.xlsx")
    problems = problems_of(path)
    book = load_workbook(io.BytesIO(annotate_file(path, problems, "en")))
    sheet, summary = book[" Survey "], book[SUMMARY]
    assert book.sheetnames == [SUMMARY, " Survey ", "notes"]
    assert sheet["B3"].fill.start_color.rgb == sheet["D3"].fill.start_color.rgb == RED
    assert "ask Li" in sheet["B3"].comment.text
    assert "used twice" in sheet["B3"].comment.text
    assert "${age}" in sheet["D3"].comment.text
    assert sheet["A4"].comment.author == AUTHOR
    assert [row[8].value for row in summary.iter_rows(min_row=2)] == [problem.code for problem in problems]
    links = {row[4].hyperlink.location for row in summary.iter_rows(min_row=2) if row[4].hyperlink}
    assert {"' Survey '!B3", "' Survey '!D3", "' Survey '!A4"} <= links


def test_the_authors_formatting_stays(tmp_path: Path) -> None:
    path = faulty(tmp_path / "f.xlsx")
    book = load_workbook(io.BytesIO(annotate_file(path, problems_of(path), "zh")))
    sheet = book[" Survey "]
    assert (sheet["A1"].font.color.rgb, sheet["D2"].fill.start_color.rgb) == ("FF00FF00", "FF0000FF")
    assert sheet.column_dimensions["C"].width == 77
    assert book["notes"]["A1"].value == "=1+1"
    assert sheet["A2"].comment is None


def test_a_marked_workbook_is_a_form_with_the_same_problems_and_can_be_marked_again(tmp_path: Path) -> None:
    path = faulty(tmp_path / "f.xlsx")
    problems = problems_of(path)
    marked = tmp_path / "f2.xlsx"
    marked.write_bytes(annotate_file(path, problems, "zh"))
    assert [problem.code for problem in problems_of(marked)] == [problem.code for problem in problems]
    clean = load_workbook(io.BytesIO(annotate_file(marked, (), "zh")))
    assert clean.sheetnames.count(SUMMARY) == 1
    cells = [cell for row in clean[" Survey "].iter_rows() for cell in row]
    assert [(cell.coordinate, cell.comment.text, cell.comment.author) for cell in cells if cell.comment] == [
        ("B3", "ask Li", "Wang")
    ]
    assert not any(cell.fill.start_color.rgb in (RED, YELLOW) for cell in cells)


def test_a_yaml_form_gets_a_workbook_made_of_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    path.write_text(
        "settings:\n  form_id: f\n  version: '1'\nsurvey:\n  - type: text\n    name: a b\n    label: =1+1\n"
        "  - {type: banana, name: c, label: C}\n",
        encoding="utf-8",
    )
    book = load_workbook(io.BytesIO(annotate_file(path, problems_of(path), "zh")))
    sheet = book["survey"]
    assert (sheet["B2"].value, sheet["A3"].value) == ("a b", "banana")
    assert sheet["C2"].data_type == "s"
    assert sheet["B2"].comment.text.startswith("错误: name“a b”不能用")
    assert sheet["A3"].fill.start_color.rgb == RED


def test_a_file_that_cannot_be_read_at_all_gives_the_list_alone(tmp_path: Path) -> None:
    for name in ("f.xlsx", "f.yml", "f.xml"):
        path = tmp_path / name
        path.write_bytes(b"hello")
        book = load_workbook(io.BytesIO(annotate_file(path, problems_of(path), "zh")))
        assert book.sheetnames == [SUMMARY]
        assert book[SUMMARY]["I2"].value.startswith("FORMS_")


def test_a_ledger_without_faults_says_so() -> None:
    book = load_workbook(io.BytesIO(annotate_rows(load_shipped("visit").rows, (), "zh")))
    assert book[SUMMARY]["A2"].value == "没有发现问题。"
    assert {"survey", "choices", "settings"} <= set(book.sheetnames)
