"""The routes of data entry over a real socket: who gets in, what is refused, and that nothing is half done."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from collect.station import Station
from tests.browser.conftest import VILLAGES, Served

HEADERS = {"X-Cunce": "capture", "Content-Type": "application/json"}
CHANGE, SAVE = "/-/capture/-/change", "/-/capture/-/save"
BASIC = "/data/household_basic"
ADDING = {"op": "add", "ref": "/data/member", "count": 1}


@pytest.fixture
def served(folder: Path, serve: Callable[[Path], Served]) -> Served:
    return serve(folder)


@pytest.fixture
def inside(running: tuple[Served, httpx.Cookies]) -> Iterator[httpx.Client]:
    """A client that came in by the printed address."""
    served, cookies = running
    with httpx.Client(base_url=served.url, cookies=cookies, trust_env=False) as client:
        yield client


def begin(client: httpx.Client, form: str = "household") -> dict[str, Any]:
    """Open a new form and return the key of its draft."""
    answer = client.get(f"/-/capture/{form}")
    assert answer.status_code == 303
    return {"draft": answer.headers["location"].partition("draft=")[2].partition("&")[0], "form": form, "counter": 0}


def setting(ref: str, value: object) -> dict[str, object]:
    return {"op": "set", "ref": ref, "value": value}


def send(client: httpx.Client, path: str, body: object, **headers: str) -> httpx.Response:
    return client.post(path, json=body, headers={**HEADERS, **headers})


def test_nobody_gets_in_without_the_printed_address(served: Served) -> None:
    address = served.start()
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        for path in ("/", "/township", "/-/capture/household", "/-/static/app.css", "/-/enter?token=wrong"):
            answer = client.get(path)
            assert answer.status_code == 403, path
            assert "请从程序给出的网址进入" in answer.text
        assert send(client, CHANGE, {}).status_code == 403
        assert client.get(address).status_code == 200
        assert client.get("/").status_code == 200
    with httpx.Client(base_url=served.url, trust_env=False) as other:
        assert other.get(address).status_code == 403  # it works once


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Served) -> None:
    address = served.start()
    cookie = httpx.get(address, trust_env=False).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_the_way_in_leads_nowhere_else(served: Served) -> None:
    answer = httpx.get(served.start() + "&next=//example.org/", trust_env=False)
    assert "example.org" not in answer.text


def test_other_hosts_names_and_other_sites_are_refused(inside: httpx.Client) -> None:
    assert inside.get("/", headers={"Host": "example.org"}).status_code == 403
    key = begin(inside)
    body = {**key, "changes": [setting(f"{BASIC}/head_name", "陈秀英")]}
    assert send(inside, CHANGE, body, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert inside.post(CHANGE, json=body).status_code == 400  # without the header only our script sends
    assert inside.post(CHANGE, data={"draft": "x"}, headers={"X-Cunce": "capture"}).status_code == 400
    assert send(inside, CHANGE, body).status_code == 200


def test_pages_carry_no_inline_script_and_forbid_it(inside: httpx.Client) -> None:
    for path in ("/", "/-/capture/household"):
        answer = inside.get(path, follow_redirects=True)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "no-store" in answer.headers["cache-control"]
        for tag in answer.text.split("<script")[1:]:
            assert "src=" in tag.partition(">")[0] or 'type="application/json"' in tag.partition(">")[0]


BAD = [
    {},
    [],
    {"draft": "x", "form": "household", "counter": 0, "changes": []},
    {"counter": "none"},
    {"changes": [{"op": "set"}]},
    {"changes": [{"op": "fly"}]},
    {"changes": [setting("/data/nowhere", "1")]},
    {"changes": [setting("/data/member", "1")]},
    {"changes": [setting(f"{BASIC}/head_name", ["a"])]},
    {"changes": [{"op": "add", "ref": f"{BASIC}/head_name", "count": 0}]},
    {"changes": [{"op": "remove", "ref": "/data/member[9]", "repeat": "/data/member", "count": 1}]},
    {"form": "no_such_form"},
]


@pytest.mark.parametrize("bad", BAD)
def test_what_no_page_of_ours_sends_is_refused_and_changes_nothing(inside: httpx.Client, bad: Any) -> None:
    key = begin(inside)
    body = {**key, "changes": [], **bad} if isinstance(bad, dict) and bad and "draft" not in bad else bad
    answer = send(inside, CHANGE, body)
    assert answer.status_code == 400, answer.text
    assert "Traceback" not in answer.text
    drafts = inside.get("/").text
    assert "nonsense" not in drafts
    assert key["draft"] not in drafts


def test_what_is_not_json_is_refused(inside: httpx.Client) -> None:
    assert inside.post(CHANGE, content=b"{", headers=HEADERS).status_code == 400
    assert inside.get(CHANGE).status_code == 405


def test_unknown_pages_say_so(inside: httpx.Client) -> None:
    assert inside.get("/-/capture/no_such_form").status_code == 404
    assert inside.get("/-/capture/household/no-such-record", follow_redirects=True).status_code == 404
    assert inside.get("/-/capture/household?draft=nonsense").status_code == 404
    assert inside.get("/-/capture/-/saved/household/no-such-record").status_code == 404


def test_an_answer_that_got_lost_is_asked_for_again(inside: httpx.Client) -> None:
    key = begin(inside)
    body = {**key, "changes": [setting(f"{BASIC}/head_name", "陈秀英"), ADDING]}
    first = send(inside, CHANGE, body).json()
    again = send(inside, CHANGE, body)
    assert again.status_code == 200
    assert again.json()["counter"] == first["counter"] == 1
    assert again.json()["focus"] == "/data/member[2]"
    other = {**key, "changes": [setting(f"{BASIC}/head_name", "李小军")]}
    assert send(inside, CHANGE, other).status_code == 409


def test_a_lost_answer_is_told_from_another_window_even_after_a_power_cut(served: Served) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(served.start())
        client.base_url = served.url
        key = begin(client)
        body = {**key, "changes": [setting(f"{BASIC}/head_name", "陈秀英"), ADDING]}
        assert send(client, CHANGE, body).status_code == 200
        served.kill()
        served.start()
        client.base_url = served.url
        again = send(client, CHANGE, body)  # the cookie goes on counting, too
        assert again.status_code == 200
        assert again.json()["counter"] == 1
        assert len(again.json()["views"]) > 20  # the page is told everything anew


def test_saving_twice_makes_one_record_even_after_a_power_cut(served: Served) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(served.start())
        client.base_url = served.url
        key = begin(client)
        changes = [
            setting(f"{BASIC}/village", VILLAGES[0][0]),
            setting(f"{BASIC}/head_name", "陈秀英"),
            setting("/data/member[1]/name", "陈秀英"),
        ]
        counter = send(client, CHANGE, {**key, "changes": changes}).json()["counter"]
        first = send(client, SAVE, {**key, "counter": counter}).json()["saved"]
        assert send(client, SAVE, {**key, "counter": counter}).json()["saved"] == first
        served.kill()
        served.start()
        client.base_url = served.url
        assert send(client, SAVE, {**key, "counter": counter}).json()["saved"] == first
        assert client.get(first).status_code == 200
        late = send(client, CHANGE, {**key, "changes": changes})
        assert late.json().get("saved") == first
    with Station.open(served.folder, readonly=True) as station:
        assert len(station.find("陈秀英", table="household")) == 1


def test_missing_answers_are_told_all_at_once(inside: httpx.Client) -> None:
    key = begin(inside)
    assert inside.get(f"/-/capture/household?draft={key['draft']}").status_code == 200
    answer = send(inside, SAVE, key).json()
    wrong = {view["ref"] for view in answer["views"] if view.get("problem")}
    assert wrong == {f"{BASIC}/village", f"{BASIC}/head_name", "/data/member[1]/name"}


def test_a_taken_port_is_passed_over_and_said(folder: Path, serve: Callable[[Path], Served]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        served = serve(folder)
        served.port = port = taken.getsockname()[1]
        served.start()
        assert served.port != port
        assert f"端口 {port} 已被占用" in "".join(served.lines)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows delivers Ctrl+C to a whole console only")
def test_ctrl_c_ends_it_cleanly(served: Served) -> None:
    served.start()
    assert served.process is not None
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(10) == 0
    assert served.process.stdout is not None
    served.process.stdout.close()
    served.process = None
