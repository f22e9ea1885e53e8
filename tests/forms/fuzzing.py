"""Forms damaged at random: `python -m tests.forms.fuzzing 10000 [SEED]`; a report or a form, never anything else.

Prints every input that ended otherwise or took longer than two seconds, the slowest, and the most memory in use.
"""

from __future__ import annotations

import io
import random
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

from lxml import etree

from forms.annotation import annotate_file
from forms.export import to_xlsx, to_yaml
from forms.reader import FormError, load_shipped, read_form
from forms.sheets import ROW
from tests.forms.test_mutations import COLUMNS, JUNK, SETTINGS, mutate

SMALL = ("public_place", "visit", "risk_point")
SECONDS = 2.0
BYTES = (b"\x00", b"\xff", b"<", b">", b"&", b'"', b"{", b"[", b"]]>", b"&x;", b"<!DOCTYPE a>", b"\xe6", b"9" * 40)


@cache
def workbook(name: str) -> bytes:
    return to_xlsx(load_shipped(name))


@cache
def text(name: str) -> bytes:
    return to_yaml(load_shipped(name)).encode("utf-8")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes with a few places cut out, written over or put in."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(data))
        length = chance.choice((0, 1, 3, 200))
        data = data[:at] + chance.choice((b"", *BYTES)) + data[at + length :]
    return data


def any_rows(chance: random.Random) -> bytes:
    """A workbook whose cells are taken at random from what people write, rightly and wrongly."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "survey"
    columns = ["type", "name", "label", *chance.sample(COLUMNS, 5)]
    sheet.append(columns)
    types = ("text", "integer", "select_one a", "select_multiple a", "calculate", "note", "date", "begin_group",
             "end_group", "begin_repeat", "end_repeat", "range", "image")  # fmt: skip
    for number in range(chance.randrange(1, 12)):
        row = [chance.choice(types), chance.choice((f"q{number}", f"q{number}", "q1", "a b"))]
        row += [chance.choice(("", "", "标签", "${q1}", "1", *JUNK)) for _ in columns[2:]]
        sheet.append([cell if isinstance(cell, str) and "\x01" not in cell else "x" for cell in row])
    choices = book.create_sheet("choices")
    for cells in (("list_name", "name", "label"), ("a", "1", "一"), ("a", chance.choice(JUNK).strip("\x01"), "二")):
        choices.append(cells)
    settings = book.create_sheet("settings")
    settings.append(["form_id", chance.choice(SETTINGS)])
    settings.append(["f", chance.choice(JUNK).strip("\x01")])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def mutated_rows(chance: random.Random) -> bytes:
    form = load_shipped(chance.choice(SMALL))
    sheets = mutate(form, chance)
    lines = []
    for name, rows in sheets.items():
        lines.append(f"{name}:")
        for row in rows:
            cells = [f"{key!r}: {value!r}" for key, value in row.items() if key != ROW]
            lines.append("  - {" + ", ".join(cells).replace("\\x", "x").replace("\\u", "u").replace("\\'", "") + "}")
    return "\n".join(lines).encode("utf-8")


def mutated_part(chance: random.Random) -> bytes:
    """A workbook with one part damaged inside its zip."""
    source, content = zipfile.ZipFile(io.BytesIO(workbook(chance.choice(SMALL)))), io.BytesIO()
    hit = chance.choice(source.namelist())
    with zipfile.ZipFile(content, "w") as archive:
        for name in source.namelist():
            data = source.read(name)
            archive.writestr(name, damaged(data, chance) if name == hit else data)
    return content.getvalue()


def mutated_tree(chance: random.Random) -> bytes:
    """An XForm with elements taken out, doubled or moved, and attributes changed."""
    root = etree.fromstring(load_shipped(chance.choice(SMALL)).xform.encode("utf-8"))
    for _ in range(chance.choice((1, 2, 4))):
        element = chance.choice(list(root.iter()))
        parent, kind = element.getparent(), chance.random()
        if parent is None:
            continue
        if kind < 0.3:
            parent.remove(element)
        elif kind < 0.5:
            other = chance.choice(list(root.iter()))
            other.append(etree.fromstring(etree.tostring(element, with_tail=False)))
        elif element.attrib:
            words = ("/data", "..", "", "[", "instance('x')/root/item", "/a/b[c]", "jr:itext('x')", "${a}", "1 +")
            element.set(chance.choice(list(element.attrib)), chance.choice(words))
        else:
            element.text = chance.choice(("", "x", "<", "1"))
    return etree.tostring(root)


KINDS: dict[str, tuple[str, Callable[[random.Random], bytes]]] = {
    "any rows": (".xlsx", any_rows),
    "rows": (".yml", mutated_rows),
    "workbook bytes": (".xlsx", lambda chance: damaged(workbook(chance.choice(SMALL)), chance)),
    "workbook parts": (".xlsx", mutated_part),
    "yaml bytes": (".yml", lambda chance: damaged(text(chance.choice(SMALL)), chance)),
    "xform bytes": (".xml", lambda chance: damaged(load_shipped(chance.choice(SMALL)).xform.encode("utf-8"), chance)),
    "xform tree": (".xml", mutated_tree),
}


def tried(path: Path, *, marked: bool) -> str:
    """What came of reading a form: `form` or the first fault's code; whatever is wrong can be said and marked."""
    try:
        form = read_form(path)
        found, problems = "form", form.warnings
    except FormError as error:
        found, problems = error.code, (*error.problems, *error.warnings)
    for problem in problems:
        assert problem.words("zh")
        assert problem.words("en")
    if marked:
        annotate_file(path, problems, "zh")
    return found


def run(count: int, seed: int, folder: Path) -> tuple[list[str], Counter[str], float]:
    """Try `count` damaged forms; return those that ended otherwise, what came of the rest, and the longest time."""
    failed, outcomes, slowest = list[str](), Counter[str](), 0.0
    kinds = list(KINDS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        chance = random.Random(f"{seed} {number}")
        suffix, make = KINDS[kind]
        path = folder / f"form{suffix}"
        path.write_bytes(make(chance) or b" ")
        began = time.perf_counter()
        try:
            outcomes[tried(path, marked=number % 5 == 0)] += 1
        except Exception:
            failed.append(f"{kind} {seed} {number}\n{traceback.format_exc(limit=-3)}")
        took = time.perf_counter() - began
        slowest = max(slowest, took)
        if took > SECONDS:
            failed.append(f"{kind} {seed} {number} took {took:.1f} s")
    return failed, outcomes, slowest


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        failed, outcomes, slowest = run(count, seed, Path(folder))
    for line in failed:
        print(line)
    print(f"{count} forms, {len(failed)} failed, slowest {slowest:.2f} s; {dict(outcomes.most_common(12))}")
    try:
        import resource
    except ImportError:
        return
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB at most")


if __name__ == "__main__":
    main()
