"""The drawn sheet: read back as text, looked at as a picture, with fixed dates."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from datasette_plugins.publish.fonts import Faces, packaged
from datasette_plugins.publish.redaction import redact
from datasette_plugins.publish.sheet import HEIGHT, WIDTH, Rendered, render
from datasette_plugins.publish.sheet_data import SheetData
from datasette_plugins.village_map.geometry import Box
from datasette_plugins.village_map.symbols import ACCENT, STAMP, Colour, hazard_symbol
from tests.datasette_plugins.publish import samples

SAMPLES: list[Callable[[], SheetData]] = [samples.full, samples.empty, samples.long, samples.crowded]
MAP = Box(9, 27, 184, 115)


@pytest.fixture(scope="module")
def drawn() -> Callable[[Callable[[], SheetData]], Rendered]:
    done: dict[str, Rendered] = {}

    def draw(sample: Callable[[], SheetData]) -> Rendered:
        if sample.__name__ not in done:
            done[sample.__name__] = render(sample(), Faces([packaged()]))
        return done[sample.__name__]

    return draw


def public() -> SheetData:
    return redact(samples.full())


def text_of(pdf: bytes, page: int = 0) -> str:
    return str(pymupdf.open(stream=pdf)[page].get_text())


def picture(pdf: bytes, folder: Path) -> Image.Image:
    """The first page at 100 dots to the inch, by poppler."""
    tool = shutil.which("pdftoppm")
    if tool is None:
        if os.environ.get("CUNCE_REQUIRE_BROWSER") == "1":
            pytest.fail("poppler-utils are missing")
        pytest.skip("poppler-utils (pdftoppm) are not installed")
    (folder / "sheet.pdf").write_bytes(pdf)
    subprocess.run([tool, "-r", "100", "-png", "-singlefile", folder / "sheet.pdf", folder / "sheet"], check=True)
    with Image.open(folder / "sheet.png") as image:
        return image.convert("RGB")


def share(image: Image.Image, box: Box, colour: Colour) -> float:
    """How much of a part of the page (mm) has nearly a colour."""
    dots = 100 / 25.4
    part = image.crop((int(box.x * dots), int(box.y * dots), int(box.right * dots), int(box.bottom * dots)))
    data = part.tobytes()
    near = sum(
        all(abs(data[at + n] - colour[n]) < 24 for n in range(3)) for at in range(0, len(data), 3)
    )
    return near / (part.width * part.height)


@pytest.mark.parametrize("sample", [*SAMPLES, public])
def test_text_stays_on_its_page_and_apart(sample: Callable[[], SheetData], drawn: Callable[..., Rendered]) -> None:
    written = drawn(sample).written
    page = Box(0, 0, WIDTH, HEIGHT).inset(3)
    assert not [one for one in written if not page.holds(one.box)]
    legible = [(one.page, one.box.inset(0.5), one.text) for one in written if min(one.box.w, one.box.h) > 1.1]
    over = [
        (a[2], b[2]) for a, b in combinations(sorted(legible, key=lambda one: one[0]), 2)
        if a[0] == b[0] and a[1].overlaps(b[1])
    ]  # fmt: skip
    assert not over


def test_everything_is_read_back(drawn: Callable[..., Rendered]) -> None:
    text = text_of(drawn(samples.full).pdf)
    for words in (
        "李家湾村", "村情概况 · 一村一图", "青石镇", "999999001203", "2026-03-04", "内部工作用图 · 界线为示意", "1,632",
        "受威胁人数", "本月走访", "1000 米", "北", "图例", "滑坡", "石板田组", "村卫生室", "值班联系", "吴志刚",
        "坐标系 CGCS2000", "扫码看公开页", "来源：村级台账", "制表时间：2026-03-05 09:30", "第 1 页 / 共 2 页",
    ):  # fmt: skip
        assert words in text, words


def test_metadata_language_and_size(drawn: Callable[..., Rendered]) -> None:
    for sample in SAMPLES:
        assert len(drawn(sample).pdf) < 150 * 1024, sample.__name__
    document = pymupdf.open(stream=drawn(samples.full).pdf)
    about = document.metadata
    assert about["title"] == "李家湾村村情概况（一村一图）"
    assert about["author"] == "青石镇"
    assert about["subject"] == "青石镇 李家湾村 999999001203 村情概况，内部，2026-03-05"
    assert "一村一图" in about["keywords"]
    assert about["creationDate"] == "D:20260305093000+08'00'"
    assert document.xref_get_key(document.pdf_catalog(), "Lang")[1] == "zh-CN"
    assert {font[3].split("+")[1] for font in document.get_page_fonts(0)} == {"NotoSansSC"}


def test_equal_data_gives_equal_bytes(drawn: Callable[..., Rendered]) -> None:
    assert render(samples.full(), Faces([packaged()])).pdf == drawn(samples.full).pdf


def test_a_character_in_no_font_is_a_box_with_its_code_and_reported(drawn: Callable[..., Rendered]) -> None:
    rendered = drawn(samples.long)
    assert set(rendered.missing) == {"𪚥", "𠮷"}
    text = "".join(text_of(rendered.pdf, page) for page in range(rendered.pages))
    assert "网格员（𬱖𫖯㛃䶮）" in text
    assert "欧阳" in text
    assert "2A6\nA5" in text
    assert "20B\nB7" in text


def test_long_tables_go_on_with_their_header(drawn: Callable[..., Rendered]) -> None:
    rendered = drawn(samples.long)
    pages = [text_of(rendered.pdf, page) for page in range(rendered.pages)]
    assert rendered.pages > 2
    assert "共 47 条，全表见后页" in pages[0]
    assert "风险点（续）" in pages[2]
    assert all("监测人电话" in page for page in pages[1:3])
    numbers = Counter(word for page in pages[1:] for word in page.split("\n") if word in map(str, range(1, 48)))
    assert all(numbers[str(n)] for n in range(1, 48) if n % 5), numbers
    assert [page.count(f"第 {n} 页 / 共 {len(pages)} 页") for n, page in enumerate(pages, 1)] == [1] * len(pages)


def test_a_village_without_coordinates_says_so_plainly(drawn: Callable[..., Rendered]) -> None:
    text = text_of(drawn(samples.empty).pdf)
    assert "本村尚无坐标数据，未能绘图" in text
    assert "台账中没有风险点" in text
    assert "北" not in text
    assert drawn(samples.empty).pages == 1


def test_the_public_sheet_names_nobody(drawn: Callable[..., Rendered]) -> None:
    rendered = drawn(public)
    text = "".join(text_of(rendered.pdf, page) for page in range(rendered.pages))
    for words in ("龙海生", "吴志刚", "13800000", "儿童", "住户", "值班", "内部", "村界", "青石镇中心站"):
        assert words not in text, words
    assert "<5" in text
    assert "示意图 · 未绘界线" in text


def test_an_approved_public_map_shows_its_number_and_boundary() -> None:
    text = text_of(render(redact(samples.full(), approval="黔S（2026）012号"), Faces([packaged()])).pdf)
    assert "审图号：黔S（2026）012号" in text
    assert "村界（示意）" in text


@pytest.mark.pdf
def test_the_picture_has_a_map_with_its_hazards_and_stamp(drawn: Callable[..., Rendered], tmp_path: Path) -> None:
    image = picture(drawn(samples.full).pdf, tmp_path)
    assert image.size == (1170, 827)
    assert share(image, MAP, hazard_symbol("landslide").colour) > 0.0003
    assert share(image, MAP, hazard_symbol("flash_flood").colour) > 0.0005
    assert share(image, Box(9, 27, 60, 10), STAMP) > 0.02
    assert share(image, Box(9, 5, 60, 18), ACCENT) > 0.1


@pytest.mark.pdf
def test_three_thousand_houses_still_let_the_signs_be_seen(drawn: Callable[..., Rendered], tmp_path: Path) -> None:
    image = picture(drawn(samples.crowded).pdf, tmp_path)
    assert share(image, MAP, hazard_symbol("landslide").colour) > 0.001
    assert share(image, MAP, (252, 252, 251)) > 0.6


def test_a_village_with_nothing_but_a_map_and_one_with_many_figures_both_fit() -> None:
    base = samples.full()
    many = replace(base, sections=base.sections * 3)
    rendered = render(many, Faces([packaged()]))
    text = "".join(text_of(rendered.pdf, page) for page in range(rendered.pages))
    assert text.count("本月覆盖") == 3
    assert render(replace(base, sections=(), risks=(), places=(), contacts=()), Faces([packaged()])).pages == 1
