"""`cunce publish`: sheets for the wall and, redacted and checked, for everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collect.cli.options import json_option, language, print_json, progress_bar, say, station_option

if TYPE_CHECKING:
    from collect.station import Station
    from datasette_plugins.publish.handouts import Handout
    from forms.definition import Form


@click.group()
def publish() -> None:
    """打印与公开 (sheets for the wall, and for the public)."""


@publish.command()
@station_option
@click.option("--village", "codes", multiple=True, metavar="CODE", help="Village code, may be repeated; default: all.")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default="current folder",
    help="Folder that the sheets are written to.",
)  # fmt: skip
@click.option("--public", "is_public", is_flag=True, help="Redacted and leak-checked, for the public.")
@click.option("--map-approval", default="", metavar="NUMBER", help="审图号; no boundary in public without it.")
@click.option("--address", default="", metavar="URL", help="Public page for the QR code; {code} is the village's code.")
@click.option(
    "--font", type=click.Path(exists=True, dir_okay=False, path_type=Path), envvar="CUNCE_FONT",
    help="Font file for characters that the packaged and the system's fonts lack.",
)  # fmt: skip
@json_option
def sheet(
    *, station_dir: Path, codes: tuple[str, ...], output: Path, is_public: bool, map_approval: str, address: str,
    font: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """村情概况 · 一村一图 (village profile sheet, A4 PDF).

    Without --public the sheet is for internal use. With it, only what the forms call public is shown, small counts
    are masked, and the file is refused if any name, number or telephone of the ledgers stands in it.
    """
    from collect.station import Station
    from datasette_plugins.publish.fonts import default_faces
    from datasette_plugins.publish.issuing import Source, Wish, make, write

    faces = default_faces(font)
    wish = Wish(codes, is_public, map_approval.strip(), address.strip())
    station = Station.open(station_dir)
    try:
        township = station.township.name if station.township else ""
        projection = station.projection
        source = Source(
            projection.path, projection.ledgers, station.villages, township, station.name, station.clock.now()
        )
        with progress_bar("PDF") as advance:
            sheets = make(source, faces, wish, progress=advance)
    finally:
        station.close()
    written = [(one, write(one, output)) for one in sheets]
    warnings = [problem for one, _ in written for problem in one.warnings()]
    if as_json:
        print_json(
            {
                "sheets": [
                    {
                        "village": one.village.code, "name": one.village.name, "file": str(path),
                        "pages": one.rendered.pages, "bytes": len(one.rendered.pdf), "public": one.is_public,
                    }
                    for one, path in written
                ],
                "warnings": [problem.as_data() for problem in warnings],
            }
        )  # fmt: skip
        return
    for one, path in written:
        size = max(1, round(len(one.rendered.pdf) / 1024))
        say(f"{one.village.name}：{path}（{one.rendered.pages} 页，{size} KB）",
            f"{one.village.name}: {path} ({one.rendered.pages} pages, {size} KB)")  # fmt: skip
    for problem in warnings:
        click.echo(problem.words(language()), err=True)


@publish.command()
@click.argument("named", metavar="FORM")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="PDF to write; by default the form's id in the current folder.",
)  # fmt: skip
@click.option(
    "--station", "station_dir", type=click.Path(file_okay=False, path_type=Path), envvar="CUNCE_STATION",
    help="A station, to print the forms and the villages it has; by default CUNCE_STATION or the current folder.",
)  # fmt: skip
@click.option("--lang", "wanted", metavar="LANGUAGE", help="zh, en or a language of the form; by default as messages.")
@click.option("--rows", type=click.IntRange(1, 60), help="Empty rows of each repeat; by default 6, or 4 tall ones.")
@click.option("--copies", type=click.IntRange(1, 500), default=1, show_default=True, help="How many, in one file.")
@click.option(
    "--font", type=click.Path(exists=True, dir_okay=False, path_type=Path), envvar="CUNCE_FONT",
    help="Font file for characters that the packaged and the system's fonts lack.",
)  # fmt: skip
@json_option
def blank(
    *, named: str, output: Path | None, station_dir: Path | None, wanted: str | None, rows: int | None, copies: int,
    font: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """空白表 (a form to fill in by hand, A4 PDF).

    FORM: a form file (.yml, .xlsx, .xls, .xml), a shipped ledger, or the id of a form that the station has. Skip rules
    stand on it in words, choices have boxes to tick, and the numbers of the questions are in the order of the pages.
    """
    from datasette_plugins.publish.blank import render_blank
    from datasette_plugins.publish.fonts import default_faces
    from datasette_plugins.publish.issuing import safe_name, undrawn, write_pdf
    from datasette_plugins.publish.paper import compose
    from forms.clock import SystemClock

    faces = default_faces(font)
    form, villages = _form_and_villages(named, station_dir)
    paper = compose(form, wanted or language(), villages=villages, rows=rows)
    with progress_bar("PDF") as advance:
        rendered = render_blank(paper, faces, made=SystemClock().now(), copies=copies, progress=advance)
    path = write_pdf(rendered.pdf, output or Path(f"{safe_name(f'{paper.form_id}-{paper.title}')}.pdf"))
    warnings = undrawn(rendered.missing, paper.form_id)
    if as_json:
        print_json(
            {
                "file": str(path), "form_id": paper.form_id, "version": paper.version, "title": paper.title,
                "questions": sum(1 for _ in paper.asks()), "pages": rendered.pages, "copies": copies,
                "bytes": len(rendered.pdf), "warnings": [problem.as_data() for problem in warnings],
            }
        )  # fmt: skip
        return
    size = max(1, round(len(rendered.pdf) / 1024))
    say(f"{paper.title}：{path}（{rendered.pages} 页，{size} KB）",
        f"{paper.title}: {path} ({rendered.pages} pages, {size} KB)")  # fmt: skip
    for problem in warnings:
        click.echo(problem.words(language()), err=True)


def _form_and_villages(named: str, folder: Path | None) -> tuple[Form, Sequence[str]]:
    """The form that was named, and the names of the station's villages where there is a station."""
    from collect.cli.form import find_form
    from collect.station import Station

    if folder is None and (Path.cwd() / "station.json").is_file():
        folder = Path.cwd()
    if folder is None:
        return find_form(named), ()
    station = Station.open(folder, readonly=True)
    try:
        own = {form.form_id: form for form in station.forms()}
        villages = tuple(village.name for village in station.villages)
    finally:
        station.close()
    return own[named] if named in own and not Path(named).exists() else find_form(named), villages


