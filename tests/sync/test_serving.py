"""The hub's end: whatever a station sends, an answer with a status, never an exception, and nothing half taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collect.database import connect
from collect.peers import Peers
from collect.revision import RevisionId
from collect.station import Station
from sync.bundle import FormSource, write_bundle
from sync.exchange import outgoing
from sync.identity import token_of
from sync.request import Request, RequestError, pack_request, unpack_request
from sync.serving import Response, answer
from tests.sync.township import EAST, Line, by_line, closing_of, hub_row, ledger, make_hub, make_laptop, opened_of, save


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with make_hub(tmp_path_factory.mktemp("serving") / "hub") as station:
        yield station


@pytest.fixture(scope="module")
def laptop(hub: Station) -> Iterator[Station]:
    with make_laptop(hub.folder.parent / "laptop", hub, "一号", EAST) as station:
        by_line(station, Line(hub))
        save(station, head_name="张三")
        yield station


def asked(hub: Station, laptop: Station, endpoint: str, body: bytes) -> Response:
    return answer(hub, endpoint, f"Bearer {laptop.id}.{token_of(laptop.folder, hub.id)}", body)


def codes(response: Response) -> list[str]:
    return [problem["code"] for problem in json.loads(response.body)["problems"]]


def pushed(hub: Station, laptop: Station, **changes: Any) -> Response:
    """Push the laptop's bundle with something about it changed."""
    bundle = next(outgoing(laptop, hub_row(laptop)))
    return asked(hub, laptop, "push", write_bundle(replace(bundle, **changes), closing_of(laptop, hub)))


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    endpoint=st.sampled_from(["join", "push", "pull", "other", ""]),
    body=st.binary(max_size=60)
    | st.dictionaries(
        st.sampled_from(["own", "state", "cursor", "mark", "cursors", "forms"]),
        st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2) | st.booleans()
        | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2) | st.floats(),
    ).map(lambda data: json.dumps(data).encode()),
)  # fmt: skip
def test_anything_gets_an_answer(hub: Station, laptop: Station, endpoint: str, body: bytes) -> None:
    response = asked(hub, laptop, endpoint, body)
    assert response.status in (200, 204, 400, 401, 404)
    if response.status >= 400:
        assert codes(response)
        assert set(json.loads(response.body)["problems"][0]["message"]) == {"zh", "en"}


@pytest.mark.parametrize("authorization", ["", "Basic x", "Bearer x", "Bearer x.y", "\ud800"])
def test_without_a_token_nothing_is_even_read(hub: Station, authorization: str) -> None:
    for endpoint in ("push", "pull"):
        response = answer(hub, endpoint, authorization, b"x")
        assert (response.status, codes(response)) == (401, ["SYNC_NOT_ADMITTED"])


def test_a_station_may_not_speak_for_another(hub: Station, laptop: Station) -> None:
    bundle = next(outgoing(laptop, hub_row(laptop)))
    forged = tuple(replace(each, id=RevisionId("other", each.id.seq)) for each in bundle.revisions)
    for changes in ({"revisions": forged}, {"sender": "other"}, {"kind": "pull"}):
        response = pushed(hub, laptop, **changes)
        assert (response.status, codes(response)) == (403, ["SYNC_BUNDLE_FROM_ANOTHER"])
    response = pushed(hub, laptop, receiver="other")
    assert (response.status, codes(response)) == (400, ["SYNC_BUNDLE_FOR_ANOTHER"])
    assert not ledger(hub)


def test_a_form_that_is_none_is_refused_before_anything_is_kept(hub: Station, laptop: Station) -> None:
    before = hub.journal.form_keys()
    for xform in ("", "<x/>", "<h:html"):
        response = pushed(hub, laptop, forms=(FormSource("bad", "1", "ab" * 32, xform, {}),))
        assert codes(response) == ["SYNC_FORM_FAULTY"]
    assert hub.journal.form_keys() == before
    assert not ledger(hub)


def test_another_form_under_a_known_version_is_refused_but_the_rest_is_taken(tmp_path: Path) -> None:
    with make_hub(tmp_path / "hub") as hub, make_laptop(tmp_path / "laptop", hub, "一号", EAST) as laptop:
        by_line(laptop, Line(hub))
        save(laptop, head_name="张三")
        (own,) = laptop.journal.forms()
        other = FormSource(own.form_id, own.version, "cd" * 32, own.xform.replace("户主", "户长"), own.rows)
        response = pushed(hub, laptop, forms=(other,))
        assert response.status == 200
        receipt = opened_of(response.body, laptop, hub).receipt
        assert receipt is not None
        assert [problem.code for problem in receipt.refused] == ["COLLECT_FORM_CHANGED"]
        assert receipt.held == {laptop.id: 1}
        assert len(ledger(hub)) == 1


def test_a_fork_is_refused_by_name(tmp_path: Path) -> None:
    with make_hub(tmp_path / "hub") as hub, make_laptop(tmp_path / "laptop", hub, "一号", EAST) as laptop:
        by_line(laptop, Line(hub))
        save(laptop, head_name="张三")
        bundle = next(outgoing(laptop, hub_row(laptop)))
        other = replace(bundle.revisions[0], changes={"head_name": "李四"})
        assert pushed(hub, laptop).status == 200
        response = pushed(hub, laptop, revisions=(other,))
        assert (response.status, codes(response)) == (409, ["COLLECT_FORK"])
        assert [each["head_name"] for each in ledger(hub).values()] == ["张三"]


def test_a_busy_journal_asks_to_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collect.database.BUSY_MILLISECONDS", 50)
    with make_hub(tmp_path / "hub") as hub, make_laptop(tmp_path / "laptop", hub, "一号", EAST) as laptop:
        by_line(laptop, Line(hub))
        save(laptop, head_name="张三")
        with Station.open(hub.folder) as busy, closing(connect(hub.folder / "journal.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            response = pushed(busy, laptop)
            other.execute("ROLLBACK")
            assert (response.status, codes(response)) == (503, ["COLLECT_DATABASE_LOCKED"])
            assert pushed(busy, laptop).status == 200


@given(
    st.builds(
        Request,
        own=st.integers(0, 1 << 40),
        state=st.text(max_size=16),
        cursor=st.integers(0, 1 << 40),
        mark=st.text(max_size=12),
        cursors=st.none() | st.dictionaries(st.text(), st.integers(0, 1 << 40)),
        forms=st.none() | st.lists(st.text()).map(tuple),
        now=st.none() | st.integers(-(1 << 40), 1 << 40),
    )
)
def test_a_request_reads_back(request: Request) -> None:
    assert unpack_request(pack_request(request)) == request


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"own":true,"state":"","cursor":0,"mark":""}',
                                  b'{"own":0,"state":"","cursor":0,"mark":"","now":"x"}', b"[" * 99_999])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        unpack_request(body)


def test_a_hub_knows_when_it_last_heard_of_a_laptop_and_what_it_holds(tmp_path: Path) -> None:
    with make_hub(tmp_path / "hub") as hub, make_laptop(tmp_path / "laptop", hub, "一号", EAST) as laptop:
        by_line(laptop, Line(hub))
        save(laptop, head_name="张三")
        by_line(laptop, Line(hub))
        with closing(Peers(hub.folder)) as peers:
            (peer,) = peers.peers()
        assert (peer.state, peer.received) == ("joined", 1)
        assert peer.seen_at >= peer.joined_at > ""
