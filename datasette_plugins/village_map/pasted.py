"""Places as people paste them: coordinates in degrees or degrees, minutes, seconds, and links of phone maps. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from datasette_plugins.village_map.datum import from_gcj02, in_china
from datasette_plugins.village_map.geometry import Position, valid
from forms.problems import CunceError, Problem

WGS84: Final = "wgs84"
GCJ02: Final = "gcj02"
BD09: Final = "bd09"
DATUMS: Final = (WGS84, GCJ02, BD09)
_LONGEST: Final = 4_000
_NUMBER: Final = r"[-+]?\d{1,3}(?:\.\d+)?"
_PAIR: Final = re.compile(rf"({_NUMBER})\s*[,，\s/;；]\s*({_NUMBER})")
_BAIDU_TURN: Final = pi * 3000 / 180
_SHORT: Final = ("surl.amap.com", "j.map.baidu.com", "goo.gl", "maps.app.goo.gl", "url.cn", "w.url.cn")
_DMS: Final = re.compile(
    r"(?P<before>[NSEWnsew]|北纬|南纬|东经|西经|纬度|经度)?\s*[:：]?\s*(?P<d>-?\d{1,3}(?:\.\d+)?)\s*[°度º]\s*"
    r"(?:(?P<m>\d{1,2}(?:\.\d+)?)\s*['′’‘分]\s*)?(?:(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”“秒]|''|′′)\s*)?"
    r"(?P<after>[NSEWnsew](?![A-Za-z]))?"
)


class PlaceError(CunceError):
    """A text that names no place that can be read here."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """A place as it was read: where, as written, in which datum; `sure`: the text or its source says which one."""

    position: Position
    datum: str
    sure: bool

    @property
    def wgs84(self) -> Position:
        """Where that is in WGS-84."""
        return to_wgs84(self.position, self.datum)


def read_place(text: str, datum: str = "") -> Pasted:
    """Return the place a text names; raises PlaceError: PLUGINS_PLACE_SHORT_LINK, PLUGINS_PLACE_UNREADABLE.

    Links of Amap, Tencent, Baidu, Apple and Google maps, OpenStreetMap, `geo:`; decimal degrees, degrees with minutes
    and seconds, latitude first or longitude first where it can't be a latitude. `datum`: read it in this one,
    whatever the text's source says.
    """
    found = _read(unquote(text[:_LONGEST]).translate(_NARROW))
    if found is None:
        raise PlaceError(Problem("PLUGINS_PLACE_UNREADABLE", context={"text": text[:60]}))
    return Pasted(found.position, datum, True) if datum in DATUMS else found


def to_wgs84(position: Position, datum: str) -> Position:
    """Return a position of one of the three datums as WGS-84."""
    if datum == BD09:
        position = from_bd09(position)
    return from_gcj02(position) if datum in (GCJ02, BD09) else position


def from_bd09(position: Position) -> Position:
    """Return a BD-09 position as GCJ-02, by turning Baidu's shift back until it fits."""
    guess = Position(position.lat - 0.006, position.lon - 0.0065)
    for _ in range(10):
        shifted = to_bd09(guess)
        guess = Position(guess.lat + position.lat - shifted.lat, guess.lon + position.lon - shifted.lon)
    return guess


def to_bd09(position: Position) -> Position:
    """Return a GCJ-02 position as BD-09. Source: Baidu's published conversion."""
    radius = hypot(position.lon, position.lat) + 0.00002 * sin(position.lat * _BAIDU_TURN)
    angle = atan2(position.lat, position.lon) + 0.000003 * cos(position.lon * _BAIDU_TURN)
    return Position(radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065)


# Full-width digits and marks of pinyin input methods.
_NARROW = str.maketrans("０１２３４５６７８９．－＋：？＆＝", "0123456789.-+:?&=")


def _read(text: str) -> Pasted | None:
    link = re.search(r"(?:[a-z][a-z0-9+.-]*://|geo:)\S+", text, re.I)
    if link is not None:
        found = _linked(link[0])
        if found is not None:
            return found
    degrees = _degrees(text)
    if degrees is not None:
        return Pasted(degrees, WGS84, False)
    if link is not None:
        text = text.replace(link[0], " ")
    pair = _PAIR.search(text)
    position = _ordered(pair[1], pair[2]) if pair else None
    return None if position is None else Pasted(position, WGS84, False)


def _linked(link: str) -> Pasted | None:
    if link.lower().startswith("geo:"):
        pair = _PAIR.search(link)
        position = _ordered(pair[1], pair[2]) if pair else None
        return None if position is None else Pasted(position, WGS84, True)
    parts = urlsplit(link)
    host = (parts.hostname or "").lower()
    if host in _SHORT:
        raise PlaceError(Problem("PLUGINS_PLACE_SHORT_LINK", context={"text": link[:60]}))
    asked = {name.lower(): values[0] for name, values in parse_qs(f"{parts.query}&{parts.fragment}").items()}
    source = next((read for mark, read in _SOURCES if mark in f"{parts.scheme}://{host}".lower()), None)
    return source(link, asked) if source else None


