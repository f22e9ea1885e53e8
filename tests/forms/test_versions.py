"""Two versions of a form compared: what changed, how grave it is, and in what words."""

from __future__ import annotations

from collections.abc import Mapping

from forms.definition import Form
from forms.problems import LANGUAGES
from forms.versions import Change, compare, required_since
from tests.forms.inline import form

OLD = """
    | type                | name   | label  | required | relevant       | constraint | calculation   |
    | text                | head   | 户主   | yes      |                |            |               |
    | text                | area   | 面积   |          |                |            |               |
    | integer             | people | 人数   |          |                | . < 20     |               |
    | select_one road     | road   | 道路   |          |                |            |               |
    | select_multiple crop | crops | 作物   |          |                |            |               |
    | text                | phone  | 电话   |          | ${people} > 1  |            |               |
    | calculate           | double |        |          |                |            | ${people} * 2 |
    | begin repeat        | member | 成员   |          |                |            |               |
    | text                | name   | 姓名   |          |                |            |               |
    | end repeat          |        |        |          |                |            |               |
    choices
    | list_name | name  | label  |
    | road      | mud   | 土路   |
    | road      | stone | 石子路 |
    | road      | tar   | 柏油路 |
    | crop      | rice  | 水稻   |
    | crop      | corn  | 玉米   |
"""


def pair(new: str, old: str = OLD) -> tuple[Form, Form]:
    return form(old), form(new, version="2")


def brief(changes: tuple[Change, ...]) -> set[tuple[str, str, str]]:
    for change in changes:
        assert all(change.what(language) and change.meaning(language) for language in LANGUAGES)
        assert change.as_data()["what"]["zh"]
    return {(change.code.removeprefix("FORMS_DIFF_"), change.name, change.severity) for change in changes}


def test_the_same_form_under_another_version_has_not_changed() -> None:
    assert compare(*pair(OLD)) == ()


def test_every_kind_of_change_is_named() -> None:
    new = """
    | type                 | name   | label    | required | relevant      | constraint | calculation    | ledger::was |
    | text                 | owner  | 户主姓名 |          |               |            |                | head        |
    | decimal              | area   | 面积     |          |               |            |                |             |
    | select_one crop      | crops  | 作物     |          |               |            |                |             |
    | integer              | people | 人数     | yes      |               | . < 30     |                |             |
    | select_one road      | road   | 道路     |          |               |            |                |             |
    | text                 | phone  | 电话     |          |               |            |                |             |
    | calculate            | double |          |          |               |            | ${people} * 3  |             |
    | text                 | water  | 水源     | yes      |               |            |                |             |
    | text                 | note   | 备注     |          |               |            |                |             |
    choices
    | list_name | name   | label    |
    | road      | mud    | 泥路     |
    | road      | gravel | 石子路   |
    | road      | cement | 水泥路   |
    | crop      | rice   | 水稻     |
    | crop      | corn   | 玉米     |
    """
    assert brief(compare(*pair(new))) == {
        ("RENAMED", "owner", "harmless"), ("LABEL", "owner", "harmless"), ("REQUIRED_REMOVED", "owner", "harmless"),
        ("TYPE", "area", "look"), ("TYPE", "crops", "look"), ("REQUIRED", "people", "look"),
        ("CONSTRAINT", "people", "look"), ("CHOICE_LABEL", "road", "look"), ("CHOICE_RENAMED", "road", "look"),
        ("CHOICE_REMOVED", "road", "look"), ("CHOICE_ADDED", "road", "harmless"),
        ("RELEVANT_REMOVED", "phone", "harmless"), ("CALCULATION", "double", "look"),
        ("ADDED_REQUIRED", "water", "look"), ("ADDED", "note", "harmless"), ("REPEAT_REMOVED", "", "loses"),
        ("ORDER", "", "harmless"),
    }  # fmt: skip


def test_with_data_it_says_how_many_records_are_concerned() -> None:
    new = OLD.replace("| text                | area ", "| decimal             | area ").replace("stone", "gravel")
    new = "\n".join(line for line in new.splitlines() if "| crops" not in line)
    held: Mapping[str, Mapping[str, int]] = {
        "area": {"90": 3, "大约90": 2}, "road": {"stone": 4, "tar": 9}, "crops": {"rice": 1, "rice corn": 5},
    }  # fmt: skip

    def holding(table: str, field: str) -> Mapping[str, int]:
        assert table == "trial"
        return held.get(field, {})

    found = {change.code.removeprefix("FORMS_DIFF_"): change for change in compare(*pair(new), holding)}
    assert {code: change.records for code, change in found.items()} == {
        "TYPE": 2, "CHOICE_RENAMED": 4, "REMOVED": 6,
    }  # fmt: skip
    assert found["REMOVED"].meaning("en").endswith("(6 records concerned)")
    assert "涉及 2 条记录" in found["TYPE"].meaning("zh")


