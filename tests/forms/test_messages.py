"""The catalogue of the forms package: every code used has words, every entry is used, both languages are whole."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import forms
from forms.problems import LANGUAGES, catalogue

PACKAGE = Path(forms.__file__).parent
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
USED = set(re.findall(r"\"(FORMS_[A-Z0-9_]+)\"", SOURCES))
# Where the form's own message says it, the code gets this ending.
USED |= {f"{code}_SAID" for code in USED if f"{code}_SAID" in catalogue("forms") and "_SAID" in SOURCES}
WORDS = catalogue("forms")


def test_every_code_used_has_words() -> None:
    assert USED - set(WORDS) == set()


def test_every_entry_is_used() -> None:
    elsewhere = "\n".join(
        path.read_text(encoding="utf-8")
        for package in ("collect", "sync", "datasette_plugins")
        for path in (PACKAGE.parent / package).rglob("*.py")
    )
    assert {code for code in WORDS if code not in USED and f'"{code}"' not in elsewhere} == set()


@pytest.mark.parametrize("code", sorted(WORDS))
def test_an_entry_says_what_and_how_to_mend_it_in_both_languages(code: str) -> None:
    entry = WORDS[code]
    assert set(entry) == set(LANGUAGES)
    slots = []
    for language in LANGUAGES:
        assert set(entry[language]) == {"what", "fix"}
        assert all(text and text == text.strip() and text[-1] not in "。." for text in entry[language].values())
        slots.append({slot for text in entry[language].values() for _, slot, _, _ in Formatter().parse(text) if slot})
    assert slots[0] == slots[1], "both languages name the same things"
    assert re.search("[一-鿿]", entry["zh"]["fix"])


def test_no_code_stands_twice() -> None:
    text = (PACKAGE / "messages.yml").read_text(encoding="utf-8")
    codes = re.findall(r"^(FORMS_\w+):", text, re.MULTILINE)
    assert len(codes) == len(set(codes))
