"""Whatever happens to the cells of a form: it is read, or there is a report in words; never anything else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from forms.definition import Form
from forms.problems import LANGUAGES, Problem
from forms.reader import FormError, load_shipped, read_form, read_rows
from tests.forms.test_reader import REACH

JUNK = (
    "", "x", "${", "${}", "${a b}", "${name}", "“x”", "begin_group", "end repeat", "select_one", "select_one x y",
    "rank sex", "select_multiple sex or_other", "1", "-", "'", '"', "(((", "a[b", "concat(", "position(..)", "\u200b",
    "\x01", "😀", "<b>", "&amp;", "]]>", "yes", "audit", "start-geopoint", "background-geopoint", "background-audio",
    "csv-external", "osm sex", "range", "start=a", "randomize=true", "begin loop over sex", "select_one ${name}",
    "select_one_external sex", "table-list", "meta", "data", "calculate", "today()", "../x", "0" * 300, "image",
    "select_one_from_file x.geojson", "search('x')", "ex:foo",
)  # fmt: skip
COLUMNS = (
    "type", "name", "label", "label::x", "hint", "relevant", "required", "calculation", "constraint", "appearance",
    "parameters", "choice_filter", "repeat_count", "default", "trigger", "read_only", "ledger::privacy", "bind::foo",
    "bind::foo:bar", "body::x", "instance::x", "media::image", "save_to", "bind::", "::", "label::", "label::a::b",
    "bind::type", "bind::nodeset", "media::", "rows", "disabled", "children", "bind", "media", "itemset", "query",
    "actions",
)  # fmt: skip
SETTINGS = (
    "name", "namespaces", "style", "instance_name", "default_language", "clean_text_values", "public_key", "flat",
    "id_string", "attribute", "children", "type", "entity_version", "setvalues_by_triggering_ref",
    "allow_choice_duplicates",
)  # fmt: skip


def mutate(form: Form, chance: random.Random) -> dict[str, list[dict[str, str]]]:
    """Return the rows of a form with one cell, row or column changed at random."""
    sheets = {name: [dict(row) for row in rows] for name, rows in form.rows.items()}
    sheet = chance.choice(list(sheets))
    rows = sheets[sheet]
    place = chance.randrange(len(rows))
    row, operation = rows[place], chance.random()
    if operation < 0.12:
        del rows[place]
    elif operation < 0.2:
        rows.insert(chance.randrange(len(rows)), dict(row))
    elif operation < 0.6:
        row[chance.choice([column for column in row if column != "__row__"])] = chance.choice(JUNK)
    elif operation < 0.7:
        row.pop(chance.choice([column for column in row if column != "__row__"]))
    else:
        row[chance.choice(SETTINGS if sheet == "settings" else COLUMNS)] = chance.choice(JUNK)
    return sheets


def said(problems: tuple[Problem, ...]) -> bool:
    return all(problem.words(language) for problem in problems for language in LANGUAGES)


@pytest.mark.parametrize("name", ["household", "left_behind", "visit"])
def test_a_mutated_ledger_is_read_or_reported(name: str) -> None:
    chance = random.Random(name)
    for _ in range(25):
        try:
            assert said(read_rows(mutate(load_shipped(name), chance), "f.xlsx").warnings)
        except FormError as error:
            assert said((*error.problems, *error.warnings))  # noqa: PT017


@pytest.mark.skipif(not REACH.exists(), reason="the REACH questionnaire is not at hand")
def test_a_mutated_questionnaire_is_read_or_reported(tmp_path: Path) -> None:
    form, chance = read_form(REACH, cache=tmp_path), random.Random(7)
    for _ in range(4):
        try:
            assert said(read_rows(mutate(form, chance), "f.xlsx").warnings)
        except FormError as error:
            assert said((*error.problems, *error.warnings))  # noqa: PT017
