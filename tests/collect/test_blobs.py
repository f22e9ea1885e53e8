"""The store of photos and files, which records refer to them, and what erasing and verifying do with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.blobs import MAX_SIZE, BlobError, Blobs, media_type
from collect.station import Station
from forms.definition import Form
from forms.reader import read_rows

VILLAGES = {"v1": "东村", "v2": "西村"}


def photo_form(version: str = "1") -> Form:
    return read_rows({
        "survey": [
            {
                "type": "select_one_from_file village.csv", "name": "village", "label": "村",
                "ledger::standard": "village",
            },
            {"type": "text", "name": "name", "label": "名称"},
            {"type": "image", "name": "photo", "label": "照片"},
            {"type": "begin repeat", "name": "shot", "label": "现场"},
            {"type": "image", "name": "picture", "label": "照片"},
            {"type": "end repeat"},
        ],
        "settings": [{"form_id": "spot", "form_title": "现场", "version": version}],
    })  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "s", name="一号", villages=VILLAGES) as made:
        made.add_form(photo_form())
        yield made


def spot(station: Station, village: str = "v1", **answers: object) -> str:
    return station.save({"village": village, "name": "桥头", **answers}, "spot", author="甲").record


def test_content_stands_under_its_digest_and_is_stored_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put(b"photo", "JPEG")
    digest = hashlib.sha256(b"photo").hexdigest()
    assert name == f"{digest}.jpg"
    assert blobs.put(b"photo", ".jpg") == name
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [
        f"blobs/{digest[:2]}/{digest[2:]}"
    ]
    assert (blobs.read(name), blobs.size(name), blobs.has(name)) == (b"photo", 5, True)
    assert blobs.piece(name, 2, 2) == b"ot"
    assert list(blobs.digests()) == [(digest, 5)]


def test_reading_checks_the_digest_and_a_sound_copy_mends(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put(b"photo", "jpg")
    blobs.path(name).write_bytes(b"phoxo")
    with pytest.raises(BlobError) as caught:
        blobs.read(name)
    assert caught.value.code == "COLLECT_BLOB_DAMAGED"
    blobs.put(b"photo", "jpg")
    assert blobs.read(name) == b"photo"


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "a" * 64, "A" * 64 + ".jpg", "a" * 64 + ".j/g", "a" * 64 + "./x"]
)
def test_names_that_are_none_never_become_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(BlobError) as caught:
        Blobs(tmp_path).path(name)
    assert caught.value.code == "COLLECT_BLOB_NAME"
    with pytest.raises(BlobError):
        Blobs(tmp_path).arriving("../x", "a" * 64 + ".jpg")


def test_what_is_too_large_or_missing_is_said(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    with pytest.raises(BlobError) as caught:
        blobs.put(bytes(MAX_SIZE + 1), "mp4")
    assert caught.value.code == "COLLECT_BLOB_TOO_LARGE"
    with pytest.raises(BlobError) as caught:
        blobs.read("a" * 64 + ".jpg")
    assert caught.value.code == "COLLECT_BLOB_MISSING"
    assert (media_type("x.jpg"), media_type("x.html"), media_type("x.svg")) == (
        "image/jpeg", "application/octet-stream", "application/octet-stream",
    )  # fmt: skip


def test_references_follow_records_with_their_rows_and_villages(station: Station) -> None:
    one, two = station.blobs.put(b"1", "jpg"), station.blobs.put(b"2", "jpg")
    absent = "b" * 64 + ".jpg"
    record = spot(station, photo=one, shot=[{"picture": two}])
    spot(station, "v2", photo=absent)
    assert station.references.names() == tuple(sorted((one, two, absent)))
    assert station.references.names(["v1"]) == tuple(sorted((one, two)))
    assert station.references.lacking() == (absent,)
    opened = station.opened("spot", record)
    station.save({**opened.answers, "village": "v2"}, "spot", record=record, author="甲", seen=opened.seen)
    assert station.references.names(["v1"]) == ()
    assert station.references.villages_of(two) == {"v2"}


def test_a_photo_that_was_replaced_stays_part_of_what_was_saved(station: Station) -> None:
    one, two = station.blobs.put(b"1", "jpg"), station.blobs.put(b"2", "jpg")
    record = spot(station, photo=one)
    station.save({**station.answers("spot", record), "photo": two}, "spot", record=record, author="甲")
    assert station.references.names() == tuple(sorted((one, two)))


def test_a_newer_version_that_asks_for_photos_is_read_from_the_beginning(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="一号", villages=VILLAGES) as station:
        plain = {"survey": [{"type": "text", "name": "name", "label": "名"}], "settings": [{"form_id": "plain"}]}
        station.add_form(read_rows(plain))
        assert station.references.names() == ()
        station.add_form(photo_form())
        name = station.blobs.put(b"1", "jpg")
        spot(station, photo=name)
        assert station.references.names() == (name,)


def test_what_a_hub_has_confirmed_is_not_offered_again(station: Station) -> None:
    name = station.blobs.put(b"1", "jpg")
    spot(station, photo=name)
    assert station.references.unconfirmed("hub", ["v1"]) == (name,)
    assert station.references.unconfirmed("hub", ["v2"]) == ()
    station.references.confirm("hub", [name])
    assert station.references.unconfirmed("hub", ["v1"]) == ()
    assert station.references.unconfirmed("other", ["v1"]) == (name,)
    station.references.doubt("hub")
    assert station.references.unconfirmed("hub", ["v1"]) == (name,)


def test_verify_finds_missing_and_damaged_blobs(station: Station) -> None:
    one, two = station.blobs.put(b"1", "jpg"), station.blobs.put(b"2", "jpg")
    loose = station.blobs.put(b"3", "mp3")
    spot(station, photo=one, shot=[{"picture": two}])
    assert station.verify() == ()
    station.blobs.path(one).unlink()
    station.blobs.path(two).write_bytes(b"x")
    station.blobs.path(loose).write_bytes(b"y")
    assert sorted(problem.code for problem in station.verify()) == [
        "COLLECT_BLOB_DAMAGED", "COLLECT_BLOB_DAMAGED", "COLLECT_BLOB_MISSING",
    ]  # fmt: skip


def test_erasing_a_record_takes_its_blobs_unless_another_refers_to_them(station: Station) -> None:
    own, shared, row = (station.blobs.put(data, "jpg") for data in (b"1", b"2", b"3"))
    drafted = station.blobs.put(b"4", "jpg")
    record = spot(station, photo=own, shot=[{"picture": row}, {"picture": shared}])
    spot(station, photo=shared)
    station.drafts.put("d1", "spot", "1", record, {"photo": drafted})
    station.erase("spot", record, reason="本人申请", author="乙")
    assert [station.blobs.has(name) for name in (own, row, drafted, shared)] == [False, False, False, True]
    assert station.references.names() == (shared,)
    assert station.verify() == ()


def test_an_erasure_that_comes_from_elsewhere_takes_the_blobs_too(station: Station, tmp_path: Path) -> None:
    name = station.blobs.put(b"1", "jpg")
    record = spot(station, photo=name)
    with Station.create(tmp_path / "hub", name="中心", role="hub", villages=VILLAGES) as hub:
        hub.receive(station.journal.suffix(station.id, 0), forms=station.journal.forms())
        hub.blobs.put(b"1", "jpg")
        hub.erase("spot", record, reason="本人申请", author="乙")
        assert not hub.blobs.has(name)
        station.receive(hub.journal.suffix(hub.id, 0))
    assert not station.blobs.has(name)


def test_stock_says_what_is_here_lacking_and_unused(station: Station) -> None:
    one, loose = station.blobs.put(b"1", "jpg"), station.blobs.put(b"33", "mp3")
    absent = "b" * 64 + ".jpg"
    spot(station, photo=one, shot=[{"picture": absent}])
    drafted = station.blobs.put(b"4", "jpg")
    station.drafts.put("d1", "spot", "1", None, {"photo": drafted})
    stock = station.references.stock()
    assert (stock.referenced, stock.here, stock.lacking, stock.size) == (2, 1, (absent,), 4)
    assert stock.unused == (loose.partition(".")[0],)
