"""Pictures from phones: upright, shrunk, without EXIF, with the place they were taken at; and the ones not taken."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image

from datasette_plugins.media.pictures import PictureError, small, take
from tests.datasette_plugins.media.photos import photo


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_a_photo_is_shrunk_to_its_long_side_and_stays_a_jpeg() -> None:
    taken = take(photo(4000, 3000))
    assert (taken.width, taken.height, taken.suffix) == (1600, 1200, "jpg")
    assert opened(taken.data).size == (1600, 1200)
    assert take(photo(4000, 3000), max_pixels=800).width == 800
    assert take(photo(320, 240)).width == 320, "a small one is not blown up"


@pytest.mark.parametrize(
    ("turned", "size", "top"), [(1, (640, 480), "red"), (3, (640, 480), "blue"), (6, (480, 640), "")]
)
def test_a_photo_stands_upright(turned: int, size: tuple[int, int], top: str) -> None:
    kept = opened(take(photo(turned=turned)).data)
    assert kept.size == size
    red, _, blue = kept.convert("RGB").getpixel((size[0] // 2, 10))  # type: ignore[misc]
    if top:
        assert (red > blue) == (top == "red")
    else:
        right = kept.convert("RGB").getpixel((size[0] - 10, size[1] // 2))
        assert right[0] > right[2], "turned clockwise, what was on top is on the right"  # type: ignore[index]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_nothing_of_the_exif_is_kept(kind: str) -> None:
    data = photo(at=(26.647, 106.6302), kind=kind)
    kept = take(data).data
    assert not opened(kept).getexif()
    assert b"Zhang-San" in data
    assert b"Zhang-San" not in kept
    assert b"Exif" not in kept


@pytest.mark.parametrize("at", [(26.647, 106.6302), (-33.85, -70.66)])
def test_the_place_it_was_taken_at_is_read(at: tuple[float, float]) -> None:
    lat, lon, altitude, accuracy = map(float, take(photo(at=at)).point.split())
    assert (lat, lon) == pytest.approx(at, abs=1e-6)
    assert (altitude, accuracy) == (1234.5, 0)


def test_no_place_or_an_impossible_one_is_none() -> None:
    assert take(photo()).point == ""
    assert take(photo(at=(0, 0))).point == ""


def test_a_drawing_stays_a_png_and_a_photo_with_transparency_lies_on_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (300, 100), (0, 0, 0, 0)).save(out, "PNG")
    assert take(out.getvalue()).suffix == "png"
    out = BytesIO()
    Image.new("RGBA", (300, 100), (0, 0, 0, 0)).save(out, "WEBP")
    kept = take(out.getvalue())
    assert kept.suffix == "jpg"
    assert min(opened(kept.data).convert("RGB").getpixel((5, 5))) > 250  # type: ignore[type-var,arg-type]


def code_of(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        take(data, "IMG_1.jpg")
    assert "IMG_1.jpg" in caught.value.problems[0].words("zh")
    return caught.value.code


def test_what_is_no_picture_is_said_in_words() -> None:
    assert code_of(b"\x00\x00\x00\x20ftypheic" + b"\x00" * 50) == "PLUGINS_PICTURE_HEIC"
    assert code_of(b"hello") == "PLUGINS_PICTURE_UNKNOWN"
    assert code_of(b"") == "PLUGINS_PICTURE_UNKNOWN"
    assert code_of(photo()[:-3000]) == "PLUGINS_PICTURE_BROKEN"
    assert code_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "PLUGINS_PICTURE_UNKNOWN"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    for side in (60_000, 9_000):
        header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
        start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        bomb = start + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
        assert code_of(bomb) == "PLUGINS_PICTURE_HUGE"


def test_any_cut_or_changed_photo_gives_a_picture_or_words() -> None:
    data = photo(at=(26.647, 106.6302))
    for at in range(2, 700, 7):
        for broken in (data[:at], data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]):
            with suppress(PictureError):
                assert opened(take(broken).data).size


def test_small_pictures_are_small() -> None:
    assert max(opened(small(photo(1600, 1200), 96)[0]).size) == 96
