"""`cunce form`: check forms before people use them, show them as an outline, write them in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from collect.cli.options import json_option, language, print_json, say
from collect.station import Station
from forms.definition import Expression, Form, Node, Question, Repeat
from forms.kept import own_folder
from forms.problems import Place, Problem
from forms.reader import FormError, load_shipped, read_form, shipped
from forms.versions import SEVERITIES, Change, compare, readable


@click.group()
def form() -> None:
    """表单：检查、查看、转换。 / Forms: check, show, convert."""


def find_form(named: str) -> Form:
    """Return the form of a file, or a shipped ledger by its name; raises FormError for neither."""
    if Path(named).exists() or Path(named).suffix:
        return read_form(Path(named), cache=own_folder())
    if named in shipped():
        return load_shipped(named)
    raise FormError(Problem("COLLECT_FORM_NOT_FOUND", Place(), {"name": named, "shipped": ", ".join(shipped())}))


def find_forms(names: Iterable[str]) -> tuple[list[Form], list[Problem]]:
    """Return several forms and the warnings about them; raises FormError with the faults of all of them."""
    found, faults, warnings = list[Form](), list[Problem](), list[Problem]()
    for name in names:
        try:
            read = find_form(name)
        except FormError as error:
            faults += error.problems
        else:
            found.append(read)
            warnings += read.warnings
    if faults:
        raise FormError(faults)
    return found, warnings


@form.command()
@click.argument("named", metavar="FILE|NAME...", nargs=-1, required=True)
@click.option(
    "--annotate", "annotated", metavar="OUT.xlsx", type=click.Path(dir_okay=False, path_type=Path),
    help="另存一份标好问题的工作簿。 / Write a copy of the workbook with every problem marked.",
)  # fmt: skip
@json_option
@click.pass_context
def check(context: click.Context, *, named: tuple[str, ...], annotated: Path | None, as_json: bool) -> None:
    """检查表单，一次列出全部问题。 / Check forms; every fault at once. NAME: a shipped ledger."""
    if annotated is not None and (len(named) > 1 or annotated.suffix.lower() != ".xlsx"):
        raise click.UsageError("--annotate OUT.xlsx: 一次一张表单。 / one form at a time.")
    results = [_examined(name) for name in named]
    if annotated is not None:
        _annotate(results[0], annotated)
    if as_json:
        print_json({"forms": [result.as_data() for result in results]})
    else:
        for result in results:
            result.show()
        if annotated is not None:
            say(f"问题已标在 {annotated}。", f"Marked in {annotated}.")
    if any(result.errors for result in results):
        context.exit(1)


def _annotate(result: Examined, output: Path) -> None:
    """Write the marked workbook; never over the form itself."""
    from forms.annotation import annotate_file, annotate_rows

    file = Path(result.name)
    if file.exists() and output.exists() and output.samefile(file):
        raise FormError(Problem("COLLECT_FORM_ITSELF", Place(file=str(output))))
    problems = (*result.errors, *result.warnings)
    if result.form is not None and not file.exists():
        data = annotate_rows(result.form.rows, problems, language())
    else:
        data = annotate_file(file, problems, language())
    write_out(output, data)


@dataclass(frozen=True, slots=True)
class Examined:
    """What checking one form found."""

    name: str
    form: Form | None
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def as_data(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "name": self.name,
            "form_id": self.form.form_id if self.form else None,
            "version": self.form.version if self.form else None,
            "ok": not self.errors,
            "errors": [problem.as_data() for problem in self.errors],
            "warnings": [problem.as_data() for problem in self.warnings],
        }

    def show(self) -> None:
        """Print it: errors first, then warnings, then one line of counts."""
        lang = language()
        for problem in self.errors:
            click.echo(("错误 " if lang == "zh" else "error ") + problem.words(lang))
        for problem in self.warnings:
            click.echo(("提醒 " if lang == "zh" else "warning ") + problem.words(lang))
        if self.form is not None:
            own = f"{self.form.meta_path}/"  # the form's own metadata, which nobody wrote as a question
            count = sum(not question.path.startswith(own) for question in self.form.questions())
            say(
                f"{self.name}：可用（{self.form.form_id}，{count} 题），{len(self.warnings)} 条提醒。",
                f"{self.name}: usable ({self.form.form_id}, {count} questions), {len(self.warnings)} warnings.",
            )
        else:
            say(
                f"{self.name}：{len(self.errors)} 个错误，{len(self.warnings)} 条提醒。改正后再检查一次。",
                f"{self.name}: {len(self.errors)} errors, {len(self.warnings)} warnings. Mend them and check again.",
            )


def _examined(name: str) -> Examined:
    try:
        found = find_form(name)
    except FormError as error:
        return Examined(name, None, error.problems, error.warnings)
    return Examined(name, found, (), found.warnings)


@form.command()
@click.argument("named", metavar="FILE|NAME")
def show(*, named: str) -> None:
    """按提纲显示表单。 / Show a form as an outline."""
    found = find_form(named)
    for line in outline(found, language()):
        click.echo(line)


def outline(found: Form, lang: str) -> Iterator[str]:
    """Yield a form's outline, line by line: labels in `lang` (zh or en) where the form has it."""
    spoken = next((name for name in found.languages if f"({lang})" in name), found.default_language)
    languages = "、".join(name for name in found.languages if name)
    yield " ".join(filter(None, (found.title, f"[{found.form_id} {found.version}]".replace(" ]", "]"), languages)))
    for node in found.children:
        if node.path != found.meta_path:
            yield from _node(found, node, spoken, lang, 1)


