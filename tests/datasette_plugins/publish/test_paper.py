"""What is printed of a form, before it has a place on a page."""

from __future__ import annotations

import pytest

from datasette_plugins.publish.paper import Ask, Field, Heading, Paper, Remark, Roster, compose
from forms.numbering import numbers_of
from forms.reader import load_shipped, shipped
from tests.forms.inline import form


def ask(paper: Paper, path: str) -> Ask:
    return next(one for one in paper.asks() if one.path == path)


@pytest.mark.parametrize("name", shipped())
def test_every_question_once_and_in_the_order_of_its_number(name: str) -> None:
    ledger = load_shipped(name)
    paper = compose(ledger)
    assert {one.path: one.number for one in paper.asks()} == numbers_of(ledger)
    assert [one.number for one in paper.asks()] == list(range(1, len(numbers_of(ledger)) + 1))


def test_kinds_of_room_for_an_answer() -> None:
    paper = compose(load_shipped("household"))
    kinds = {one.path.removeprefix("/data/"): one.field for one in paper.asks()}
    assert kinds["member/resident_id"] == Field("boxes", 18)
    assert kinds["household_basic/phone"] == Field("boxes", 11)
    assert kinds["member/birth_date"] == Field("date")
    assert kinds["housing/house_area"] == Field("number", unit="平方米")
    assert kinds["household_place/location"] == Field("point")
    assert kinds["household_place/note"] == Field("lines", 3)
    assert kinds["household_basic/household_type"].many
    assert kinds["member/sex"] == Field("choices", choices=("男", "女"))
    assert kinds["household_basic/village"] == Field("head")


def test_a_long_list_is_shortened_to_the_common_ones_with_its_default_first() -> None:
    rows = "\n".join(f"        | nation | {number:02} | 民族{number} |" for number in range(1, 57))
    paper = compose(form(f"""
        | type                | name | label | default |
        | select_one nation   | n    | 民族  | 27      |

        choices
        | list_name | name | label |
{rows}
    """))
    nation = ask(paper, "/data/n").field
    assert nation.writes
    assert nation.choices[:3] == ("民族27", "民族1", "民族2")
    assert len(nation.choices) == 10


def test_rules_marks_and_notes() -> None:
    paper = compose(load_shipped("left_behind"))
    assert ask(paper, "/data/left_behind_state/school").rule == "仅当“留守类别”（第 8 题）选了“留守儿童”时填"
    kind = ask(paper, "/data/left_behind_person/kind")
    assert kind.required
    assert kind.notes == ("与年龄或性别不符：儿童未满 16 周岁，妇女 20 至 59 周岁，老人满 60 周岁",)
    guardian = next(item for item in paper.items if isinstance(item, Roster))
    assert (guardian.title, guardian.rule) == ("监护人和父母", "本节仅当“留守类别”（第 8 题）选了“留守儿童”时填")
    needy = compose(load_shipped("needy_household"))
    risk = next(item for item in needy.items if isinstance(item, Heading) and item.text == "致困风险")
    assert risk.rule.startswith("本节仅当“困难类别”（第 4 题）选了")
    # The hint says again what the mark says.
    assert ask(needy, "/data/needy_who/category").notes == ()


ODD = """
    | type | name | label | relevant | required | repeat_count | parameters | hint |
    | text | a | 姓名 |  | ${b} = '2' |
    | select_one x | b | 级别 | regex(${a}, '^x$') |
    | note | n | **注意** ${a}，请念出来 |
    | begin_group | g |  | ${b} = '1' |
    | range | r | 满意度 |  |  |  | start=1 end=5 step=1 |
    | range | s | 比例 |  |  |  | start=0 end=100 step=1 |
    | rank x | k | 排序 |
    | end_group |
    | begin_repeat | plot | 地块 |  |  | 3 |
    | text | p | 地块名 |
    | begin_repeat | crop | 作物 |
    | integer | kilos | 产量（公斤） |  |  |  |  | 毛重 |
    | end_repeat |
    | end_repeat |

    choices
    | list_name | name | label |
    | x         | 1    | 一级  |
    | x         | 2    | 二级  |
"""


def test_an_odd_form() -> None:
    paper = compose(form(ODD, form_title="怪表"), rows=7)
    assert ask(paper, "/data/a").notes == ("当“级别”（第 2 题）选了“二级”时必填",)
    assert ask(paper, "/data/b").rule == "要不要填由电脑页面判断；拿不准就先填上"
    assert ask(paper, "/data/g/r").field.choices == ("1", "2", "3", "4", "5")
    assert ask(paper, "/data/g/s").field.kind == "number"
    assert ask(paper, "/data/g/k").field == Field("rank", choices=("一级", "二级"))
    remarks = [item for item in paper.items if isinstance(item, Remark)]
    assert remarks == [Remark("注意 ____，请念出来"), Remark("", "第 3–5 题仅当“级别”（第 2 题）选了“一级”时填")]
    plots, crops = (item for item in paper.items if isinstance(item, Roster))
    assert (plots.rows, plots.note, plots.parent) == (3, "", "")
    assert (crops.rows, crops.parent) == (7, "地块")
    assert crops.asks()[0].notes == ("毛重",)


def test_no_expression_is_ever_printed_raw() -> None:
    paper = compose(form(ODD))
    said = [item.rule for item in paper.items] + [text for one in paper.asks() for text in (one.rule, *one.notes)]
    assert not [text for text in said if "regex" in text or "${" in text or "/data" in text]


def test_our_words_follow_the_forms_language() -> None:
    assert compose(load_shipped("visit"), "en").title == "Visits"
    assert compose(load_shipped("visit"), "en").words == "en"
    english = form("| type | name | label |\n| text | a | What’s your name… |")
    paper = compose(english, "zh")
    assert paper.words == "en"
    assert ask(paper, "/data/a").label == "What's your name..."
    assert compose(form("| type | name | label |\n| text | a | 姓名 |"), "en").words == "zh"


def test_a_stations_villages_are_ticked_or_printed() -> None:
    ledger = load_shipped("village")
    several = compose(ledger, villages=("清泉村", "石桥村"))
    assert ask(several, "/data/village_basic/village").field.choices == ("清泉村", "石桥村")
    assert several.village == ""
    assert compose(ledger, villages=("清泉村",)).village == "清泉村"


def test_a_households_number_is_asked_for_at_the_head_only_where_there_is_a_household() -> None:
    assert compose(load_shipped("household")).has_household
    assert compose(load_shipped("visit")).has_household
    assert not compose(load_shipped("village")).has_household
    assert compose(form(ODD)).has_household
