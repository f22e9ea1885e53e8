"""Run XPath conformance cases: python -m tests.conformance.xpath CASES.jsonl [--quiet]."""

from __future__ import annotations

import argparse
import io
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from forms.clock import Clock, FixedClock, SystemClock
from forms.expressions import Context, ExpressionError, Node, Scope, Tree, compile_expression
from forms.expressions.context import NAMESPACES
from forms.expressions.documents import read_document
from forms.values import number_text

Case = Mapping[str, Any]
_FAILED = "an error"
_XFORMS = NAMESPACES["xf"]


class DocumentInstance:
    """An `instance` element inside the document itself, as a secondary instance without an index."""

    def __init__(self, element: Node) -> None:
        self.document = element

    def lookup(self, path: tuple[str, ...], column: str, value: str) -> list[Node] | None:
        """Leave every look-up to the expression."""
        return None


def run_case(case: Case) -> tuple[Any, Any]:
    """Return what a case wants and what the engine gives; they are equal where it passes."""
    kind: str = case["kind"]
    expected: Any = case.get("expected")
    try:
        got = _got(case, kind)
    except ExpressionError as error:
        return (_FAILED, _FAILED) if kind == "error" else (expected, f"{_FAILED}: {error.code}")
    if kind == "string_match":
        found = re.search(str(expected), got, _flags(case.get("flags", "")))
        return (expected, expected) if found else (expected, got)
    if kind == "number_rounded":
        factor = float(case.get("factor", 1))
        return _rounded(expected, factor), _rounded(got, factor)
    if kind == "number":
        return _shown(expected), _shown(got)
    if kind == "nodeset_unordered":
        return sorted(_texts(expected)), sorted(got)
    if kind == "nodeset":
        return _texts(expected), got
    if kind == "string":
        return _shown(expected), got
    if kind == "error":
        return _FAILED, got
    if kind not in ("boolean", "string_length"):
        raise ValueError(f"unknown kind {kind}")
    return expected, got


def _texts(expected: Any) -> list[str]:
    """A node-set as a case writes it: a list, or one text where only the first node is asked for."""
    if expected is None:
        return []
    return [str(_shown(one)) for one in expected] if isinstance(expected, list) else [str(_shown(expected))]


def _got(case: Case, kind: str) -> Any:
    tree = read_document((case.get("xml") or "<data/>").lstrip())
    given: Mapping[str, str] = case.get("ns") or {}
    if _XFORMS not in given.values():
        _forget_default(tree)
    scope = Scope(namespaces={**NAMESPACES, **_declared(tree), **given}, plain=True)
    context = _context(case, tree, scope)
    compiled = compile_expression(case["expr"], scope=scope)
    if kind == "boolean":
        return compiled.boolean(context)
    if kind in ("number", "number_rounded"):
        return compiled.number(context)
    if kind in ("string", "string_match"):
        return compiled.string(context)
    if kind == "string_length":
        return len(compiled.string(context))
    if kind in ("nodeset", "nodeset_unordered"):
        nodes = compiled.nodes(context)
        return [node.text() for node in (nodes[:1] if case.get("first") else nodes)]
    return compiled.string(context)


def _declared(tree: Tree) -> dict[str, str]:
    """The prefixes that the document element declares; its default namespace is none of XPath 1.0's names."""
    return {prefix: uri for prefix, uri in tree.root.namespaces().items() if prefix}


def _forget_default(tree: Tree) -> None:
    """Let names without prefix find an XForm's own elements, which stand in its default namespace."""
    for node in tree.document.descendants():
        if node.ns == _XFORMS and not node.prefix:
            node.ns = ""


def _context(case: Case, tree: Tree, scope: Scope) -> Context:
    clock = _clock(case)

    def at(path: str | None) -> Node:
        if not path:
            return tree.document
        found = compile_expression(path, scope=scope).nodes(Context(tree.document, clock=clock))
        if not found:
            raise LookupError(f"no node at {path}")
        return found[0]

    return Context(
        at(case.get("ctx")),
        root=at(case.get("root")),
        clock=clock,
        language=case.get("lang") or _first_language(tree),
        instances=lambda key: _instance(tree, key),
        itext=lambda key, language: _itext(tree, key, language),
        choice_name=lambda value, path, context: _choice_name(tree, value, path, context),
    )


def _clock(case: Case) -> Clock:
    if not case.get("now"):
        if not case.get("tz"):
            return SystemClock()
        return FixedClock(datetime.now(ZoneInfo(case["tz"])))
    now = datetime.fromisoformat(case["now"])
    zone = ZoneInfo(case["tz"]) if case.get("tz") else now.tzinfo or UTC
    return FixedClock(now.astimezone(zone) if now.tzinfo else now.replace(tzinfo=zone))


