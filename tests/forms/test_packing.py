"""What a form reads of its attached files, and the zip that ODK takes."""

from __future__ import annotations

import io
import zipfile

from forms.packing import attached_columns, csv_file, media_of, odk_zip
from forms.reader import load_shipped
from tests.forms.inline import form


def test_only_columns_that_the_form_reads_are_named() -> None:
    read = form("""
        | type | name | label | calculation | choice_filter | media::image |
        | text | area | Area of ${phone} | | | area.png |
        | select_one_from_file people.csv | who | Who | | area = ${area} and ./sex != 'm' | |
        | text | phone | Phone | instance('people')/root/item[name = current()/../who]/phone | | |
        | calculate | age | | pulldata('people', 'age', 'card', ${area}) | | |
        | calculate | total | | count(instance('other')/root/item[kind = 'x']) | | |
        | csv-external | other | | | | |
        | csv-external | idle | | | | |
        """)
    assert attached_columns(read) == {
        "people.csv": ("name", "label", "area", "sex", "phone", "age", "card"),
        "other.csv": ("kind",),
        "idle.csv": (),
    }
    assert media_of(read) == ("area.png",)


def test_a_wildcard_reads_every_column() -> None:
    read = form("""
        | type | name | label | calculation |
        | calculate | a | | count(instance('x')/root/item/*) |
        | csv-external | x | | |
        """)
    assert attached_columns(read) == {"x.csv": ("*",)}


def test_a_ledgers_form_reads_of_others_what_it_shows() -> None:
    found = attached_columns(load_shipped("left_behind"))
    assert found["household.csv"] == ("name", "label", "village")
    assert "resident_id" in found["household_member.csv"]


def test_the_zip_is_laid_out_for_odk_and_always_the_same() -> None:
    read = load_shipped("visit")
    files = {"household.csv": csv_file(("name", "label"), [{"name": "1", "label": "李,四", "phone": "139"}])}
    data = odk_zip(read, files)
    assert data == odk_zip(read, files)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["visit.xml", "visit-media/household.csv"]
        assert archive.read("visit.xml").decode("utf-8") == read.xform
        assert archive.read("visit-media/household.csv").decode("utf-8") == 'name,label\n1,"李,四"\n'


def test_lists_of_select_one_external_become_itemsets() -> None:
    from forms.packing import external_choices

    read = form("""
        | type | name | label | choice_filter |
        | text | state | State | |
        | select_one_external towns | town | Town | state=${state} |
        external_choices
        | list_name | name | label | state |
        | towns | a | A | x |
        """)
    assert external_choices(read) == b"list_name,name,label,state\ntowns,a,A,x\n"
