"""Scope: the one function that says who may do what to which database; unknown means denied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Actor = Mapping[str, Any]

TOWNSHIP = "township"  # the database of all ledgers; the others are named by their village's code
OWNER: dict[str, Any] = {"id": "owner", "role": "owner", "township": True, "villages": []}

_READERS = frozenset({"administrator", "reviewer", "cadre", "leader", "owner"})
_WRITERS = frozenset({"administrator", "reviewer", "owner"})
_MASTERS = frozenset({"administrator", "owner"})
# Datasette's actions, and ours: what a role needs to be for them where no database is concerned.
_BY_ROLE = {
    "view-instance": _READERS,
    "cunce-settle": _WRITERS,
    "cunce-stations": _WRITERS,
    "cunce-quarantine": _MASTERS,
    "cunce-publish": _WRITERS,
    "cunce-administer": _MASTERS,
    "cunce-capture": frozenset({"owner"}),
}
_ON_DATABASE = frozenset({"view-database", "view-table", "execute-sql"})


def allowed(actor: Actor | None, action: str, resource: Any = None) -> bool:
    """Tell whether an actor may do an action of Datasette or of ours; False for anything unknown.

    `resource`: a database's name, or (database, table). Our actions: cunce-settle, cunce-stations (see laptops and
    what waits of them), cunce-quarantine (take in or discard what a revoked one sent), cunce-publish, cunce-administer
    (accounts, audit log, Datasette's own information pages), cunce-capture (laptop).
    """
    role = (actor or {}).get("role")
    if actor is None or role not in _READERS:
        return False
    if action in _ON_DATABASE and resource is not None:
        database, table = resource if isinstance(resource, tuple | list) else (resource, "")
        if not sees(actor, database):
            return False
        # Tables that begin with _ are the projection's own notes.
        return role in _MASTERS or (action != "execute-sql" and not str(table).startswith(("_", "sqlite_")))
    return role in _BY_ROLE.get(action, frozenset())


def sees(actor: Actor | None, database: str) -> bool:
    """Tell whether a database (township, or a village's code) is in an actor's scope."""
    if actor is None or actor.get("role") not in _READERS or database.startswith("_"):
        return False
    return bool(actor.get("township")) or (database != TOWNSHIP and database in actor.get("villages", ()))


def seen_of(actor: Actor | None, villages: Iterable[Any]) -> tuple[Any, ...]:
    """Return those villages (each with a `code`) that are in an actor's scope."""
    return tuple(village for village in villages if sees(actor, village.code))
