"""`cunce hub`: make a township's hub, serve it, invite laptops, and keep people's accounts."""

from __future__ import annotations

import csv
import io
import os
import ssl
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from collect.cli.options import json_option, language, print_json, station_option, unlock
from datasette_plugins.cli import trust
from datasette_plugins.cli.recheck import recheck
from forms.problems import CunceError, Problem

_NEW = click.option(
    "--station", "station_dir", type=click.Path(path_type=Path), envvar="CUNCE_STATION", required=True,
    help="Empty or new folder of the hub (乡镇站点文件夹).",
)  # fmt: skip
_GENERATE = click.option("--generate", is_flag=True, help="Make a password and show it once (自动生成密码).")

_SAID = {
    "zh": {
        "made": "已建好乡镇站点：{name}（{count} 个村，{forms} 本台账）\n  {folder}",
        "next": "下一步：cunce hub account add 账号名 --role administrator --station {folder}",
        "password": "密码：{password}\n  只显示这一次，请记下来交给本人。",
        "added": "已开通账号 {name}（{role}）。",
        "disabled": "已停用账号 {name}，它的登录已全部退出。",
        "enabled": "已启用账号 {name}。",
        "reset": "已重设 {name} 的密码，它的登录已全部退出。",
        "none": "还没有账号。",
        "township": "全乡镇",
        "off": "已停用",
        "invited": "邀请已写入 {file}\n  交给“{name}”，在那台电脑上运行：cunce join {file}",
        "short": "或者在那台电脑上输入：\n  cunce join {text}",
        "running": "{name} 已启动：{address}\n用完在这个窗口按 Ctrl+C 停下。",
        "no_account": "还没有账号，谁也登录不了。先运行 cunce hub account add。",
        "stopped": "已停下。",
        "plain": "注意：没有证书，密码在局域网里是明文。可用 --certificate 和 --key 开启加密。",
        "ask": "密码",
        "both": "--certificate 和 --key 要一起给。",
        "villages": "村写成 代码=名称，用逗号隔开，或者给一个 CSV 文件（两列：代码、名称）；读不懂：{text}",
    },
    "en": {
        "made": "Made the hub {name} ({count} villages, {forms} ledgers)\n  {folder}",
        "next": "Next: cunce hub account add NAME --role administrator --station {folder}",
        "password": "Password: {password}\n  Shown only once; write it down for its owner.",
        "added": "Added the account {name} ({role}).",
        "disabled": "Disabled the account {name} and ended its sessions.",
        "enabled": "Enabled the account {name}.",
        "reset": "Reset the password of {name} and ended its sessions.",
        "none": "There are no accounts yet.",
        "township": "whole township",
        "off": "disabled",
        "invited": "Wrote the invitation to {file}\n  Give it to “{name}” and run there: cunce join {file}",
        "short": "Or type on that laptop:\n  cunce join {text}",
        "running": "{name} is running: {address}\nPress Ctrl+C in this window to stop.",
        "no_account": "There is no account yet, so nobody can log in. First run cunce hub account add.",
        "stopped": "Stopped.",
        "plain": "Note: without a certificate passwords travel openly on the network; see --certificate and --key.",
        "ask": "Password",
        "both": "Give --certificate and --key together.",
        "villages": "Write villages as code=name with commas between, or name a CSV file; not understood: {text}",
    },
}


class HubError(CunceError):
    """A folder that is no hub, or no port to serve it on."""


@click.group()
def hub() -> None:
    """乡镇站点 (the township's hub): make, serve, invite laptops, keep accounts."""


@hub.group()
def account() -> None:
    """账号 (people's accounts): add, list, disable, enable, reset."""


