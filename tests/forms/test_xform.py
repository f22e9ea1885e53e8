"""Reading hand-written XForms: unusual but legal structure, as other tools and people write it."""

from __future__ import annotations

import pytest

from forms.definition import Expression, Form, Group, Question, Repeat
from forms.xform import FormError, read_xform

NAMESPACES = (
    'xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" '
    'xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms" '
    'xmlns:odk="http://www.opendatakit.org/xforms" xmlns:ev="http://www.w3.org/2001/xml-events" '
    'xmlns:ledger="https://cunce.org/xforms/ledger" xmlns:entities="http://www.opendatakit.org/xforms/entities"'
)


def xform(instance: str, binds: str = "", body: str = "", itext: str = "", more: str = "") -> Form:
    return read_xform(
        f'<?xml version="1.0" encoding="utf-8"?><h:html {NAMESPACES}><h:head><h:title>Trial</h:title><model>'
        f"{itext}<instance>{instance}</instance>{more}{binds}</model></h:head><h:body>{body}</h:body></h:html>"
    )


def question(form: Form, path: str) -> Question:
    return next(node for node in form.questions() if node.path == path)


def source(expression: Expression | None) -> str:
    assert expression is not None
    return expression.source


def test_identity_comes_from_the_root_of_the_instance() -> None:
    form = xform('<data id="f" version="7"><a/></data>')
    assert (form.form_id, form.version, form.title, form.root) == ("f", "7", "Trial", "data")
    other = xform('<d xmlns="http://example.org/f" orx:version="8"><a/></d>')
    assert (other.form_id, other.version) == ("http://example.org/f", "8")


def test_binds_may_be_relative_nested_and_prefixed() -> None:
    form = xform(
        '<data id="f"><g><a>3</a></g><orx:meta><orx:instanceID/></orx:meta></data>',
        '<bind nodeset="/data/g" relevant="true()"><bind nodeset="a" type="xsd:int" required="true()"/></bind>'
        '<bind nodeset="/data/meta/instanceID" jr:preload="uid" type="string"/>',
    )
    a = question(form, "/data/g/a")
    assert (a.data_type, a.default, source(a.required), a.type) == ("int", "3", "true()", "hidden")
    assert (form.meta_path, form.instance_id_path) == ("/data/orx:meta", "/data/orx:meta/orx:instanceID")
    assert question(form, form.instance_id_path).preload == ("uid", "")


def test_a_control_may_name_its_bind_by_id() -> None:
    form = xform(
        '<data id="f"><a/></data>', '<bind id="x" nodeset="/data/a" type="date"/>',
        '<input bind="x"><label>When</label></input>',
    )  # fmt: skip
    assert (question(form, "/data/a").type, question(form, "/data/a").label.plain()) == ("date", "When")


@pytest.mark.parametrize(
    ("control", "bind", "wanted"),
    [
        ("<input ref='/data/a'/>", "string", "text"),
        ("<input ref='/data/a'/>", "int", "integer"),
        ("<input ref='/data/a'/>", "decimal", "decimal"),
        ("<input ref='/data/a'/>", "dateTime", "datetime"),
        ("<input ref='/data/a'/>", "geoshape", "geoshape"),
        ("<input ref='/data/a'/>", "barcode", "barcode"),
        ("<secret ref='/data/a'/>", "string", "text"),
        ("<range ref='/data/a' start='1' end='5' step='1'/>", "int", "range"),
        ("<trigger ref='/data/a'/>", "string", "acknowledge"),
        ("<select ref='/data/a'/>", "string", "select_multiple"),
        ("<odk:rank ref='/data/a'/>", "odk:rank", "rank"),
        ("<upload ref='/data/a' mediatype='image/*'/>", "binary", "image"),
        ("<upload ref='/data/a' mediatype='application/pdf'/>", "binary", "file"),
        ("<input ref='/data/a' query=\"instance('c')/root/item\"/>", "string", "select_one_external"),
    ],
)
def test_the_type_is_derived_back_from_control_and_bind(control: str, bind: str, wanted: str) -> None:
    form = xform('<data id="f"><a/></data>', f'<bind nodeset="/data/a" type="{bind}"/>', control)
    assert question(form, "/data/a").type == wanted


