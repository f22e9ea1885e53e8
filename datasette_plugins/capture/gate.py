"""The gate: a laptop's pages open only for whoever started the program on this machine."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote
from weakref import WeakKeyDictionary

from itsdangerous import BadSignature

from datasette_plugins.desk import desk_of
from datasette_plugins.ui.language import say

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ENTER = "/-/enter"
_NAMESPACE = "cunce_capture"
_KEPT_SECONDS = 30 * 24 * 3600


class Gate:
    """Admits by a one-time token, then by a cookie; whose host and site a request names is judged by the hub's gate.

    `closed`: set when a socket is opened; requests inside this process need no cookie before that. The cookie is
    signed with the station's own secret, so a page that is open while the program restarts goes on.
    """

    def __init__(self, datasette: Any) -> None:
        self.closed = False
        self._datasette = datasette
        self._tokens: set[str] = set()

    @property
    def cookie_name(self) -> str:
        """One name a station: ports don't part cookies, so those of two stations would overwrite each other."""
        return "cunce_" + "".join(letter for letter in str(desk_of(self._datasette).station.id) if letter.isalnum())

    def issue(self, token: str = "") -> str:
        """Close the gate and return a token that opens it once: a new one, or one that a page was told before."""
        self.closed = True
        token = token or secrets.token_urlsafe(24)
        self._tokens.add(token)
        return token

    def cookie(self) -> dict[str, str]:
        """Return a cookie that opens the gate, name -> value: for requests inside this process."""
        return {self.cookie_name: str(self._datasette.sign({"in": True}, _NAMESPACE))}

    def admits(self, headers: dict[str, str]) -> bool:
        """Tell whether a request's cookie was given out by this station."""
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie_name)
            return morsel is not None and bool(self._datasette.unsign(morsel.value, _NAMESPACE))
        except (BadSignature, CookieError):
            return False

    def redeem(self, token: str) -> bool:
        """Use up a token; False when there is none such (any more)."""
        for known in self._tokens:
            if secrets.compare_digest(known, token):
                self._tokens.discard(known)
                return True
        return False


_GATES: WeakKeyDictionary[Any, Gate] = WeakKeyDictionary()


def gate_of(datasette: Any) -> Gate:
    """Return the gate of a running Datasette."""
    gate = _GATES.get(datasette)
    if gate is None:
        gate = _GATES[datasette] = Gate(datasette)
    return gate


def guarded(app: App, gate: Gate) -> App:
    """Return `app` behind the gate."""

    async def guarded_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not gate.closed:
            await app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] == ENTER:
            await _enter(gate, scope, send, headers)
        elif gate.admits(headers):
            await app(scope, receive, send)
        else:
            await _refuse(send, headers)

    return guarded_app


async def _enter(gate: Gate, scope: Scope, send: Send, headers: dict[str, str]) -> None:
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    onward = query.get("next", ["/"])[0]
    if not onward.startswith("/") or onward.startswith(("//", "/\\")):
        onward = "/"
    if gate.redeem(query.get("token", [""])[0]):
        (name, value), *_ = gate.cookie().items()
        cookie = f"{name}={value}; Path=/; Max-Age={_KEPT_SECONDS}; HttpOnly; SameSite=Strict"
        # A redirect that follows a click elsewhere would not carry a Strict cookie: the page goes on by itself.
        page = _PASSING.format(onward=escape(quote(onward, safe="/?=&%-_.~")), title=escape(say("capture.title")))
        await _answer(send, 200, page, [(b"set-cookie", cookie.encode("latin-1"))])
    elif gate.admits(headers):
        await _answer(send, 303, "", [(b"location", quote(onward, safe="/?=&%-_.~").encode("latin-1"))])
    else:
        await _refuse(send, headers)


async def _refuse(send: Send, headers: dict[str, str]) -> None:
    if "application/json" in headers.get("content-type", ""):
        await _answer(send, 403, '{"ok": false, "locked": true}', [], "application/json")
        return
    both = [(say("capture.gate.title", language), say("capture.gate.why", language)) for language in ("zh", "en")]
    said = "".join(f"<h1>{escape(title)}</h1><p>{escape(why)}</p>" for title, why in both)
    await _answer(send, 403, _PAGE.format(title=escape(both[0][0]), said=said), [])


async def _answer(
    send: Send, status: int, body: str, headers: list[tuple[bytes, bytes]], kind: str = "text/html"
) -> None:
    data = body.encode("utf-8")
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [
            (b"content-type", f"{kind}; charset=utf-8".encode("latin-1")),
            (b"content-length", str(len(data)).encode("latin-1")),
            (b"cache-control", b"no-store"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            *headers,
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": data})


_PASSING = (
    '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
    '<meta http-equiv="refresh" content="0; url={onward}"><a href="{onward}">{title}</a></html>'
)
_PAGE = (
    '<!DOCTYPE html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title><style>'
    "body{{max-width:36em;margin:12vh auto;padding:0 20px;color:#1c2523;background:#f5f6f3;"
    'font:17px/1.7 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}}'
    "h1{{font-size:24px;margin:1.2em 0 .3em}}</style>{said}</html>"
)
