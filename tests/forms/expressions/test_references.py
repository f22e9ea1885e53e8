"""What an expression is known to read before it is evaluated."""

from __future__ import annotations

import pytest

from forms.expressions import References, Scope, compile_expression


def read(source: str) -> References:
    return compile_expression(source, scope=Scope(context="/data/member/age")).references


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("/data/a > 5 and selected(/data/b, 'x')", {"/data/a", "/data/b"}),
        (". > 3", {"/data/member/age"}),
        ("../name", {"/data/member/name"}),
        ("../../size", {"/data/size"}),
        ("current()/../name", {"/data/member/name"}),
        ("/data/member[name = 'x']/age", {"/data/member/age", "/data/member/name"}),
        ("/data/member[name = current()/../boss]/age", {"/data/member/age", "/data/member/name", "/data/member/boss"}),
        ("instance('v')/root/item[name = ../x and label = current()/../name]", {"/data/member/name"}),
        ("count(/data/member)", {"/data/member"}),
        ("number()", {"/data/member/age"}),
        ("1 + 2", set()),
    ],
)
def test_paths(source: str, paths: set[str]) -> None:
    assert read(source).paths == paths


@pytest.mark.parametrize(
    ("source", "subtrees"),
    [("//age", {""}), ("/data/*", {"/data"}), ("/data/member//x/y", {"/data/member"}), ("ancestor::x", {""}),
     ("../following-sibling::member/age", {"/data"}), ("id('x')", {""}), ("/data/a", set())],
)
def test_subtrees(source: str, subtrees: set[str]) -> None:
    assert read(source).subtrees == subtrees


def test_flags_and_names() -> None:
    assert read("today() - /data/a").volatile
    assert not read("/data/a").volatile
    assert read("once(uuid())").volatile
    assert read("position(..)").positional
    assert read("/data/member[2]/name").positional
    assert read("instance('v')/root/item[name = 'x']").instances == {"v"}
    assert read("pulldata('w', 'a', 'b', 'c')").instances == {"w"}
    assert read("jr:choice-name(/data/a, ' /data/a ')").choice_names == {"/data/a"}
    assert read("jr:itext('k')").itexts == {"k"}
    assert compile_expression("if(true(), 1, round(2))").functions == {"if", "true", "round"}
