"""Rules in words, as somebody with the form on paper reads them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.definition import Expression, Form, Repeat
from forms.numbering import numbers_of
from forms.reader import load_shipped
from forms.wording import Wording
from tests.forms.inline import form

ASKED = """
    | type              | name   | label             | calculation                      | repeat_count |
    | select_one kind   | kind   | 类别              |                                  |              |
    | select_multiple s | signs  | 有哪些问题？      |                                  |              |
    | select_one grade  | grade  | 等级              |                                  |              |
    | integer           | age    | 年龄              |                                  |              |
    | date              | born   | 出生日期          |                                  |              |
    | text              | name   | **姓名**          |                                  |              |
    | today             | day    |                   |                                  |              |
    | calculate         | adult  |                   | if(${age} >= 18, 1, 0)           |              |
    | calculate         | hidden |                   | string-length(${name}) mod 3     |              |
    | calculate         | years  | 周岁              | int(${age} div 1)                |              |
    | integer           | count  | 人数              |                                  |              |
    | begin_repeat      | member | 成员              |                                  | ${count}     |
    | calculate         | pos    |                   | position(..)                     |              |
    | integer           | own    | 本人年龄          |                                  |              |
    | calculate         | child  |                   | if(${own} < 14, 1, 0)            |              |
    | select_one kind   | other  | 另一类            |                                  |              |
    | end_repeat        |        |                   |                                  |              |
    | calculate         | young  |                   | sum(${child})                    |              |
    | text              | here   | 说明              |                                  |              |

    choices
    | list_name | name   | label    |
    | kind      | child  | 留守儿童 |
    | kind      | elder  | 留守老人 |
    | kind      | woman  | 留守妇女 |
    | s         | a      | 漏水     |
    | s         | b      | 裂缝     |
    | grade     | 1      | 一级     |
    | grade     | 2      | 二级     |
    | grade     | 3      | 三级     |
