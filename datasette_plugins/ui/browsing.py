"""What the pages over ledgers ask for while they are rendered: columns, labels of linked records, children, filters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode
from weakref import WeakKeyDictionary

from datasette.filters import FilterArguments
from datasette.utils import escape_sqlite

from collect.hlc import shown
from collect.ledgers import Ledger as Kept
from collect.overview import MOST_CHILDREN, labels_query, rows_query, search_clause
from collect.revision import DELETED, PARENT
from datasette_plugins.desk import configuration, desk_of
from datasette_plugins.media.address import cell as media_cell
from datasette_plugins.scope import TOWNSHIP, allowed, sees
from datasette_plugins.ui.language import language_of, say
from datasette_plugins.ui.ledgers import Ledger, Shown, ledgers_of, shown_value

if TYPE_CHECKING:
    from collect.station import Station

SEARCH = "_q"  # our search over the columns a ledger marks; Datasette's own needs a search table
HAS = "_has_"  # followed by a column of several codes: one of them is the value
ALL_COLUMNS = "_all"
_LONGEST_SEARCH = 60
MOST_CHANGES = 50  # saved changes that a record's page shows
_CARRIED = frozenset({"_sort", "_sort_desc", "_facet", ALL_COLUMNS})


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of a list in words, and the address of the list without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True)
class Children:
    """Rows of another ledger that belong to a record. `more`: there are further ones."""

    ledger: Ledger
    columns: tuple[Shown, ...]
    rows: tuple[Mapping[str, Any], ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer on a record's card. `link`: the address of the record it names, or ""; `long`: takes a whole line."""

    label: str
    words: str
    link: str = ""
    long: bool = False


def unplaced(extra: str) -> list[Fact]:
    """Return the answers of `_extra` (JSON): those to questions of a version that this station does not have."""
    try:
        answers = json.loads(extra)
    except ValueError:
        return [Fact("_extra", extra)]
    pairs = answers.items() if isinstance(answers, dict) else [("_extra", answers)]
    return [Fact(str(name), str(value), long=len(str(value)) > 22) for name, value in pairs]


@dataclass(frozen=True, slots=True)
class Change:
    """One saved change of a record: when, by whom, and the answers it wrote (label, value in words)."""

    at: str
    author: str
    answers: tuple[tuple[str, str], ...]


