"""Partners of 2.1.1, which cannot say when a tariff holds, have it from its start to its end; the others have dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused
from hub.core.units import ChangeRow
from modules.tariffs import service
from modules.tariffs.publication import TariffPublication
from modules.tariffs.store import TURNS
from modules.tariffs.turning import turn
from tests.world import NOW, OURS, Sent, World, tariff, their_tariff

DAY_S = 86_400.0
T1 = "DE/BSB/T1"


def dated(start_s: float | None = None, end_s: float | None = None, **fields: Any) -> dict[str, Any]:
    """T1, from and until so many seconds from now."""
    bounds = {"start_date_time": start_s, "end_date_time": end_s}
    told = {name: timestamp(NOW + timedelta(seconds=s)) for name, s in bounds.items() if s is not None}
    return {**tariff(), **told, **fields}


class Wire:
    """What the lane of e1 sends of the changes that are made."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.read_to = 0

    async def put(self, tree: Mapping[str, Any]) -> list[str]:
        await service.put(self.world.store, OURS, tree["id"], dict(tree), now=self.world.clock.now())
        return await self.sends()

    async def at(self, passed_s: float) -> list[str]:
        """At that moment the clock looks."""
        self.world.clock.passed_s = passed_s
        await turn(self.world.hub)
        return await self.sends()

    async def changes(self) -> list[ChangeRow]:
        rows = await self.world.store.changes(after=self.read_to, limit=1000)
        self.read_to = rows[-1].seq if rows else self.read_to
        return [row for row in rows if row.change.module == "tariffs"]

    async def sends(self) -> list[str]:
        """Returns: each method and path."""
        words: dict[str, set[str]] = {}
        for row in await self.changes():
            words.setdefault(row.change.key, set()).add(row.change.what)
        self.world.peers.sent.clear()
        for key, what in words.items():
            await TariffPublication().deliver(self.world.hub, self.world.partner("e1"), key, frozenset(what))
        return [f"{method} {path}" for method, _, path in self.world.peers.to("e1")]

    async def lists(self, since: str = "") -> list[str]:
        query = f"?date_from={since}" if since else ""
        said = await self.world.ask("GET", self.world.at(f"sender/tariffs{query}"), by="e1")
        return [tree["id"] for tree in said.data]


@pytest.fixture
async def wire(world: World) -> Wire:
    made = Wire(world)
    await service.delete(world.store, OURS, "T1")
    await made.changes()
    return made


async def test_a_tariff_of_tomorrow_goes_out_tomorrow_where_its_start_cannot_be_said(wire: Wire) -> None:
    undated = wire.world.version == "2.1.1"
    assert await wire.put(dated(start_s=DAY_S)) == ([] if undated else [f"PUT {T1}"])
    assert await wire.lists() == ([] if undated else ["T1"])
    assert await wire.at(DAY_S - 1) == []
    assert await wire.at(DAY_S) == ([f"PUT {T1}"] if undated else [])
    assert await wire.lists() == ["T1"]
    assert await wire.lists(since=timestamp(NOW + timedelta(days=1))) == ["T1"]
    assert await wire.at(DAY_S + 1) == []


async def test_a_tariff_that_ended_is_withdrawn_where_its_end_cannot_be_said(wire: Wire) -> None:
    undated = wire.world.version == "2.1.1"
    assert await wire.put(dated(end_s=8)) == [f"PUT {T1}"]
    assert await wire.lists() == ["T1"]
    assert await wire.at(7.9) == []
    assert await wire.at(8) == ([f"DELETE {T1}"] if undated else [])
    assert await wire.lists() == ([] if undated else ["T1"])
    assert await wire.at(9) == []


