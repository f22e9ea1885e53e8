"""Turn one cell of a ledger into an answer: labels into codes, Excel's types into text, impossible numbers refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from collect.importer.workbook import Cell
from forms.attachments import Attachments
from forms.definition import Question
from forms.problems import Place, Problem
from forms.synonyms import with_synonyms
from forms.tables import Column

_SEPARATORS = re.compile(r"[、，,;；/\n]+")
_NUMBER_WITH_UNIT = re.compile(r"^([-+]?\d+(?:\.\d+)?)\s*\D{1,4}$")
_PADDING = re.compile(r"(?<=[\u3400-\U0003ffff]) +(?=[\u3400-\U0003ffff])")  # 王　芳: blanks that only fill a cell
_YES = {"是", "有", "√", "✓", "y", "yes", "true", "1", "v"}
_NO = {"否", "无", "没有", "×", "x", "n", "no", "false", "0"}
_REMEMBERED = 20_000  # texts of cells and what was read in them
_EXACT = 10**15  # a double keeps every whole number below this, and 18 digits of an ID number it does not


@dataclass(slots=True)
class CellReader:
    """Reads cells for one import; looks links to other ledgers up in `attachments` and remembers what it found."""

    attachments: Attachments
    _links: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _good: dict[tuple[str, str], str | int | float | None] = field(default_factory=dict)

    def recall(self, cell: Cell, column: Column) -> tuple[bool, str | int | float | None]:
        """Tell whether the same text of the same column was read before without fault, and what answer it is."""
        if type(cell) is not str:
            return False, None
        key = (column.path, cell)
        return key in self._good, self._good.get(key)

    def read(self, cell: Cell, column: Column, place: Place) -> tuple[str | int | float | None, tuple[Problem, ...]]:
        """Return the answer of a cell (None for an empty one) and what is wrong with it."""
        value, problems = self._read(cell, column, place)
        if not problems and type(cell) is str:
            if len(self._good) >= _REMEMBERED:
                self._good.clear()
            self._good[column.path, cell] = value
        return value, problems

    def _read(self, cell: Cell, column: Column, place: Place) -> tuple[str | int | float | None, tuple[Problem, ...]]:
        text, problems = plain_text(cell, column.question, place)
        if problems or text == "":
            return None, problems
        if column.source:
            return self._linked(text, column, place)
        if column.question.itemset is not None:
            return coded(text, column, place)
        return number_without_unit(text, column.question), ()

    def _linked(self, text: str, column: Column, place: Place) -> tuple[str | None, tuple[Problem, ...]]:
        key = (column.source, text)
        if key not in self._links:
            self._links[key] = self._look_up(column.source, text)
        found = self._links[key]
        if found is None:
            context = {"value": text, "question": label(column.question), "list": column.source.removesuffix(".csv")}
            return text, (Problem("COLLECT_IMPORT_LINK", place, context),)
        return found, ()

    def _look_up(self, source: str, text: str) -> str | None:
        """Return the one row whose name, label or number is `text`; None where there is none or more than one."""
        rows = self.attachments.open(source)
        for name in ("name", "label", "household_number", "resident_id", "head_name"):
            found = {row["name"] for row in rows.lookup(name, text)}
            if len(found) == 1:
                return found.pop()
        return None


def plain_text(cell: Cell, question: Question, place: Place) -> tuple[str, tuple[Problem, ...]]:
    """Return a cell as text the form engine reads, and its problem where the file has already lost the value.

    A whole number of 16 digits or more in a numeric cell has lost its last digits: refused, never guessed. Text is
    normalised by NFKC (full-width digits and letters) except that a person's name stays as it was typed.
    """
    if isinstance(cell, bool):
        return ("1" if cell else "0"), ()
    if isinstance(cell, datetime | date | time | timedelta):
        return _moment(cell, question), ()
    if isinstance(cell, float | int):
        if abs(cell) >= _EXACT:
            context = {"value": f"{cell:.0f}", "question": label(question)}
            return "", (Problem("COLLECT_IMPORT_DIGITS_LOST", place, context),)
        whole = isinstance(cell, int) or cell.is_integer()
        return (str(int(cell)) if whole else repr(cell)), ()
    text = cell.replace("\u3000", " ").strip().strip("'’‘`")
    is_name = question.ledger.get("search") == "name"
    text = _PADDING.sub("", text) if is_name else unicodedata.normalize("NFKC", text).strip()
    private = sorted({f"U+{ord(character):04X}" for character in text if unicodedata.category(character) == "Co"})
    if private:
        context = {"value": text, "characters": " ".join(private), "question": label(question)}
        return text, (Problem("COLLECT_IMPORT_PRIVATE_CHARACTER", place, context),)
    return text, ()


def coded(text: str, column: Column, place: Place) -> tuple[str, tuple[Problem, ...]]:
    """Return the code(s) of the label(s) in `text`; a select_multiple's are separated by 、，,;/ or line breaks."""
    known = _codes(column)
    parts = [part.strip() for part in _SEPARATORS.split(text)] if column.multiple else [text]
    codes: list[str] = []
    unknown: list[str] = []
    for part in filter(None, parts):
        code = known(part)
        if code is None and column.multiple:
            several = [known(word) for word in part.split()]
            if several and all(several):
                codes.extend(word for word in several if word)
                continue
        (codes if code is not None else unknown).append(part if code is None else code)
    if not unknown:
        return " ".join(dict.fromkeys(codes)), ()
    options = "、".join(list(column.choices("").values())[:12])
    context = {"value": "、".join(unknown), "question": label(column.question), "options": options}
    return text, (Problem("COLLECT_IMPORT_CHOICE", place, context),)


_known_codes: dict[tuple[str, str], Callable[[str], str | None]] = {}


def _codes(column: Column) -> Callable[[str], str | None]:
    """A reader of labels for one column: code or label in any language, blanks and width ignored, 是/否 for yes/no."""
    form = column.form
    key = (form.digest if form else "", column.path)
    if form is None or key not in _known_codes:
        table: dict[str, str] = {}
        for language in (form.languages if form else ()) or ("",):
            for code, words in column.choices(language).items():
                table.setdefault(_folded(words), code)
                table.setdefault(_folded(code), code)
        table = {_folded(word): found for word, found in with_synonyms(_with_yes_and_no(table)).items()}
        _known_codes[key] = lambda word: table.get(_folded(word))
    return _known_codes[key]


def _with_yes_and_no(table: Mapping[str, str]) -> dict[str, str]:
    more = dict(table)
    for words in (_YES, _NO):
        codes = {table[word] for word in words if word in table}
        if len(codes) == 1:
            for word in words:
                more.setdefault(word, next(iter(codes)))
    return more


def _folded(words: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", words)).casefold()


def number_without_unit(text: str, question: Question) -> str:
    """Return `3.5` for `3.5亩` or `3.5 mu` where the question wants a number; anything else as it is."""
    if question.data_type not in ("int", "decimal"):
        return text
    bare = text.replace(",", "").replace("，", "")
    found = _NUMBER_WITH_UNIT.match(bare)
    return found[1] if found else bare


def label(question: Question) -> str:
    """Return a question's label for a message, its name where it has none."""
    return question.label.plain("") or question.name


def _moment(cell: datetime | date | time | timedelta, question: Question) -> str:
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(cell, datetime):
        midnight = cell.time() == time()
        wanted = question.data_type
        if wanted == "dateTime":
            return cell.isoformat()
        return cell.date().isoformat() if wanted == "date" or midnight else cell.isoformat(sep=" ")
    return cell.isoformat()
