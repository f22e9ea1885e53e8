"""Pages over ledgers: labels instead of codes, members and links, filters in words, and one language at a time."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import openpyxl
import pytest

from collect.station import Station
from datasette_plugins.ui.language import words
from forms.reader import load_shipped, read_rows
from tests.datasette_plugins.hub.township import MARKS, NAMES, A, B, Running

PAGES = (
    "/", "/township", "/township/household",
    "/township/household?_facet=house_grade&_all=1&_has_household_type=ordinary",
    "/township/household?household_type__contains=ordinary&_q=x&phone__startswith=1&note__isnull=1", "/township/visit",
    "/township/household?_sort_desc=phone", "/township?sql=select+1", "/-/queue", "/-/laptops", "/-/accounts", "/-/log",
    "/-/suspects", "/-/failing", "/-/parked", "/-/quarantine",
    "/nowhere", "/township/household?_sort=nowhere", "/-/logout", "/-/metadata", "/township/left_behind",
)  # fmt: skip


def visible(page: str) -> str:
    """What a person reads on a page: text, and the words of attributes that are shown or read aloud."""
    shown = " ".join(re.findall(r'(?:placeholder|title|aria-label|alt)="([^"]*)"', page))
    page = re.sub(r'<td class="anywhere">.*?</td>', " ", page, flags=re.DOTALL)  # what others typed, in the log
    body = re.sub(r"<(style|script|code|pre|textarea).*?</\1>", " ", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", body) + " " + shown)


def test_a_list_shows_labels_not_codes(township: Running) -> None:
    with township.client("admin") as client:
        page = visible(client.get(f"/township/household?village={A}").text)
    for words_ in ("户情台账", "户主姓名", "红星村", "一般户、低保户", "赤大1", "共 3 条", "行政村：红星村"):
        assert words_ in page
    assert "subsistence" not in page
    assert A not in page


def test_a_villages_own_list_leaves_the_village_out(township: Running) -> None:
    with township.client("cadre_a") as client:
        page = client.get(f"/{A}/household").text
    assert "<th" in page
    assert "行政村" not in re.search(r"<thead>.*?</thead>", page, re.DOTALL)[0]  # type: ignore[index]


def test_a_record_is_a_card_with_its_members_and_what_points_at_it(township: Running) -> None:
    record = township.ids[A][0]
    with township.client("cadre_a") as client:
        page = client.get(f"/{A}/household/{record}").text
    text = visible(page)
    answers = ("户主与住址", "一般户、低保户", "30.41414, 110.87041（误差 5 米）", "家庭成员", "赤二", "配偶")
    for words_ in (*answers, "赤小宝", "有冲突"):
        assert words_ in text
    assert re.search(rf'href="/{A}/household_member/[0-9a-f-]+"', page)
    assert re.search(rf'href="/{A}/left_behind/[0-9a-f-]+"', page)
    assert "male" not in text


def test_a_linked_record_is_shown_by_its_name(township: Running) -> None:
    with township.client("cadre_a") as client:
        page = client.get(f"/{A}/left_behind?_all=1").text
    assert re.search(rf'<a href="/{A}/household/{township.ids[A][0]}">赤大0', page)


def test_the_search_box_looks_into_names_numbers_and_phones(township: Running) -> None:
    with township.client("admin") as client:
        names, numbers = {"赤大1": 1, "cd1": 1, "chida": 3}, {"碧002": 1, "390000000": 9, "13900000001": 3}
        wanted = {**names, **numbers, "100%": 0, "%": 0, "' or 1=1 --": 0}
        for text, found in wanted.items():
            page = client.get("/township/household", params={"_q": text}).text
            assert len(re.findall(r'<th scope="row">', page)) == found, text
    with township.client("cadre_a") as client:
        page = client.get(f"/{A}/household", params={"_q": "chida"}).text
        assert len(re.findall(r'<th scope="row">', page)) == 3
        page = client.get(f"/{A}/household", params={"_q": "bida"}).text
        assert not re.findall(r'<th scope="row">', page)


def test_a_filter_form_sent_as_it_stands_shows_everything(township: Running) -> None:
    with township.client("admin") as client:
        page = client.get("/township/household").text
        form = page.split('role="search"')[1].split("</form>")[0]
        fields = re.findall(r'<(?:select|input)[^>]* name="([^"]+)"', form)
        sent = client.get("/township/household", params=dict.fromkeys(fields, ""), follow_redirects=True)
    assert "共 9 条" in sent.text


def test_one_of_several_codes_is_found_whole_never_as_part_of_another(township: Running) -> None:
    with township.client("admin") as client:
        for code, found in (("ordinary", 9), ("subsistence", 9), ("ordin", 0), ("veteran", 0), ("%", 0)):
            page = client.get("/township/household", params={"_has_household_type": code}).text
            assert len(re.findall(r'<th scope="row">', page)) == found, code
        page = client.get("/township/household?_has_household_type=subsistence").text
        assert '<span class="chip">户类型：低保户<a' in page
        assert '<option value="subsistence" selected>' in page
        assert "9 条" in client.get("/township/household?_has_nowhere=1").text


def test_a_condition_is_said_in_words_and_taken_back_by_one_click(township: Running) -> None:
    with township.client("admin") as client:
        page = client.get(f"/township/household?village={A}&household_type__contains=ordinary&_sort=phone").text
        chips = re.findall(r'<span class="chip">(.*?)<a href="([^"]*)"', page)
        assert [words_ for words_, _ in chips] == ["户类型含“一般户”", "行政村：红星村"]
        without = unescape(chips[1][1])
        assert "共 9 条" in client.get(without).text
        assert "_sort=phone" in without


def test_counting_by_a_column_shows_labels(township: Running) -> None:
    with township.client("admin") as client:
        text = visible(client.get("/township/household?_facet=village").text)
    for name in NAMES.values():
        assert re.search(rf"{name}\s+3", text)


def test_the_workbook_of_a_village_has_its_households_and_their_members(township: Running) -> None:
    with township.client("cadre_a") as client:
        answer = client.get(f"/-/export/{A}/household.xlsx")
    assert "UTF-8''%E7%BA%A2%E6%98%9F%E6%9D%91-" in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True)
    rows = [row for sheet in book for row in sheet.iter_rows(values_only=True)]
    book.close()
    text = repr(rows)
    assert "户主姓名" in text
    assert "赤大2" in text
    assert "赤二" in text
    assert MARKS[B] not in text


def test_neither_page_nor_workbook_names_a_record_of_another_village(fresh: Running) -> None:
    answers = {"village": A, "household": fresh.ids[B][1], "name": "赤小二", "kind": "child"}
    fresh.station.save(answers, "left_behind", author="王芳")
    with fresh.client("cadre_a") as client:
        page = client.get(f"/{A}/left_behind?_all=1").text
        answer = client.get(f"/-/export/{A}/left_behind.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True)
    text = repr([row for sheet in book for row in sheet.iter_rows(values_only=True)])
    book.close()
    assert "赤小二" in page
    assert "赤小二" in text
    assert MARKS[B] not in page
    assert MARKS[B] not in text


def test_what_was_written_before_is_shown_to_the_township_only(fresh: Running) -> None:
    record = fresh.ids[A][0]
    with fresh.client("reviewer") as client:
        page = visible(client.get(f"/{A}/household/{record}").text)
    assert "修改记录 (3)" in page
    with fresh.client("cadre_a") as client:
        page = visible(client.get(f"/{A}/household/{record}").text)
    assert "修改记录" not in page


def test_a_wide_ledger_shows_chosen_columns_until_all_are_asked_for(township: Running) -> None:
    with township.client("admin") as client:
        few = re.findall(r"<th scope=\"col\"", client.get("/township/household").text)
        every = re.findall(r"<th scope=\"col\"", client.get("/township/household?_all=1").text)
    assert len(few) <= 12 < len(every)


@pytest.mark.parametrize("address", PAGES)
def test_a_chinese_page_has_no_english_on_it(township: Running, address: str) -> None:
    with township.client("admin") as client:
        page = client.get(address, headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert 'lang="zh-CN"' in page.text
    text = re.sub(r"[\w./?=&-]*[/=_][\w./?=&-]*", " ", visible(page.text))  # addresses in the audit log
    left = {word.lower() for word in re.findall(r"[A-Za-z]{2,}", text)}
    known = {"english", "excel", "sql", "csv", "metadata", "json", "admin", "reviewer", "leader", "cadre", "ab", "of"}
    assert not left - known


@pytest.mark.parametrize("address", PAGES)
def test_an_english_page_has_no_chinese_but_data_on_it(township: Running, address: str) -> None:
    with township.client("admin") as client:
        page = client.get(address, headers={"accept-language": "en-GB,en;q=0.9"})
    assert '<html lang="en">' in page.text
    text = visible(page.text)
    data = ["中文", "清河镇", "册", "王芳", "李明", *NAMES.values()]
    for piece in data:
        text = text.replace(piece, "")
    for mark in MARKS.values():
        text = re.sub(rf"{mark}[\u4e00-\u9fff]*\d*[号。]?", "", text)
    assert not re.findall(r"[\u4e00-\u9fff，。：（）]+", text)


def test_the_language_chosen_is_kept(township: Running) -> None:
    with township.client("admin") as client:
        answer = client.get("/-/language?to=en&next=/township")
        assert (answer.status_code, answer.headers["location"]) == (302, "/township")
        assert '<html lang="en">' in client.get("/township").text


def test_every_word_is_there_in_both_languages_with_the_same_slots() -> None:
    for key, entry in words().items():
        assert set(entry) == {"zh", "en"}, key
        slots = [sorted(re.findall(r"\{(\w+)\}", entry[spoken])) for spoken in ("zh", "en")]
        assert slots[0] == slots[1], key


def test_every_word_a_template_asks_for_is_there() -> None:

    from datasette_plugins import ui

    folder = Path(ui.__file__).parent
    asked = {
        key
        for path in [*folder.glob("templates/**/*.html"), *folder.glob("pages/*.html")]
        for key in re.findall(r"""\bt\(["']([\w.]+)["'][,)]""", path.read_text(encoding="utf-8"))
    }
    assert len(asked) > 80
    assert not asked - set(words())


def test_answers_to_questions_of_a_version_not_here_yet_stand_on_the_record(fresh: Running, tmp_path: Path) -> None:
    sheets = {name: [dict(row) for row in rows] for name, rows in load_shipped("household").rows.items()}
    sheets["settings"][0]["version"] = "99"
    sheets["survey"].append({"type": "text", "name": "pond", "label": "鱼塘", "__row__": "999"})
    newer = read_rows(sheets)
    with Station.create(tmp_path / "laptop", name="新机", villages={A: "红星村"}) as laptop:
        laptop.add_form(newer)
        record = laptop.save({"village": A, "head_name": "新户", "pond": "两口"}, newer, author="甲").record
        fresh.station.receive(arrival.revision for arrival in laptop.journal.since(0))
    with fresh.client("admin") as client:
        page = visible(client.get(f"/township/household/{record}").text)
    assert "新户" in page
    assert "pond 两口" in " ".join(page.split())