def test_what_nobody_holds_is_harmless() -> None:
    new = OLD.replace("| text                | area ", "| integer             | area ").replace(
        "    | crop      | corn  | 玉米   |\n", ""
    )
    changes = compare(*pair(new), lambda _table, _field: {"90": 3})
    assert brief(changes) == {("TYPE", "area", "harmless"), ("CHOICE_REMOVED", "crops", "harmless")}


def test_a_rule_that_only_reads_a_renamed_question_has_not_changed() -> None:
    new = OLD.replace("people", "persons").replace("| calculation   |", "| calculation   | ledger::was |")
    new = new.replace("| . < 20     |               |", "| . < 20     |               | people |")
    assert brief(compare(*pair(new))) == {("RENAMED", "persons", "harmless")}


def test_moving_between_groups_is_harmless_and_between_tables_is_not() -> None:
    grouped = OLD.replace(
        "    | text                | phone ", "    | begin group | g | G |\n    | text                | phone "
    ).replace("    | calculate ", "    | end group | | |\n    | calculate ")
    assert brief(compare(*pair(grouped))) == {("MOVED", "phone", "harmless")}
    line = "    | text                | area   | 面积   |          |                |            |               |\n"
    inside = OLD.replace(line, "").replace("    | end repeat ", line + "    | end repeat ")
    found = brief(compare(*pair(inside)))
    assert ("MOVED_TABLE", "area", "loses") in found
    assert ("REMOVED", "area", "loses") in found


def test_a_renamed_repeat_and_its_count_are_told() -> None:
    new = OLD.replace("| calculation   |", "| calculation   | repeat_count | ledger::was |").replace(
        "| member | 成员   |          |                |            |               |",
        "| person | 成员   |          |                |            |               | ${people} | member |",
    )
    assert brief(compare(*pair(new))) == {("REPEAT_RENAMED", "", "harmless"), ("COUNT", "", "look")}


def test_a_renamed_repeat_takes_the_rules_and_repeats_in_it_along() -> None:
    inside = "    | begin repeat        | card   | 证件   |          | count(${member}) > 1 |        |              |\n"
    inside += "    | text                | number | 证号   | yes      |                |            |               |\n"
    inside += "    | end repeat          |        |        |          |                |            |               |\n"
    old = OLD.replace("    | end repeat ", inside + "    | end repeat ")
    new = old.replace("| calculation   |", "| calculation   | ledger::was |", 1).replace("${member}", "${person}")
    new = new.replace(
        "| member | 成员   |          |                |            |               |",
        "| person | 成员   |          |                |            |               | member |",
    )
    (change,) = compare(*pair(new, old))
    assert (change.code, change.severity, change.table) == ("FORMS_DIFF_REPEAT_RENAMED", "harmless", "trial_person")
    assert change.what("zh") == "重复组“成员”由 member 改名为 person，台账由 trial_member 变为 trial_person"
    assert required_since(pair(new, old)[::-1]) == frozenset()
    demanding = new.replace("| text                | name   | 姓名   |          |", "| text | name   | 姓名   | yes |")
    assert required_since(pair(demanding, old)[::-1]) == {"/data/person/name"}


def test_words_are_in_the_language_asked_for() -> None:
    labelled = "| type | name | label::中文 (zh) | label::English (en) |\n| text | a | 甲 | First |\n"
    change, *_ = compare(form(labelled, form_id="t"), form("| type | name | label |\n| text | b | 乙 |", form_id="t"))
    removed = next(
        change
        for change in compare(form(labelled), form("| type | name | label |\n| text | b | 乙 |", version="2"))
        if change.code == "FORMS_DIFF_REMOVED"
    )
    assert "First" in removed.what("en")
    assert "甲" in removed.what("zh")
    assert change.code == "FORMS_DIFF_SAME_VERSION"


def test_rules_of_our_own_columns_are_told() -> None:
    old = "| type | name | label | ledger::privacy | ledger::unique |\n| text | id | 证号 | internal | yes |"
    new = "| type | name | label | ledger::privacy | ledger::standard |\n| text | id | 证号 | sensitive | resident_id |"
    assert brief(compare(form(old), form(new, version="2"))) == {
        ("STANDARD", "id", "look"), ("PRIVACY", "id", "look"), ("UNIQUE", "id", "look"),
    }  # fmt: skip
