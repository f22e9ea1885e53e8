"""Paths as ODK reads them: the current instance of a repeat, irrelevant nodes, secondary instances by index."""

from __future__ import annotations

import pytest

from forms.expressions import Context, ExpressionError, Node, Scope, Tree, compile_expression
from forms.expressions.documents import read_document
from tests.forms.expressions.household import REPEATS, evaluate, household, leaf, texts


@pytest.mark.parametrize(
    ("source", "at", "expected"),
    [
        ("/data/member/name", "/data/member[2]/age", ["Wang"]),
        ("/data/member/name", "/data/size", ["Li", "Wang", "Zhao"]),
        ("/data/member/job/title", "/data/member[1]/name", ["smith", "cook"]),
        ("/data/member/job/title", "/data/member[1]/job[2]/title", ["cook"]),
        ("/data/member", "/data/member[2]/age", ["Li40smithcook", "Wang12pupil", "Zhao"]),
        ("/data/member/job", "/data/member[1]/job[1]/title", ["smith", "cook"]),
        ("/data/member[true()]/name", "/data/member[2]/age", ["Li", "Wang", "Zhao"]),
        ("/data/member[1]/name", "/data/member[2]/age", ["Li"]),
        ("/data/member/job[1]/title", "/data/member[1]/job[2]/title", ["smith"]),
        ("../name", "/data/member[2]/age", ["Wang"]),
        ("../../member/name", "/data/member[2]/age", ["Li", "Wang", "Zhao"]),
        ("../job/title", "/data/member[1]/age", ["smith", "cook"]),
        ("current()/../name", "/data/member[2]/age", ["Wang"]),
        ("/data/member[name = current()/../name]/age", "/data/member[2]/age", ["12"]),
        ("/data/member[name = /data/member/name]/age", "/data/member[2]/age", ["12"]),
        ("//title", "/data/member[2]/age", ["smith", "cook", "pupil"]),
        ("/data/meta/instanceID", "/data/member[2]/age", ["u1"]),
        ("/data/nothing", "/data/size", []),
    ],
)
def test_path_selects(source: str, at: str, expected: list[str]) -> None:
    assert texts(evaluate(source, at)) == expected


@pytest.mark.parametrize(
    ("source", "at", "expected"),
    [
        ("count(/data/member)", "/data/member[2]/age", 3.0),
        ("position(..)", "/data/member[2]/age", 2.0),
        ("sum(/data/member/age)", "/data/member[1]/age", 40.0),
        ("indexed-repeat(/data/member/name, /data/member, position(..) - 1)", "/data/member[3]/age", ["Wang"]),
        ("indexed-repeat(../name, .., 1)", "/data/member[3]/age", ["Li"]),
        ("indexed-repeat(/data/member/job/title, /data/member, 1, /data/member/job, 2)", "/data/size", ["cook"]),
        ("indexed-repeat(/data/member/name, /data/member, 4)", "/data/size", []),
        ("indexed-repeat(/data/member/job/title, /data/member/job, 2)", "/data/member[1]/age", ["cook"]),
        ("indexed-repeat(/data/member/job/title, /data/member/job, 1)", "/data/member[2]/age", ["pupil"]),
        ("indexed-repeat(/data/member/job/title, /data/member/job, 3)", "/data/size", ["pupil"]),
        ("indexed-repeat(/data/member[1]/job/title, /data/member[1]/job, 2)", "/data/size", ["cook"]),
        ("/data/size > 5 and selected(/data/tags, 'x')", "/data/size", True),
        ("once('new')", "/data/size", "7"),
        ("once('new')", "/data/member[3]/age", "new"),
    ],
)
def test_value(source: str, at: str, expected: object) -> None:
    value = evaluate(source, at)
    assert (texts(value) if isinstance(value, list) else value) == expected


def test_evaluation_follows_changes_of_structure() -> None:
    tree = household()
    place = tree.find("/data/size")
    assert place is not None
    scope = Scope(context="/data/size", repeats=REPEATS)
    names = compile_expression("join(',', /data/member/name)", scope=scope)
    village = compile_expression("string(/data/village)", scope=scope)
    context = Context(place)
    assert (names.string(context), village.string(context)) == ("Li,Wang,Zhao", "430")
    second = tree.root.named("member")[1]
    tree.root.remove(second)
    assert names.string(context) == "Li,Zhao"
    added = tree.root.insert_after(tree.root.named("member")[0], second.clone())
    added.named("name")[0].value = "Wu"
    assert names.string(context) == "Li,Wu,Zhao"
    tree.root.remove(tree.root.named("village")[0])
    assert village.string(context) == ""
    tree.root.append(leaf("village", "431"))
    assert village.string(context) == "431"


