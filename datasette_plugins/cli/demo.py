"""`cunce demo`: the whole way through, on invented people, with the product's own code paths."""

from __future__ import annotations

from pathlib import Path

import click

from collect.cli.options import json_option, language, print_json


class _Teller:
    """Prints the story; keeps still on standard output where a program reads."""

    def __init__(self, quiet: bool) -> None:
        self.language, self.quiet, self.number = language(), quiet, 0
        self._bar = False

    def step(self, zh: str, en: str) -> None:
        """Print a numbered heading."""
        self.number += 1
        self._print(click.style(f"\n{self.number}. {zh if self.language == 'zh' else en}", bold=True))

    def say(self, zh: str, en: str) -> None:
        """Print one line."""
        self._print(f"   {zh if self.language == 'zh' else en}")

    def advance(self, done: int, total: int) -> None:
        """Draw progress for long work."""
        if not self.quiet and total >= 50 and (done % 10 == 0 or done == total):
            click.echo(f"\r   {done}/{total}", nl=done == total, err=True)

    def _print(self, text: str) -> None:
        click.echo(text, err=self.quiet)


@click.command()
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("cunce-demo"),
              show_default=True, help="Where the demo's stations go; an earlier demo there is replaced.")  # fmt: skip
@click.option("--serve/--no-serve", default=True, help="Serve the hub at the end.")
@click.option("--seed", type=int, default=1, show_default=True, help="Other numbers make other people.")
@click.option("--households", type=click.IntRange(6, 5000), default=90, show_default=True, help="How many in all.")
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True, help="Port to serve at.")
@json_option
def demo(*, folder: Path, serve: bool, seed: int, households: int, port: int, as_json: bool) -> None:
    """演示 (demo): an invented township from an empty folder to a served hub and printed village sheets."""
    from datasette_plugins.demo.place import emptied
    from datasette_plugins.demo.story import LOGINS, Story

    root = emptied(folder)
    teller = _Teller(as_json)
    told = Story(root, teller, seed=seed, households=households).run()
    if not serve:
        if as_json:
            print_json(told.as_data())
        return
    teller.step("启动乡镇站点，用浏览器查看", "Serve the hub; look at it in a browser")
    for name, role, password, _ in LOGINS:
        teller.say(f"账号 {name}（{role}） 密码 {password}", f"account {name} ({role}) password {password}")
    if as_json:
        print_json(told.as_data())
    _serve(told.hub, port, teller)


def _serve(hub: Path, port: int, teller: _Teller) -> None:
    """Serve the demo's hub until Ctrl+C, which is the way to stop it and no error."""
    from collect.station import Station
    from datasette_plugins import serving

    listening = serving.listen("127.0.0.1", port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"

    def ready(_: object) -> None:
        teller.say(f"打开 {address} ，按 Ctrl+C 停下", f"open {address} ; Ctrl+C stops it")

    with listening, Station.open(hub) as station:
        try:
            serving.serve(station, mode="hub", listening=listening, ready=ready)
        except KeyboardInterrupt:
            teller.say("已停下。", "Stopped.")
