"""Photos, drawings, files and places on the form page, in a real browser with real pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from collect.station import Station
from datasette_plugins.village_map.datum import to_gcj02
from datasette_plugins.village_map.geometry import Position
from forms.definition import Form
from forms.reader import load_shipped, read_rows
from tests.browser.conftest import VILLAGES, Served
from tests.datasette_plugins.media.photos import photo

pytestmark = pytest.mark.browser
HERE = Position(26.647, 106.6302)


def form() -> Form:
    return read_rows({
        "survey": [
            {
                "type": "select_one_from_file village.csv", "name": "village", "label": "村",
                "ledger::standard": "village",
            },
            {"type": "text", "name": "name", "label": "名称"},
            {"type": "geopoint", "name": "location", "label": "位置"},
            {"type": "image", "name": "photo", "label": "现场照片", "parameters": "max-pixels=800"},
            {"type": "image", "name": "sign", "label": "户主签名", "appearance": "signature"},
            {"type": "image", "name": "mark", "label": "标注隐患", "appearance": "annotate"},
            {"type": "audio", "name": "sound", "label": "录音"},
            {"type": "file", "name": "paper", "label": "文件"},
            {"type": "geoshape", "name": "land", "label": "地块"},
            {"type": "begin repeat", "name": "shot", "label": "细部"},
            {"type": "image", "name": "picture", "label": "照片"},
            {"type": "end repeat"},
        ],
        "settings": [{"form_id": "spot", "form_title": "现场", "version": "1"}],
    })  # fmt: skip


@pytest.fixture
def served(tmp_path: Path, serve: Callable[[Path], Served]) -> Served:
    folder = tmp_path / "station"
    with Station.create(folder, name="测试", villages=VILLAGES, author="王建国") as station:
        station.add_form(form())
        household = load_shipped("household")
        station.add_form(household)
        for number in range(8):
            at = f"{HERE.lat + number * 0.0004} {HERE.lon + number % 3 * 0.0005} 0 0"
            answers = {"village": VILLAGES[0][0], "head_name": f"户主{number}", "location": at}
            station.save(answers, household, author="甲")
    return serve(folder)


@pytest.fixture
def page(browser: Any, served: Served) -> Any:
    """A form page of a new place in the first village."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(8000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(served.start())
    page.goto(f"{served.url}/-/capture/spot?village={VILLAGES[0][0]}")
    page.wait_for_selector("#capture[data-ready]")
    yield page
    assert not [error for error in errors if "400" not in error]
    context.close()


def ask(page: Any, name: str) -> Any:
    return page.locator(f'.ask[data-ref="{name if name.startswith("/") else f"/data/{name}"}"]')


def drafted(served: Served) -> dict[str, Any]:
    with Station.open(served.folder, readonly=True) as station:
        return station.drafts.list()[0].answers


def until(page: Any, expression: str) -> None:
    """Wait until an expression holds on the page, whose policy lets nothing of ours be evaluated there for long."""
    for _ in range(160):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def settled(page: Any) -> None:
    page.wait_for_timeout(350)  # what was typed last is sent when typing has paused
    until(page, "document.querySelector('#kept').textContent.includes('已')")


def pick(page: Any, name: str, file: str, data: bytes) -> Any:
    found = ask(page, name)
    found.locator(".media-file").set_input_files({"name": file, "mimeType": "", "buffer": data})
    return found


def blob(served: Served, name: str) -> bytes:
    with Station.open(served.folder, readonly=True) as station:
        return station.blobs.read(name)


def test_a_photo_is_kept_at_once_upright_and_small_and_its_place_answers(page: Any, served: Served) -> None:
    found = pick(page, "photo", "IMG_1.jpg", photo(2000, 1500, turned=6, at=(HERE.lat, HERE.lon)))
    found.locator("img").wait_for()
    until(page, "document.querySelector('.media-view img').naturalWidth > 0")
    settled(page)
    name = drafted(served)["photo"]
    kept = Image.open(BytesIO(blob(served, name)))
    assert (kept.size, len(kept.getexif())) == ((600, 800), 0)
    offer = found.locator(".media-place button")
    assert "位置" in offer.inner_text()
    offer.click()
    settled(page)
    assert drafted(served)["location"].split()[:2] == ["26.647", "106.6302"]


def test_a_photo_is_replaced_removed_and_had_back(page: Any, served: Served) -> None:
    found = pick(page, "photo", "a.jpg", photo(300, 200))
    found.locator("img").wait_for()
    settled(page)
    first = drafted(served)["photo"]
    assert found.locator(".media-pick").inner_text() == "换一个"
    pick(page, "photo", "b.jpg", photo(200, 300))
    until(page, f"document.querySelector('.media').dataset.value !== '{first}'")
    settled(page)
    second = drafted(served)["photo"]
    assert second != first
    found.locator(".media-enter").focus()
    page.keyboard.press("Delete")
    settled(page)
    assert not drafted(served).get("photo")
    found.locator(".media-note button").click()
    settled(page)
    assert drafted(served)["photo"] == second


