"""Sittings without a browser: patches, resuming, languages, undo, and drafts of older versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid6 import uuid7

from collect.station import Station
from datasette_plugins.capture.sitting import Key, OvertakenError, SettledError, Sittings, form_language
from datasette_plugins.capture.steps import shifted
from forms.reader import load_shipped, read_rows
from forms.xform import read_xform

BASIC = "/data/household_basic"
WRONG = "110105194912310021"  # an ID number whose check character would be X


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    villages = [("999999001001", "洗马塘村"), ("999999001002", "青石坡村")]
    with Station.create(tmp_path / "station", name="测试", villages=villages, author="王建国") as made:
        made.add_form(load_shipped("household"))
        yield made


def key(form: str = "household", record: str = "", village: str = "", draft: str = "") -> Key:
    return Key(draft or str(uuid7()), form, record, village, "")


def put(ref: str, value: Any) -> dict[str, Any]:
    return {"op": "set", "ref": ref, "value": value}


def test_a_patch_names_only_what_changed(station: Station) -> None:
    sitting = Sittings().open(station, key(), "zh")
    sitting.page()
    patch = sitting.change(0, [put(f"{BASIC}/head_name", "陈秀英")])
    assert patch["blocks"] == []
    assert [view["ref"] for view in patch["views"]] == [f"{BASIC}/head_name"]


def test_a_draft_is_on_the_disk_before_the_answer_and_goes_on_elsewhere(station: Station) -> None:
    own = key()
    Sittings().open(station, own, "zh").change(0, [put(f"{BASIC}/head_name", "陈秀英")])
    (draft,) = station.drafts.list()
    assert draft.title == "陈秀英"
    again = Sittings().open(station, own, "zh")
    assert again.counter == 1
    assert again.instance.get(f"{BASIC}/head_name") == "陈秀英"


def test_two_processes_on_one_station_do_not_overwrite_each_other(station: Station) -> None:
    own = key()
    one, two = Sittings().open(station, own, "zh"), Sittings().open(station, own, "zh")
    one.change(0, [put(f"{BASIC}/head_name", "陈秀英")])
    with pytest.raises(OvertakenError) as caught:
        two.change(0, [put(f"{BASIC}/head_name", "李小军")])
    assert caught.value.counter == 1
    assert two.instance.get(f"{BASIC}/head_name") == "陈秀英"


def test_a_refused_request_leaves_nothing_behind(station: Station) -> None:
    sitting = Sittings().open(station, key(), "zh")
    with pytest.raises(ValueError, match="fly"):
        sitting.change(0, [put(f"{BASIC}/head_name", "陈秀英"), {"op": "fly"}])
    assert sitting.instance.get(f"{BASIC}/head_name") == ""
    assert station.drafts.list() == ()


def test_a_discarded_draft_is_settled(station: Station) -> None:
    own = key()
    sitting = Sittings().open(station, own, "zh")
    sitting.change(0, [put(f"{BASIC}/head_name", "陈秀英")])
    sitting.discard()
    with pytest.raises(SettledError) as caught:
        Sittings().open(station, own, "zh")
    assert caught.value.where == ""


def test_a_village_named_before_is_filled_in(station: Station) -> None:
    sitting = Sittings().open(station, key(village="999999001002"), "zh")
    assert sitting.instance.get(f"{BASIC}/village") == "999999001002"


def test_a_draft_of_an_older_version_opens_with_what_fits_and_says_what_does_not(station: Station) -> None:
    def version(number: str, names: list[str]) -> Any:
        survey = [{"type": "text", "name": name, "label": name} for name in names]
        return read_rows({"survey": survey, "settings": [{"form_id": "notes", "version": number}]})

    station.add_form(version("1", ["kept", "dropped"]))
    own = key("notes", village="999999001001")
    Sittings().open(station, own, "zh").change(0, [put("/data/kept", "甲"), put("/data/dropped", "乙")])
    station.add_form(version("2", ["kept", "added"]))
    page = Sittings().open(station, own, "zh").page()
    assert page["misfits"] == ("dropped：乙",)
    assert "甲" in page["sheet"]


def notes(number: str, names: list[str], **more: dict[str, str]) -> Any:
    survey = [{"type": "text", "name": name, "label": name, **more.get(name, {})} for name in names]
    return read_rows({"survey": survey, "settings": [{"form_id": "notes", "version": number}]})


def test_a_draft_of_an_older_version_loses_nothing_when_it_is_changed_and_saved(station: Station) -> None:
    station.add_form(notes("1", ["kept", "dropped", "old"]))
    own = key("notes", village="999999001001")
    Sittings().open(station, own, "zh").change(
        0, [put("/data/kept", "甲"), put("/data/dropped", "乙"), put("/data/old", "丙")]
    )
    station.add_form(notes("2", ["kept", "new"], new={"ledger::was": "old"}))
    station.add_form(notes("3", ["kept", "newest"], newest={"ledger::was": "new"}))
    sitting = Sittings().open(station, own, "zh")
    sitting.change(1, [put("/data/kept", "丁")])
    (draft,) = station.drafts.list()
    assert (draft.version, draft.answers["dropped"], draft.answers["newest"]) == ("3", "乙", "丙")
    again = Sittings().open(station, own, "zh")
    assert again.page()["misfits"] == ("dropped：乙",)
    again.save(2)
    saved = station.answers("notes", own.draft)
    assert (saved["kept"], saved["dropped"], saved["newest"]) == ("丁", "乙", "丙")


def test_a_question_newer_than_the_record_reminds_and_does_not_hold_up(station: Station) -> None:
    old = notes("1", ["kept"])
    record = station.save({"kept": "甲"}, old, author="a", village="999999001001").record
    station.add_form(notes("2", ["kept", "must"], must={"required": "yes"}))
    sitting = Sittings().open(station, key("notes", record), "zh")
    assert "新版表单里必填" in sitting.page()["sheet"]
    answer = sitting.change(0, [put("/data/kept", "乙")])
    assert "saved" in sitting.save(answer["counter"])
    fresh = Sittings().open(station, key("notes"), "zh")
    fresh.change(0, [put("/data/kept", "丙")])
    assert "saved" not in fresh.save(1)


def test_the_form_speaks_the_pages_language_where_it_can() -> None:
    form = load_shipped("household")
    assert form_language(form, "", "en").startswith("English")
    assert form_language(form, "", "zh").startswith("中文")
    assert form_language(form, form.languages[1], "zh") == form.languages[1]


@given(st.integers(1, 30), st.integers(1, 30))
def test_a_row_put_back_moves_those_from_its_place_on(number: int, position: int) -> None:
    moved = shifted(f"/data/member[{number}]/name", "/data/member", position)
    assert moved == f"/data/member[{number + 1 if number >= position else number}]/name"
    assert shifted("/data/note", "/data/member", position) == "/data/note"


HEADED = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head>
  <h:title>住房</h:title><model><instance><data id="headed" version="1"><a/><b/><c/></data></instance>
  <bind nodeset="/data/b" relevant="/data/c = 'y'"/><bind nodeset="/data/a" relevant="/data/c = 'y'"/></model>
  </h:head>
  <h:body><group><label>房屋</label><input ref="/data/a"><label>A</label></input>
  <input ref="/data/b"><label>B</label></input></group>
  <input ref="/data/c"><label>C</label></input></h:body></h:html>"""


