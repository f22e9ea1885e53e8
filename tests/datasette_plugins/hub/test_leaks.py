"""Every route as every role, over real HTTP: nothing of a village outside a role's scope is in any answer."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import httpx
import pytest

from tests.datasette_plugins.hub.township import MARKS, PEOPLE, A, B, C, Running

# Where a condition makes no sense, Datasette drops a coroutine of its own unawaited.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'TableView:RuntimeWarning")

SCOPES: dict[str, set[str]] = {
    "": set(), "admin": {A, B, C}, "reviewer": {A, B, C}, "leader": {A, B, C}, "leader_of_b": {B}, "cadre_a": {A},
    "cadre_ab": {A, B},
}  # fmt: skip
TOWNSHIP_ROLES = {"admin", "reviewer", "leader"}
TABLES = ("household", "household_member", "household_labels", "left_behind_labels", "conflict", "_search", "_choice",
          "_village_name", "_slice")  # fmt: skip
LISTS = (
    "", ".json", ".json?_shape=array&_labels=on", ".csv", ".csv?_stream=on&_size=max",
    "?_facet=village&_facet=group_name",
    "?_q=" + quote("大"), "?_search=" + quote("大"), "?_where=1=1", "?_sort_desc=_id&_all=1", ".json?_facet_array=note",
    "?note__contains=" + quote("落石"), ".jsono", ".blob?_blob_column=name", "?_nocol=note&_size=1",
    "?_fts_table=_search&_search=x", '?_through={"table":"household_member","column":"name","value":"x"}',
)  # fmt: skip
OWN = (
    "/", "/.json", "/-/queue", "/-/suspects", "/-/failing", "/-/parked", "/-/quarantine", "/-/laptops", "/-/accounts",
    "/-/log", "/-/login", "/-/logout", "/-/language?to=en",
    "/-/metadata.json", "/-/databases.json", "/-/threads", "/-/plugins.json", "/-/versions", "/-/settings",
    "/-/actor.json", "/-/permissions", "/-/messages", "/-/allow-debug", "/-/patterns", "/-/auth-token?token=x",
    "/-/config", "/-/exchange/pull",
    "/-/static/app.css", "/-/static-plugins/cunce/cunce.css", "/favicon.ico", "/robots.txt", "/nowhere", "/_internal",
    "/_internal.json", "/_internal/tables", "/_memory", "/:memory:",
)  # fmt: skip


def addresses(served: Running) -> Iterator[tuple[str, str]]:
    """(database it is about, address) of everything a visitor might type."""
    for address in OWN:
        yield "", address
    for database in ("township", A, B, C):
        sql = quote("select * from household")
        for end in ("", ".json", ".db", f"?sql={sql}", f".json?sql={sql}", f".csv?sql={sql}", ".json?_show_hidden=1"):
            yield database, f"/{database}{end}"
        for form in ("household", "left_behind"):
            yield database, f"/-/export/{database}/{form}.xlsx"
        for table in TABLES:
            for end in LISTS if table == "household" else ("", ".json", ".csv"):
                yield database, f"/{database}/{table}{end}"
        for village, records in served.ids.items():
            for end in ("", ".json", ".json?_extras=foreign_key_tables"):
                yield database, f"/{database}/household/{records[0]}{end}"
            yield database, f"/{database}/household?_id__exact={records[0]}"
            yield database, f"/{database}/household?village={village}"


def text_of(response: httpx.Response) -> str:
    """All an answer says; a workbook is unpacked."""
    if response.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(response.content)) as book:
            return unescape("".join(book.read(name).decode("utf-8", "replace") for name in book.namelist()))
    if "json" in response.headers.get("content-type", ""):
        return json.dumps(response.json(), ensure_ascii=False)
    return response.text


def leaked(response: httpx.Response, scope: set[str]) -> list[str]:
    text = text_of(response) + "".join(f"{key}: {value}\n" for key, value in response.headers.items())
    return [village for village, mark in MARKS.items() if village not in scope and mark in text]


@pytest.mark.parametrize("name", ["", "admin", "leader_of_b", "cadre_a", "cadre_ab"])
def test_nothing_outside_a_scope_is_in_any_answer(township: Running, name: str) -> None:
    scope, allowed = SCOPES[name], 0
    with township.client(name) as client:
        for database, address in addresses(township):
            response = client.get(address)
            assert response.status_code < 500, address
            assert not leaked(response, scope), address
            mine = database in scope or (database == "township" and name in TOWNSHIP_ROLES)
            if database and not mine:
                assert response.status_code in (302, 403, 404), address
            allowed += bool(database) and response.status_code == 200
    assert bool(allowed) == bool(scope)


@pytest.mark.parametrize("name", ["cadre_a", "leader_of_b", "cadre_ab"])
def test_links_never_lead_out_of_the_scope(township: Running, name: str) -> None:
    scope, seen, waiting = SCOPES[name], set[str](), ["/"]
    with township.client(name) as client:
        while waiting and len(seen) < 90:
            address = waiting.pop(0)
            seen.add(address)
            response = client.get(address)
            assert response.status_code == 200, address
            assert not leaked(response, scope), address
            links = re.findall(r'(?:href|src)="(/[^"#]*)"', response.text)
            waiting += [
                link.replace("&amp;", "&")
                for link in dict.fromkeys(links)
                if link.replace("&amp;", "&") not in {*seen, *waiting} and "/-/lang" not in link
            ]
    assert any(address.startswith(f"/{min(scope)}/household/") for address in seen)
    assert not [address for address in seen for village in MARKS if village not in scope and village in address]


def test_the_walk_would_see_a_leak(township: Running) -> None:
    with township.client("admin") as client:
        for address in ("/township/household", f"/{B}/household.json", f"/-/export/{C}/household.xlsx", "/-/queue"):
            assert leaked(client.get(address), set()), address


@pytest.mark.parametrize(
    ("address", "roles"),
    [
        ("/-/queue", {"admin", "reviewer"}),
        ("/-/failing", {"admin", "reviewer"}),
        ("/-/parked", {"admin", "reviewer"}),
        ("/-/quarantine", {"admin", "reviewer"}),
        ("/-/laptops", {"admin", "reviewer"}),
        ("/-/accounts", {"admin"}),
        ("/-/log", {"admin"}),
        ("/-/metadata.json", {"admin"}),
        ("/-/databases.json", {"admin"}),
        ("/-/threads", {"admin"}),
        ("/-/plugins", {"admin"}),
        ("/township?sql=select+1", {"admin"}),
        (f"/{A}?sql=select+1", {"admin"}),
        ("/-/permissions", set()),
        ("/-/patterns", set()),
        ("/-/auth-token", set()),
        ("/township.db", set()),
        (f"/{A}.db", set()),
        ("/_internal", set()),
    ],
)
def test_who_may_open_what(township: Running, address: str, roles: set[str]) -> None:
    for name in ["", *PEOPLE]:
        with township.client(name) as client:
            opened = client.get(address).status_code == 200
        assert opened == (name in roles), name


def test_the_secret_of_the_station_is_in_no_answer(township: Running) -> None:
    secret = json.loads((township.folder / "secrets.json").read_text(encoding="utf-8"))["datasette"]
    with township.client("admin") as client:
        for address in OWN:
            assert secret not in client.get(address).text, address


def test_datasettes_own_actor_cookie_makes_nobody_somebody(township: Running) -> None:
    signed = township.datasette.sign({"a": {"id": "root", "role": "administrator", "township": True}}, "actor")
    with township.client() as client:
        response = client.get("/township/household", headers={"cookie": f"ds_actor={signed}"})
    assert response.status_code == 302
