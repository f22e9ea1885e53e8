"""`cunce join` and `cunce sync`: belonging to a township's hub, and exchanging with it over a network or a stick."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collect.cli.options import json_option, language, print_json, progress_bar, say, station_option, unlock
from collect.hlc import local
from forms.problems import Problem

if TYPE_CHECKING:
    from collect.peers import Peers
    from collect.station import Station
    from sync.exchange import Outcome, Progress
    from sync.joining import Joined
    from sync.stick import Attended


@click.command()
@click.argument("invitation")
@click.option("--author", default="", help="填写人姓名。 / Who saves on this laptop; else its name stands for them.")
@station_option
@json_option
def join(invitation: str, author: str, station_dir: Path, as_json: bool) -> None:
    """加入乡镇中心 / Join the hub that made INVITATION (a .cunce-invite file, or address#code).

    Without a network the file alone is enough: exchange by USB stick with `cunce sync run --folder`.
    """
    from collect.station import Station
    from sync import joining
    from sync.identity import read_invitation

    unlock(station_dir)
    with _bar() as progress:
        joined = joining.join(station_dir, read_invitation(invitation), progress=progress)
    if author.strip():
        with closing(Station.open(station_dir)) as station:
            station.set_author(author.strip())
    if as_json:
        print_json(_joined_data(joined))
        return
    say(
        f"“{joined.name}”（{joined.station}）已加入“{joined.hub.name}”，负责：{'、'.join(joined.hub.villages.values())}",
        f"“{joined.name}” ({joined.station}) belongs to “{joined.hub.name}”; villages: "
        + ", ".join(joined.hub.villages.values()),
    )
    _show_lock(station_dir)
    if joined.outcome is None:
        _show_problems(joined.later)
        if joined.ready:
            say(
                "还没有与中心同步；可以先录入，以后用 cunce sync run 或 U 盘（--folder）同步。",
                "Nothing was exchanged yet; start working, and exchange later: cunce sync run, or a stick (--folder).",
            )
        else:
            say(
                "还没有与中心同步，本机还没有表单；请先用 cunce sync run 或 U 盘（--folder）同步一次，再开始录入。",
                "Nothing was exchanged yet and there are no forms here; exchange once before you start working: "
                "cunce sync run, or a stick (--folder).",
            )
    else:
        _show_outcome(joined.outcome)


def _show_lock(station_dir: Path) -> None:
    """Say how this station's keys are kept."""
    from collect.keychain import Keychain

    told = {
        "keyring": ("密钥锁在系统的密钥环里。", "The keys are locked by the system's keyring."),
        "passphrase": ("密钥用口令锁着。", "The keys are locked by the passphrase."),
        "rights": (
            "密钥没有口令，谁能读这个文件夹谁就有它；要加口令，请先设 CUNCE_PASSPHRASE 再加入。",
            "The keys have no passphrase: who can read this folder has them. To have one, set CUNCE_PASSPHRASE first.",
        ),
    }
    say(*told[Keychain(station_dir).lock or "rights"])


@click.group()
def sync() -> None:
    """与乡镇中心同步 / Exchange with the township's hub."""


@sync.command()
@click.option("--hub", "address", default="", metavar="URL", help="The hub's address; by default the one joined.")
@click.option(
    "--folder", type=click.Path(path_type=Path), metavar="DIR", help="A USB stick or shared folder, not the network."
)
@station_option
@json_option
def run(address: str, folder: Path | None, station_dir: Path, as_json: bool) -> None:
    """Exchange now: on a laptop with its hub, on a hub with the laptops whose stick is in DIR."""
    from collect.peers import Peers
    from collect.station import Station

    if address and folder:
        raise click.UsageError("--hub and --folder exclude each other.")
    unlock(station_dir)
    with closing(Station.open(station_dir)) as station, closing(Peers(station_dir, clock=station.clock)) as peers:
        if station.role == "hub" and not peers.hubs():
            _attend(station, folder, as_json)
            return
        outcomes = [_run(station, peers, address, folder)]
        if station.role == "hub" and folder:
            _attend(station, folder, as_json)
    if as_json:
        print_json(_outcome_data(outcomes[0]))
    else:
        _show_outcome(outcomes[0])
    if outcomes[0].problems:
        sys.exit(1)


@sync.command()
@station_option
@json_option
def status(station_dir: Path, as_json: bool) -> None:
    """Show what went to each hub and came from it, when, and what still waits; at a hub, every laptop."""
    from collect.peers import Peers
    from collect.station import Station

    with closing(Station.open(station_dir)) as station, closing(Peers(station_dir, clock=station.clock)) as peers:
        data = _status_data(station, peers)
    if as_json:
        print_json(data)
        return
    if not data["hubs"] and not data["laptops"]:
        say("还没有加入中心，也没有邀请过电脑。", "No hub was joined, and nobody was invited.")
    for hub in data["hubs"]:
        _show_hub(hub)
    for laptop in data["laptops"]:
        _show_laptop(laptop)


@sync.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--station", "station_dir", type=click.Path(file_okay=False, path_type=Path), envvar="CUNCE_STATION",
    help="A station that may open it; by default CUNCE_STATION or the current folder, if it is one.",
)  # fmt: skip
@json_option
def inspect(file: Path, station_dir: Path | None, as_json: bool) -> None:
    """Say what a bundle FILE is, and what is in it where this station holds the keys and knows the sender."""
    from sync.inspecting import inspect_file

    folder = station_dir or Path.cwd()
    if (folder / "station.json").is_file():
        unlock(folder)
    header, signed, inside = inspect_file(file, folder)
    if as_json:
        data = {**asdict(header), "created": header.created.isoformat(), "signed_by": signed, "inside": inside}
        print_json({**data, "successions": len(header.successions)})
        return
    kind = {"push": ("送往中心", "to the hub"), "pull": ("中心发出", "from the hub")}[header.kind]
    say(f"类型  {kind[0]}", f"kind      {kind[1]}")
    say(f"从    {header.sender}", f"from      {header.sender}")
    say(f"到    {header.receiver}", f"to        {header.receiver}")
    say(f"时间  {header.created.isoformat()}", f"created   {header.created.isoformat()}")
    say(
        f"内容  {header.revisions} 条修改，{header.forms} 个表单，{header.blobs} 个附件",
        f"contains  {header.revisions} revisions, {header.forms} forms, {header.blobs} files",
    )
    for station, (first, last) in header.suffixes.items():
        click.echo(f"      {station}: {first}-{last}")
    say(f"加密  {header.seal or '没有'}", f"sealed to  {header.seal or 'nobody'}")
    genuine = {
        "known": ("真实，是它的密钥", "genuine"),
        "unknown": ("不认识，查不了", "of keys not known here"),
        "none": ("没有", "none"),
    }
    told = genuine[signed]
    say(f"签名  {header.signature} {told[0]}", f"signature  {header.signature} {told[1]}")
    say("完整，没有损坏。", "Whole and undamaged.")
    if inside is None:
        say("内容是加密的，本机打不开。", "The content is sealed; this station can't open it.")
        return
    for line in inside:
        where, names = f"{line['village']} {line['table']}", ", ".join(line["authors"])
        say(
            f"  {where}：{line['revisions']} 条修改，{line['records']} 条记录，填写人 {names}",
            f"  {where}: {line['revisions']} revisions of {line['records']} records, by {names}",
        )


