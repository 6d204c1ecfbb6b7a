"""Walk (c), wide: one change of an EVSE at another CPO reaches twenty eMSPs, and a silent one delays only itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from partners.sandbox.emsp import Emsp
from tests.walks.cpos import Cpo, joined, location
from tests.walks.site import VERSIONS, Site, Tree, until

SILENT = 7
TWENTY = range(20)


@pytest.fixture
def cpo(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cpo]:
    with joined(site, "2.2.1", tmp_path_factory.mktemp("cpo")) as cpo:
        yield cpo


@asynccontextmanager
async def twenty(site: Site) -> AsyncIterator[list[Emsp]]:
    """Twenty eMSPs of the three versions, registered, and gone again afterwards."""
    ask = site.hub.web.ask
    async with AsyncExitStack() as stack:
        emsps = []
        for number in TWENTY:
            emsp = Emsp(VERSIONS[number % 3], f"FR*E{number:02}")
            emsps.append(await stack.enter_async_context(emsp))
            role = {"role": "EMSP", "country_code": "FR", "party_id": f"E{number:02}"}
            invited = await asyncio.to_thread(ask, "POST", "/api/v1/partners", {"name": name(number), "roles": [role]})
            stack.push_async_callback(asyncio.to_thread, ask, "DELETE", f"/api/v1/partners/{name(number)}")
            url = invited["versions_url_2_1_1" if emsp.rules.version == "2.1.1" else "versions_url"]
            await emsp.register(url, invited["token_a"])
        yield emsps


def name(number: int) -> str:
    return f"twenty-{number}"


def patches(emsp: Emsp, location_id: str) -> list[Tree]:
    """What it was told of the EVSE, once it answered."""
    return [
        {"body": json.loads(receipt.body), "took": receipt.outcome}
        for receipt in emsp.receipts.all()
        if receipt.method == "PATCH" and f"/{location_id}/{location_id}-1" in receipt.path
    ]


async def test_one_change_reaches_twenty_emsps_and_a_silent_one_delays_only_itself(site: Site, cpo: Cpo) -> None:
    async with twenty(site) as emsps:
        await asyncio.to_thread(cpo.does, "objects", module="locations", object=location("2.2.1", "WIDE"))
        await until(lambda: all(emsp.mirror.listed("locations") for emsp in emsps), why="the location everywhere")
        emsps[SILENT].temper.switch("silent")

        change = {"path": ["WIDE", "WIDE-1"], "change": {"status": "CHARGING"}}
        part = await asyncio.to_thread(cpo.does, "patch", **change)
        others = [emsp for emsp in emsps if emsp is not emsps[SILENT]]
        await until(lambda: all(patches(emsp, "WIDE") for emsp in others), why="the other nineteen")
        for emsp in others:
            (told,) = patches(emsp, "WIDE")
            assert told["body"] == {"status": "CHARGING", "last_updated": part["last_updated"]}
            assert emsp.complaints.texts() == []
        lane = (await asyncio.to_thread(site.hub.web.ask, "GET", f"/api/v1/partners/{name(SILENT)}"))["lane"]
        assert lane["cursor"] < lane["last_change"]

        found = await asyncio.to_thread(site.hub.web.ask, "GET", "/api/v1/changes?module=locations&limit=200")
        rows = [row for row in found["items"] if row["key"].endswith("/WIDE") and row["what"]]
        assert len(rows) == 1

        emsps[SILENT].temper.switch("happy")
        await until(lambda: patches(emsps[SILENT], "WIDE"), why="the silent one")
