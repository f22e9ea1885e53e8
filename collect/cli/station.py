"""`cunce station`: make a station, look at it, check it, and build its ledgers again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from collect.cli.options import json_option, language, print_json, progress_bar, say, station_option
from collect.database import DatabaseError
from collect.settings import ROLES, StationError, Village, check_codes
from forms.problems import Place, Problem

_DAMAGED = ("COLLECT_DATABASE_CORRUPT", "COLLECT_NOT_A_DATABASE")  # what throwing the ledgers away may mend


@click.group()
def station() -> None:
    """站点：一台电脑上的全部台账。 / A station: all ledgers of one machine."""


def _village(_context: click.Context, parameter: click.Parameter, value: str | None) -> Village | None:
    """Read CODE=NAME."""
    if not value:
        return None
    code, equals, name = value.partition("=")
    if not equals or not code.strip() or not name.strip():
        raise click.BadParameter("CODE=NAME, 例如 / for example 999999001=示例镇", param=parameter)
    return Village(code.strip(), name.strip())


def _villages(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Village, ...]:
    return tuple(found for value in values if (found := _village(context, parameter, value)) is not None)


def villages_in(path: Path) -> tuple[Village, ...]:
    """Return the villages of a CSV list: code and name in the first two columns, below one row of headings.

    Raises StationError with every row that lacks one of them, or where the file is no such list.
    """
    from forms.attachments import read_rows

    problems, found = [], []
    try:
        rows = list(read_rows(path))
    except (OSError, ValueError) as error:
        place, context = Place(file=str(path)), {"detail": error}
        raise StationError(Problem("COLLECT_VILLAGE_LIST_FAULTY", place, context)) from error
    for number, row in enumerate(rows, start=2):
        code, name = ([str(value).strip() for value in row.values()] + ["", ""])[:2]
        if not code and not name:
            continue
        if not code or not name:
            place = Place(file=path.name, row=number)
            problems.append(Problem("COLLECT_VILLAGE_FAULTY", place, {"code": code, "name": name}))
        found.append(Village(code, name))
    if problems:
        raise StationError(problems)
    return tuple(found)


@station.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", required=True, help="站点名称，如“石桥村笔记本”。 / What people call it.")
@click.option("--role", type=click.Choice(ROLES), default="laptop", show_default=True)
@click.option("--township", callback=_village, metavar="CODE=NAME", help="所属乡镇。 / The township.")
@click.option("--village", "villages", multiple=True, callback=_villages, metavar="CODE=NAME", help="村。 / A village.")
@click.option(
    "--villages", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="村名单 CSV：代码、名称。 / A CSV list of villages: code, name.",
)  # fmt: skip
@click.option("--author", default="", help="填写人姓名。 / Who saves on this machine.")
@click.option("--no-ledgers", is_flag=True, help="不添加随附的台账表单。 / Don't add the shipped ledgers.")
@json_option
def init(
    *,
    folder: Path,
    name: str,
    role: str,
    township: Village | None,
    villages: tuple[Village, ...],
    file: Path | None,
    author: str,
    no_ledgers: bool,
    as_json: bool,
) -> None:
    """新建站点。 / Make FOLDER a station."""
    from collect.station import Station
    from forms.reader import load_shipped, shipped

    listed = villages_in(file) if file is not None else ()
    given = (*listed, *villages)
    check_codes(given)
    with Station.create(folder, name=name, role=role, township=township, villages=given, author=author) as made:
        for form in () if no_ledgers else shipped():
            made.add_form(load_shipped(form))
        if as_json:
            print_json(described(made))
        else:
            say(
                f"已建立站点“{name}”（{made.id}）：{folder}，{len(made.villages)} 个村，{len(made.forms())} 个台账。",
                f"Made the station “{name}” ({made.id}) in {folder}: {len(made.villages)} villages, "
                f"{len(made.forms())} ledgers.",
            )


@station.command("add-form")
@click.argument("named", metavar="FILE|NAME...", nargs=-1, required=True)
@station_option
@json_option
def add_form(*, named: tuple[str, ...], station_dir: Path, as_json: bool) -> None:
    """添加表单或表单的新版本；在中心添加的，下次同步到各电脑。 / Add forms of your own, or new versions.

    FILE: .yml, .xlsx, .xls or .xml; NAME: a shipped ledger. Pictures, sounds and films of its labels come from the
    folder FILE-media beside it (form.xlsx: form-media). Added at a hub they reach its laptops with the next exchange.
    """
    from collect.cli.form import find_forms
    from collect.form_media import files_beside
    from collect.station import Station

    forms, warnings = find_forms(named)
    media: dict[str, dict[str, bytes]] = {}
    for form, name in zip(forms, named, strict=True):
        if Path(name).is_file():
            media[form.form_id], lacking = files_beside(form, Path(name))
            warnings += lacking
    with Station.open(station_dir) as opened:
        added = opened.add_forms(forms, media)
        township = opened.role == "hub"
    data = [
        {"form_id": form.form_id, "version": form.version, "title": form.title, "new": new}
        for form, new in zip(forms, added, strict=True)
    ]
    if as_json:
        print_json({"forms": data, "warnings": [problem.as_data() for problem in warnings]})
        return
    for problem in warnings:
        click.echo(problem.words(language()), err=True)
    for form, new in zip(forms, added, strict=True):
        shown = f"{form.title or form.form_id}（{form.form_id} {form.version}".rstrip() + "）"
        if new:
            say(f"已添加表单：{shown}", f"Added the form {shown.replace('（', ' (').replace('）', ')')}")
        else:
            say(f"这里已有，没有改动：{shown}", f"Here already: {shown.replace('（', ' (').replace('）', ')')}")
    if township and any(added):
        say("各台电脑下次同步时收到。", "Laptops receive it with their next exchange.")


def described(opened: Any) -> dict[str, Any]:
    """Return what there is to say of a station, as JSON-ready data."""
    return {
        "id": opened.id,
        "name": opened.name,
        "role": opened.role,
        "folder": str(opened.folder),
        "township": None if opened.township is None else {"code": opened.township.code, "name": opened.township.name},
        "villages": [{"code": village.code, "name": village.name} for village in opened.villages],
        "author": opened.author,
        "forms": [{"form_id": f.form_id, "version": f.version, "title": f.title} for f in opened.forms()],
        "records": opened.projection.counts(),
        "revisions": opened.journal.count(),
        "held": opened.journal.held(),
        "parked": len(opened.journal.parked()),
        "waiting": opened.projection.waiting(),
        "conflicts": len(opened.conflicts()),
        "drafts": len(opened.drafts.list()),
    }


@station.command()
@station_option
@json_option
def info(*, station_dir: Path, as_json: bool) -> None:
    """显示站点概况。 / Show what a station holds."""
    from collect.station import Station

    with Station.open(station_dir) as opened:
        data = described(opened)
        titles = {name: ledger.form.title or name for name, ledger in opened.projection.ledgers.items()}
    if as_json:
        print_json(data)
        return
    zh = language() == "zh"
    click.echo(f"{data['name']} ({data['id']}, {data['role']}) {data['folder']}")
    rows = [
        ("村" if zh else "villages", len(data["villages"])),
        *((f"{titles[name]} {name}", count) for name, count in data["records"].items()),
        ("修订" if zh else "revisions", sum(data["revisions"].values())),
        ("等待前序数据的修订" if zh else "parked revisions", data["parked"]),
        ("等待表单的记录" if zh else "records waiting for their form", sum(data["waiting"].values())),
        ("待处理冲突" if zh else "conflicts", data["conflicts"]),
        ("草稿" if zh else "drafts", data["drafts"]),
    ]
    for label, number in rows:
        click.echo(f"{number:>8}  {label}")


@station.command()
@click.option("--remove-unused", is_flag=True, help="删去没有记录和草稿用到的。 / Remove those nobody refers to.")
@station_option
@json_option
def blobs(*, remove_unused: bool, station_dir: Path, as_json: bool) -> None:
    """照片和文件：有多少、缺哪些、哪些没有用到。 / Photos and files: how many, which are lacking or unused."""
    from collect.station import Station

    with Station.open(station_dir) as opened:
        stock = opened.references.stock()
        for digest in stock.unused if remove_unused else ():
            opened.blobs.remove(f"{digest}.bin")
    if as_json:
        data = {"referenced": stock.referenced, "here": stock.here, "lacking": stock.lacking, "unused": stock.unused}
        print_json({**data, "bytes": stock.size, "removed": len(stock.unused) if remove_unused else 0})
        return
    said = "已删去" if remove_unused else "没有用到"
    said_en = "removed" if remove_unused else "unused"
    say(
        f"记录用到 {stock.referenced} 个照片和文件：本机有 {stock.here} 个，缺 {len(stock.lacking)} 个；"
        f"{said} {len(stock.unused)} 个；共 {stock.size / 1e6:.1f} MB。",
        f"Records refer to {stock.referenced} photos and files: {stock.here} here, {len(stock.lacking)} lacking; "
        f"{said_en}: {len(stock.unused)}; {stock.size / 1e6:.1f} MB in all.",
    )


@station.command()
@station_option
@json_option
@click.pass_context
def verify(context: click.Context, *, station_dir: Path, as_json: bool) -> None:
    """检查日志校验链、内容校验值，以及台账与日志是否一致。 / Check the journal, and the ledgers against it."""
    from collect.station import Station

    with Station.open(station_dir, readonly=True) as opened:
        problems = opened.verify()
        revisions = sum(opened.journal.count().values()) if not problems else 0
    if as_json:
        print_json({"ok": not problems, "problems": [problem.as_data() for problem in problems]})
    elif problems:
        for problem in problems:
            click.echo(problem.words(language()), err=True)
    else:
        say(f"完好：{revisions} 条修订，台账与日志一致。", f"All is well: {revisions} revisions, ledgers as they say.")
    if problems:
        context.exit(1)


@station.command()
@station_option
@json_option
def rebuild(*, station_dir: Path, as_json: bool) -> None:
    """由日志重建全部台账。 / Build all ledgers again from the journal."""
    from collect.station import Station

    with progress_bar("重建" if language() == "zh" else "rebuilding") as progress:
        try:
            with Station.open(station_dir) as opened:
                revisions = opened.rebuild(progress)
        except DatabaseError as error:
            if error.code not in _DAMAGED:
                raise
            with Station.rescue(station_dir, progress=progress) as opened:
                revisions = opened.journal.arrived()
    if as_json:
        print_json({"revisions": revisions})
    else:
        say(f"已由 {revisions} 条修订重建全部台账。", f"Built all ledgers again from {revisions} revisions.")


@station.command()
@click.argument("record")
@click.option("--reason", required=True, help="依据，不写个人信息。 / On what ground; nothing about the person.")
@click.option("--table", help="台账；不写则由记录号得知。 / The ledger; by default the one the record is in.")
@click.option("--yes", is_flag=True, help="不再询问。 / Don't ask.")
@station_option
@json_option
@click.pass_context
def erase(
    context: click.Context, *, record: str, reason: str, table: str | None, yes: bool, station_dir: Path, as_json: bool
) -> None:
    """依法抹除一条记录的全部内容，不可恢复。 / Erase by law all that was ever saved to RECORD and its rows.

    It travels to other stations with the next exchange. Exports, printed sheets, backups and what other records say of
    the person stay: deal with those yourself.
    """
    from collect.station import Station

    with Station.open(station_dir) as opened:
        history = opened.history(record)
        ledger = table or (opened.projection.ledgers.current(history[0].table) if history else "")
        if not yes:
            zh = f"将抹除台账 {ledger} 的记录 {record} 及其下各行的全部内容和历史，不可恢复，并传到其他站点。继续吗？"
            en = f"All that was saved to {record} in {ledger} and to its rows goes for good, here and elsewhere. Go on?"
            if not click.confirm(zh if language() == "zh" else en, err=True):
                say("没有抹除。", "Nothing was erased.")
                context.exit(1)
        done = opened.erase(ledger, record, reason=reason, author=opened.author)
        pending = Problem("COLLECT_ERASURE_PENDING", Place(file=str(station_dir)))
    if as_json:
        erased = [{"table": name, "record": each} for name, each in done.records]
        print_json({"erased": erased, "revisions": len(done.revisions), "scrubbed": done.scrubbed})
        return
    say(
        f"已抹除 {len(done.records)} 条记录。导出的文件、打印的表册、备份和别的记录里写到此人的内容，请另行处理。",
        f"Erased {len(done.records)} records. Exports, printed sheets, backups and what other records say of the "
        "person are left to you.",
    )
    if not done.scrubbed:
        click.echo(pending.words(language()), err=True)


_KINDS = {
    "created": ("登记", "created"), "changed": ("修改", "changed"), "deleted": ("删除", "deleted"),
    "restored": ("恢复", "restored"), "moved": ("转到别的户", "moved"),
    "merged": ("并入另一条记录", "merged into another record"), "erased": ("依法抹除", "erased by law"),
}  # fmt: skip


@station.command()
@click.argument("record")
@station_option
@json_option
@click.pass_context
def history(context: click.Context, *, record: str, station_dir: Path, as_json: bool) -> None:
    """一条记录的经过：谁、何时、从什么改成什么。 / What happened to RECORD: who, when, from what to what."""
    from collect.station import Station
    from collect.story import story

    with Station.open(station_dir, readonly=True) as opened:
        chapters = story(opened, record, language="中文 (zh)" if language() == "zh" else "English (en)")
    if as_json:
        print_json({"record": record, "chapters": [asdict(chapter) for chapter in chapters]})
    for chapter in () if as_json else chapters:
        zh, en = _KINDS[chapter.kind]
        at = chapter.at[:16].replace("T", " ")
        say(
            f"{at} {chapter.author} {zh}（{chapter.table}，{chapter.station}:{chapter.seq}）",
            f"{at} {chapter.author} {en} ({chapter.table}, {chapter.station}:{chapter.seq})",
        )
        for turn in chapter.turns:
            click.echo(f"    {turn.label}：{turn.before or '—'} → {turn.after or '—'}")
    if not chapters:
        say(f"这里没有记录 {record}。", f"There is no record {record} here.", err=True)
        context.exit(1)


@station.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--passphrase", default="", envvar="CUNCE_PASSPHRASE", help="口令（加密）。 / Seals the copy.")
@click.option("--keep", type=click.IntRange(1, 1000), default=5, show_default=True, help="保留几份。 / Copies kept.")
@station_option
@json_option
def backup(*, target: Path, passphrase: str, keep: int, station_dir: Path, as_json: bool) -> None:
    """备份到 U 盘或另一个文件夹 TARGET。 / Copy the station to TARGET, a stick or another folder."""
    from collect.backup import back_up

    done = back_up(station_dir, target, passphrase=passphrase, keep=keep)
    if as_json:
        print_json({"path": str(done.path), "size": done.size, "sealed": done.sealed, "revisions": done.revisions})
    else:
        say(f"已备份并检查：{done.path}（{done.size // 1000} kB）", f"Backed up and checked: {done.path}")


@station.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--passphrase", default="", envvar="CUNCE_PASSPHRASE", help="备份时的口令。 / What it was sealed with.")
@json_option
def restore(*, file: Path, folder: Path, passphrase: str, as_json: bool) -> None:
    """从备份 FILE 恢复到 FOLDER。 / Make FOLDER the station that the backup FILE holds."""
    from collect.backup import restore as put_back

    done = put_back(file, folder, passphrase=passphrase)
    if as_json:
        before = str(done.before) if done.before else None
        print_json({"station": done.station, "name": done.name, "waits": done.waits, "before": before})
        return
    say(f"已恢复“{done.name}”到 {folder}", f"Restored “{done.name}” to {folder}")
    if done.waits:
        say("请先与镇里同步一次，同步前不能保存。", "Sync with the hub first; nothing can be saved before that.")
