"""What a public sheet may say, and what a reader can work out from it."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_plugins.publish.redaction import SMALL, WITHHELD, mask, public_map, redact
from datasette_plugins.publish.sheet_data import Figure, Section, Sum
from tests.datasette_plugins.publish.samples import FIELDS, full, village_map


def test_small_counts_are_masked_and_zero_is_not() -> None:
    assert mask({"a": 0, "b": 1, "c": 4, "d": 5}, ()) == {"b": SMALL, "c": SMALL}


def test_a_small_count_is_not_had_by_subtraction() -> None:
    hidden = mask({"all": 20, "a": 3, "b": 6, "c": 11}, [Sum("all", ("a", "b", "c"))])
    assert hidden == {"a": SMALL, "b": WITHHELD}


def test_a_count_that_must_be_five_is_not_the_one_to_withhold() -> None:
    # 6 - 5 = 1, and nobody withholds a count below 5 without saying <5.
    hidden = mask({"all": 6, "a": 1, "b": 5}, [Sum("all", ("a", "b"))])
    assert hidden == {"a": SMALL, "all": WITHHELD}


def test_a_count_that_is_not_published_at_all_is_protected_as_well() -> None:
    counts = {"all": 154, "child": 43, "woman": 27, "elder": 84}
    hidden = mask(counts, [Sum("all", ("child", "woman", "elder"))], unpublished=frozenset({"child"}))
    assert hidden["woman"] == WITHHELD


def test_what_protects_nothing_is_not_withheld() -> None:
    # The kind's total equals its only row, which is shown: only the grand total has to go.
    counts = {"all": 24, "slides": 21, "floods": 3, "slide": 21, "flood": 3}
    hidden = mask(counts, [Sum("all", ("slides", "floods")), Sum("slides", ("slide",)), Sum("floods", ("flood",))])
    assert hidden == {"floods": SMALL, "flood": SMALL, "all": WITHHELD}


def test_two_hundred_risk_points_are_masked_in_good_time() -> None:
    counts = {f"p{n}": n % 11 for n in range(200)}
    counts["all"] = sum(counts.values())
    began = time.perf_counter()
    hidden = mask(counts, [Sum("all", tuple(key for key in counts if key != "all"))])
    assert time.perf_counter() - began < 5
    assert "all" not in hidden


def agrees(shown: str | None, count: int, guess: int) -> bool:
    """Whether a reader may take a guess for a count: one withheld for its size is taken to be 5 or more, or none."""
    if shown is None:
        return guess == count
    return guess in range(1, 5) if shown == SMALL else count < 5 or guess == 0 or guess >= 5


def possible(counts: dict[str, int], hidden: dict[str, str], sums: list[Sum], key: str) -> set[int]:
    """Every value of a count that agrees with all a reader sees: by trying them all."""
    totals = {item.total for item in sums}
    leaves = [name for name in counts if name not in totals]
    ranges = [[n for n in range(24) if agrees(hidden.get(name), counts[name], n)] for name in leaves]
    found: set[int] = set()
    for values in product(*ranges):
        world = dict(zip(leaves, values, strict=True))
        for item in reversed(sums):
            world[item.total] = sum(world[part] for part in item.parts)
        if all(agrees(hidden.get(name), counts[name], world[name]) for name in counts):
            found.add(world[key])
    return found


COUNTS = st.one_of(st.integers(0, 6), st.integers(0, 12))


@settings(max_examples=150, deadline=None)
@given(st.lists(COUNTS, min_size=2, max_size=3), st.lists(COUNTS, min_size=2, max_size=2))
def test_no_reader_can_work_out_a_masked_count(first: list[int], second: list[int]) -> None:
    a = {f"a{n}": value for n, value in enumerate(first)}
    b = {f"b{n}": value for n, value in enumerate(second)}
    counts = a | b | {"a": sum(first), "b": sum(second), "all": sum(first) + sum(second)}
    sums = [Sum("all", ("a", "b")), Sum("a", tuple(a)), Sum("b", tuple(b))]
    hidden = mask(counts, sums)
    small = {key for key, value in counts.items() if 0 < value < 5}
    assert small <= hidden.keys()
    assert {key for key, shown in hidden.items() if shown == SMALL} <= small
    for key in small:
        assert len(possible(counts, hidden, sums, key)) > 1, (counts, hidden, key)


def test_the_public_sheet_is_a_whitelist() -> None:
    sheet = replace(full(), sections=(Section("走访", (Figure("visits", "本月走访", 126, "次"),)),))
    assert redact(sheet).sections == ()
    assert redact(replace(full(), public_fields=frozenset())).risks == ()
    assert redact(replace(full(), public_fields=frozenset())).places == ()


def test_children_contacts_houses_and_boundary_never_show() -> None:
    public = redact(full())
    assert not [figure for figure in public.figures() if "儿童" in figure.label]
    assert public.contacts == ()
    assert public.map.houses == ()
    assert public.map.boundary == ()
    assert not [risk for risk in public.risks if risk.monitor or risk.monitor_phone]
    assert not [place for place in public.places if place.contact or place.phone]


def test_masked_values_are_gone_from_the_data_itself() -> None:
    public = {figure.key: figure for figure in redact(full()).figures()}
    assert (public["needy_edge"].value, public["needy_edge"].mask) == (None, SMALL)
    assert [risk.people for risk in redact(full()).risks][4:] == ["6", SMALL, SMALL]


def test_a_house_in_danger_is_counted_but_not_located() -> None:
    sheet = full()
    risk = replace(sheet.risks[0], code="dangerous_house")
    spot = replace(sheet.map.risks[0], hazard="dangerous_house")
    public = redact(replace(sheet, risks=(risk,), map=replace(sheet.map, risks=(spot,))))
    assert (public.risks[0].hazard, public.risks[0].place) == (risk.hazard, "")
    assert (public.map.risks[0].position, public.map.risks[0].route) == (None, ())


def test_a_boundary_is_shown_only_under_an_approval_number() -> None:
    assert redact(full(), approval="黔S（2026）012号").map.boundary == full().map.boundary
    assert public_map(village_map(), FIELDS, has_boundary=False).boundary == ()


@pytest.mark.parametrize(
    ("field", "layer"),
    [("public_place.location", "places"), ("risk_point.location", "risks"), ("village_group.location", "groups")],
)
def test_a_layer_whose_location_is_not_public_is_left_out(field: str, layer: str) -> None:
    assert getattr(public_map(village_map(), FIELDS, has_boundary=False), layer)
    assert not getattr(public_map(village_map(), FIELDS - {field}, has_boundary=False), layer)