@pytest.mark.parametrize(
    ("attributes", "wanted"),
    [
        ('calculate="1 + 1"', "calculate"),
        ('jr:preload="timestamp" jr:preloadParams="end"', "end"),
        ('jr:preload="date" jr:preloadParams="today"', "today"),
        ('jr:preload="property" jr:preloadParams="deviceid"', "deviceid"),
        ("", "hidden"),
    ],
)
def test_a_node_without_control_is_metadata_calculation_or_hidden(attributes: str, wanted: str) -> None:
    form = xform('<data id="f"><a/></data>', f'<bind nodeset="/data/a" {attributes}/>')
    assert (question(form, "/data/a").type, question(form, "/data/a").shown) == (wanted, False)


def test_a_readonly_text_without_value_is_a_note() -> None:
    form = xform('<data id="f"><a/></data>', '<bind nodeset="/data/a" readonly="true()"/>', '<input ref="/data/a"/>')
    assert question(form, "/data/a").type == "note"


def test_labels_have_outputs_languages_media_and_guidance() -> None:
    form = xform(
        '<data id="f"><a/><b/></data>',
        body="""<input ref="/data/a"><label ref="jr:itext('a')"/><hint ref="jr:itext('h')"/></input>
                <input ref="/data/b"><label>Hello <output value="/data/a"/>,
                  again</label></input>""",
        itext="""<itext><translation lang="fr"><text id="a"><value>Qui <output value=" /data/b "/> ?</value>
            <value form="image">jr://images/a.png</value></text>
            <text id="h"><value>aide</value><value form="guidance">plus</value></text></translation>
          <translation lang="zh" default="true()"><text id="a"><value>-</value></text>
            <text id="h"><value>-</value></text></translation></itext>""",
    )
    a, b = question(form, "/data/a"), question(form, "/data/b")
    assert (form.languages, form.default_language) == (("fr", "zh"), "zh")
    assert [part if isinstance(part, str) else part.source for part in a.label.texts["fr"]] == ["Qui ", "/data/b", " ?"]
    assert a.label.texts["zh"] == a.label.texts["fr"], "a hole that pyxform filled with a dash gets other words"
    assert a.label.media == {"fr": {"image": "a.png"}}
    assert (a.hint.plain("fr"), a.guidance.plain("fr")) == ("aide", "plus")
    assert b.label.plain().startswith("Hello …,")
    assert form.itext_media["fr"]["a"] == {"image": "a.png"}


def test_choices_stand_in_the_body_or_in_a_nodeset() -> None:
    form = xform(
        '<data id="f"><a/><b/><c/><r><n/></r></data>',
        more='<instance id="l"><root><item><name>x</name><label>X</label></item></root></instance>'
        '<instance id="v" src="jr://file-csv/village.csv"/><instance id="__last-saved" src="jr://instance/last-saved"/>',
        body="""<select1 ref="/data/a"><item><label>One</label><value>1</value></item>
                  <item><label ref="jr:itext('none')"/><value>2</value></item></select1>
                <select ref="/data/b"><itemset nodeset="randomize(instance('l')/root/item[name != ''], 3)">
                  <value ref="name"/><label ref="jr:itext(itextId)"/></itemset></select>
                <select1 ref="c"><itemset nodeset="../r[./n != '']"><copy ref="n"/><label ref="n"/></itemset></select1>
                <group ref="/data/r"><repeat nodeset="/data/r"><input ref="n"/></repeat></group>""",
    )
    a, b, c = (question(form, f"/data/{name}").itemset for name in "abc")
    assert a is not None
    assert b is not None
    assert c is not None
    assert [(choice.name, choice.label.plain()) for choice in a.choices] == [("1", "One"), ("2", "")]
    assert (b.list_name, b.label, b.label_is_itext, b.value) == ("l", "itextId", True, "name")
    assert (source(c.nodeset), c.value, c.label, c.list_name) == ("../r[./n != '']", "n", "n", "")
    assert question(form, "/data/r/n").shown
    assert "<item" in form.secondary_instances["l"].xml
    assert form.secondary_instances["v"].source == "village.csv"
    assert form.secondary_instances["__last-saved"].source == "last-saved"


