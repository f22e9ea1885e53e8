"""Choices found by what is typed: characters, pinyin, initials, codes; the best first."""

from __future__ import annotations

from dataclasses import dataclass

from datasette_plugins.capture.lookup import MOST, fitting


@dataclass(frozen=True)
class Choice:
    name: str
    label: str


NATIONS = [Choice("01", "汉族"), Choice("03", "回族"), Choice("09", "布依族"), Choice("24", "拉祜族")]


def names(text: str) -> list[str]:
    return [choice.label for choice in fitting(NATIONS, text)[0]]


def test_a_choice_is_found_by_characters_pinyin_initials_and_code() -> None:
    assert names("布依") == ["布依族"]
    assert names("buyi") == ["布依族"]
    assert names("BYZ") == ["布依族"]
    assert names("24") == ["拉祜族"]


def test_what_begins_with_the_text_comes_first() -> None:
    assert names("hz")[:2] == ["汉族", "回族"]
    assert names("hz")[-1] == "拉祜族"


def test_every_word_has_to_fit() -> None:
    assert names("布 族") == ["布依族"]
    assert names("布 汉") == []


def test_an_empty_text_gives_the_list_in_its_order_and_says_how_many_are_left() -> None:
    many = [Choice(str(number), f"第{number}户") for number in range(MOST + 12)]
    found, more = fitting(many, "  ")
    assert found == many[:MOST]
    assert more == 12
