"""Places as people paste them."""

from __future__ import annotations

from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasette_plugins.village_map.datum import to_gcj02
from datasette_plugins.village_map.geometry import Position, metres
from datasette_plugins.village_map.pasted import PlaceError, read_place, to_bd09, to_wgs84

HERE = Position(31.2304, 121.4737)
GCJ = to_gcj02(HERE)
BD = to_bd09(GCJ)
G, B = f"{GCJ.lat:.7f},{GCJ.lon:.7f}", f"{BD.lat:.7f},{BD.lon:.7f}"
G_TURNED = f"{GCJ.lon:.7f},{GCJ.lat:.7f}"


@pytest.mark.parametrize(("text", "datum", "sure"), [
    ("31.2304,121.4737", "wgs84", False),
    ("31.2304 121.4737", "wgs84", False),
    ("121.4737，31.2304", "wgs84", False),
    ("３１．２３０４，１２１．４７３７", "wgs84", False),
    ("我在这里：北纬31.2304°，东经121.4737°", "wgs84", False),
    ("31°13'49.44\"N 121°28'25.32\"E", "wgs84", False),
    ("E121°28′25.32″, N31°13′49.44″", "wgs84", False),
    ("东经121度28分25.32秒 北纬31度13分49.44秒", "wgs84", False),
    ("纬度: 31°13.824′ 经度: 121°28.422′", "wgs84", False),
    ("geo:31.2304,121.4737?z=17", "wgs84", True),
    ("https://www.openstreetmap.org/?mlat=31.2304&mlon=121.4737#map=17/31.2/121.4", "wgs84", True),
    ("https://www.openstreetmap.org/#map=17/31.2304/121.4737", "wgs84", True),
    (f"https://uri.amap.com/marker?position={G_TURNED}&name=村委会", "gcj02", True),
    (f"https://wb.amap.com/?q={G},村委会", "gcj02", True),
    (f"https://wb.amap.com/?p=B0FFH3ABCD,{G},村委会,青山镇", "gcj02", True),
    (f"【村委会】 https://www.amap.com/?q={G.replace(',', '%2C')}%2C村委会 ，来自高德地图", "gcj02", True),
    (f"androidamap://viewMap?lat={GCJ.lat}&lon={GCJ.lon}&dev=0", "gcj02", True),
    ("androidamap://viewMap?lat=31.2304&lon=121.4737&dev=1", "wgs84", True),
    (f"https://apis.map.qq.com/uri/v1/marker?marker=coord:{G};title:村委会;addr:镇", "gcj02", True),
    (f"https://map.qq.com/?type=marker&pointx={GCJ.lon}&pointy={GCJ.lat}", "gcj02", True),
    (f"http://api.map.baidu.com/marker?location={B}&title=村委会&output=html", "bd09", True),
    (f"http://api.map.baidu.com/marker?location={G}&coord_type=gcj02", "gcj02", True),
    (f"baidumap://map/marker?location={B}&coord_type=bd09ll", "bd09", True),
    (f"https://maps.apple.com/?ll={G}&q=村委会", "gcj02", True),
    (f"https://www.google.com/maps/place/X/@30,120,17z/data=!3m1!4b1!3d{GCJ.lat}!4d{GCJ.lon}", "gcj02", False),
])  # fmt: skip
def test_what_phones_and_people_write_is_read(text: str, datum: str, sure: bool) -> None:
    found = read_place(text)
    assert (found.datum, found.sure) == (datum, sure)
    assert hypot(*metres(found.wgs84, HERE)) < 0.1


def test_the_datum_can_be_switched() -> None:
    assert hypot(*metres(read_place(G, "gcj02").wgs84, HERE)) < 0.1
    assert hypot(*metres(read_place(B, "bd09").wgs84, HERE)) < 0.1
    assert 300 < hypot(*metres(read_place(G).wgs84, HERE)) < 800


def test_apple_is_not_shifted_abroad() -> None:
    assert read_place("https://maps.apple.com/?ll=48.8584,2.2945").wgs84 == Position(48.8584, 2.2945)


@pytest.mark.parametrize(
    "text", ["", "村委会旁", "0,0", "200,300", "13800001111", "https://www.amap.com/place/B0FF", "°°"]
)
def test_what_names_no_place_is_said(text: str) -> None:
    with pytest.raises(PlaceError) as caught:
        read_place(text)
    assert caught.value.code == "PLUGINS_PLACE_UNREADABLE"


@pytest.mark.parametrize(
    "text", ["https://surl.amap.com/abc", "看 https://j.map.baidu.com/xy/1z", "https://maps.app.goo.gl/x"]
)
def test_short_links_are_said_to_need_a_network(text: str) -> None:
    with pytest.raises(PlaceError) as caught:
        read_place(text)
    assert caught.value.code == "PLUGINS_PLACE_SHORT_LINK"


@given(st.floats(18, 53), st.floats(74, 134))
def test_baidu_and_back_is_the_same_place(lat: float, lon: float) -> None:
    position = Position(lat, lon)
    back = to_wgs84(to_bd09(to_gcj02(position)), "bd09")
    assert hypot(*metres(back, position)) < 0.05


@given(st.text(max_size=80))
def test_any_text_gives_a_place_or_words(text: str) -> None:
    try:
        found = read_place(text)
    except PlaceError:
        return
    assert -90 <= found.position.lat <= 90