@sync.command("rotate-keys")
@station_option
@json_option
def rotate_keys(station_dir: Path, as_json: bool) -> None:
    """给本机换新密钥 / Give this station new keys, signed by the old ones; hubs learn them at the next exchange."""
    from collect.station import Station
    from sync import keys

    unlock(station_dir)
    with closing(Station.open(station_dir)) as station:
        fresh = keys.rotate_keys(station.folder, station.id).current.public
    if as_json:
        print_json({"id": fresh.id, "sealing": fresh.sealing, "signing": fresh.signing})
    else:
        say(
            f"新密钥：{fresh.id}。下次同步时中心会知道。",
            f"New keys: {fresh.id}. Hubs learn them at the next exchange.",
        )


def _run(station: Station, peers: Peers, address: str, folder: Path | None) -> Outcome:
    from sync import exchange
    from sync.joining import hub_of, over_folder, over_network

    hub = hub_of(peers, address)
    with _bar() as progress:
        if folder is not None:
            return exchange.run(station, over_folder(station, hub, folder), progress=progress)
        with over_network(station, hub, address) as transport:
            return exchange.run(station, transport, progress=progress)


def _attend(station: Station, folder: Path | None, as_json: bool) -> None:
    from sync.stick import attend

    if folder is None:
        raise click.UsageError("A hub exchanges by stick with --folder DIR; for the network start: cunce hub serve")
    done = attend(station, folder)
    if as_json:
        print_json(_attended_data(done))
    else:
        _show_attended(done)
    if done.problems:
        sys.exit(1)


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """Draw the exchange's progress once it has taken two seconds."""
    label = "同步" if language() == "zh" else "Exchange"
    with progress_bar(label) as advance:

        yield lambda step: advance(step.done, step.total, _left(step))


