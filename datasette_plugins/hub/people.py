"""Who is asking: accounts and their sessions behind a running Datasette, and the notes they leave in the audit log."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from collect.accounts import Account, Accounts
from datasette_plugins.desk import desk_of, mode_of
from datasette_plugins.scope import OWNER

COOKIE = "cunce_session"
_ACCOUNTS: WeakKeyDictionary[Any, Accounts] = WeakKeyDictionary()


def accounts_of(datasette: Any) -> Accounts:
    """Return the accounts of the hub that this Datasette serves, opened when first asked for."""
    accounts = _ACCOUNTS.get(datasette)
    if accounts is None:
        station = desk_of(datasette).station
        accounts = _ACCOUNTS[datasette] = Accounts(station.folder, clock=station.clock)
    return accounts


def close_accounts(datasette: Any) -> None:
    """Close the accounts of a Datasette that stops serving."""
    accounts = _ACCOUNTS.pop(datasette, None)
    if accounts is not None:
        accounts.close()


async def actor_of(datasette: Any, request: Any) -> dict[str, Any] | None:
    """Return the actor of a request: on a laptop its owner, on a hub the account of a live session, else None."""
    if mode_of(datasette) == "laptop":
        return dict(OWNER)
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    account = await asyncio.to_thread(accounts_of(datasette).who, token)
    return None if account is None else as_actor(account)


def as_actor(account: Account) -> dict[str, Any]:
    """Return an account as Datasette's actor."""
    return {
        "id": account.name,
        "name": account.display,
        "role": account.role,
        "township": account.township,
        "villages": list(account.villages),
        "language": account.language,
    }


async def note(datasette: Any, request: Any, action: str, resource: str = "", **detail: Any) -> None:
    """Append to the audit log what the request's actor does; nothing on a laptop, which has one person."""
    if mode_of(datasette) != "hub":
        return
    account = (request.actor or {}).get("id", "")
    accounts, address = accounts_of(datasette), address_of(request.scope)
    await asyncio.to_thread(
        lambda: accounts.note(action, account=account, address=address, resource=resource, **detail)
    )


def address_of(scope: Any) -> str:
    """Return the address a request came from; headers that anybody can write are not believed."""
    client = scope.get("client")
    return str(client[0]) if client else ""
