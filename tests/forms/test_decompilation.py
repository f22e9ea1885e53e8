"""A form that came as XForm only, written as rows, becomes the same form again."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from forms.decompilation import rows_of
from forms.definition import Expression, Form, Itemset, Label
from forms.export import to_xlsx, to_yaml
from forms.reader import load_shipped, read_form, read_rows, shipped
from forms.xform import read_xform
from tests.forms.inline import form
from tests.forms.test_reader import REACH

FORMS = {
    "triggers and defaults": """
        | type | name | label | calculation | trigger | default |
        | text | a | A | | | |
        | text | b | B | concat(${a}, 'x y  z') | ${a} | |
        | text | c | C | | ${a} | |
        | date | d | D | | | today() |
        | text | e | E | | | ${last-saved#a} |
        | text | f | F | | | plain words |
        """,
    "repeats": """
        | type | name | label | relevant | repeat_count | choice_filter | calculation |
        | integer | n | N | | | | |
        | begin_repeat | m | Member ${n} | ${n} > 0 | ${n} + 1 | | |
        | text | nm | Name | | | | |
        | begin_repeat | deep | Deep | | | | |
        | integer | age | Age of ${nm} | ${nm} != '' | | | position(..) + ${n} |
        | end_repeat | | | | | | |
        | end_repeat | | | | | | |
        | select_one ${nm} | head | Head | | | ${nm} != 'x' | |
        | select_one ${nm} | any | Any | | | | |
        | calculate | tot | | | | | sum(${age}) |
        """,
    "selects, media and parameters": """
        | type | name | label | appearance | parameters | choice_filter | hint | media::image | guidance_hint |
        | select_one s or_other | a | A | minimal | | | | a.png | |
        | select_multiple s | b | B ${a} | | randomize=true seed=42 | g=${a} | h | | gg |
        | rank s | c | C | | randomize=true | | | | |
        | range | r | R | | start=1 end=5 step=0.5 | | | | |
        | select_one_from_file x.csv | f | F | | value=id label=nm | k=${a} | | | |
        | select_multiple_from_file y.geojson | g | G | | | | | | |
        | text | t | T | multiline | rows=3 | | | | |
        | image | im | I | | max-pixels=300 | | | | |
        | geopoint | gp | I | | capture-accuracy=3 warning-accuracy=9 | | | | |
        | audit | audit | | | track-changes=true | | | | |
        | acknowledge | ok | OK | | | | | | |
        | barcode | bc | OK | | | | | | |
        | note | nt | n ${a} | | | | | | |
        | csv-external | zz | | | | | | | |
        | xml-external | yy | | | | | | | |
        | start | start | | | | | | | |
        | deviceid | dev | | | | | | | |
        | hidden | hid | | | | | | | |
        choices
        | list_name | name | label | g | media::image |
        | s | x | X | 1 | x.png |
        | s | y | Y ${a} | 2 | |
        | unused | y | Y | 2 | |
        """,
    "languages": """
        | type | name | label::zh | label::en | required | required_message::zh | constraint | constraint_message::en |
        | text | a | 甲 | A | yes | 必填 | . != 'b' | no |
        | select_one s | b | 乙 | B | true() | | | |
        choices
        | list_name | name | label::zh | label::en |
        | s | x | 一 | one |
        | s | y | 二 | |
        """,
    "entities": """
        | type | name | label | save_to |
        | text | a | A | given |
        | text | hid | H |  |
        entities
        | list_name | label | entity_id | update_if | create_if |
        | people | ${a} | ${hid} | ${hid} != '' | ${hid} = '' |
        """,
    "pulldata and our columns": """
        | type | name | label | calculation | ledger::privacy | bind::type |
        | text | a | A | | sensitive | |
        | calculate | b | B | pulldata('people', 'x', 'y', ${a}) | internal | int |
        """,
}


def facts(read: Form) -> dict[str, dict[str, Any]]:
    """Everything of every node but its place, blanks of expressions evened out."""
    return {
        node.path: {
            one.name: even(getattr(node, one.name)) for one in fields(node) if one.name not in ("children", "place")
        }
        for node in read.walk()
    }


def even(value: Any) -> Any:
    if isinstance(value, Expression):
        return "".join(value.source.split())
    if isinstance(value, Label):
        return {language: [even(part) for part in parts] for language, parts in value.texts.items()}, value.media
    if isinstance(value, Itemset):
        return value.choices, even(value.nodeset), value.value, value.label, value.label_is_itext
    return value


def same(first: Form, second: Form) -> None:
    assert facts(first) == facts(second)
    assert first.secondary_instances == second.secondary_instances
    assert first.seed == second.seed
    for name in ("form_id", "version", "title", "root", "languages", "default_language", "namespaces"):
        assert getattr(first, name) == getattr(second, name)
    for actions, others in ((first.actions, second.actions), (first.entities, second.entities)):
        assert [[even(getattr(one, each.name)) for each in fields(one)] for one in actions] == [
            [even(getattr(one, each.name)) for each in fields(one)] for one in others
        ]
    assert even(first.instance_name) == even(second.instance_name)


def again(read: Form) -> Form:
    only = read_xform(read.xform)
    assert not only.rows
    sheets, lost = rows_of(only)
    assert lost == ()
    made = read_xform(read_rows(sheets, "made.xlsx").xform)
    same(only, made)
    return made


@pytest.mark.parametrize("name", shipped())
def test_a_ledger_comes_back_from_its_xform(name: str) -> None:
    again(load_shipped(name))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_comes_back_from_its_xform(name: str) -> None:
    language = {"default_language": "zh"} if name == "languages" else {}
    again(form(FORMS[name], instance_name="concat('r', 1)", style="pages", namespaces='ex="http://e.org"', **language))


@pytest.mark.skipif(not REACH.exists(), reason="the REACH questionnaire is not at hand")
def test_a_large_questionnaire_comes_back_from_its_xform(tmp_path: Path) -> None:
    again(read_form(REACH, cache=tmp_path))


def test_references_are_written_as_names() -> None:
    sheets, _ = rows_of(read_xform(form(FORMS["triggers and defaults"]).xform))
    assert sheets["survey"][1]["calculation"] == "concat( ${a} , 'x y z')"
    assert sheets["survey"][4]["default"] == "${last-saved#a}"


def test_an_xform_only_form_is_written_as_excel_and_yaml(tmp_path: Path) -> None:
    only = read_xform(load_shipped("visit").xform)
    for path, content in ((tmp_path / "v.xlsx", to_xlsx(only)), (tmp_path / "v.yml", to_yaml(only).encode("utf-8"))):
        path.write_bytes(content)
        same(only, read_xform(read_form(path).xform))


HANDMADE = """<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:jr="http://openrosa.org/javarosa"><h:head><h:title>T</h:title><model><instance><data id="t"><a/><r><b/></r>
  <r><b/></r></data></instance><bind nodeset="/data/a" type="int"/>
  <setvalue event="odk-instance-load" ref="/data/a" value="1"/></model></h:head><h:body>
  <input ref="/data/a"><label>A <output value="/data/a + 1"/></label></input>
  <group ref="/data/r"><label>R</label><repeat nodeset="/data/r"><select1 ref="/data/r/b"><label>B</label>
  <item><label>X</label><value>x</value></item></select1></repeat></group></h:body></h:html>"""


def test_what_rows_cannot_say_is_named() -> None:
    sheets, lost = rows_of(read_xform(HANDMADE))
    assert [(problem.place.name, problem.context["part"]) for problem in lost] == [
        ("/data/a", '<setvalue event="odk-instance-load"/>'),
        ("/data/a", '<output value="/data/a + 1"/>'),
        ("/data/r", "instance"),
    ]
    assert [row["type"] for row in sheets["survey"]] == ["integer", "begin_repeat", "select_one b", "end_repeat"]
    assert sheets["choices"][0]["label"] == "X"
