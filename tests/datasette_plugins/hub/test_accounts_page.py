"""The page of accounts: an administrator adds, disables and resets; nobody else does, and all of it is noted."""

from __future__ import annotations

import re

import httpx
import pytest

from collect.accounts import LoginError
from datasette_plugins.hub.people import accounts_of
from tests.datasette_plugins.hub.township import PASSWORD, A, B, Running


def send(client: httpx.Client, **fields: str | list[str]) -> httpx.Response:
    token = re.search(r'name="csrftoken" (?:value|content)="([^"]+)"', client.get("/-/logout").text)
    assert token is not None
    return client.post("/-/accounts", data={"csrftoken": token[1], **fields})


def password_on(page: str) -> str:
    found = re.search(r'<code class="password">([^<]+)</code>', page)
    assert found is not None
    return found[1]


def test_a_new_account_logs_in_with_the_password_shown_once(fresh: Running) -> None:
    with fresh.client("admin") as client:
        answer = send(client, do="add", name="wang", display="王芳", role="cadre", village=[A, B])
        password = password_on(answer.text)
        assert password not in client.get("/-/accounts").text
    accounts = accounts_of(fresh.datasette)
    who = accounts.who(accounts.log_in("wang", password, address=""))
    assert who is not None
    assert (who.display, who.villages) == ("王芳", (A, B))
    assert ("account added", "admin", "wang") in {(x.action, x.account, x.resource) for x in accounts.log()}
    assert password not in repr(accounts.log())


def test_resetting_ends_the_old_password_and_its_sessions(fresh: Running) -> None:
    with fresh.client("cadre_a") as cadre, fresh.client("admin") as client:
        password = password_on(send(client, do="reset", name="cadre_a").text)
        assert cadre.get("/").status_code == 302
    accounts = accounts_of(fresh.datasette)
    assert accounts.log_in("cadre_a", password, address="")
    with pytest.raises(LoginError):
        accounts.log_in("cadre_a", PASSWORD, address="")


def test_an_account_is_disabled_and_enabled(fresh: Running) -> None:
    with fresh.client("admin") as client:
        send(client, do="disable", name="cadre_a")
        assert accounts_of(fresh.datasette).get("cadre_a").disabled  # type: ignore[union-attr]
        send(client, do="enable", name="cadre_a")
        assert not accounts_of(fresh.datasette).get("cadre_a").disabled  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"do": "add", "name": "wang", "role": "cadre"}, "没有指定村"),
        ({"do": "add", "name": "wang", "role": "cadre", "village": "1"}, "代码为 1 的村"),
        ({"do": "add", "name": "admin", "role": "leader"}, "已经有了"),
        ({"do": "disable", "name": "admin"}, "最后一个能用的管理员"),
        ({"do": "reset", "name": "nobody"}, "没有账号"),
    ],
)
def test_mistakes_are_said_in_words_and_change_nothing(fresh: Running, fields: dict[str, str], said: str) -> None:
    before = accounts_of(fresh.datasette).all()
    with fresh.client("admin") as client:
        answer = send(client, **fields)
    assert said in answer.text
    assert accounts_of(fresh.datasette).all() == before


@pytest.mark.parametrize("name", ["reviewer", "leader", "cadre_a", ""])
def test_nobody_else_changes_accounts(fresh: Running, name: str) -> None:
    before = accounts_of(fresh.datasette).all()
    with fresh.client(name) as client:
        assert send(client, do="add", name="evil", role="administrator").status_code in (302, 403)
    assert accounts_of(fresh.datasette).all() == before
