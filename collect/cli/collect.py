"""`cunce collect`: add one record, import a ledger, export a ledger. (`serve` joins from the browser's side.)"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import click

from collect.cli.listing import find, list_
from collect.cli.options import json_option, language, print_json, progress_bar, say, station_option
from collect.hlc import local

_SHOWN = 20  # faults of an import; the rest stands in the file of failed rows


@click.group()
def collect() -> None:
    """采集：录入、导入、导出台账。 Capture: enter, import and export ledgers."""


@collect.command()
@click.argument("form")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="An answer; member[1].name for repeats.")
@click.option(
    "--answers", "given", type=click.File(encoding="utf-8-sig"), help="Answers as one JSON object; - for stdin."
)
@click.option("--record", help="Change this record instead of adding one.")
@click.option("--village", help="Code of the village, where the form does not ask for it.")
@click.option("--author", help="Who enters it; by default the station's own author.")
@station_option
@json_option
def add(
    *,
    form: str,
    values: tuple[str, ...],
    given: IO[str] | None,
    record: str | None,
    village: str | None,
    author: str | None,
    station_dir: Path,
    as_json: bool,
) -> None:
    """录入一条记录。 Add one record of FORM, checked by the form's own rules."""
    from collect.entry import add_record, answers_in
    from collect.station import Station

    answers = None if given is None else answers_in(given)
    with Station.open(station_dir) as station:
        saved = add_record(station, form, values, given=answers, record=record, village=village, author=author)
        data: dict[str, Any] = {"form": form, "record": saved.record, "revisions": len(saved.revisions)}
    if as_json:
        print_json(data)
    else:
        say(f"已保存：{saved.record}", f"Saved: {saved.record}")