def _node(found: Form, node: Node, spoken: str, lang: str, depth: int) -> Iterator[str]:
    """Yield a node's line and those beneath it."""
    zh = lang == "zh"
    margin = "  " * depth
    marks = [_when(node.relevant, "当" if zh else "if")]
    label = " ".join(node.label.plain(spoken).split())
    if isinstance(node, Question):
        kind = node.type + (f" {node.itemset.list_name}" if node.itemset and node.itemset.list_name else "")
        always = node.required is not None and node.required.source == "true()"
        marks += [
            ("必填" if zh else "required") if always else _when(node.required, "必填：" if zh else "required if"),
            _when(node.calculate, "="),
            _when(node.constraint, "应" if zh else "must"),
            *(f"{name}={value}" for name, value in node.ledger.items() if name != "header"),
        ]
        yield f"{margin}{node.name}  {label}  <{kind}>  {_joined(marks)}".rstrip()
        return
    repeats = isinstance(node, Repeat)
    count = _when(node.count, "×") if isinstance(node, Repeat) else ""
    mark = ("重复组" if zh else "repeat") if repeats else ("组" if zh else "group")
    yield f"{margin}{label or node.name}  ({mark} {node.name})  {_joined([*marks, count])}".rstrip()
    for child in node.children:
        yield from _node(found, child, spoken, lang, depth + 1)


def _when(expression: Expression | None, word: str) -> str:
    return f"{word} {readable(expression.source)}" if expression is not None else ""


def _joined(marks: list[str]) -> str:
    return " · ".join(filter(None, marks))


@form.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--station", "station_dir", type=click.Path(file_okay=False, path_type=Path), envvar="CUNCE_STATION",
    help="A station: names versions as FORM_ID@VERSION, and counts its records.",
)
@json_option
def diff(*, old: str, new: str, station_dir: Path | None, as_json: bool) -> None:
    """比较表单的两个版本：改了什么，对已有数据意味着什么。 / What changed between versions, and what it means for data.

    OLD, NEW: a file, a shipped ledger's name, or FORM_ID@VERSION of a station.
    """
    if station_dir is None:
        first, second = find_form(old), find_form(new)
        changes = compare(first, second)
    else:
        with Station.open(station_dir, readonly=True) as station:
            first, second = _of_station(station, old), _of_station(station, new)
            changes = compare(first, second, station.projection.held)
    if as_json:
        sides = {"old": first, "new": second}
        data = {side: {"form_id": one.form_id, "version": one.version} for side, one in sides.items()}
        counts = {severity: sum(change.severity == severity for change in changes) for severity in SEVERITIES}
        print_json({**data, "counts": counts, "changes": [change.as_data() for change in changes]})
        return
    _show_changes(first, second, changes)


