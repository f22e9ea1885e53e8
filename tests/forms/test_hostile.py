"""Forms made to take all time and memory are refused, or read within bounds, in a process that has no more to give."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from forms.export import to_xlsx
from forms.reader import FormError, load_shipped, read_form
from tests.forms.fuzzing import run

# Reads a form and prints what came of it, the seconds (of the processor) and the megabytes it took.
READER = """
import sys, time
from pathlib import Path
from forms.reader import FormError, load_shipped, read_form
load_shipped("public_place")
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except ImportError:
    resource = None
began = time.process_time()
try:
    found = "form " + read_form(Path(sys.argv[1])).form_id
except FormError as error:
    found = error.code
# Not getrusage: its peak counts what the process that started this one held.
status = Path("/proc/self/status")
lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else ["VmHWM: 0 kB"]
used = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
print(found, time.process_time() - began, used, sep="|")
"""
HEADER = ["type", "name", "label", "relevant"]


def book(**sheets: list[list[str]]) -> bytes:
    workbook = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def groups(count: int, *, closed: bool) -> list[list[str]]:
    rows = [HEADER, *(["begin_group", f"g{number}", "G", ""] for number in range(count)), ["text", "a", "A", ""]]
    return [*rows, *([["end_group", "", "", ""]] * count if closed else [])]


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><x>&c;</x>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'
CASES = {
    "nested groups.xlsx": (lambda: book(survey=groups(1500, closed=True)), "FORMS_EXTENT_DEPTH"),
    "groups without end.xlsx": (lambda: book(survey=groups(9000, closed=False)), "FORMS_EXTENT_DEPTH"),
    "too many rows.xlsx": (
        lambda: book(survey=[HEADER, *([["text", "a", "A", ""]] * 12_000)]), "FORMS_EXTENT_ROWS",
    ),
    "too many columns.xlsx": (
        lambda: book(survey=[[*HEADER, *(f"label::{n}" for n in range(1200))], ["x"] * 1204]), "FORMS_EXTENT_COLUMNS",
    ),
    "every row wrong.xlsx": (
        lambda: book(survey=[HEADER, *(["txt", f"q{n % 7}", "Q", "${qq} = “a”"] for n in range(9000))]),
        "FORMS_TYPE_UNKNOWN_MEANT",
    ),
    "broken references.xlsx": (
        lambda: book(survey=[HEADER, *(["text", f"q{n}", "Q", "${" * 8000] for n in range(50))]),
        "FORMS_REFERENCE_BROKEN",
    ),
    "brackets.xlsx": (
        lambda: book(survey=[HEADER, ["text", "a", "A", "(" * 15_000 + "1" + ")" * 15_000]]),
        "FORMS_EXPRESSION_TOO_DEEP",
    ),
    "one choice.xlsx": (
        lambda: book(
            survey=[HEADER, ["select_one a", "x", "X", ""]],
            choices=[["list_name", "name", "label"], *(["a", "c", f"{n}"] for n in range(30_000))],
        ),
        "FORMS_CHOICE_REPEATED",
    ),
    "circle.xlsx": (
        lambda: book(
            survey=[
                ["type", "name", "calculation"],
                *(["calculate", f"q{n}", f"${{q{(n + 1) % 1500}}} + 1"] for n in range(1500)),
            ]
        ),
        "FORMS_CIRCLE",
    ),
    "laughs.xml": (lambda: LAUGHS, "FORMS_XFORM_DOCTYPE"),
    "outside.xml": (lambda: OUTSIDE, "FORMS_XFORM_DOCTYPE"),
    "deep.xml": (lambda: b"<a>" * 100_000, "FORMS_XFORM_NOT_XML"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_form_is_refused_in_time(name: str, tmp_path: Path) -> None:
    make, code = CASES[name]
    path = tmp_path / name
    path.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path)], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found, seconds, megabytes = done.stdout.strip().split("|")
    assert found == code
    # Two seconds on a quiet machine; others may be at work on this one.
    assert float(seconds) < 4
    assert int(megabytes) < 200


def test_a_formula_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    rows = [["type", "name", "label"], ["text", "a", "A"], ["text", "b", '=CONCATENATE("x", "y")']]
    path.write_bytes(book(survey=rows))
    with pytest.raises(FormError) as error:
        read_form(path)
    assert "xy" not in str(error.value)


def test_damaged_forms_of_every_kind_end_in_a_form_or_a_report(tmp_path: Path) -> None:
    failed, outcomes, _ = run(210, 20261122, tmp_path)
    assert not [line for line in failed if "took" not in line]
    assert outcomes["form"] > 20
    assert len(outcomes) > 8


def test_a_cell_longer_than_excels_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    sum_of_ones = "1" + " + 1" * 20_000
    path.write_text(f"survey:\n  - {{type: calculate, name: a, calculation: {sum_of_ones}}}\n", encoding="utf-8")
    with pytest.raises(FormError) as error:
        read_form(path)
    assert error.value.code == "FORMS_EXTENT_CELL"


def rebuilt(change: Callable[[str, bytes], bytes]) -> bytes:
    """A shipped form's workbook with its parts changed."""
    source, content = zipfile.ZipFile(io.BytesIO(to_xlsx(load_shipped("visit")))), io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in source.namelist():
            archive.writestr(name, change(name, source.read(name)))
    return content.getvalue()


@pytest.mark.parametrize("ref", [b"A4294967295", b"A99999999999999999999", b"A1048577", b"XFD99999", b"AAAAAAA9"])
def test_a_cell_beyond_every_sheet_is_refused_before_memory_is_asked_for(tmp_path: Path, ref: bytes) -> None:
    file = tmp_path / "far.xlsx"
    file.write_bytes(rebuilt(lambda name, data: data.replace(b'r="A2"', b'r="' + ref + b'"', 1)))
    with pytest.raises(FormError) as caught:
        read_form(file)
    assert caught.value.code in ("FORMS_WORKBOOK_BROKEN", "FORMS_WORKBOOK_EXTENT")


def test_an_opendocument_sheet_under_excels_name_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<x/>")
    with pytest.raises(FormError, match="FORMS_WORKBOOK_NOT_EXCEL"):
        read_form(file)
