"""Printing from a laptop: cards, lists and visit sheets as PDF over HTTP and by the command, read back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from click.testing import CliRunner

from collect.cli import root
from collect.station import Station
from datasette_plugins.serving import build
from forms.reader import load_shipped

VILLAGE = "999999001001"
VILLAGES = ((VILLAGE, "洗马塘村"),)
LONG = "阿卜杜拉·麦麦提依明·𬱖㛃"


@pytest.fixture
def station(tmp_path: Path) -> Any:
    with Station.create(tmp_path / "s", name="清溪镇", villages=VILLAGES, author="王建国") as made:
        made.add_forms([load_shipped(name) for name in ("household", "visit", "issue")])
        member = [{"name": LONG, "relation": "02", "sex": "male"}, {"name": "李秀兰", "relation": "10"}]
        made.save({"village": VILLAGE, "head_name": LONG, "household_number": "12", "member": member}, "household",
                  author="王建国")  # fmt: skip
        yield made


def text_of(pdf: bytes) -> tuple[Any, str]:
    pages = pymupdf.open(stream=pdf)
    return pages, "".join("".join(page.get_text().split()) for page in pages)


def test_card_visit_sheet_list_and_blank_form_are_printed(station: Station) -> None:
    record = next(station.projection.rows("household"))["_id"]
    served = build(station, mode="laptop")
    get = lambda path: asyncio.run(served.client.get(path))  # noqa: E731
    for path, words in (
        (f"/-/print/card/{record}", ("一户一档", "阿卜杜拉", "李秀兰", "内部资料")),
        (f"/-/print/visits/{record}", ("走访记录表", "户主签字", "李秀兰")),
        ("/-/print/list/household?columns=head_name,household_number", ("户情台账", "户主姓名", "共1条", "12")),
        ("/-/print/blank/visit", ("走访日志",)),
    ):
        answer = get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), path
        _, text = text_of(answer.content)
        assert [word for word in words if word not in text] == [], path
    page = asyncio.run(served.client.get(f"/township/household?_village__exact={VILLAGE}")).text
    assert f"/-/print/list/household?village={VILLAGE}" in page
    for path in ("/-/print/card/nobody", "/-/print/list/nothing", "/-/print/list/household?columns=x"):
        assert get(path).status_code == 404, path


def test_a_list_of_a_thousand_has_its_header_on_every_page(station: Station) -> None:
    rows = [{"village": VILLAGE, "head_name": f"户主{n}", "household_number": str(n)} for n in range(1000)]
    station.save_many((("household", row, None) for row in rows), author="甲")
    out = station.folder.parent / "list.pdf"
    ran = CliRunner().invoke(root, ["publish", "list", "household", "--station", str(station.folder), "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    pages, text = text_of(out.read_bytes())
    assert len(pages) > 10
    assert pages[0].rect.width > pages[0].rect.height
    assert all("户主姓名" in "".join(page.get_text().split()) for page in pages)
    assert all(f"户主{n}" in text for n in (0, 500, 999))


def test_the_command_names_a_household_or_says_why_not(station: Station) -> None:
    out = station.folder.parent / "card.pdf"
    for kind in ("card", "visits"):
        ran = CliRunner().invoke(root, ["publish", kind, "12", "--station", str(station.folder), "-o", str(out)])
        assert ran.exit_code == 0, ran.output
        assert "阿卜杜拉" in text_of(out.read_bytes())[1]
    ran = CliRunner().invoke(root, ["publish", "card", "99", "--station", str(station.folder), "-o", str(out)])
    assert ran.exit_code == 1
    assert "PLUGINS_PRINT_RECORD" in str(ran.exception), "the program's outermost layer says it in words"


def test_an_empty_list_says_so(station: Station) -> None:
    out = station.folder.parent / "list.pdf"
    ran = CliRunner().invoke(root, ["publish", "list", "issue", "--station", str(station.folder), "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "没有记录" in text_of(out.read_bytes())[1]
