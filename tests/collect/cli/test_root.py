"""The root command: exit statuses, languages, and no traceback whatever happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from collect.cli import main, root

CUNCE = (sys.executable, "-c", "from collect.cli import main; main()")


def cunce(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [*CUNCE, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False, cwd=cwd)


def exit_of(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def test_every_command_of_the_grammar_is_there() -> None:
    context = click.Context(root)
    grammar = {
        "form": {"check", "show", "export"}, "station": {"init", "info", "verify", "rebuild"},
        "collect": {"serve", "add", "import", "export"}, "sync": {"run", "status"},
        "hub": {"init", "serve", "invite", "account"}, "publish": {"sheet"}, "demo": set(), "join": set(),
    }  # fmt: skip
    for name, subs in grammar.items():
        command = root.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            assert subs <= set(command.list_commands(click.Context(command))), name


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of(["collect", "nonsense"]) == 2
    assert exit_of(["--nonsense"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("language", "word"), [("zh", "没有指明站点"), ("en", "No station was named")])
def test_no_station_is_said_in_the_language_asked_for(tmp_path: Path, language: str, word: str) -> None:
    done = cunce("--lang", language, "collect", "export", "household", "-o", "x.xlsx", cwd=tmp_path)
    assert done.returncode == 1
    assert word in done.stderr
    assert "COLLECT_STATION_NOT_NAMED" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("station", "info"), ("station", "verify"), ("station", "rebuild"),
        ("collect", "export", "household", "-o", "x.csv"), ("collect", "add", "household"),
        ("sync", "status"), ("sync", "run"), ("publish", "sheet"),
        ("hub", "account", "list"), ("hub", "serve"),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_station_is_said(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = cunce(*command, "--station", tmp_path / "none", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "COLLECT_" in done.stderr


def test_a_folder_of_other_things_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "论文.txt").write_text("别动", encoding="utf-8")
    done = cunce("collect", "serve", "--no-browser", "--station", tmp_path, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "COLLECT_NOT_A_STATION" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["论文.txt"]


def test_what_nobody_foresaw_gives_a_message_and_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(root, "main", broken)
    assert exit_of([]) == 1
    said = capsys.readouterr().err
    assert "COLLECT_UNEXPECTED" in said
    assert "Traceback" not in said
    log = Path(next(word for word in said.split() if "cunce-error" in word).strip("。"))
    assert "ZeroDivisionError: inside" in log.read_text(encoding="utf-8")
    log.unlink()


def test_interrupting_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(root, "main", interrupted)
    assert exit_of([]) == 130
    assert "重新运行" in capsys.readouterr().err
