"""What may be done to a household from its page: read from a form, said in words, carried out as one save."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from uuid6 import uuid7

from collect import household as rules
from collect.household import HouseholdError, Plan, Shape
from collect.together import followers, save_together
from datasette_plugins.household.book import HOUSEHOLD, household_form, said
from datasette_plugins.ui.language import say
from forms.definition import Form
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station

DEEDS = ("leave", "move", "split", "merge", "away", "back")
MOST_TARGETS = 20
_DATE = re.compile(r"^(\d{4})[-./年]?(\d{1,2})[-./月]?(\d{1,2})日?$")
Given = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be done: the plan, what it comes to in words, and the moment it was looked at (`token`)."""

    plan: Plan
    says: tuple[str, ...]
    token: str
    seen: Mapping[str, str] = field(default_factory=dict)


def date_of(text: str, today: date) -> str:
    """Return a typed date (20260304, 2026-3-4; "" is today) as ISO; raises HouseholdError for one that is none."""
    if not text.strip():
        return today.isoformat()
    found = _DATE.match(text.strip())
    try:
        day = date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        day = None
    if day is None or day > today:
        raise HouseholdError(Problem("PLUGINS_HOUSEHOLD_DATE", context={"value": text}))
    return day.isoformat()


def targets(station: Station, record: str, text: str) -> list[dict[str, str]]:
    """Return the households that a search finds, without the one it is about."""
    found: dict[str, str] = {}
    for hit in station.find(text, limit=MOST_TARGETS * 2) if text.strip() else ():
        at = hit.record
        if hit.table == f"{HOUSEHOLD}_member":
            row = station.projection.record(hit.table, at)
            at = str(row["_parent"]) if row else ""
        elif hit.table != HOUSEHOLD:
            continue
        row = next(station.projection.labelled(HOUSEHOLD, "_id", at), None)
        if row is not None and at != record and not row.get("state"):
            found[at] = f"{row['label']} {row.get('group_name') or ''}".strip()
    return [{"id": at, "label": label} for at, label in list(found.items())[:MOST_TARGETS]]


def propose(station: Station, record: str, deed: str, given: Given, lang: str) -> Proposal:
    """Return what a filled-in page of a deed would do; raises HouseholdError, SaveError with what is wrong."""
    form, shape = _form(station)
    opened = station.opened(HOUSEHOLD, record)
    one = {name: values[0].strip() for name, values in given.items() if values}
    others = [station.opened(HOUSEHOLD, one["target"])] if one.get("target") else []
    if deed in ("move", "merge") and not others:
        raise HouseholdError(Problem("PLUGINS_HOUSEHOLD_TARGET"))
    plan = _plan(deed, shape, opened.answers, [each.answers for each in others], given=given,
                 today=station.clock.now().date())  # fmt: skip
    seen = dict(opened.seen)
    for each in others:
        seen |= each.seen
    token = hashlib.sha256(repr(sorted(seen.items())).encode()).hexdigest()[:16]
    befores = {record: opened.answers, **{each.record: each.answers for each in others}}
    return Proposal(plan, tuple(_words(station, form, shape, plan, befores, lang=lang)), token, seen)


def carry_out(station: Station, proposal: Proposal, author: str) -> str:
    """Save a proposal with the entries of other ledgers that follow it; return the save's id, "" for no change."""
    form, _ = _form(station)
    written = save_together(
        station, form, proposal.plan.after, author=author, seen=proposal.seen,
        relinks=followers(station, form, proposal.plan),
    )  # fmt: skip
    return written[0].save if written else ""


def _form(station: Station) -> tuple[Form, Shape]:
    found = household_form(station)
    if found is None:
        raise HouseholdError(Problem("COLLECT_HOUSEHOLD_REASON", context={"reason": HOUSEHOLD}))
    return found


def _plan(
    deed: str,
    shape: Shape,
    household: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    *,
    given: Given,
    today: date,
) -> Plan:
    one = {name: values[0].strip() for name, values in given.items() if values}

    def get(name: str) -> str:
        return one.get(name, "")

    on = date_of(get("on"), today)
    if deed == "leave":
        return rules.leave(
            shape, household, get("person"), why=get("why"), on=on, to=get("to"), head=get("head")
        )
    if deed == "move":
        return rules.move_person(
            shape, household, others[0], get("person"), relation=get("relation"), head=get("head")
        )
    if deed == "split":
        people = given.get("people", ())
        head = get("head") or (people[0] if len(people) == 1 else "")
        return rules.split(
            shape, household, people, head=head, record=str(uuid7()), number=get("number"), rest_head=get("rest_head")
        )
    if deed == "merge":
        relations = {name[4:]: value for name, value in one.items() if name.startswith("rel-") and value}
        return rules.merge(shape, household, others[0], on=on, relations=relations)
    if deed == "away":
        return rules.move_away(shape, household, on=on, to=get("to"))
    return rules.come_back(shape, household, get("person"))


def _words(
    station: Station, form: Form, shape: Shape, plan: Plan, befores: Mapping[str, Mapping[str, Any]], *, lang: str
) -> list[str]:
    """What a plan comes to, household by household and person by person."""
    root = station.projection.ledgers[HOUSEHOLD]
    members = next(child for child in station.projection.children(HOUSEHOLD) if child.table.key == shape.members)
    was = {row["_id"]: row for each in befores.values() for row in each.get(shape.members) or ()}
    told = []
    for record, after in plan.after.items():
        name = str(after.get(shape.head_name) or record)
        before = befores.get(record)
        if before is None:
            told.append(say("household.will_make", lang, name=name, count=len(after[shape.members])))
        elif after.get("state") != before.get("state"):
            state = said(station, root, "state", after.get("state"), lang) or say("household.back", lang)
            told.append(say("household.will_state", lang, name=name, state=state, to=after.get("state_to", "")))
        if before is not None and before.get(shape.head_name) != after.get(shape.head_name):
            told.append(say("household.will_head", lang, old=before.get(shape.head_name, ""), new=name))
        for row in after[shape.members]:
            old, person = was[row["_id"]], str(row.get(shape.name) or "")
            if plan.moved.get(row["_id"]) == record:
                told.append(say("household.will_move", lang, person=person, name=name))
            if row.get("left") != old.get("left"):
                left = said(station, members, "left", row.get("left"), lang) or say("household.back", lang)
                told.append(say("household.will_leave", lang, person=person, why=left, on=row.get("left_on", "")))
            if row.get("relation") != old.get("relation"):
                told.append(say(
                    "household.will_relate", lang, person=person,
                    old=said(station, members, "relation", old.get("relation"), lang) or "—",
                    new=said(station, members, "relation", row.get("relation"), lang) or say("household.to_ask", lang),
                ))  # fmt: skip
    links = followers(station, form, plan)
    if links:
        told.append(say("household.will_follow", lang, count=len(links)))
    return told