def test_a_repeat_counts_its_instances_and_takes_defaults_from_its_template() -> None:
    form = xform(
        '<data id="f"><n/><r jr:template=""><a>t</a></r><r><a>1</a></r><r><a>2</a></r><s><b>5</b></s><q jr:template="">'
        "<c/></q></data>",
        body="""<group ref="/data/r"><label>Rows</label><repeat nodeset="/data/r" jr:count="/data/n"
                  jr:noAddRemove="true()"><input ref="/data/r/a"/></repeat></group>
                <repeat nodeset="s" jr:noAddRemove="false()"><input ref="b"/></repeat>""",
    )
    r, s, q = (node for node in form.walk() if isinstance(node, Repeat))
    assert (r.initial, r.label.plain(), source(r.count), r.fixed) == (2, "Rows", "/data/n", True)
    assert (s.initial, s.fixed, s.path) == (1, False, "/data/s")
    assert (q.initial, q.path) == (0, "/data/q")
    assert (question(form, "/data/r/a").default, question(form, "/data/s/b").default) == ("t", "5")
    texts = [(seed.template, seed.children[0].text) for seed in form.seed.children if seed.name == "r"]
    assert texts == [(True, "t"), (False, "1"), (False, "2")]


def test_nested_repeats_and_groups_without_reference() -> None:
    form = xform(
        '<data id="f"><o jr:template=""><i jr:template=""><x/></i></o><g><y/></g></data>',
        body="""<group appearance="field-list"><label>Only for show</label>
                  <group ref="/data/o"><repeat nodeset="/data/o"><group><label>In</label>
                    <repeat nodeset="i"><input ref="x"/></repeat></group></repeat></group>
                  <input ref="/data/g/y"/></group>""",
    )
    assert [type(node).__name__ for node in form.walk()] == ["Repeat", "Repeat", "Question", "Group", "Question"]
    assert question(form, "/data/o/i/x").shown
    group = next(node for node in form.walk() if isinstance(node, Group))
    assert (group.path, group.shown) == ("/data/g", False)


def test_a_group_that_holds_a_repeat_beside_questions_is_a_group_of_its_own() -> None:
    form = xform(
        '<data id="f"><g><a/><r><b/></r></g></data>', '<bind nodeset="data/g/a" type="int"/>',
        """<group ref="/data/g"><label>Outer</label><input ref="/data/g/a"/>
           <repeat nodeset="/data/g/r"><input ref="/data/g/r/b"/></repeat></group>""",
    )  # fmt: skip
    group, a, repeat, _ = form.walk()
    assert isinstance(group, Group)
    assert isinstance(repeat, Repeat)
    assert (group.label.plain(), group.shown, repeat.label.plain()) == ("Outer", True, "")
    assert isinstance(a, Question)
    assert (a.type, a.shown) == ("integer", True)


def test_actions_stand_in_model_controls_and_repeats() -> None:
    form = xform(
        '<data id="f"><a/><r><b/><c/></r></data>',
        '<setvalue event="odk-instance-first-load odk-instance-load" ref="/data/a" value="now()"/>'
        '<setvalue ev:event="odk-instance-load" ref="/data/r[position() = 1]/b">words</setvalue>',
        """<input ref="/data/a"><setvalue event="xforms-value-changed" ref="/data/r/c" value="1"/></input>
           <group ref="/data/r"><repeat nodeset="/data/r"><setvalue event="odk-new-repeat" ref="b" value="2"/>
             <input ref="b"><setvalue event="xforms-value-changed" ref="../c"/></input></repeat></group>""",
    )
    body = [action for action in form.actions if action.trigger or action.repeat]
    model = [action for action in form.actions if not (action.trigger or action.repeat)]
    assert [(action.target, action.events) for action in model] == [
        ("/data/a", ("odk-instance-first-load", "odk-instance-load")), ("/data/r/b", ("odk-instance-load",)),
    ]  # fmt: skip
    assert (model[1].literal, model[1].value, model[1].ref) == ("words", None, "/data/r[position() = 1]/b")
    assert [(action.target, action.trigger, action.repeat) for action in body] == [
        ("/data/r/c", "/data/a", ""), ("/data/r/b", "", "/data/r"), ("/data/r/c", "/data/r/b", "/data/r"),
    ]  # fmt: skip


