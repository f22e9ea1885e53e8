"""Days of the Chinese calendar, as people know birthdays: `n19580304`, `农1958-3-4`, `农历一九五八年三月初四`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_MARKED: Final = re.compile(r"(?:农历|阴历|旧历|农|[nN])[\s:：]*")
_MONTHS: Final = {"正": 1, "冬": 11, "腊": 12}
_MONTH_NAMES: Final = "正二三四五六七八九十冬腊"
_DIGITS: Final = {digit: value for value, digit in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_PLAIN: Final = re.compile(r"(\d{4})(闰?)(\d{2})(\d{2})")
_PARTED: Final = re.compile(r"(\d{4})[-/.年](闰?)(\w{1,3}?)[-/.月](?:初)?(\w{1,3}?)[日号]?")
_IN_CHARACTERS: Final = re.compile(r"([〇零○一二三四五六七八九]{4})年?(闰?)(\w{1,3}?)月(?:初)?(\w{1,3}?)[日号]?")


@dataclass(frozen=True, slots=True)
class Told:
    """What a text in the Chinese calendar says: the Gregorian `day` (ISO), and the `words` it is known by.

    `day` is `""` for a day that this calendar doesn't have (a thirtieth, a leap month), and for what can't be read.
    """

    day: str
    words: str


def marked(text: str) -> bool:
    """Tell whether a text says of itself that it is in the Chinese calendar."""
    return _MARKED.match(unicodedata.normalize("NFKC", text).strip()) is not None


def read(text: str) -> Told:
    """Return what a marked text says; years 1900 to 2100."""
    found = _parts(re.sub(r"\s", "", _MARKED.sub("", unicodedata.normalize("NFKC", text).strip(), count=1)))
    if found is None or not 1900 <= found[0] <= 2100:
        return Told("", "")
    from borax.calendars.lunardate import LunarDate

    year, month, day, leap = found
    try:
        lunar = LunarDate(year, month, day, int(leap))
        solar = lunar.to_solar_date()
    except ValueError:  # of a day that the calendar doesn't have
        return Told("", "")
    words = f"农历{year}年{'闰' if leap else ''}{_MONTH_NAMES[month - 1]}月{lunar.cn_day}"
    return Told(solar.isoformat(), words)


def _parts(text: str) -> tuple[int, int, int, bool] | None:
    """Year, month, day, and whether it is a leap month; None for what can't be read."""
    plain = _PLAIN.fullmatch(text) or _PLAIN.fullmatch(f"{text[1:5]}闰{text[5:]}" if text.startswith("闰") else text)
    if plain:
        return int(plain[1]), int(plain[3]), int(plain[4]), bool(plain[2])
    parted = _PARTED.fullmatch(text) or _IN_CHARACTERS.fullmatch(text)
    if not parted:
        return None
    year = "".join(str(_DIGITS.get(digit, digit)) for digit in parted[1])
    month, day = _number(parted[3]), _number(parted[4])
    return (int(year), month, day, bool(parted[2])) if month and day else None


def _number(text: str) -> int:
    """A month or a day in digits or characters: `3`, `三`, `腊`, `十四`, `廿四`, `三十`; 0 for none."""
    if text.isascii():
        return int(text) if text.isdecimal() else 0
    if text in _MONTHS:
        return _MONTHS[text]
    text = text.replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.rpartition("十")
    if any(digit not in _DIGITS for digit in tens + ones) or len(tens) > 1 or len(ones) > 1:
        return 0
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + (_DIGITS[ones] if ones else 0)