def test_what_is_no_photo_is_said_beside_the_question(page: Any, served: Served) -> None:
    found = pick(page, "photo", "说明.txt", b"hello")
    found.locator(".media-note.bad").wait_for()
    assert "说明.txt" in found.locator(".media-note").inner_text()
    pick(page, "photo", "IMG.HEIC", b"\0\0\0\x20ftypheic" + b"\0" * 40)
    until(page, "document.querySelector('.media-note').textContent.includes('HEIC')")
    pick(page, "sound", "a.exe", b"MZ")
    ask(page, "sound").locator(".media-note.bad").wait_for()


def test_photos_are_dropped_and_pasted(page: Any, served: Served) -> None:
    data = list(photo(120, 90))
    for kind, target in (("drop", ".media"), ("paste", ".media-enter")):
        page.evaluate("""([kind, selector, bytes]) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "x.jpg", { type: "image/jpeg" }));
          const node = document.querySelector(selector);
          node.focus?.();
          node.dispatchEvent(kind === "drop"
            ? new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files })
            : new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: files }));
        }""", [kind, target, data])  # fmt: skip
        until(page, "document.querySelector('.media').dataset.value !== ''")
        settled(page)
        assert drafted(served)["photo"]
        ask(page, "photo").locator(".media-remove").click()
        settled(page)


def test_a_signature_is_drawn_and_a_photo_marked(page: Any, served: Served) -> None:
    ask(page, "sign").locator(".media-draw").click()
    box = page.locator(".board").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 120, steps=6)
    page.mouse.up()
    page.locator(".board-does .primary").click()
    ask(page, "sign").locator("img").wait_for()
    settled(page)
    name = drafted(served)["sign"]
    assert name.endswith(".png")
    dark, light = Image.open(BytesIO(blob(served, name))).convert("L").getextrema()
    assert dark < 60  # type: ignore[operator]
    assert light > 250  # type: ignore[operator]
    pick(page, "mark", "a.jpg", photo(400, 300))
    ask(page, "mark").locator("img").wait_for()
    settled(page)
    before = drafted(served)["mark"]
    ask(page, "mark").locator(".media-draw").click()
    box = page.locator(".board").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 220, steps=5)
    page.mouse.up()
    page.locator(".board-does .primary").click()
    until(page, f"document.querySelectorAll('.media')[2].dataset.value !== '{before}'")
    settled(page)
    assert drafted(served)["mark"] != before


def test_files_and_rows_keep_theirs_through_saving(page: Any, served: Served) -> None:
    page.fill('.ask[data-ref="/data/name"] input', "桥头")
    pick(page, "paper", "合同.PDF", b"%PDF-1.4 contract").locator("a").wait_for()
    pick(page, "sound", "a.mp3", b"ID3sound").locator("audio").wait_for()
    row = ask(page, "/data/shot[1]/picture")
    if not row.count():
        page.locator(".add").click()
    row.wait_for()
    pick(page, "/data/shot[1]/picture", "c.jpg", photo(90, 60))
    row.locator("img").wait_for()
    settled(page)
    page.keyboard.press("Control+s")
    page.wait_for_url("**/saved/**")
    with Station.open(served.folder, readonly=True) as station:
        record = station.find("桥头")[0].record if station.find("桥头") else ""
        saved = next(iter(station.attachments.open("spot.csv").rows()))
        answers = station.answers("spot", record or saved["_id"])
        assert station.blobs.read(answers["paper"]) == b"%PDF-1.4 contract"
        assert answers["paper"].endswith(".pdf")
        assert station.blobs.read(answers["sound"]) == b"ID3sound"
        assert station.blobs.has(answers["shot"][0]["picture"])
        assert station.verify() == ()
    page.goto(f"{served.url}/township/spot/{answers.get('_id') or saved['_id']}")
    assert page.locator("a.blob-link img, a.blob-link").count() >= 3


def test_the_whole_goes_by_keyboard(page: Any) -> None:
    pick(page, "photo", "a.jpg", photo(300, 200)).locator("img").wait_for()
    page.locator('.ask[data-ref="/data/location"] input').focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('[data-ref=\"/data/photo\"] .media-enter')")
    page.keyboard.press("v")
    page.locator(".media-dialog img").wait_for()
    page.keyboard.press("Escape")
    page.locator(".media-dialog").wait_for(state="detached")
    with page.expect_file_chooser():
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('[data-ref=\"/data/sign\"] .media-enter')")


