"""Versions of a form as one set of tables: what a renamed repeat was, and what it was not."""

from __future__ import annotations

from forms.lineage import pairs, union
from forms.tables import tables_of
from tests.forms.inline import form

REPEAT = """
    | type         | name | label | ledger::was |
    | begin repeat | {0}  | 成员  | {1}         |
    | text         | a    | 甲    |             |
    | begin repeat | card | 证件  |             |
    | text         | b    | 乙    |             |
    | end repeat   |      |       |             |
    | end repeat   |      |       |             |
    {2}
"""


def test_a_renamed_repeats_tables_are_one_with_what_they_were() -> None:
    old, new = tables_of(form(REPEAT.format("member", "", ""))), tables_of(form(REPEAT.format("person", "member", "")))
    newest = tables_of(form(REPEAT.format("resident", "person", "")))
    merged = union([newest, new, old])
    assert [(table.name, table.parent) for table in merged] == [
        ("trial", ""), ("trial_resident", "trial"), ("trial_resident_card", "trial_resident"),
    ]  # fmt: skip
    assert set(merged[1].older_names) == {"trial_person", "trial_member"}
    assert set(merged[2].older_names) == {"trial_person_card", "trial_member_card"}
    assert set(merged[1].older_keys) == {"person", "member"}
    assert set(union([new])[2].older_names) == {"trial_member_card"}, "known though the older version is not here"
    assert [(one.name, other.name) for one, other in pairs(old, new)] == [
        ("trial", "trial"), ("trial_member", "trial_person"), ("trial_member_card", "trial_person_card"),
    ]  # fmt: skip


def test_two_repeats_of_one_version_stay_two_tables() -> None:
    other = "| begin repeat | {0} | 客人 | |\n | text | c | 丙 | |\n | end repeat | | | |"
    old = tables_of(form(REPEAT.format("member", "", other.format("person"))))
    new = tables_of(form(REPEAT.format("person", "member", "")))
    merged = {table.name: table for table in union([new, old])}
    assert [column.name for column in merged["trial_person"].columns] == ["a", "c"]
    assert (merged["trial_person"].older_keys, merged["trial_person"].older_names) == ((), ())
    assert merged["trial_member"].parent == "trial"
