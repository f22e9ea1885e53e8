"""The drawn blank form: read back as text, looked at as a picture, with fixed dates."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import combinations
from pathlib import Path

import pymupdf
import pytest
from click.testing import CliRunner
from PIL import Image

from collect.cli import root
from collect.station import Station
from datasette_plugins.cli.publish import blank
from datasette_plugins.publish.blank import HEIGHT, WIDTH, qr_content, render_blank
from datasette_plugins.publish.fonts import Faces, packaged
from datasette_plugins.publish.paper import Paper, Roster, compose
from datasette_plugins.publish.sheet import Rendered
from datasette_plugins.village_map.geometry import Box
from forms.definition import Form
from forms.reader import load_shipped, read_form, shipped
from tests.datasette_plugins.publish.test_paper import ODD
from tests.datasette_plugins.publish.test_sheet import picture
from tests.forms.inline import form

MADE = datetime(2026, 3, 5, 9, 30, tzinfo=timezone(timedelta(hours=8)))
REACH = Path(__file__).parents[4] / "shared" / "data" / "xlsforms" / "reach-msna-2024.xlsx"
LONG = "请写明户主、配偶、子女以及其他共同生活成员的姓名、关系、年龄、职业与收入来源，并说明是否长期居住在本村。"
HARD = f"""
    | type               | name  | label                    | appearance |
    | text               | a     | 𠮷野家𪚥的{LONG * 3}      |            |
    | text               | b     | {"OneWordWithoutABlank" * 9} |         |
    | select_multiple x  | c     | 有哪些                   |            |
    | image              | d     | 照片                     |            |
    | geoshape           | e     | 边界                     |            |
    | begin_repeat       | f     | 成员                     |            |
    | select_multiple x  | g     | {LONG}                   |            |
    | integer            | h     | {LONG}                   |            |
    | begin_repeat       | i     | 明细                     |            |
    | text               | j     | 说明                     | multiline  |
    | datetime           | k     | 时间                     |            |
    | geopoint           | l     | 位置                     |            |
    | select_one x       | m     | 类别                     |            |
    | text               | o     | 备注                     |            |
    | end_repeat         |       |                          |            |
    | end_repeat         |       |                          |            |
    | note               | p     | {LONG * 30}              |            |

    choices
    | list_name | name | label |
    | x         | a    | 甲    |
    | x         | b    | {LONG * 2} |
    | x         | c    | {"VeryLongWord" * 12} |
