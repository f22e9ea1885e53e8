"""Who may see a photo at a hub, and how it is shown there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collect.station import Station
from datasette_plugins import serving
from datasette_plugins.media.showing import show
from datasette_plugins.scope import OWNER
from tests.collect.test_blobs import photo_form
from tests.datasette_plugins.media.photos import photo

VILLAGES = {"999999001001": "东村", "999999001002": "西村"}
EAST, WEST = VILLAGES


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Station]:
    with Station.create(tmp_path / "hub", name="青山镇", role="hub", villages=VILLAGES) as station:
        station.add_form(photo_form())
        yield station


class Asked:
    """A request for a blob by an actor."""

    def __init__(self, name: str, actor: dict[str, Any] | None, **args: str) -> None:
        self.url_vars, self.actor, self.args, self.headers = {"name": name}, actor, args, dict[str, str]()
        self.scope = {"client": ("127.0.0.1", 1), "headers": []}


def cadre(*villages: str, township: bool = False) -> dict[str, Any]:
    return {"id": "a", "role": "cadre", "township": township, "villages": list(villages)}


def get(station: Station, mode: Any, name: str, actor: dict[str, Any] | None, **args: str) -> Any:
    datasette = serving.build(station, mode=mode)
    try:
        return asyncio.run(show(datasette, Asked(name, actor, **args)))
    except Exception as error:  # Datasette's Forbidden and NotFound
        return error
    finally:
        serving.close(datasette)


def test_a_photo_is_shown_to_those_who_see_a_village_that_refers_to_it(hub: Station) -> None:
    data = photo(900, 600)
    name = hub.blobs.put(data, "jpg")
    hub.save({"village": EAST, "name": "x", "photo": name}, "spot", author="甲")
    for actor in (cadre(EAST), cadre(WEST, EAST), cadre(township=True)):
        shown = get(hub, "hub", name, actor)
        assert (shown.status, shown.body, shown.content_type) == (200, data, "image/jpeg")
        assert "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["cache-control"] == "no-store"
    for stranger in (None, cadre(), cadre(WEST), {"id": "x", "role": "nobody", "township": True}):
        assert type(get(hub, "hub", name, stranger)).__name__ == "Forbidden"
    assert len(get(hub, "hub", name, cadre(EAST), side="96").body) < len(data)


def test_a_blob_that_no_record_refers_to_is_shown_to_nobody_but_the_townships_people(hub: Station) -> None:
    name = hub.blobs.put(b"loose", "jpg")
    assert type(get(hub, "hub", name, cadre(EAST))).__name__ == "Forbidden"


def test_what_a_browser_does_not_show_is_handed_over(hub: Station) -> None:
    name = hub.blobs.put(b"<script>alert(1)</script>", "html")
    hub.save({"village": EAST, "name": "x", "photo": name}, "spot", author="甲")
    shown = get(hub, "hub", name, cadre(EAST))
    assert shown.content_type == "application/octet-stream"
    assert shown.headers["content-disposition"].startswith("attachment")
    assert type(get(hub, "hub", "../../journal.db", cadre(EAST))).__name__ == "NotFound"


def test_a_laptop_shows_its_owner_what_is_only_in_a_draft(tmp_path: Path) -> None:
    with Station.create(tmp_path / "s", name="一号", villages=VILLAGES) as station:
        name = station.blobs.put(b"x", "mp3")
        assert get(station, "laptop", name, OWNER).body == b"x"
        station.blobs.path(name).unlink()
        assert get(station, "laptop", name, OWNER).status == 404
