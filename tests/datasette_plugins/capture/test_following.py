"""What a change alters is looked at alone, and gives what a look at everything would have given."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from uuid6 import uuid7

from collect.station import Station
from datasette_plugins.capture.patches import Seen, patch, seen
from datasette_plugins.capture.sitting import Key, Sitting, Sittings
from forms.definition import Form
from forms.reader import load_shipped, read_form, read_rows, shipped

REACH = Path(__file__).parents[4] / "shared" / "data" / "xlsforms" / "reach-msna-2024.xlsx"
TYPED = ("", "1", "2", "7", "40", "19580304", "2024-01-01", "陈秀英", "11010519491231002X", "13812345678", "yes", "no")


def narrow() -> Form:
    """Rows that fit the lines of a table only as long as nothing hides a question or lengthens a list."""
    return read_rows({
        "survey": [
            {"type": "text", "name": "who", "label": "谁"},
            {"type": "begin repeat", "name": "line", "label": "${who} 的东西"},
            {"type": "text", "name": "name", "label": "名称"},
            {"type": "integer", "name": "many", "label": "几件 ${name}", "constraint": ". < 30"},
            {"type": "select_one which", "name": "kind", "label": "种类", "choice_filter": "least <= ${many}"},
            {"type": "text", "name": "more", "label": "说明", "relevant": "${many} > 5"},
            {"type": "calculate", "name": "said", "label": "合计", "calculation": "${many} * 2"},
            {"type": "end repeat"},
        ],
        "choices": [
            {"list_name": "which", "name": f"k{n}", "label": f"第{n}种", "least": str(n)} for n in range(12)
        ],
        "settings": [{"form_id": "narrow", "form_title": "东西", "version": "1"}],
    })  # fmt: skip


def forms() -> list[Form]:
    return [narrow(), *map(load_shipped, shipped()), *([read_form(REACH)] if REACH.exists() else [])]


def step(sitting: Sitting, chance: random.Random) -> dict[str, Any]:
    """Any one thing that may be done to the form."""
    states = [state for state in sitting.instance.walk() if state.relevant]
    rows = [state for state in states if state.kind == "row" and state.can_remove]
    series = [state for state in states if state.kind == "repeat" and state.can_add and state.count < 4]
    kind = chance.random()
    if kind < 0.06 and series:
        one = chance.choice(series)
        return {"op": "add", "ref": one.ref, "count": one.count}
    if kind < 0.10 and rows:
        row = chance.choice(rows)
        return {"op": "remove", "ref": row.ref, "repeat": row.ref.rpartition("[")[0], "count": row.count}
    if kind < 0.13 and series:
        one = chance.choice(series)
        return {"op": "table", "ref": one.ref, "on": one.ref not in sitting.tables, "focus": ""}
    cells = [state for state in states if state.kind == "question" and re.search(r"\][^\]]*$", state.ref)]
    if kind < 0.16 and cells:
        text = "\n".join("\t".join(chance.choice(TYPED) for _ in range(3)) for _ in range(2))
        return {"op": "paste", "ref": chance.choice(cells).ref, "text": text}
    if kind < 0.20:
        return {"op": "undo"} if kind < 0.18 else {"op": "copy", "ref": ""}
    question = chance.choice([state for state in states if state.kind == "question" and not state.readonly])
    names = [choice.name for choice in question.choices]
    return {"op": "set", "ref": question.ref, "value": chance.choice(names) if names else chance.choice(TYPED)}


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.form_id)
def test_the_page_shows_after_each_change_what_a_new_one_would(form: Form, tmp_path: Path) -> None:
    chance = random.Random(form.form_id)
    with Station.create(tmp_path / "s", name="测试", villages={"999999001001": "洗马塘村"}) as station:
        station.set_author("王")
        station.add_forms([load_shipped("household"), *([form] if form.form_id != "household" else [])])
        sitting = Sittings().open(station, Key(str(uuid7()), form.form_id, "", "", ""), "zh")
        sitting.page()
        for _ in range(120):
            change = step(sitting, chance)
            sitting.change(sitting.counter, [change])
            shown, whole = sitting.shown, seen(sitting.outline())
            assert shown.views == whole.views, change
            assert shown.repeats == whole.repeats, change


def test_a_patch_says_the_same_however_it_was_found(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="测试", villages={"999999001001": "洗马塘村"}) as station:
        station.add_form(load_shipped("household"))
        sitting = Sittings().open(station, Key(str(uuid7()), "household", "", "", ""), "zh")
        sitting.page()
        before = Seen(dict(sitting.shown.views), sitting.shown.repeats)
        change = {"op": "set", "ref": "/data/member[1]/resident_id", "value": "11010519491231002x"}
        found = sitting.change(0, [change])
        whole, _ = patch(before, sitting.outline(), "zh", told=[change["ref"]])
        key = lambda view: view["ref"]  # noqa: E731
        assert sorted(found["views"], key=key) == sorted(whole["views"], key=key)
        assert found["blocks"] == whole["blocks"] == []