def _elements(tree: Tree, name: str) -> Iterator[Node]:
    return (node for node in tree.document.descendants() if node.name == name)


def _instance(tree: Tree, key: str) -> DocumentInstance | None:
    found = next((node for node in _elements(tree, "instance") if node.attribute("id") == key), None)
    return None if found is None else DocumentInstance(found)


def _first_language(tree: Tree) -> str:
    translations = list(_elements(tree, "translation"))
    chosen = [node for node in translations if node.attribute("default") is not None] or translations
    return (chosen[0].attribute("lang") or "") if chosen else ""


def _itext(tree: Tree, key: str, language: str) -> str | None:
    for translation in _elements(tree, "translation"):
        if translation.attribute("lang") != language:
            continue
        for text in translation.named("text"):
            if text.attribute("id") == key:
                forms = {value.attribute("form") or "": value.text() for value in reversed(text.named("value"))}
                return next((forms[form] for form in ("", "long", "short") if form in forms), "")
    return None


def _choice_name(tree: Tree, value: str, path: str, context: Context) -> str:
    """The label of a choice: items in the body, or an itemset over a secondary instance."""
    for control in tree.document.descendants():
        if control.attribute("ref") != path:
            continue
        for code, label in _choices(control, context):
            if code is not None and label is not None and code.text() == value:
                return label if isinstance(label, str) else _said(tree, label, context)
    return ""


def _choices(control: Node, context: Context) -> Iterator[tuple[Node | None, Node | str | None]]:
    """Each choice's code and its label: the label's text where its itemset refers to it, else the label element."""
    for item in control.named("item"):
        yield item.first("value") or item.first("name"), item.first("label")
    for itemset in control.named("itemset"):
        nodeset = compile_expression(itemset.attribute("nodeset") or ".", scope=Scope(plain=True))
        columns = [itemset.first(name) for name in ("value", "label")]
        value_ref, label_ref = ((one.attribute("ref") if one else None) or "" for one in columns)
        for item in nodeset.nodes(context):
            code = item.first(value_ref) or item.first("value") or item.first("name")
            itext = re.fullmatch(r"jr:itext\(\s*([\w.-]+)\s*\)", label_ref)
            if itext and context.itext is not None:
                key = item.first(itext[1])
                yield code, (context.itext(key.text(), context.language) if key else None)
            else:
                label = item.first(label_ref) or item.first("label")
                yield code, label.text() if label and not label.attribute("ref") else label


def _said(tree: Tree, label: Node, context: Context) -> str:
    ref = re.fullmatch(r"jr:itext\('(.*)'\)", label.attribute("ref") or "")
    return _itext(tree, ref[1], context.language) or "" if ref else label.text()


def _flags(letters: str) -> re.RegexFlag:
    flags = re.NOFLAG
    for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        if letter in letters:
            flags |= flag
    return flags


def _rounded(number: float | str, factor: float) -> float | str:
    if isinstance(number, str):
        return number
    return math.floor(number * factor + 0.5) if math.isfinite(number) else number_text(number)


def _shown(number: Any) -> Any:
    return number_text(float(number)) if isinstance(number, (int, float)) else number


def run(lines: list[str], *, quiet: bool) -> tuple[int, int]:
    """Run cases, one JSON object a line, and print those that fail; return how many passed and failed."""
    passed = failed = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        # One broken line (or one broken engine) must not hide the others.
        case: Case = {}
        try:
            case = json.loads(line)
            if case.get("fails"):
                continue
            wanted, got = run_case(case)
        except Exception as crash:
            known = case if isinstance(case, Mapping) else {}
            case, wanted, got = known, known.get("expected"), f"{type(crash).__name__}: {crash}"
            failed += 1
        else:
            if type(wanted) is type(got) and wanted == got:
                passed += 1
                continue
            failed += 1
        if not quiet:
            name = case.get("id", f"line {number}")
            print(f"{name}: {case.get('expr')}\n  wanted {wanted!r}\n  got    {got!r}")
    return passed, failed


def read_lines(path: Path) -> list[str]:
    """Return a file's lines; raises OSError or UnicodeDecodeError for one that can't be read."""
    return path.read_text(encoding="utf-8-sig").split("\n")


def main() -> int:
    """Run the file named on the command line; 0 unless it can't be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--quiet", action="store_true")
    chosen = parser.parse_args()
    speak_plainly()
    try:
        lines = read_lines(chosen.cases)
    except (OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    passed, failed = run(lines, quiet=chosen.quiet)
    print(f"{passed} passed, {failed} failed")
    return 0


def speak_plainly() -> None:
    """Write UTF-8 whatever the terminal, and whatever a case holds."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