"""
NEEDS_REACH = pytest.mark.skipif(not REACH.exists(), reason="no REACH form here")
NAMES = [
    *((name, language) for name in shipped() for language in ("zh", "en")), ("odd", "zh"), ("hard", "zh"),
    pytest.param("reach", "en", marks=NEEDS_REACH),
]  # fmt: skip


@cache
def asked(name: str) -> Form:
    if name == "reach":
        return read_form(REACH)
    if name in ("odd", "hard"):
        return form({"odd": ODD, "hard": HARD}[name], form_title=LONG[:40])
    return load_shipped(name)


@cache
def drawn(name: str, language: str) -> tuple[Paper, Rendered]:
    paper = compose(asked(name), language)
    return paper, render_blank(paper, Faces([packaged()]), made=MADE)


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def text_of(pdf: bytes) -> str:
    return squeezed("".join(str(page.get_text(sort=False)) for page in pymupdf.open(stream=pdf)))


@pytest.mark.parametrize(("name", "language"), NAMES)
def test_every_question_is_there_with_its_number(name: str, language: str) -> None:
    paper, rendered = drawn(name, language)
    text = text_of(rendered.pdf)
    for one in paper.asks():
        wanted = squeezed(f"{one.number}{one.label}")
        # A character in no font is a box with its code.
        assert wanted in text or "𪚥" in wanted, wanted
        assert squeezed(one.rule) in text, one.rule


@pytest.mark.parametrize(("name", "language"), NAMES)
def test_nothing_lies_outside_the_page_or_on_other_words(name: str, language: str) -> None:
    _, rendered = drawn(name, language)
    page = Box(0, 0, WIDTH, HEIGHT).inset(5)
    assert not [one for one in rendered.written if not page.holds(one.box)]
    millimetres = 72 / 25.4
    for sheet in pymupdf.open(stream=rendered.pdf):
        for drawing in sheet.get_drawings():
            box = drawing["rect"]
            assert box.x0 >= 5 * millimetres
            assert box.x1 <= (WIDTH - 5) * millimetres
            assert box.y0 >= 5 * millimetres
            assert box.y1 <= (HEIGHT - 5) * millimetres
    for number in range(1, rendered.pages + 1):
        lines = [(one.box.inset(0.45), one.text) for one in rendered.written
                 if one.page == number and min(one.box.w, one.box.h) > 1.0]  # fmt: skip
        assert not [(a[1], b[1]) for a, b in combinations(lines, 2) if a[0].overlaps(b[0])]


@pytest.mark.parametrize("name", shipped())
def test_every_page_says_what_it_is_and_that_it_is_internal(name: str) -> None:
    paper, rendered = drawn(name, "zh")
    pages = pymupdf.open(stream=rendered.pdf)
    for number, page in enumerate(pages, start=1):
        text = squeezed(page.get_text())
        edition = f"表单{name}版本{load_shipped(name).version}"
        for words in (paper.title, f"第{number}页/共{len(pages)}页", edition, "填表人", "日期", "内部资料"):
            assert words in text, words
    assert pages.metadata["title"] == paper.title
    assert pages.metadata["creationDate"] == "D:20260305093000+08'00'"


def test_choices_have_drawn_boxes_to_tick_and_no_codes() -> None:
    paper, rendered = drawn("needy_household", "zh")
    wanted = sum(len(one.field.choices) + one.field.writes for one in paper.asks() if one.field.kind == "choices")
    side = 3.3 * 72 / 25.4
    boxes = [
        drawing for page in pymupdf.open(stream=rendered.pdf) for drawing in page.get_drawings()
        if abs(drawing["rect"].width - side) < 0.5 and abs(drawing["rect"].height - side) < 0.5
    ]  # fmt: skip
    assert len(boxes) == wanted
    text = text_of(rendered.pdf)
    assert "☐" not in text
    assert "extreme_poverty" not in text
    for one in paper.asks():
        for choice in one.field.choices:
            assert squeezed(choice) in text


def test_an_id_number_has_eighteen_boxes_in_each_card() -> None:
    _, rendered = drawn("household", "zh")
    digit = 4.3 * 72 / 25.4
    boxes = [
        drawing for page in pymupdf.open(stream=rendered.pdf) for drawing in page.get_drawings()
        if abs(drawing["rect"].width - digit) < 0.5 and abs(drawing["rect"].height - 5.7 * 72 / 25.4) < 0.5
    ]  # fmt: skip
    assert len(boxes) == 4 * (18 + 11)


def test_rows_and_copies() -> None:
    ledger = load_shipped("village")
    text = text_of(render_blank(compose(ledger, rows=30), Faces([packaged()]), made=MADE).pdf)
    # The head of the table comes again on each page that it goes on to.
    assert text.count("8组名*9组长") == 3
    single = drawn("village", "zh")[1]
    seen: list[tuple[int, int]] = []
    double = render_blank(
        compose(ledger), Faces([packaged()]), made=MADE, copies=2,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert double.pages == 2 * single.pages
    assert seen == [(number, double.pages) for number in range(1, double.pages + 1)]
    assert text_of(double.pdf).count(f"第1页/共{single.pages}页") == 2


def test_a_household_of_four_fits_one_sheet() -> None:
    assert drawn("household", "zh")[1].pages == 2


def test_equal_papers_give_equal_bytes() -> None:
    paper, rendered = drawn("risk_point", "zh")
    assert render_blank(paper, Faces([packaged()]), made=MADE).pdf == rendered.pdf


def test_a_character_in_no_font_is_a_box_and_reported() -> None:
    assert set(drawn("hard", "zh")[1].missing) == {"𠮷", "𪚥"}


def test_what_the_code_at_the_head_says() -> None:
    assert qr_content(drawn("visit", "zh")[0]) == "cunce:form?id=visit&version=3"


@pytest.mark.pdf
@pytest.mark.parametrize("name", ["household", "left_behind", "hard"])
def test_the_page_is_not_blank_in_the_picture(name: str, tmp_path: Path) -> None:
    image = picture(drawn(name, "zh")[1].pdf, tmp_path)
    grey: Image.Image = image.convert("L")
    dark = sum(grey.histogram()[:128]) / (grey.width * grey.height)
    assert 0.015 < dark < 0.2
    # Room to write is left: most of the page is white.
    assert grey.histogram()[255] / (grey.width * grey.height) > 0.7


@NEEDS_REACH
def test_a_long_questionnaires_repeats_are_grids() -> None:
    paper, rendered = drawn("reach", "en")
    assert paper.words == "en"
    assert len([item for item in paper.items if isinstance(item, Roster)]) == 4
    assert rendered.pages < 30
    said = " ".join(text for one in paper.asks() for text in (one.rule, *one.notes))
    assert not re.search(r"selected\(|\$\{|/data/", said)


def test_the_command_writes_a_file_and_says_what(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "x.pdf"
    result = CliRunner().invoke(root, ["publish", "blank", "visit", "-o", str(file), "--json", "--lang", "en"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {key: told[key] for key in ("file", "form_id", "version", "title", "questions", "pages", "copies")} == {
        "file": str(file), "form_id": "visit", "version": "3", "title": "Visits", "questions": 14, "pages": 1,
        "copies": 1,
    }  # fmt: skip
    assert told["bytes"] == file.stat().st_size
    assert "Visits" in str(pymupdf.open(file)[0].get_text())


def test_the_command_prints_a_stations_own_form_and_village(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    station = Station.create(folder, name="石桥村", villages={"999999001203": "石桥村"})
    station.add_form(form("| type | name | label |\n| text | a | 只有本站有的题 |", form_title="本站的表"))
    station.close()
    file = tmp_path / "x.pdf"
    result = CliRunner().invoke(root, ["publish", "blank", "trial", "--station", str(folder), "-o", str(file)])
    assert result.exit_code == 0, result.output
    assert "本站的表" in result.output
    text = squeezed(str(pymupdf.open(file)[0].get_text()))
    assert "1只有本站有的题" in text
    assert "村石桥村" in text


def test_an_unknown_form_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(root, ["publish", "blank", "nothing", "-o", str(tmp_path / "x.pdf")])
    assert result.exit_code == 1
    assert not (tmp_path / "x.pdf").exists()


def test_the_docs_name_every_option_of_the_command() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "publishing.md").read_text(encoding="utf-8")
    page = page.split("## Blank forms")[1].split("## Fonts")[0]
    options = {option for parameter in blank.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if f"`{option}" not in page} == set()
