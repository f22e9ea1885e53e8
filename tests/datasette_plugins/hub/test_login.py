"""The login over real HTTP: cookies, throttling, CSRF, where one goes afterwards, and how it ends."""

from __future__ import annotations

import re

import httpx
import pytest

from collect.accounts import FAILURES_OF_ACCOUNT
from datasette_plugins.hub.login import local
from datasette_plugins.hub.people import accounts_of
from tests.datasette_plugins.hub.township import PASSWORD, A, Running


def log_in(client: httpx.Client, name: str, password: str = PASSWORD, there: str = "/") -> httpx.Response:
    page = client.get("/-/login", params={"next": there})
    token = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
    assert token is not None
    return client.post("/-/login", data={"csrftoken": token[1], "name": name, "password": password, "next": there})


def test_a_login_leads_back_to_the_page_that_was_asked_for(fresh: Running) -> None:
    with fresh.client() as client:
        asked = client.get(f"/{A}/household?_sort=head_name")
        assert asked.status_code == 302
        form = client.get(asked.headers["location"])
        assert "登录" in form.text
        there = httpx.URL(asked.headers["location"]).params["next"]
        done = log_in(client, "cadre_a", there=there)
        assert (done.status_code, done.headers["location"]) == (302, f"/{A}/household?_sort=head_name")
        assert client.get(done.headers["location"]).status_code == 200


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(fresh: Running) -> None:
    with fresh.client() as client:
        done = log_in(client, "cadre_a")
    cookie = next(value for value in done.headers.get_list("set-cookie") if value.startswith("cunce_session="))
    assert "HttpOnly" in cookie
    assert re.search("samesite=lax", cookie, re.IGNORECASE)
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # plain HTTP: a browser would drop it


def test_logging_out_ends_the_session_at_the_server(fresh: Running) -> None:
    with fresh.client() as client:
        log_in(client, "cadre_a")
        stolen = client.cookies["cunce_session"]
        page = client.get("/-/logout")
        token = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
        assert token is not None
        assert client.post("/-/logout", data={"csrftoken": token[1]}).status_code == 302
        assert client.get("/").status_code == 302
    with fresh.client() as thief:
        assert thief.get("/", headers={"cookie": f"cunce_session={stolen}"}).status_code == 302


def test_a_disabled_account_is_out_at_once(fresh: Running) -> None:
    with fresh.client("cadre_a") as client:
        assert client.get("/").status_code == 200
        accounts_of(fresh.datasette).change("cadre_a", disabled=True)
        assert client.get("/").status_code == 302


@pytest.mark.parametrize("name", ["cadre_a", "nobody"])
def test_a_wrong_password_says_the_same_for_any_name(fresh: Running, name: str) -> None:
    with fresh.client() as client:
        refused = log_in(client, name, "wrong-password")
    assert refused.status_code == 401
    assert "账号或密码不对" in refused.text
    assert "wrong-password" not in refused.text
    assert "set-cookie" not in {key.lower() for key in refused.headers} or "cunce_session" not in str(refused.headers)


def test_too_many_attempts_have_to_wait(fresh: Running) -> None:
    with fresh.client() as client:
        for _ in range(FAILURES_OF_ACCOUNT):
            log_in(client, "cadre_a", "wrong-password")
        refused = log_in(client, "cadre_a")
        assert refused.status_code == 401
        assert "尝试次数太多" in refused.text


def test_a_login_without_the_forms_token_is_refused(fresh: Running) -> None:
    with fresh.client() as client:
        client.get("/-/login")  # the token's cookie is there, as in a browser
        refused = client.post("/-/login", data={"name": "cadre_a", "password": PASSWORD})
    assert refused.status_code == 403


def test_logins_stand_in_the_audit_log_without_passwords(fresh: Running) -> None:
    with fresh.client() as client:
        log_in(client, "cadre_a", "wrong-password")
        log_in(client, "cadre_a")
    lines = accounts_of(fresh.datasette).log()
    assert [(line.action, line.account or line.resource) for line in lines][:2] == [
        ("login", "cadre_a"), ("login refused", "cadre_a"),
    ]  # fmt: skip
    assert "wrong-password" not in repr(lines)
    assert lines[0].address == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "goes"),
    [
        ("/township", "/township"),
        ("/a?b=c", "/a?b=c"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x=y", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_one_is_only_sent_on_within_this_server(given: str | None, goes: str) -> None:
    assert local(given) == goes