# ---- places


def paste(page: Any, text: str) -> None:
    page.evaluate("""(text) => {
      const data = new DataTransfer();
      data.setData("text", text);
      const input = document.querySelector('[data-ref="/data/location"] input');
      input.focus();
      input.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data }));
    }""", text)  # fmt: skip


def point(served: Served) -> tuple[float, float]:
    lat, lon, *_ = map(float, drafted(served)["location"].split())
    return lat, lon


def test_a_phone_maps_link_is_converted_and_its_datum_can_be_switched(page: Any, served: Served) -> None:
    shifted = to_gcj02(HERE)
    paste(page, f"村委会 https://uri.amap.com/marker?position={shifted.lon:.6f},{shifted.lat:.6f}&name=x")
    note = ask(page, "location").locator(".place-note")
    note.locator("select").wait_for()
    assert "GCJ-02" in note.inner_text()
    settled(page)
    assert point(served) == pytest.approx((HERE.lat, HERE.lon), abs=3e-6)
    note.locator("select").select_option("wgs84")
    settled(page)
    page.wait_for_timeout(300)
    assert point(served) == pytest.approx((shifted.lat, shifted.lon), abs=3e-6)


def test_degrees_and_minutes_are_read_when_the_question_is_left(page: Any, served: Served) -> None:
    field = page.locator('.ask[data-ref="/data/location"] input')
    field.fill("26°38′49.2″N 106°37′48.72″E")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-ref=\"/data/location\"] input').value.startsWith('26.647')")
    settled(page)
    assert point(served) == pytest.approx((26.647, 106.6302), abs=1e-6)
    field.fill("https://surl.amap.com/abc")
    page.keyboard.press("Enter")
    ask(page, "location").locator(".place-note.bad").wait_for()
    field.fill("")


def test_the_map_takes_a_click_a_drag_and_keys(page: Any, served: Served) -> None:
    field = page.locator('.ask[data-ref="/data/location"] input')
    field.fill(f"{HERE.lat} {HERE.lon}")
    field.focus()
    page.keyboard.press("Alt+m")
    box = page.locator("canvas.map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 20)
    page.mouse.down()
    page.mouse.move(x + 100, y - 20, steps=5)
    page.mouse.up()
    page.keyboard.press("Enter")
    page.locator(".map-dialog").wait_for(state="detached")
    settled(page)
    lat, lon = point(served)
    assert lat == pytest.approx(HERE.lat, abs=2e-5)
    assert lon > HERE.lon + 1e-4
    page.keyboard.press("Alt+m")
    page.locator("canvas.map").wait_for()
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    page.locator(".map-dialog").wait_for(state="detached")
    settled(page)
    assert point(served)[0] > lat
    page.locator('[data-ref="/data/location"] .place-map').click()
    page.locator("canvas.map").wait_for()
    page.mouse.click(box["x"] + 60, box["y"] + 60)
    page.locator(".map-does .primary").click()
    page.locator(".map-dialog").wait_for(state="detached")
    settled(page)
    assert point(served)[1] < HERE.lon


def test_a_piece_of_land_is_clicked_and_closed(page: Any, served: Served) -> None:
    page.locator('[data-ref="/data/land"] .place-map').click()
    page.locator("canvas.map").wait_for()
    box = page.locator("canvas.map").bounding_box()
    for x, y in ((300, 100), (500, 120), (480, 260), (310, 240), (100, 100)):
        page.mouse.click(box["x"] + x, box["y"] + y)
    page.keyboard.press("Backspace")
    assert "4" in page.locator(".map-told").inner_text()
    page.keyboard.press("Enter")
    settled(page)
    points = drafted(served)["land"].split(";")
    assert len(points) == 5
    assert points[0] == points[-1]


def test_the_ground_shows_the_villages_places(page: Any, served: Served) -> None:
    cookies = {each["name"]: each["value"] for each in page.context.cookies()}
    with httpx.Client(base_url=served.url, cookies=cookies, trust_env=False) as client:
        ground = client.get("/-/capture/-/ground", params={"village": VILLAGES[0][0]}).json()
        assert len(ground["marks"]) == 8
        assert ground["marks"][0]["name"] == "户主0"
        beside = client.get("/-/capture/-/ground", params={"village": VILLAGES[1][0]}).json()
        assert len(beside["marks"]) == 8, "a village of which nothing is known shows its neighbours"
        reply = client.get("/-/capture/-/place", params={"text": "31.23,121.47"}).json()
        assert (reply["datum"], reply["sure"]) == ("wgs84", False)
        assert json.loads(client.get("/-/capture/-/place", params={"text": "?"}).text)["problems"]
