"""What the household page shows: people, facts, entries of every ledger about them, the story, the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from collect.blobs import is_name
from collect.hlc import local, shown
from collect.household import HEAD, Shape, present, shape_of
from collect.ledgers import Ledger, language
from collect.peers import Peers
from collect.revision import DELETED, PARENT
from datasette_plugins.capture.sitting import title_of
from datasette_plugins.media.address import cell
from datasette_plugins.ui.language import say
from datasette_plugins.village_map.geometry import Position
from datasette_plugins.village_map.static_map import thumbnail
from datasette_plugins.village_map.surroundings import surroundings
from forms.definition import Form
from forms.tables import Column, table_name

if TYPE_CHECKING:
    from collect.station import Station

PEOPLE = (
    "name", "relation", "sex", "age", "birth_date", "resident_id", "phone", "health", "labour_ability", "work_place",
)  # fmt: skip
MOST_STORY = 60
HOUSEHOLD = "household"


def household_form(station: Station) -> tuple[Form, Shape] | None:
    """Return the form of households and the shape of its columns, None where the station has none."""
    for form in station.forms():
        shape = shape_of(form)
        if shape is not None and table_name(form) == HOUSEHOLD:
            return form, shape
    return None


def page(station: Station, record: str, lang: str) -> dict[str, Any]:
    """Return the context of household/page.html; raises SaveError for a record that is not there."""
    found = household_form(station)
    assert found is not None  # the route has looked
    form, shape = found
    opened = station.opened(HOUSEHOLD, record)
    answers, ledger = opened.answers, station.projection.ledgers[HOUSEHOLD]
    here = present(shape, answers)
    villages = {village.code: village.name for village in station.villages}
    path = f"/-/household/{quote(record, safe='')}"
    return {
        "record": record,
        "path": path,
        "name": answers.get("head_name") or record,
        "number": answers.get("household_number") or "",
        "village": villages.get(opened.village, opened.village),
        "village_code": opened.village,
        "group": answers.get("group_name") or "",
        "gone": said(station, ledger, "state", answers.get("state"), lang),
        "merged": answers.get("state") == "merged",
        "gone_on": answers.get("state_on") or "",
        "gone_to": answers.get("state_to") or "",
        "conflict": opened.status != "ok",
        "people": people(station, shape, answers, lang),
        "count": len(here),
        "facts": tuple(facts(station, ledger, answers, lang)),
        "photos": tuple(cell(value, lang) for value in _texts(answers) if is_name(value)),
        "ledgers": linked(station, record, [row["_id"] for row in answers.get(shape.members) or ()], lang),
        "add": _addable(station, form, record, opened.village, lang),
        "story": story(station, record, answers, shape, lang),
        "map": _map(station, answers, opened.village, lang),
        "confirmed": _confirmed(station, record, answers, shape),
        "edit": f"/-/capture/{HOUSEHOLD}/{quote(record, safe='')}",
        "again": f"/-/capture/{HOUSEHOLD}?{urlencode({'village': opened.village})}",
    }


def said(station: Station, ledger: Ledger, name: str, value: Any, lang: str) -> str:
    """Return an answer as people read it: labels of codes, names of records."""
    column = ledger.fields.get(name)
    if value in (None, "") or column is None:
        return "" if value is None else str(value)
    labels = column.choices(language(ledger.form, lang))
    if labels:
        return "、".join(labels.get(code, code) for code in str(value).split()) if column.multiple else labels.get(
            str(value), str(value)
        )  # fmt: skip
    if column.source.endswith(".csv"):
        row = next(iter(station.attachments.open(column.source).lookup("name", str(value))), None)
        return str(row["label"]) if row else str(value)
    if column.question.data_type == "dateTime":
        return str(value)[:16].replace("T", " ")
    return f"{value:g}" if isinstance(value, float) else str(value)


def people(station: Station, shape: Shape, answers: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """Return the people as a table: headings and rows, those who left last and marked."""
    ledger = next(child for child in station.projection.children(HOUSEHOLD) if child.table.key == shape.members)
    names = [name for name in PEOPLE if name in ledger.fields]
    rows = []
    for row in sorted(answers.get(shape.members) or (), key=lambda r: (bool(r.get("left")), r.get("relation") != HEAD)):
        cells = [said(station, ledger, name, row.get(name), lang) for name in names]
        left = " ".join(
            filter(None, (said(station, ledger, "left", row.get("left"), lang), row.get("left_on"), row.get("left_to")))
        )
        rows.append({"id": row["_id"], "name": row.get("name", ""), "cells": cells, "left": left})
    return {"headings": [label(ledger, ledger.fields[name], lang) for name in names], "rows": rows}


def label(ledger: Ledger, column: Column, lang: str) -> str:
    """Return what a form calls a column."""
    return column.question.label.plain(language(ledger.form, lang)) or column.name


def facts(station: Station, ledger: Ledger, answers: Mapping[str, Any], lang: str) -> Iterator[tuple[str, str]]:
    """Yield the answers of one record: heading and text, empty ones left out."""
    for column in ledger.table.columns:
        value = answers.get(column.name)
        is_place = column.question.data_type in ("geopoint", "geotrace", "geoshape")
        if value not in (None, "") and not is_name(value) and not is_place and column.question.type != "hidden":
            yield label(ledger, column, lang), said(station, ledger, column.name, value, lang)


def linked(station: Station, record: str, members: list[str], lang: str) -> list[dict[str, Any]]:
    """Return every other ledger that links to households or people, with the entries about this one, newest first."""
    found = []
    for ledger in station.projection.ledgers.values():
        links = [c for c in ledger.table.columns if c.source in (f"{HOUSEHOLD}.csv", f"{HOUSEHOLD}_member.csv")]
        if ledger.parent or ledger.name == HOUSEHOLD or not links:
            continue
        rows: dict[str, dict[str, Any]] = {}
        for column in links:
            for wanted in [record] if column.source == f"{HOUSEHOLD}.csv" else members:
                rows |= {row["_id"]: row for row in station.projection.labelled(ledger.name, column.name, wanted)}
        entries = [
            {
                "label": row["label"],
                "href": f"/-/capture/{quote(ledger.form.form_id, safe='')}/{quote(at, safe='')}",
                "facts": [
                    each for each in facts(station, ledger, _own(ledger, row), lang) if each[1] != row["label"]
                ][:7],
                "updated": local(row["_updated_at"])[:10],
            }
            for at, row in sorted(rows.items(), reverse=True)
        ]
        found.append({"form": ledger.form.form_id, "title": title_of(ledger.form, lang), "entries": entries})
    return found


def _own(ledger: Ledger, row: Mapping[str, Any]) -> dict[str, Any]:
    """An entry's answers without the village and the household, which the page is about anyway."""
    skipped = {ledger.village_field, *(c.name for c in ledger.table.columns if c.source == f"{HOUSEHOLD}.csv")}
    return {name: value for name, value in ledger.answers(row).items() if name not in skipped}


