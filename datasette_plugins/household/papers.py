"""What stands on the papers of a household and of a ledger, out of the station."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from collect.figures import ledger_file
from collect.household import present
from collect.saving import SaveError
from datasette_plugins.capture.sitting import title_of
from datasette_plugins.household.book import HOUSEHOLD, facts, household_form, label, linked, people
from datasette_plugins.publish.handouts import Handout, facts_table
from datasette_plugins.publish.tables import Column, Table
from datasette_plugins.ui.language import say
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.station import Station

COLUMNS = 10  # how many columns a list shows where nobody chose
ROWS = 10  # empty rows of a visit sheet


def card(station: Station, record: str, lang: str) -> Handout:
    """Return a household's card: facts, people, entries of every ledger; raises SaveError for an unknown record."""
    about, tables = _about(station, record, lang)
    for ledger in linked(station, record, _members(station, record), lang):
        rows = tuple(
            (entry["label"], "；".join(f"{name}：{text}" for name, text in entry["facts"]), entry["updated"])
            for entry in ledger["entries"]
        )
        heads = (("handout.entry", 1.0), ("handout.content", 3.0), ("handout.updated", 0.5))
        tables.append(Table(ledger["title"], tuple(Column(say(key, lang), share) for key, share in heads), rows))
    return Handout(say("handout.card", lang), about, tuple(tables), language=lang)


def visit_sheet(station: Station, record: str, lang: str) -> Handout:
    """Return a sheet with a household's people and room for visits; raises SaveError for an unknown record."""
    about, tables = _about(station, record, lang)
    heads = (("handout.date", 0.8), ("handout.visitor", 0.8), ("handout.heard", 2.6), ("handout.handled", 1.2),
             ("handout.signed", 0.8))  # fmt: skip
    writing = (say("handout.visits", lang), tuple((say(key, lang), share) for key, share in heads), ROWS)
    return Handout(say("handout.visit_sheet", lang), about, tuple(tables[-1:]), writing=writing, language=lang)


def ledger_list(
    station: Station, table: str, lang: str, *, village: str = "", columns: Sequence[str] = ()
) -> Handout:
    """Return a ledger as a list of all its records, or one village's; `columns`: fields, else the first ones.

    Raises SaveError (PLUGINS_PRINT_TABLE, PLUGINS_PRINT_COLUMN).
    """
    ledger = station.projection.ledgers.get(table)
    if ledger is None:
        known = "、".join(station.projection.ledgers)
        raise SaveError(Problem("PLUGINS_PRINT_TABLE", context={"table": table, "known": known}))
    unknown = [name for name in columns if name not in ledger.fields]
    if unknown:
        context = {"columns": "、".join(unknown), "known": "、".join(ledger.fields)}
        raise SaveError(Problem("PLUGINS_PRINT_COLUMN", context=context))
    shown = [ledger.fields[name] for name in columns] or [
        column for column in ledger.table.columns
        if column.question.type not in ("hidden", "note") and column.name != ledger.village_field
        and column.question.data_type not in ("geopoint", "geotrace", "geoshape")
    ][:COLUMNS]  # fmt: skip
    names = [column.stored[0].name for column in shown]
    with ledger_file(station.projection.path) as file:
        found = file.rows(f"{table}_labels", names, village=village or None)
    rows = tuple(
        (str(number), *(_text(row.get(name)) for name in names)) for number, row in enumerate(found, start=1)
    )
    heads = (Column("", 0.3, "right"), *(Column(label(ledger, column, lang), 1.0) for column in shown))
    place = next((one.name for one in station.villages if one.code == village), station.name)
    title = title_of(ledger.form, lang)
    about = f"{place} · {say('handout.count', lang, count=len(rows))}"
    return Handout(title, about, (Table(title, heads, rows),), landscape=True, language=lang)


def named(station: Station, text: str) -> str:
    """Return the one household that a number, a head's name or an id means; raises SaveError (PLUGINS_PRINT_RECORD)."""
    exact = {
        row["_id"]: row["label"]
        for column in ("_id", "household_number", "head_name")
        if column in station.projection.ledgers[HOUSEHOLD].columns
        for row in station.projection.labelled(HOUSEHOLD, column, text)
    }
    if len(exact) != 1:
        context = {"text": text, "found": "、".join(list(exact.values())[:10])}
        raise SaveError(Problem("PLUGINS_PRINT_RECORD", context=context))
    return str(next(iter(exact)))


def _about(station: Station, record: str, lang: str) -> tuple[str, list[Table]]:
    """The line beneath the title, the facts and the people."""
    found = household_form(station)
    if found is None:
        raise SaveError(Problem("COLLECT_RECORD_UNKNOWN", context={"table": HOUSEHOLD, "record": record}))
    _, shape = found
    opened = station.opened(HOUSEHOLD, record)
    answers = opened.answers
    village = next((one.name for one in station.villages if one.code == opened.village), opened.village)
    parts = (village, answers.get("group_name"), answers.get("head_name"), answers.get("household_number"),
             say("household.count", lang, count=len(present(shape, answers))))  # fmt: skip
    table = people(station, shape, answers, lang)
    heads = (*(Column(name, 1.0) for name in table["headings"]), Column(say("household.note", lang), 1.0))
    rows = tuple((*row["cells"], row["left"]) for row in table["rows"])
    ledger = station.projection.ledgers[HOUSEHOLD]
    return " · ".join(str(part) for part in parts if part), [
        facts_table(say("household.facts", lang), tuple(facts(station, ledger, answers, lang)), lang),
        Table(say("household.people", lang), heads, rows),
    ]


def _members(station: Station, record: str) -> list[str]:
    return [row["_id"] for row in station.projection.rows(f"{HOUSEHOLD}_member", "_parent", record)]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).replace("T", " ")[:200]