@dataclass
class Browsing:
    """The ledgers of one page: what its template calls. Everything is read from the page's own database file."""

    datasette: Any
    request: Any
    database: str
    ledgers: dict[str, Ledger]
    villages: dict[str, str]
    language: str
    _labels: dict[tuple[str, str], str] = field(default_factory=dict)

    def ledger(self, table: str) -> Ledger:
        """Return a table's ledger; a table of no form is shown as it is."""
        known = self.ledgers.get(table.removesuffix("_labels"))
        return known or Ledger(table, "", say(f"ledger.{table}", self.language), "", {}, "_id", ())

    def database_title(self, database: str = "") -> str:
        """Return a database as people call it: the township's name, or the village's."""
        name = database or self.database
        if name == TOWNSHIP:
            return str(desk_of(self.datasette).station.name)
        return self.villages.get(name, name)

    def listed(self, table: str, present: Sequence[str]) -> tuple[Shown, ...]:
        """Return the columns of a list: on a village's own pages without the village."""
        ledger = self.ledger(table)
        columns = ledger.listed(present, self.everything or not ledger.form_id)
        return tuple(each for each in columns if each.kind != "village" or self.database == TOWNSHIP)

    def contents(self, tables: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the ledgers of a database page in the forms' order, each with its count and its repeats."""
        counts = {table["name"]: table["count"] for table in tables}
        return [
            {
                "ledger": ledger,
                "count": counts[name],
                "parts": [
                    {"ledger": part, "count": counts[part.table]}
                    for part in self.ledgers.values()
                    if part.parent == name and part.table in counts
                ],
            }
            for name, ledger in self.ledgers.items()
            if not ledger.parent and name in counts
        ]

    async def label_rows(self, table: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """Find the labels of all records that these rows point at; returns nothing to show."""
        wanted: dict[str, set[str]] = {}
        kept = list(rows)
        for column in self.ledger(table).links:
            ids = {str(row[column.name]) for row in kept if column.name in row.keys() and row[column.name]}  # noqa: SIM118
            wanted.setdefault(column.target, set()).update(ids)
        for target, ids in wanted.items():
            await self._find_labels(target, sorted(ids))
        return ""

    async def label_records(self, table: str, ids: Sequence[str]) -> None:
        """Find what people call these records."""
        await self._find_labels(table, ids)

    def label_of(self, table: str, record: str) -> str:
        """Return what people call a record, as far as it was found."""
        return self._labels.get((table, record), "")

    async def _find_labels(self, target: str, ids: Sequence[str]) -> None:
        ledger = self.ledgers.get(target)
        database = self.datasette.get_database(self.database)
        if ledger is None or ledger.kept is None or not ids or not await database.table_exists(target):
            return
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            found = await database.execute(labels_query(ledger.kept, len(some)), some)
            self._labels.update({(target, row[0]): str(row[1] or "") for row in found.rows})

    def cell(self, column: Shown, value: Any) -> str:
        """Return a value as people read it, a linked record as its label; empty for none."""
        if column.kind == "media" and value:
            return self.picture(value)
        if column.kind == "record" and value:
            return self._labels.get((column.target, str(value))) or say("record.elsewhere", self.language)
        return shown_value(column, value, self.language)

    def picture(self, value: Any, side: int = 96) -> str:
        """Return a link to a photo or file with its thumbnail, about `side` pixels long."""
        return media_cell(value, self.language, side=side, base=self.datasette.urls.path("").rstrip("/"))

    def named(self, column: Shown, value: Any) -> str:
        """Return a value as the words of a link to its record: a photo as words, too."""
        return shown_value(column, value, self.language) if column.kind == "media" else self.cell(column, value)

    def link(self, column: Shown, value: Any) -> str:
        """Return the address of the record a value points at, empty where there is none here."""
        if column.kind != "record" or (column.target, str(value)) not in self._labels:
            return ""
        return self.row_address(column.target, str(value))

    def row_address(self, table: str, record: str) -> str:
        """Return the address of a record's page."""
        return f"{self.datasette.urls.table(self.database, table)}/{record}"

    def sections(self, table: str, row: Mapping[str, Any]) -> list[tuple[str, list[Fact]]]:
        """Return a record's answers under the labels of the form's groups, in its order; a point as one answer."""
        found: dict[str, list[Fact]] = {}
        ledger, points = self.ledger(table), set[str]()
        if row.get("_parent"):
            column = ledger.shown("_parent")
            found[""] = [Fact(column.label, self.cell(column, row["_parent"]), self.link(column, row["_parent"]))]
        for column in ledger.answered(list(row)):
            if column.kind == "point":
                if column.question not in points:
                    points.add(column.question)
                    found.setdefault(column.section, []).append(self._point(ledger, column, row))
                continue
            value = row[column.name]
            words = self.picture(value, 320) if column.kind == "media" and value else self.cell(column, value)
            long = column.kind in ("note", "choices", "text") and len(words) > 22
            found.setdefault(column.section, []).append(
                Fact(column.label, words, self.link(column, row[column.name]), long)
            )
        if row.get("_extra"):
            found.setdefault(ledger.shown("_extra").label, []).extend(unplaced(str(row["_extra"])))
        return list(found.items())

    def _point(self, ledger: Ledger, column: Shown, row: Mapping[str, Any]) -> Fact:
        question = ledger.of_question(column.question)
        lat, lon, _, accuracy = (row.get(column.question + end) for end in ("_lat", "_lon", "_altitude", "_accuracy"))
        if not isinstance(lat, float) or not isinstance(lon, float):
            return Fact(question.label, str(lat or ""))
        words = f"{lat:.5f}, {lon:.5f}"
        if isinstance(accuracy, float) and accuracy:
            words += say("point.within", self.language, metres=f"{accuracy:.0f}")
        return Fact(question.label, words)

    async def children(self, table: str, record: str) -> list[Children]:
        """Return what belongs to a record: its repeats' rows, then the records of other ledgers that point at it."""
        found = []
        database = self.datasette.get_database(self.database)
        for ledger in sorted(self.ledgers.values(), key=lambda ledger: ledger.parent != table):
            columns = [column for column in ledger.links if column.target == table]
            if not columns or not await database.table_exists(ledger.table):
                continue
            for column in columns:
                result = await database.execute(rows_query(ledger.table, column.name), [record])
                rows = tuple(dict(row) for row in result.rows)
                if rows:
                    await self.label_rows(ledger.table, rows)
                    columns_shown = tuple(
                        each for each in ledger.listed(list(rows[0]))
                        if each.name != column.name and not each.name.startswith("_") and each.kind != "village"
                    )  # fmt: skip
                    found.append(Children(ledger, columns_shown, rows[:MOST_CHILDREN], len(rows) > MOST_CHILDREN))
        return found

    async def history(self, table: str, record: str) -> list[Change]:
        """Return a record's saved changes, newest first; only for who sees the township, as it may have moved here."""
        if not sees(self.request.actor, TOWNSHIP):
            return []
        ledger = self.ledger(table)
        revisions = await desk_of(self.datasette).read(lambda station: station.history(record))
        return [
            Change(
                shown(revision.time)[:16].replace("T", " "),
                revision.author,
                tuple(self._written(ledger, name, value) for name, value in revision.changes.items() if name != PARENT),
            )
            for revision in reversed(revisions[-MOST_CHANGES:])
        ]

    def _written(self, ledger: Ledger, name: str, value: Any) -> tuple[str, str]:
        if name == DELETED:
            return say("record.deleted" if value else "record.restored", self.language), ""
        column = ledger.of_question(name)
        return column.label, self.cell(column, value) or say("record.emptied", self.language)

    def links(self, table: str, record: str = "") -> list[tuple[str, str]]:
        """Return what can be done here on a laptop: (address, words) to fill in a new record, or to change this one."""
        ledger = self.ledger(table)
        if not self.may("cunce-capture") or not ledger.form_id or ledger.parent:
            return []
        address = f"/-/capture/{ledger.form_id}" + (f"/{record}" if record else "")
        return [(str(self.datasette.urls.path(address)), say("record.edit" if record else "list.new", self.language))]

    def rows_of(self, display_rows: Iterable[Any]) -> list[dict[str, Any]]:
        """Return Datasette's cells as rows of stored values by column."""
        return [{cell["column"]: cell["raw"] for cell in row.cells} for row in display_rows]

    def names_of(self, display_columns: Iterable[Mapping[str, Any]]) -> list[str]:
        """Return the names of Datasette's columns."""
        return [column["name"] for column in display_columns]

    # lists

    @property
    def everything(self) -> bool:
        """Whether a list shows all columns."""
        return bool(self.request.args.get(ALL_COLUMNS))

    def asked(self, name: str) -> str:
        """Return an argument of the page's address."""
        return str(self.request.args.get(name) or "")

    def address(self, **changes: str | None) -> str:
        """Return this list's address with some arguments changed (None: left out), from its first page."""
        kept = [(key, value) for key, value in parse_qsl(self.request.query_string) if key not in {*changes, "_next"}]
        query = urlencode([*kept, *((key, value) for key, value in changes.items() if value is not None)])
        return f"{self.request.path}?{query}" if query else str(self.request.path)

    def sorted_address(self, name: str, sort: str | None) -> str:
        """Return this list's address sorted by a column, downwards where it is sorted upwards already."""
        down = sort == name
        return self.address(_sort=None if down else name, _sort_desc=name if down else None)

    def filter_argument(self, column: Shown) -> str:
        """Return the argument that filters by a choice: it is the value, or one of several."""
        return f"{HAS}{column.name}" if column.kind == "choices" else self.exact(column.name)

    def exact(self, name: str) -> str:
        """Return the argument for equality; Datasette keeps names with a leading _ for itself."""
        return f"{name}__exact" if name.startswith("_") else name

    def conditions(self, table: str, selections: Iterable[tuple[str, str, Any]]) -> list[Filter]:
        """Return a list's conditions in words, from Datasette's (column, operator, value)."""
        ledger, found = self.ledger(table), []
        if self.asked(SEARCH):
            words = say("filter.search", self.language, value=self.asked(SEARCH))
            found.append(Filter(words, self.address(**{SEARCH: None})))
        for name, value in _had(self.request):
            column = ledger.shown(name)
            words = say("filter.exact", self.language, column=column.label, value=column.choices.get(value, value))
            found.append(Filter(words, self.address(**{f"{HAS}{name}": None})))
        for name, operator, value in selections:
            column = ledger.shown(name)
            text = self.cell(column, value) if column.kind != "choices" else column.choices.get(value, value)
            words = say(f"filter.{operator}", self.language, column=column.label, value=text)
            found.append(Filter(words, self._without(name, operator, str(value))))
        return found

    async def label_selections(self, table: str, selections: Iterable[tuple[str, str, Any]]) -> str:
        """Find the labels of records that a list is filtered by; returns nothing to show."""
        await self.label_rows(table, [{name: value} for name, _, value in selections])
        return ""

    def search_hint(self, table: str) -> str:
        """Return the names of the columns a search looks into."""
        ledger = self.ledger(table)
        labels = [ledger.shown(name).label for name in ledger.searched[:3]]
        return say("list.search_hint", self.language, columns=say("list.comma", self.language).join(labels))

    def kept_arguments(self, table: str, selections: Iterable[tuple[str, str, Any]]) -> list[tuple[str, str]]:
        """Return what the filter form carries along: order, facets, columns, and conditions it has no field for."""
        fields = {self.filter_argument(column) for column in self.ledger(table).filters}
        kept = [(key, value) for key, value in parse_qsl(self.request.query_string) if key in _CARRIED]
        for name, operator, value in selections:
            if f"{name}__{operator}" not in fields and not (operator == "exact" and self.exact(name) in fields):
                kept.append((f"{name}__{operator}", str(value)))
        return kept

    def export_address(self, table: str) -> str:
        """Return the address of the ledger as an Excel file; a repeat's rows are sheets of the form's."""
        ledger = self.ledger(table)
        if not ledger.form_id:
            return ""
        return str(self.datasette.urls.path(f"/-/export/{self.database}/{ledger.form_id}.xlsx"))

    def facets_offered(self, table: str, columns: Sequence[str]) -> list[tuple[Shown, str]]:
        """Return the columns a list can be counted by, with the address that does."""
        asked = set(self.request.args.getlist("_facet"))
        found = []
        for column in self.ledger(table).columns.values():
            # Several codes in one answer would be counted by combination, which says little.
            countable = column.kind in ("choice", "village") and not column.name.startswith("_")
            several = len(column.choices) > 1 and (column.kind != "village" or self.database == TOWNSHIP)
            if countable and several and column.name in columns and column.name not in asked:
                query = [(k, v) for k, v in parse_qsl(self.request.query_string) if k != "_next"]
                found.append((column, f"{self.request.path}?{urlencode([*query, ('_facet', column.name)])}"))
        return found[:12]

    def facet_label(self, column: Shown, value: Mapping[str, Any]) -> str:
        """Return a facet's value in words."""
        return self.cell(column, value["value"]) or say("facet.none", self.language)

    def may(self, action: str) -> bool:
        """Tell whether the page's actor may do one of our actions."""
        return allowed(self.request.actor, action)

    def _without(self, name: str, operator: str, value: str) -> str:
        keys = {f"{name}__{operator}", *([name] if operator == "exact" else [])}
        kept = [
            (key, given)
            for key, given in parse_qsl(self.request.query_string, keep_blank_values=True)
            if not (key in keys and (given == value or operator.endswith("null"))) and key != "_next"
        ]
        return f"{self.request.path}?{urlencode(kept)}" if kept else str(self.request.path)

    def operators(self, lookups: Iterable[tuple[str, str, bool]]) -> list[tuple[str, str]]:
        """Return the operators of the filter form as (value, words), those a township needs."""
        usual = ("contains", "exact", "not", "startswith", "gt", "gte", "lt", "lte", "isblank", "notblank")
        known = {key: no_argument for key, _, no_argument in lookups}
        return [(key + "__1" * known[key], say(f"operator.{key}", self.language)) for key in usual if key in known]


async def browsing(datasette: Any, request: Any, database: str) -> Browsing:
    """Return what the templates of a database's pages ask."""
    language = language_of(request)
    kept, villages = await desk_of(datasette).read(_kept_and_villages)
    ledgers = _shown_ledgers(datasette, kept, villages, language)
    return Browsing(datasette, request, database, ledgers, villages, language)


async def ledgers_shown(datasette: Any, language: str) -> dict[str, Ledger]:
    """Return how the station's ledgers are shown, by table."""
    kept, villages = await desk_of(datasette).read(_kept_and_villages)
    return _shown_ledgers(datasette, kept, villages, language)


def _kept_and_villages(station: Station) -> tuple[dict[str, Kept], dict[str, str]]:
    return station.projection.ledgers, {village.code: village.name for village in station.villages}


def _shown_ledgers(
    datasette: Any, kept: dict[str, Kept], villages: dict[str, str], language: str
) -> dict[str, Ledger]:
    """Reading hundreds of questions takes milliseconds: once is enough while forms and villages stay the same."""
    known = _SHOWN.setdefault(datasette, {})
    before = known.get(language)
    if before is None or before[0] is not kept or before[1] != villages:
        found = configuration(datasette) or {}
        ledgers = ledgers_of(kept, language, villages=villages, chosen=found.get("columns") or {})
        before = known[language] = kept, villages, _in_order(ledgers, found.get("ledgers") or ())
    return before[2]


def _in_order(ledgers: dict[str, Ledger], first: Sequence[str]) -> dict[str, Ledger]:
    """Ledgers in the order of a township's day, others behind."""
    place = {form_id: number for number, form_id in enumerate(first)}
    ordered = sorted(ledgers.values(), key=lambda ledger: place.get(ledger.form_id, len(place)))
    return {ledger.table: ledger for ledger in ordered}


_SHOWN: WeakKeyDictionary[Any, dict[str, tuple[dict[str, Kept], dict[str, str], dict[str, Ledger]]]] = (
    WeakKeyDictionary()
)


async def conditions_of(datasette: Any, request: Any, database: str, table: str) -> FilterArguments:
    """Return the conditions of our own arguments: the search box, and one of several codes."""
    clauses: list[str] = []
    parameters: dict[str, str] = {}
    present = set(await datasette.get_database(database).table_columns(table))
    for number, (name, code) in enumerate(_had(request)):
        if name in present:
            clauses.append(f"instr(' ' || {escape_sqlite(name)} || ' ', ' ' || :has{number} || ' ') > 0")
            parameters[f"has{number}"] = code
    text = (request.args.get(SEARCH) or "").strip()[:_LONGEST_SEARCH]
    if text:
        ledger = (await browsing(datasette, request, database)).ledger(table)
        keys = await datasette.get_database(database).table_exists("_search")
        found = search_clause(ledger.kept, text) if ledger.kept is not None and keys else None
        if found is None and ledger.label in present:
            found = f"instr({escape_sqlite(ledger.label)}, :q_text) > 0", {"q_text": text}
        if found is not None:
            clauses.append(found[0])
            parameters.update(found[1])
    return FilterArguments(clauses, parameters, [])


def _had(request: Any) -> list[tuple[str, str]]:
    """The (column, code) that a list's answers must have."""
    given = parse_qsl(request.query_string)
    return [(key.removeprefix(HAS), value) for key, value in given if key.startswith(HAS) and value]
