"""Logging in and out, and the choice of language."""

from __future__ import annotations

import asyncio
from typing import Any

from datasette.utils.asgi import Response

from collect.accounts import LoginError
from datasette_plugins.hub.people import COOKIE, accounts_of, address_of, note
from datasette_plugins.ui.language import COOKIE as LANGUAGE_COOKIE
from datasette_plugins.ui.language import language_of
from forms.problems import LANGUAGES

_LONGEST_PASSWORD = 1024  # more would only make the hash slow
_YEAR = 365 * 24 * 3600


async def log_in(datasette: Any, request: Any) -> Any:
    """Show the login page (GET), or open a session and go where the person wanted to (POST)."""
    if request.method != "POST":
        if request.actor is not None:
            return Response.redirect(local(request.args.get("next")))
        return await _form(datasette, request, there=local(request.args.get("next")))
    fields = await request.post_vars()
    name, password, there = fields.get("name", "").strip(), fields.get("password", ""), local(fields.get("next"))
    accounts, address = accounts_of(datasette), address_of(request.scope)
    try:
        token = await asyncio.to_thread(
            lambda: accounts.log_in(name[:60], password[:_LONGEST_PASSWORD], address=address)
        )
    except LoginError as error:
        await note(datasette, request, "login refused", name[:60])
        return await _form(datasette, request, there=there, name=name[:60], problem=error.problems[0])
    await asyncio.to_thread(lambda: accounts.note("login", account=name, address=address))
    response = Response.redirect(there)
    response.set_cookie(
        COOKIE, token, path="/", httponly=True, samesite="lax", secure=request.scheme == "https"
    )
    return response


async def log_out(datasette: Any, request: Any) -> Any:
    """End the session at the server (POST); a GET shows the page that asks."""
    if request.method != "POST":
        return Response.html(await datasette.render_template("cunce_logout.html", {}, request=request))
    token = request.cookies.get(COOKIE, "")
    if request.actor is not None:
        await asyncio.to_thread(accounts_of(datasette).log_out, token)
        await note(datasette, request, "logout")
    response = Response.redirect(datasette.urls.path("/-/login"))
    response.set_cookie(COOKIE, "", path="/", max_age=0, expires=0, httponly=True, samesite="lax")
    return response


async def choose_language(request: Any) -> Any:
    """Keep the language asked for in a cookie and go back to the page."""
    wish = request.args.get("to")
    response = Response.redirect(local(request.args.get("next")))
    if wish in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, wish, path="/", max_age=_YEAR, httponly=True, samesite="lax")
    return response


def local(address: str | None) -> str:
    """Return an address to go on to if it is a path of this server, else the home page."""
    there = address or "/"
    # Browsers read a backslash as a slash: "/\\evil.example" would leave this server.
    if not there.startswith("/") or there.startswith("//") or "\\" in there or not there.isprintable():
        return "/"
    return there


async def _form(datasette: Any, request: Any, **context: Any) -> Any:
    problem = context.get("problem")
    context["words"] = problem.words(language_of(request)).rpartition(" [")[0] if problem else ""
    body = await datasette.render_template("cunce_login.html", context, request=request)
    return Response.html(body, status=401 if problem else 200)