def test_our_own_columns_and_entities_are_read_from_the_bind() -> None:
    form = xform(
        '<data id="f"><a/><meta><entity dataset="household" id="" create="1"><label/></entity><instanceName/></meta>'
        "</data>",
        '<bind nodeset="/data/a" ledger:privacy="minor" ledger:was="old" entities:saveto="head"/>'
        '<bind nodeset="/data/meta/entity/@id" type="string"/>'
        '<setvalue ref="/data/meta/entity/@id" event="odk-instance-first-load" value="uuid()"/>'
        '<bind nodeset="/data/meta/entity/label" calculate="/data/a"/>'
        '<bind nodeset="/data/meta/instanceName" calculate=" /data/a "/>',
    )
    a = question(form, "/data/a")
    assert (dict(a.ledger), a.entity) == ({"privacy": "minor", "was": "old"}, "head")
    (entity,) = form.entities
    assert (entity.dataset, entity.path, entity.update_if) == ("household", "/data/meta/entity", None)
    assert (source(entity.entity_id), source(entity.label), source(entity.create_if)) == ("uuid()", "/data/a", "true()")
    assert source(form.instance_name) == "/data/a"


def test_messages_of_rules_come_from_itext_or_stand_in_the_bind() -> None:
    form = xform(
        '<data id="f"><a/><b/></data>',
        """<bind nodeset="/data/a" constraint=". &gt; 1" jr:constraintMsg="jr:itext('m')" readonly="false()"/>
           <bind nodeset="/data/b" required="true()" jr:requiredMsg="Needed"/>""",
        itext='<itext><translation lang="zh"><text id="m"><value>太小</value></text></translation></itext>',
    )
    a, b = question(form, "/data/a"), question(form, "/data/b")
    assert (a.constraint_message.plain("zh"), a.readonly) == ("太小", None)
    assert b.required_message.plain() == "Needed"


def test_a_bind_that_leads_nowhere_is_a_warning_and_a_control_an_error() -> None:
    form = xform('<data id="f"><a/></data>', '<bind nodeset="/data/gone" type="int"/>')
    assert [warning.code for warning in form.warnings] == ["FORMS_XFORM_BIND_LOST"]
    with pytest.raises(FormError) as error:
        xform('<data id="f"><a/></data>', body='<input ref="/data/x"/><select1 ref="/data/y"/>')
    assert [problem.code for problem in error.value.problems] == ["FORMS_XFORM_REF_UNKNOWN"] * 2


def test_parameters_are_the_controls_further_attributes() -> None:
    form = xform(
        '<data id="f"><a/><b/></data>', '<bind nodeset="/data/b" type="binary" orx:max-pixels="1024"/>',
        '<range ref="/data/a" start="1" end="9" step="2" appearance="rating"/>'
        '<upload ref="/data/b" mediatype="image/*"/>',
    )  # fmt: skip
    assert question(form, "/data/a").parameters == {"start": "1", "end": "9", "step": "2"}
    assert question(form, "/data/b").parameters == {"max-pixels": "1024"}
    assert question(form, "/data/a").appearance == ("rating",)


def test_no_entity_of_a_document_is_expanded() -> None:
    bomb = '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'
    with pytest.raises(FormError) as error:
        read_xform(bomb)
    assert error.value.code == "FORMS_XFORM_DOCTYPE"
