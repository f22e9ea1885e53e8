"""What the exchange bench works on: tables households and persons, invented or given, and a form made from them."""

from __future__ import annotations

import random
import re
import sqlite3
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from uuid6 import uuid7

from forms.definition import Form
from forms.reader import load_shipped, read_rows
from tests.bench.baseline import households, told

HOME, PERSON = "household", "household_person"
_UPPER, _LOWER = 22, 12  # fields of an invented household and of an invented person
_NOTES = (
    "土坯房需翻修",
    "屋后有滑坡隐患",
    "子女在外务工，过年回来",
    "饮水靠山泉，冬季断流",
    "愿意参加合作社",
    "已签家庭医生",
)
_ROADS = ("水泥路", "砂石路", "土路")


@dataclass
class Rows:
    """A table's columns and its rows; the first column is `id`, of persons the second is `household_id`."""

    columns: list[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)


def invented(homes: int, persons: int) -> tuple[Rows, Rows]:
    """Return households of 22 fields and persons of 12, Chinese text; ids are UUIDs, as pages and imports give them."""
    chance = random.Random(3)
    given = told(load_shipped("household"), households(homes))
    upper = _names(given)[: _UPPER - 4]
    people = [(home, member) for home in given for member in home["member"]]
    lower = _names([member for _, member in people])[:_LOWER]
    upper += [f"more_{number}" for number in range(_UPPER - 4 - len(upper))] + ["note", "surface", "income", "visited"]
    lower += [f"more_{number}" for number in range(_LOWER - len(lower))]
    first, second = Rows(["id", *upper]), Rows(["id", "household_id", *lower])
    keys: dict[int, str] = {}
    for home in given:
        keys[id(home)] = str(uuid7())
        more = {
            "note": chance.choice(_NOTES), "surface": chance.choice(_ROADS), "income": chance.randrange(3000, 90000),
            "visited": f"2026-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
        }  # fmt: skip
        first.rows.append((keys[id(home)], *((home | more).get(name) for name in upper)))
    while len(people) < persons:
        people.append(chance.choice(people))
    for home, member in chance.sample(people, persons) if persons < len(people) else people:
        second.rows.append((str(uuid7()), keys[id(home)], *(member.get(name) for name in lower)))
    return first, second


def read(path: Path) -> tuple[Rows, Rows]:
    """Return the tables households and persons of a SQLite file; persons of unknown households stay out."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        homes, people = (_table(connection, name, keys) for name, keys in
                         (("households", ["id"]), ("persons", ["id", "household_id"])))  # fmt: skip
    known = {row[0] for row in homes.rows}
    people.rows = [row for row in people.rows if row[1] in known]
    return homes, people


def _table(connection: sqlite3.Connection, name: str, keys: list[str]) -> Rows:
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
    ordered = [*keys, *(column for column in columns if column not in keys)]
    listed = ", ".join('"' + column.replace('"', '""') + '"' for column in ordered)
    found = connection.execute(f"SELECT {listed} FROM {name}").fetchall()
    return Rows(ordered, [tuple(str(cell) if at < len(keys) else cell for at, cell in enumerate(row)) for row in found])


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of all plain answers; a place becomes text as it travels."""
    found = dict.fromkeys(name for row in rows for name, value in row.items() if not isinstance(value, list))
    return [name for name in found if not name.startswith("_")]


@dataclass(frozen=True)
class Shaped:
    """A form made for two tables, and the names that their columns have in it."""

    form: Form
    upper: list[str]
    lower: list[str]
    editable: tuple[str, str]  # two different columns of households to edit, texts where there are two

    def answers(self, homes: Rows, people: Rows) -> list[dict[str, Any]]:
        """Return each household with its persons, as `Station.save_many` takes them."""
        below: dict[str, list[dict[str, Any]]] = {}
        for row in people.rows:
            below.setdefault(row[1], []).append({"_id": row[0], **_filled(self.lower, row[2:])})
        return [{"_id": row[0], **_filled(self.upper, row[1:]), "person": below.get(row[0], [])} for row in homes.rows]


