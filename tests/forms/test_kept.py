"""Forms kept on disk: the same form, quickly, and never an outdated one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from forms.definition import Form
from forms.frozen import freeze, thaw
from forms.kept import Kept, own_folder
from forms.reader import load_shipped, read_form, read_rows, shipped
from tests.forms.inline import form, sheets
from tests.forms.test_decompilation import FORMS
from tests.forms.test_reader import REACH


def same(first: Form, second: Form) -> None:
    for one in fields(Form):
        assert getattr(first, one.name) == getattr(second, one.name), one.name
    hash(second.children[0].place)


@pytest.mark.parametrize("name", shipped())
def test_a_ledger_thaws_as_it_was_frozen(name: str) -> None:
    read = load_shipped(name)
    same(read, thaw(freeze(read), read.xform))


@pytest.mark.parametrize("name", FORMS)
def test_any_form_thaws_as_it_was_frozen(name: str) -> None:
    read = form(FORMS[name])
    again = thaw(freeze(read), read.xform)
    assert again.warnings == tuple(again.warnings)
    for one in fields(Form):
        if one.name != "warnings":
            assert getattr(read, one.name) == getattr(again, one.name), one.name
    assert [problem.words("zh") for problem in again.warnings] == [problem.words("zh") for problem in read.warnings]


def test_a_file_is_read_anew_when_it_changed(tmp_path: Path) -> None:
    path, folder = tmp_path / "f.yml", tmp_path / "kept"
    path.write_text("survey:\n  - {type: text, name: a, label: A}\n", encoding="utf-8")
    first = read_form(path, cache=folder)
    same(first, read_form(path, cache=folder))
    path.write_text("survey:\n  - {type: text, name: b, label: A}\n", encoding="utf-8")
    assert next(read_form(path, cache=folder).questions()).name == "b"


def test_an_xform_and_its_place_are_never_mixed_up(tmp_path: Path) -> None:
    rows = sheets("| type | name | label |\n| text | a | A |")
    first = read_rows(rows, cache=tmp_path)
    kept = Kept(tmp_path, next(tmp_path.glob("*.xml")).stem)
    assert kept.read() is not None
    kept.xml.write_text(first.xform.replace("trial", "other"), encoding="utf-8")
    assert kept.read() is None


def test_a_folder_that_cannot_be_written_is_only_slower(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="utf-8")
    assert read_rows(sheets("| type | name | label |\n| text | a | A |"), cache=blocked / "kept").form_id == "trial"


def test_the_users_own_folder_can_be_named_or_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUNCE_CACHE", str(tmp_path))
    assert own_folder() == tmp_path
    monkeypatch.setenv("CUNCE_CACHE", "")
    assert own_folder() is None
    monkeypatch.delenv("CUNCE_CACHE")
    assert own_folder() is not None


@pytest.mark.skipif(not REACH.exists(), reason="the REACH questionnaire is not at hand")
def test_a_kept_questionnaire_is_not_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_form(REACH, cache=tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the workbook is opened again")

    monkeypatch.setattr("forms.reader.read_sheets", refuse)
    same(first, read_form(REACH, cache=tmp_path))
    with pytest.raises(AssertionError, match="opened again"):
        read_form(REACH, cache=tmp_path / "empty")
