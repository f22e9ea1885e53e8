"""Question types, columns and settings of XLSForm one by one: read whole, or said to do nothing."""

from __future__ import annotations

from typing import Any

import pytest

from forms.attachments import RowAttachments
from forms.decompilation import rows_of
from forms.instance import Instance
from forms.program import compile_form
from forms.reader import read_rows
from forms.xform import read_xform
from forms.xform.searching import appearance_words, split_arguments
from tests.forms.inline import brief, form

PEOPLE = [
    {"key": "1", "lbl": "李四", "area": "北", "kind": "x"},
    {"key": "2", "lbl": "王五", "area": "南", "kind": "x"},
    {"key": "3", "lbl": "李北", "area": "南北", "kind": "y"},
]
CHOICES = """
choices
| list_name | name | label |
| s | key | lbl |
"""


def offered(text: str, given: dict[str, Any], ref: str = "/data/a") -> list[tuple[str, str]]:
    attached = RowAttachments({"people.csv": PEOPLE})
    instance = Instance.new(compile_form(form(text)), attachments=attached)
    for name, value in given.items():
        instance.set(f"/data/{name}", value)
    return [(choice.name, choice.label) for choice in instance.choices(ref)]


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("search('people')", ["1", "2", "3"]),
        ("search('people', 'matches', 'area', ${x})", ["2"]),
        ("search('people', 'contains', 'area', ${x})", ["2", "3"]),
        ("search('people', 'startswith', 'area', ${x})", ["2", "3"]),
        ("search('people', 'endswith', 'area', ${x})", ["2"]),
        ("search('people', 'contains', 'lbl, area', '北')", ["1", "3"]),
        ("search('people', 'contains', 'area', ${x}, 'kind', 'y')", ["3"]),
        ("search('people', 'matches', 'area', concat(${x}, ''), 'kind', ${k})", ["2"]),
        ("minimal search( 'people' , 'matches' , 'kind' , 'y' )", ["3"]),
    ],
)
def test_search_chooses_from_a_file(search: str, names: list[str]) -> None:
    head = "| type | name | label | appearance |\n| text | x | X | |\n| text | k | K | |\n"
    found = offered(f"{head}| select_one s | a | A | {search} |{CHOICES}", {"x": "南", "k": "x"})
    assert [name for name, _ in found] == names
    assert dict(found).get("1", "李四") == "李四"


def test_a_form_with_search_becomes_one_with_a_file() -> None:
    read = form(
        "| type | name | label | appearance |\n"
        "| select_one s | a | A | minimal search('people', 'matches', 'kind', 'y') |" + CHOICES
    )
    assert next(read.questions()).appearance == ("minimal",)
    sheets, lost = rows_of(read_xform(read.xform))
    assert lost == ()
    row = sheets["survey"][0]
    assert (row["type"], row["choice_filter"]) == ("select_one_from_file people.csv", "kind = 'y'")
    assert row["parameters"] == "value=key label=lbl"


EXTERNAL = """
| type | name | label | choice_filter |
| text | state | S | |
| select_one_external towns | a | T | state=${state} |
external_choices
| list_name | name | label | state |
| towns | a | 甲镇 | x |
| towns | b | 乙镇 | y |
| other | c | 丙镇 | x |
"""


def test_select_one_external_chooses_from_its_sheet() -> None:
    assert offered(EXTERNAL, {"state": "x"}) == [("a", "甲镇")]
    assert offered(EXTERNAL, {"state": "y"}) == [("b", "乙镇")]
    assert brief(form(EXTERNAL).warnings) == [("LIST_UNUSED", 4, "list_name")]


def test_select_one_external_of_an_xform_chooses_from_the_attached_file() -> None:
    attached = RowAttachments({"itemsets.csv": [{"list_name": "towns", "name": "z", "label": "Z", "state": "x"}]})
    instance = Instance.new(compile_form(read_xform(form(EXTERNAL).xform)), attachments=attached)
    instance.set("/data/state", "x")
    assert [choice.name for choice in instance.choices("/data/a")] == ["z"]


TYPES = {
    "text": "string", "integer": "int", "decimal": "decimal", "note": "string", "date": "date", "time": "time",
    "datetime": "dateTime", "geopoint": "geopoint", "geotrace": "geotrace", "geoshape": "geoshape",
    "barcode": "barcode", "image": "binary", "audio": "binary", "video": "binary", "file": "binary",
    "acknowledge": "string", "hidden": "string", "start": "dateTime", "end": "dateTime", "today": "date",
    "deviceid": "string", "username": "string", "phonenumber": "string", "email": "string", "range": "int",
    "start-geopoint": "geopoint", "background-audio": "binary", "osm": "binary",
}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_read_from_rows_and_from_the_xform(name: str) -> None:
    read = form(f"| type | name | label |\n| {name} | a | A |")
    for one in (read, read_xform(read.xform)):
        question = next(question for question in one.questions() if question.name == "a")
        assert (question.type, question.data_type) == (name, TYPES[name])


def test_a_range_with_labels_returns_from_its_xform() -> None:
    read = form("""
        | type | name | label | parameters |
        | range | a | A | start=1 end=5 step=1 tick_interval=2 tick_labelset=n placeholder=3 |
        choices
        | list_name | name | label |
        | n | 1 | low |
        | n | 5 | high |
        """)
    sheets, lost = rows_of(read_xform(read.xform))
    assert lost == ()
    assert read_rows(sheets, "x").children == read_rows(sheets, "x").children
    assert next(read_rows(sheets, "x").questions()).parameters == next(read.questions()).parameters


def test_what_does_nothing_here_is_said_once_with_its_row() -> None:
    read = form(
        """
        | type | name | label | bind::foo | autoplay | compact_tag | instance::tag |
        | text | a | A | 1 | | | |
        | audio | b | B | 2 | audio | b | x |
        """,
        sms_keyword="x",
        auto_delete="true",
    )
    assert brief(read.warnings) == [
        ("HERE_NO_EFFECT", 2, "sms_keyword"),
        ("HERE_NOT_SUBMITTED", 2, "auto_delete"),
        ("HERE_NO_EFFECT", 2, "bind::foo"),
        ("HERE_NO_EFFECT", 3, "autoplay"),
        ("HERE_NO_EFFECT", 3, "compact_tag"),
        ("HERE_NO_EFFECT", 3, "instance::tag"),
    ]


HEADED = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model>
  <instance><data id="t"><a/><b/><c/></data></instance></model></h:head><h:body>
  <group appearance="field-list"><label>House</label><input ref="/data/a"><label>A</label></input>
  <input ref="/data/b"><label>B</label></input></group><input ref="/data/c"><label>C</label></input>
  </h:body></h:html>"""


def test_a_group_without_a_node_leaves_its_heading() -> None:
    read = read_xform(HEADED)
    (heading,) = read.headings
    assert (heading.label.plain(), heading.paths, heading.appearance) == (
        "House", ("/data/a", "/data/b"), ("field-list",),
    )  # fmt: skip
    assert [node.path for node in read.walk()] == ["/data/a", "/data/b", "/data/c"]


def test_words_and_arguments_are_parted_outside_brackets() -> None:
    assert appearance_words("w1 search('a b', concat('(', ${x})) quick") == (
        "w1", "search('a b', concat('(', ${x}))", "quick",
    )  # fmt: skip
    assert split_arguments("'a,b', f(1, 2), x[1, 2]") == ["'a,b'", " f(1, 2)", " x[1, 2]"]
