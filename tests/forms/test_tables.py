"""Ledger tables of a form: names, types, and values that come back as they went in."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from forms.definition import Choice, Expression, Form, Group, Itemset, Label, Node, Question, Repeat, SecondaryInstance
from forms.lineage import union
from forms.tables import Stored, tables_of
from forms.values import number_text


def question(path: str, data_type: str = "string", kind: str = "text", **more: object) -> Question:
    return Question(name=path.rpartition("/")[2], path=path, type=kind, data_type=data_type, **more)  # type: ignore[arg-type]


def form(*children: Node, form_id: str = "household", **more: object) -> Form:
    return Form(form_id, "1", "", "data", children, "", "", **more)  # type: ignore[arg-type]


def test_a_form_becomes_its_table_and_one_for_every_repeat() -> None:
    made = form(
        question("/data/head_name"),
        question("/data/area", "decimal", "decimal"),
        question("/data/n", kind="note"),
        Repeat(
            "member",
            "/data/member",
            (
                question("/data/member/age", "int", "integer"),
                Repeat("job", "/data/member/job", (question("/data/member/job/place"),)),
            ),
        ),
        Group("meta", "/data/meta", (question("/data/meta/instanceID"),)),
    )
    root, member, job = tables_of(made)
    assert [column.name for column in root.columns] == ["head_name", "area"]
    assert root.stored == (Stored("head_name", "TEXT"), Stored("area", "REAL"))
    assert (member.name, member.parent, member.key, member.repeat_path) == (
        "household_member",
        "household",
        "member",
        "/data/member",
    )
    assert member.stored == (Stored("age", "INTEGER"),)
    assert (job.name, job.parent) == ("household_member_job", "household_member")


def test_groups_leave_no_trace_unless_a_name_is_used_twice() -> None:
    made = form(
        Group("father", "/data/father", (question("/data/father/name"), question("/data/father/phone"))),
        Group("mother", "/data/mother", (question("/data/mother/Name"),)),
        question("/data/name"),
    )
    (root,) = tables_of(made)
    assert [column.name for column in root.columns] == ["father_name", "phone", "mother_Name", "name"]


def test_names_are_safe_chinese_stays_and_nothing_collides() -> None:
    made = form(
        question("/data/户主姓名"),
        question("/data/_id"),
        question("/data/a-b.c"),
        question("/data/rowid"),
        question("/data/place", "geopoint", "geopoint"),
        question("/data/place_lat"),
        form_id="__conflict",
    )
    (root,) = tables_of(made)
    assert root.name == "ledger_conflict"
    assert [stored.name for stored in root.stored] == [
        "户主姓名",
        "id",
        "a_b_c",
        "rowid_2",
        "place_lat",
        "place_lon",
        "place_altitude",
        "place_accuracy",
        "place_lat_2",
    ]


def test_a_repeat_named_labels_does_not_take_the_name_of_the_labels_view() -> None:
    made = form(Repeat("labels", "/data/labels", (question("/data/labels/a"),)))
    assert [table.name for table in tables_of(made)] == ["household", "household_labels_2"]


def test_static_choices_come_with_their_labels() -> None:
    items = "".join(f"<item><name>{code}</name><itextId>c-{code}</itextId></item>" for code in (1, 2))
    lists = {
        "sex": SecondaryInstance("sex", f"<root>{items}</root>"),
        "village": SecondaryInstance("village", "", "village.csv"),
    }
    made = form(
        question(
            "/data/sex",
            kind="select_one",
            itemset=Itemset(
                nodeset=Expression("instance('sex')/root/item"),
                label="itextId",
                label_is_itext=True,
                list_name="sex",
            ),
        ),
        question(
            "/data/yes", kind="select_multiple", itemset=Itemset((Choice("y", Label({"zh": ("是",), "en": ("Yes",)})),))
        ),
        question("/data/village", kind="select_one", itemset=Itemset(list_name="village")),
        secondary_instances=lists,
        itext={"zh": {"c-1": ("男",), "c-2": ("女",)}, "en": {"c-1": ("Man",), "c-2": ("Woman",)}},
        default_language="zh",
    )
    sex, yes, village = tables_of(made)[0].columns
    assert sex.choices() == {"1": "男", "2": "女"}
    assert sex.choices("en") == {"1": "Man", "2": "Woman"}
    assert (yes.choices(), yes.choices("en"), yes.multiple) == ({"y": "是"}, {"y": "Yes"}, True)
    assert (village.choices(), village.source) == ({}, "village.csv")


def test_the_union_keeps_what_older_versions_had_and_follows_renames() -> None:
    old = form(question("/data/a"), question("/data/b"), question("/data/gone"))
    new = form(question("/data/c", ledger={"was": "b"}), question("/data/a", "int", "integer"))
    newer_repeat = replace(new, children=(*new.children, Repeat("m", "/data/m", (question("/data/m/x"),))))
    root, repeat = union((tables_of(newer_repeat), tables_of(new), tables_of(old)))
    assert [column.name for column in root.columns] == ["c", "a", "gone"]
    assert root.column("c").was == "b"
    assert root.column("a").stored[0].sql_type == "INTEGER"
    assert repeat.name == "household_m"


numbers = st.floats(-90, 90, allow_nan=False)
points = st.lists(numbers, min_size=2, max_size=4).map(lambda point: " ".join(map(number_text, point)))


def stored_and_loaded(kind: str, value: object) -> object:
    column = tables_of(form(question("/data/q", kind)))[0].columns[0]
    row = dict(zip((stored.name for stored in column.stored), column.store(value), strict=True))  # type: ignore[arg-type]
    return column.load(row)


@given(st.one_of(st.none(), points))
def test_positions_come_back_as_they_went_in(point: str | None) -> None:
    assert stored_and_loaded("geopoint", point) == point


@given(st.lists(points, min_size=2, max_size=6).map(";".join))
def test_lines_come_back_as_they_went_in(line: str) -> None:
    # GeoJSON has no altitude-less position with an accuracy, and XForms none either.
    assert stored_and_loaded("geotrace", line) == line


@given(st.lists(points, min_size=3, max_size=6).map(lambda shape: ";".join((*shape, shape[0]))))
def test_areas_come_back_as_they_went_in(area: str) -> None:
    assert stored_and_loaded("geoshape", area) == area


@given(st.sampled_from(["string", "int", "decimal", "date", "geopoint", "geotrace"]), st.text(min_size=1))
def test_text_that_does_not_fit_is_never_dropped(kind: str, text: str) -> None:
    loaded = stored_and_loaded(kind, text)
    assert loaded is not None
    assert kind != "string" or loaded == text


@given(st.one_of(st.none(), st.integers()))
def test_whole_numbers_come_back_even_beyond_64_bits(number: int | None) -> None:
    assert stored_and_loaded("int", number) == number


@given(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)))
def test_decimals_come_back(number: float | None) -> None:
    assert stored_and_loaded("decimal", number) == number
