"""`cunce publish`: sheets for the wall and, redacted and checked, for everybody."""

from __future__ import annotations

from pathlib import Path

import click

from collect.cli.options import json_option, language, print_json, progress_bar, say, station_option


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
