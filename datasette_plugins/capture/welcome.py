"""The first page of a folder that is no station yet: join with an invitation, restore from a backup, or practise."""

from __future__ import annotations

import asyncio
import mimetypes
import re
import secrets
import socket
from functools import partial
from http.cookies import CookieError, SimpleCookie
from importlib import resources
from pathlib import Path
from typing import Any

from datasette.utils.asgi import Request, Response
from jinja2 import Environment, PackageLoader

from collect.backup import Kept, copies, restore
from collect.station import Station
from datasette_plugins.capture.gate import ENTER, Gate, Receive, Scope, Send, guarded
from datasette_plugins.capture.practice import Practising
from datasette_plugins.capture.syncing import sticks
from datasette_plugins.ui import STATIC
from datasette_plugins.ui.language import language_of, say
from forms.problems import CunceError

_HOSTS = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
_HEADERS = {
    "cache-control": "no-store", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
                               "base-uri 'none'; frame-ancestors 'none'",
}  # fmt: skip


def is_new(folder: Path) -> bool:
    """Tell whether a folder is not there or empty: one that may become a station."""
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


class _Door(Gate):
    """The gate of a page that has no station, and so no secret of one: its cookie holds until the program ends."""

    cookie_name = "cunce_welcome"

    def __init__(self) -> None:
        super().__init__(None)
        self._secret = secrets.token_urlsafe(24)

    def cookie(self) -> dict[str, str]:
        """Return the cookie that opens it."""
        return {self.cookie_name: self._secret}

    def admits(self, headers: dict[str, str]) -> bool:
        """Tell whether a request's cookie was given out by this program."""
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie_name)
        except CookieError:
            return False
        return morsel is not None and secrets.compare_digest(morsel.value, self._secret)


class Welcome:
    """Serves the page until the folder is a station; `onward`: the token that then opens the station's pages."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.onward = folder, ""
        self.door = _Door()
        self.app = guarded(self._answer, self.door)
        self._form_token = secrets.token_urlsafe(24)
        self._practice = Practising()
        self._busy = asyncio.Lock()
        self._server: Any = None
        self._pages = Environment(loader=PackageLoader("datasette_plugins.ui", "templates"), autoescape=True)

    def serve(self, listening: socket.socket, token_told: Any) -> str:
        """Serve on a socket, which stays open, until there is a station; return `onward`, "" when interrupted first.

        `token_told`: called with the token that opens the page, before requests are answered.
        """
        import uvicorn

        token_told(self.door.issue())
        config = uvicorn.Config(self.app, log_level="warning", server_header=False, lifespan="off")
        self._server = uvicorn.Server(config)
        try:
            self._server.run(sockets=[listening.dup()])
        finally:
            self._practice.end()
        return self.onward

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if not _HOSTS.fullmatch(request.headers.get("host", "")):
            await Response.text("", status=403, headers=_HEADERS).asgi_send(send)
            return
        await (await self._response(request)).asgi_send(send)
        if self.onward and self._server is not None:
            self._server.should_exit = True

    async def _response(self, request: Any) -> Any:
        path, do = request.path, {"/join": self._join, "/restore": self._restore, "/practice": self._practise}
        if path.startswith(STATIC):
            return _asset(path.removeprefix(STATIC))
        if request.method != "POST" or path not in do:
            return self._page(request) if path == "/" else Response.redirect("/", status=303)
        fields = {name: str(value).strip() for name, value in (await request.post_vars()).items()}
        if not secrets.compare_digest(fields.get("token", "").encode(), self._form_token.encode()):
            return Response.text("", status=403, headers=_HEADERS)
        try:
            async with self._busy:  # a second press waits, and finds the station there
                return self._done(request, ()) if self.onward else await do[path](request, fields)
        except (CunceError, OSError) as error:
            language = language_of(request)
            known = [each.words(language) for each in error.problems] if isinstance(error, CunceError) else [str(error)]
            return self._page(request, problems=known, given=fields, failed=path)

    async def _join(self, request: Any, fields: dict[str, str]) -> Any:
        from sync.identity import read_invitation
        from sync.joining import join

        joined = await asyncio.to_thread(lambda: join(self.folder, read_invitation(fields.get("invitation", ""))))
        if fields.get("author"):
            await asyncio.to_thread(self._named, fields["author"])
        language = language_of(request)
        said = say("welcome.joined", language, name=joined.hub.name)
        notes = [said, *(each.words(language) for each in joined.later)]
        return self._done(request, notes, wait=bool(joined.later) or not joined.ready)

    def _named(self, author: str) -> None:
        with Station.open(self.folder) as station:
            station.set_author(author)

    async def _restore(self, request: Any, fields: dict[str, str]) -> Any:
        chosen = Path(fields.get("file", ""))
        put = partial(restore, chosen, self.folder, passphrase=fields.get("passphrase", ""))
        back, language = await asyncio.to_thread(put), language_of(request)
        notes = [say("welcome.restored", language, name=back.name)]
        if back.waits:
            notes.append(say("welcome.waits", language))
        return self._done(request, notes, wait=back.waits)

    async def _practise(self, request: Any, fields: dict[str, str]) -> Any:
        return self._page(request, practice=await asyncio.to_thread(self._practice.address))

    def _done(self, request: Any, notes: Any, *, wait: bool = False) -> Any:
        """The last page, which leads to the station's own: at once, or by a press where there is something to read."""
        self.onward = self.onward or secrets.token_urlsafe(24)
        return self._page(request, onward=f"{ENTER}?token={self.onward}", notes=notes, wait=wait)

    def _page(self, request: Any, **context: Any) -> Any:
        language, given = language_of(request), context.pop("given", {})
        place = str(given.get("from") or request.args.get("from") or "").strip()
        html = self._pages.get_template("capture/welcome.html").render(
            t=lambda key, **slots: say(key, language, **slots), static=lambda name: STATIC + name, lang=language,
            token=self._form_token, folder=self.folder, given=given, place=place, copies=_copies(place), **context,
        )  # fmt: skip
        return Response.html(html, headers=_HEADERS)


def _copies(place: str) -> list[dict[str, Any]]:
    """The copies in a place, or where none is named on the sticks that are there now, newest first."""
    found: list[Kept] = []
    for folder in [Path(place)] if place else [Path(stick) for stick in sticks()]:
        try:
            found += copies(folder)
        except CunceError:
            continue  # a stick that cannot be read holds nothing to choose
    return [
        {"path": str(kept.path), "name": kept.path.name, "at": f"{kept.at:%Y-%m-%d %H:%M}",
         "size": kept.size // 1000 + 1, "sealed": kept.sealed}
        for kept in sorted(found, key=lambda kept: kept.at, reverse=True)
    ]  # fmt: skip


def _asset(name: str) -> Any:
    """One of our own stylesheets or pictures; kept by the browser, for the last page is shown when this has ended."""
    known = {file.name: file for file in resources.files("datasette_plugins.ui").joinpath("static").iterdir()}
    if name not in known:
        return Response.text("", status=404, headers=_HEADERS)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {**_HEADERS, "cache-control": "private, max-age=600"}
    return Response(known[name].read_bytes(), content_type=kind, headers=headers)
