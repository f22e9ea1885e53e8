"""What waits for earlier data: the page says for what, from whom and what to do, and forgets what has come."""

from __future__ import annotations

from pathlib import Path

from collect.station import Station
from forms.reader import read_rows
from sync import exchange
from sync.identity import make_invitation
from sync.joining import join, over_network
from tests.datasette_plugins.hub.township import A, Running

OTHER = {"survey": [{"type": "text", "name": "name", "label": "名称"}],
         "settings": [{"form_id": "pond", "version": "7", "form_title": "池塘"}]}  # fmt: skip


def test_a_change_that_came_before_what_it_builds_on_is_shown_until_that_comes(fresh: Running, tmp_path: Path) -> None:
    one = join(tmp_path / "one", make_invitation(fresh.station, "笔记本1", [A], fresh.url))
    two = join(tmp_path / "two", make_invitation(fresh.station, "笔记本2", [A], fresh.url))
    with Station.open(tmp_path / "one") as first, Station.open(tmp_path / "two") as second:
        record = first.save({"village": A, "head_name": "赤先填"}, "household", author="王芳").record
        second.receive(first.journal.suffix(first.id, 0))  # by a road of their own, past the hub
        answers = {**second.answers("household", record), "phone": "13912345678"}
        second.save(answers, "household", record=record, author="李明")
        with over_network(second, two.hub) as road:
            exchange.run(second, road)
        with fresh.client("reviewer") as client:
            page = client.get("/-/parked").text
        for words in ("缺“笔记本1”的第 1 条修改", "还一条都没收到", "请让“笔记本1”同步一次", "李明", "笔记本2"):
            assert words in page
        with over_network(first, one.hub) as road:
            exchange.run(first, road)
    with fresh.client("reviewer") as client:
        assert "没有在等的修改" in client.get("/-/parked").text
    assert fresh.station.answers("household", record)["phone"] == "13912345678"


def test_a_record_of_a_form_that_is_not_here_waits_for_it(fresh: Running, tmp_path: Path) -> None:
    form = read_rows(OTHER)
    with Station.create(tmp_path / "one", name="笔记本1", villages={A: "红星村"}) as laptop:
        laptop.add_form(form)
        laptop.save({"name": "赤塘"}, form, author="王芳", village=A)
        fresh.station.receive(laptop.journal.suffix(laptop.id, 0))
    with fresh.client("admin") as client:
        page = client.get("/-/parked").text
        assert "缺表单 pond 的第 7 版" in page
        assert "cunce station add-form" in page
        fresh.station.add_form(form)
        assert "没有在等的修改" in client.get("/-/parked").text
