"""`cunce hub scope|village|revoke|readmit|authors|quarantine|keys`: whom a hub trusts, with what, and by which keys."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collect.cli.options import json_option, print_json, say, station_option, unlock

if TYPE_CHECKING:
    from collect.peers import Peer, Peers


@click.command()
@click.argument("laptop")
@click.option("--villages", required=True, help="Codes of its villages from now on, commas between (负责的村的代码).")
@station_option
@json_option
def scope(laptop: str, villages: str, station_dir: Path, as_json: bool) -> None:
    """改变一台设备负责的村 (change the villages a laptop may send and is sent)."""
    from collect.accounts import check_villages
    from datasette_plugins.cli.hub import codes, operator

    with _opened(station_dir) as (station, peers, accounts):
        wanted = codes(villages)
        check_villages(wanted, (village.code for village in station.villages))
        peer = _named(peers, laptop)
        changed = peers.set_scope(peer.invitation, wanted)
        accounts.note(
            "laptop scope changed", account=operator(), resource=peer.name, before=list(peer.villages), villages=wanted
        )
    _tell(changed, as_json, f"“{peer.name}”现在负责：{'、'.join(wanted)}", f"{peer.name} now has: {', '.join(wanted)}")


@click.command()
@click.argument("laptop")
@station_option
@json_option
def revoke(laptop: str, station_dir: Path, as_json: bool) -> None:
    """停用一台丢失的设备 (let a lost laptop in no more; what it still sends waits in quarantine)."""
    from datasette_plugins.cli.hub import operator

    with _opened(station_dir) as (_, peers, accounts):
        peer = peers.revoke(_named(peers, laptop).invitation)
        accounts.note("laptop revoked", account=operator(), resource=peer.name)
    _tell(peer, as_json, f"已停用“{peer.name}”；它再发来的数据会进隔离区。",
          f"Revoked {peer.name}; what it still sends goes into quarantine.")  # fmt: skip


@click.command()
@click.argument("laptop")
@click.option("--reason", default="", help="Why; goes into the audit log (理由).")
@station_option
@json_option
def readmit(laptop: str, reason: str, station_dir: Path, as_json: bool) -> None:
    """重新启用一台停用的设备 (let a revoked laptop in again; what is in quarantine stays there)."""
    from datasette_plugins.cli.hub import operator

    with _opened(station_dir) as (_, peers, accounts):
        before = _named(peers, laptop)
        peer = peers.readmit(before.invitation)
        if before.state == "revoked":
            accounts.note("laptop readmitted", account=operator(), resource=peer.name, reason=reason)
    _tell(peer, as_json, f"“{peer.name}”可以再同步了；隔离区里的仍等决定。",
          f"{peer.name} may exchange again; what is in quarantine still waits for a decision.")  # fmt: skip


@click.command()
@click.argument("laptop")
@click.option("--names", required=True, help="Who may save on it, commas between; empty: nobody in particular.")
@station_option
@json_option
def authors(laptop: str, names: str, station_dir: Path, as_json: bool) -> None:
    """登记谁用这台设备 (declare who saves on a laptop; others' names are then refused)."""
    from datasette_plugins.cli.hub import codes, operator

    with _opened(station_dir) as (_, peers, accounts):
        peer = peers.set_authors(_named(peers, laptop).invitation, codes(names))
        accounts.note("laptop authors declared", account=operator(), resource=peer.name, authors=list(peer.authors))
    _tell(peer, as_json, f"“{peer.name}”的填写人：{'、'.join(peer.authors) or '不限'}",
          f"Authors of {peer.name}: {', '.join(peer.authors) or 'anybody'}")  # fmt: skip


@click.group()
def village() -> None:
    """村 (the township's villages): add, rename."""


@village.command()
@click.argument("code")
@click.argument("name")
@station_option
@json_option
def add(code: str, name: str, station_dir: Path, as_json: bool) -> None:
    """增加一个村 (add a village)."""
    _set_village(code, name, station_dir, as_json, known=False)


@village.command()
@click.argument("code")
@click.argument("name")
@station_option
@json_option
def rename(code: str, name: str, station_dir: Path, as_json: bool) -> None:
    """给村改名 (call a village by another name; its code stays)."""
    _set_village(code, name, station_dir, as_json, known=True)


def _set_village(code: str, name: str, station_dir: Path, as_json: bool, *, known: bool) -> None:
    from collect.settings import StationError, Village, check_codes
    from datasette_plugins.cli.hub import operator
    from forms.problems import Problem

    check_codes([Village(code, name)])
    with _opened(station_dir) as (station, _, accounts):
        if (code in {each.code for each in station.villages}) != known:
            code_of = "PLUGINS_VILLAGE_UNKNOWN" if known else "PLUGINS_VILLAGE_KNOWN"
            raise StationError(Problem(code_of, context={"village": code}))
        station.add_villages([Village(code, name)])
        accounts.note("village renamed" if known else "village added", account=operator(), resource=code, name=name)
    if as_json:
        print_json({"code": code, "name": name})
    else:
        say(f"{code} {name}", f"{code} {name}")


@click.group()
def quarantine() -> None:
    """隔离区 (what revoked laptops sent): list, release, discard."""


@quarantine.command("list")
@click.option("--all", "decided", is_flag=True, help="Also what was released or discarded (已处理的也列出).")
@station_option
@json_option
def list_(decided: bool, station_dir: Path, as_json: bool) -> None:
    """列出隔离的数据包 (list quarantined bundles)."""
    from sync.quarantine import quarantined

    with _opened(station_dir) as (station, _, _accounts):
        found = quarantined(station, decided=decided)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    for each in found:
        done = f"\t{each.state} {each.by} {each.decided_at}" if each.by else ""
        click.echo(f"{each.id}\t{each.name}\t{each.at}\t{each.road}\t{each.revisions}\t{each.why}{done}")
    if not found:
        say("隔离区是空的。", "Nothing is in quarantine.")


@quarantine.command("release")
@click.argument("number")
@click.option("--reason", default="", help="Why; goes into the audit log (理由).")
@station_option
@json_option
def release_(number: str, reason: str, station_dir: Path, as_json: bool) -> None:
    """放行 (apply a quarantined bundle)."""
    from datasette_plugins.cli.hub import operator
    from sync.quarantine import release

    with _opened(station_dir) as (station, _, _accounts):
        received = release(station, number, by=operator(), reason=reason)
    if as_json:
        print_json({"id": number, "new": received.new, "known": received.known})
    else:
        say(f"已放行：新的 {received.new} 条，已有 {received.known} 条。",
            f"Released: {received.new} new revisions, {received.known} known already.")  # fmt: skip


@quarantine.command("discard")
@click.argument("number")
@click.option("--reason", default="", help="Why; goes into the audit log (理由).")
@station_option
def discard_(number: str, reason: str, station_dir: Path) -> None:
    """丢弃 (throw a quarantined bundle away)."""
    from datasette_plugins.cli.hub import operator
    from sync.quarantine import discard

    with _opened(station_dir) as (station, _, _accounts):
        discard(station, number, by=operator(), reason=reason)
    say("已丢弃。", "Discarded.")


@click.group()
def keys() -> None:
    """密钥 (this hub's keys): show, rotate, backup, restore."""


@keys.command()
@station_option
@json_option
def show(station_dir: Path, as_json: bool) -> None:
    """显示公钥和保存方式 (show the public keys and how the secret ones are kept)."""
    from collect.keychain import Keychain
    from sync.keys import keys_of

    with _opened(station_dir) as (station, _, _accounts):
        public = keys_of(station.folder, station.id).current.public
    data = {"id": public.id, "sealing": public.sealing, "signing": public.signing, "lock": Keychain(station_dir).lock}
    if as_json:
        print_json(data)
    else:
        click.echo("\n".join(f"{name}\t{value}" for name, value in data.items()))


@keys.command()
@station_option
def rotate(station_dir: Path) -> None:
    """换新密钥 (new keys, signed by the old ones; laptops learn them at their next exchange)."""
    from datasette_plugins.cli.hub import operator
    from sync.keys import rotate_keys

    with _opened(station_dir) as (station, _, accounts):
        fresh = rotate_keys(station.folder, station.id).current.public
        accounts.note("hub keys renewed", account=operator(), resource=fresh.id)
    say(f"新密钥：{fresh.id}。请另做备份：cunce hub keys backup",
        f"New keys: {fresh.id}. Make a new backup: cunce hub keys backup")  # fmt: skip


@keys.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@station_option
def backup(file: Path, station_dir: Path) -> None:
    """备份密钥 (write the keys to FILE, locked by a passphrase)."""
    from datasette_plugins.cli.hub import operator
    from sync.keys import back_up_keys

    phrase = str(click.prompt("Passphrase (口令)", hide_input=True, confirmation_prompt=True))
    with _opened(station_dir) as (station, _, accounts):
        back_up_keys(station.folder, station.id, phrase, file)
        accounts.note("hub keys backed up", account=operator(), resource=file.name)
    say(f"已写入 {file}；没有口令打不开，请分开保管。", f"Wrote {file}; keep its passphrase in another place.")


@keys.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@station_option
def restore(file: Path, station_dir: Path) -> None:
    """恢复密钥 (put back the keys from a backup FILE)."""
    from datasette_plugins.cli.hub import operator
    from sync.keys import restore_keys

    phrase = str(click.prompt("Passphrase (口令)", hide_input=True))
    with _opened(station_dir) as (station, _, accounts):
        restored = restore_keys(station.folder, station.id, phrase, file).current.public
        accounts.note("hub keys restored", account=operator(), resource=restored.id)
    say(f"已恢复密钥 {restored.id}。", f"Put back the keys {restored.id}.")


COMMANDS: tuple[click.Command, ...] = (scope, revoke, readmit, authors, village, quarantine, keys)


class _opened:  # noqa: N801 - used like a function, in `with` statements
    """The hub's station, its peers and its accounts, open until the end of the `with`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> tuple[Any, Any, Any]:
        from contextlib import ExitStack

        from collect.accounts import Accounts
        from collect.peers import Peers
        from datasette_plugins.cli.hub import hub_station

        unlock(self.folder)
        with ExitStack() as opening:
            station = opening.enter_context(hub_station(self.folder))
            peers = opening.enter_context(closing(Peers(self.folder, clock=station.clock)))
            accounts = opening.enter_context(closing(Accounts(self.folder, clock=station.clock)))
            self.closing = opening.pop_all()
        return station, peers, accounts

    def __exit__(self, *_: object) -> None:
        self.closing.close()


def _named(peers: Peers, laptop: str) -> Peer:
    """The laptop of that name or station id; raises PeerError where there is none, or several."""
    from collect.peers import PeerError
    from forms.problems import Problem

    found = [each for each in peers.peers() if laptop in (each.name, each.station, each.invitation)]
    if len(found) > 1:
        names = ", ".join(each.station or each.invitation for each in found)
        raise PeerError(Problem("PLUGINS_LAPTOP_AMBIGUOUS", context={"name": laptop, "stations": names}))
    if not found:
        raise PeerError(Problem("COLLECT_PEER_UNKNOWN", context={"station": laptop}))
    return found[0]


def _tell(peer: Peer, as_json: bool, zh: str, en: str) -> None:
    if as_json:
        print_json({"station": peer.station, "name": peer.name, "state": peer.state, "villages": list(peer.villages),
                    "authors": list(peer.authors)})  # fmt: skip
    else:
        say(zh, en)
