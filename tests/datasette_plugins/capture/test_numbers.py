"""The page numbers its questions as the paper form does."""

from __future__ import annotations

from datasette_plugins.capture.outline import Outline
from datasette_plugins.capture.viewing import Viewing
from forms.instance import Instance
from forms.numbering import numbers_of
from forms.program import compile_form
from forms.reader import load_shipped


def test_every_question_has_the_paper_forms_number_in_every_row_and_though_irrelevant() -> None:
    form = load_shipped("household")
    instance = Instance.new(compile_form(form))
    instance.add("/data/member")
    views = {view.ref: view for view in Outline(Viewing(instance, language="zh", tried=False)).views()}
    numbers = numbers_of(form)
    assert views["/data/member[1]/name"].number == views["/data/member[2]/name"].number == numbers["/data/member/name"]
    assert {view.node.path: view.number for view in views.values() if view.node and view.number} == dict(numbers)
    assert any(view.number and not view.on for view in views.values())
