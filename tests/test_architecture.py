"""The house rules of docs/architecture.md, read from the source tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("forms", "collect", "sync", "datasette_plugins")
ALLOWED = {"forms": (), "collect": ("forms",), "sync": ("forms", "collect"), "datasette_plugins": PACKAGES[:3]}
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|VIEW|INDEX))\b", re.S
)
SQL_MODULES = {
    f"collect/{name}.py"
    for name in re.findall(
        r"collect/\{([\w,]+)\}\.py", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").replace("\n", "")
    )[0].split(",")
}
LONGEST = 600


def modules() -> Iterator[tuple[str, ast.Module, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            yield path.relative_to(ROOT).as_posix(), ast.parse(source), source


MODULES = list(modules())
IDS = [name for name, _, _ in MODULES]


def imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize(("name", "tree", "source"), MODULES, ids=IDS)
def test_imports_only_point_up_the_table(name: str, tree: ast.Module, source: str) -> None:
    package = name.partition("/")[0]
    tops = {module.partition(".")[0] for module in imported(tree)}
    forbidden = (tops & set(PACKAGES)) - {package, *ALLOWED[package]}
    assert not forbidden, f"{name} must not import {sorted(forbidden)}"
    if package == "forms":
        assert not tops & {"sqlite3", "click", "datasette", "sqlite_utils"}
    if package != "datasette_plugins":
        assert "datasette" not in tops
    if "click" in tops:
        assert "cli" in Path(name).with_suffix("").parts, f"{name} knows click, but only cli modules may"


@pytest.mark.parametrize(("name", "tree", "source"), MODULES, ids=IDS)
def test_only_one_module_opens_sqlite_files(name: str, tree: ast.Module, source: str) -> None:
    if name == "collect/database.py":
        return
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert "sqlite3.connect" not in calls


@pytest.mark.parametrize(("name", "tree", "source"), MODULES, ids=IDS)
def test_sql_stands_only_where_the_docs_say(name: str, tree: ast.Module, source: str) -> None:
    if name in SQL_MODULES:
        return
    documented = (n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.FunctionDef | ast.ClassDef))
    docs = {ast.get_docstring(node, clean=False) for node in documented}
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docs
    ]
    assert not [text for text in texts if SQL.search(text)]


@pytest.mark.parametrize(("name", "tree", "source"), MODULES, ids=IDS)
def test_a_module_does_one_job_and_says_it(name: str, tree: ast.Module, source: str) -> None:
    assert len(source.splitlines()) <= LONGEST
    if source.strip():
        assert ast.get_docstring(tree), f"{name} does not say its job in its first line"