def _amap(link: str, asked: dict[str, str]) -> Pasted | None:
    datum = WGS84 if asked.get("dev") == "1" or asked.get("coordinate", "").lower() == "wgs84" else GCJ02
    named = {**asked, "p": asked.get("p", "").partition(",")[2]}  # p=<id>,lat,lon,name
    return _first(named, ("position", "q", "p", "lnglat", "center", "dest", "to"), ("lat", "lon"), datum)


def _tencent(link: str, asked: dict[str, str]) -> Pasted | None:
    turned = {**asked, "lat": asked.get("pointy", ""), "lon": asked.get("pointx", "")}
    return _first(turned, ("marker", "coord", "center", "tocoord", "poi", "c"), ("lat", "lon"), GCJ02)


def _baidu(link: str, asked: dict[str, str]) -> Pasted | None:
    kind = (asked.get("coord_type") or asked.get("coordtype") or asked.get("src_coord") or "").lower()
    datum = WGS84 if "wgs84" in kind or kind == "gps" else GCJ02 if "gcj02" in kind else BD09
    return _first(asked, ("location", "latlng", "center", "destination", "origin"), ("lat", "lng"), datum)


def _apple(link: str, asked: dict[str, str]) -> Pasted | None:
    found = _first(asked, ("ll", "coordinate", "center", "q", "daddr", "sll"), ("lat", "lon"), GCJ02)
    return found and _abroad(found)


def _google(link: str, asked: dict[str, str]) -> Pasted | None:
    pin = re.search(rf"!3d({_NUMBER})!4d({_NUMBER})", link) or re.search(rf"@({_NUMBER}),({_NUMBER})", link)
    position = _ordered(pin[1], pin[2]) if pin else None
    found = Pasted(position, GCJ02, False) if position else _first(asked, ("q", "query", "ll"), ("lat", "lon"), GCJ02)
    return found and _abroad(Pasted(found.position, found.datum, False))


def _osm(link: str, asked: dict[str, str]) -> Pasted | None:
    shown = re.search(rf"map=\d+(?:\.\d+)?/({_NUMBER})/({_NUMBER})", link)
    position = _ordered(shown[1], shown[2]) if shown else None
    return _first(asked, (), ("mlat", "mlon"), WGS84) or (Pasted(position, WGS84, True) if position else None)


_SOURCES: Final[tuple[tuple[str, Callable[[str, dict[str, str]], Pasted | None]], ...]] = (
    ("amap", _amap), ("qqmap", _tencent), ("map.qq.com", _tencent), ("map.wap.qq.com", _tencent), ("baidu", _baidu),
    ("maps.apple", _apple), ("maps://", _apple), ("google", _google), ("openstreetmap", _osm),
)  # fmt: skip


def _abroad(found: Pasted) -> Pasted:
    """Foreign maps are shifted inside China only."""
    return found if in_china(found.position) else Pasted(found.position, WGS84, True)


def _first(asked: dict[str, str], pairs: tuple[str, ...], single: tuple[str, str], datum: str) -> Pasted | None:
    """The first of a link's parameters that holds two coordinates, or the two that hold one each."""
    for name in pairs:
        pair = _PAIR.search(asked.get(name, ""))
        position = _ordered(pair[1], pair[2]) if pair else None
        if position is not None:
            return Pasted(position, datum, True)
    lat, lon = (asked.get(name, "") for name in single)
    position = _ordered(lat, lon) if re.fullmatch(_NUMBER, lat) and re.fullmatch(_NUMBER, lon) else None
    return None if position is None else Pasted(position, datum, True)


def _ordered(one: str, other: str) -> Position | None:
    """Latitude first, unless it can't be one."""
    a, b = float(one), float(other)
    # In China no longitude can be a latitude, so the order is never in doubt there.
    written, turned = Position(a, b), Position(b, a)
    position = turned if abs(a) > 90 or (in_china(turned) and not in_china(written)) else written
    return position if valid(position) else None


def _degrees(text: str) -> Position | None:
    """Degrees with a degree sign, with or without minutes and seconds, by their letters or in order."""
    found = [(match, _value(match)) for match in _DMS.finditer(text)]
    if len(found) < 2:
        return None
    (first, one), (second, other) = found[:2]
    if _is_east(first) or (not _is_north(first) and _is_north(second)):
        one, other = other, one
    return _ordered(str(one), str(other))


def _value(match: re.Match[str]) -> float:
    degrees = float(match["d"])
    size = abs(degrees) + float(match["m"] or 0) / 60 + float(match["s"] or 0) / 3600
    south = degrees < 0 or _letter(match) in ("S", "W", "南纬", "西经")
    return -size if south else size


def _letter(match: re.Match[str]) -> str:
    return (match["before"] or match["after"] or "").upper()


def _is_east(match: re.Match[str]) -> bool:
    return _letter(match) in ("E", "W", "东经", "西经", "经度")


def _is_north(match: re.Match[str]) -> bool:
    return _letter(match) in ("N", "S", "北纬", "南纬", "纬度")
