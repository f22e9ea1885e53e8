"""The same card typed into a plain HTML form: inputs and selects, nothing of ours, in a real Chromium, keys counted.

The form asks what the card tells and nothing else, for as many people as the card has, with every row there already.
A human's shortest keys: every character of a fact, Tab to the next field, in a list the first characters of the choice
or arrow keys, whichever are fewer, Enter to send it.
"""

from __future__ import annotations

from html import escape
from typing import Any

from playwright.sync_api import Page

from forms.definition import Form
from forms.reader import load_shipped
from tests.browser.conftest import VILLAGES

LISTS = ("village", "household_type", "relation")


def typed_plain(page: Page, card: dict[str, Any]) -> int:
    """Type a card's facts into the plain form and return the keys pressed; fails where a field holds another fact."""
    form = load_shipped("household")
    facts = [(name, fact) for part in (card["household"], *card["members"]) for name, (fact, _) in part.items()]
    page.set_content(_html(form, [name for name, _ in facts]))
    devtools = page.context.new_cdp_session(page)
    page.keyboard.press("Tab")
    keys = 1
    for at, (name, fact) in enumerate(facts):
        if name in LISTS:
            keys += _choose(page, devtools, at, fact)
        else:
            page.keyboard.type(fact)
            keys += len(fact)
        held = page.evaluate("at => { const e = document.forms[0].elements[at]; "
                             "return e.tagName === 'SELECT' ? e.selectedOptions[0].text : e.value; }", at)  # fmt: skip
        assert held == fact, (name, fact, held)
        assert page.evaluate("at => document.activeElement === document.forms[0].elements[at]", at), name
        if at + 1 < len(facts):
            page.keyboard.press("Tab")
            keys += 1
    page.evaluate("document.forms[0].addEventListener('submit', e => { e.preventDefault(); document.title = 'sent'; })")
    page.keyboard.press("Enter")
    keys += 1
    assert page.title() == "sent"
    return keys


def _choose(page: Page, devtools: Any, at: int, fact: str) -> int:
    """Choose in a list with as few keys as it takes."""
    labels = page.evaluate("at => [...document.forms[0].elements[at].options].map(o => o.text)", at)
    place = labels.index(fact)
    typed = next(n for n in range(1, len(fact) + 1) if next(x for x in labels if x.startswith(fact[:n])) == fact)
    if typed < place:
        for character in fact[:typed]:
            devtools.send("Input.dispatchKeyEvent", {"type": "char", "text": character})
        return typed
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    return place


def _html(form: Form, names: list[str]) -> str:
    questions = {question.name: question for question in form.questions()}
    language = next(name for name in form.languages if "zh" in name)
    fields = []
    for name in names:
        label = escape(questions[name].label.plain(language))
        if name not in LISTS:
            fields.append(f"<p><label>{label} <input></label></p>")
            continue
        choices = [title for _, title in VILLAGES] if name == "village" else _choices(form, name, language)
        options = "".join(f"<option>{escape(choice)}</option>" for choice in ("", *choices))
        fields.append(f"<p><label>{label} <select>{options}</select></label></p>")
    return f"<!DOCTYPE html><form>{''.join(fields)}<button>保存</button></form>"


def _choices(form: Form, name: str, language: str) -> list[str]:
    from forms.tables import tables_of

    column = next(column for table in tables_of(form) for column in table.columns if column.name == name)
    return list(column.choices(language).values())