@publish.command()
@station_option
@click.argument("household", metavar="HOUSEHOLD")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE")
def card(station_dir: Path, household: str, output: Path) -> None:
    """户卡 (one household with everything about it, A4 PDF). HOUSEHOLD: its number, its head's name, or its id."""
    from datasette_plugins.household import papers

    _print(station_dir, output, lambda station: papers.card(station, papers.named(station, household), language()))


@publish.command()
@station_option
@click.argument("household", metavar="HOUSEHOLD")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE")
def visits(station_dir: Path, household: str, output: Path) -> None:
    """走访记录表 (a sheet to note visits to a household on, A4 PDF). HOUSEHOLD: as for `card`."""
    from datasette_plugins.household import papers

    _print(
        station_dir, output, lambda station: papers.visit_sheet(station, papers.named(station, household), language())
    )


@publish.command(name="list")
@station_option
@click.argument("table", metavar="LEDGER")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE")
@click.option("--village", default="", metavar="CODE", help="One village's records; default: all.")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="A column to show, may be repeated.")
def print_list(station_dir: Path, table: str, output: Path, village: str, columns: tuple[str, ...]) -> None:
    """台账 (a ledger as a list, A4 landscape PDF)."""
    from datasette_plugins.household import papers

    _print(
        station_dir, output,
        lambda station: papers.ledger_list(station, table, language(), village=village, columns=columns),
    )  # fmt: skip


def _print(station_dir: Path, output: Path, make: Callable[[Station], Handout]) -> None:
    """Draw what a station has to say and write it."""
    from collect.station import Station
    from datasette_plugins.publish.fonts import default_faces
    from datasette_plugins.publish.handouts import render_handout
    from datasette_plugins.publish.issuing import undrawn, write_pdf

    station = Station.open(station_dir, readonly=True)
    try:
        handout, made = make(station), station.clock.now()
    finally:
        station.close()
    rendered = render_handout(handout, default_faces(), made=made)
    path = write_pdf(rendered.pdf, output)
    say(f"{handout.title}：{path}（{rendered.pages} 页）", f"{handout.title}: {path} ({rendered.pages} pages)")
    for problem in undrawn(rendered.missing, handout.title):
        click.echo(problem.words(language()), err=True)
