"""Photos to test with, as phones write them: with EXIF, turned, and with a position."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F


def photo(
    width: int = 640, height: int = 480, *, turned: int = 1, at: tuple[float, float] | None = None, kind: str = "JPEG"
) -> bytes:
    """Return a photo whose upper half is red and lower half blue as it lies in the file.

    `turned`: EXIF orientation; `at`: latitude and longitude.
    """
    image = Image.new("RGB", (width, height), "blue")
    image.paste("red", (0, 0, width, height // 2))
    exif = image.getexif()
    exif[ORIENTATION], exif[MAKE] = turned, "Huawei-of-Zhang-San"
    if at is not None:
        lat, lon = at
        exif.get_ifd(GPS).update({
            1: "N" if lat >= 0 else "S", 2: _parts(lat), 3: "E" if lon >= 0 else "W", 4: _parts(lon),
            5: b"\x00", 6: IFDRational(12345, 10),
        })  # fmt: skip
    out = BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def _parts(degrees: float) -> tuple[Any, ...]:
    rest = Fraction(abs(degrees)).limit_denominator(10**9)
    whole = int(rest)
    minutes = int((rest - whole) * 60)
    seconds = round(float(((rest - whole) * 60 - minutes) * 60) * 10_000)
    return IFDRational(whole), IFDRational(minutes), IFDRational(seconds, 10_000)
