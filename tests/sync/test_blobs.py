"""Photos on the road: after the answers, piece by piece, to nobody but those whose villages they belong to."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.blobs import MAX_SIZE
from collect.station import Station
from forms.reader import read_rows
from sync.blobs import (
    BlobRequestError,
    Offer,
    Piece,
    Stocked,
    accept,
    pack_offer,
    pack_piece,
    pack_stocked,
    pack_wish,
    unpack_offer,
    unpack_piece,
    unpack_stocked,
)
from sync.exchange import Outcome, Progress, run
from sync.identity import token_of
from sync.serving import answer
from sync.stick import attend
from sync.transport import Refused, TransportBusyError
from sync.transport.folder import FolderTransport
from sync.transport.http import HttpTransport
from tests.sync.photographing import noise, spot, take_photo
from tests.sync.test_transport_contract import Road, bare, road, served
from tests.sync.township import EAST, WEST, MovableClock, carry, make_hub, make_laptop

__all__ = ["road"]  # a fixture
DIGEST = "a" * 64


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with make_hub(tmp_path / "hub") as station:
        station.add_form(spot())
        yield station


def admitted(folder: Path, hub: Station, name: str, village: tuple[str, str]) -> Iterator[Station]:
    """A laptop that has exchanged once."""
    with make_laptop(folder / name, hub, name, village) as station:
        (folder / f"{name}-stick").mkdir()
        carry(hub, folder / f"{name}-stick", station)
        yield station


@pytest.fixture
def laptop(tmp_path: Path, hub: Station) -> Iterator[Station]:
    yield from admitted(tmp_path, hub, "laptop", EAST)


@pytest.fixture
def other(tmp_path: Path, hub: Station) -> Iterator[Station]:
    yield from admitted(tmp_path, hub, "other", EAST)


@pytest.fixture
def stranger(tmp_path: Path, hub: Station) -> Iterator[Station]:
    yield from admitted(tmp_path, hub, "stranger", WEST)


# ---- over every road


def test_a_photo_reaches_the_hub_and_the_laptops_of_its_village_only(
    road: Road, laptop: Station, other: Station, stranger: Station
) -> None:
    for station in (laptop, other, stranger):
        road.exchange(station)
    content = noise(700_000)
    name = take_photo(laptop, content)
    outcome = road.exchange(laptop)
    assert (outcome.blobs_waiting, outcome.problems) == (0, [])
    assert road.hub.blobs.read(name) == content
    road.exchange(other)
    assert other.blobs.read(name) == content
    road.exchange(stranger)
    assert not stranger.blobs.has(name)
    assert [station.verify() for station in (road.hub, laptop, other, stranger)] == [()] * 4


def test_pictures_of_labels_reach_every_laptop_with_their_form(road: Road, laptop: Station, stranger: Station) -> None:
    form = read_rows({
        "survey": [{"type": "text", "name": "name", "label": "名称", "media::image": "house.png"}],
        "settings": [{"form_id": "house", "version": "1"}],
    })  # fmt: skip
    road.hub.add_form(form, {"house.png": noise(200_000, 7)})
    for station in (laptop, stranger):
        road.exchange(station), road.exchange(station)
        blob = station.media_of(station.form("house"))["house.png"]
        assert station.blobs.read(blob) == noise(200_000, 7)
        assert station.verify() == ()


def test_nothing_to_do_costs_nothing(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    take_photo(laptop, noise(10_000))
    road.exchange(laptop)
    outcome = road.exchange(laptop)
    assert outcome.nothing_to_do
    if road.open(laptop).answers:
        assert (outcome.requests, outcome.bytes_received) == (1, 0)


def test_a_photo_of_a_record_that_moved_goes_to_its_new_village(road: Road, laptop: Station, stranger: Station) -> None:
    road.exchange(laptop), road.exchange(stranger)
    name = take_photo(laptop, noise(1000))
    road.exchange(laptop)
    record = next(iter(road.hub.attachments.open("spot.csv").rows()))["_id"]
    moved = {**road.hub.answers("spot", record), "village": WEST[0]}
    road.hub.save(moved, spot(), record=record, author="镇")
    road.exchange(stranger)
    assert stranger.blobs.read(name) == noise(1000)


def test_a_photo_that_is_damaged_at_the_sender_stops_no_other(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    broken, fine = take_photo(laptop, noise(50_000, 1)), take_photo(laptop, noise(60_000, 2))
    laptop.blobs.path(broken).write_bytes(noise(50_000, 3))
    outcome = road.exchange(laptop)
    assert road.hub.blobs.read(fine) == noise(60_000, 2)
    assert not road.hub.blobs.has(broken)
    assert outcome.blobs_waiting == 1
    laptop.blobs.put(noise(50_000, 1), "jpg")
    road.exchange(laptop), road.exchange(laptop)
    assert road.hub.blobs.read(broken) == noise(50_000, 1)


def test_progress_tells_bytes_and_time_left(road: Road, laptop: Station) -> None:
    road.exchange(laptop)
    take_photo(laptop, noise(600_000, 1)), take_photo(laptop, noise(400_000, 2))
    steps: list[Progress] = []
    road.exchange(laptop, steps.append)
    sent = [step for step in steps if step.action == "send-blobs"]
    assert (sent[-1].done, sent[-1].total) == (1_000_000, 1_000_000)
    if road.open(laptop).answers:
        assert all(step.left is not None and step.left >= 0 for step in sent)
        assert sent[-1].left == 0


def test_what_is_erased_travels_no_more_and_is_gone_at_both_ends(road: Road, laptop: Station, other: Station) -> None:
    road.exchange(laptop), road.exchange(other)
    name = take_photo(laptop, noise(1000))
    road.exchange(laptop), road.exchange(other)
    record = next(iter(laptop.attachments.open("spot.csv").rows()))["_id"]
    laptop.erase("spot", record, reason="本人申请", author="甲")
    road.exchange(laptop), road.exchange(other), road.exchange(other)
    assert [station.blobs.has(name) for station in (laptop, road.hub, other)] == [False] * 3


# ---- broken off


class Cut(HttpTransport):
    """A line that is cut after so many requests about blobs."""

    asked = 0
    after = 0

    def ask(self, endpoint: str, body: bytes) -> bytes:
        self.asked += 1
        if self.asked > self.after:
            raise TransportBusyError(self._problem("SYNC_HUB_UNREACHABLE", "cut"))
        return super().ask(endpoint, body)


def line(address: str, hub: Station, laptop: Station, after: int = 10_000) -> Cut:
    found = Cut(address, hub=hub.id, station=laptop.id, token=token_of(laptop.folder, hub.id), pauses=())
    found.after = after
    return found


def exchange(address: str, hub: Station, laptop: Station, after: int = 10_000) -> tuple[Outcome, Cut]:
    with line(address, hub, laptop, after) as found:
        return run(laptop, found), found


def test_a_transfer_goes_on_at_the_byte_where_it_broke_off(
    hub: Station, laptop: Station, other: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.carrying._FIRST", 40_000)
    monkeypatch.setattr("sync.carrying._QUICK", -1.0)
    content = noise(200_000)
    with served(bare(hub)) as address:
        exchange(address, hub, laptop)
        name = take_photo(laptop, content)
        outcome, _ = exchange(address, hub, laptop, 3)
        assert [problem.code for problem in outcome.problems] == ["SYNC_HUB_UNREACHABLE"]
        assert (outcome.confirmed, outcome.blobs_waiting) == (1, 1), "the answers are there all the same"
        assert hub.blobs.arriving(laptop.id, name).stat().st_size == 80_000
        _, road = exchange(address, hub, laptop)
        assert 120_000 < road.bytes_sent < 125_000
        assert hub.blobs.read(name) == content
        exchange(address, hub, other, 3)
        assert other.blobs.arriving(hub.id, name).stat().st_size == 80_000
        _, road = exchange(address, hub, other)
        assert road.bytes_received < 125_000
        assert other.blobs.read(name) == content


def test_a_beginning_that_was_spoilt_is_sent_again_from_the_first_byte(hub: Station, laptop: Station) -> None:
    with served(bare(hub)) as address:
        exchange(address, hub, laptop)
        name = take_photo(laptop, noise(50_000))
        accept(hub, laptop.id, Piece(name, 50_000, 0, b"\0" * 20_000))
        outcome, _ = exchange(address, hub, laptop)
    assert (outcome.blobs_sent, outcome.problems) == (1, [])
    assert hub.blobs.read(name) == noise(50_000)


def test_killed_in_the_middle_of_a_photo_it_goes_on(hub: Station, laptop: Station) -> None:
    content = noise(3_000_000)
    with served(bare(hub)) as address:
        exchange(address, hub, laptop)
        name = take_photo(laptop, content)
        laptop.close()
        command = [sys.executable, "-m", "tests.sync.photographing", str(laptop.folder), address]
        part = hub.blobs.arriving(laptop.id, name)
        reached = 0
        for share in (0.2, 0.5):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None:
                if part.exists() and part.stat().st_size > share * len(content):
                    break
                time.sleep(0.005)
            process.kill()
            process.wait()
            time.sleep(0.2)  # what the hub has read of the last request it still writes
            assert part.stat().st_size > reached
            reached = part.stat().st_size
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        assert int(done.stdout) < (len(content) - reached) * 1.1
        assert hub.blobs.read(name) == content
    with Station.open(laptop.folder, clock=MovableClock()) as again:
        assert again.verify() == ()


def test_a_stick_pulled_out_between_pieces_loses_nothing(
    hub: Station, laptop: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("blobs", "stick_blobs"):
        monkeypatch.setattr(f"sync.{module}.PIECE", 30_000)
    stick = tmp_path / "stick"
    stick.mkdir()

    def visit() -> None:
        run(laptop, FolderTransport(stick, hub=hub.id, station=laptop.id))

    visit(), attend(hub, stick), visit()
    name = take_photo(laptop, noise(100_000))
    visit()
    pieces = sorted((stick / "cunce" / hub.id / "to-hub" / f"{laptop.id}-blobs").glob("*.piece"))
    assert len(pieces) == 4
    assert noise(100_000)[:64] not in pieces[0].read_bytes(), "what lies on the stick is sealed to the hub"
    pieces[2].unlink()
    pieces[3].with_name(f"{pieces[3].name}.77.part").write_bytes(b"half")
    attend(hub, stick)
    assert hub.blobs.arriving(laptop.id, name).stat().st_size == 60_000
    assert not hub.blobs.has(name)
    visit()
    assert pieces[2].stat().st_size > 30_000, "what is not on the stick is written again"
    attend(hub, stick)
    assert hub.blobs.read(name) == noise(100_000)
    assert not list(stick.rglob("*.piece"))
    visit()
    assert laptop.references.unconfirmed(hub.id, [EAST[0]]) == ()


# ---- hostile


def post(hub: Station, laptop: Station, endpoint: str, body: bytes) -> Any:
    return answer(hub, endpoint, f"Bearer {laptop.id}.{token_of(laptop.folder, hub.id)}", body)


def test_only_blobs_of_its_villages_are_given_and_taken(hub: Station, laptop: Station, stranger: Station) -> None:
    with served(bare(hub)) as address:
        exchange(address, hub, laptop)
        name = take_photo(laptop, b"secret photo")
        exchange(address, hub, laptop)
    assert post(hub, stranger, "blob-get", pack_wish(name, 0, 100)).status == 403
    found = unpack_stocked(post(hub, stranger, "blobs", pack_offer(Offer({name: 12}, (name,)))).body)
    assert found == Stocked(), "it is not even told that the hub has it"
    unasked = stranger.blobs.put(b"junk that no record refers to", "mp4")
    assert post(hub, stranger, "blob-put", pack_piece(Piece(unasked, 29, 0, b"junk"))).status == 403
    assert post(hub, laptop, "blob-get", pack_wish(name, 0, 100)).body == b"secret photo"
    assert answer(hub, "blob-get", "Bearer nobody.x", pack_wish(name, 0, 100)).status == 401


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{}", b"\xff", b'{"name":"../../../etc/passwd","size":1,"offset":0}\nx',
    b'{"name":"%s.jpg/../../x","size":1,"offset":0}\nx' % DIGEST.encode(),
    b'{"name":"%s.jpg","size":1,"offset":-1}\nx' % DIGEST.encode(),
    b'{"name":"%s.jpg","size":1,"offset":0}\nxx' % DIGEST.encode(),
    b'{"name":"%s.jpg","size":1e3,"offset":0}\nxx' % DIGEST.encode(),
    b'{"have":{"../x":1},"want":[]}', b'{"have":{},"want":["..\\\\x"]}', b'{"have":[],"want":[]}',
])  # fmt: skip
def test_path_tricks_and_nonsense_are_refused(hub: Station, laptop: Station, tmp_path: Path, body: bytes) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if "db" not in path.name)
    for endpoint in ("blobs", "blob-put", "blob-get"):
        response = post(hub, laptop, endpoint, body)
        assert response.status == 403
        assert b"SYNC_BLOB_REQUEST" in response.body
    assert sorted(path for path in tmp_path.rglob("*") if "db" not in path.name) == before


def test_a_blob_too_large_is_refused_before_it_comes(hub: Station, laptop: Station) -> None:
    name = f"{DIGEST}.mp4"
    laptop.save({"village": EAST[0], "name": "x", "photo": name}, spot(), author="甲")
    hub.receive(laptop.journal.suffix(laptop.id, 0))
    response = post(hub, laptop, "blob-put", pack_piece(Piece(name, MAX_SIZE + 1, 0, b"x")))
    assert response.status == 400
    assert b"COLLECT_BLOB_TOO_LARGE" in response.body


def test_content_that_is_not_what_its_name_says_is_refused(hub: Station, laptop: Station) -> None:
    name = f"{DIGEST}.jpg"
    laptop.save({"village": EAST[0], "name": "x", "photo": name}, spot(), author="甲")
    hub.receive(laptop.journal.suffix(laptop.id, 0))
    with served(bare(hub)) as address, line(address, hub, laptop) as road, pytest.raises(Refused) as caught:
        road.ask("blob-put", pack_piece(Piece(name, 4, 0, b"junk")))
    assert caught.value.code == "COLLECT_BLOB_DAMAGED"
    assert not hub.blobs.has(name)


def test_foreign_files_on_a_stick_are_left_alone_or_named(hub: Station, laptop: Station, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    run(laptop, FolderTransport(stick, hub=hub.id, station=laptop.id))
    attend(hub, stick)
    run(laptop, FolderTransport(stick, hub=hub.id, station=laptop.id))
    take_photo(laptop, b"1")
    run(laptop, FolderTransport(stick, hub=hub.id, station=laptop.id))
    box = stick / "cunce" / hub.id / "to-hub" / f"{laptop.id}-blobs"
    (box / f"{DIGEST}.exe.0-4.piece").write_bytes(b"evil")
    (box / "photo.jpg").write_bytes(b"mine")
    done = attend(hub, stick)
    assert [problem.code for problem in done.problems] == ["SYNC_BLOB_OUTSIDE"]
    assert done.blobs_received == 1
    assert sorted(path.name for path in box.iterdir()) == [f"{DIGEST}.exe.0-4.piece", "photo.jpg"]


NAMES = st.from_regex(r"[0-9a-f]{64}\.[a-z0-9]{1,8}", fullmatch=True)
COUNTS = st.dictionaries(NAMES, st.integers(0, 1 << 40), max_size=4)


@given(COUNTS, st.lists(NAMES, max_size=3).map(tuple))
def test_offers_and_answers_come_out_as_they_went_in(have: dict[str, int], want: tuple[str, ...]) -> None:
    assert unpack_offer(pack_offer(Offer(have, want))) == Offer(have, want)
    assert unpack_stocked(pack_stocked(Stocked(have, have))) == Stocked(have, have)


@given(NAMES, st.integers(0, 1000), st.binary(max_size=50))
def test_pieces_come_out_as_they_went_in(name: str, offset: int, data: bytes) -> None:
    piece = Piece(name, offset + len(data), offset, data)
    assert unpack_piece(pack_piece(piece)) == piece


@given(st.binary(max_size=200))
def test_any_bytes_are_a_piece_or_refused(data: bytes) -> None:
    for unpack in (unpack_piece, unpack_offer, unpack_stocked):
        with suppress(BlobRequestError):
            assert unpack(data)
