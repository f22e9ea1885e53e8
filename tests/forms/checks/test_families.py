"""Every rule of the checks, with a form that breaks it and its place; the same form mended says nothing."""

from __future__ import annotations

import pytest

from tests.forms.inline import checked

CHOICES = """
choices
| list_name | name | label |
| yn | y | Yes |
| yn | n | No |
"""

BROKEN = {
    # types and nesting
    "type unknown": ("| type | name | label |\n| banana | a | A |", [("TYPE_UNKNOWN", 2, "type")]),
    "type misspelt": ("| type | name | label |\n| interger | a | A |", [("TYPE_UNKNOWN_MEANT", 2, "type")]),
    "type in Chinese": ("| type | name | label |\n| 整数 | a | A |", [("TYPE_UNKNOWN_MEANT", 2, "type")]),
    "type in capitals": ("| type | name | label |\n| Text | a | A |", [("TYPE_UNKNOWN_MEANT", 2, "type")]),
    "type missing": ("| type | name | label |\n| text | a | A |\n| | b | B |", [("TYPE_MISSING", 3, "type")]),
    "select without list": ("| type | name | label |\n| select_one | a | A |", [("TYPE_WITHOUT_LIST", 2, "type")]),
    "nothing asked": ("| type | name | label |\n| end_group | g | |", [
        ("SURVEY_EMPTY", 2, ""), ("END_WITHOUT_BEGIN", 2, "type")]),
    "group never ends": ("| type | name | label |\n| begin_group | g | G |\n| text | a | A |", [
        ("BEGIN_WITHOUT_END", 2, "type")]),
    "end of nothing": ("| type | name | label |\n| text | a | A |\n| end_group | | |", [
        ("END_WITHOUT_BEGIN", 3, "type")]),
    "ends as something else": (
        "| type | name | label |\n| begin_repeat | r | R |\n| text | a | A |\n| end_group | | |",
        [("END_OTHER", 4, "type")]),
    "inner group never ends": (
        "| type | name | label |\n| begin_repeat | r | R |\n| begin_group | g | G |\n| text | a | A |\n"
        "| end_repeat | | |",
        [("BEGIN_WITHOUT_END", 3, "type")]),
    # names
    "name missing": ("| type | name | label |\n| text | | A |\n| text | b | B |", [("NAME_MISSING", 2, "name")]),
    "name with blank": ("| type | name | label |\n| text | my name | A |", [("NAME_INVALID", 2, "name")]),
    "name begins with digit": ("| type | name | label |\n| text | 1st | A |", [("NAME_INVALID", 2, "name")]),
    "name twice": ("| type | name | label |\n| text | a | A |\n| text | a | B |", [("NAME_REPEATED", 3, "name")]),
    "name differs in case": ("| type | name | label |\n| text | a | A |\n| text | A | B |", [("NAME_CASE", 3, "name")]),
    "name kept": ("| type | name | label |\n| text | _id | A |", [("NAME_RESERVED", 2, "name")]),
    "name meta": ("| type | name | label |\n| text | meta | A |", [("NAME_RESERVED", 2, "name")]),
    "name with underscore": ("| type | name | label |\n| text | _x | A |", [("NAME_UNDERSCORE", 2, "name")]),
    # reasons
    "reason for nothing": (
        "| type | name | label | ledger::confirms |\n| text | a | A | |\n| text | b | B | a |",
        [("LEDGER_CONFIRMS_NOTHING", 3, "ledger::confirms")]),
    "reason for what is elsewhere": (
        "| type | name | label | constraint | ledger::confirms |\n| integer | a | A | . < 5 | |\n"
        "| begin_group | g | G | | |\n| text | b | B | | a |\n| end_group | | | | |",
        [("LEDGER_CONFIRMS_UNKNOWN", 4, "ledger::confirms")]),
    "reason that is no text, twice": (
        "| type | name | label | constraint | ledger::confirms |\n| integer | a | A | . < 5 | |\n"
        "| text | b | B | | a |\n| integer | c | C | | a |",
        [("LEDGER_CONFIRMS_TYPE", 4, "ledger::confirms"), ("LEDGER_CONFIRMS_TWICE", 4, "ledger::confirms")]),
    # characters
    "Cyrillic letter": ("| type | name | label |\n| text | n\u0430me | A |", [("CHARACTER_ODD", 2, "name")]),
    "full-width letters": ("| type | name | label |\n| text | ｎame | A |", [("CHARACTER_ODD", 2, "name")]),
    "zero-width in type": ("| type | name | label |\n| te\u200bxt | a | A |", [("CHARACTER_ODD", 2, "type")]),
    "nbsp in name": ("| type | name | label |\n| text | a\u00a0b | A |", [("CHARACTER_ODD", 2, "name")]),
    "curly quotes": ("| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | ${a} = ‘x’ |", [
        ("EXPRESSION_CURLY_QUOTES", 3, "relevant")]),
    "full-width comma": ("| type | name | calculation |\n| text | a | |\n| calculate | b | concat(1，2) |", [
        ("LABEL_MISSING", 2, "label"), ("CHARACTER_ODD", 3, "calculation")]),
    "operators of other languages": (
        "| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | ${a} == 'a==b' && ${a} <> '' |",
        [("EXPRESSION_FOREIGN", 3, "relevant")]),
    "operators in a text": (
        "| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | ${a} = 'a==b && c' |", []),
    "answers that are not offered": (
        "| type | name | label | relevant | default |\n| select_one s | a | A | | yess |\n"
        "| text | b | B | ${a} = 'Yes' or ${a} = 'yes' | |\n| text | c | C | not(selected(${a}, 'z')) | |\n"
        "| text | d | D | ${a} != 2 and ${a} != 3 | |\n"
        "choices\n| list_name | name | label |\n| s | yes | Yes |\n| s | 2 | No |",
        [("CHOICE_NOT_OFFERED_MEANT", 2, "default"), ("CHOICE_NOT_OFFERED_MEANT", 3, "relevant"),
         ("CHOICE_NOT_OFFERED", 4, "relevant"), ("CHOICE_NOT_OFFERED", 5, "relevant")]),
    "a blank in a reference": (
        "| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | ${a } = 1 |",
        [("REFERENCE_BROKEN", 3, "relevant")]),
    "a reference never closed": (
        "| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | ${a = 1 |",
        [("REFERENCE_BROKEN", 3, "relevant")]),
    "braces without a dollar": (
        "| type | name | label | relevant |\n| text | a | A | |\n| text | b | B | regex(${a}, 'x{2}') and {a} = 1 |",
        [("REFERENCE_BROKEN", 3, "relevant"), ("EXPRESSION_CHARACTER", 3, "relevant")]),
    "invisible in choice": ("| type | name | label |\n| select_one l | a | A |\nchoices\n| list_name | name | label |\n"
                            "| l | x\u200b | X |", [("CHARACTER_ODD", 2, "name")]),
    "control character": ("| type | name | label |\n| text | a | A\x01 |", [("CHARACTER_CONTROL", 2, "label")]),
    # references
    "reference unknown": ("| type | name | label | relevant |\n| text | a | A | ${zzz} = 1 |", [
        ("REFERENCE_UNKNOWN", 2, "relevant")]),
    "reference misspelt": (
        "| type | name | label | relevant |\n| text | household | A | |\n| text | b | B | ${houshold} = 1 |",
        [("REFERENCE_UNKNOWN_MEANT", 3, "relevant")]),
    "reference in label": ("| type | name | label |\n| text | a | Hello ${nobody} |", [
        ("REFERENCE_UNKNOWN", 2, "label")]),
    "reference ambiguous": (
        "| type | name | label | relevant |\n| begin_group | g | G | |\n| text | a | A | |\n| end_group | | | |\n"
        "| text | a | A | |\n| text | b | B | ${a} = 1 |",
        [("REFERENCE_AMBIGUOUS", 6, "relevant")]),
    "reference not closed": ("| type | name | label |\n| text | a | A ${a |", [("REFERENCE_BROKEN", 2, "label")]),
    "trigger is no reference": ("| type | name | label | trigger | calculation |\n| text | a | A | | |\n"
                                "| text | b | B | a | 1 |", [("TRIGGER_NOT_REFERENCE", 3, "trigger")]),
    "trigger unknown": ("| type | name | label | trigger | calculation |\n| text | a | A | ${q} | 1 |", [
        ("REFERENCE_UNKNOWN", 2, "trigger")]),
    "triggered name twice": (
        "| type | name | label | trigger | calculation |\n| text | t | T | | |\n| text | a | A | ${t} | 1 |\n"
        "| begin_group | g | G | | |\n| text | a | A | | |\n| end_group | | | | |",
        [("TRIGGER_TARGET_AMBIGUOUS", 3, "name")]),
    # choices
    "list missing": ("| type | name | label |\n| select_one zz | a | A |", [("LIST_UNKNOWN", 2, "type")]),
    "list misspelt": ("| type | name | label |\n| select_one colour | a | A |\nchoices\n| list_name | name | label |\n"
                      "| colours | r | Red |", [("LIST_UNKNOWN_MEANT", 2, "type"), ("LIST_UNUSED", 2, "list_name")]),
    "list unused": ("| type | name | label |\n| text | a | A |" + CHOICES, [("LIST_UNUSED", 2, "list_name")]),
    "list is a file": ("| type | name | label |\n| select_one v.csv | a | A |", [("LIST_IS_FILE", 2, "type")]),
    "file ending": ("| type | name | label |\n| select_one_from_file v.xlsx | a | A |", [
        ("FILE_LIST_ENDING", 2, "type")]),
    "choice twice": ("| type | name | label |\n| select_one l | a | A |\nchoices\n| list_name | name | label |\n"
                     "| l | x | X |\n| l | x | Y |", [("CHOICE_REPEATED", 3, "name")]),
    "choice without name": ("| type | name | label |\n| select_one l | a | A |\nchoices\n| list_name | name | label |\n"
                            "| l | x | X |\n| l | | Y |", [("CHOICE_WITHOUT_NAME", 3, "name")]),
    "choice without list": ("| type | name | label |\n| select_one l | a | A |\nchoices\n| list_name | name | label |\n"
                            "| l | x | X |\n| | y | Y |", [("CHOICE_WITHOUT_LIST", 3, "list_name")]),
    "list empty": ("| type | name | label |\n| select_one l | a | A |\nchoices\n| list_name | name | label |\n"
                   "| l | | |\n| m | y | Y |", [
        ("LIST_EMPTY", 2, "type"), ("CHOICE_WITHOUT_NAME", 2, "name"), ("LIST_UNUSED", 3, "list_name")]),
    "choice with blank": ("| type | name | label |\n| select_multiple l | a | A |\nchoices\n"
                          "| list_name | name | label |\n| l | x y | X |", [("CHOICE_BLANK", 2, "name")]),
    "filter's column": (
        "| type | name | label | choice_filter |\n| text | p | P | |\n| select_one l | a | A | provinse = ${p} |\n"
        "choices\n| list_name | name | label | province |\n| l | x | X | 1 |",
        [("FILTER_COLUMN_MEANT", 3, "choice_filter")]),
    "filter's unknown column": (
        "| type | name | label | choice_filter |\n| text | p | P | |\n| select_one l | a | A | qqq = ${p} |\nchoices\n"
        "| list_name | name | label |\n| l | x | X |",
        [("FILTER_COLUMN", 3, "choice_filter")]),
    # expressions
    "unknown function": ("| type | name | calculation |\n| calculate | a | lenght('x') |", [
        ("EXPRESSION_UNKNOWN_FUNCTION", 2, "calculation")]),
    "argument count": ("| type | name | calculation |\n| calculate | a | if(1, 2) |", [
        ("EXPRESSION_ARGUMENT_COUNT", 2, "calculation")]),
    "calculation missing": ("| type | name |\n| calculate | a |", [("CALCULATION_MISSING", 2, "calculation")]),
    # columns, labels
    "column misspelt": ("| type | name | label | relevent |\n| text | a | A | 1 |", [
        ("COLUMN_UNKNOWN_MEANT", None, "relevent")]),
    "columns of one's own": ("| type | name | label | remark |\n| text | a | A | mine |", [
        ("COLUMNS_IGNORED", None, "")]),
    "column missing": ("| type | nam | label |\n| text | a | A |", [
        ("COLUMN_MISSING_MEANT", None, "name"), ("COLUMN_UNKNOWN_MEANT", None, "nam")]),
    "prefix unknown": ("| type | name | label | bind::foo:bar |\n| text | a | A | x |", [
        ("COLUMN_PREFIX", None, "bind::foo:bar")]),
    "label missing": ("| type | name | label |\n| text | a | |", [("LABEL_MISSING", 2, "label")]),
    "choice label missing": ("| type | name | label |\n| select_one l | a | A |\nchoices\n"
                             "| list_name | name | label |\n| l | x | X |\n| l | y | |", [
        ("CHOICE_LABEL_MISSING", 3, "label")]),
    "translation hole": ("| type | name | label::zh | label::en |\n| text | a | 甲 | A |\n| text | b | 乙 | |", [
        ("TRANSLATION_HOLE", 3, "label::en")]),
    # appearances and parameters
    "appearance misspelt": ("| type | name | label | appearance |\n| text | a | A | mutliline |", [
        ("APPEARANCE_UNKNOWN_MEANT", 2, "appearance")]),
    "appearance unknown": ("| type | name | label | appearance |\n| text | a | A | sparkling |", [
        ("APPEARANCE_UNKNOWN", 2, "appearance")]),
    "parameters no pairs": ("| type | name | label | parameters |\n| range | a | A | from 1 to 5 |", [
        ("PARAMETERS_BROKEN", 2, "parameters")]),
    "parameter unknown": ("| type | name | label | parameters |\n| text | a | A | lines=5 |", [
        ("PARAMETER_UNKNOWN", 2, "parameters")]),
    "parameter misspelt": ("| type | name | label | parameters |\n| range | a | A | strat=5 end=9 |", [
        ("PARAMETER_UNKNOWN_MEANT", 2, "parameters")]),
    "parameter value": ("| type | name | label | parameters |\n| text | a | A | rows=many |", [
        ("PARAMETER_VALUE", 2, "parameters")]),
    "range step": ("| type | name | label | parameters |\n| range | a | A | start=1 end=5 step=0 |", [
        ("RANGE_STEP", 2, "parameters")]),
    "seed alone": ("| type | name | label | parameters |\n| select_one yn | a | A | seed=3 |" + CHOICES, [
        ("PARAMETER_SEED", 2, "parameters")]),
    # our own columns
    "privacy": ("| type | name | label | ledger::privacy |\n| text | a | A | publik |", [
        ("LEDGER_VALUE_MEANT", 2, "ledger::privacy")]),
    "standard": ("| type | name | label | ledger::standard |\n| text | a | A | zodiac |", [
        ("LEDGER_VALUE", 2, "ledger::standard")]),
    "standard on a group": (
        "| type | name | label | ledger::standard |\n| begin_group | g | G | mobile |\n| text | a | A | |\n"
        "| end_group | | | |",
        [("LEDGER_ON_GROUP", 2, "ledger::standard")]),
    "ledger column": ("| type | name | label | ledger::privatcy |\n| text | a | A | public |", [
        ("COLUMN_UNKNOWN_MEANT", None, "ledger::privatcy")]),
    "unknown ledger column": ("| type | name | label | ledger::zzz |\n| text | a | A | public |", [
        ("LEDGER_COLUMN_UNKNOWN", None, "ledger::zzz")]),
    "map without place": ("| type | name | label | ledger::map |\n| text | a | A | circle |", [
        ("LEDGER_MAP_NO_GEOMETRY", 2, "ledger::map")]),
    "map colour": ("| type | name | label | ledger::map |\n| geopoint | a | A | circle #12 |", [
        ("LEDGER_MAP", 2, "ledger::map")]),
    "two villages": (
        "| type | name | label | ledger::standard |\n| text | a | A | village |\n| text | b | B | village |",
        [("LEDGER_VILLAGE_TWICE", 3, "ledger::standard")]),
    # entities
    "save_to alone": ("| type | name | label | save_to |\n| text | a | A | head |", [
        ("SAVE_TO_WITHOUT_ENTITY", 2, "save_to")]),
    "entity without ledger": (
        "| type | name | label | save_to |\n| text | a | A | head |\nentities\n| label |\n| ${a} |",
        [("ENTITY_WITHOUT_LIST", 2, "list_name")]),
    # sheets
    "sheet misspelt": ("| type | name | label |\n| text | a | A |\nchoises\n| list_name | name |\n| l | x |", [
        ("SHEET_UNKNOWN_MEANT", None, "")]),
    "sheet unknown": ("| type | name | label |\n| text | a | A |\nremarks\n| list_name | name |\n| l | x |", [
        ("SHEET_UNKNOWN", None, "")]),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_reported_with_its_place(case: str) -> None:
    text, wanted = BROKEN[case]
    assert checked(text) == wanted


GOOD = """
| type | name | label | hint | required | relevant | constraint | calculation | appearance | parameters | choice_filter | trigger | ledger::privacy | ledger::standard | ledger::map |
| start | start | | | | | | | | | | | | | |
| text | 村名 | 村 | | yes | | | | multiline | rows=3 | | | public | | |
| integer | age | Age | | true() | string-length(${村名}) > 1 | . >= 0 and . < 150 | | | | | | internal | | |
| select_one yn | agreed | Agreed | | | | | | minimal | | kind = ${age} | | | | |
| select_multiple yn or_other | several | Several | | | | | | columns-pack w2 | randomize=true seed=3 | | | | | |
| text | agreed_other_note | Other | | | ${several_other} != '' | | | | | | | | | |
| select_one ${member_name} | best | Best | | | | | | | | | | | | |
| select_one_from_file v.csv | village | Village | | | | | | minimal autocomplete | value=code | region = ${age} | | | village | |
| begin repeat | member | Member | | | | | | field-list | | | | | | |
| text | member_name | Name of ${村名}’s | | | | | | | | | | | | |
| text | id_number | ID | | | | | | numbers | | | | sensitive | resident_id | |
| date | born | Born | | | | | '2000-01-01' | no-calendar | | | ${id_number} | minor | | |
| end repeat | | | | | | | | | | | | | | |
| calculate | total | | | | | | count(${member}) + ${last-saved#age} | | | | | | | |
| calculate | said | | | | | | concat('“', ${村名}, '”，') | | | | | | | |
| range | how | How | | | | | | rating | start=1 end=5 step=0.5 | | | | | |
| geopoint | where | Where | | | | | | placement-map | | | | | | star #c62828 |
| note | thanks | Thanks “all” | | | | | | | | | | | | |
choices
| list_name | name | label | kind |
| yn | y | Yes | 1 |
| yn | 否 | No | 2 |
"""  # noqa: E501


def test_a_form_that_uses_the_language_well_has_nothing_to_report() -> None:
    assert checked(GOOD, instance_name="concat(${村名}, ' ', ${age})") == []


def test_settings_are_checked() -> None:
    survey = "| type | name | label::中文 (zh) |\n| text | a | 甲 |"
    assert checked(survey, form_id="", version="") == [
        ("FORM_ID_MISSING", None, "form_id"), ("VERSION_MISSING", 2, "version"),
    ]  # fmt: skip
    assert checked(survey, name="a b") == [("NAME_INVALID", 2, "name")]
    assert checked(survey, namespaces='foo="http://x"') == []
    assert checked(survey, form_id="my form") == [("FORM_ID_INVALID", 2, "form_id")]
    assert checked(survey, default_language="中文") == [("DEFAULT_LANGUAGE", 2, "default_language")]
    assert checked(survey, default_language="中文 (zh)") == []
    assert checked(survey, instance_name="${b}") == [("REFERENCE_UNKNOWN", 2, "instance_name")]


def test_all_faults_are_reported_at_once_errors_first() -> None:
    found = checked("""
    | type | name | label | relevant | remark |
    | txt | a b | A | | x |
    | select_one gone | c | | ${nowhere} = “1” | |
    | begin_group | g | G | | |
    """)
    assert [code for code, _, _ in found] == [
        "TYPE_UNKNOWN_MEANT", "EXPRESSION_CURLY_QUOTES", "LIST_UNKNOWN", "REFERENCE_UNKNOWN", "LABEL_MISSING",
        "BEGIN_WITHOUT_END", "COLUMNS_IGNORED",
    ]  # fmt: skip


def test_duplicate_choices_pass_where_the_settings_allow_them() -> None:
    text = """
    | type | name | label |
    | select_one l | a | A |
    choices
    | list_name | name | label |
    | l | x | X |
    | l | x | Y |
    """
    assert checked(text, allow_choice_duplicates="yes") == []


def test_a_disabled_row_is_as_if_it_were_not_there() -> None:
    text = """
    | type | name | label | disabled |
    | text | a | A | |
    | banana | a | | yes |
    | begin_group | g | | TRUE |
    """
    assert checked(text) == []


def test_blanks_are_fine_in_the_names_of_select_one_choices() -> None:
    text = "| type | name | label |\n| select_one l | a | A |\nchoices\n| list_name | name | label |\n| l | x y | X |"
    assert checked(text) == []
