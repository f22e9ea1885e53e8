"""`cunce hub recheck`: check what was received by its forms' rules, now and to the end."""

from __future__ import annotations

from pathlib import Path

import click

from collect.cli.options import json_option, language, print_json, progress_bar, say, station_option

SHOWN = 20  # records that are named; the rest is on the page


@click.command()
@click.option("--all", "everything", is_flag=True, help="From the first record again, not only what is new (从头核对).")
@station_option
@json_option
def recheck(everything: bool, station_dir: Path, as_json: bool) -> None:
    """核对收到的记录是否合表单的规则 (check what was received by the rules of its forms)."""
    from collect.station import Station

    spoken = language()
    with Station.open(station_dir) as station:
        if everything:
            station.rechecking.begin_anew()
        with progress_bar("核对" if spoken == "zh" else "checking") as progress:
            number = station.rechecking.run(progress)
        found = station.rechecking.failing(limit=SHOWN, language=spoken)
    if as_json:
        print_json({
            "records": number,
            "findings": [{"table": each.table, "record": each.record, "question": each.label, "value": each.value,
                          "code": each.problem.code, "author": each.author, "at": each.at} for each in found],
        })  # fmt: skip
        return
    say(f"核对完了：{number} 条记录不合规则。", f"Checked: {number} records break a rule.")
    for each in found:
        click.echo(f"{each.table} {each.record}\t{each.label}\t{each.value}\t{each.problem.sentences(spoken)[0]}")
