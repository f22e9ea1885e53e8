"""The gate: headers of every answer, refusal of foreign requests, and what is noted of looks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
import yaml
from datasette.app import Datasette

from collect.station import Station
from datasette_plugins import serving
from datasette_plugins.hub import conflicts
from datasette_plugins.hub.gate import look_of, without_blanks
from datasette_plugins.hub.people import accounts_of
from tests.datasette_plugins.hub.township import PASSWORD, A, Running

PAGES = ("/", "/township/household", "/township/household.json", "/township/household.csv", "/nowhere", "/-/login",
         "/-/static/app.css", "/-/static-plugins/cunce/cunce.css", "/-/exchange/pull", "/township.db")  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_every_answer_carries_the_security_headers_once(township: Running, address: str) -> None:
    with township.client("admin") as client:
        headers = client.get(address).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in re.search(r"script-src[^;]*", headers["content-security-policy"])[0]  # type: ignore[index]
    once = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer"}
    for name, value in once.items():
        assert headers.get_list(name) == [value]


def test_no_page_carries_an_inline_script_or_an_address_elsewhere(township: Running) -> None:
    record = township.ids[A][0]
    with township.client("admin") as client:
        for address in (
            "/", "/township", "/township/household?_facet=household_type", f"/township/household/{record}",
            "/township?sql=select+1", "/-/queue", "/-/laptops", "/-/accounts", "/-/log", "/-/metadata", "/nowhere",
        ):  # fmt: skip
            text = client.get(address).text
            assert not re.search(r"<script(?![^>]*\ssrc=)", text), address
            assert not re.search(r"\son\w+=", text), address
            found = re.findall(r'(?:src|href|action)="(https?:[^"]*)"', text)
            assert not [link for link in found if not link.startswith(township.url)], address


def test_pages_about_people_are_never_kept_by_a_cache(township: Running) -> None:
    with township.client("admin") as client:
        assert client.get("/township/household").headers["cache-control"] == "private, no-store"


def test_a_post_from_another_site_is_refused(township: Running) -> None:
    with township.client("admin") as client:
        for site in ("cross-site", "same-site"):
            assert client.post("/-/queue", headers={"sec-fetch-site": site}).status_code == 403


def test_a_look_at_a_row_and_an_export_stand_in_the_log(fresh: Running) -> None:
    record = fresh.ids[A][0]
    with fresh.client("cadre_a") as client:
        client.get(f"/{A}/household/{record}")
        client.get(f"/{A}/household.csv?_stream=on")
        client.get(f"/-/export/{A}/household.xlsx")
        client.get("/township/household")
        client.get("/")
    found = [(line.action, line.account, line.resource) for line in reversed(accounts_of(fresh.datasette).log())]
    assert found == [
        ("row", "cadre_a", f"{A}/household/{record}"),
        ("export", "cadre_a", f"{A}/household.csv?_stream=on"),
        ("export", "cadre_a", f"{A}/household.xlsx"),
    ]


def test_a_fault_of_ours_is_a_page_in_words_without_a_traceback(
    township: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(station: Station) -> None:
        raise RuntimeError("赤大0 cannot be read")

    monkeypatch.setattr(conflicts, "_read", broken)
    with township.client("reviewer") as client:
        answer = client.get("/-/queue")
        data = client.get("/-/queue", headers={"accept": "application/json"})
    assert (answer.status_code, data.status_code) == (500, 500)
    assert "系统出错了" in answer.text
    assert "cannot be read" not in answer.text + data.text
    assert "Traceback" not in answer.text + data.text


@pytest.mark.parametrize(
    ("path", "query", "look"),
    [
        ("/", "", None),
        ("/-/queue", "", None),
        ("/township", "", None),
        ("/township.json", "", None),
        ("/township", "sql=select+1", ("query", "township?sql=select+1")),
        ("/township/household", "", ("list", "township/household")),
        ("/township/household", "head_name=%E5%BC%A0", ("list", "township/household?head_name=张")),
        ("/township/household.json", "", ("export", "township/household.json")),
        ("/township/household.csv", "", ("export", "township/household.csv")),
        ("/township/household/01a", "", ("row", "township/household/01a")),
        ("/township/household/01a.json", "", ("row", "township/household/01a.json")),
    ],
)
def test_what_counts_as_a_look(path: str, query: str, look: tuple[str, str] | None) -> None:
    assert look_of(path, query) == look


def test_empty_fields_of_the_filter_form_are_no_conditions() -> None:
    assert without_blanks("/township/household", b"_q=&house_grade=&village=1") == b"village=1"
    assert without_blanks("/-/log", b"account=&action=row") == b"account=&action=row"


async def _ask(datasette: Datasette, address: str, host: str, client: str) -> int:
    transport = httpx.ASGITransport(app=datasette.app(), client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as asking:
        return (await asking.get(address)).status_code


@pytest.mark.parametrize(
    ("host", "client", "status"),
    [
        ("127.0.0.1:8765", "127.0.0.1", 200),
        ("localhost:8765", "127.0.0.1", 200),
        ("evil.example:8765", "127.0.0.1", 403),
        ("127.0.0.1:8765", "10.0.0.7", 403),
    ],
)
def test_a_laptop_answers_only_its_own_machine_under_its_own_name(
    tmp_path_factory: pytest.TempPathFactory, host: str, client: str, status: int
) -> None:
    with Station.create(tmp_path_factory.mktemp("laptop") / "st", name="笔记本", villages={A: "红星村"}) as station:
        datasette = serving.build(station, mode="laptop")
        assert asyncio.run(_ask(datasette, "/township", host, client)) == status
        serving.close(datasette)


def test_any_other_datasette_is_left_alone() -> None:
    async def ask() -> tuple[int, str, str]:
        datasette = Datasette(memory=True)
        await datasette.invoke_startup()
        answer = await datasette.client.get("/_memory")
        return answer.status_code, answer.headers.get("content-security-policy", ""), answer.text

    status, policy, text = asyncio.run(ask())
    assert (status, policy) == (200, "")
    assert "村册" not in text


def test_under_tls_every_cookie_is_secure_and_closed_to_scripts(township: Running) -> None:
    async def ask() -> list[str]:
        transport = httpx.ASGITransport(app=township.datasette.app())
        async with httpx.AsyncClient(transport=transport, base_url="https://hub.example") as client:
            page = await client.get("/-/login")
            token = re.search(r'name="csrftoken" value="([^"]+)"', page.text)
            assert token is not None
            fields = {"csrftoken": token[1], "name": "leader", "password": PASSWORD}
            done = await client.post("/-/login", data=fields)
            return [*page.headers.get_list("set-cookie"), *done.headers.get_list("set-cookie")]

    cookies = asyncio.run(ask())
    assert {cookie.split("=")[0] for cookie in cookies} >= {"ds_csrftoken", "cunce_session"}
    assert all("; secure" in cookie.lower() and "; httponly" in cookie.lower() for cookie in cookies)


def test_the_shipped_metadata_keeps_strangers_out_even_without_our_plugins(township: Running) -> None:
    metadata = yaml.safe_load((Path(__file__).parents[3] / "metadata.yml").read_text(encoding="utf-8"))

    async def ask(address: str) -> int:
        datasette = Datasette([str(township.folder / "township.db")], metadata=metadata)
        answer = await datasette.client.get(address)
        for database in datasette.databases.values():
            database.close()
        return int(answer.status_code)

    for address in ("/", "/township", "/township/household.json", "/township?sql=select+1"):
        assert asyncio.run(ask(address)) == 403, address