def _filled(names: Sequence[str], cells: Sequence[Any]) -> dict[str, Any]:
    return {
        name: cell.hex() if isinstance(cell, bytes) else cell
        for name, cell in zip(names, cells, strict=True)
        if cell is not None and cell != ""
    }


def shaped(homes: Rows, people: Rows) -> Shaped:
    """Return a form for two tables of any columns: a household with a repeat of persons."""
    survey: list[dict[str, str]] = []
    upper = _asked(survey, homes, 1)
    survey.append({"type": "begin_repeat", "name": "person", "label": "人"})
    lower = _asked(survey, people, 2)
    survey.append({"type": "end_repeat", "name": "person"})
    settings = [{"form_id": HOME, "version": "1", "form_title": "户"}]
    texts = [row["name"] for row in survey[: len(upper)] if row["type"] == "text"]
    chosen = texts if len(texts) > 1 else upper
    return Shaped(read_rows({"survey": survey, "settings": settings}), upper, lower, (chosen[0], chosen[-1]))


def _asked(survey: list[dict[str, str]], table: Rows, keys: int) -> list[str]:
    """Add a question for every column behind the keys, of the type its cells have; return their names."""
    names: list[str] = []
    for at, column in enumerate(table.columns[keys:], start=keys):
        name = re.sub(r"[^a-z0-9_]", "_", column.lower())
        if not re.match(r"[a-z]", name) or name in names or name == "person":
            name = f"c{at}_{name}"
        kinds = {type(row[at]) for row in table.rows} - {type(None)}
        kind = "integer" if kinds == {int} else "decimal" if kinds and kinds <= {int, float} else "text"
        survey.append({"type": kind, "name": name, "label": column})
        names.append(name)
        if kind != "integer":  # one kind of value a column, as a form has it
            turned: Any = float if kind == "decimal" else str
            table.rows = [
                row if row[at] is None or isinstance(row[at], bytes) else (*row[:at], turned(row[at]), *row[at + 1 :])
                for row in table.rows
            ]
    return names


class Raw:
    """The raw insert everything is measured against: one `executemany` a table in one transaction, keys and all."""

    def __init__(self, folder: Path, homes: Rows, people: Rows, runs: int = 5) -> None:
        self.seconds = statistics.median(self._insert(folder / f"raw-{run}.db", homes, people) for run in range(runs))
        self._path = folder / f"raw-{runs - 1}.db"

    def _insert(self, path: Path, homes: Rows, people: Rows) -> float:
        with closing(sqlite3.connect(path)) as connection:
            began = time.perf_counter()
            with connection:
                for name, table in (("households", homes), ("persons", people)):
                    others = ", ".join(f'"{column}"' for column in table.columns[1:])
                    connection.execute(f"CREATE TABLE {name} (id TEXT PRIMARY KEY, {others})")
                    marks = ", ".join("?" * len(table.columns))
                    connection.executemany(f"INSERT INTO {name} VALUES ({marks})", table.rows)
            return time.perf_counter() - began

    def change(
        self, updates: Sequence[tuple[Any, ...]], columns: Sequence[str], new: Rows, gone: Sequence[str]
    ) -> float:
        """Make an increment raw: update two columns of households, insert new ones, delete persons; the seconds."""
        with closing(sqlite3.connect(self._path)) as connection:
            began = time.perf_counter()
            with connection:
                put = ", ".join(f'"{column}" = ?' for column in columns)
                connection.executemany(f"UPDATE households SET {put} WHERE id = ?", updates)
                marks = ", ".join("?" * len(new.columns))
                connection.executemany(f"INSERT INTO households VALUES ({marks})", new.rows)
                connection.executemany("DELETE FROM persons WHERE id = ?", [(key,) for key in gone])
            return time.perf_counter() - began
