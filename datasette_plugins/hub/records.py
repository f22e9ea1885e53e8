"""The township's own lists: laptops and when they came, accounts, and the audit log."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from datasette.utils.asgi import Forbidden, Response

from collect.accounts import ROLES, AccountError, check_villages, new_password
from collect.peers import Peer, Peers
from datasette_plugins.desk import desk_of
from datasette_plugins.hub.people import accounts_of, note
from datasette_plugins.scope import allowed

if TYPE_CHECKING:
    from collect.station import Station

SILENT_DAYS = 14  # a laptop not seen for so long is pointed out
WRONG_SECONDS = 600  # a clock that is further off is pointed out
LINES = 100


@dataclass(frozen=True, slots=True)
class Laptop:
    """One invited laptop. `days`: since it was last seen, None where it never was. `off`: what its clock is off by.

    `off` is the key of the words (even, minutes, hours, days, years) and their number, None where nobody measured it;
    `wrong`: so much that times of what it saves mislead.
    """

    peer: Peer
    villages: tuple[str, ...]
    days: int | None
    silent: bool
    off: tuple[str, int] | None
    wrong: bool


async def laptops(datasette: Any, request: Any) -> Any:
    """Show which laptops came when and which are silent (GET); an administrator may revoke or readmit one (POST)."""
    if not allowed(request.actor, "cunce-stations"):
        raise Forbidden("cunce-stations")
    if request.method == "POST":
        return await _admit(datasette, request)
    found = await desk_of(datasette).read(_laptops)
    context = {
        "laptops": found,
        "silent": sum(each.silent for each in found),
        "wrong": sum(each.wrong for each in found),
        "administers": allowed(request.actor, "cunce-administer"),
    }
    return Response.html(await datasette.render_template("cunce_laptops.html", context, request=request))


async def _admit(datasette: Any, request: Any) -> Any:
    """Revoke a laptop, or let a revoked one in again."""
    if not allowed(request.actor, "cunce-administer"):
        raise Forbidden("cunce-administer")
    fields = await request.post_vars()
    invitation, again = fields.get("invitation", ""), fields.get("do") == "readmit"

    def change(station: Station) -> Peer:
        with closing(Peers(station.folder, clock=station.clock)) as peers:
            return peers.readmit(invitation) if again else peers.revoke(invitation)

    peer = await desk_of(datasette).run(change)
    await note(datasette, request, "laptop readmitted" if again else "revoke laptop", peer.name, station=peer.station)
    return Response.redirect(datasette.urls.path("/-/laptops"))


def _laptops(station: Station) -> tuple[Laptop, ...]:
    names = {village.code: village.name for village in station.villages}
    with closing(Peers(station.folder, clock=station.clock)) as peers:
        found = peers.peers()
    now = station.clock.now()
    return tuple(_laptop(peer, names, now) for peer in found)


def _laptop(peer: Peer, names: dict[str, str], now: datetime) -> Laptop:
    days = (now - datetime.fromisoformat(peer.seen_at)).days if peer.seen_at else None
    silent = peer.state == "joined" and (days is None or days >= SILENT_DAYS)
    off = None if peer.skew is None else _off(peer.skew)
    wrong = peer.skew is not None and abs(peer.skew) > WRONG_SECONDS
    return Laptop(peer, tuple(names.get(code, code) for code in peer.villages), days, silent, off, wrong)


def _off(seconds: int) -> tuple[str, int]:
    """A clock's difference in the largest unit that says something, and its number with its sign."""
    for unit, length in (("years", 365 * 86_400), ("days", 2 * 86_400), ("hours", 7_200), ("minutes", 60)):
        if abs(seconds) >= length:
            step = {"days": 86_400, "hours": 3_600}.get(unit, length)
            return unit, round(abs(seconds) / step) * (1 if seconds > 0 else -1)
    return "even", 0


async def accounts(datasette: Any, request: Any) -> Any:
    """Show all accounts to an administrator (GET); add, disable, enable or reset one (POST)."""
    if not allowed(request.actor, "cunce-administer"):
        raise Forbidden("cunce-administer")
    told: dict[str, Any] = {}
    if request.method == "POST":
        given = parse_qs((await request.post_body()).decode("utf-8"))
        told = await _change_account(datasette, request, given)
    found = await asyncio.to_thread(accounts_of(datasette).all)
    villages = desk_of(datasette).station.villages
    context = {
        "accounts": found,
        "names": {village.code: village.name for village in villages},
        "villages": villages,
        "roles": ROLES,
        "told": told,
    }
    return Response.html(await datasette.render_template("cunce_accounts.html", context, request=request))


async def _change_account(datasette: Any, request: Any, given: dict[str, list[str]]) -> dict[str, Any]:
    """Do what the form says; returns what to tell: name and password (shown this once), or problems."""
    name, do = given.get("name", [""])[0].strip(), given.get("do", [""])[0]
    kept, villages = accounts_of(datasette), given.get("village", [])
    password = new_password() if do in ("add", "reset") else ""

    def change() -> str:
        if do == "add":
            role, display = given.get("role", [""])[0], given.get("display", [""])[0].strip()
            check_villages(villages, (village.code for village in desk_of(datasette).station.villages))
            return kept.add(name, role=role, villages=villages, password=password, display=display).name
        if do == "reset":
            kept.reset(name, password)
            return name
        return kept.change(name, disabled=do != "enable").name

    try:
        changed = await asyncio.to_thread(change)
    except AccountError as error:
        return {"problems": error.problems}
    action = {"add": "account added", "reset": "password reset"}.get(do, "account changed")
    await note(datasette, request, action, changed, do=do, villages=villages)
    return {"name": changed, "password": password}


async def log(datasette: Any, request: Any) -> Any:
    """Show the audit log to an administrator, newest first."""
    if not allowed(request.actor, "cunce-administer"):
        raise Forbidden("cunce-administer")
    before, account, action = (request.args.get(name) or "" for name in ("before", "account", "action"))
    kept = accounts_of(datasette)
    lines = await asyncio.to_thread(
        lambda: kept.log(before=int(before) if before.isdigit() else None, account=account, action=action, limit=LINES)
    )
    context = {
        "lines": lines,
        "account": account,
        "action": action,
        "actions": ACTIONS,
        "next": lines[-1].id if len(lines) == LINES else None,
        "checked": bool(request.args.get("check")),
        "broken": await asyncio.to_thread(kept.verify_log) if request.args.get("check") else (),
    }
    return Response.html(await datasette.render_template("cunce_log.html", context, request=request))


ACTIONS = (
    "login", "login refused", "logout", "row", "list", "export", "query", "settle", "records told apart",
    "records merged", "decision undone", "publish", "account added",
    "account changed", "password reset", "laptop invited", "revoke laptop", "laptop readmitted", "bundle quarantined",
    "bundle looked at", "bundle released", "bundle discarded", "bundle refused",
)  # fmt: skip