"""


@pytest.fixture(scope="module")
def asked() -> Form:
    return form(ASKED)


def said(asked: Form, source: str, *, at: str = "/data/here", words: str = "zh", numbered: bool = False) -> str | None:
    resolved = re.sub(r"\$\{(\w+)\}", lambda match: _path(asked, match[1]), source)
    wording = Wording(asked, words=words, numbers=numbers_of(asked) if numbered else None)
    return wording.condition(Expression(resolved), at)


def _path(asked: Form, name: str) -> str:
    return next(node.path for node in asked.walk() if node.name == name)


@pytest.mark.parametrize(
    ("source", "zh", "en"),
    [
        ("selected(${kind}, 'child')", "“类别”选了“留守儿童”", "“类别” is “留守儿童”"),
        ("${kind} = 'child'", "“类别”选了“留守儿童”", "“类别” is “留守儿童”"),
        ("'child' = ${kind}", "“类别”选了“留守儿童”", "“类别” is “留守儿童”"),
        ("${kind} != 'child'", "“类别”没有选“留守儿童”", "“类别” is not “留守儿童”"),
        ("not(selected(${signs}, 'a'))", "“有哪些问题”没有选“漏水”", "“有哪些问题” is not “漏水”"),
        ("${age} >= 16", "“年龄”≥ 16", "“年龄” ≥ 16"),
        ("16 <= ${age}", "“年龄”≥ 16", "“年龄” ≥ 16"),
        ("${age} > -1.5", "“年龄”> -1.5", "“年龄” > -1.5"),
        ("not(${age} >= 16)", "“年龄”< 16 或没有填", "“年龄” < 16 or is empty"),
        ("${name} = ''", "“姓名”没有填", "“姓名” is empty"),
        ("${name} != ''", "“姓名”填了", "“姓名” is filled in"),
        ("${years} = ''", "“周岁”不清楚", "“周岁” is not known"),
        ("${name} = '甲'", "“姓名”是“甲”", "“姓名” is “甲”"),
        ("${born} <= today()", "“出生日期”≤ 今天", "“出生日期” ≤ today"),
        ("${born} > ${day}", "“出生日期”> 今天", "“出生日期” > today"),
        ("${born} > date('2020-01-01')", "“出生日期”> 2020-01-01", "“出生日期” > 2020-01-01"),
        ("count-selected(${signs}) > 1", "“有哪些问题”选中的项数> 1", "the number chosen in “有哪些问题” > 1"),
        ("not(count-selected(${signs}) > 1)", "“有哪些问题”选中的项数≤ 1", "the number chosen in “有哪些问题” ≤ 1"),
        ("count(${member}) >= 2", "“成员”的行数≥ 2", "the number of rows of “成员” ≥ 2"),
        ("sum(${own}) > 0", "“本人年龄”的合计> 0", "the total of “本人年龄” > 0"),
        ("${age} + ${count} * 2 > 10", "“年龄” + （“人数” × 2）> 10", "“年龄” + (“人数” × 2) > 10"),
        ("${grade} = 2", "“等级”选了“二级”", "“等级” is “二级”"),
        ("${grade} >= 2", "“等级”选了“二级”或“三级”", "“等级” is “二级” or “三级”"),
        ("${adult} = 1", "“年龄”≥ 18", "“年龄” ≥ 18"),
        ("${adult} = 0", "“年龄”< 18 或没有填", "“年龄” < 18 or is empty"),
        ("${adult} != 0 and true()", "“年龄”≥ 18", "“年龄” ≥ 18"),
        ("${young} >= 1", "（“本人年龄”< 14）的行数≥ 1", "the number of rows with (“本人年龄” < 14) ≥ 1"),
    ],
)
def test_a_condition_in_words(asked: Form, source: str, zh: str, en: str) -> None:
    assert said(asked, source) == zh
    assert said(asked, source, words="en") == en


@pytest.mark.parametrize(
    ("source", "zh"),
    [
        ("${age} > 1 and ${name} != ''", "“年龄”> 1，并且“姓名”填了"),
        ("${age} > 1 or ${name} != '' and ${age} < 9", "“年龄”> 1，或者（“姓名”填了，并且“年龄”< 9）"),
        ("not(${age} = 1 or ${name} = '')", "“年龄”≠ 1，并且“姓名”填了"),
        ("selected(${kind}, 'child') or ${kind} = 'elder' or ${kind} = 'woman'",
         "“类别”选了“留守儿童”、“留守老人”或“留守妇女”"),
        ("not(selected(${signs}, 'a') or selected(${signs}, 'b'))", "“有哪些问题”没有选“漏水”或“裂缝”"),
        ("selected(${signs}, 'a') and selected(${signs}, 'b')", "“有哪些问题”选了“漏水”，并且“有哪些问题”选了“裂缝”"),
        ("(${age} > 1) and (${age} > 1)", "“年龄”> 1"),
        ("if(${age} > 1, ${name} = '', false())", "“年龄”> 1，并且“姓名”没有填"),
    ],
)  # fmt: skip
def test_and_or_not(asked: Form, source: str, zh: str) -> None:
    assert said(asked, source) == zh


def test_what_is_always_true_needs_no_words(asked: Form) -> None:
    assert said(asked, "true()") == ""
    assert said(asked, "not(false()) or ${age} > 1") == ""
    assert said(asked, "false()") is None


@pytest.mark.parametrize(
    "source",
    [
        "regex(${name}, '^[0-9]+$')", "${hidden} = 1", "${age}", "pulldata('a', 'b', 'c', ${name}) = 'x'",
        "${age} > 1 and regex(${name}, 'x')", "/data/nowhere = 1", "${member}[1]/own > 3", "1 = (", "random() > 0.5",
        "${signs} = 'a'", "instance('village')/root/item[name = ${name}]/label = 'x'", "../*[1] = 'x'", "position(..)",
    ],
)  # fmt: skip
def test_what_has_no_words_is_not_said_half(asked: Form, source: str) -> None:
    assert said(asked, source) is None


def test_paths_of_a_row_and_its_number(asked: Form) -> None:
    at = "/data/member/other"
    assert said(asked, " ../own  > 3", at=at) == "“本人年龄”> 3"
    assert said(asked, "current()/../own > 3", at=at) == "“本人年龄”> 3"
    assert said(asked, "../../age > 3", at=at) == "“年龄”> 3"
    assert said(asked, "../pos = 1", at=at) == "这是第 1 行"
    assert said(asked, "position(..) > 1", at=at, words="en") == "the row's number > 1"
    assert said(asked, ". = 'child'", at=at) == "“另一类”选了“留守儿童”"


def test_numbers_and_long_labels() -> None:
    asked = form("""
        | type      | name | label                                                            |
        | select_one yn | a | In the past thirty days, was there ever no food to eat at all?   |
        | select_one yn | b | B |
        | select_one yn | c | C |
        | text      | here | D |

        choices
        | list_name | name | label |
        | yn        | yes  | Yes   |
    """)
    one = said(asked, "${a} = 'yes'", words="en", numbered=True)
    assert one == "Q1 “In the past thirty days, was there e…” is “Yes”"
    several = "${c} = 'yes' or ${a} = 'yes' or ${b} = 'yes'"
    assert said(asked, several, words="en", numbered=True) == "any of questions 1, 2, 3 is “Yes”"
    assert said(asked, several, numbered=True) == "第 1、2、3 题中有一题选了“Yes”"
    none = "not(${a} = 'yes') and not(${b} = 'yes') and not(${c} = 'yes')"
    assert said(asked, none, numbered=True) == "第 1、2、3 题都没有选“Yes”"


def test_the_number_of_rows(asked: Form) -> None:
    member = next(node for node in asked.walk() if isinstance(node, Repeat))
    assert member.count is not None
    assert Wording(asked, numbers=numbers_of(asked)).count(member.count, member.path) == "“人数”（第 7 题）"
    assert Wording(asked).count(Expression("3"), member.path) == "3"
    assert Wording(asked).count(Expression("regex('a', 'b')"), member.path) is None


def test_every_rule_of_the_shipped_ledgers_has_words() -> None:
    for name in ("village", "household", "left_behind", "needy_household", "risk_point", "visit", "public_place"):
        shipped = load_shipped(name)
        for language in ("zh", "en"):
            wording = Wording(shipped, language, words=language)
            for node in shipped.walk():
                if node.relevant is not None:
                    assert wording.condition(node.relevant, node.path), node.path
    left = load_shipped("left_behind")
    school = next(node for node in left.walk() if node.name == "school")
    assert school.relevant is not None
    assert Wording(left, "zh").condition(school.relevant, school.path) == "“留守类别”选了“留守儿童”"


ATOMS = st.sampled_from([
    "${age} > 1", "${age} = 3", "${name} = ''", "selected(${kind}, 'child')", "${kind} != 'elder'", "${grade} >= 2",
    "selected(${signs}, 'b')", "true()", "false()", "${adult} = 1", "regex(${name}, 'x')", "count(${member}) > 1",
    "${born} < today()", "${hidden} = 2",
])  # fmt: skip
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})"),
    ),
    max_leaves=8,
)
FORM = form(ASKED)


@given(EXPRESSIONS)
def test_words_never_hold_anything_of_the_expression_language(source: str) -> None:
    for words in ("zh", "en"):
        found = said(FORM, source, words=words)
        assert found is None or not re.search(r"[$/{}]|\b(selected|regex|count|true|false|adult|hidden)\b|\(\)", found)


@given(EXPRESSIONS, EXPRESSIONS)
def test_not_goes_through_and_and_or(one: str, other: str) -> None:
    assert said(FORM, f"not({one} and {other})") == said(FORM, f"not({one}) or not({other})")
    assert said(FORM, f"not(not({one}))") == said(FORM, one)