def _addable(station: Station, form: Form, record: str, village: str, lang: str) -> list[dict[str, str]]:
    query = urlencode({"village": village, "household": record})
    return [
        {
            "form": other.form_id,
            "title": title_of(other, lang),
            "href": f"/-/household/{quote(record, safe='')}/add?form={quote(other.form_id, safe='')}&{query}",
        }
        for other in station.forms()
        if other.form_id != form.form_id
        and any(column.source == f"{HOUSEHOLD}.csv" for column in station.shelf.tables(other)[0].columns)
    ]


def story(
    station: Station, record: str, answers: Mapping[str, Any], shape: Shape, lang: str
) -> list[dict[str, Any]]:
    """Return what happened to the household and its people, newest first: when, who, what from what to what."""
    presses: dict[str, dict[str, Any]] = {}
    names = {row["_id"]: str(row.get("name") or "") for row in answers.get(shape.members) or ()}
    for at in (record, *names):
        before: dict[str, Any] = {}
        for revision in station.history(at):
            ledger = station.projection.ledgers.of(revision.table)
            if ledger is None:
                continue
            press = presses.setdefault(
                revision.save,
                {"time": revision.time, "when": local(shown(revision.time))[:16], "who": revision.author, "lines": []},
            )
            changes = ledger.current(revision.changes)
            press["lines"] += _told(
                station, ledger, changes, before, who=names.get(at, ""), known=bool(revision.parents), lang=lang
            )
            before |= changes
    told = sorted(presses.values(), key=lambda press: press["time"], reverse=True)
    return [press for press in told if press["lines"]][:MOST_STORY]


def _told(
    station: Station,
    ledger: Ledger,
    changes: Mapping[str, Any],
    before: Mapping[str, Any],
    *,
    who: str,
    known: bool,
    lang: str,
) -> Iterator[str]:
    """One revision in words."""
    about = f"{who}：" if who else ""
    if not known:
        yield say("household.created", lang, title=who or title_of(ledger.form, lang))
        for column in ledger.table.columns:
            if "confirms" in column.question.ledger and changes.get(column.name):
                yield f"{about}{label(ledger, column, lang)}：{changes[column.name]}"
        return
    for name, value in changes.items():
        if name == DELETED:
            yield about + say("household.deleted" if value else "household.restored", lang)
        elif name == PARENT:
            homes = [said(station, ledger, "", each, lang) for each in (before.get(name), value)]
            rows = [next(station.projection.labelled(HOUSEHOLD, "_id", each), {}) for each in homes]
            old, new = (str(row.get("label", each)) for row, each in zip(rows, homes, strict=True))
            yield about + say("household.changed", lang, what=say("household.home", lang), old=old, new=new)
        elif name in ledger.fields and ledger.fields[name].question.type not in ("hidden", "calculate"):
            column = ledger.fields[name]
            old, new = (said(station, ledger, name, each, lang) or "—" for each in (before.get(name), value))
            yield about + say("household.changed", lang, what=label(ledger, column, lang), old=old, new=new)


def _texts(answers: Mapping[str, Any]) -> Iterator[str]:
    for value in answers.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for row in value:
                yield from _texts(row)


def _map(station: Station, answers: Mapping[str, Any], village: str, lang: str) -> Any:
    parts = str(answers.get("location") or "").split()
    if len(parts) < 2:
        return None
    around = surroundings(station.folder / "township.db", village)
    return thumbnail(Position(float(parts[0]), float(parts[1])), around, title=say("household.map", lang))


def _confirmed(station: Station, record: str, answers: Mapping[str, Any], shape: Shape) -> dict[str, str] | None:
    """Since when the township holds all of it: `at`, "" while something waits; None where no township was joined."""
    if not (station.folder / "peers.db").exists():
        return None
    rows = [row["_id"] for row in answers.get(shape.members) or ()]
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        found = peers.confirmed(station.journal, record, *rows)
    return {"at": local(found[0].at)[:16]} if found else None
