"""`cunce collect find` and `cunce collect list`: records by what people call them, and ledgers as tables."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from collect.cli.options import json_option, language, print_json, say, station_option


@click.command()
@click.argument("text")
@click.option("--table", help="Only in this ledger table, such as household_member.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Most records shown.")
@station_option
@json_option
def find(*, text: str, table: str | None, limit: int, station_dir: Path, as_json: bool) -> None:
    """按姓名、拼音、号码查找。 Find records by part of a name, its pinyin or initials, an ID's or a phone's digits."""
    from collect.station import Station

    with Station.open(station_dir, readonly=True) as station:
        hits = station.find(text, table=table, limit=limit)
        names = {village.code: village.name for village in station.villages}
    if as_json:
        keys = ("table", "record", "label", "village")
        print_json({"text": text, "hits": [{key: getattr(hit, key) for key in keys} for hit in hits]})
        return
    for hit in hits:
        click.echo(f"{hit.label}\t{names.get(hit.village, hit.village)}\t{hit.table}\t{hit.record}")
    if not hits:
        say(f"没有找到“{text}”", f"Nothing found for “{text}”")


@click.command("list")
@click.argument("table", metavar="FORM")
@click.option("--where", multiple=True, metavar="NAME=VALUE",
              help="A condition: = != > >= < <= or ~ (holds text); any of several choices: a|b.")  # fmt: skip
@click.option("--columns", default="", help="Questions to show, by name or label, with commas between.")
@click.option("--sort", default="", help="Question to sort by; -NAME begins with the greatest.")
@click.option("--limit", type=click.IntRange(0), default=0, help="Most rows; 0 is all.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows to pass over first.")
@click.option("--codes", is_flag=True, help="Question names and codes instead of labels.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@station_option
@json_option
def list_(
    *,
    table: str,
    where: tuple[str, ...],
    columns: str,
    sort: str,
    limit: int,
    offset: int,
    codes: bool,
    as_csv: bool,
    station_dir: Path,
    as_json: bool,
) -> None:
    """列出台账，可筛选、选列、排序。 List the ledger of FORM (or a repeat's table, such as household_member)."""
    from collect.listing import ListError, columns_of, listing, page
    from collect.station import Station
    from forms.problems import Problem

    names = [name for name in columns.replace("，", ",").split(",") if name.strip()]
    with Station.open(station_dir, readonly=True) as station:
        ledgers = station.projection.ledgers
        if table not in ledgers:
            raise ListError(Problem("COLLECT_LIST_TABLE", context={"name": table, "names": "、".join(ledgers)}))
        villages = {village.code: village.name for village in station.villages}
        wanted = listing(
            ledgers[table], words=where, columns=names, villages=villages, ledgers=ledgers, sort=sort,
            limit=limit, offset=offset,
        )  # fmt: skip
        found = page(station.projection.path, wanted, codes=codes)
        labels = columns_of(ledgers[table], language())
    if as_json:
        print_json({"table": table, "total": found.total, "rows": found.rows})
        return
    writer = csv.writer(sys.stdout, delimiter="," if as_csv else "\t", lineterminator="\n")
    writer.writerow([name if codes else labels.get(name, name) for name in wanted.columns])
    writer.writerows([row[name] for name in wanted.columns] for row in found.rows)
    if not as_csv:
        say(f"共 {found.total} 条", f"{found.total} in all", err=True)
