"""XLSForm's features through pyxform and back: what a form's rows mean is what the Form holds."""

from __future__ import annotations

import pytest

from forms.clock import SystemClock
from forms.definition import Form, Group, Question, Repeat
from forms.instance import Instance
from forms.program import compile_form
from tests.forms.inline import form

MANY = """
| type | name | label | calculation | appearance | parameters | repeat_count | default | save_to | image |
| start-geopoint | began_at | | | | | | | | |
| select_one yn or_other | liked | Liked | | | | | | | |
| begin_group | grid | Grid | | table-list | | | | | |
| select_one yn | first | First | | | | | | | |
| end_group | | | | | | | | | |
| begin_repeat | row | Row | | field-list | | 3 + 1 | | | |
| text | thing | Thing | | | | | | thing_name | |
| calculate | looked_up | | pulldata('things', 'a', 'b', ${thing}) | | | | | | |
| end_repeat | | | | | | | | | |
| select_one_from_file places.geojson | place | Place | | map | | | | | |
| geopoint | where | Where | | | capture-accuracy=5 | | | | |
| image | picture | Picture | | annotate | max-pixels=640 | | x.png | | pic.png |
| text | long | Long | | multiline | rows=5 | | | | |
| select_multiple yn | several | Several | | minimal | randomize=true | | y n | | |
| date | day | Day | | | | | today() | | |
| percentage | share | Share | | | | | | | |
choices
| list_name | name | label | image | region |
| yn | y | Yes ${long} | a.png | 1 |
| yn | n | No | | 2 |
entities
| list_name | label | repeat |
| thing | ${thing} | ${row} |
"""


@pytest.fixture(scope="module")
def many() -> Form:
    return form(MANY, instance_name="${long}")


def question(read: Form, name: str) -> Question:
    return next(node for node in read.questions() if node.name == name)


def test_or_other_makes_a_question_of_its_own(many: Form) -> None:
    other = question(many, "liked_other")
    assert (other.type, other.relevant is not None) == ("text", True)


def test_groups_and_repeats_keep_label_appearance_and_count(many: Form) -> None:
    row = next(node for node in many.walk() if isinstance(node, Repeat))
    grid = next(node for node in many.walk() if isinstance(node, Group))
    assert (row.label.plain(), row.appearance, row.fixed) == ("Row", ("field-list",), True)
    assert row.count is not None
    assert (row.count.source, row.count.place.row, row.count.place.column) == ("/data/row_count", 7, "repeat_count")
    assert "field-list" in grid.appearance


def test_parameters_media_defaults_and_actions(many: Form) -> None:
    assert question(many, "where").parameters == {"accuracyThreshold": "5"}
    assert question(many, "long").parameters == {"rows": "5"}
    picture = question(many, "picture")
    assert (picture.parameters["max-pixels"], picture.mediatype) == ("640", "image/*")
    assert picture.label.media == {"": {"image": "pic.png"}}
    assert question(many, "several").default == "y n"
    day = next(action for action in many.actions if action.target == "/data/day")
    assert (day.events, day.value and day.value.source) == (("odk-instance-first-load",), "today()")
    assert question(many, "share").type == "integer"


def test_choices_have_labels_media_and_further_columns(many: Form) -> None:
    several = question(many, "several").itemset
    assert several is not None
    assert (several.list_name, several.nodeset and several.nodeset.source.startswith("randomize(")) == ("yn", True)
    assert "<region>2</region>" in many.secondary_instances["yn"].xml
    assert many.itext_media[""]["yn-0"] == {"image": "a.png"}
    assert many.secondary_instances["places"].source == "places.geojson"
    assert many.languages == ()


def test_entities_of_a_repeat_name_the_ledger_and_the_property(many: Form) -> None:
    (entity,) = many.entities
    assert (entity.dataset, entity.path) == ("thing", "/data/row/meta/entity")
    assert question(many, "thing").entity == "thing_name"


def test_it_all_runs(many: Form) -> None:
    instance = Instance.new(compile_form(many), clock=SystemClock())
    instance.set("/data/long", "words")
    assert instance.instance_name == "words"
    assert len([state for state in instance.walk() if state.ref.endswith("/thing")]) == 4


def test_what_a_laptop_cannot_take_is_a_warning_with_its_row(many: Form) -> None:
    found = {(warning.code, warning.place.row) for warning in many.warnings}
    assert ("FORMS_HERE_NOT_TAKEN", 2) in found


def test_functions_that_odk_collect_lacks_are_a_warning() -> None:
    read = form("| type | name | calculation |\n| calculate | a | local-name(.) |")
    assert [warning.code for warning in read.warnings] == ["FORMS_COLLECT_LACKS"]