@collect.command("import")
@click.argument("form")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--village", help="Code of the village for rows that name none.")
@click.option("--map", "mapping", multiple=True, metavar="HEADER=QUESTION", help="What a header stands for.")
@click.option("--returned", type=click.Path(path_type=Path), help="Where the failed rows go.")
@click.option("--sheet", default="", help="The sheet's name; by default the one that fits best.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.option("--author", help="Who imports; by default the station's own author.")
@station_option
@json_option
@click.pass_context
def import_(
    context: click.Context,
    *,
    form: str,
    file: Path,
    village: str | None,
    mapping: tuple[str, ...],
    returned: Path | None,
    sheet: str,
    dry_run: bool,
    author: str | None,
    station_dir: Path,
    as_json: bool,
) -> None:
    """从 Excel 或 CSV 导入，退回出错的行。 Import FILE into the ledger of FORM; failed rows come back."""
    from collect.importer.ledger import import_ledger
    from collect.station import Station

    pairs = [word.partition("=") for word in mapping]
    with Station.open(station_dir) as station, progress_bar("导入") as advance:
        result = import_ledger(
            station, form, file, author=author or station.author or station.name, village=village,
            mapping={header: question for header, _, question in pairs} or None, returned=returned,
            sheet=sheet, dry_run=dry_run,
            language=language(), progress=advance,
        )  # fmt: skip
    if as_json:
        print_json(result.as_data())
        if len(result.rejected) == result.rows and result.rows:
            context.exit(1)
        return
    say(
        f"读取 {result.rows} 行：新增 {result.created}，更新 {result.changed}，未变 {result.unchanged}，"
        f"退回 {len(result.rejected)} 行。",
        f"{result.rows} rows: {result.created} new, {result.changed} changed, {result.unchanged} unchanged, "
        f"{len(result.rejected)} rows rejected.",
    )
    if dry_run:
        say("这是试运行，什么也没有保存。", "This was a dry run; nothing was saved.")
    elif result.created or result.changed:
        say(f"如要撤销：cunce collect undo {result.save}", f"To undo it: cunce collect undo {result.save}")
    if result.incomplete:
        count = len(result.incomplete)
        say(f"另有 {count} 行已导入，但有答案没有用上。", f"{count} more rows went in, but for an answer not asked.")
    if result.unmatched:
        headers = "、".join(result.unmatched)
        say(f"没有用到的列：{headers}（可用 --map 指定）", f"Columns not used: {headers} (name them with --map)")
    for fault in result.faults[:_SHOWN]:
        click.echo(f"  {fault.problem.words(language())}")
    if len(result.faults) > _SHOWN:
        more = len(result.faults) - _SHOWN
        say(f"  ……还有 {more} 处，都写在退回的文件里", f"  … {more} more, all in the file of failed rows")
    if result.returned:
        say(f"退回的行和原因在：{result.returned}", f"Failed rows with reasons: {result.returned}")
    if len(result.rejected) == result.rows and result.rows:
        if not village:
            say("文件里没有“村”一列时，请用 --village 指定。", "If the file has no village column, use --village.")
        context.exit(1)


@collect.command()
@click.argument("save", default="")
@click.option("--author", help="Who undoes it; by default the station's own author.")
@station_option
@json_option
def undo(*, save: str, author: str | None, station_dir: Path, as_json: bool) -> None:
    """撤销一次保存或导入；不写编号则列出最近的保存。 Undo a save or a whole import; without SAVE list the last ones."""
    from collect.station import Station
    from collect.undoing import IMPORT, presses
    from collect.undoing import undo as undo_save

    with Station.open(station_dir) as station, progress_bar("撤销") as advance:
        if not save:
            _list_presses(presses(station), as_json)
            return
        by = author or station.author or station.name
        done = undo_save(station, save, author=by, partly=save.startswith(IMPORT), progress=advance)
    if as_json:
        kept = [problem.as_data() for problem in done.kept.values()]
        print_json({"save": done.save, "records": len(done.records), "kept": kept})
        return
    say(f"已撤销 {len(done.records)} 条记录的改动。", f"The changes to {len(done.records)} records were undone.")
    for problem in list(done.kept.values())[:_SHOWN]:
        click.echo(f"  {problem.words(language())}")
    if len(done.kept) > _SHOWN:
        say(f"  ……还有 {len(done.kept) - _SHOWN} 条没有撤销", f"  … {len(done.kept) - _SHOWN} more were not undone")


def _list_presses(found: tuple[Any, ...], as_json: bool) -> None:
    if as_json:
        print_json([{**asdict(each), "undoes": each.undoes} for each in found])
        return
    for each in found:
        state = ("（已撤销）", " (undone)") if each.undone else ("（撤销）", " (an undo)") if each.undoes else ("", "")
        about = f"{local(each.at)[:16]}  {each.author}  {each.table} {each.records}"
        say(f"{about} 条{state[0]}  {each.save}", f"{about} records{state[1]}  {each.save}")


@collect.command()
@click.argument("form")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=".xlsx, .csv or .geojson file.")
@click.option("--village", "villages", multiple=True, help="Only this village; may be given several times.")
@click.option("--codes", is_flag=True, help="Question names and codes instead of labels, for programs.")
@station_option
@json_option
def export(
    *, form: str, output: Path, villages: tuple[str, ...], codes: bool, station_dir: Path, as_json: bool
) -> None:
    """导出台账。 Export the ledger of FORM to Excel, CSV or GeoJSON."""
    from collect.exporter.ledger import export_ledger
    from collect.station import Station

    with Station.open(station_dir, readonly=True) as station, progress_bar("导出") as advance:
        total = sum(station.projection.counts().values())
        done = 0

        def written(rows: int) -> None:
            nonlocal done
            done += rows
            advance(done, total)

        chosen = next((name for name in station.form(form).languages if f"({language()})" in name), "")
        result = export_ledger(
            station, form, output, language=chosen, codes=codes, villages=villages or None, progress=written
        )
    if as_json:
        print_json({"form": form, "path": str(result.path), "rows": result.rows})
    else:
        rows = sum(result.rows.values())
        say(f"已导出 {rows} 行到 {result.path}", f"{rows} rows exported to {result.path}")


collect.add_command(find)
collect.add_command(list_)
