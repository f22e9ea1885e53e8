"""Several stations, anything done in any order, exchanged in any portions: equal ledgers, equal conflicts, no loss."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collect.merge import merge
from collect.revision import DELETED, PARENT, Revision
from collect.saving import SaveError
from collect.station import Station
from forms.definition import Form
from tests.collect.ledger_forms import OTHER_VILLAGE, VILLAGE, VILLAGES, household


@contextmanager
def stations(number: int, *, forms: Sequence[Form] = (household(),)) -> Iterator[list[Station]]:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        made = [
            stack.enter_context(Station.create(Path(folder) / str(at), name=str(at), villages=VILLAGES))
            for at in range(number)
        ]
        for each in made:
            # What is tried here is order, not power cuts: without this the disk would be waited for at every step.
            for connections in (each.journal._connections, each.projection._connections):
                connections.here.execute("PRAGMA synchronous = OFF")
            for form in forms:
                each.add_form(form)
        yield made


class Story:
    """Random doings on several stations."""

    def __init__(self, made: list[Station], chance: random.Random) -> None:
        self.stations, self.chance = made, chance
        self.looks: list[tuple[Station, str, dict[str, Any], dict[str, str]]] = []

    def go(self, steps: int) -> None:
        doings = [self.create, self.edit, self.edit, self.edit, self.look, self.save_late, self.delete, self.restore,
                  self.settle, self.exchange, self.exchange, self.new_version]  # fmt: skip
        for _ in range(steps):
            self.chance.choice(doings)(self.chance.choice(self.stations))

    def answers(self, station: Station) -> tuple[str, dict[str, Any]] | None:
        rows = list(station.projection.rows("household"))
        if not rows:
            return None
        record = self.chance.choice(rows)["_id"]
        return record, station.answers("household", record)

    def changed(self, answers: dict[str, Any]) -> dict[str, Any]:
        chance = self.chance
        members = [dict(row) for key in ("member", "person") for row in answers.get(key, ())]
        answers = {**answers, "person" if "person" in answers else "member": members}
        for _ in range(chance.randint(1, 2)):
            question = chance.choice(["head_name", "phone", "group_name", "water"])
            answers[question] = chance.choice(["甲", "乙", "丙", None])
        if chance.random() < 0.1:
            answers["village"] = chance.choice([VILLAGE, OTHER_VILLAGE])
        if members and chance.random() < 0.5:
            chance.choice(members)["name"] = chance.choice(["大", "二", "三"])
        if members and chance.random() < 0.2:
            members.pop(chance.randrange(len(members)))
        if chance.random() < 0.4:
            members.append({"name": "新", "certificate": [{"number": str(chance.randint(1, 9))}]})
        return answers

    def create(self, station: Station) -> None:
        answers = {"village": VILLAGE, "head_name": "户主", "member": [{"name": "大"}, {"name": "二"}]}
        station.save(answers, household(), author=station.name)

    def edit(self, station: Station) -> None:
        if found := self.answers(station):
            version = self.chance.choice([form.version for form in station.shelf.versions("household")])
            station.save(self.changed(found[1]), household(version), record=found[0], author=station.name)

    def look(self, station: Station) -> None:
        if found := self.answers(station):
            self.looks.append((station, found[0], found[1], station.opened("household", found[0]).seen))

    def save_late(self, _: Station) -> None:
        if self.looks:
            station, record, answers, seen = self.looks.pop(self.chance.randrange(len(self.looks)))
            station.save(self.changed(answers), household(), record=record, author=station.name, seen=seen)

    def delete(self, station: Station) -> None:
        if found := self.answers(station):
            station.delete("household", found[0], author=station.name)

    def restore(self, station: Station) -> None:
        deleted = [each.record for each in station.journal.suffix(station.id, 0) if each.changes.get(DELETED) is True]
        for record in self.chance.sample(deleted, k=min(1, len(deleted))):
            with suppress(SaveError):  # it was a row of a household
                station.restore("household", record, author=station.name)

    def new_version(self, station: Station) -> None:
        station.add_form(household(self.chance.choice("1234")))

    def settle(self, station: Station) -> None:
        if conflicts := station.conflicts():
            conflict = self.chance.choice(conflicts)
            station.settle(conflict, self.chance.choice(conflict.candidates).value, author=station.name)

    def exchange(self, station: Station) -> None:
        """Give another station some of what it lacks, in any order: what lacks its parents must wait."""
        other = self.chance.choice(self.stations)
        held = other.journal.held()
        lacking = [each for of in self.stations for each in station.journal.suffix(of.id, held.get(of.id, 0))]
        self.chance.shuffle(lacking)
        forms = station.journal.forms() if self.chance.random() < 0.5 else ()
        other.receive(lacking[: self.chance.randint(0, len(lacking))], forms=forms)

    def exchange_all(self) -> None:
        everything = {each.id: each for of in self.stations for each in of.journal.suffix(of.id, 0)}
        for station in self.stations:
            portion = list(everything.values())
            self.chance.shuffle(portion)
            station.receive(portion, forms=[form for of in self.stations for form in of.journal.forms()])


class Newcomers(Story):
    """Stations that know no form until they use one, each begins with any version and learns of others by the way."""

    def go(self, steps: int) -> None:
        for _ in range(steps):
            try:
                super().go(1)
            except SaveError as error:
                # What was looked at elsewhere, by a version that this station has never heard of.
                if error.code != "COLLECT_QUESTION_UNKNOWN":
                    raise

    def version(self, station: Station) -> Form:
        known = [form.version for form in station.shelf.versions("household")]
        return household(self.chance.choice(known or list("1234")))

    def answers(self, station: Station) -> tuple[str, dict[str, Any]] | None:
        return super().answers(station) if "household" in station.projection.ledgers else None

    def create(self, station: Station) -> None:
        form = self.version(station)
        key = "person" if form.version == "4" else "member"
        answers = {"village": VILLAGE, "head_name": "户主", key: [{"name": "大"}, {"name": "二"}]}
        station.save(answers, form, author=station.name)

    def save_late(self, _: Station) -> None:
        if self.looks:
            station, record, answers, seen = self.looks.pop(self.chance.randrange(len(self.looks)))
            form = self.version(station)
            station.save(self.changed(answers), form, record=record, author=station.name, seen=seen)

    def restore(self, station: Station) -> None:
        if "household" in station.projection.ledgers:
            super().restore(station)


def content(station: Station) -> list[tuple[str, tuple[Any, ...]]]:
    return list(station.projection.dump())


def records(station: Station) -> dict[tuple[str, str], list[Revision]]:
    found: dict[tuple[str, str], list[Revision]] = {}
    for arrival in station.journal.since(0):
        table = station.projection.ledgers.current(arrival.revision.table)
        found.setdefault((table, arrival.revision.record), []).append(arrival.revision)
    return found


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 3), st.integers(5, 40))
def test_stations_that_have_everything_show_the_same(chance: random.Random, number: int, steps: int) -> None:
    with stations(number) as made:
        story = Story(made, chance)
        story.go(steps)
        story.exchange_all()
        first = content(made[0])
        for station in made:
            assert content(station) == first
            assert station.verify() == ()
        made[0].rebuild()
        assert content(made[0]) == first


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 3), st.integers(5, 50))
def test_stations_that_began_with_different_versions_show_the_same(
    chance: random.Random, number: int, steps: int
) -> None:
    with stations(number, forms=()) as made:
        story = Newcomers(made, chance)
        story.go(steps)
        story.exchange_all()
        first = content(made[0])
        for station in made:
            assert content(station) == first
            assert station.verify() == ()
        made[0].rebuild()
        assert content(made[0]) == first


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(5, 40))
def test_what_somebody_keeps_is_seen_or_contested(chance: random.Random, steps: int) -> None:
    with stations(3) as made:
        story = Story(made, chance)
        story.go(steps)
        story.exchange_all()
        station = made[0]
        contested = {(conflict.table, conflict.record) for conflict in station.conflicts()}
        for (table, record), revisions in records(station).items():
            merged = merge(revisions)
            assert merged is not None
            row = station.projection.record(table, record)
            if merged.deleted is None:
                # A row that nobody deleted is there, and so is everything above it.
                assert row is not None
                parent = merged.fields.get(PARENT)
                if parent is not None:
                    above = station.projection.ledgers[table].parent
                    assert station.projection.record(above, str(parent)) is not None
            if merged.conflicts:
                assert row is not None
                assert row["_status"] == "conflict"
                assert (table, record) in contested
