"""The gate around the whole application: headers of every answer, and a look at every request before it goes in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from datasette_plugins.desk import mode_of
from datasette_plugins.hub.people import accounts_of, address_of

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Any, Send], Awaitable[None]]

# Our pages carry no inline script, so that a value that slipped into a page as markup could still not run.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self), camera=(self), microphone=(self)"),
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LEDGER_PATH = re.compile(
    r"/(?P<database>[^/.]+)(?:/(?P<table>[^/.]+))?(?:/(?P<row>[^/]+?))?(?:\.(?P<format>json|jsono|csv|blob))?"
)


def guarded(datasette: Any, application: Application) -> Application:
    """Return the application behind the gate.

    Every answer gets the security headers. A laptop answers only to its own machine under its own names (a web page
    elsewhere must not reach it by a name that resolves here). State-changing requests from other sites are refused.
    On a hub every look at rows and every export that succeeds is noted before the answer leaves.
    """
    laptop = mode_of(datasette) == "laptop"

    async def gate(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        headers = {key.lower(): value for key, value in scope["headers"]}
        if (laptop and not _is_local(scope, headers)) or _is_from_elsewhere(scope, headers):
            await _refuse(send)
            return
        seen: Scope = {
            **scope,
            "headers": _without_foreign_actor(scope["headers"]),
            "query_string": without_blanks(scope["path"], scope["query_string"]),
            "cunce": {},
        }

        async def send_guarded(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                if not laptop and message["status"] == 200:
                    await _note_look(datasette, seen)
                message = {**message, "headers": _with_ours(message.get("headers", []), scope.get("scheme") == "https")}
            await send(message)

        await application(seen, receive, send_guarded)

    return gate


def look_of(path: str, query: str) -> tuple[str, str] | None:
    """Return (action, resource) for a path that shows ledger rows, None for any other.

    Actions: row, list, export (CSV or JSON of a list), query (SQL); a database's own page shows only counts.
    """
    match = _LEDGER_PATH.fullmatch(path)
    if path.startswith("/-/") or match is None:
        return None
    resource = unquote(path.lstrip("/")) + (f"?{unquote(query)}" if query else "")
    if not match["table"]:
        return ("query", resource) if re.search(r"(^|&)sql=", query) else None
    if match["row"]:
        return "row", resource
    return ("export" if match["format"] else "list"), resource


def without_blanks(path: str, query: bytes) -> bytes:
    """Return a ledger page's query without empty fields of its filter form, which would mean "is empty"."""
    if path.startswith("/-/") or b"=" not in query:
        return query
    return b"&".join(part for part in query.split(b"&") if not re.fullmatch(rb"[^=]*=", part))


async def _note_look(datasette: Any, scope: Scope) -> None:
    actor = scope["cunce"].get("actor")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    look = look_of(path, scope["query_string"].decode("latin-1"))
    if actor is None or look is None or scope["method"] != "GET":
        return
    accounts, (action, resource) = accounts_of(datasette), look
    await asyncio.to_thread(
        lambda: accounts.note(action, account=actor["id"], address=address_of(scope), resource=resource[:2000])
    )


def _is_local(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    host = re.sub(r":\d+$", "", headers.get(b"host", b"").decode("latin-1"))
    return host in _LOCAL and address_of(scope) in _LOCAL


def _is_from_elsewhere(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    return scope["method"] not in _SAFE and headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")


def _without_foreign_actor(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Drop Datasette's own actor cookie: it cannot be revoked, so nobody is anybody by it."""
    kept = []
    for key, value in headers:
        if key.lower() == b"cookie" and b"ds_actor" in value:
            cookies = [part for part in value.split(b";") if part.split(b"=")[0].strip().strip(b'"') != b"ds_actor"]
            kept.append((key, b";".join(cookies)))
        else:
            kept.append((key, value))
    return kept


def _with_ours(headers: list[tuple[bytes, bytes]], secure: bool) -> list[tuple[bytes, bytes]]:
    ours = {key for key, _ in HEADERS}
    kept = []
    for key, value in headers:
        if key.lower() == b"set-cookie":
            for attribute in (b"HttpOnly", *([b"Secure"] if secure else [])):
                if attribute.lower() not in value.lower():
                    value += b"; " + attribute  # noqa: PLW2901
        if key.lower() not in ours:
            kept.append((key, value))
    return [*kept, *HEADERS]


async def _refuse(send: Send) -> None:
    body = "此请求不是从本机页面发出的，已拒绝。 / Refused: not sent by a page of this station.".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
