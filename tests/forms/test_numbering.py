"""Questions are counted as people answer them."""

from __future__ import annotations

from forms.numbering import is_asked, numbers_of
from forms.reader import load_shipped
from tests.forms.inline import form


def test_what_people_answer_is_counted_in_the_forms_order() -> None:
    asked = form("""
        | type              | name  | label | calculation | read_only | trigger |
        | start             | began |       |             |           |         |
        | text              | first | A     |             |           |         |
        | note              | say   | B     |             |           |         |
        | calculate         | sum   |       | 1 + 1       |           |         |
        | integer           | fixed | C     |             | true()    |         |
        | begin_repeat      | rep   | D     |             |           |         |
        | text              | in    | E     |             |           |         |
        | begin_repeat      | deep  | F     |             |           |         |
        | text              | in    | G     |             |           |         |
        | end_repeat        |       |       |             |           |         |
        | end_repeat        |       |       |             |           |         |
        | text              | taken | H     | ${first}    |           | ${first} |
    """)
    assert numbers_of(asked) == {
        "/data/first": 1, "/data/rep/in": 2, "/data/rep/deep/in": 3, "/data/taken": 4,
    }  # fmt: skip
    assert [question.name for question in asked.questions() if is_asked(question)] == ["first", "in", "in", "taken"]


def test_a_table_lists_head_is_no_question() -> None:
    asked = form("""
        | type         | name | label | appearance |
        | begin_group  | g    | G     | table-list |
        | select_one y | a    | A     |            |
        | select_one y | b    | B     |            |
        | end_group    |      |       |            |

        choices
        | list_name | name | label |
        | y         | 1    | Yes   |
        | y         | 0    | No    |
    """)
    assert list(numbers_of(asked).values()) == [1, 2]


def test_a_shipped_ledger_counts_members_once() -> None:
    numbers = numbers_of(load_shipped("household"))
    assert numbers["/data/member/name"] == 8
    assert numbers["/data/housing/house_structure"] == 23
    assert sorted(numbers.values()) == list(range(1, 33))
