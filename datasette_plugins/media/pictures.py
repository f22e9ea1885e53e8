"""Pictures as they come from phones: checked, turned upright, shrunk, without EXIF; where they were taken. Pure."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageOps, UnidentifiedImageError

from datasette_plugins.village_map.geometry import Position, valid
from forms.problems import CunceError, Place, Problem

MAX_PIXELS: Final = 1600  # long side, where the form says nothing
_QUALITY: Final = 84
_MOST_AT_ONCE: Final = 50_000_000  # pixels that are decoded whole: some 200 MB
_MOST_JPEG: Final = 220_000_000  # a JPEG is decoded at an eighth of its size: phones of 200 million pixels exist
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_HEIC: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"})
_GPS_IFD, _LAT_REF, _LAT, _LON_REF, _LON, _ALT_REF, _ALT, _ERROR = 0x8825, 1, 2, 3, 4, 5, 6, 31
_LARGEST_PROFILE: Final = 4096


class PictureError(CunceError):
    """A picture that can't be taken in."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to be kept: its bytes, their suffix, its sides in pixels.

    `point`: where EXIF says it was taken, as a geopoint answer (`lat lon altitude accuracy`, WGS-84), or "".
    """

    data: bytes
    suffix: str
    width: int
    height: int
    point: str = ""


def take(data: bytes, file: str = "", *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return a picture as it is to be kept; raises PictureError.

    `file`: its name, for messages; `max_pixels`: its long side at most. Nothing of its EXIF is kept. A drawing (PNG
    with transparency or few colours) stays a PNG, everything else becomes a JPEG.
    """
    place = Place(file=file)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        raise PictureError(Problem("PLUGINS_PICTURE_HEIC", place, {"file": place.file}))
    with warnings.catch_warnings():
        # The limits here are ours; Pillow would warn of every photo of a 108-million-pixel phone.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(BytesIO(data), formats=_FORMATS)
            _check_size(image, place)
            point = _point(image)
            return _kept(image, max_pixels, point)
        except PictureError:
            raise
        except Image.DecompressionBombError as error:
            context = {"file": place.file, "pixels": "> 220", "limit": 220}
            raise PictureError(Problem("PLUGINS_PICTURE_HUGE", place, context)) from error
        except UnidentifiedImageError as error:
            raise PictureError(Problem("PLUGINS_PICTURE_UNKNOWN", place, {"file": place.file})) from error
        except (OSError, ValueError, SyntaxError, TypeError, ArithmeticError, MemoryError, EOFError) as error:
            raise PictureError(Problem("PLUGINS_PICTURE_BROKEN", place, {"file": place.file})) from error


def small(data: bytes, side: int) -> tuple[bytes, str]:
    """Return a picture of ours, at most `side` pixels long, and its media type; raises PictureError."""
    taken = take(data, max_pixels=side)
    return taken.data, "image/png" if taken.suffix == "png" else "image/jpeg"


def _check_size(image: Image.Image, place: Place) -> None:
    pixels = image.width * image.height
    limit = _MOST_JPEG if image.format in ("JPEG", "MPO") else _MOST_AT_ONCE
    if pixels > limit:
        context = {"file": place.file, "pixels": round(pixels / 1_000_000), "limit": limit // 1_000_000}
        raise PictureError(Problem("PLUGINS_PICTURE_HUGE", place, context))
    if min(image.size) < 1:
        raise PictureError(Problem("PLUGINS_PICTURE_BROKEN", place, {"file": place.file}))


def _kept(image: Image.Image, max_pixels: int, point: str) -> Picture:
    drawn = image.format == "PNG" and image.mode in ("RGBA", "LA", "P", "L", "1")
    profile = image.info.get("icc_profile")
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB", (max_pixels, max_pixels))
    upright = ImageOps.exif_transpose(image)
    if drawn:
        upright = upright.convert("RGBA")
    elif upright.mode != "RGB":
        upright = _flat(upright)
    upright.thumbnail((max_pixels, max_pixels), Image.Resampling.LANCZOS)
    # A new image carries nothing of what the old one's file said: no EXIF, no XMP, no comments.
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    out = BytesIO()
    if drawn:
        bare.save(out, "PNG", optimize=True)
        return Picture(out.getvalue(), "png", *bare.size, point)
    kept = profile if isinstance(profile, bytes) and len(profile) <= _LARGEST_PROFILE else None
    bare.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True, icc_profile=kept)
    return Picture(out.getvalue(), "jpg", *bare.size, point)


def _flat(image: Image.Image) -> Image.Image:
    """Return a picture on white paper where it was transparent."""
    if image.mode not in ("RGBA", "LA", "P", "PA"):
        return image.convert("RGB")
    layer = image.convert("RGBA")
    paper = Image.new("RGB", layer.size, "white")
    paper.paste(layer, mask=layer.getchannel("A"))
    return paper


def _point(image: Image.Image) -> str:
    """The geopoint of a picture's EXIF, "" where there is none or it is impossible."""
    try:
        gps: dict[int, Any] = dict(image.getexif().get_ifd(_GPS_IFD))
        position = Position(
            _degrees(gps[_LAT], str(gps[_LAT_REF]), "S"), _degrees(gps[_LON], str(gps[_LON_REF]), "W")
        )
        if not valid(position):
            return ""
        altitude = float(gps.get(_ALT, 0)) * (-1 if gps.get(_ALT_REF) in (1, b"\x01") else 1)
        accuracy = float(gps.get(_ERROR, 0))
        return f"{position.lat:.7f} {position.lon:.7f} {altitude:.1f} {accuracy:.1f}"
    except (KeyError, TypeError, ValueError, ArithmeticError, OSError, SyntaxError):
        return ""


def _degrees(parts: Any, reference: str, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    found = degrees + minutes / 60 + seconds / 3600
    if not 0 <= found <= 180:  # nor is it NaN
        raise ValueError(parts)
    return -found if reference.strip("\0 ").upper() == negative else found
