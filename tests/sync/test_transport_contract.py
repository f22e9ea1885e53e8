"""What every road must do, asked of each: a folder, a bare server, and the real hub over HTTP on 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from collect.peers import Peers
from collect.station import Station
from datasette_plugins import serving as datasette_serving
from sync.bundle import Bundle, write_bundle
from sync.exchange import Outcome, Progress, outgoing, run
from sync.identity import make_invitation, read_invitation, token_of
from sync.joining import join
from sync.serving import answer
from sync.stick import attend
from sync.transport import Refused, Transport, TransportBusyError, TransportError
from sync.transport.folder import FolderTransport
from sync.transport.http import HttpTransport
from tests.sync.township import EAST, MovableClock, closing_of, hub_row, ledger, make_hub, make_laptop, opened_of, save


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve an ASGI application on a free port and yield its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(application, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def bare(hub: Station) -> Any:
    """The smallest server: `sync.serving` and nothing else."""

    async def application(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        endpoint = scope["path"].removeprefix("/-/exchange/")
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode()
        response = await asyncio.to_thread(answer, hub, endpoint, authorization, body)
        headers = [(b"content-type", response.content_type.encode())]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    return application


@dataclass
class Road:
    """A road under test: how a laptop gets onto it, and what carries it to the hub and back."""

    hub: Station
    open: Callable[[Station], Transport]
    carried: Callable[[], None]

    def exchange(self, laptop: Station, progress: Callable[[Progress], None] = lambda step: None) -> Outcome:
        """One full exchange; on a road that does not answer it takes a second visit."""
        road = self.open(laptop)
        outcome = run(laptop, road, progress=progress)
        if road.answers:
            return outcome
        self.carried()
        return run(laptop, self.open(laptop), progress=progress)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        yield station


@pytest.fixture(params=["folder", "bare server", "hub server"])
def road(request: pytest.FixtureRequest, tmp_path: Path, hub: Station) -> Iterator[Road]:
    if request.param == "folder":
        stick = tmp_path / "stick"
        stick.mkdir()

        def carried() -> None:
            attend(hub, stick)

        yield Road(hub, lambda laptop: FolderTransport(stick, hub=hub.id, station=laptop.id), carried)
        return
    servers = {"bare server": bare, "hub server": lambda hub: datasette_serving.build(hub, mode="hub").app()}
    with served(servers[request.param](hub)) as address, ExitStack() as roads:

        def opened(laptop: Station) -> HttpTransport:
            token = token_of(laptop.folder, hub.id)
            transport = HttpTransport(address, hub=hub.id, station=laptop.id, token=token, pauses=())
            return roads.enter_context(transport)

        yield Road(hub, opened, lambda: None)


@pytest.fixture
def laptop(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "laptop", hub, "一号", EAST) as station:
        yield station


@pytest.fixture
def other(tmp_path: Path, hub: Station) -> Iterator[Station]:
    with make_laptop(tmp_path / "other", hub, "二号", EAST) as station:
        yield station


def test_what_goes_in_at_one_end_comes_out_at_the_other(road: Road, laptop: Station, other: Station) -> None:
    road.exchange(laptop)
    assert laptop.form("household").version == "1", "forms come with the first exchange"
    record = save(laptop, head_name="张三", member=[{"name": "张小三"}, {"name": "张小四"}])
    assert road.exchange(laptop).confirmed == 3
    road.exchange(other)
    assert ledger(other) == ledger(road.hub) == ledger(laptop)
    assert len(ledger(other)[record]["member"]) == 2


def test_a_second_exchange_has_nothing_to_do(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    save(laptop, head_name="张三")
    road.exchange(laptop)
    outcome = road.exchange(laptop)
    assert (outcome.sent, outcome.received, outcome.forms, outcome.problems) == (0, 0, 0, [])


def test_an_unknown_token_or_station_is_refused_and_nothing_taken(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    save(laptop, head_name="张三")
    bundle = Bundle("stranger", road.hub.id, "push", MovableClock().now())
    transport = road.open(laptop)
    if isinstance(transport, HttpTransport):
        transport._headers = {"Authorization": f"Bearer {laptop.id}.{'0' * 64}"}
        with pytest.raises(Refused) as caught:
            transport.push("x-1-1.cunce", write_bundle(bundle))
        assert caught.value.code == "SYNC_NOT_ADMITTED"
    else:
        transport.push("stranger-1-1.cunce", write_bundle(bundle))
        road.carried()
    assert not ledger(road.hub)


def test_a_revoked_laptop_is_told_so_and_keeps_its_data(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    record = save(laptop, head_name="张三")
    with closing(Peers(road.hub.folder)) as peers:
        peers.revoke(peers.peers()[0].invitation)
    transport = road.open(laptop)
    if transport.answers:
        with pytest.raises(Refused) as caught:
            run(laptop, transport)
        assert caught.value.code == "COLLECT_PEER_REVOKED"
    else:
        assert road.exchange(laptop).waiting == 1
    assert record in ledger(laptop)
    assert record not in ledger(road.hub)


def test_a_bundle_that_is_damaged_is_refused_whole(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    save(laptop, head_name="张三")
    transport = road.open(laptop)
    data = bytearray(write_bundle(next(outgoing(laptop, hub_row(laptop))), closing_of(laptop, road.hub)))
    data[-40] ^= 1
    if transport.answers:
        with pytest.raises(Refused) as caught:
            transport.push("a", bytes(data))
        assert caught.value.code == "SYNC_BUNDLE_DAMAGED"
    else:
        transport.push(f"{laptop.id}-1-1.cunce", bytes(data))
        road.carried()
    assert not ledger(road.hub)


def test_progress_tells_revisions_and_bytes(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    for number in range(5):
        save(laptop, head_name=f"户{number}")
    steps: list[Progress] = []
    road.exchange(laptop, steps.append)
    sent = [step for step in steps if step.action == "send"]
    assert (sent[0].done, sent[0].total) == (5, 5)
    assert sent[0].size > 500


def test_counters_tell_bytes_and_requests(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    save(laptop, head_name="张三")
    transport = road.open(laptop)
    outcome = run(laptop, transport)
    assert outcome.requests == transport.requests >= 2
    assert outcome.bytes_sent > 500


def test_many_revisions_go_in_several_bundles(
    road: Road, laptop: Station, other: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    road.exchange(laptop)
    monkeypatch.setattr("sync.serving.BATCH", 7)
    monkeypatch.setattr("sync.transport.http.HttpTransport.batch", 10)
    monkeypatch.setattr("sync.transport.folder.FolderTransport.batch", 10)
    for number in range(25):
        save(laptop, head_name=f"户{number}")
    outcome = road.exchange(laptop)
    assert (outcome.confirmed, outcome.waiting) == (25, 0)
    assert road.exchange(other).received == 25
    assert ledger(other) == ledger(laptop)
    assert road.exchange(other).received == 0


def test_two_laptops_at_once_both_get_through(road: Road, laptop: Station, other: Station, tmp_path: Path) -> None:
    road.exchange(laptop), road.exchange(other)
    for number in range(20):
        save(laptop, head_name=f"甲{number}"), save(other, head_name=f"乙{number}")
    failures: list[BaseException] = []

    def exchange(folder: Path) -> None:
        try:
            with Station.open(folder, clock=MovableClock()) as station:
                run(station, road.open(station))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=exchange, args=(each.folder,)) for each in (laptop, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    road.carried()
    assert len(ledger(road.hub)) == 40


# ---- joining


@pytest.mark.parametrize("road", ["bare server", "hub server"], indirect=True)
def test_joining_over_the_network_fetches_forms_and_data(road: Road, laptop: Station, tmp_path: Path) -> None:
    road.exchange(laptop)
    save(laptop, head_name="张三")
    road.exchange(laptop)
    transport = road.open(laptop)
    invitation = make_invitation(road.hub, "三号", [EAST[0]], transport.road)
    for given in (invitation, read_invitation(invitation.text)):
        joined = join(tmp_path / "third", given, clock=MovableClock())
        assert joined.name == "三号"
        assert joined.outcome is not None
    with Station.open(tmp_path / "third") as third:
        assert ledger(third) == ledger(road.hub)
        assert [village.name for village in third.villages] == ["东村"]
        assert (third.township and third.township.name) == "青山镇"
    with pytest.raises(Refused) as caught:
        join(tmp_path / "fourth", invitation, clock=MovableClock())
    assert caught.value.code == "COLLECT_INVITATION_USED"
    assert not (tmp_path / "fourth").exists(), "a refused laptop is as it was"


# ---- roads that are not there


def test_a_hub_that_is_not_there_is_said_in_words(hub: Station, laptop: Station) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        transport = HttpTransport(address, hub=hub.id, station=laptop.id, token="x", pauses=(0.01,))
        with transport, pytest.raises(TransportBusyError) as caught:
            run(laptop, transport)
    assert caught.value.code == "SYNC_HUB_UNREACHABLE"
    assert caught.value.retryable
    assert transport.requests == 2
    assert address in caught.value.problems[0].words("zh")


def test_another_server_is_recognised(hub: Station, laptop: Station) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"<h1>Not Found</h1>"})

    with served(application) as address:
        road = HttpTransport(address, hub=hub.id, station=laptop.id, token="x", pauses=())
        with road, pytest.raises(TransportError) as caught:
            run(laptop, road)
    assert caught.value.code == "SYNC_NOT_A_HUB_THERE"
    assert not caught.value.retryable


def test_a_hub_that_is_busy_is_asked_again_when_it_said(hub: Station, laptop: Station) -> None:
    heads = [[(b"retry-after", b"1")]]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        busy = heads.pop() if heads else None
        await send({"type": "http.response.start", "status": 404 if busy is None else 503, "headers": busy or []})
        await send({"type": "http.response.body", "body": b"{}"})

    with served(application) as address:
        road = HttpTransport(address, hub=hub.id, station=laptop.id, token="x", pauses=())
        with road, pytest.raises(TransportError) as caught:
            run(laptop, road)
    assert caught.value.code == "SYNC_NOT_A_HUB_THERE"
    assert road.requests == 2


@pytest.mark.parametrize("address", ["ftp://hub", "hub:8001", "http://", "http://[::1", "http://a b"])
def test_an_address_that_is_none_is_said_in_words(hub: Station, laptop: Station, address: str) -> None:
    road = HttpTransport(address, hub=hub.id, station=laptop.id, token="x", pauses=())
    with road, pytest.raises(TransportError):
        run(laptop, road)


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(TransportError) as caught:
        FolderTransport(tmp_path / "no", hub="h", station="s")
    assert caught.value.code == "SYNC_FOLDER_MISSING"


def test_an_answer_for_another_station_is_not_taken(hub: Station, laptop: Station, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    run(laptop, FolderTransport(stick, hub=hub.id, station=laptop.id))
    attend(hub, stick)
    (file,) = (stick / "cunce" / hub.id / "to-station" / laptop.id).glob("*.cunce")
    bundle = opened_of(file.read_bytes(), laptop, hub)
    for wrong, code in (("receiver", "SYNC_BUNDLE_FOR_ANOTHER"), ("sender", "SYNC_BUNDLE_FROM_ANOTHER")):
        changed = replace(bundle, **{wrong: "another"})  # type: ignore[arg-type]
        file.write_bytes(write_bundle(changed, closing_of(hub, laptop)))
        outcome = run(laptop, FolderTransport(stick, hub=hub.id, station=laptop.id))
        assert [problem.code for problem in outcome.problems] == [code]
    assert not laptop.forms()