def test_a_heading_stands_above_what_it_holds_as_long_as_any_of_it_is_asked(station: Station) -> None:
    station.add_form(read_xform(HEADED))
    sitting = Sittings().open(station, key("headed", village="999999001001"), "zh")
    page = sitting.page()
    assert [part.name for part in page["parts"]] == ["房屋", "其他"]
    heading = sitting.shown.views["/data/#a"]
    assert (heading.on, heading.label) == (False, "房屋")
    patch = sitting.change(0, [put("/data/c", "y")])
    assert {"ref": "/data/#a", "on": True} in patch["views"]


def test_what_could_not_be_saved_along_is_told_after_saving(station: Station) -> None:
    form = {
        "survey": [{"type": "text", "name": "head", "label": "户主", "save_to": "head_name"}],
        "entities": [{"list_name": "nowhere", "label": "${head}", "create_if": "true()"}],
        "settings": [{"form_id": "registration", "version": "1"}],
    }
    station.add_form(read_rows(form))
    sittings = Sittings()
    sitting = sittings.open(station, key("registration", village="999999001001"), "zh")
    sitting.change(0, [put("/data/head", "陈秀英")])
    record = sitting.save(1)["saved"].rpartition("/")[2]
    assert [problem.code for problem in sittings.warnings(record)] == ["COLLECT_ENTITY_NO_LEDGER"]
    assert sittings.warnings("another") == ()


def test_a_reason_is_asked_for_where_a_rule_is_broken_and_lets_the_record_be_saved(station: Station) -> None:
    sitting = Sittings().open(station, key(village="999999001001"), "zh")
    sitting.page()
    number, why = "/data/member[1]/resident_id", "/data/member[1]/resident_id_reason"
    assert not sitting.shown.views[why].on
    row = {"name": "陈秀英", "sex": "female", "birth_date": "1949-12-31"}
    given = [put(f"/data/member[1]/{name}", value) for name, value in row.items()]
    given += [put(f"{BASIC}/head_name", "陈秀英"), put(f"{BASIC}/village", "999999001001"), put(number, WRONG)]
    patch = sitting.change(0, given)
    (shown,) = [view for view in patch["views"] if view["ref"] == why]
    assert shown["on"]
    (wrong,) = [view for view in patch["views"] if view["ref"] == number]
    assert wrong["grave"]
    assert "写明原因" in wrong["problem"]
    assert "saved" not in sitting.save(sitting.counter)
    patch = sitting.change(sitting.counter, [put(why, "老证未换")])
    (right,) = [view for view in patch["views"] if view["ref"] == number]
    assert not right["grave"]
    record = sitting.save(sitting.counter)["saved"].rpartition("/")[2]
    (member,) = station.answers("household", record)["member"]
    assert (member["resident_id"], member["resident_id_reason"]) == (WRONG, "老证未换")
