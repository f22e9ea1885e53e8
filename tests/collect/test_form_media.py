"""Pictures beside labels: kept with the form, gone from its rows, replaced, never swept away, and carried along."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collect.form_media import files_beside
from collect.station import Station
from forms.definition import Form
from forms.reader import read_rows
from sync.blobs import BlobRequestError, Offer, check_scope, stocked

PNG = b"\x89PNG one"


def house() -> Form:
    return read_rows({
        "survey": [
            {"type": "select_one kind", "name": "kind", "label": "房子", "media::image": "house.png"},
            {"type": "note", "name": "end", "label": "完", "media::audio": "end.mp3"},
        ],
        "choices": [
            {"list_name": "kind", "name": "brick", "label": "砖房", "media::image": "brick.png"},
            {"list_name": "kind", "name": "wood", "label": "木房"},
        ],
        "settings": [{"form_id": "house", "form_title": "房子", "version": "1"}],
    })  # fmt: skip


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "s", name="一号", villages={"v1": "东村"}) as made:
        yield made


def test_media_lie_in_a_folder_beside_the_form_or_with_it_and_what_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "房子-media").mkdir()
    (tmp_path / "房子-media" / "house.png").write_bytes(PNG)
    (tmp_path / "brick.png").write_bytes(b"two")
    found, warnings = files_beside(house(), tmp_path / "房子.xlsx")
    assert found == {"house.png": PNG, "brick.png": b"two"}
    assert [(problem.code, problem.context["file"], problem.severity) for problem in warnings] == [
        ("COLLECT_FORM_MEDIA_MISSING", "end.mp3", "warning")
    ]


def test_a_file_that_no_page_shows_is_kept_with_a_warning(tmp_path: Path) -> None:
    form = read_rows({
        "survey": [{"type": "note", "name": "plan", "label": "图", "media::image": "plan.svg"}],
        "settings": [{"form_id": "plan", "version": "1"}],
    })  # fmt: skip
    (tmp_path / "plan.svg").write_bytes(b"<svg/>")
    found, (warning,) = files_beside(form, tmp_path / "plan.xlsx")
    assert (found, warning.code) == ({"plan.svg": b"<svg/>"}, "COLLECT_FORM_MEDIA_KIND")


def test_media_are_kept_by_their_names_and_the_form_stays_what_it_was(station: Station) -> None:
    assert station.add_form(house(), {"house.png": PNG})
    form = station.form("house")
    names = station.media_of(form)
    assert station.blobs.read(names["house.png"]) == PNG
    assert (dict(form.rows), form.digest) == (dict(house().rows), house().digest)
    station.save({"kind": "brick"}, "house", author="甲", village="v1")
    assert station.media_of(station.form("house")) == names


def test_media_given_again_replace_the_old_and_a_form_added_without_keeps_them(station: Station) -> None:
    station.add_form(house(), {"house.png": PNG})
    assert not station.add_form(house(), {"house.png": b"new", "brick.png": b"two"})
    assert not station.add_form(house())
    names = station.media_of(house())
    assert {file: station.blobs.read(blob) for file, blob in names.items()} == {
        "house.png": b"new",
        "brick.png": b"two",
    }


def test_media_are_not_among_what_nobody_needs(station: Station) -> None:
    station.add_form(house(), {"house.png": PNG})
    station.blobs.put(b"left over", "png")
    stock = station.references.stock()
    assert len(stock.unused) == 1
    assert station.verify() == ()


def test_a_laptop_gets_names_with_the_form_and_the_pictures_as_any_blob(station: Station, tmp_path: Path) -> None:
    station.add_form(house(), {"house.png": PNG})
    with Station.create(tmp_path / "laptop", name="二号", villages={"v1": "东村"}) as laptop:
        laptop.receive((), forms=station.journal.forms())
        blob = laptop.media_of(laptop.form("house"))["house.png"]
        assert laptop.references.lacking(["v1"]) == (blob,)
        assert stocked(station, laptop.id, ["v1"], Offer(want=(blob,))).sizes == {blob: len(PNG)}
        check_scope(station, ["v1"], blob)
        with pytest.raises(BlobRequestError):
            check_scope(station, ["v1"], station.blobs.put(b"somebody's photo", "jpg"))
