"""How quick the form engine is, expression by expression and by the record: `python -m tests.bench.forms --json`."""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

import forms
from forms.bulk import Bulk
from forms.clock import SystemClock
from forms.definition import Form
from forms.expressions import Context, compile_expression
from forms.instance import Instance
from forms.program import compile_form
from forms.reader import read_form, read_rows
from tests.bench.expressions import KINDS, microseconds, setting

REACH = Path(__file__).parents[3] / "shared" / "data" / "xlsforms" / "reach-msna-2024.xlsx"
SHIPPED = Path(forms.__file__).parent / "library" / "household.yml"
QUESTIONS = 30


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--form", type=Path, default=REACH if REACH.exists() else SHIPPED, help="the form to load")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    data: dict[str, Any] = {}
    data |= expressions(quiet=wanted.json)
    for count in (50, 200, 1000):
        p50, p95 = change(count)
        data |= {f"change_{count}_p50_ms": p50, f"change_{count}_p95_ms": p95}
    data |= bulk(wanted.rows)
    data |= loading(wanted.form)
    data |= {"load_6000_s": workbook(questions(6000)), "load_30000_choices_s": workbook(questions(1), 30_000)}
    if not wanted.json:
        for name, value in data.items():
            print(f"{name:24} {value}")
    print(json.dumps(data, ensure_ascii=False))


def expressions(*, quiet: bool) -> dict[str, Any]:
    """Compile and evaluate, a line for each kind of expression; the median over the kinds."""
    scope, context, _ = setting()
    compiling, evaluating = [], []
    for kind, source in KINDS.items():
        compiled = compile_expression(source, scope=scope)

        def again(source: str = source) -> object:
            return compile_expression(source, scope=scope)

        def run(evaluate: Callable[[Context], object] = compiled.evaluate) -> object:
            return evaluate(context)

        compiling.append(microseconds(again, rounds=5, calls=20))
        evaluating.append(microseconds(run))
        if not quiet:
            print(f"{kind:24} compile {compiling[-1]:7.1f} µs  evaluate {evaluating[-1]:7.2f} µs  {source}")
    return {
        "median_compile_us": round(statistics.median(compiling), 2),
        "median_eval_us": round(statistics.median(evaluating), 2),
        "worst_eval_us": round(max(evaluating), 2),
    }


def large(questions: int) -> Form:
    """A form like a census: a third of its questions depend on others, a tenth are calculated."""
    rows = []
    for number in range(questions):
        row = {"__row__": str(number + 2), "type": "integer", "name": f"q{number}", "label": f"第 {number} 题"}
        before = number // 2
        if number % 3 == 1:
            row["relevant"] = f"${{q{before}}} > {number % 5}"
        elif number % 10 == 5:
            row |= {"type": "calculate", "calculation": f"${{q{before}}} * 2 + ${{q{number - 1}}}"}
            del row["label"]
        elif number % 4 == 2:
            row |= {"constraint": f". >= 0 and . < {1000 + number}", "required": "yes"}
        rows.append(row)
    settings = [{"__row__": "2", "form_id": f"large_{questions}", "version": "1"}]
    return read_rows({"survey": rows, "choices": [], "settings": settings})


def change(questions: int, times: int = 400) -> tuple[float, float]:
    """One answer set, and what the page is told of it: the median and the 95th percentile in milliseconds."""
    program = compile_form(large(questions))
    instance = Instance.new(program, clock=SystemClock())
    dice = random.Random(7)
    refs = [state.ref for state in instance.walk() if state.kind == "question" and state.shown]
    took = []
    for _ in range(times):
        ref, value = dice.choice(refs), dice.randrange(10)
        began = time.perf_counter()
        instance.set(ref, value)
        for altered in instance.changes_since().altered:
            instance.state(altered)
        took.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(took), 3), round(percentile(took, 95), 3)