def _of_station(station: Station, named: str) -> Form:
    form_id, at, version = named.rpartition("@")
    return station.form(form_id, version) if at and not Path(named).exists() else find_form(named)


_SEVERITY_WORDS = {
    "loses": ("看不到了", "loses view"), "look": ("要看一看", "look"), "harmless": ("无碍", "harmless"),
}  # fmt: skip


def _show_changes(old: Form, new: Form, changes: tuple[Change, ...]) -> None:
    """Print the changes, the gravest first."""
    lang = language()
    say(
        f"{old.form_id} {old.version} → {new.form_id} {new.version}：{len(changes)} 处改动。",
        f"{old.form_id} {old.version} → {new.form_id} {new.version}: {len(changes)} changes.",
    )
    for severity in SEVERITIES:
        of_it = [change for change in changes if change.severity == severity]
        if of_it:
            click.echo(f"{_SEVERITY_WORDS[severity][lang != 'zh']} ({len(of_it)})")
        for change in of_it:
            click.echo(f"  {change.what(lang)}{'。' if lang == 'zh' else '. '}{change.meaning(lang)}")


@form.command()
@click.argument("named", metavar="FILE|NAME")
@click.option("--to", "kind", type=click.Choice(["xform", "xlsx", "yaml", "odk-zip", "tables"]), required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到哪个文件。")
@click.option(
    "--station", "station_dir", type=click.Path(file_okay=False, path_type=Path), envvar="CUNCE_STATION",
    help="odk-zip: 附件取自这个站点的台账。 / Attached files come from this station's ledgers.",
)  # fmt: skip
def export(*, named: str, kind: str, output: Path, station_dir: Path | None) -> None:
    """把表单写成 XForm、Excel、YAML、ODK 包或数据字典。 / Write a form as XForm, Excel, YAML, ODK zip or dictionary."""
    found = find_form(named)
    data, warnings = _packed(found, named, station_dir) if kind == "odk-zip" else _exported(found, kind)
    write_out(output, data)
    lang = language()
    for problem in warnings:
        click.echo(("提醒 " if lang == "zh" else "warning ") + problem.words(lang), err=True)
    say(f"已写入 {output}（{len(data)} 字节）。", f"Wrote {output} ({len(data)} bytes).")


def _exported(found: Form, kind: str) -> tuple[bytes, tuple[Problem, ...]]:
    """A form in another spelling, and what that spelling cannot say."""
    from forms.decompilation import rows_of
    from forms.export import to_dictionary, to_xlsx, to_yaml

    if kind == "xform":
        return found.xform.encode("utf-8"), ()
    if kind == "tables":
        return to_dictionary(found).encode("utf-8"), ()
    data = to_xlsx(found) if kind == "xlsx" else to_yaml(found).encode("utf-8")
    return data, rows_of(found)[1]


def _packed(found: Form, named: str, station_dir: Path | None) -> tuple[bytes, tuple[Problem, ...]]:
    """A form packed for ODK with what is attached to it, and what its sender should know."""
    from collect.packing import pack

    folder = Path(named).parent if Path(named).exists() else None
    if station_dir is None:
        packed = pack(found, folder=folder)
    else:
        with Station.open(station_dir, readonly=True) as station:
            packed = pack(found, folder=folder, station=station)
    return packed.data, tuple(packed.warnings)


def write_out(output: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises FormError where it cannot be written."""
    partial = output.with_name(f"{output.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(output)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise FormError(Problem("COLLECT_FORM_NOT_WRITTEN", Place(file=str(output)), {"said": error})) from error