@hub.command()
@_NEW
@click.option("--name", required=True, help="Name of the township (乡镇名称).")
@click.option("--code", default="", help="Its statistical code (统计区划代码).")
@click.option("--villages", required=True, help="code=name,code=name,... or a CSV file (村：代码=名称，或 CSV 文件).")
@click.option("--forms/--no-forms", "with_forms", default=True, help="Add the shipped ledgers (自带台账).")
@json_option
@click.pass_context
def init(
    context: click.Context, *, station_dir: Path, name: str, code: str, villages: str, with_forms: bool, as_json: bool
) -> None:
    """建立乡镇站点 (make a township's hub in an empty folder)."""
    from collect.settings import check_codes
    from collect.station import Station, Village
    from forms.reader import load_shipped, shipped

    said = _said(context)
    listed = _villages(villages, said)
    check_codes(Village(*each) for each in listed.items())
    forms = [load_shipped(form) for form in shipped()] if with_forms else []
    with Station.create(
        station_dir, name=name, role="hub", township=Village(code, name) if code else None, villages=listed
    ) as station:
        for form in forms:
            station.add_form(form)
        data = {"station": str(station_dir), "id": station.id, "name": name, "villages": listed, "forms": len(forms)}
    if as_json:
        print_json(data)
        return
    click.echo(said["made"].format(name=name, count=len(listed), forms=len(forms), folder=station_dir))
    click.echo(said["next"].format(folder=station_dir))


@hub.command()
@station_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for the network.")
@click.option("--port", type=click.IntRange(1, 65000), default=8001, show_default=True, help="Port (端口).")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False), help="TLS certificate (PEM).")
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Its private key (PEM).")
@click.pass_context
def serve(
    context: click.Context, *, station_dir: Path, host: str, port: int, certificate: str | None, key: str | None
) -> None:
    """启动乡镇站点 (serve the hub until interrupted)."""
    from collect.accounts import Accounts
    from datasette_plugins import serving

    said = _said(context)
    if bool(certificate) != bool(key):
        raise click.UsageError(said["both"])
    if certificate and key:
        _check_certificate(certificate, key)
    unlock(station_dir)
    with hub_station(station_dir) as station:
        with closing(Accounts(station.folder)) as accounts:
            if not any(not each.disabled for each in accounts.all()):
                click.echo(said["no_account"], err=True)
        try:
            listening = serving.listen(host, port)
        except OSError as error:
            raise HubError(Problem("PLUGINS_PORTS_TAKEN", context={"port": port, "last": port + 19})) from error
        got = listening.getsockname()[1]
        scheme = "https" if certificate else "http"

        def ready(_: Any) -> None:
            shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
            click.echo(said["running"].format(name=station.name, address=f"{scheme}://{shown}:{got}"))
            if host not in ("127.0.0.1", "localhost", "::1") and not certificate:
                click.echo(said["plain"], err=True)

        try:
            options: dict[str, Any] = {"ssl_certfile": certificate, "ssl_keyfile": key} if certificate else {}
            serving.serve(station, mode="hub", host=host, port=got, listening=listening, ready=ready, **options)
        except KeyboardInterrupt:
            pass  # the way to stop it
        finally:
            listening.close()
    click.echo(said["stopped"])


@hub.command()
@station_option
@click.option("--name", required=True, help="What to call the laptop (设备名称).")
@click.option("--villages", required=True, help="Codes of its villages, commas between (负责的村的代码).")
@click.option("--address", default="", help="http://host:port where it reaches this hub; none for USB only.")
@click.option("--authors", default="", help="Who may save on it, commas between; none: anybody (填写人).")
@click.option("--hub", "vouches", is_flag=True, help="It is a hub below this one, with laptops of its own (下级站点).")
@click.option("--qr", type=click.Path(path_type=Path, dir_okay=False), help="Also a QR picture, PNG (二维码).")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@json_option
@click.pass_context
def invite(
    context: click.Context, *, station_dir: Path, name: str, villages: str, address: str, authors: str, vouches: bool,
    qr: Path | None, output: Path, as_json: bool,
) -> None:  # fmt: skip
    """邀请一台设备 (write an invitation for one laptop, or for a hub below this one)."""
    from collect.accounts import Accounts
    from sync.identity import make_invitation, save_invitation, write_invitation

    said = _said(context)
    unlock(station_dir)
    with hub_station(station_dir) as station, closing(Accounts(station.folder)) as accounts:
        invitation = make_invitation(
            station, name, codes(villages), address, vouches=vouches, authors=codes(authors)
        )  # fmt: skip
        save_invitation(station, invitation, output)
        accounts.note(
            "laptop invited", account=operator(), resource=name, villages=codes(villages), authors=codes(authors),
            hub=vouches,
        )  # fmt: skip
    # Without an address the picture has to hold the whole invitation.
    code: Any = _qr(invitation.text if address else write_invitation(replace(invitation, forms=())), qr)
    if as_json:
        print_json({"file": str(output), "name": name, "text": invitation.text, "villages": dict(invitation.villages)})
        return
    click.echo(said["invited"].format(file=output, name=name))
    if address:
        click.echo(said["short"].format(text=invitation.text))
        _draw(code)