def percentile(values: Sequence[float], which: int) -> float:
    """Return a percentile of measurements."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * which // 100)]


def flat() -> Form:
    """A form of 30 questions with 15 expressions: five calculations, five relevances, five constraints."""
    rows: list[dict[str, str]] = []

    def add(kind: str, name: str, **more: str) -> None:
        rows.append({"__row__": str(len(rows) + 2), "type": kind, "name": name, "label": name, **more})

    add("text", "village", required="yes")
    add("text", "head", required="yes")
    add("integer", "people", constraint=". >= 0 and . < 50")
    add("integer", "children", constraint=". <= ${people}")
    add("decimal", "farmland", constraint=". >= 0 and . < 1000")
    add("decimal", "forest", constraint=". >= 0")
    add("text", "phone", constraint="regex(., '1[3-9][0-9]{9}')")
    add("select_one yes_no", "car", required="yes")
    add("text", "plate", relevant="${car} = 'yes'")
    add("select_one yes_no", "needy")
    add("text", "reason", relevant="${needy} = 'yes' and ${people} > 0")
    add("select_multiple crop", "crops")
    add("text", "rice_kind", relevant="selected(${crops}, 'rice')")
    add("integer", "school", relevant="${children} > 0")
    add("integer", "cows")
    add("integer", "milk", relevant="${cows} > 0 or ${needy} = 'yes'")
    add("calculate", "land", calculation="${farmland} + ${forest}")
    add("calculate", "each", calculation="round(${land} div ${people}, 2)")
    add("calculate", "adults", calculation="${people} - ${children}")
    add("calculate", "name", calculation="concat(${village}, '-', ${head})")
    add("calculate", "grade", calculation="if(${each} > 2, 'a', if(${each} > 1, 'b', 'c'))")
    add("date", "visited")
    add("time", "at")
    for number in range(QUESTIONS - len(rows)):
        add("text", f"note_{number}")
    choices = [("yes_no", "yes"), ("yes_no", "no"), ("crop", "rice"), ("crop", "corn"), ("crop", "tea")]
    listed = [
        {"__row__": str(at), "list_name": name, "name": code, "label": code}
        for at, (name, code) in enumerate(choices, 2)
    ]
    settings = [{"__row__": "2", "form_id": "flat", "version": "1"}]
    return read_rows({"survey": rows, "choices": listed, "settings": settings})


def records(count: int) -> list[dict[str, Any]]:
    """Return answers as they come out of a workbook: texts and numbers; one in fifty breaks a rule."""
    dice = random.Random(11)
    found = []
    for number in range(count):
        people, needy, car = dice.randrange(1, 9), dice.random() < 0.2, dice.random() < 0.3
        record = {
            "village": f"第 {number % 40} 村", "head": f"户主 {number}", "people": people,
            "children": dice.randrange(0, people + 1) if number % 50 else people + 1,
            "farmland": round(dice.random() * 20, 1), "forest": round(dice.random() * 40, 1),
            "phone": f"13{dice.randrange(10**8, 10**9)}", "car": "yes" if car else "no",
            "needy": "yes" if needy else "no", "crops": dice.choice(["rice", "rice corn", "tea", ""]),
            "cows": dice.randrange(3), "visited": f"2026-0{dice.randrange(1, 10)}-1{dice.randrange(10)}",
            "at": f"{dice.randrange(10, 20)}:30", "school": 1, "milk": 2, "rice_kind": "籼稻",
            **{f"note_{place}": f"备注 {dice.randrange(100)}" for place in range(7)},
        }  # fmt: skip
        if car:
            record["plate"] = f"贵A{number}"
        if needy:
            record["reason"] = "病"
        found.append(record)
    return found


def by_hand(record: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """The same checks and calculations as `flat` has, written by hand for this one form."""
    wrong = [name for name in ("village", "head", "car") if not record.get(name)]
    people, children = int(record["people"]), int(record["children"])
    farmland, forest = float(record["farmland"]), float(record["forest"])
    if not 0 <= people < 50:
        wrong.append("people")
    if children > people:
        wrong.append("children")
    if not 0 <= farmland < 1000:
        wrong.append("farmland")
    if forest < 0:
        wrong.append("forest")
    if not re.fullmatch(r"1[3-9][0-9]{9}", record["phone"]):
        wrong.append("phone")
    kept = {name: value.strip() if isinstance(value, str) else value for name, value in record.items() if value != ""}
    if record["car"] not in ("yes", "no") or record["needy"] not in ("yes", "no"):
        wrong.append("car")
    crops = record["crops"].split()
    wrong += [code for code in crops if code not in ("rice", "corn", "tea")]
    asked = {
        "plate": record["car"] == "yes", "reason": record["needy"] == "yes" and people > 0,
        "rice_kind": "rice" in crops, "school": children > 0, "milk": record["cows"] > 0 or record["needy"] == "yes",
    }  # fmt: skip
    for name, is_asked in asked.items():
        if not is_asked:
            kept.pop(name, None)
    time.strptime(record["visited"], "%Y-%m-%d")
    land = farmland + forest
    each = round(land / people, 2)
    kept |= {
        "land": land, "each": each, "adults": people - children, "name": f"{record['village']}-{record['head']}",
        "grade": "a" if each > 2 else "b" if each > 1 else "c",
    }  # fmt: skip
    return wrong, kept


def bulk(count: int) -> dict[str, Any]:
    """Check and calculate many records; beside it the same written by hand, and one instance each."""
    given = records(count)
    program = compile_form(flat())
    filler = Bulk(program, clock=SystemClock())
    assert filler.why == "", filler.why
    began = time.perf_counter()
    wrong = 0
    for record in given:
        wrong += bool(filler.fill(record))
        filler.answers()
    took = time.perf_counter() - began
    began = time.perf_counter()
    wrong_by_hand = sum(bool(by_hand(record)[0]) for record in given)
    hand = time.perf_counter() - began
    assert wrong == wrong_by_hand, (wrong, wrong_by_hand)
    few = given[: max(1, count // 100)]
    began = time.perf_counter()
    for record in few:
        Instance.new(program, clock=SystemClock()).fill(record)
    single = (time.perf_counter() - began) / len(few)
    return {
        "bulk_rows": count, "bulk_rows_s": round(count / took), "bulk_ratio": round(took / hand, 2),
        "hand_rows_s": round(count / hand), "instance_rows_s": round(1 / single),
    }  # fmt: skip


def loading(source: Path) -> dict[str, Any]:
    """Load a form anew, and from where it was kept."""
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        began = time.perf_counter()
        form = read_form(source, cache=cache)
        cold = time.perf_counter() - began
        cached = []
        for _ in range(5):
            began = time.perf_counter()
            read_form(source, cache=cache)
            cached.append((time.perf_counter() - began) * 1000)
    questions = sum(1 for _ in form.questions())
    return {
        "loaded": source.name, "loaded_questions": questions,
        "cached_load_ms": round(statistics.median(cached), 1), "cold_load_ms": round(cold * 1000, 1),
    }  # fmt: skip


def questions(count: int) -> list[dict[str, str]]:
    """Return survey rows with five expressions for every three questions."""
    dice = random.Random(3)
    rows = []
    for number in range(count):
        kind = ("integer", "text", "select_one big", "decimal", "date")[number % 5]
        row = {"type": kind if count > 1 else "select_one big", "name": f"q{number}", "label": f"第 {number} 题"}
        first, second, third = (f"${{q{dice.randrange(max(1, number))}}}" for _ in range(3))
        if number % 2 and number > 10:
            row["relevant"] = f"{first} != '' and {second} > {number % 7}"
        if number % 5 in (0, 3):
            row["constraint"] = f". >= 0 and . < {1000 + number}"
        if number % 3 == 0 and number:
            row["required"] = f"{third} = 'yes'"
        if number % 3 == 1 and number > 10:
            row["calculation"] = f"if({first} > 3, {second}, 0)"
        if number % 6 == 2 and number > 10:
            row["read_only"] = f"{second} = '' or {third} < {number}"
        rows.append(row)
    return rows


def workbook(survey: list[dict[str, str]], choices: int = 2) -> float:
    """Write a workbook and load it: the least of three, in seconds of processor time."""
    sheets = {
        "survey": survey,
        "choices": [{"list_name": "big", "name": f"c{number}", "label": f"选项 {number}"} for number in range(choices)],
        "settings": [{"form_id": "big", "version": "1"}],
    }
    took = []
    with tempfile.TemporaryDirectory() as name:
        for turn in range(3):
            sheets["settings"] = [{"form_id": f"big_{turn}_{choices}", "version": "1"}]  # nothing is known of it yet
            made = Workbook(write_only=True)
            for sheet, rows in sheets.items():
                columns = list(dict.fromkeys(column for row in rows for column in row))
                page = made.create_sheet(sheet)
                page.append(columns)
                for row in rows:
                    page.append([row.get(column) for column in columns])
            made.save(Path(name) / "big.xlsx")
            began = time.process_time()
            read_form(Path(name) / "big.xlsx")
            took.append(time.process_time() - began)
    return round(min(took), 2)


if __name__ == "__main__":
    main()
