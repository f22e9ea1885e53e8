"""The authored rows as the checks see them: canonical columns, types taken apart, scopes, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from forms.problems import Place, Problem, Severity
from forms.sheets import ROW, Row
from forms.vocabulary import CHOICES_COLUMNS, LEDGER_PREFIX, SETTINGS, SURVEY_COLUMNS, TypeOf, column_of, read_type

COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "survey": SURVEY_COLUMNS,
    "choices": CHOICES_COLUMNS,
    "external_choices": CHOICES_COLUMNS,
    "settings": SETTINGS,
}

_BLANK: Final = TypeOf("blank")
# Groups within groups: more than anybody writes, fewer than what XML readers refuse.
DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Cell:
    """One filled cell: its text as written, its canonical column and language, its row's place and its own header."""

    text: str
    column: str
    language: str
    row: Place
    header: str

    @property
    def place(self) -> Place:
        """Where the cell stands; made when it is asked for, as most cells are never spoken of."""
        return Place(self.row.file, self.row.sheet, self.row.row, self.header)


@dataclass(slots=True)
class AuthoredRow:
    """One row, its `name` without outer blanks: `cells` by canonical column (a translated one's several together)."""

    place: Place
    raw: Row
    cells: dict[str, list[Cell]] = field(default_factory=dict)
    type: TypeOf = _BLANK
    scope: int = 0
    path: str = ""
    name: str = ""

    def text(self, column: str) -> str:
        """Return a column's text without outer blanks, or nothing; of a translated column the first."""
        found = self.cells.get(column)
        return found[0].text.strip() if found else ""

    def at(self, column: str) -> Place:
        """Return the place of a column's cell, under the header as its author wrote it."""
        found = self.cells.get(column)
        return found[0].place if found else Place(self.place.file, self.place.sheet, self.place.row, column)

    @property
    def number(self) -> int:
        """The row as its file shows it."""
        return self.place.row or 0

    def all_cells(self) -> Iterator[Cell]:
        """Yield every filled cell that stands under a column."""
        for cells in self.cells.values():
            yield from cells

    def problem(self, code: str, at: str, severity: Severity = "error", /, **context: Any) -> Problem:
        """Return a problem at one of this row's cells."""
        place = self.at(at)
        named = Place(place.file, place.sheet, place.row, place.column, self.name)
        return Problem(code, named, {"value": self.text(at), **context}, severity)


@dataclass
class Authored:
    """All sheets of one form; `headers`: sheet -> headers in order of appearance."""

    file: str
    survey: tuple[AuthoredRow, ...]
    choices: tuple[AuthoredRow, ...]
    external_choices: tuple[AuthoredRow, ...]
    settings: AuthoredRow
    entities: tuple[AuthoredRow, ...]
    headers: Mapping[str, tuple[str, ...]]
    sheets: tuple[str, ...]

    @cached_property
    def named(self) -> tuple[AuthoredRow, ...]:
        """The rows of the survey sheet that make a node: questions and the beginnings of groups and repeats."""
        return tuple(row for row in self.survey if row.type.kind in ("question", "begin"))

    @cached_property
    def questions(self) -> tuple[AuthoredRow, ...]:
        """The rows of the survey sheet that are questions."""
        return tuple(row for row in self.named if row.type.kind == "question")

    def rows(self) -> Iterator[AuthoredRow]:
        """Every row of every sheet."""
        yield from (*self.survey, *self.choices, *self.external_choices, self.settings, *self.entities)

    def lists(self, *, external: bool = False) -> dict[str, list[AuthoredRow]]:
        """Return the choice lists by name."""
        found: dict[str, list[AuthoredRow]] = {}
        for row in self.external_choices if external else self.choices:
            found.setdefault(row.text("list_name"), []).append(row)
        return found


def _disabled(row: AuthoredRow) -> bool:
    return row.text("disabled").lower() in ("yes", "true", "true()")


def read_authored(sheets: Mapping[str, Sequence[Row]], file: str) -> Authored:
    """Read the sheets' rows into canonical columns, and give every survey row its scope and path."""
    headers = {
        name: tuple(dict.fromkeys(column for row in rows for column in row if column != ROW))
        for name, rows in sheets.items()
    }

    def read(sheet: str) -> tuple[AuthoredRow, ...]:
        known = {header: _canonical(sheet, header, headers[sheet]) for header in headers.get(sheet, ())}
        return tuple(_row(sheet, row, known, file) for row in sheets.get(sheet, ()))

    # A disabled row is as if it were not there.
    survey = tuple(row for row in read("survey") if not _disabled(row))
    settings = read("settings")
    for row in survey:
        row.type = read_type(row.text("type"))
    _give_scopes(survey)
    return Authored(
        file=file,
        survey=survey,
        choices=read("choices"),
        external_choices=read("external_choices"),
        settings=settings[0] if settings else AuthoredRow(Place(file, "settings"), {}),
        entities=read("entities"),
        headers=headers,
        sheets=tuple(sheets),
    )


def _canonical(sheet: str, header: str, headers: Sequence[str]) -> tuple[str, str]:
    """A header's canonical column and language; unknown columns of the choices sheet keep their own name (filters)."""
    if header.startswith(LEDGER_PREFIX):
        return header, ""
    double_colon = any("::" in other for other in headers)
    column, language = column_of(header, COLUMNS.get(sheet, {}), double_colon=double_colon)
    if not column and sheet in ("choices", "external_choices", "entities"):
        return header.strip(), ""
    return column, language


def _row(sheet: str, row: Row, known: Mapping[str, tuple[str, str]], file: str) -> AuthoredRow:
    read = AuthoredRow(Place(file, sheet, int(row[ROW])), row)
    for header, text in row.items():
        if header == ROW or not text.strip():
            continue
        column, language = known[header]
        if column:
            read.cells.setdefault(column, []).append(Cell(text, column, language, read.place, header))
    read.name = read.text("name")
    return read


def _give_scopes(survey: Sequence[AuthoredRow]) -> None:
    """Number the groups' scopes and build paths; ends that match nothing are left to the structure check."""
    stack = [(0, "/data")]
    scopes = 0
    for row in survey:
        if row.type.kind == "end":
            if len(stack) > 1:
                stack.pop()
            row.scope = stack[-1][0]
            continue
        row.scope = stack[-1][0]
        # Beyond the bound, which the check of extents reports, paths no longer grow.
        row.path = f"{stack[-1][1]}/{row.name}" if len(stack) <= DEEPEST else stack[-1][1]
        if row.type.kind == "begin":
            scopes += 1
            stack.append((scopes, row.path))
