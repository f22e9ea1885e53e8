"""The leak check, and the reading of our own PDFs that it rests on."""

from __future__ import annotations

import pymupdf
import pytest

from datasette_plugins.publish.fonts import Faces, packaged
from datasette_plugins.publish.leaks import LeakError, Secret, leaks, refuse_leaks
from datasette_plugins.publish.pdf_text import PdfTextError, read_text
from datasette_plugins.publish.sheet import render
from tests.datasette_plugins.publish.samples import full, long

NAME = Secret("欧阳平安", "姓名", "household_member", "0190", "name")
ID = Secret("110101199003070016", "身份证号", "household_member", "0190", "resident_id")
PHONE = Secret("13800000001", "电话", "household", "0191", "phone")
SHORT = Secret("王平", "姓名", "household", "0192", "head_name")


@pytest.mark.parametrize(
    ("texts", "secrets"),
    [
        (["联系人：欧阳平安。"], [NAME]),
        (["联系人欧 阳", "平安"], [NAME]),
        (["110101 19900307 0016"], [ID]),
        (["１３８－００００－０００１"], [PHONE]),
        (["大王", "平安"], []),
        (["王 平屋后滑坡"], [SHORT]),
        (["欧阳安平", "13800000002"], []),
    ],
)
def test_values_are_found_however_they_are_set(texts: list[str], secrets: list[Secret]) -> None:
    assert list(leaks(texts, [NAME, ID, PHONE, SHORT])) == secrets


def test_single_characters_are_not_looked_for() -> None:
    assert leaks(["村"], [Secret("村", "姓名", "household", "1", "head_name")]) == ()


def test_the_refusal_names_the_record_and_never_the_value() -> None:
    with pytest.raises(LeakError) as caught:
        refuse_leaks(["欧阳平安 13800000001"], [NAME, PHONE])
    said = "".join(problem.words(language) for problem in caught.value.problems for language in ("zh", "en"))
    data = str([problem.as_data() for problem in caught.value.problems])
    assert "household_member" in said
    assert "0190" in said
    assert "姓名" in said
    assert "电话" in said
    assert "欧阳" not in said + data
    assert "1380" not in said + data


@pytest.mark.parametrize("sample", [full, long])
def test_our_reader_reads_what_another_reader_reads(sample: object) -> None:
    assert callable(sample)
    pdf = render(sample(), Faces([packaged()])).pdf
    theirs = "".join(page.get_text() for page in pymupdf.open(stream=pdf))
    read = read_text(pdf)
    assert sorted("".join("".join(read.lines).split())) == sorted("".join(theirs.split()))
    assert read.metadata["Title"] == pymupdf.open(stream=pdf).metadata["title"]


def test_what_cannot_be_read_to_the_last_glyph_is_not_vouched_for() -> None:
    document = pymupdf.open()
    document.new_page().insert_text((50, 50), "Ouyang")
    with pytest.raises(PdfTextError) as caught:
        read_text(document.tobytes())
    assert caught.value.code == "PLUGINS_LEAK_UNREADABLE"