def _draw(code: Any) -> None:
    """Draw a QR code in the terminal; one that has no such marks goes without."""
    drawn = io.StringIO()
    code.terminal(drawn, compact=True, border=2)
    with suppress(UnicodeEncodeError):  # an old Windows console: the short form above can be typed
        click.echo(drawn.getvalue())


def _qr(text: str, file: Path | None) -> Any:
    """The QR code of an invitation's short form, also as a picture where a file is named; raises HubError."""
    import segno

    code = segno.make(text, error="m")
    if file is not None:
        try:
            file.touch(mode=0o600)
            code.save(str(file), kind="png", scale=8, border=4)
        except OSError as error:
            context = {"file": file, "reason": error.strerror or error}
            raise HubError(Problem("PLUGINS_QR_NOT_WRITTEN", context=context)) from error
    return code


@account.command()
@click.argument("name")
@station_option
@click.option("--role", required=True, type=click.Choice(["administrator", "reviewer", "cadre", "leader"]))
@click.option("--villages", default="", help="Codes of the villages it sees, commas between (能看的村的代码).")
@click.option("--display", default="", help="Name to show, if not the account's (显示的名字).")
@_GENERATE
@json_option
@click.pass_context
def add(
    context: click.Context, *, name: str, station_dir: Path, role: str, villages: str, display: str, generate: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """开通账号 (add an account)."""
    from collect.accounts import check_villages, new_password

    said = _said(context)
    with hub_station(station_dir) as station, _accounts(station_dir) as accounts:
        wanted = codes(villages)
        check_villages(wanted, (village.code for village in station.villages))
        password = new_password() if generate else _asked(said)
        made = accounts.add(name, role=role, villages=wanted, password=password, display=display)
        accounts.note("account added", account=operator(), resource=made.name, role=role, villages=wanted)
    told = {"password": password} if generate else {}
    if as_json:
        print_json({**_data(made), **told})
        return
    click.echo(said["added"].format(name=made.name, role=role))
    if generate:
        click.echo(said["password"].format(**told))


@account.command("list")
@station_option
@json_option
@click.pass_context
def list_(context: click.Context, *, station_dir: Path, as_json: bool) -> None:
    """列出账号 (list all accounts)."""
    said = _said(context)
    with hub_station(station_dir), _accounts(station_dir) as accounts:
        found = accounts.all()
    if as_json:
        print_json([_data(each) for each in found])
        return
    for each in found:
        scope = said["township"] if each.township else ",".join(each.villages)
        click.echo("\t".join([each.name, each.role, scope, *([said["off"]] if each.disabled else [])]))
    if not found:
        click.echo(said["none"])


@account.command()
@click.argument("name")
@station_option
@json_option
@click.pass_context
def disable(context: click.Context, *, name: str, station_dir: Path, as_json: bool) -> None:
    """停用账号 (let an account in no more)."""
    _set_disabled(context, name, station_dir, True, as_json)


@account.command()
@click.argument("name")
@station_option
@json_option
@click.pass_context
def enable(context: click.Context, *, name: str, station_dir: Path, as_json: bool) -> None:
    """启用账号 (let a disabled account in again)."""
    _set_disabled(context, name, station_dir, False, as_json)


def _set_disabled(context: click.Context, name: str, station_dir: Path, disabled: bool, as_json: bool) -> None:
    said = _said(context)
    with hub_station(station_dir), _accounts(station_dir) as accounts:
        changed = accounts.change(name, disabled=disabled)
        accounts.note("account changed", account=operator(), resource=changed.name, disabled=disabled)
    if as_json:
        print_json(_data(changed))
    else:
        click.echo(said["disabled" if disabled else "enabled"].format(name=changed.name))


@account.command()
@click.argument("name")
@station_option
@_GENERATE
@json_option
@click.pass_context
def reset(context: click.Context, *, name: str, station_dir: Path, generate: bool, as_json: bool) -> None:
    """重设密码 (give an account a new password)."""
    from collect.accounts import new_password

    said = _said(context)
    with hub_station(station_dir), _accounts(station_dir) as accounts:
        password = new_password() if generate else _asked(said)
        accounts.reset(name, password)
        accounts.note("password reset", account=operator(), resource=name)
    told = {"password": password} if generate else {}
    if as_json:
        print_json({"name": name, **told})
        return
    click.echo(said["reset"].format(name=name))
    if generate:
        click.echo(said["password"].format(**told))


def _said(context: click.Context) -> dict[str, str]:
    return _SAID[language(context)]


def hub_station(station_dir: Path) -> Any:
    """The hub's station, opened; a laptop's folder is refused before anything is written into it."""
    from collect.station import Station

    station = Station.open(station_dir)
    if station.role != "hub":
        station.close()
        raise HubError(Problem("PLUGINS_NOT_A_HUB", context={"name": station.name}))
    return station


def _accounts(station_dir: Path) -> Any:
    from collect.accounts import Accounts

    return closing(Accounts(station_dir))


def codes(text: str) -> list[str]:
    """The parts of a list that people write with commas of either kind."""
    return [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]


def _villages(text: str, said: dict[str, str]) -> dict[str, str]:
    """Code -> name, from `code=name,...` or from a CSV file, whose header line (no digits in it) is left out."""
    path = Path(text)
    if text.lower().endswith(".csv"):
        try:
            rows: Iterable[list[str]] = list(csv.reader(_text(path.read_bytes()).splitlines()))
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(said["villages"].format(text=path)) from error
        pairs = [row for row in rows if row and any(mark.isdigit() for mark in row[0])]
    else:
        pairs = [part.split("=") for part in codes(text)]
    if not pairs or any(len(pair) < 2 or not pair[0].strip() or not pair[1].strip() for pair in pairs):
        raise click.UsageError(said["villages"].format(text=text))
    return {pair[0].strip(): pair[1].strip() for pair in pairs}


def _text(data: bytes) -> str:
    """The text of a CSV file: Chinese Excel writes GB18030 unless it is asked for UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def _check_certificate(certificate: str, key: str) -> None:
    """Raise HubError where a certificate and a key do not belong together, or are none."""
    try:
        # An empty password: a locked key is refused instead of asked about behind the server's start.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:
        context = {"certificate": certificate, "key": key, "reason": error.strerror or error}
        raise HubError(Problem("PLUGINS_CERTIFICATE", context=context)) from error


def _asked(said: dict[str, str]) -> str:
    prompt: Callable[..., Any] = click.prompt
    return str(prompt(said["ask"], hide_input=True, confirmation_prompt=True))


def operator() -> str:
    """Who sits at the hub's own machine, as its system knows them."""
    return f"@{os.environ.get('USERNAME') or os.environ.get('USER') or 'console'}"


def _data(account: Any) -> dict[str, Any]:
    return {
        "name": account.name,
        "display": account.display,
        "role": account.role,
        "villages": list(account.villages),
        "disabled": account.disabled,
        "created_at": account.created_at,
    }


for _command in (*trust.COMMANDS, recheck):
    hub.add_command(_command)