async def test_a_tariff_that_is_over_never_goes_to_2_1_1(wire: Wire) -> None:
    undated = wire.world.version == "2.1.1"
    assert await wire.put(dated(end_s=-DAY_S)) == ([] if undated else [f"PUT {T1}"])
    assert await wire.lists() == ([] if undated else ["T1"])
    assert await wire.at(DAY_S) == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_tariff_goes_from_its_start_to_its_end(wire: Wire) -> None:
    sent = [await wire.put(dated(10, 20)), await wire.at(10), await wire.at(20), await wire.at(30)]
    assert sent == [[], [f"PUT {T1}"], [f"DELETE {T1}"], []]
    assert await wire.world.documents(TURNS) == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_was_due_while_nothing_ran_is_made_up_for(wire: Wire) -> None:
    await wire.put(dated(10, 20))
    assert await wire.at(DAY_S) == []
    await wire.put({**dated(DAY_S + 10), "id": "T2"})
    await wire.put({**dated(end_s=DAY_S + 20), "id": "T3"})
    assert await wire.at(2 * DAY_S) == ["PUT DE/BSB/T2", "DELETE DE/BSB/T3"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_tariff_that_is_put_off_is_withdrawn_until_then(wire: Wire) -> None:
    assert await wire.put(dated()) == [f"PUT {T1}"]
    assert await wire.put(dated(start_s=DAY_S)) == [f"DELETE {T1}"]
    assert await wire.put(dated(start_s=60)) == []
    assert await wire.at(60) == [f"PUT {T1}"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_tariff_that_is_prolonged_stays(wire: Wire) -> None:
    assert await wire.put(dated(end_s=60)) == [f"PUT {T1}"]
    assert await wire.put(dated()) == [f"PUT {T1}"]
    assert await wire.at(60) == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_tariff_that_is_deleted_does_not_turn_any_more(wire: Wire) -> None:
    await wire.put(dated(end_s=60))
    await service.delete(wire.world.store, OURS, "T1")
    assert await wire.sends() == [f"DELETE {T1}"]
    assert await wire.at(60) == []
    assert await wire.world.documents(TURNS) == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_partner_that_never_had_what_ended_is_content(wire: Wire) -> None:
    def script(sent: Sent) -> Any:
        raise PeerRefused(http=404)

    await service.put(wire.world.store, OURS, "T1", dated(end_s=8), now=NOW)
    await wire.changes()
    wire.world.peers.script = script
    assert await wire.at(8) == [f"DELETE {T1}"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_a_version_cannot_say_any_more_is_withdrawn_and_held(wire: Wire) -> None:
    await wire.put(dated())
    with pytest.raises(NotExpressible):
        await wire.put(dated(type="AD_HOC_PAYMENT"))
    assert wire.world.peers.to("e1") == [("DELETE", "tariffs", T1)]
    with pytest.raises(NotExpressible):
        await wire.put(dated(type="PROFILE_FAST"))
    assert wire.world.peers.to("e1") == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_the_tariffs_of_other_cpos_turn_as_well(wire: Wire) -> None:
    world = wire.world
    await world.join("c3", "BE*CCC", next(iter(world.partner("c1").roles)), version="2.2.1")
    theirs = their_tariff("2.2.1", "BE*CCC", end_date_time="2026-05-04T10:00:08Z")
    world.version = "2.2.1"
    said = await world.ask("PUT", world.at("receiver/tariffs/BE/CCC/T9"), by="c3", body=theirs)
    world.version = "2.1.1"
    assert said.code == 1000
    assert await wire.sends() == ["PUT BE/CCC/T9"]
    assert await wire.at(8) == ["DELETE BE/CCC/T9"]
    later = {**theirs, "end_date_time": "2026-05-05T10:00:00Z", "last_updated": "2026-05-04T10:00:05Z"}
    world.version = "2.2.1"
    await world.ask("PUT", world.at("receiver/tariffs/BE/CCC/T9"), by="c3", body=later)
    world.version = "2.1.1"
    assert await wire.sends() == ["PUT BE/CCC/T9"], "its owner's time counts, not that of its end"