def _left(step: Progress) -> str:
    """What stands behind the bar: of photos and files, their sizes and the time left."""
    if not step.action.endswith("-blobs"):
        return f"{step.done}/{step.total}"
    left = "" if step.left is None else f" {round(step.left) // 60}:{round(step.left) % 60:02}"
    return f"{'照片' if language() == 'zh' else 'photos'} {_size(step.done)}/{_size(step.total)}{left}"


def _outcome_data(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "problems": [problem.as_data() for problem in outcome.problems]}


def _attended_data(done: Attended) -> dict[str, Any]:
    return {**asdict(done), "problems": [problem.as_data() for problem in done.problems]}


def _joined_data(joined: Joined) -> dict[str, Any]:
    return {
        "station": joined.station,
        "name": joined.name,
        "hub": {"id": joined.hub.hub, "name": joined.hub.name, "address": joined.hub.address},
        "villages": dict(joined.hub.villages),
        "outcome": None if joined.outcome is None else _outcome_data(joined.outcome),
        "later": [problem.as_data() for problem in joined.later],
        "ready": joined.ready,
    }


def _status_data(station: Station, peers: Peers) -> dict[str, Any]:
    own = station.journal.held().get(station.id, 0)
    hubs = [
        {
            "id": hub.hub,
            "name": hub.name,
            "address": hub.address,
            "joined_at": hub.joined_at,
            "exchanged_at": hub.exchanged_at,
            "sent": min(hub.held, own),
            "waiting": max(own - hub.held, 0),
            "received": hub.received,
            "villages": dict(hub.villages),
        }
        for hub in peers.hubs()
    ]
    arrived = station.journal.arrived()
    laptops = [
        {
            "id": peer.station,
            "name": peer.name,
            "state": peer.state,
            "villages": list(peer.villages),
            "joined_at": peer.joined_at,
            "seen_at": peer.seen_at,
            "received": peer.received,
            "behind": max(arrived - peer.cursor, 0),
        }
        for peer in peers.peers()
    ]
    return {"station": station.id, "name": station.name, "saved": own, "hubs": hubs, "laptops": laptops}


def _show_outcome(outcome: Outcome) -> None:
    if outcome.nothing_to_do:
        say(
            f"与“{outcome.name}”没有要同步的，中心已确认 {outcome.confirmed} 条。",
            f"Nothing to exchange with “{outcome.name}”; {outcome.confirmed} revisions are confirmed there.",
        )
    else:
        say(
            f"与“{outcome.name}”同步：发出 {outcome.sent} 条修改，收到 {outcome.received} 条"
            f"（另有 {outcome.known} 条本机已有），中心已确认 {outcome.confirmed} 条。",
            f"Exchanged with “{outcome.name}”: {outcome.sent} revisions sent, {outcome.received} received "
            f"({outcome.known} were here already), {outcome.confirmed} confirmed by the hub.",
        )
    if outcome.waiting:
        say(f"还有 {outcome.waiting} 条等中心确认。", f"{outcome.waiting} wait for the hub's receipt.")
    if outcome.carried:
        say(
            f"请把 {outcome.road} 带到“{outcome.name}”的电脑上同步，再带回来同步一次。",
            f"Carry {outcome.road} to “{outcome.name}”, exchange there, then bring it back and exchange once more.",
        )
    if outcome.forms:
        say(f"收到 {outcome.forms} 个表单。", f"{outcome.forms} forms received.")
    _show_blobs(outcome)
    _show_leaving(outcome)
    if outcome.parked:
        say(f"{outcome.parked} 条修改在等前面的数据。", f"{outcome.parked} revisions wait for earlier ones.")
    if outcome.conflicts:
        say(f"有 {outcome.conflicts} 处冲突等人处理。", f"{outcome.conflicts} conflicts wait for a person.")
    if abs(outcome.skew or 0) > 300:
        minutes = abs(outcome.skew or 0) // 60
        say(f"本机的时钟与中心相差 {minutes} 分钟，请校准。", f"This clock is {minutes} minutes off the hub's; set it.")
    say(f"流量：发出 {_size(outcome.bytes_sent)}，收到 {_size(outcome.bytes_received)}。",
        f"{_size(outcome.bytes_sent)} sent, {_size(outcome.bytes_received)} received.")  # fmt: skip
    _show_problems(outcome.problems)


