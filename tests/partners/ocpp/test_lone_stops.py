"""A stop of 1.6 whose start never came is shown to an operator, who can drop it; it is billed if its start comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core.errors import InvalidRequest
from partners.ocpp import archive, journal, unplaced
from partners.ocpp.journal import Record
from partners.ocpp.matching import stop_key
from partners.ocpp.unplaced import Verdict
from tests.partners.ocpp.said import stop
from tests.partners.ocpp.site import CARD, Site, recently

BEGAN = recently(3600)


async def stopped(site: Site, number: int = 0, *, tag: str | None = CARD, meter: int = 6000) -> list[Record]:
    """Returns: what waits for an operator."""
    async with await site.point() as cp:
        more = {} if tag is None else {"idTag": tag}
        await cp.stop(BEGAN + timedelta(minutes=30), number, meter, **more)
    return await unplaced.waiting(site.hub.store)


async def settle(site: Site, record: Record, verdict: Verdict) -> None:
    await site.gateway.stations.settle_unplaced(unplaced.name_of(record), verdict, actor="anna")


def test_those_of_two_stations_have_two_names_though_they_say_the_same() -> None:
    key = stop_key(stop())
    one, other = (journal.key_of_stop(station, key).rpartition("/")[2] for station in ("CP1", "CP2"))
    assert one != other


@pytest.mark.parametrize("number", [0, 777])
async def test_it_is_held_and_counted_with_its_way_out(site: Site, number: int) -> None:
    (record,) = await stopped(site, number)
    row = unplaced.shown(record)
    assert (row["held"], row["start"], row["meter_stop_kwh"]) == (True, "", 6)
    assert f"drop {unplaced.name_of(record)}" in row["held_because"]
    assert (await unplaced.how_many(site.hub.store), len(await unplaced.since(site.hub.store))) == (1, 1)
    (doubt,) = await site.doubts("CP1")
    assert (doubt["held"], doubt["severity"]) == (True, "hard")


async def test_it_cannot_be_billed_as_nobody_knows_its_energy(site: Site) -> None:
    (record,) = await stopped(site)
    for verdict in (Verdict(), Verdict("E1", CARD)):
        with pytest.raises(InvalidRequest, match="its start was not told"):
            await settle(site, record, verdict)


async def test_it_is_billed_and_waits_no_more_when_its_start_comes_even_days_later(site: Site) -> None:
    await stopped(site)
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    await site.restart()
    async with await site.point() as cp:
        await cp.start(BEGAN)
    assert await unplaced.waiting(site.hub.store) == []
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 5


async def test_one_that_is_dropped_stays_so_however_often_it_is_repeated(site: Site) -> None:
    (record,) = await stopped(site)
    await settle(site, record, Verdict(drops=True))
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    await site.restart()
    assert await stopped(site) == []
    assert [record.state for record in await site.records()] == [journal.DROPPED]


async def test_the_stop_of_a_charge_that_was_billed_and_put_away_is_only_a_repeat(site: Site) -> None:
    async with await site.point() as cp:
        number = (await cp.start(BEGAN))["transactionId"]
        await cp.stop(BEGAN + timedelta(minutes=30), number, 6000, idTag=CARD)
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    await site.restart()
    assert await stopped(site, number) == []


@pytest.mark.parametrize("said", [{"tag": None}, {"meter": 0}])
async def test_one_that_can_be_nobodys_charge_is_only_kept(site: Site, said: dict[str, None]) -> None:
    assert await stopped(site, 777, **said) == []  # type: ignore[arg-type]
    assert [record.state for record in await site.records()] == [journal.ORPHAN]
