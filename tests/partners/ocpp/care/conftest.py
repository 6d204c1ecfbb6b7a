"""A hub that serves on ports of its own, and chargers that fetch and bring for real."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import speaking
from tests.hub.house import House, a_serving_house
from tests.partners.ocpp.site import until
from tests.world import location

IMAGE = b"version: 2.0.0\n" + bytes(range(256)) * 40
_EVSE = {"connectors": {"1": "1"}}


@dataclass
class Yard:
    """The hub, and the directory of its files."""

    house: House
    files: Path

    async def furnish(self) -> None:
        """One tariff, and one location with five EVSEs."""
        await self.house.furnish()
        await self.ask("PUT", "/locations/DE/BSB/LOC1", location(evses=("E1", "E2", "E3", "E4", "E5")))

    async def ask(self, method: str, path: str, tree: Any = None) -> Any:
        told = await self.house.ask(method, f"/api/v1{path}", tree)
        assert told.status < 300, (told.status, told.tree)
        return told.tree

    async def add_firmware(self, name: str = "fw2", image: bytes = IMAGE, **more: Any) -> Any:
        described = {"model": "Sandbox 22", "version": "2.0.0", "sha256": hashlib.sha256(image).hexdigest(), **more}
        await self.ask("PUT", f"/firmware/{name}", described)
        told = await self.house.ask("PUT", f"/api/v1/firmware/{name}/file", body=image)
        assert told.status == 200, told.tree
        return told.tree

    @asynccontextmanager
    async def charger(self, identity: str = "CP1", ocpp: str = "1.6", **switches: Any) -> AsyncIterator[Charger]:
        """One that is registered without a password, and has booted."""
        asked = {"security_profile": 0, "switches": switches, "protocol": f"ocpp{ocpp}", **self._place(identity)}
        await self.ask("PUT", f"/stations/{identity}", asked)
        url = f"ws://127.0.0.1:{self.house.program.gateway.port}"
        async with speaking(ocpp, url, identity) as charger:
            await charger.boot()
            yield charger

    def _place(self, identity: str) -> Any:
        return {"location": "LOC1", "evses": {"1": {"evse_uid": f"E{identity[2:]}", **_EVSE}}}

    async def log(self, number: int, state: str, identity: str = "CP1") -> Any:
        """The request for a log, once it is in `state`."""
        shown: Any = None

        async def reached() -> bool:
            nonlocal shown
            shown = await self.ask("GET", f"/stations/{identity}/logs/{number}")
            return bool(shown["state"] == state)

        await until(reached)
        return shown

    async def campaign(self, *, state: str = "", **counts: int) -> Any:
        """The newest campaign, driven until it is in `state`, and so many chargers are in the states of `counts`."""
        shown: Any = None

        async def reached() -> bool:
            nonlocal shown
            await self.house.program.campaigns.step()
            shown = (await self.ask("GET", "/campaigns"))["items"][0]
            found = {name: shown["counts"].get(name, 0) for name in counts}
            return found == counts and state in ("", shown["state"])

        await until(reached)
        return await self.ask("GET", f"/campaigns/{shown['id']}")

    def told(self, charger: Charger) -> list[str]:
        """The actions of updates and availability that a charger was asked for, the oldest first."""
        frames = [json.loads(text) for way, text in charger.link.frames if way == "<"]
        wanted = ("UpdateFirmware", "SignedUpdateFirmware", "ChangeAvailability")
        return [frame[2] for frame in frames if frame[0] == 2 and frame[2] in wanted]

    def locations(self, charger: Charger) -> list[str]:
        """The links that a charger was told, the newest last."""
        frames = [json.loads(text) for way, text in charger.link.frames if way == "<"]
        asked = [frame[3] for frame in frames if frame[0] == 2]
        found = [p.get("location") or p.get("log", {}).get("remoteLocation") for p in asked]
        return [str(each) for each in found if each]


@asynccontextmanager
async def a_yard(directory: Path) -> AsyncIterator[Yard]:
    """With one location, and no station yet; on a directory that was used before, as it was left."""
    files = directory / "kept"
    settings = {"files": str(files), "ocpp_settle_s": 3600, "failed_logins_per_min": 1000}
    async with a_serving_house(directory, **settings) as house:
        yield Yard(house, files)


@pytest_asyncio.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """A new one."""
    async with a_yard(tmp_path) as made:
        await made.furnish()
        yield made