def _show_leaving(outcome: Outcome) -> None:
    if outcome.left:
        say(
            f"{outcome.left} 条记录已转到别的村，离开了本机（中心有全部内容）。",
            f"{outcome.left} records belong to other villages now and left this computer; the hub has all of them.",
        )
    if outcome.leaving:
        say(
            f"{outcome.leaving} 户已转到别的村，等草稿保存或放弃、中心收到本机的修改后离开本机。",
            f"{outcome.leaving} households belong to other villages now; they leave once their drafts are saved or "
            "discarded and the hub has what was saved here.",
        )


def _show_blobs(outcome: Outcome) -> None:
    if outcome.blobs_sent or outcome.blobs_received:
        say(
            f"照片和文件：发出 {outcome.blobs_sent} 个，收到 {outcome.blobs_received} 个。",
            f"Photos and files: {outcome.blobs_sent} sent, {outcome.blobs_received} received.",
        )
    if outcome.blobs_waiting:
        say(
            f"还有 {outcome.blobs_waiting} 个照片和文件等中心确认。",
            f"{outcome.blobs_waiting} photos and files wait for the hub's receipt.",
        )
    if outcome.blobs_lacking:
        say(
            f"还有 {outcome.blobs_lacking} 个照片和文件没到本机，在别的电脑上或路上。",
            f"{outcome.blobs_lacking} photos and files have not come yet; they are on other laptops or underway.",
        )


def _show_attended(done: Attended) -> None:
    if not done.stations:
        say(f"{done.road} 里没有给本中心的数据。", f"Nothing in {done.road} is for this hub.")
    else:
        say(
            f"收了 {'、'.join(done.stations)} 的数据：新的 {done.received} 条，已有 {done.known} 条；"
            f"给它们留了 {done.sent} 条和回执。",
            f"Took in {', '.join(done.stations)}: {done.received} new revisions, {done.known} known already; "
            f"left {done.sent} revisions and receipts for them.",
        )
    if done.blobs_received or done.blobs_sent:
        say(
            f"照片和文件：收了 {done.blobs_received} 个，留了 {done.blobs_sent} 个。",
            f"Photos and files: {done.blobs_received} taken in, {done.blobs_sent} left.",
        )
    _show_problems(done.problems)


def _show_hub(hub: dict[str, Any]) -> None:
    name, address, when = hub["name"], hub["address"], hub["exchanged_at"]
    say(f"中心“{name}”（{address or '用 U 盘'}）", f"Hub “{name}” ({address or 'by stick'})")
    say(f"  上次同步  {_when(when) or '还没有'}", f"  last exchange  {_when(when) or 'never'}")
    say(
        f"  中心已有 {hub['sent']} 条，等待 {hub['waiting']} 条；从中心收到 {hub['received']} 条",
        f"  {hub['sent']} revisions at the hub, {hub['waiting']} waiting; {hub['received']} received from it",
    )


def _show_laptop(laptop: dict[str, Any]) -> None:
    states = {
        "invited": ("已邀请，未加入", "invited"),
        "joined": ("已加入", "joined"),
        "revoked": ("已停用", "revoked"),
    }
    zh, en = states[laptop["state"]]
    say(f"电脑“{laptop['name']}”（{zh}）", f"Laptop “{laptop['name']}” ({en})")
    if laptop["state"] == "invited":
        return
    when = _when(laptop["seen_at"])
    say(
        f"  上次同步  {when or '还没有'}；收到它的 {laptop['received']} 条",
        f"  last exchange  {when or 'never'}; {laptop['received']} of its revisions are here",
    )


def _show_problems(problems: list[Problem] | tuple[Problem, ...]) -> None:
    for problem in problems:
        click.echo(problem.words(language()), err=True)


def _when(text: str) -> str:
    """A moment as people write it, to the minute."""
    return local(text)[:16]


def _size(size: int) -> str:
    for limit, unit in ((1000, "B"), (1_000_000, "kB")):
        if size < limit:
            return f"{size * 1000 // limit if unit == 'kB' else size} {unit}"
    return f"{size / 1_000_000:.1f} MB"
