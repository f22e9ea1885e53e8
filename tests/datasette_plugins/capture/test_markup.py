"""Labels as HTML: what is allowed comes through, everything else is shown as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from datasette_plugins.capture.markup import html_of

ALLOWED = {"a", "p", "div", "span", "strong", "em", "b", "i", "u", "br"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("户主姓名", "户主姓名"),
        ("**要紧**的", "<strong>要紧</strong>的"),
        ("*轻*声", "<em>轻</em>声"),
        ("3 * 4 * 5", "3 * 4 * 5"),
        ("# 标题", "<strong>标题</strong>"),
        ("一\n二", "一<br>二"),
        ('<span style="color:red">红</span>', "红"),
        ("<b>粗</b>", "<b>粗</b>"),
        ("面积 < 20 & > 5", "面积 &lt; 20 &amp; &gt; 5"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (
            "见[网站](https://a.cn/?b=1&c=2)",
            '见<a href="https://a.cn/?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">网站</a>',
        ),
        ("[点](javascript:alert(1))", "[点](javascript:alert(1))"),
        ("<b onclick=x>粗</b>", "&lt;b onclick=x&gt;粗</b>"),
    ],
)
def test_a_label_is_shown_as_its_author_meant(text: str, expected: str) -> None:
    assert html_of(text) == expected


@given(st.text(alphabet="<>/\"'=&;*_#\n abonclicksriptu张", max_size=60))
def test_no_label_brings_in_elements_or_attributes(text: str) -> None:
    tree = html.fragment_fromstring(html_of(text), create_parent="div")
    for element in tree.iter():
        assert element.tag in ALLOWED
        assert not element.attrib
