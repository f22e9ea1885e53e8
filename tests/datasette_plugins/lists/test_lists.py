"""Lists over real HTTP requests: filters, cells, changes of many, what is remembered, files."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from collect import preferences
from collect.station import Station
from datasette_plugins import serving
from datasette_plugins.household.printing import faces
from datasette_plugins.lists.asking import asked as read_query
from datasette_plugins.lists.issuing import paper
from datasette_plugins.publish.handouts import render_handout
from datasette_plugins.ui.browsing import ledgers_shown
from forms.reader import load_shipped

VILLAGES = (("999999001001", "洗马塘村"), ("999999001002", "青石坡村"))
HEADERS = {"x-cunce": "capture"}
LIST = "/-/list/household"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Any, Station]]:
    homes = [
        ("单雄信", "0012", 0, "ordinary", 88.5),
        ("曾国庆", "0100", 0, "subsistence", 120),
        ("仇英", "12", 1, None, None),
    ]
    with Station.create(tmp_path / "a", name="一号", villages=VILLAGES, author="王建国") as station:
        station.add_forms([load_shipped("household"), load_shipped("visit")])
        for name, number, village, kind, area in homes:
            answers = {
                "village": VILLAGES[village][0], "head_name": name, "household_number": number, "household_type": kind,
                "house_area": area, "member": [{"name": name, "sex": "male"}, {"name": f"{name}之子", "sex": "male"}],
            }  # fmt: skip
            station.save(answers, "household", author="李")
        datasette = serving.build(station, mode="laptop")
        yield datasette, station
        serving.close(datasette)


def asked(served: tuple[Any, Station], work: Any) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(app=served[0].app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HEADERS) as client:
            return await work(client)

    return asyncio.run(run())


def get(served: tuple[Any, Station], path: str) -> httpx.Response:
    answer: httpx.Response = asked(served, lambda client: client.get(path))
    return answer


def post(served: tuple[Any, Station], path: str, **body: Any) -> httpx.Response:
    answer: httpx.Response = asked(served, lambda client: client.post(path, json=body))
    return answer


def heads(served: tuple[Any, Station], query: str) -> list[str]:
    found = get(served, f"{LIST}/-/rows?c=head_name&{query}").json()
    assert found["total"] == len(found["rows"])
    return [row["cells"][0] for row in found["rows"]]


def rows(served: tuple[Any, Station], table: str = "household") -> dict[str, str]:
    return {row["_id"]: row["_rev"] for row in served[1].projection.rows(table)}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["单雄信", "曾国庆", "仇英"]),
        ("f=household_type=ordinary|subsistence", ["单雄信", "曾国庆"]),
        ("f=household_type=", ["仇英"]),
        ("f=house_area>=100", ["曾国庆"]),
        ("f=village=999999001002", ["仇英"]),
        ("f=head_name~国", ["曾国庆"]),
        ("q=shan", ["单雄信"]),
        ("q=nobody", []),
        ("sort=-house_area", ["曾国庆", "单雄信", "仇英"]),
        ("status=unsent", ["单雄信", "曾国庆", "仇英"]),
        ("status=conflict", []),
    ],
)
def test_a_list_shows_what_was_asked_for(served: tuple[Any, Station], query: str, names: list[str]) -> None:
    assert heads(served, query) == names


def test_the_page_holds_its_first_rows_and_says_which_condition_means_nothing(served: tuple[Any, Station]) -> None:
    page = get(served, f"{LIST}?f=no_such=1&f=house_area>90").text
    data = json.loads(page.partition('id="list-data">')[2].partition("</script>")[0])
    assert [row["cells"][0] for row in data["rows"]] == ["曾国庆"]
    assert "no_such" in page
    assert get(served, "/-/list/no_such_table").status_code == 404


def test_links_and_codes_are_shown_as_people_call_them(served: tuple[Any, Station]) -> None:
    (first, *_) = get(served, "/-/list/household_member/-/rows?c=name,_parent,sex&q=单雄信之子").json()["rows"]
    assert first["cells"] == ["单雄信之子", "单雄信 0012", "男"]


def test_a_cell_is_changed_by_the_rules_of_its_form(served: tuple[Any, Station]) -> None:
    station = served[1]
    row, rev = next(iter(rows(served).items()))
    about = get(served, f"{LIST}/-/cell?row={row}&column=phone").json()
    assert (about["way"], about["rev"], about["label"]) == ("text", rev, "联系电话")
    wrong = post(served, f"{LIST}/-/change", column="phone", value="12", rows={row: rev})
    assert wrong.status_code == 422
    assert "手机号" in wrong.json()["refused"][0]["words"]
    right = post(served, f"{LIST}/-/change?c=head_name,phone", column="phone", value="13812345678", rows={row: rev})
    assert right.json()["rows"][0]["cells"] == ["单雄信", "13812345678"]
    assert station.history(row)[-1].author == "王建国"
    undone = post(served, f"{LIST}/-/undo", save=right.json()["save"])
    assert undone.status_code == 200
    assert station.answers("household", row).get("phone") is None


def test_a_row_that_moved_is_shown_anew_and_not_overwritten(served: tuple[Any, Station]) -> None:
    station = served[1]
    row, rev = next(iter(rows(served).items()))
    answers = {**station.answers("household", row), "phone": "13912345678"}
    station.save(answers, "household", record=row, author="李")
    late = post(served, f"{LIST}/-/change?c=phone", column="phone", value="13812345678", rows={row: rev})
    assert late.status_code == 409
    assert late.json()["rows"][0]["cells"] == ["13912345678"]
    assert station.answers("household", row)["phone"] == "13912345678"


def test_many_are_changed_together_or_not_at_all(served: tuple[Any, Station]) -> None:
    station = served[1]
    done = post(served, f"{LIST}/-/change", column="group_name", value="3组", rows=rows(served))
    assert {row["group_name"] for row in station.projection.rows("household")} == {"3组"}
    post(served, f"{LIST}/-/undo", save=done.json()["save"])
    assert {row["group_name"] for row in station.projection.rows("household")} == {None}
    members = rows(served, "household_member")
    refused = post(served, "/-/list/household_member/-/change", column="name", value="", rows=members)
    assert refused.status_code == 422
    assert len(refused.json()["refused"]) == 6
    assert rows(served, "household_member") == members


def test_what_is_worked_out_says_why_it_is_not_changed_here(served: tuple[Any, Station]) -> None:
    (row, *_) = rows(served)
    assert "不能在列表里改" in get(served, f"{LIST}/-/cell?row={row}&column=member_count").json()["why"]
    assert get(served, f"{LIST}/-/cell?row=nobody&column=phone").status_code == 400


def test_only_our_own_pages_change_anything(served: tuple[Any, Station]) -> None:
    row, rev = next(iter(rows(served).items()))
    body = {"column": "group_name", "value": "9组", "rows": {row: rev}}

    async def work(client: httpx.AsyncClient) -> int:
        del client.headers["x-cunce"]
        return (await client.post(f"{LIST}/-/change", json=body)).status_code

    assert asked(served, work) == 400
    assert rows(served)[row] == rev


def test_columns_and_views_are_remembered(served: tuple[Any, Station]) -> None:
    station = served[1]
    preferences.write(station.folder, replace(preferences.read(station.folder), backup_folder="D:/"))
    post(served, f"{LIST}/-/remember", columns=["phone", "head_name"])
    views = post(served, f"{LIST}/-/remember", view="低保", query="f=household_type%3Dsubsistence").json()["views"]
    assert views == {"低保": "f=household_type%3Dsubsistence"}
    data = json.loads(get(served, LIST).text.partition('id="list-data">')[2].partition("</script>")[0])
    assert (data["columns"], data["views"]) == (["phone", "head_name"], views)
    assert post(served, f"{LIST}/-/remember", view="低保", query="").json()["views"] == {}
    assert preferences.read(station.folder).backup_folder == "D:/"


def test_errors_are_found_in_the_background_and_leave_when_mended(served: tuple[Any, Station]) -> None:
    station = served[1]
    bad = {"village": VILLAGES[0][0], "head_name": "张三", "member": [{"name": "张三", "sex": "male", "phone": "12"}]}
    record = station.save(bad, "household", author="李").record

    def settled() -> dict[str, Any]:
        until = time.monotonic() + 20
        while (found := get(served, f"{LIST}/-/check").json())["running"]:
            assert time.monotonic() < until
            time.sleep(0.05)
        return dict(found)

    get(served, f"{LIST}/-/check")
    assert settled()["faulty"] == 1
    (row,) = get(served, f"{LIST}/-/rows?status=errors&c=head_name").json()["rows"]
    assert (row["cells"], "电话" in row["wrong"]) == (["张三"], True)
    (member,) = get(served, "/-/list/household_member/-/rows?status=errors&c=name").json()["rows"]
    wanted = {member["id"]: member["rev"]}
    post(served, "/-/list/household_member/-/change", column="phone", value="13812345678", rows=wanted)
    get(served, f"{LIST}/-/check")
    assert settled()["faulty"] == 0
    assert station.answers("household", record)["member"][0]["phone"] == "13812345678"


def test_what_is_shown_leaves_as_a_workbook_as_text_and_on_paper(served: tuple[Any, Station]) -> None:
    query = "c=head_name,household_type&f=village=999999001001&sort=-household_number"
    book = openpyxl.load_workbook(io.BytesIO(get(served, f"{LIST}/-/export.xlsx?{query}").content))
    lines = [[cell.value for cell in row][1:3] for row in book.active.iter_rows()]
    assert lines == [["户主姓名", "户类型"], ["曾国庆", "低保户"], ["单雄信", "一般户"]]
    text = get(served, f"{LIST}/-/export.csv?{query}").content.decode("utf-8-sig")
    assert "曾国庆,低保户" in text
    assert "仇英" not in text
    people = get(served, "/-/list/household_member/-/export.csv?c=name,_parent,sex").content.decode("utf-8-sig")
    assert "单雄信之子" in people
    pdf = get(served, f"{LIST}/-/print.pdf?{query}")
    assert pdf.content.startswith(b"%PDF")


def test_paper_has_every_column_that_is_shown_and_says_where_there_is_no_room(served: tuple[Any, Station]) -> None:
    datasette, station = served

    def drawn(columns: str) -> list[str]:
        shown = asyncio.run(ledgers_shown(datasette, "zh"))["household"]
        handout = paper(station, read_query(station, shown, {"c": [columns]}), "zh")
        return list(render_handout(handout, faces(), made=station.clock.now()).texts)

    few = drawn("head_name,toilet,household_type")
    assert few.index("户主姓名") < few.index("厕所") < few.index("户类型")
    assert "低保户" in few
    assert not any("只印了" in text for text in few)
    many = ("head_name,household_number,phone,address,household_type,house_structure,house_area,house_grade,farmland,"
            "forest,water,road,toilet,note,group_name")  # fmt: skip
    assert any("只印了前 14 列，选了 15 列" in text for text in drawn(many))


def test_a_row_opens_the_page_of_its_record(served: tuple[Any, Station]) -> None:
    member, _ = next(iter(rows(served, "household_member").items()))
    answer = get(served, f"/-/list/household_member/-/open/{member}")
    assert answer.headers["location"].startswith("/-/household/")
    assert get(served, "/-/list/household_member/-/open/nobody").status_code == 404
