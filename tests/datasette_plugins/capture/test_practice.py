"""Practice: invented people, marked on every page, never synced, thrown away."""

from __future__ import annotations

import asyncio

import httpx

from collect.station import Station
from datasette_plugins import serving
from datasette_plugins.capture.practice import practice_station
from tests.datasette_plugins.capture.test_care import finished, post


def test_a_practice_station_has_people_says_so_refuses_to_sync_and_is_thrown_away() -> None:
    with practice_station() as folder, Station.open(folder) as station:
        assert len(list(station.projection.rows("household"))) > 5
        datasette = serving.build(station, mode="laptop")

        async def work() -> None:
            transport = httpx.ASGITransport(app=datasette.app())
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                assert "练习：人和户都是编的" in (await client.get("/")).text
                await post(client, "/-/sync", invitation="http://127.0.0.1:1#ABCD-EFGH")
                await finished(client)
                assert "不与镇里同步" in (await client.get("/-/sync")).text

        asyncio.run(work())
        serving.close(datasette)
    assert not folder.exists()
