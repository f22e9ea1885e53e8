"""Reading forms: YAML, Excel and XForm files, the cache, and files that are no forms."""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from forms import conversion
from forms.definition import Question, Repeat
from forms.problems import Place
from forms.reader import FormError, read_form, read_rows
from tests.forms.inline import form, sheets

YAML = """\
# A comment
settings:
  form_id: visit
  version: "2"
survey:
  - type: text
    name: who
    label: 谁
    ledger::privacy: internal
  - {type: integer, name: "age", label: 年龄, required: yes}
  - type: note
    name: long
    label: |
      第一行
      第二行
"""


def codes(error: pytest.ExceptionInfo[FormError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def workbook(**contents: list[list[object]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in contents.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


SURVEY: list[list[object]] = [["type", "name", "label"], ["text", "a", "A"], [None, None, None], ["integer", "b", 12]]


def test_a_yaml_form_keeps_its_text_and_the_lines_it_stands_on(tmp_path: Path) -> None:
    found = read_form(write(tmp_path / "v.yml", YAML))
    who, age, long = (node for node in found.children[:3] if isinstance(node, Question))
    assert (found.form_id, found.version, found.settings["form_id"]) == ("visit", "2", "visit")
    assert who.place == Place("v.yml", "survey", 6, "", "who")
    assert (age.type, age.required and age.required.source) == ("integer", "true()")
    assert long.label.plain() == "第一行\n第二行"
    assert who.ledger == {"privacy": "internal"}
    assert found.rows["survey"][1]["required"] == "yes"


def test_an_excel_form_keeps_excel_row_numbers_and_reads_cells_as_shown(tmp_path: Path) -> None:
    settings: list[list[object]] = [["form_id", "version"], ["excel", 3]]
    found = read_form(write(tmp_path / "e.xlsx", workbook(Survey=SURVEY, settings=settings, notes=[["x"]])))
    a, b = (node for node in found.children[:2] if isinstance(node, Question))
    assert (found.form_id, found.version) == ("excel", "3")
    assert (a.place.row, b.place.row, b.label.plain()) == (2, 4, "12")


def test_an_xform_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xml", form("| type | name | label |\n| text | a | A |").xform)
    assert [question.name for question in read_form(path).questions()][:1] == ["a"]


def test_curly_quotes_in_labels_stay_as_written() -> None:
    found = form("| type | name | label |\n| note | a | 请选“低保”或‘特困’ |")
    assert next(found.questions()).label.plain() == "请选“低保”或‘特困’"


def test_a_question_may_be_called_like_the_root() -> None:
    found = form("| type | name | label | relevant |\n| text | data | D | |\n| text | b | B | ${data} = 1 |")
    assert found.root == "record"
    b = next(question for question in found.questions() if question.name == "b")
    assert b.relevant is not None
    assert b.relevant.place.row == 3
    assert "/record/data" in b.relevant.source


def test_without_a_form_id_the_file_name_stands_in(tmp_path: Path) -> None:
    found = read_form(write(tmp_path / "我的 表单.xlsx", workbook(survey=SURVEY)))
    assert found.form_id == "我的_表单"
    assert "FORMS_FORM_ID_MISSING" in [warning.code for warning in found.warnings]


def test_types_are_the_authors_where_the_xform_leaves_them_open() -> None:
    found = form("""
    | type | name | label | read_only | trigger | calculation |
    | text | fixed | Fixed | yes | | |
    | note | said | Said | | | |
    | calculate | made | | | ${fixed} | 1 |
    | select_one_from_file v.csv | v | V | | | |
    """)
    assert [question.type for question in found.questions()][:4] == ["text", "note", "calculate", "select_one"]


def test_dependency_cycles_are_errors() -> None:
    with pytest.raises(FormError) as error:
        form("| type | name | calculation |\n| calculate | a | ${b} + 1 |\n| calculate | b | ${a} + 1 |")
    assert next((problem.place.sheet, problem.place.column) for problem in error.value.problems)[0] == "survey"


def test_a_path_that_leads_nowhere_is_a_warning_with_its_row() -> None:
    found = form("| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | /data/aa = 1 |")
    warning = next(warning for warning in found.warnings if warning.code.startswith("FORMS_PATH_UNKNOWN"))
    assert (warning.place.row, warning.place.column, warning.context["path"]) == (3, "relevant", "/data/aa")


def test_what_pyxform_refuses_is_a_problem_with_its_row() -> None:
    with pytest.raises(FormError) as error:
        form("| type | name | label | default |\n| image | a | A | |\n| audit | wrong | | |")
    problem = error.value.problems[0]
    assert (problem.code, problem.place.row) == ("FORMS_PYXFORM_REFUSED", 3)


def test_any_failure_of_pyxform_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("list name")

    monkeypatch.setattr("pyxform.xls2xform.convert", fail)
    with pytest.raises(FormError) as error:
        conversion.convert(sheets("| type | name | label |\n| text | a | A |"))
    assert codes(error) == ["FORMS_PYXFORM_FAILED"]


def test_the_cache_gives_the_same_form_and_survives_damage(tmp_path: Path) -> None:
    rows = sheets("| type | name | label | remark |\n| text | a | A | x |")
    folder = tmp_path / "cache"
    first = read_rows(rows, "f.xlsx", cache=folder)
    again = read_rows(rows, "f.xlsx", cache=folder)
    assert (again.digest, again.warnings, again.children) == (first.digest, first.warnings, first.children)
    assert len(list(folder.iterdir())) == 2
    for kept in folder.iterdir():
        kept.write_bytes(b"\xff")
    assert read_rows(rows, "f.xlsx", cache=folder).digest == first.digest


def test_a_broken_form_is_never_kept(tmp_path: Path) -> None:
    with pytest.raises(FormError):
        read_rows(sheets("| type | name | label |\n| banana | a | A |"), cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


FAULTY = {
    "empty.yml": (b"", "FORMS_FILE_EMPTY"),
    "blank.yml": (b" \n\n", "FORMS_FILE_EMPTY"),
    "tabs.yml": (b"survey:\n\t- type: text", "FORMS_YAML_BROKEN"),
    "brace.yml": (b"survey:\n  - {type: text", "FORMS_YAML_BROKEN"),
    "text.yml": (b"hello", "FORMS_YAML_NOT_SHEETS"),
    "list.yml": (b"- type: text", "FORMS_YAML_NOT_SHEETS"),
    "scalar.yml": (b"survey: yes", "FORMS_YAML_NOT_ROWS"),
    "rows.yml": (b"survey:\n  - text", "FORMS_YAML_NOT_ROW"),
    "nested.yml": (b"survey:\n  - type: text\n    name: [a, b]", "FORMS_YAML_NESTED"),
    "twice.yml": (b"survey:\n  - type: text\n    type: integer", "FORMS_YAML_KEY_REPEATED"),
    "gbk.yml": ("survey:\n  - label: 村".encode("gb18030"), "FORMS_FILE_NOT_UTF8"),
    "excel.yml": (b"PK\x03\x04\xff\xfe\x00", "FORMS_FILE_NOT_UTF8"),
    "deep.yml": (b"survey: " + b"[" * 3000, "FORMS_YAML_BROKEN"),
    "text.xlsx": (b"type,name\ntext,a\n", "FORMS_WORKBOOK_NOT_EXCEL"),
    "zip.xlsx": (b"PK\x03\x04 not a zip", "FORMS_WORKBOOK_BROKEN"),
    "ole.xls": (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "FORMS_WORKBOOK_BROKEN"),
    "text.xml": (b"hello", "FORMS_XFORM_NOT_XML"),
    "html.xml": (b"<html/>", "FORMS_XFORM_NO_MODEL"),
    "doctype.xml": (b'<!DOCTYPE h [<!ENTITY a "b">]><h>&a;</h>', "FORMS_XFORM_DOCTYPE"),
    "letter.docx": (b"PK", "FORMS_FILE_KIND_UNKNOWN"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_file_that_is_no_form_gets_one_clear_message(name: str, tmp_path: Path) -> None:
    content, code = FAULTY[name]
    with pytest.raises(FormError) as error:
        read_form(write(tmp_path / name, content))
    assert codes(error) == [code]
    assert name in error.value.problems[0].words("zh")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FormError) as error:
        read_form(tmp_path / "none.yml")
    assert codes(error) == ["FORMS_FILE_MISSING"]


def test_a_workbook_without_survey_names_the_sheets_it_has(tmp_path: Path) -> None:
    with pytest.raises(FormError) as error:
        read_form(write(tmp_path / "w.xlsx", workbook(问卷=SURVEY)))
    assert codes(error) == ["FORMS_SHEET_SURVEY_MISSING"]
    assert "问卷" in error.value.problems[0].words("zh")


def test_a_header_written_twice_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(FormError) as error:
        read_form(write(tmp_path / "w.xlsx", workbook(survey=[["type", "name", "name"], ["text", "a", "b"]])))
    assert codes(error) == ["FORMS_HEADER_REPEATED"]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b"0" * 50 * 1024 * 1024)
    with pytest.raises(FormError) as error:
        read_form(write(tmp_path / "bomb.xlsx", content.getvalue()))
    assert codes(error) == ["FORMS_WORKBOOK_TOO_LARGE"]


def test_a_lone_cell_far_out_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "survey"
    sheet["A1"] = "type"
    sheet["XFD1048576"] = "x"
    content = io.BytesIO()
    book.save(content)
    with pytest.raises(FormError) as error:
        read_form(write(tmp_path / "far.xlsx", content.getvalue()))
    assert codes(error) == ["FORMS_WORKBOOK_EXTENT"]


def test_any_damage_to_a_workbook_ends_in_a_report(tmp_path: Path) -> None:
    good = workbook(survey=SURVEY)
    path = tmp_path / "w.xlsx"
    for cut in range(0, len(good), max(1, len(good) // 60)):
        for content in (good[:cut], good[:cut] + b"\x00\xff" + good[cut + 2 :]):
            try:
                read_form(write(path, content or b" "))
            except FormError as error:
                assert error.problems  # noqa: PT017


def test_any_damage_to_a_yaml_form_ends_in_a_report(tmp_path: Path) -> None:
    path = tmp_path / "w.yml"
    for cut in range(0, len(YAML), 5):
        for content in (YAML[:cut], YAML[:cut] + YAML[cut + 3 :], YAML[:cut] + "{" + YAML[cut:]):
            try:
                read_form(write(path, content))
            except FormError as error:
                assert all(problem.words("zh") and problem.words("en") for problem in error.problems)  # noqa: PT017


REACH = Path(__file__).parents[3] / "shared" / "data" / "xlsforms" / "reach-msna-2024.xlsx"


@pytest.mark.skipif(not REACH.exists(), reason="the REACH questionnaire is not at hand")
def test_a_real_questionnaire_is_read_with_warnings_only(tmp_path: Path) -> None:
    found = read_form(shutil.copy(REACH, tmp_path / REACH.name))
    assert len(list(found.questions())) > 250
    assert any(isinstance(node, Repeat) for node in found.walk())
    assert {warning.severity for warning in found.warnings} == {"warning"}
    # The form has `T` where `TRUE` was meant; nothing else in the field notices.
    assert {w.place.row for w in found.warnings if w.code.startswith("FORMS_PATH_UNKNOWN")} == {314, 315}