def test_irrelevant_nodes_have_no_text_and_do_not_count() -> None:
    tree = household()
    member = tree.root.named("member")[0]
    for node in (member, *member.descendants()):
        node.relevant = False
    size = tree.find("/data/size")
    assert size is not None
    size.relevant = False
    assert evaluate("count(/data/member)", "/data/village", tree) == 2.0
    assert evaluate("join(',', /data/member/name)", "/data/village", tree) == "Wang,Zhao"
    assert evaluate("/data/size = ''", "/data/village", tree) is True
    assert evaluate("string(/data/size)", "/data/village", tree) == ""
    assert evaluate("/data/size + 1 > 0", "/data/village", tree) is False
    assert "smith" not in str(evaluate("string(/data)", "/data/village", tree))


class Counting:
    """A secondary instance that counts how it is asked."""

    def __init__(self, xml: str) -> None:
        self.tree = read_document(xml)
        self.looked_up: list[tuple[tuple[str, ...], str, str]] = []
        self.scanned = 0

    @property
    def document(self) -> Node:
        self.scanned += 1
        return self.tree.document

    def lookup(self, path: tuple[str, ...], column: str, value: str) -> list[Node]:
        self.looked_up.append((path, column, value))
        return [item for item in self.tree.root.named("item") if item.named(column)[0].text() == value]


ITEMS = (
    "<root><item><name>a</name><kind>1</kind></item><item><name>b</name><kind>1</kind></item>"
    "<item><name>c</name><kind>2</kind></item></root>"
)


@pytest.mark.parametrize(
    ("source", "expected", "value"),
    [
        ("instance('v')/root/item[name = 'b']/kind", ["1"], "b"),
        ("instance('v')/root/item['b' = name]/kind", ["1"], "b"),
        ("instance('v')/root/item[name = /data/key]/kind", ["2"], "c"),
        ("instance('v')/root/item[name = current()/../key]/kind", ["2"], "c"),
        ("instance('v')/root/item[kind = '1'][2]/name", ["b"], "1"),
        ("instance('v')/root/item[kind = '1' and name != 'a']/name", ["b"], "1"),
        ("instance('v')/root/item[name != 'a' and kind = string(/data/one)]/name", ["b"], "1"),
        ("instance('v')/root/item[name = concat('', 'z')]/name", [], "z"),
    ],
)
def test_equality_on_a_secondary_instance_is_looked_up(source: str, expected: list[str], value: str) -> None:
    instance = Counting(ITEMS)
    assert _on_items(source, instance) == expected
    assert [asked[2] for asked in instance.looked_up] == [value]
    assert instance.scanned == 0


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("instance('v')/root/item[kind = 1]/name", ["a", "b"]),
        ("instance('v')/root/item[name = kind]/name", []),
        ("instance('v')/root/item[position() = 2]/name", ["b"]),
        ("instance('v')/root/item[kind = '1' and position() = 2]/name", ["b"]),
        ("instance('v')/root/item[kind = '1' or name = 'c']/name", ["a", "b", "c"]),
        ("instance('v')/root/item[kind = /data/many]/name", ["a", "b", "c"]),
        ("instance('v')/root/item[kind = /data/one + 0]/name", ["a", "b"]),
        ("instance('v')/root/item[true() and boolean(name = 'c')]/name", ["c"]),
    ],
)
def test_other_predicates_on_a_secondary_instance_look_at_every_item(source: str, expected: list[str]) -> None:
    assert _on_items(source, Counting(ITEMS)) == expected


def _on_items(source: str, instance: Counting) -> list[str]:
    tree = read_document("<data><key>c</key><one>1</one><many>1</many><many>2</many><here/></data>")
    here = tree.find("/data/here")
    assert here is not None
    compiled = compile_expression(source, scope=Scope(context="/data/here", repeats=frozenset({"/data/many"})))
    return texts(compiled.nodes(Context(here, instances={"v": instance}.get)))


def test_unknown_instance_is_an_error_with_its_name_and_source() -> None:
    compiled = compile_expression("instance('none')/root/item[name = 'x']")
    with pytest.raises(ExpressionError) as caught:
        compiled.evaluate(Context(Tree(leaf("data")).root))
    assert caught.value.code == "FORMS_EXPRESSION_UNKNOWN_INSTANCE"
    assert caught.value.problem.context["source"] == compiled.source


def test_context_is_left_as_it_was_when_a_predicate_fails() -> None:
    tree = household()
    node = tree.find("/data/size")
    assert node is not None
    context = Context(node)
    compiled = compile_expression("/data/member[regex(name, string(/data/village[. = concat('(', '')]))]")
    compiled.evaluate(context)
    failing = compile_expression("/data/member[regex(name, concat('(', ''))]")
    with pytest.raises(ExpressionError):
        failing.evaluate(context)
    assert (context.node, context.position, context.size) == (node, 1, 1)
