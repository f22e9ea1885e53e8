"""Headers that say a question's name as it sounds: pinyin, initials, a character taken for another."""

from __future__ import annotations

import pytest

from collect.importer.headers import Vocabulary
from forms.reader import load_shipped, read_rows

HOUSEHOLD = load_shipped("household")


def matched(*headers: str) -> list[str]:
    found = Vocabulary(HOUSEHOLD).match([(header,) for header in headers])
    return ["" if target is None else target.column.name for target in found]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("户主姓名", "head_name"), ("huzhuxingming", "head_name"), ("Hu Zhu Xing Ming", "head_name"),
        ("户主性名", "head_name"), ("hzxm", "head_name"), ("HZXM", "head_name"), ("户主Xing名", "head_name"),
        ("hz", "head_name"),
        ("毫不相干", ""), ("zqx", ""), ("x", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_header_may_sound_like_the_question(header: str, name: str) -> None:
    assert matched(header) == [name]


def test_what_is_written_wins_over_what_sounds_alike() -> None:
    survey = [{"type": "text", "name": "one", "label": "世纪"}, {"type": "text", "name": "two", "label": "实际"}]
    form = read_rows({"survey": survey, "settings": [{"form_id": "f", "version": "1", "form_title": "f"}]})
    targets = Vocabulary(form).match([("实际",), ("世纪",)])
    assert [each.column.name for each in targets if each] == ["two", "one"]
    assert Vocabulary(form).match([("shiji",), ("事迹",), ("sj",)]) == [None, None, None], "it sounds like two"


def test_no_question_is_matched_twice_by_sound() -> None:
    assert matched("户主姓名", "户主性名") == ["head_name", ""]
